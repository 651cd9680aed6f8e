package dashboard

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"aftercall/deliver"
	"aftercall/internal/store"
	"aftercall/people"
)

const deliveriesPath = "/deliveries"

// deliveriesPage is the view of deliveries.html.
type deliveriesPage struct {
	Account, Everywhere       string
	States, Channels          []choice
	Class, Domain, Automation string
	After, Until              string
	Automations               []string
	Problems                  []string
	Views                     []tab
	Widen                     []tab
	Window                    string
	ByTrouble                 bool // listed by when they came to be in their state
	Rows                      []deliveryRowView
	Paged                     bool
	Newest, Older             string
	Further                   moment
	ToAll                     []tab // what can be done to all of them at once
}

// deliveryRowView is one delivery in the list.
type deliveryRowView struct {
	Path, Channel, To   string
	State               badge
	Why                 string // why it is so, in words
	Class, ClassPath    string
	Tries               string // if there were several
	Automation, Account string
	AccountPath         string
	When                moment
	Test                bool
}

func (d *Dashboard) deliveryRoutes(rs *routes) {
	rs.add("GET "+deliveriesPath, people.Look, d.page(d.deliveries))
}

// deliveriesAsked is what the list is asked for. The address holds the whole of it.
type deliveriesAsked struct {
	store.DeliveryQuery
	after, until string // as typed
	problems     []string
	place
}

// deliveries is GET /deliveries: what went out, what did not, and why, by channel, state, error, domain and automation.
func (d *Dashboard) deliveries(r *http.Request) (answer, error) {
	ctx, reader := r.Context(), d.reader(r, people.Look)
	place, err := d.place(ctx, reader, r.URL.Query().Get("account"))
	if err != nil {
		return answer{}, err
	}
	a := d.deliveriesAsked(r.URL.Query(), place)
	var rows []store.DeliveryRow
	var next string
	if len(a.problems) == 0 {
		if rows, next, err = reader.Deliveries(ctx, a.DeliveryQuery); err != nil {
			return answer{}, err
		}
	}
	maskDeliveries(rows, people.Of(ctx))
	view := deliveryList(a, rows, next, d.accountNames)
	if len(rows) > 0 && d.mayOperate(r, a.AccountID) {
		view.ToAll = a.doorsToAll()
	}
	return answer{Template: "deliveries", Title: "Deliveries", Section: "deliveries", View: view}, nil
}

// deliveriesAsked reads what is asked for. A list without a time goes back as far as one of conversations does; what waits for a
// person is shown however long it has.
func (d *Dashboard) deliveriesAsked(in url.Values, p place) deliveriesAsked {
	get := func(name string) string { return strings.TrimSpace(in.Get(name)) }
	a := deliveriesAsked{place: p, after: strings.ToLower(get("after")), until: strings.ToLower(get("until")), DeliveryQuery: store.DeliveryQuery{
		AccountID: get("account"), State: store.DeliveryState(get("state")), Channel: get("channel"), Class: get("class"),
		Domain: get("domain"), Automation: get("automation"), Before: get("before"), Limit: listLimit}}
	if a.State != "" && !slices.Contains(store.DeliveryStates(), a.State) {
		a.problems = append(a.problems, "There is no such state of a delivery.")
	}
	if a.Channel != "" && !slices.Contains(channels(), a.Channel) {
		a.problems = append(a.problems, "There is no such channel.")
	}
	s := search{given: map[string]string{"after": a.after, "before": a.until}}
	if a.after == "" && waitsForAPerson(a.State) {
		s.given["after"] = "any"
	}
	s.window(d.now(), p.zone)
	for _, problem := range s.problems {
		a.problems = append(a.problems, strings.ReplaceAll(problem, "before:", "until:"))
	}
	a.Since, a.Until = s.query.Since, s.query.Until
	return a
}

func waitsForAPerson(s store.DeliveryState) bool { return s == store.Held || s == store.Unknown }

func channels() []string {
	return []string{deliver.Email, deliver.SMS, deliver.Chatter, deliver.CTI, deliver.TeamAlert, deliver.Task}
}

