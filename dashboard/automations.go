package dashboard

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"aftercall/internal/store"
	"aftercall/people"
	"aftercall/worker"
)

// automationsPath is where it stands how often each automation fires.
const automationsPath = "/automations"

// automationRoutes are the pages about automations and what the model costs, and what people do about them.
func (d *Dashboard) automationRoutes(rs *routes) {
	const one = automationsPath + "/{account}/{id}"
	rs.add("GET "+automationsPath, people.Look, d.page(d.automations))
	rs.add("GET "+one, people.Look, d.page(d.automation))
	rs.add("POST "+one+"/mute", people.Operate, d.form(d.mute))
	rs.add("POST "+one+"/unmute", people.Operate, d.form(d.unmute))
	rs.add("POST "+one+"/close", people.Operate, d.form(d.closeBreaker))
	rs.add("POST "+one+"/release", people.Operate, d.form(d.releaseStopped))
	rs.add("POST "+one+"/discard", people.Operate, d.form(d.discardStopped))
	rs.add("GET "+usagePath, people.Look, d.page(d.usage))
}

// What the list sums up: the last week, and the three weeks before for what is silent now.
const (
	sumDays    = 7
	beforeDays = 28
)

// automationsPage is the view of automations.html.
type automationsPage struct {
	Account, AccountName string
	Accounts             []choice // to choose from; none if there is only one
	Breakers             []breakerView
	Rows                 []automationRow
}

// automationRow is one automation in the list.
type automationRow struct {
	Path, Name, ID, Place string
	Fired, Evaluated      int
	Rate                  string // of those evaluated
	Unsure, Held, Failed  string
	Precision, Marked     string // of what people marked in four weeks; "" if they marked nothing
	Last                  moment
	Flags                 []badge
}

// automations is GET /automations: of one account, how often each of its automations fires and what keeps it from firing.
func (d *Dashboard) automations(r *http.Request) (answer, error) {
	view := automationsPage{}
	account, accounts, err := d.chosenAccount(r)
	if err != nil {
		return answer{}, err
	}
	if account != "" {
		if view, err = d.automationList(r, account); err != nil {
			return answer{}, err
		}
	}
	view.Accounts = accounts
	return answer{Template: "automations", Title: "Automations", Section: "automations", View: view}, nil
}

// chosenAccount is the account that a page of one account shows: the one in its address, else the first that the reader may
// see; "" if there is none. The choices are all of them, if there are several.
func (d *Dashboard) chosenAccount(r *http.Request) (account string, accounts []choice, err error) {
	active, err := d.reader(r, people.Look).ActiveRevisions(r.Context())
	if err != nil {
		return "", nil, fmt.Errorf("list accounts: %w", err)
	}
	asked := r.URL.Query().Get("account")
	for _, a := range active {
		if account == "" && (asked == "" || asked == a.AccountID) {
			account = a.AccountID
		}
		accounts = append(accounts, choice{a.AccountID, d.accountNames(a.AccountID).account(a.AccountID), a.AccountID == account})
	}
	switch {
	case asked != "" && account == "":
		return "", nil, fmt.Errorf("find account: %w", store.ErrNotFound)
	case len(accounts) < 2:
		accounts = nil
	}
	return account, accounts, nil
}

func (d *Dashboard) automationList(r *http.Request, account string) (automationsPage, error) {
	n, reader := d.accountNames(account), d.reader(r, people.Look)
	if n.rev == nil {
		return automationsPage{Account: account, AccountName: account}, nil // its config is newer than this binary
	}
	ids := make([]string, len(n.rev.Automations))
	for i, a := range n.rev.Automations {
		ids[i] = a.ID
	}
	now := d.now()
	sums, err := reader.AutomationSums(r.Context(), account, ids, now.AddDate(0, 0, -beforeDays), now.AddDate(0, 0, -sumDays))
	if err != nil {
		return automationsPage{}, fmt.Errorf("list automations: %w", err)
	}
	breakers, err := reader.Breakers(r.Context(), account)
	if err != nil {
		return automationsPage{}, fmt.Errorf("list automations: %w", err)
	}
	mutes, err := reader.Mutes(r.Context(), account)
	if err != nil {
		return automationsPage{}, fmt.Errorf("list automations: %w", err)
	}
	return automationRows(account, n, sums, breakers, mutes), nil
}

