package dashboard

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"aftercall/internal/store"
	"aftercall/people"
	"aftercall/reason"
)

// askPath is where a bulk job is asked for: first what the filter finds is counted and shown, then somebody says yes.
const askPath = bulkPath + "/ask"

// bulkAct is what a bulk action does, in words.
type bulkAct struct {
	does, says string
	sends      bool // something may leave by it
}

func bulkWords(b store.BulkRequest) bulkAct {
	const by = "What an earlier run of a call has sent, or may have sent, does not go out again."
	act := map[store.BulkAction]bulkAct{
		store.BulkResend:       {"Send again", "Each goes to its recipient once more, at once and as a delivery of its own.", true},
		store.BulkSettleSent:   {"Settle as sent", "Each counts as sent from now on. Nothing goes out.", false},
		store.BulkSettleFailed: {"Settle as not sent", "Each counts as failed from now on. Nothing goes out by that.", false},
		store.BulkCancel:       {"Call off", "None of them goes out.", false},
		store.BulkRelease:      {"Let go out", "Each goes out as it was written, in its window. What would show a gap to a customer is refused.", true},
		store.BulkReplaySame:   {"Decide again by the config of then", "Each call is decided anew, and what fires is sent. " + by, true},
		store.BulkReplayActive: {"Decide again by the active config", "Each call is decided anew, and what fires is sent. " + by, true},
	}[b.Action]
	if b.Sandbox {
		act.does, act.says, act.sends = act.does+", in the sandbox", "Each call is decided anew. Nothing leaves this machine.", false
	}
	if act.does == "" {
		act.does = or(words(string(b.Action)), "Something") // a newer version's
	}
	return act
}

// bulkAskPage is the view of bulk_ask.html.
type bulkAskPage struct {
	Accounts                                []choice
	Actions, States, Channels               []choice
	Class, Automation, Reason, After, Until string
	Domain                                  string
	Automations, Reasons                    []string
	Sandbox                                 bool
	Problems                                []string
	Sure                                    *sureView
	List                                    string
}

// sureView is what is asked for, with what it found.
type sureView struct {
	Account, Does, Says string
	Filter              []fact
	Found               string
	Nothing, Sends      bool
	At                  moment
	Carried             []fact // what the form takes along: exactly what was counted
}

// askBulk is GET /bulk/ask. The address holds the whole of the filter; without an action it is only a form.
func (d *Dashboard) askBulk(r *http.Request) (answer, error) {
	in := r.URL.Query()
	accounts, account, err := d.operated(r, in.Get("account"))
	if err != nil {
		return answer{}, err
	}
	place, err := d.place(r.Context(), d.reader(r, people.Operate), account)
	if err != nil {
		return answer{}, err
	}
	view := bulkForm(in, accounts, place.automations)
	switch {
	case in.Get("action") == "":
	case account == "":
		view.Problems = []string{"Say in which account."}
	default:
		n := d.accountNames(account)
		b, problems := bulkAsked(in, d.now(), n.zone())
		if view.Problems = problems; len(problems) > 0 {
			break
		}
		var no *store.Refused
		b, err := b.Complete()
		found, more := 0, false
		if err == nil {
			found, more, err = d.ops.CountBulk(r.Context(), account, b)
		}
		if errors.As(err, &no) {
			view.Problems = []string{no.Sentence}
			break
		}
		if err != nil {
			return answer{}, err
		}
		view.Sure = sureOf(account, b, found, more, d.now(), n)
	}
	return answer{Template: "bulk_ask", Title: "Ask for a bulk job", Section: "deliveries", View: view, Draft: true}, nil
}

// operated lists the accounts in which whoever asks may act, and the chosen one: the only one there is, if none was named.
func (d *Dashboard) operated(r *http.Request, asked string) (accounts []choice, account string, err error) {
	accounts, err = d.accountChoices(r, people.Operate, asked)
	if err != nil {
		return nil, "", err
	}
	if asked == "" && len(accounts) == 1 {
		accounts[0].Chosen = true
	}
	for _, a := range accounts {
		if a.Chosen {
			account = a.Value
		}
	}
	if asked != "" && account == "" {
		return nil, "", fmt.Errorf("find account: %w", store.ErrNotFound)
	}
	return accounts, account, nil
}

func bulkForm(in url.Values, accounts []choice, automations []string) bulkAskPage {
	get := func(name string) string { return strings.TrimSpace(in.Get(name)) }
	p := bulkAskPage{Accounts: accounts, Class: get("class"), Automation: get("automation"), Reason: get("reason"), Domain: get("domain"), After: get("after"), Until: get("until"),
		Automations: automations, Sandbox: get("sandbox") != "", List: bulkPath}
	for _, a := range store.BulkActions() {
		p.Actions = append(p.Actions, choice{string(a), bulkWords(store.BulkRequest{Action: a}).does, string(a) == get("action")})
	}
	p.States = []choice{{"", "any state", get("state") == ""}}
	for _, s := range store.DeliveryStates() {
		p.States = append(p.States, choice{string(s), deliveryBadge(s).Word, string(s) == get("state")})
	}
	p.Channels = []choice{{"", "any channel", get("channel") == ""}}
	for _, c := range channels() {
		p.Channels = append(p.Channels, choice{c, channelWord(c), c == get("channel")})
	}
	for _, r := range reason.All() {
		p.Reasons = append(p.Reasons, string(r.Code))
	}
	return p
}