// link is the same list with some of what is asked for changed: pairs of a name and its value.
func (a deliveriesAsked) link(changed ...string) string {
	all := map[string]string{"account": a.AccountID, "state": string(a.State), "channel": a.Channel, "class": a.Class, "domain": a.Domain,
		"automation": a.Automation, "after": a.after, "until": a.until}
	for i := 0; i+1 < len(changed); i += 2 {
		all[changed[i]] = changed[i+1]
	}
	var pairs []string
	for name, value := range all {
		pairs = append(pairs, name, value)
	}
	return address(deliveriesPath, pairs...)
}

func deliveryList(a deliveriesAsked, rows []store.DeliveryRow, next string, of func(account string) names) deliveriesPage {
	p := deliveriesPage{Account: a.AccountID, Class: a.Class, Domain: a.Domain, Automation: a.Automation, After: a.after, Until: a.until,
		Automations: a.automations, Problems: a.problems, ByTrouble: a.State.InTrouble(), Paged: a.Before != "", Newest: a.link()}
	words := search{given: map[string]string{"after": a.after, "before": a.until}}
	if a.after == "" && waitsForAPerson(a.State) {
		words.given["after"] = "any"
	}
	p.Window = words.windowWords()
	if a.AccountID != "" {
		p.Everywhere = a.link("account", "")
	}
	for _, w := range [][2]string{{"7 days", "7d"}, {"30 days", "30d"}, {"any time", "any"}} {
		if a.after != w[1] && p.Window != "at any time" {
			p.Widen = append(p.Widen, tab{w[0], a.link("after", w[1]), false})
		}
	}
	p.States = append(p.States, choice{"", "any state", a.State == ""})
	for _, s := range store.DeliveryStates() {
		p.States = append(p.States, choice{string(s), deliveryBadge(s).Word, s == a.State})
	}
	p.Channels = append(p.Channels, choice{"", "any channel", a.Channel == ""})
	for _, c := range channels() {
		p.Channels = append(p.Channels, choice{c, channelWord(c), c == a.Channel})
	}
	for _, v := range []store.DeliveryState{"", store.Failed, store.Unknown, store.Held, store.Retrying} {
		label := string(v)
		if v == "" {
			label = "all"
		}
		p.Views = append(p.Views, tab{strings.ToUpper(label[:1]) + label[1:], address(deliveriesPath, "account", a.AccountID, "state", string(v)), v == a.State})
	}
	if next != "" {
		p.Older = a.link("before", next)
	}
	if next != "" && len(rows) < listLimit && !p.ByTrouble {
		p.Further = shortly(store.AcceptedAbout(next), a.zone)
	}
	known := map[string]names{}
	for _, row := range rows {
		n, ok := known[row.AccountID]
		if !ok {
			n = of(row.AccountID)
			known[row.AccountID] = n
		}
		p.Rows = append(p.Rows, deliveryRow(a, row, n))
	}
	return p
}

func deliveryRow(a deliveriesAsked, row store.DeliveryRow, n names) deliveryRowView {
	name, _ := n.automation(row.Automation)
	as := store.StoryDelivery{Provider: row.Provider, Delivery: store.Delivery{State: row.State, Channel: row.Channel, Reason: row.Reason}}
	v := deliveryRowView{
		Path: conversationPath(row.ConversationID) + "#" + anchor("delivery", row.ID), Channel: channelWord(row.Channel), To: or(row.Address, recipientWord(row.Recipient)),
		State: outcomeBadge(as), Class: row.Class, Automation: name, Account: n.account(row.AccountID), AccountPath: a.link("account", row.AccountID),
		When: shortly(row.UpdatedAt, n.zone()), Test: row.Test,
	}
	if row.State != store.Sent && row.State != store.Delivered {
		v.Why = whyDelivery(as).Sentence
	}
	if row.Class != "" {
		v.ClassPath = a.link("class", row.Class, "state", string(row.State))
	}
	if row.Attempts > 1 {
		v.Tries = fmt.Sprintf("%d tries", row.Attempts)
	}
	return v
}
