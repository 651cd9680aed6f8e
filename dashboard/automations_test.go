package dashboard_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"aftercall/dashboard"
	"aftercall/deliver"
	"aftercall/internal/llm"
	"aftercall/internal/store"
	"aftercall/interview"
	"aftercall/ops"
	"aftercall/reason"
	"aftercall/triggers"
)

const watchedConfig = `account: %s
name: Acme Clinic
timezone: Europe/London
budget: { tokens_per_day: 1000 }
automations:
  - id: callback
    name: Callback requested
    when: { ask: Did the customer ask to be called back? }
    limit: { per_day: 2 }
    actions: [ { team_alert: { to: all, text: "Ring +44 7700 900555" } } ]
  - id: silent
    when: always
    actions: [ { team_alert: { to: all, text: A call. } } ]
`

// watched is a world in which the automation callback has fired four times, twice beyond its limit, in acme and in umbra.
func watched(t *testing.T) *world {
	t.Helper()
	prices, err := dashboard.ParsePrices("USD gpt-test=1/0.5/2")
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, func(c *dashboard.Config) {
		c.Prices = prices
		if c.Ops, err = ops.New(ops.Config{Store: c.Store, River: c.River, Revisions: c.Revisions, Logger: c.Logger}); err != nil {
			t.Fatal(err)
		}
	})
	for _, account := range []string{"acme", "umbra"} {
		w.activate(account, fmt.Sprintf(watchedConfig, account))
		active, err := w.store.Within(store.Only(account)).ActiveRevisions(t.Context())
		w.must(err)
		for n := range 4 {
			w.fire(account, active[0].RevisionID, fmt.Sprintf("%s-%d", account, n))
		}
	}
	w.must(w.revisions.Refresh(t.Context()))
	return w
}

// fire decides a call: callback fires within its limit, and took some tokens.
func (w *world) fire(account, revision, external string) {
	w.t.Helper()
	ctx, id := w.t.Context(), w.acceptOf(account, revision, external, "Una Caller", "+447700900888")
	_, err := w.store.Record(ctx, interview.Call{AccountID: account, ConversationID: id, RevisionID: revision, Part: "all/0", Valid: true, Answer: []byte("{}"),
		For: []string{"callback", "silent"}, Reply: llm.Reply{Model: "gpt-test-2025", TokensIn: 1000, TokensCached: 500, TokensOut: 10}})
	w.must(err)
	saved, err := w.store.NewPlanner(func(context.Context, pgx.Tx, []store.DeliverJob) error { return nil }).Save(ctx, &store.Plan{
		AccountID: account, ConversationID: id, RevisionID: revision, Run: 1, Version: 1, State: store.StateDecided, Actions: map[string]int{"callback": 1},
		Decisions: []triggers.Decision{
			{Automation: "callback", Verdict: triggers.Fires, Reason: reason.Fired, Evidence: []interview.Evidence{{Turn: 2, Quote: "call me back on 07700 900888"}}},
			{Automation: "silent", Verdict: triggers.Unsure, Reason: reason.EvidenceNotFound, Review: true},
		},
		Deliveries: []store.Delivery{{ID: uuid.Must(uuid.NewV7()).String(), Automation: "callback", Channel: deliver.TeamAlert, Recipient: "all", State: store.Planned, DueAt: began,
			DeadlineAt: time.Now().Add(time.Hour), Content: store.Content{Text: "Ring", To: []string{"all"}}}},
		Limits: map[string]store.Limit{"callback": {PerDay: 2, Day: time.Now().Format(time.DateOnly), DayEnds: time.Now().Add(time.Hour)}},
	})
	if w.must(err); !saved.OK {
		w.t.Fatal("the plan was not saved")
	}
}

func (w *world) shows(who, path string, wanted ...string) string {
	w.t.Helper()
	got := w.ask("GET", path, who)
	text := strings.Join(strings.Fields(got.body), " ")
	if got.status != http.StatusOK {
		w.t.Errorf("%s as %s: %d", path, who, got.status)
	}
	for _, want := range wanted {
		if !strings.Contains(text, want) {
			w.t.Errorf("%s as %s does not say %q", path, who, want)
		}
	}
	return text
}

