package dashboard

import (
	"fmt"
	"net/http"
	"slices"

	"aftercall/internal/store"
	"aftercall/people"
)

// softphonePath is a small softphone: what pops up for one agent, while it lasts.
const softphonePath = "/softphone"

// softphonePage is the view of softphone.html.
type softphonePage struct {
	Accounts       []choice
	Account, Agent string
	Cards          []popUpCard // the newest first
	New            []string    // ids of the cards that nobody is known to have seen
}

type popUpCard struct {
	Text, Automation, Call, Named string // Named: which call or event it is of
	At                            moment
}

// softphone is GET /softphone: what pops up for the agent it is asked for, as long as it lasts. A page may be got by a browser that
// only guesses where somebody will go, so getting it takes nothing: that is what its form does.
func (d *Dashboard) softphone(r *http.Request) (answer, error) {
	in := r.URL.Query()
	account, agent := in.Get("account"), in.Get("agent")
	accounts, err := d.accountChoices(r, people.Operate, account)
	if err != nil {
		return answer{}, err
	}
	view := softphonePage{Accounts: accounts, Account: account, Agent: agent}
	if agent != "" && account != "" && len(agent) <= 200 {
		rows, err := d.reader(r, people.Operate).PopUps(r.Context(), account, agent, 0, d.now())
		if err != nil {
			return answer{}, fmt.Errorf("look for pop-ups: %w", err)
		}
		n := d.accountNames(account)
		for _, p := range slices.Backward(rows) {
			name, _ := n.automation(p.Automation)
			view.Cards = append(view.Cards, popUpCard{Text: p.Text, Automation: name, Call: conversationPath(p.ConversationID), Named: or(eventName(p.Event, p.Point), "the call "+p.ExternalID),
				At: shortly(p.CreatedAt, n.zone())})
			if !p.Taken {
				view.New = append(view.New, p.DeliveryID)
			}
		}
	}
	return answer{Template: "softphone", Title: "Softphone", Section: "alerts", View: view}, nil
}

// takePopUps is POST /softphone: what stood on the page has been seen. The page's script says so once somebody can see it;
// without scripts its reader does.
func (d *Dashboard) takePopUps(r *http.Request) (answer, error) {
	form, err := posted(r)
	if err != nil {
		return answer{}, err
	}
	account, agent, now := form.Get("account"), form.Get("agent"), d.now()
	rows, err := d.reader(r, people.Operate).PopUps(r.Context(), account, agent, 0, now)
	if err == nil {
		rows = slices.DeleteFunc(rows, func(p store.PopUp) bool { return !slices.Contains(form["shown"], p.DeliveryID) })
		err = d.store.TakePopUps(r.Context(), account, agent, rows, now)
	}
	if err != nil {
		return answer{}, fmt.Errorf("take pop-ups: %w", err)
	}
	return answer{Location: address(softphonePath, "account", account, "agent", agent)}, nil
}