func automationRows(account string, n names, sums map[string]store.AutomationSum, breakers []store.Breaker, mutes []store.Mute) automationsPage {
	p := automationsPage{Account: account, AccountName: n.account(account)}
	for _, b := range breakers {
		p.Breakers = append(p.Breakers, breakerOf(b, n))
	}
	if n.rev == nil {
		return p
	}
	for _, a := range n.rev.Automations {
		s := sums[a.ID]
		name, place := n.automation(a.ID)
		row := automationRow{
			Path: automationPath(account, a.ID), Name: name, ID: a.ID, Place: place, Fired: s.Fired, Evaluated: s.Evaluated,
			Rate: percent(s.Fired, s.Evaluated), Unsure: percent(s.Unsure, s.Evaluated), Held: percent(s.Held+s.Stopped, s.Fired),
			Failed: percent(s.Failed, s.Evaluated), Last: shortly(s.LastFired, n.zone()),
		}
		if s.Marked > 0 {
			row.Precision, row.Marked = percent(s.Marked-s.Wrong, s.Marked), fmt.Sprintf("%d of %d", s.Marked-s.Wrong, s.Marked)
		}
		row.Flags = flags(a.Trigger.Enabled, s, breakerAt(breakers, a.ID), muteAt(mutes, a.ID), n.zone())
		p.Rows = append(p.Rows, row)
	}
	return p
}

// What makes an automation silent, or busy: measured against its own past, and not on so few calls that chance does.
const (
	silentCalls = 20 // evaluated in the week, and fired for none of them
	busyFloor   = 20
	busyTimes   = 3
)

// flags say what is out of the ordinary with an automation, the worst first.
func flags(enabled bool, s store.AutomationSum, b *store.Breaker, m *store.Mute, zone *time.Location) (all []badge) {
	if b != nil && b.Open {
		all = append(all, badge{"runs away: held", "cross", "bad"})
	} else if b != nil {
		all = append(all, badge{"something is held", "pause", "warn"})
	}
	if m != nil {
		all = append(all, badge{"muted until " + shortly(m.Until, zone).Local, "pause", "warn"})
	}
	switch {
	case !enabled:
		all = append(all, badge{"switched off", "dash", "quiet"})
	case s.Fired == 0 && s.Evaluated >= silentCalls && s.Before > 0:
		all = append(all, badge{"silent", "question", "warn"})
	case s.Day > busyFloor+busyTimes*(s.Fired-s.Day)/(sumDays-1):
		all = append(all, badge{"more than usual", "again", "warn"})
	}
	return all
}

func breakerAt(all []store.Breaker, automation string) *store.Breaker {
	for i := range all {
		if all[i].Automation == automation {
			return &all[i]
		}
	}
	return nil
}

func muteAt(all []store.Mute, automation string) *store.Mute {
	for i := range all {
		if all[i].Automation == automation {
			return &all[i]
		}
	}
	return nil
}

// breakerView is a breaker that is open, or has left something held.
type breakerView struct {
	Path, Automation string
	Open             bool
	ByDay            bool
	Fired, Allowed   string
	Opened, Until    moment
	Stopped          string // what it holds: "about 500 messages and tasks"; "" for nothing
}

func breakerOf(b store.Breaker, n names) breakerView {
	name, _ := n.automation(b.Automation)
	v := breakerView{
		Path: automationPath(b.AccountID, b.Automation), Automation: name, Open: b.Open, ByDay: b.Cause == store.ByDay,
		Fired: worker.Amount(b.Fired), Allowed: worker.Amount(b.Allowed), Opened: shortly(b.OpenedAt, n.zone()), Until: shortly(b.Until, n.zone()),
	}
	switch {
	case b.Stopped > store.MostStopped:
		v.Stopped = fmt.Sprintf("more than %d messages and tasks", store.MostStopped)
	case b.Stopped > 0:
		v.Stopped = count(b.Stopped, "message or task", "messages and tasks")
	}
	return v
}

func automationPath(account, id string) string {
	return automationsPath + "/" + url.PathEscape(account) + "/" + url.PathEscape(id)
}

// percent writes a share; "" of nothing.
func percent(part, whole int) string {
	if whole == 0 {
		return ""
	}
	share := 100 * float64(part) / float64(whole)
	if part > 0 && share < 10 {
		return strconv.FormatFloat(share, 'f', 1, 64) + " %"
	}
	return strconv.FormatFloat(share, 'f', 0, 64) + " %"
}
