package dashboard

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"aftercall/automation"
	"aftercall/internal/store"
	"aftercall/people"
)

// settingsPath is where the settings of accounts and of the installation stand: what can be changed without a deploy. What
// authors decide is in their files, what operators decide in the environment.
const settingsPath = "/settings"

func (d *Dashboard) settingsRoutes(rs *routes) {
	rs.add("GET "+settingsPath, people.Manage, d.page(d.sources))
	rs.add("GET "+channelsPath, people.Manage, d.page(d.channelList))
	rs.add("POST "+channelsPath+"/{channel}/test", people.Manage, d.formWithin(testTime, d.testChannel))
	rs.add("GET "+keysPath, people.Manage, d.page(d.keys))
	rs.add("POST "+keysPath, people.Manage, d.form(d.addKey))
	rs.add("POST "+keysPath+"/{id}/revoke", people.Manage, d.form(d.revokeKey))
	rs.add("GET "+peoplePath, people.Run, d.page(d.people))
	rs.add("POST "+peoplePath, people.Run, d.formWithin(signInTime, d.addPerson)) // a slow hash, as signing in
	rs.add("POST "+peoplePath+"/{id}/role", people.Run, d.form(d.setRole))
	rs.add("POST "+peoplePath+"/{id}/password", people.Run, d.formWithin(signInTime, d.resetPassword))
	rs.add("POST "+peoplePath+"/{id}/disable", people.Run, d.form(d.disable))
	rs.add("POST "+peoplePath+"/{id}/enable", people.Run, d.form(d.enable))
	rs.add("GET "+logPath, people.Manage, d.page(d.auditLog))
}

// formSize bounds a posted form. Names and addresses are short.
const formSize = 64 << 10

// form is page for what a form posts, which it reads before anything is done.
func (d *Dashboard) form(do computes) http.Handler { return d.formWithin(queryTime, do) }

func (d *Dashboard) formWithin(longest time.Duration, do computes) http.Handler {
	return d.pageWithin(longest, func(r *http.Request) (answer, error) {
		r.Body = http.MaxBytesReader(nil, r.Body, formSize)
		if err := r.ParseMultipartForm(formSize); err != nil && !errors.Is(err, http.ErrNotMultipart) {
			return answer{}, refused("What was posted is not the form of this page.")
		}
		return do(r)
	})
}

// refused says why a form is not taken.
func refused(sentence string) error {
	return &postedError{http.StatusBadRequest, sentence, "Go back and try again."}
}

// field is a field of a form, in one line.
func field(r *http.Request, name string) string {
	return strings.Join(strings.Fields(r.PostFormValue(name)), " ")
}

// settingsTabs are the doors between the pages of settings.
func settingsTabs(ctx context.Context, here string) []tab {
	tabs := []tab{{"Sources", settingsPath, false}, {"Channels", channelsPath, false}, {"API keys", keysPath, false}}
	if !people.Of(ctx).Accounts(people.Run).None() {
		tabs = append(tabs, tab{"People", peoplePath, false})
	}
	tabs = append(tabs, tab{"Audit log", logPath, false})
	for n := range tabs {
		tabs[n].Current = tabs[n].Path == here
	}
	return tabs
}

// settingsPage is the answer with a page of settings.
func settingsPage(template, title string, view any) answer {
	return answer{Template: template, Title: title, Section: "settings", View: view}
}

// managed lists the accounts whose settings whoever asks may change.
func (d *Dashboard) managed(r *http.Request, chosen string) ([]choice, error) {
	return d.accountChoices(r, people.Manage, chosen)
}

// accountChoices lists the accounts in which whoever asks has the right.
func (d *Dashboard) accountChoices(r *http.Request, right people.Right, chosen string) ([]choice, error) {
	accounts, err := d.reader(r, right).Accounts(r.Context(), "")
	if err != nil {
		return nil, fmt.Errorf("list accounts: %w", err)
	}
	options := make([]choice, len(accounts))
	for n, a := range accounts {
		options[n] = choice{a.ID, d.accountNames(a.ID).account(a.ID), a.ID == chosen}
	}
	return options, nil
}

// managedAccount is the account that a form is about, if whoever asks may change its settings.
func (d *Dashboard) managedAccount(r *http.Request) (string, error) {
	account := field(r, "account")
	found, err := d.reader(r, people.Manage).Accounts(r.Context(), account)
	switch {
	case err != nil:
		return "", fmt.Errorf("find account: %w", err)
	case account == "" || len(found) != 1:
		return "", fmt.Errorf("find account: %w", store.ErrNotFound)
	}
	return account, nil
}

// sourcesPage is the view of settings_sources.html.
type sourcesPage struct {
	Tabs []tab
	Rows []sourceRow
}

// sourceRow is one platform that posts to us.
type sourceRow struct {
	Account, Name string
	Address       string // what is posted to
	Type          string // "" if the active config of this process does not have it
	Signed        string // the environment's names of its secrets
	Key           bool   // it is the API, and shows a key
	Events        []heardRow
}

// heardRow is an event that was accepted.
type heardRow struct {
	Type string
	Path string // of its conversation, or its own if it belongs to none
	At   moment
}

// sources is GET /settings: who posts to us, how they prove it, and what was heard of them last.
func (d *Dashboard) sources(r *http.Request) (answer, error) {
	found, err := d.reader(r, people.Manage).Sources(r.Context(), automation.SourceAPI)
	if err != nil {
		return answer{}, err
	}
	view := sourcesPage{Tabs: settingsTabs(r.Context(), settingsPath), Rows: sourceRows(found, d.accountNames)}
	return settingsPage("settings_sources", "Sources", view), nil
}

func sourceRows(found []store.Source, of func(account string) names) (rows []sourceRow) {
	for _, s := range found {
		n := of(s.AccountID)
		row := sourceRow{Account: n.account(s.AccountID), Name: s.ID, Address: "/hooks/" + s.ID}
		if row.Key = s.ID == automation.SourceAPI; row.Key {
			row.Name, row.Address, row.Type = "API", "/v1/conversations, /v1/events", "native"
		}
		if c, ok := n.source(s.ID); ok {
			row.Type, row.Signed = c.Type, secretNames(c.Secrets)
		}
		for _, e := range s.Events {
			heard := heardRow{Type: e.Type, Path: eventPath(e.ID), At: at(e.ReceivedAt, n.zone())}
			if e.ConversationID != "" {
				heard.Path = conversationPath(e.ConversationID)
			}
			row.Events = append(row.Events, heard)
		}
		rows = append(rows, row)
	}
	return rows
}

// source gives what an account's active config says of a source.
func (n names) source(id string) (automation.Source, bool) {
	if n.rev != nil {
		for _, s := range n.rev.Sources {
			if s.ID == id {
				return s, true
			}
		}
	}
	return automation.Source{}, false
}

// secretNames are the names of the environment that secrets are under: "${ENV:NAME}" holds no secret.
func secretNames(refs []string) string {
	words := make([]string, len(refs))
	for i, ref := range refs {
		words[i] = strings.TrimSuffix(strings.TrimPrefix(ref, "${ENV:"), "}")
	}
	return strings.Join(words, ", ")
}