func TestTheAutomationPages(t *testing.T) {
	t.Parallel()
	w := watched(t)
	w.shows("viewer", "/automations", "Callback requested", "4 of 4", "100 %", "runs away: held", "It reached its limit of 2 calls a day", "It holds 2 messages and tasks", "account.yaml:6")
	const page = "/automations/acme/callback"
	body := w.shows("operator", page, "Una Caller", "call me back on 07700 900888", "limit: { per_day: 2 }", "2 a day, set by limit in account.yaml", "Release what is held",
		"Close the breaker", "Mute it for a while", "7700 900555", "; revision cdcdcdcd, abababab became active")
	if strings.Contains(body, "id: silent") {
		t.Error("the source goes on into the next automation")
	}
	w.shows("viewer", "/automations/acme/silent", "A yes came without a quote", "Una Caller", "id: silent", "It has not fired yet")
	masked := w.shows("viewer", page, "•••")
	for _, secret := range []string{"900888", "900555", "<form action=\"" + page} {
		if strings.Contains(masked, secret) {
			t.Errorf("a viewer sees %s", secret)
		}
	}
	w.shows("operator", page+"?revision=abababab", "It is not in this revision")
	w.shows("watcher", "/automations?account=umbra", "umbra")
	for _, path := range []string{"/automations?account=umbra", "/automations/umbra/callback", "/automations/acme/none", page + "?revision=nonsense", "/usage?account=umbra"} {
		if got := w.ask("GET", path, "admin"); got.status != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", path, got.status)
		}
	}
}

func TestWhatPeopleDoAboutAnAutomation(t *testing.T) {
	t.Parallel()
	w := watched(t)
	const page = "/automations/acme/callback"
	for _, step := range []struct {
		do     string
		fields []string
		want   int
		shows  string
	}{
		{"/mute", []string{"hours", "4"}, http.StatusBadRequest, ""},
		{"/mute", []string{"reason", "noise"}, http.StatusBadRequest, ""},
		{"/mute", []string{"hours", "9999", "reason", "noise"}, http.StatusBadRequest, ""},
		{"/mute", []string{"hours", "4", "reason", "a bad <question>"}, http.StatusSeeOther, "by operator@acme.example"},
		{"/unmute", nil, http.StatusSeeOther, "Mute it for a while"},
		{"/unmute", nil, http.StatusSeeOther, "Mute it for a while"}, // twice is once
		{"/release", nil, http.StatusSeeOther, "Releasing what was held, asked for by operator@acme.example"},
		{"/close", nil, http.StatusSeeOther, "closed and left something held"},
		{"/close", nil, http.StatusSeeOther, "closed and left something held"},
		{"/discard", nil, http.StatusSeeOther, "Discarding what was held"},
	} {
		answer, body := w.by("operator", page+step.do, step.fields...)
		if answer.StatusCode != step.want || step.want == http.StatusSeeOther && answer.Header.Get("Location") != page {
			t.Errorf("%s %v: %d %s", step.do, step.fields, answer.StatusCode, body)
		}
		if step.shows != "" {
			w.shows("operator", page, step.shows)
		}
	}
	want := []store.Deed{store.ActBulk, store.ActBreakerClosed, store.ActBulk, store.ActUnmuted, store.ActMuted}
	if got := w.done(5); !slices.Equal(got, want) {
		t.Errorf("the log: %v, want %v", got, want)
	}
	for _, do := range []string{"/mute", "/unmute", "/close", "/release", "/discard"} {
		if answer, _ := w.by("operator", "/automations/umbra/callback"+do, "hours", "4", "reason", "x"); answer.StatusCode != http.StatusNotFound {
			t.Errorf("%s in another account: %d", do, answer.StatusCode)
		}
	}
	if open, err := w.store.Breakers(t.Context(), "umbra"); err != nil || len(open) != 1 || open[0].Stopped != 2 {
		t.Errorf("the other account: %+v, %v", open, err)
	}
}

func TestTheUsagePage(t *testing.T) {
	t.Parallel()
	w := watched(t)
	// 4 calls of 1000 in, half of them cached, and 10 out: 4 * (500*1 + 500*0.5 + 10*2) / 1e6 USD.
	body := w.shows("viewer", "/usage", "4,000", "2,000 <span class=\"quiet\">50 %</span>", "0.0031 USD", "gpt-test-2025", "Callback requested", "Budget of today",
		"of <span class=\"num\">1,000</span> tokens", "set by budget in account.yaml", "budget_exceeded")
	if strings.Contains(body, "By account") {
		t.Error("somebody with one account is shown a table of accounts")
	}
	w.shows("watcher", "/usage?account=umbra&days=7", "By account", "The last 7 days")
}
