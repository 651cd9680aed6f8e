package dashboard

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"aftercall/deliver"
	"aftercall/internal/store"
)

// settingsPages lays out the pages of settings. text writes everything that somebody types or a platform says.
func settingsPages(text func(string) string, of func(string) names) map[string]answer {
	tabs := []tab{{"Sources", settingsPath, true}, {"Channels", channelsPath, false}, {"API keys", keysPath, false}, {"People", peoplePath, false}, {"Audit log", logPath, false}}
	accounts := []choice{{"acme", text("Acme Clinic"), true}, {text("umbra"), text("Umbra"), false}}
	q := store.ActQuery{Who: text("ann@acme.example"), What: store.Deed(text("revealed")), AccountID: text("acme"), Before: text("c")}
	log := logView(q, text("7"), fixtureActs(text), text("d"), of)
	log.Tabs, log.Accounts = tabs, accounts
	log.Rows[2].Whom = text("bob@acme.example")
	log.Within, _ = spans(text("7"), began)
	return map[string]answer{
		"settings sources":  settingsPage("settings_sources", "Sources", sourcesPage{tabs, sourceRows(fixtureSources(text), of)}),
		"settings channels": settingsPage("settings_channels", "Channels", fixtureChannels(text, tabs, accounts, of)),
		"settings keys":     settingsPage("settings_keys", "API keys", keysPage{tabs, accounts, text("ac_3fK9aQd8fjw03jfls0fj2l4jf8sl3jf8fjsl3jf8sj3"), keyRows(fixtureKeys(text), of)}),
		"settings people": settingsPage("settings_people", "People", peoplePage{Tabs: tabs, Accounts: accounts, Roles: []string{"viewer", "admin"},
			Password: text("kq3f7v2m5x4aqbd6hw7y2n3p4t"), Whose: text("bob@acme.example"), OIDC: true, Rows: personRows(fixturePeople(text), "me", of)}),
		"settings log":          settingsPage("settings_log", "Audit log", log),
		"settings, nothing yet": settingsPage("settings_log", "Audit log", logPage{Tabs: tabs}),
		"settings, no keys":     settingsPage("settings_keys", "API keys", keysPage{Tabs: tabs}),
		"settings, no sources":  settingsPage("settings_sources", "Sources", sourcesPage{Tabs: tabs}),
		"settings, nobody":      settingsPage("settings_people", "People", peoplePage{Tabs: tabs}),
	}
}

func fixtureSources(text func(string) string) []store.Source {
	return []store.Source{
		{ID: "api", AccountID: "acme", Events: []store.Heard{{ID: "e1", Type: text("conversation.ended"), ReceivedAt: began}}},
		{ID: text("itellico"), AccountID: "acme", Events: []store.Heard{{ID: "e2", Type: text("conversation.analysis.completed"), ConversationID: text("c1"), ReceivedAt: began},
			{ID: "e3", Type: text("conversation.ended"), ReceivedAt: began.Add(-time.Hour)}}},
		{ID: "silent", AccountID: text("acme")},
	}
}

func fixtureChannels(text func(string) string, tabs []tab, accounts []choice, of func(string) names) channelsPage {
	begun := store.Act{AccountID: "acme", By: store.Actor{Name: text("ann@acme.example")}, What: store.ActTestBegun, Target: "t", Detail: map[string]string{"channel": deliver.Email}, At: began}
	p := channelsPage{Tabs: tabs, Accounts: accounts, Rows: channelRows(map[string]deliver.Channel{deliver.Email: nil})}
	for _, detail := range []map[string]string{nil, {"result": "sent", "provider": text("sendgrid")}, {"result": testKept}, {"result": "unknown", "class": text("timeout")}, {"result": "refused", "class": "auth"}} {
		p.Tests = append(p.Tests, testRowOf(begun, store.Act{Detail: detail}, of("acme")))
	}
	return p
}

func fixtureKeys(text func(string) string) []store.Key {
	return []store.Key{
		{ID: text("k1"), AccountID: "acme", Name: text("Ticket desk"), Prefix: text("ac_3fK9aQ"), CreatedAt: began},
		{ID: "k2", AccountID: text("acme"), Name: text("Laptop of Bob"), Prefix: text("ac_x71_bP"), CreatedAt: began, RevokedAt: began.Add(time.Hour)},
	}
}

func fixturePeople(text func(string) string) []store.Person {
	return []store.Person{
		{ID: "me", Email: "ann@acme.example", Name: "Ann", Password: "x", Roles: map[string]string{store.EveryAccount: "admin"}, CreatedAt: began},
		{ID: "p2" + text(""), Email: text("bob@acme.example"), Name: text("Bob"), Subject: "s", Roles: map[string]string{"acme": "operator", "x" + text(""): "viewer"}, CreatedAt: began},
		{ID: "p3", Email: text("cat.with.a.rather.long.name@subsidiary.acme.example"), Disabled: true, Password: "x", Subject: "s"},
		{ID: "p4", Email: text("dan@acme.example")},
	}
}

func fixtureActs(text func(string) string) []store.Act {
	ann := store.Actor{Name: text("ann@acme.example"), Address: text("192.0.2.7")}
	return []store.Act{
		{AccountID: "acme", By: ann, What: store.ActRevealed, Target: "c1", Detail: map[string]string{"page": "conversation"}, At: began},
		{AccountID: "acme", By: ann, What: store.ActRevealed, Target: text("3d1f9a52-11f0-4b7e-9c3b-5a0f6c1d2e77"), Detail: map[string]string{"page": "captured"}, At: began},
		{By: store.Actor{Name: "root@host"}, What: store.ActPersonAdded, Target: "3d1f9a52-11f0-4b7e-9c3b-5a0f6c1d2e78", At: began},
		{By: store.Actor{Address: "192.0.2.9"}, What: store.ActSignInRefused, Detail: map[string]string{"by": "password"}, At: began},
		{AccountID: text("acme"), By: ann, What: store.Deed(text("delivery_resent")), Target: text("d1"), Detail: map[string]string{"conversation": text("c1"), "note": text("asked for by the customer")}, At: began},
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

func TestAPageReadsNoMoreThanAForm(t *testing.T) {
	t.Parallel()
	var d Dashboard
	for size, whole := range map[int]bool{formSize: true, formSize + 1: false} {
		read := 0
		page := d.page(func(r *http.Request) (answer, error) {
			body, err := io.ReadAll(r.Body)
			if read = len(body); (err == nil) != whole {
				t.Errorf("%d bytes: %v", size, err)
			}
			return answer{Message: "read"}, nil
		})
		page.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/", strings.NewReader(strings.Repeat("x", size))))
		if read != formSize {
			t.Errorf("%d of %d bytes were read", read, size)
		}
	}
}
