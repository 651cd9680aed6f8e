package store_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"aftercall/conversation"
	"aftercall/deliver"
	"aftercall/internal/store"
	"aftercall/reason"
	"aftercall/triggers"
)

func TestConversationsPages(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	other := h.account(t, "other")
	var want []string
	for n := range 23 {
		a := h.arrival(phoneCall(fmt.Sprintf("c%d", n)))
		if n%5 == 4 {
			a.Event.AccountID, a.RevisionID = "other", other
		}
		want = append(want, h.accept(t, a).ConversationID)
	}
	slices.Reverse(want)
	for account, rows := range map[string]int{"": 23, "acme": 19, "other": 4, "nobody": 0} {
		var got []string
		pages := 0
		for before := ""; ; pages++ {
			page, next, err := h.Conversations(t.Context(), store.ConversationQuery{AccountID: account, Before: before, Limit: 4})
			if err != nil || len(page) > 4 {
				t.Fatalf("%d rows, %v", len(page), err)
			}
			for _, r := range page {
				if account != "" && r.AccountID != account {
					t.Errorf("a row of %s in the list of %s", r.AccountID, account)
				}
				got = append(got, r.ID)
			}
			if before = next; next == "" {
				break
			}
		}
		if len(got) != rows || (account == "" && !slices.Equal(got, want)) {
			t.Errorf("%q: %d rows, want %d, newest first", account, len(got), rows)
		}
		if wantPages := max(0, (rows-1)/4); pages != wantPages {
			t.Errorf("%q: %d further pages, want %d", account, pages, wantPages)
		}
	}
	if _, _, err := h.Conversations(t.Context(), store.ConversationQuery{Before: "'; --"}); err == nil {
		t.Error("a cursor that is none was taken")
	}
}

func TestConversationsTellWhatBecameOfThem(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	p := h.plan(h.accept(t, h.arrival(phoneCall("c1"))).ConversationID, 10)
	p.Decisions = append(p.Decisions, triggers.Decision{Automation: "vip", Verdict: triggers.Unsure, Reason: reason.Unsure, Review: true})
	p.Deliveries[2].State, p.Deliveries[2].Reason = store.Held, reason.RequiredVariableMissing
	p.Deliveries[3].State, p.Deliveries[3].Reason = store.Failed, reason.RenderFailed
	p.Deliveries[4].Channel, p.Deliveries[4].State = deliver.Task, store.Sent
	for _, n := range []int{5, 6, 7} {
		p.Deliveries[n].Channel = deliver.TeamAlert
	}
	p.Deliveries[6].Test = true
	h.save(t, p)
	claimed := h.claim(t, p.ConversationID, "w1")
	h.record(t, outcome(claimed[0], "w1", store.Sent))
	for _, c := range claimed[1:3] {
		captured := outcome(c, "w1", store.Sent)
		captured.Provider = "capture"
		h.record(t, captured)
	}
	alerts, err := h.Claim(t.Context(), p.ConversationID, deliver.TeamAlert, "w1", time.Now(), nil)
	if err != nil || len(claimed) != 4 || len(alerts) != 3 {
		t.Fatalf("claimed %d mails and %d alerts, %v", len(claimed), len(alerts), err)
	}
	posted, captured, lost := outcome(alerts[0], "w1", store.Sent), outcome(alerts[1], "w1", store.Sent), outcome(alerts[2], "w1", store.Unknown)
	posted.Provider, captured.Provider = "team_alert", "capture"
	h.record(t, posted)
	h.record(t, captured)
	h.record(t, lost)
	rows, _, err := h.Conversations(t.Context(), store.ConversationQuery{AccountID: "acme"})
	if err != nil || len(rows) != 1 {
		t.Fatalf("%+v, %v", rows, err)
	}
	want := store.ConversationRow{ID: p.ConversationID, AccountID: "acme", ExternalID: "c1", AgentName: "Reception",
		Channel: "phone", Status: "completed", Direction: "inbound", CustomerName: "Ann Example", CustomerNumber: "+44 7700 900123",
		StartedAt: ended().Add(-5 * time.Minute), AcceptedAt: rows[0].AcceptedAt, Duration: 5 * time.Minute,
		State: store.StateDecided, Fired: []string{"callback"}, Unsure: 1, Test: true,
		Outcomes: store.Outcomes{Sent: 1, Captured: 3, Tasks: 1, Alerts: 1, Open: 1, Held: 1, Failed: 1, Unknown: 1}}
	if d := cmp.Diff(want, rows[0]); d != "" {
		t.Error(d)
	}
}

