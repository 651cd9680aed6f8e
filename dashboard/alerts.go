package dashboard

import (
	"fmt"
	"net/http"
	"net/url"

	"aftercall/internal/store"
	"aftercall/people"
)

// alertsPage is the view of alerts.html.
type alertsPage struct {
	Tabs       []tab
	Everywhere string // the same list without the account, if it has one
	Account    string
	Cards      []alertCard
	UpTo       string // the newest that is shown, for reading all
	Unread     bool   // something on the page is unread
	OnlyUnread bool
	Others     bool // those to others are shown as well
	Push       pushView
	Softphone  string // where pop-ups are shown, to those who may
	Back       string
	Paged      bool
	Newest     string
	Older      string
}

// alertCard is one alert in a list, or as it pops up.
type alertCard struct {
	ID, Text, For, Account, Automation, Call string
	At                                       moment
	Unread                                   bool
	Read, Back                               string // where to say that it was read, and where that leads
}

// latestPage is the view of alerts_latest.html.
type latestPage struct {
	Unread countView
	Newest string
	Cards  []alertCard
	More   int // unread ones that are not among them
}

// teammate is somebody as alerts know them: in each account they are the people of its config with the address they sign in with.
// A machine that signs in by itself stands for everybody.
func (d *Dashboard) teammate(who people.Person) store.Teammate {
	if who.ID == "" {
		return store.Teammate{Whole: true}
	}
	mate := store.Teammate{ID: who.ID, Keys: map[string][]string{}}
	for _, rev := range d.revisions.Accounts() {
		if keys := personKeys(rev, who.Name); keys != nil && who.May(people.Look, rev.AccountID) {
			mate.Keys[rev.AccountID] = keys
		}
	}
	return mate
}

// The lists of alerts, by ?show=. Those to others are for admins.
const (
	showUnread = "unread"
	showOthers = "others"
)

// alerts is GET /alerts: what automations told the team, newest first. The address holds the whole state: show, account and
// before.
func (d *Dashboard) alerts(r *http.Request) (answer, error) {
	in := r.URL.Query()
	before, err := cursorOf(r)
	if err != nil {
		return answer{}, err
	}
	who, account, show := people.Of(r.Context()), in.Get("account"), in.Get("show")
	mate, reader, oversees := d.teammate(who), d.reader(r, people.Look), oversees(who)
	if show == showOthers && oversees {
		mate, reader = store.Teammate{ID: who.ID, Whole: true}, d.reader(r, people.Manage)
	}
	var rows []store.InboxAlert
	next := ""
	if show == showUnread {
		rows, err = reader.Unread(r.Context(), mate, account, "", listLimit)
	} else {
		rows, next, err = reader.Inbox(r.Context(), mate, account, before, listLimit)
	}
	if err != nil {
		return answer{}, fmt.Errorf("list alerts: %w", err)
	}
	d.settleOthers(rows, who)
	maskAlerts(rows, who)
	view := alertList(account, show, oversees, rows, r.URL.RequestURI(), knownNames(d.accountNames))
	if view.Push, err = d.pushView(r); err != nil {
		return answer{}, fmt.Errorf("list alerts: %w", err)
	}
	view.Paged = before != ""
	if !who.Accounts(people.Operate).None() {
		view.Softphone = softphonePath
	}
	if next != "" {
		view.Older = address("/alerts", "account", account, "show", show, "before", next)
	}
	return answer{Template: "alerts", Title: "Team alerts", Section: "alerts", View: view}, nil
}

// oversees reports whether somebody may read alerts to others, which a machine that signs in by itself reads anyway.
func oversees(who people.Person) bool { return who.ID != "" && !who.Accounts(people.Manage).None() }

// settleOthers makes alerts that are not for the reader no news to them.
func (d *Dashboard) settleOthers(rows []store.InboxAlert, who people.Person) {
	mate := d.teammate(who)
	for i := range rows {
		rows[i].Read = rows[i].Read || !mate.Hears(rows[i].AccountID, rows[i].Audience)
	}
}

