package dashboard

import (
	"net/http"
	"slices"

	"aftercall/internal/store"
	"aftercall/people"
)

// softphonePath is a small softphone: what pops up for one agent, while it lasts.
const softphonePath = "/softphone"

// softphonePage is the view of softphone.html.
type softphonePage struct {
	Accounts []choice
	Agent    string
	Cards    []popUpCard // the newest first
}

type popUpCard struct {
	Text, Automation, Call, Named string
	At                            moment
}

// softphone is GET /softphone: it takes what pops up for the agent it is asked for, as every softphone does, and shows it as long
// as it lasts. To ask again takes nothing new, so it may be asked as often as the page likes.
func (d *Dashboard) softphone(r *http.Request) (answer, error) {
	in := r.URL.Query()
	account, agent := in.Get("account"), in.Get("agent")
	reader := d.reader(r, people.Operate)
	accounts, err := d.accountChoices(r, people.Operate, account)
	if err != nil {
		return answer{}, err
	}
	view := softphonePage{Accounts: accounts, Agent: agent}
	if agent != "" && account != "" && len(agent) <= 200 {
		if view.Cards, err = d.popUps(r, reader, account, agent); err != nil {
			return answer{}, err
		}
	}
	return answer{Template: "softphone", Title: "Softphone", Section: "alerts", View: view}, nil
}

func (d *Dashboard) popUps(r *http.Request, reader *store.Reader, account, agent string) (cards []popUpCard, err error) {
	now, n := d.now(), d.accountNames(account)
	rows, err := reader.PopUps(r.Context(), account, agent, 0, now)
	if err == nil {
		err = d.store.TakePopUps(r.Context(), account, agent, rows, now)
	}
	for _, p := range slices.Backward(rows) {
		name, _ := n.automation(p.Automation)
		cards = append(cards, popUpCard{Text: p.Text, Automation: name, Call: conversationPath(p.ConversationID), Named: p.ExternalID,
			At: shortly(p.CreatedAt, n.zone())})
	}
	return cards, err
}