func TestConversationsSearch(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	wanted := h.decided(t, "call-77", 1)
	elsewhere := phoneCall("call-78")
	elsewhere.FromNumber, elsewhere.Customer.Email = "+1 212 555 0100", "bob@example.com"
	h.accept(t, h.arrival(elsewhere))
	desk := phoneCall("call-79") // the contact record holds another number than the one that called
	desk.FromNumber, desk.Customer = "+442079460999", conversation.Customer{Number: "020 7946 0000"}
	h.accept(t, h.arrival(desk))
	for search, found := range map[string]int{
		wanted.ConversationID: 1, "call-77": 1, " call-77 ": 1, "call-7": 0,
		"+447700900123": 1, "07700 900123": 1, "(0)7700-900.123": 1, "0044 7700 900 123": 1, "tel:+447700900123": 1,
		"2125550100": 1, "+1 (212) 555-0100 ext. 9": 1, "020 7946 0999": 1, "+44 20 7946 0000": 1, "900123": 0,
		"ann@example.com": 1, "ANN@EXAMPLE.COM": 1, "@example.com": 0,
		"callback": 1, "complaint": 0, "": 3, "%": 0, "'": 0, "\x00": 0,
	} {
		for _, account := range []string{"acme", ""} {
			rows, _, err := h.Conversations(t.Context(), store.ConversationQuery{AccountID: account, Search: search})
			if err != nil || len(rows) != found {
				t.Errorf("%q in %q: %d found, want %d, %v", search, account, len(rows), found, err)
			}
		}
		if rows, _, err := h.Conversations(t.Context(), store.ConversationQuery{AccountID: "other", Search: search}); err != nil || len(rows) != 0 {
			t.Errorf("%q: another account found %d, %v", search, len(rows), err)
		}
	}
}

func TestFindConversation(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	mine := h.accept(t, h.arrival(phoneCall("c1"))).ConversationID
	other := h.arrival(phoneCall("c1"))
	other.Event.AccountID, other.RevisionID = "other", h.account(t, "other")
	theirs := h.accept(t, other).ConversationID
	for name, test := range map[string]struct {
		account, id, want string
		err               error
	}{
		"by our id":                   {"", mine, mine, nil},
		"by our id in its account":    {"acme", mine, mine, nil},
		"by our id in another":        {"other", mine, "", store.ErrNotFound},
		"by the platform's":           {"other", "c1", theirs, nil},
		"by the platform's, anywhere": {"", "c1", "", store.ErrAmbiguous},
		"nothing":                     {"", "c2", "", store.ErrNotFound},
		"no conversation's id":        {"", uuid.NewString(), "", store.ErrNotFound},
	} {
		account, id, err := h.FindConversation(t.Context(), test.account, test.id)
		if id != test.want || !errors.Is(err, test.err) || (err == nil && account == "") {
			t.Errorf("%s: %q, %q, %v", name, account, id, err)
		}
	}
	for _, id := range []string{theirs, "c1", ""} {
		if _, err := h.Story(t.Context(), "acme", id); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the story of %q in acme: %v", id, err)
		}
	}
}