func alertList(account, show string, oversees bool, rows []store.InboxAlert, back string, of func(string) names) alertsPage {
	at := func(show string) string { return address("/alerts", "account", account, "show", show) }
	p := alertsPage{Account: account, OnlyUnread: show == showUnread, Others: oversees && show == showOthers, Back: back, Newest: at("")}
	if p.Others {
		p.Newest = at(showOthers)
	}
	p.Tabs = []tab{{"All", at(""), !p.OnlyUnread && !p.Others}, {"Unread", at(showUnread), p.OnlyUnread}}
	if oversees {
		p.Tabs = append(p.Tabs, tab{"To others, too", at(showOthers), p.Others})
	}
	if account != "" {
		p.Everywhere = "/alerts"
	}
	for _, a := range rows {
		c := alertCardOf(a, of(a.AccountID), back)
		p.Cards, p.Unread = append(p.Cards, c), p.Unread || c.Unread
	}
	if len(rows) > 0 {
		p.UpTo = rows[0].ID
	}
	return p
}

func alertCardOf(a store.InboxAlert, n names, back string) alertCard {
	name, _ := n.automation(a.Automation)
	return alertCard{ID: a.ID, Text: or(a.Text, "Alert without text"), For: n.assignee(a.Audience), Account: n.account(a.AccountID), Automation: name,
		Call: conversationPath(a.ConversationID), At: shortly(a.CreatedAt, n.zone()), Unread: !a.Read,
		Read: "/alerts/" + url.PathEscape(a.ID) + "/read", Back: back}
}

// maskAlerts masks those whose accounts the reader may not see in full.
func maskAlerts(rows []store.InboxAlert, who people.Person) {
	for i := range rows {
		if !who.May(people.Addresses, rows[i].AccountID) {
			maskTexts(&rows[i].Text, &rows[i].Audience)
		}
	}
}

// mostPopUps is how many alerts pop up at once.
const mostPopUps = 3

// latestAlerts is GET /alerts/latest: what came after ?since= and is not read, for a page that is open already, with the
// count for its navigation.
func (d *Dashboard) latestAlerts(r *http.Request) (answer, error) {
	since, err := cursorNamed(r, "since")
	if err != nil {
		return answer{}, err
	}
	who, reader := people.Of(r.Context()), d.reader(r, people.Look)
	mate, view := d.teammate(who), latestPage{Newest: since}
	if view.Unread.N, err = reader.CountUnread(r.Context(), mate); err != nil {
		return answer{}, fmt.Errorf("look for alerts: %w", err)
	}
	var rows []store.InboxAlert
	if since != "" {
		if rows, err = reader.Unread(r.Context(), mate, "", since, listLimit); err != nil {
			return answer{}, fmt.Errorf("look for alerts: %w", err)
		}
	}
	maskAlerts(rows, who)
	of := knownNames(d.accountNames)
	for i, a := range rows {
		if i < mostPopUps {
			view.Cards = append(view.Cards, alertCardOf(a, of(a.AccountID), ""))
		}
	}
	if len(rows) > 0 {
		view.Newest, view.More = rows[0].ID, len(rows)-len(view.Cards)
	}
	return answer{Template: "alerts_latest", View: view, Bare: true}, nil
}

// readAlert is POST /alerts/{id}/read.
func (d *Dashboard) readAlert(r *http.Request) (answer, error) {
	form, err := posted(r)
	if err != nil {
		return answer{}, err
	}
	who := people.Of(r.Context())
	a, err := d.reader(r, people.Look).Alert(r.Context(), d.teammate(who), r.PathValue("id"))
	if err == nil {
		err = d.store.ReadAlert(r.Context(), who.Actor(), a.AccountID, a.ID)
	}
	if err != nil {
		return answer{}, fmt.Errorf("read an alert: %w", err)
	}
	return answer{Location: backTo(form, "/alerts")}, nil
}

// readAlerts is POST /alerts/read: all of the list up to the newest that was shown.
func (d *Dashboard) readAlerts(r *http.Request) (answer, error) {
	form, err := posted(r)
	if err != nil {
		return answer{}, err
	}
	who := people.Of(r.Context())
	within := who.Accounts(people.Look).Narrow(form.Get("account"))
	if err := d.store.ReadAlerts(r.Context(), who.Actor(), within, form.Get("up_to")); err != nil {
		return answer{}, fmt.Errorf("read alerts: %w", err)
	}
	return answer{Location: backTo(form, "/alerts")}, nil
}