// bulkAsked reads a filter as somebody types it. Times become those of the moment it is read, so that what is counted is what
// is done.
func bulkAsked(in url.Values, now time.Time, zone *time.Location) (b store.BulkRequest, problems []string) {
	get := func(name string) string { return strings.TrimSpace(in.Get(name)) }
	b = store.BulkRequest{Action: store.BulkAction(get("action")), Sandbox: get("sandbox") != "", Filter: store.BulkFilter{Channel: get("channel"),
		State: store.DeliveryState(get("state")), Class: get("class"), Automation: get("automation"), Reason: reason.Code(get("reason")),
		Domain: get("domain")}}
	if _, ok := reason.Of(b.Filter.Reason); b.Filter.Reason != "" && !ok {
		problems = append(problems, "There is no such reason.")
	}
	s := search{given: map[string]string{"after": strings.ToLower(get("after")), "before": strings.ToLower(get("until"))}}
	s.window(now, zone)
	for _, problem := range s.problems {
		problems = append(problems, strings.ReplaceAll(problem, "before:", "until:"))
	}
	if b.Filter.Since, b.Filter.Until = s.query.Since, s.query.Until; b.Filter.Since.IsZero() {
		b.Filter.Since = time.Unix(0, 0)
	}
	if b.Filter.Until.IsZero() {
		b.Filter.Until = now
	}
	return b, problems
}

func sureOf(account string, b store.BulkRequest, found int, more bool, now time.Time, n names) *sureView {
	act, f := bulkWords(b), b.Filter
	v := &sureView{Account: n.account(account), Does: act.does, Says: act.says, Sends: act.sends, Filter: filterFacts(b, n),
		Found: foundWords(found, more), Nothing: found == 0, At: at(now, n.zone())}
	for _, c := range []fact{{"account", account}, {"action", string(b.Action)}, {"channel", f.Channel}, {"state", string(f.State)}, {"class", f.Class},
		{"automation", f.Automation}, {"reason", string(f.Reason)}, {"domain", f.Domain}, {"since", f.Since.UTC().Format(time.RFC3339Nano)}, {"until", f.Until.UTC().Format(time.RFC3339Nano)}} {
		if c.Value != "" {
			v.Carried = append(v.Carried, c)
		}
	}
	if b.Sandbox {
		v.Carried = append(v.Carried, fact{"sandbox", "1"})
	}
	return v
}

// startBulk is POST /bulk: somebody has seen what it is about.
func (d *Dashboard) startBulk(r *http.Request) (answer, error) {
	account := field(r, "account")
	if account == "" {
		return answer{}, refused("Say in which account.")
	}
	if _, _, err := d.operated(r, account); err != nil {
		return answer{}, err
	}
	b := store.BulkRequest{Action: store.BulkAction(field(r, "action")), Sandbox: field(r, "sandbox") != "", Filter: store.BulkFilter{Channel: field(r, "channel"),
		State: store.DeliveryState(field(r, "state")), Class: field(r, "class"), Automation: field(r, "automation"), Reason: reason.Code(field(r, "reason")),
		Domain: field(r, "domain")}}
	var err error
	if b.Filter.Since, err = time.Parse(time.RFC3339Nano, field(r, "since")); err != nil {
		return answer{}, refused("What was posted does not say from when.")
	}
	if b.Filter.Until, err = time.Parse(time.RFC3339Nano, field(r, "until")); err != nil {
		return answer{}, refused("What was posted does not say until when.")
	}
	id, err := d.ops.Bulk(r.Context(), people.Of(r.Context()).Actor(), account, b)
	return answer{Location: bulkJobPath(id)}, err
}

// doorsToAll are the doors from a list of deliveries to what can be done to all of them, with its filter taken over.
func (a deliveriesAsked) doorsToAll() (doors []tab) {
	after := a.after
	if after == "" && waitsForAPerson(a.State) {
		after = "any"
	}
	for _, action := range map[store.DeliveryState][]store.BulkAction{
		store.Failed: {store.BulkResend}, store.Unknown: {store.BulkSettleSent, store.BulkSettleFailed}, store.Held: {store.BulkRelease, store.BulkCancel},
		store.Planned: {store.BulkCancel}, store.Retrying: {store.BulkCancel},
	}[a.State] {
		doors = append(doors, tab{bulkWords(store.BulkRequest{Action: action}).does, address(askPath, "account", a.AccountID, "action", string(action),
			"state", string(a.State), "channel", a.Channel, "class", a.Class, "automation", a.Automation, "domain", a.Domain, "after", after, "until", a.until), false})
	}
	return doors
}
