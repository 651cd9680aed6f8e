package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"aftercall/deliver"
	"aftercall/internal/store"
	"aftercall/reason"
	"aftercall/triggers"
)

// TestASandboxCountsInNoList: what fired and was captured there happened to nobody, so that a list, a search and a figure
// tell of the call what they told before; a replay that sends counts.
func TestASandboxCountsInNoList(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	id := h.accept(t, h.arrival(phoneCall("c1"))).ConversationID
	quiet := h.run1(id, 0)
	quiet.Actions, quiet.Decisions = nil, []triggers.Decision{{Automation: "callback", Verdict: triggers.No, Reason: reason.ConditionNotMet}}
	h.save(t, quiet)
	replay := func(sandbox bool) {
		t.Helper()
		asked := store.AskedReplay{RevisionID: h.revision, Sandbox: sandbox}
		run, err := h.AskReplay(t.Context(), somebody(), "acme", id, asked, func(context.Context, pgx.Tx, int) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		r, err := h.LoadRun(t.Context(), id, run)
		if err != nil {
			t.Fatal(err)
		}
		p := h.run1(id, 1)
		p.Run, p.Deliveries[0].Test = run, sandbox
		p.Decisions = append(p.Decisions, triggers.Decision{Automation: "complaint", Verdict: triggers.Unsure, Reason: reason.Unsure})
		failed := p.Deliveries[0]
		failed.ID, failed.Recipient, failed.State, failed.Reason = uuid.NewString(), "-", store.Failed, reason.RenderFailed
		p.Deliveries = append(p.Deliveries, failed)
		if err := h.SaveReplay(t.Context(), p, r, h.enqueueDelivers); err != nil {
			t.Fatal(err)
		}
		for _, c := range h.claim(t, id, "w1") {
			o := outcome(c, "w1", store.Sent)
			if sandbox {
				o.Provider = "capture"
			}
			h.record(t, o)
		}
	}
	finds := map[string]store.ConversationQuery{
		"by its automation": {Automation: "callback"}, "by its words": {Search: "callback"}, "by what fired": {Outcome: store.OutcomeFired},
	}
	told := func(fired int) {
		t.Helper()
		for how, q := range finds {
			if got := h.found(t, q); len(got) != fired {
				t.Errorf("%s: %v, want %d", how, got, fired)
			}
		}
		if got := h.found(t, store.ConversationQuery{Outcome: store.OutcomeNone}); len(got) != 1-fired {
			t.Errorf("among those on which nothing fired: %v", got)
		}
		rows, _, err := h.Conversations(t.Context(), store.ConversationQuery{})
		if err != nil || len(rows) != 1 || len(rows[0].Fired) != fired || rows[0].Test || rows[0].Outcomes != (store.Outcomes{Sent: fired, Failed: fired}) {
			t.Errorf("its row: %+v, %v", rows, err)
		}
		since := time.Now().Add(-time.Hour)
		sums, err := h.AutomationSums(t.Context(), "acme", []string{"callback"}, since, since)
		if err != nil || sums["callback"].LastFired.After(since) != (fired > 0) {
			t.Errorf("the automation's sum: %+v, %v", sums, err)
		}
		rec, err := h.AutomationRecord(t.Context(), "acme", "callback", since)
		if err != nil || len(rec.Fired) != fired {
			t.Errorf("the automation's record: %+v, %v", rec.Fired, err)
		}
		newest := time.Duration(0)
		for _, f := range lookOver(t, h.Reader).Fired {
			if f.Automation == "callback" && f.AccountID == "acme" && !f.Last.IsZero() {
				newest = time.Since(f.Last)
			}
		}
		fires := 0
		for _, slice := range lookOver(t, h.Reader).Slices {
			fires += slice.Fired + slice.Sent
		}
		if fires != 2*fired || (newest > 0) != (fired > 0) {
			t.Errorf("the overview counts %d", fires)
		}
		rec, err = h.AutomationRecord(t.Context(), "acme", "complaint", since)
		if err != nil || len(rec.Nearly) != fired {
			t.Errorf("what nearly fired: %+v, %v", rec.Nearly, err)
		}
	}
	told(0)
	replay(true)
	told(0)
	if kept := h.count(t, "deliveries WHERE test AND state = $1 AND channel = $2", string(store.Sent), deliver.Email); kept != 1 {
		t.Errorf("the sandbox sent %d messages to the capture sink, want 1", kept)
	}
	replay(false)
	told(1)
}