func TestCapturedMessages(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	p := h.decided(t, "c1", 5)
	message := func(n int) deliver.Message {
		return deliver.Message{DeliveryID: p.Deliveries[n].ID, Attempt: 1, AccountID: "acme", ConversationID: "c1", AutomationID: "callback",
			Channel: deliver.Email, To: []deliver.Address{{Address: "a@acme.example"}}, CC: []deliver.Address{{Address: "b@acme.example"}},
			Subject: "S", Text: "T\x00", HTML: "<p>", Fields: map[string]string{"k": "v"}, Test: n == 0}
	}
	for n := range 5 {
		for range 2 {
			if err := h.Keep(t.Context(), message(n)); err != nil {
				t.Fatal(err)
			}
		}
	}
	var seen []string
	for before := ""; ; {
		rows, next, err := h.CapturedMessages(t.Context(), "acme", "", before, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			seen = append(seen, r.ID)
		}
		if before = next; next == "" {
			break
		}
	}
	if len(seen) != 5 || !slices.IsSortedFunc(seen, func(a, b string) int { return -cmpString(a, b) }) {
		t.Errorf("listed %v", seen)
	}
	first, err := h.CapturedMessage(t.Context(), seen[4])
	want := store.Captured{ID: seen[4], AccountID: "acme", ConversationID: p.ConversationID, ExternalID: "c1", Automation: "callback",
		Channel: "email", To: "a@acme.example, cc b@acme.example", Subject: "S", Text: "T\uFFFD", HTML: "<p>",
		Fields: map[string]string{"k": "v"}, Test: true, CapturedAt: first.CapturedAt}
	if d := cmp.Diff(want, first); d != "" || err != nil {
		t.Error(d, err)
	}
	for _, q := range []struct {
		account, channel string
		want             int
	}{{"", "", 5}, {"", "email", 5}, {"acme", "sms", 0}, {"other", "", 0}} {
		if rows, _, err := h.CapturedMessages(t.Context(), q.account, q.channel, "", 0); err != nil || len(rows) != q.want {
			t.Errorf("%+v: %d rows, %v", q, len(rows), err)
		}
	}
	foreign := message(0)
	foreign.AccountID = "other"
	if err := h.Keep(t.Context(), foreign); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("kept another account's: %v", err)
	}
	if _, err := h.CapturedMessage(t.Context(), "x"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("loaded nothing: %v", err)
	}
}

func cmpString(a, b string) int {
	if a < b {
		return -1
	}
	return 1
}

func TestAlerts(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	p := h.decided(t, "c1", 1)
	m := deliver.Message{DeliveryID: p.Deliveries[0].ID, AccountID: "acme", Text: "Callback wanted"}
	for range 2 {
		if err := h.PostAlert(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	got, err := h.Alerts(t.Context(), "acme", 10)
	if err != nil || len(got) != 1 || got[0].Audience != "all" || got[0].Text != m.Text || got[0].ConversationID != p.ConversationID {
		t.Errorf("alerts %+v, %v", got, err)
	}
	h.exec(t, "DELETE FROM alerts")
	for address, want := range map[string]string{"maria": "person:maria", "all": "all"} {
		m.To = []deliver.Address{{Name: "Maria", Address: address}}
		if err := h.PostAlert(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		if got, err := h.Alerts(t.Context(), "acme", 10); err != nil || len(got) != 1 || got[0].Audience != want {
			t.Errorf("for %s: %+v, %v", address, got, err)
		}
		h.exec(t, "DELETE FROM alerts")
	}
	m.AccountID = "other"
	if err := h.PostAlert(t.Context(), m); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("posted for another account: %v", err)
	}
}

// TestCapturedMessagesWalkTheirIndex.
func TestCapturedMessagesWalkTheirIndex(t *testing.T) {
	t.Parallel()
	h := filled(t)
	for name, channel := range map[string]string{
		"ListCaptured, captured_by_account, id <": "", "ListCaptured, captured_pkey, id =": "",
		"ListCapturedOfChannel, captured_by_channel, channel =": "sms", "ListCapturedOfChannel, captured_pkey, id =": "email",
	} {
		h.boundBy(t, name, func(r *store.Reader) error {
			_, _, err := r.CapturedMessages(t.Context(), "", channel, "", 10)
			return err
		})
	}
}
