package ops_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"aftercall/internal/store"
	"aftercall/ops"
	"aftercall/reason"
	"aftercall/triggers"
	"aftercall/variables"
)

func TestAGivenValueGoesIntoWhatWasHeld(t *testing.T) {
	t.Parallel()
	d := sit(t)
	s := d.call("callback: yes.")
	id, ctx := s.Conversation.ID, t.Context()
	held := d.of(s, 1, "callback", 0)
	d.is(held, store.Held)
	d.is(d.of(s, 1, "callback", 2), store.Held)
	needed, err := d.Needed(ctx, "acme", id, 1, "callback")
	d.must(err)
	if len(needed) != 1 || needed[0].Name != "dyn_when" || needed[0].Type != variables.Date || !needed[0].Required || needed[0].Value != "" {
		t.Errorf("needed %+v", needed)
	}

	for say, values := range map[string]map[string]string{
		"at least one":                  {"dyn_when": " "},
		"it is not a date":              {"dyn_when": "soon"},
		"use no dyn_what":               {"dyn_when": "2026-11-24", "dyn_what": "x"},
		"dyn_when cannot be that: the":  {"dyn_when": "2031-11-24"},
		"use no customer_email, dyn_no": {"dyn_no": "x", "customer_email": "eve@acme.example"},
	} {
		_, err := d.Fix(ctx, d.by(), "acme", id, 1, "callback", values)
		d.refused(err, say)
	}
	given := map[string]string{"dyn_when": "2026-11-24"}
	p, err := d.RehearseFix(ctx, "acme", id, 1, "callback", given)
	d.must(err)
	if len(p.Deliveries) != 3 || p.Goes() != 3 || p.Deliveries[0].Content.Subject != "Call back on 2026-11-24" || p.Addresses[p.Deliveries[0].ID] != "support@acme.example" {
		t.Errorf("preview %+v", p)
	}

	var runs [4]int
	var all sync.WaitGroup
	for n := range runs {
		all.Go(func() {
			var err error
			if runs[n], err = d.Fix(ctx, d.by(), "acme", id, 1, "callback", given); err != nil || runs[n] != 2 {
				t.Errorf("fix gave run %d, %v", runs[n], err)
			}
		})
	}
	all.Wait()
	s = d.settled(id)
	d.is(d.of(s, 1, "callback", 0), store.Cancelled)
	sent := d.of(s, 2, "callback", 0)
	d.is(sent, store.Sent)
	if sent.Content.Subject != "Call back on 2026-11-24" || d.mail.to("support@acme.example") != 1 {
		t.Errorf("%q went out, %d times", sent.Content.Subject, d.mail.to("support@acme.example"))
	}
	if len(s.Tasks) != 1 || s.Tasks[0].Title != "Call back on 2026-11-24" {
		t.Errorf("tasks %+v", s.Tasks)
	}
	if v := s.Values[0].Is; v.Status != variables.Given || v.Value != "2026-11-24" || v.Evidence.Quote != "" {
		t.Errorf("value %+v", v)
	}
	if r := s.Runs[0]; len(s.Runs) != 1 || r.Cause != store.CauseFix || r.OfRun != 1 || r.By != d.by().Name || r.Automation != "callback" {
		t.Errorf("runs %+v", s.Runs)
	}
	d.ahead.Store(int64(time.Hour))
	if d.acts(store.ActFixed) != 1 {
		t.Errorf("%d lines in the audit log", d.acts(store.ActFixed))
	}
	_, err = d.Fix(ctx, d.by(), "acme", id, 2, "callback", given)
	d.refused(err, "Nothing of it waits")
	d.balanced()
}

// TestWhatWentOutIsNotSentAgainByAFix: only what waited is taken over.
func TestWhatWentOutIsNotSentAgainByAFix(t *testing.T) {
	t.Parallel()
	d := sit(t)
	s := d.call("confirm: yes.")
	d.is(d.of(s, 1, "confirm", 0), store.Held)
	d.is(d.of(s, 1, "confirm", 1), store.Sent)
	run, err := d.Fix(t.Context(), d.by(), "acme", s.Conversation.ID, 1, "confirm", map[string]string{"dyn_when": "2026-11-24"})
	d.must(err)
	s = d.settled(s.Conversation.ID)
	d.is(d.of(s, run, "confirm", 0), store.Sent)
	again := d.of(s, run, "confirm", 1)
	d.is(again, store.Skipped)
	if again.Reason != reason.SentBefore || again.Detail != "It is sent in run 1." {
		t.Errorf("skipped for %s: %s", again.Reason, again.Detail)
	}
	if d.mail.to("ann@customer.example") != 1 || d.mail.to("front@acme.example") != 1 {
		t.Errorf("the customer got %d, the front desk %d", d.mail.to("ann@customer.example"), d.mail.to("front@acme.example"))
	}
	d.balanced()
}

