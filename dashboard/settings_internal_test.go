package dashboard

import (
	"testing"
	"time"

	"aftercall/deliver"
	"aftercall/internal/store"
)

// settingsPages lays out the pages of settings, with text in everything that somebody types or a platform says.
func settingsPages(text string, of func(string) names) map[string]answer {
	tabs := []tab{{"Sources", settingsPath, true}, {"Channels", channelsPath, false}, {"API keys", keysPath, false}, {"People", peoplePath, false}, {"Audit log", logPath, false}}
	accounts := []choice{{"acme", text, true}, {text, text, false}}
	q := store.ActQuery{Who: text, What: store.Deed(text), AccountID: text, Before: text}
	log := logView(q, text, fixtureActs(text), text, of)
	log.Tabs, log.Accounts = tabs, accounts
	log.Within, _ = spans(text, began)
	return map[string]answer{
		"settings sources":  settingsPage("settings_sources", "Sources", sourcesPage{tabs, sourceRows(fixtureSources(text), of)}),
		"settings channels": settingsPage("settings_channels", "Channels", fixtureChannels(text, tabs, accounts, of)),
		"settings keys":     settingsPage("settings_keys", "API keys", keysPage{tabs, accounts, text, keyRows(fixtureKeys(text), of)}),
		"settings people": settingsPage("settings_people", "People", peoplePage{Tabs: tabs, Accounts: accounts, Roles: []string{"viewer", "admin"},
			Password: text, Whose: text, OIDC: true, Rows: personRows(fixturePeople(text), "me", of)}),
		"settings log":          settingsPage("settings_log", "Audit log", log),
		"settings, nothing yet": settingsPage("settings_log", "Audit log", logPage{Tabs: tabs}),
		"settings, no keys":     settingsPage("settings_keys", "API keys", keysPage{Tabs: tabs}),
		"settings, no sources":  settingsPage("settings_sources", "Sources", sourcesPage{Tabs: tabs}),
		"settings, nobody":      settingsPage("settings_people", "People", peoplePage{Tabs: tabs}),
	}
}

func fixtureSources(text string) []store.Source {
	return []store.Source{
		{ID: "api", AccountID: "acme", Events: []store.Heard{{ID: "e1", Type: text, ReceivedAt: began}}},
		{ID: "itellico" + text, AccountID: "acme", Events: []store.Heard{{ID: "e2", Type: text, ConversationID: "c1" + text, ReceivedAt: began}, {Type: text}}},
		{ID: "silent", AccountID: text},
	}
}

func fixtureChannels(text string, tabs []tab, accounts []choice, of func(string) names) channelsPage {
	begun := store.Act{AccountID: "acme", By: store.Actor{Name: text}, What: store.ActTestBegun, Target: "t", Detail: map[string]string{"channel": deliver.Email}, At: began}
	p := channelsPage{Tabs: tabs, Accounts: accounts, Rows: channelRows(map[string]deliver.Channel{deliver.Email: nil})}
	for _, detail := range []map[string]string{nil, {"result": "sent", "provider": text}, {"result": "unknown", "class": text}, {"result": "refused", "class": "auth"}} {
		p.Tests = append(p.Tests, testRowOf(begun, store.Act{Detail: detail}, of("acme")))
	}
	return p
}

func fixtureKeys(text string) []store.Key {
	return []store.Key{
		{ID: "k1" + text, AccountID: "acme", Name: "Ticket desk" + text, Prefix: "ac_3fK9aQ" + text, CreatedAt: began},
		{ID: "k2", AccountID: text, Name: text, Prefix: text, CreatedAt: began, RevokedAt: began.Add(time.Hour)},
	}
}

func fixturePeople(text string) []store.Person {
	return []store.Person{
		{ID: "me", Email: "ann@acme.example", Name: "Ann", Password: "x", Roles: map[string]string{store.EveryAccount: "admin"}, CreatedAt: began},
		{ID: "p2" + text, Email: "bob@acme.example" + text, Name: text, Subject: "s", Roles: map[string]string{"acme": "operator", "umbra" + text: "viewer"}, CreatedAt: began},
		{ID: "p3", Email: "cat@acme.example", Disabled: true, Password: "x", Subject: "s"},
		{ID: "p4", Email: text + "4"},
	}
}

func fixtureActs(text string) []store.Act {
	return []store.Act{
		{AccountID: "acme", By: store.Actor{Name: "ann@acme.example", Address: "192.0.2.7"}, What: store.ActRevealed, Target: "c1", Detail: map[string]string{"page": "conversation"}, At: began},
		{AccountID: "acme", By: store.Actor{Name: text, Address: text}, What: store.ActRevealed, Target: text, Detail: map[string]string{"page": "captured"}, At: began},
		{By: store.Actor{Name: "root@host"}, What: store.ActPersonAdded, Target: "p2", At: began},
		{By: store.Actor{Address: "192.0.2.9"}, What: store.ActSignInRefused, Detail: map[string]string{"by": "password"}, At: began},
		{AccountID: text, By: store.Actor{Name: text}, What: store.Deed(text), Target: text, Detail: map[string]string{"conversation": text, "note": text}, At: began},
	}
}

func TestATimeIsAlwaysSet(t *testing.T) {
	t.Parallel()
	for chosen, want := range map[string]time.Time{
		"": began.AddDate(0, 0, -30), "1": began.AddDate(0, 0, -1), "366": began.AddDate(0, 0, -366), "-5": began.AddDate(0, 0, -30), "all": began.AddDate(0, 0, -30),
	} {
		options, since := spans(chosen, began)
		marked := 0
		for _, o := range options {
			if o.Chosen {
				marked++
			}
		}
		if !since.Equal(want) || marked != 1 {
			t.Errorf("%q: since %s with %d chosen, want %s", chosen, since, marked, want)
		}
	}
}
