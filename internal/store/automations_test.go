package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercall/internal/llm"
	"aftercall/internal/store"
	"aftercall/interview"
	"aftercall/reason"
	"aftercall/triggers"
)

const addHour = `INSERT INTO automation_hours (account_id, automation, hour, lane, evaluated, fired, unsure, held, failed, stopped)
	VALUES ('acme', $1, date_trunc('hour', now()) - $2::interval, $3, $4, $5, 1, 1, 1, 1)`

func TestAutomationSums(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	for _, row := range []struct {
		automation, ago        string
		lane, evaluated, fired int
	}{
		{"callback", "3 hours", 1, 10, 2}, {"callback", "3 hours", 2, 10, 3}, {"callback", "60 hours", 1, 10, 4},
		{"callback", "300 hours", 1, 10, 7}, {"callback", "1000 hours", 1, 10, 9}, {"other", "3 hours", 1, 10, 9},
	} {
		h.exec(t, addHour, row.automation, row.ago, row.lane, row.evaluated, row.fired)
	}
	now := time.Now()
	sums, err := h.AutomationSums(t.Context(), "acme", []string{"callback", "unheard"}, now.AddDate(0, 0, -28), now.AddDate(0, 0, -7))
	want := map[string]store.AutomationSum{
		"callback": {Automation: "callback", Counts: store.Counts{Evaluated: 30, Fired: 9, Unsure: 3, Held: 3, Failed: 3, Stopped: 3}, Before: 7, Day: 5},
		"unheard":  {Automation: "unheard"},
	}
	if d := cmp.Diff(want, sums); d != "" || err != nil {
		t.Error(d, err)
	}
	p := h.decided(t, "a", 1)
	h.exec(t, `INSERT INTO marks (conversation_id, run, automation, account_id, wrong, note, person) VALUES ($1, 1, 'callback', 'acme', true, 'no', 'ann')`, p.ConversationID)
	sums, err = h.AutomationSums(t.Context(), "acme", []string{"callback"}, now.AddDate(0, 0, -28), now.AddDate(0, 0, -7))
	if s := sums["callback"]; s.Marked != 1 || s.Wrong != 1 {
		t.Errorf("marked %d, wrong %d", s.Marked, s.Wrong)
	}
	if rec, err := h.AutomationRecord(t.Context(), "acme", "callback", now); err != nil || len(rec.Wrong) != 1 || rec.Wrong[0].Detail != "no" {
		t.Errorf("marked wrong: %+v, %v", rec.Wrong, err)
	}
	if last := sums["callback"].LastFired; err != nil || time.Since(last).Abs() > time.Minute {
		t.Errorf("last fired at %s, %v", last, err)
	}
	if _, err := h.Within(store.Only("umbra")).AutomationSums(t.Context(), "acme", nil, now, now); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("summed up for somebody who may not see it: %v", err)
	}
}

func TestAutomationRecord(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	var near []string
	for n := range 12 {
		p := h.plan(h.accept(t, h.arrival(phoneCall(fmt.Sprint(n)))).ConversationID, 1)
		if n%2 == 1 {
			p.Deliveries, p.Actions = nil, nil
			p.Decisions[0] = triggers.Decision{Automation: "callback", Verdict: triggers.Unsure, Reason: reason.EvidenceNotFound, Review: true,
				Evidence: []interview.Evidence{{Turn: 1, Quote: "Hello."}}}
			near = append([]string{p.ConversationID}, near...)
		}
		h.save(t, p)
	}
	h.exec(t, addHour, "callback", "30 hours", 1, 10, 2)
	rec, err := h.AutomationRecord(t.Context(), "acme", "callback", time.Now().AddDate(0, 0, -7))
	if err != nil || len(rec.Hours) != 2 || rec.Hours[0].Evaluated != 10 || rec.Hours[1].Evaluated != 12 || rec.Hours[1].Fired != 6 || rec.Hours[1].Unsure != 6 {
		t.Errorf("hours %+v, %v", rec.Hours, err)
	}
	if len(rec.Activations) != 1 || rec.Activations[0].Digest != "d1" || rec.Activations[0].By != "test" {
		t.Errorf("activations %+v", rec.Activations)
	}
	if len(rec.Fired) != 6 || rec.Fired[0].CustomerName != "Ann Example" || rec.Fired[0].Reason != reason.Always {
		t.Errorf("fired %+v", rec.Fired)
	}
	for n, id := range near {
		if rec.Nearly[n].ConversationID != id || rec.Nearly[n].Evidence[0].Quote != "Hello." || rec.Nearly[n].Reason != reason.EvidenceNotFound {
			t.Errorf("nearly %d: %+v", n, rec.Nearly[n])
		}
	}
	if _, err := h.Within(store.Only("umbra")).AutomationRecord(t.Context(), "acme", "callback", time.Time{}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("read by somebody who may not: %v", err)
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	id := h.accept(t, h.arrival(phoneCall("a"))).ConversationID
	for _, model := range []string{"m1", "m1", "m2"} {
		_, err := h.Record(t.Context(), interview.Call{AccountID: "acme", ConversationID: id, RevisionID: h.revision, Part: "p", For: []string{"callback"},
			Reply: llm.Reply{Model: model, TokensIn: 100, TokensCached: 40, TokensOut: 7}})
		if err != nil {
			t.Fatal(err)
		}
	}
	since := time.Now().AddDate(0, 0, -1)
	used, err := h.Usage(t.Context(), "acme", since, time.UTC)
	want := []store.Usage{
		{AccountID: "acme", Day: day(0), Automation: "callback", Model: "m1", Tokens: store.Tokens{In: 200, Cached: 80, Out: 14}},
		{AccountID: "acme", Day: day(0), Automation: "callback", Model: "m2", Tokens: store.Tokens{In: 100, Cached: 40, Out: 7}},
	}
	if d := cmp.Diff(want, used); d != "" || err != nil {
		t.Error(d, err)
	}
	for _, r := range []struct {
		within store.Accounts
		rows   int
	}{{store.Every(), 2}, {store.Only("acme"), 2}, {store.Only("umbra"), 0}} {
		if all, err := h.Within(r.within).UsageByAccount(t.Context(), since); err != nil || len(all) != r.rows {
			t.Errorf("%+v: %+v, %v", r.within, all, err)
		}
	}
	h.reserve(t, 300, 1000)
	if at, err := h.Spent(t.Context(), "acme", today); err != nil || at.Reserved != 300 || at.Spent != 0 {
		t.Errorf("%+v, %v", at, err)
	}
	if at, err := h.Spent(t.Context(), "acme", "2026-01-01"); err != nil || at != (store.Standing{}) {
		t.Errorf("a day without a call: %+v, %v", at, err)
	}
}