func TestAnUnsureDecisionIsApprovedOrDismissed(t *testing.T) {
	t.Parallel()
	d := sit(t)
	ctx := t.Context()
	s := d.call("callback: unsure. dyn_when: 2026-11-24. confirm: unsure.")
	id, asked := s.Conversation.ID, d.model.asked.Load()
	p, err := d.RehearseApprove(ctx, "acme", id, 1, "callback")
	d.must(err)
	if p.Goes() != 3 || p.Decisions[0].Before != triggers.Unsure || p.Decisions[0].Verdict != triggers.Fires {
		t.Errorf("preview %+v", p)
	}
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			run, err := d.Approve(ctx, d.by(), "acme", id, 1, "callback")
			if run != 2 {
				t.Errorf("run %d, %v", run, err)
			}
		})
	}
	all.Wait()
	for range 2 {
		d.must(d.Dismiss(ctx, d.by(), "acme", id, 1, "confirm"))
	}
	_, err = d.Approve(ctx, d.by(), "acme", id, 1, "confirm")
	d.refused(err, "dismissed already")
	_, err = d.Approve(ctx, d.by(), "acme", id, 1, "every-call")
	d.refused(err, "only what is unsure")
	d.refused(d.Dismiss(ctx, d.by(), "acme", id, 1, "every-call"), "Nothing of it waits")

	s = d.settled(id)
	d.is(d.of(s, 2, "callback", 0), store.Sent)
	if x := d.of(s, 2, "callback", 0); x.Content.Subject != "Call back on 2026-11-24" {
		t.Errorf("%q went out: what was answered is known", x.Content.Subject)
	}
	for _, x := range s.Decisions {
		switch {
		case x.Run == 2 && (x.Verdict != triggers.Fires || x.Reason != reason.Unsure || !strings.Contains(x.Detail, "A person")):
			t.Errorf("the run decided %+v", x)
		case x.Run == 1 && x.Automation == "callback" && (x.Settled == nil || x.Settled.As != "approved" || x.Settled.Run != 2):
			t.Errorf("the review ended %+v", x.Settled)
		case x.Run == 1 && x.Automation == "confirm" && (x.Settled == nil || x.Settled.As != "dismissed" || x.Settled.By != d.by().Name):
			t.Errorf("the review ended %+v", x.Settled)
		}
	}
	if d.model.asked.Load() != asked {
		t.Error("a model was asked")
	}
	if d.acts(store.ActApproved) != 1 || d.acts(store.ActDismissed) != 1 {
		t.Errorf("%d and %d lines in the audit log", d.acts(store.ActApproved), d.acts(store.ActDismissed))
	}
	d.balanced()
}

func TestADismissedReviewSendsNothing(t *testing.T) {
	t.Parallel()
	d := sit(t)
	s := d.call("callback: yes. confirm: yes.")
	for _, automation := range []string{"callback", "confirm"} {
		d.must(d.Dismiss(t.Context(), d.by(), "acme", s.Conversation.ID, 1, automation))
	}
	_, err := d.Fix(t.Context(), d.by(), "acme", s.Conversation.ID, 1, "callback", map[string]string{"dyn_when": "2026-11-24"})
	d.refused(err, "dismissed already")
	s = d.settled(s.Conversation.ID)
	for _, x := range s.Deliveries {
		if x.State == store.Held {
			t.Errorf("%s %d is still held", x.Automation, x.Action)
		}
	}
	if d.mail.to("support@acme.example") != 0 || d.mail.to("ann@customer.example") != 0 || len(s.Tasks) != 0 {
		t.Error("something went out")
	}
	d.balanced()
}

func TestADecisionIsMarked(t *testing.T) {
	t.Parallel()
	d := sit(t)
	s := d.call("callback: no.")
	id, ctx := s.Conversation.ID, t.Context()
	d.must(d.Mark(ctx, d.by(), "acme", id, 1, "callback", true, "She did ask."))
	d.must(d.Mark(ctx, d.by(), "acme", id, 1, "callback", false, "She did not."))
	d.refused(d.Mark(ctx, d.by(), "acme", id, 1, "callback", true, strings.Repeat("x", 5000)), "too long")
	s = d.settled(id)
	for _, x := range s.Decisions {
		if x.Automation == "callback" && (x.Mark == nil || x.Mark.Wrong || x.Mark.Note != "She did not." || x.Mark.By != d.by().Name) {
			t.Errorf("marked %+v", x.Mark)
		}
	}
	acts, _, err := d.store.Acts(ctx, "acme", "", 10)
	d.must(err)
	for _, a := range acts {
		for _, v := range a.Detail {
			if strings.Contains(v, "She") {
				t.Errorf("the audit log quotes a note: %+v", a)
			}
		}
	}
	d.balanced()
}

// TestBeforeItIsDecidedNothingIsPutRight: the first run's job would not know of another.
func TestBeforeItIsDecidedNothingIsPutRight(t *testing.T) {
	t.Parallel()
	d := sit(t)
	d.model.away.Store(true)
	id := d.post("callback: yes.")
	d.until(id, func(s store.Story) bool { return s.State == store.StateWaiting })
	_, err := d.Replay(t.Context(), d.by(), "acme", id, ops.Same, false)
	d.refused(err, "not decided yet")
	d.refused(d.Mark(t.Context(), d.by(), "acme", id, 1, "callback", true, ""), "not decided yet")
	_, err = d.Approve(t.Context(), d.by(), "acme", id, 1, "callback")
	d.refused(err, "only what is unsure")
	d.balanced()
}
