package ops_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"aftercall/deliver"
	"aftercall/internal/store"
	"aftercall/ops"
)

func TestAResendIsADeliveryOfItsOwn(t *testing.T) {
	t.Parallel()
	d := sit(t)
	s := d.call("Hello.")
	first := d.of(s, 1, "every-call", 0)
	d.is(first, store.Sent)

	var ids [4]string
	var all sync.WaitGroup
	for n := range ids { // pressed several times at once
		all.Go(func() {
			var err error
			if ids[n], err = d.Resend(t.Context(), d.by(), "acme", first.ID); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	s = d.settled(s.Conversation.ID)
	again := d.of(s, 1, "every-call", 0)
	for _, id := range ids {
		if id != again.ID {
			t.Errorf("pressed several times it gave %v, the delivery is %s", ids, again.ID)
		}
	}
	d.is(again, store.Sent)
	if again.ResendOf != first.ID || again.Copy != 1 || again.Content.Text != first.Content.Text {
		t.Errorf("the resend is %+v", again)
	}
	if n := d.mail.to("log@acme.example"); n != 2 {
		t.Errorf("%d messages went out, want the first and one more", n)
	}
	if n := d.acts(store.ActResent); n != 1 {
		t.Errorf("%d lines in the audit log, want 1", n)
	}

	d.ahead.Store(int64(time.Hour))
	_, err := d.Resend(t.Context(), d.by(), "acme", first.ID)
	d.refused(err, "sent again already, as delivery "+again.ID)
	if _, err = d.Resend(t.Context(), d.by(), "acme", again.ID); err != nil {
		t.Error("the last of a chain:", err)
	}
	d.settled(s.Conversation.ID)
	d.balanced()
}

func TestWhatCannotBeSentAgain(t *testing.T) {
	t.Parallel()
	d := sit(t)
	s := d.call("callback: yes. confirm: yes.")
	for _, c := range []struct {
		automation string
		action     int
		state      store.DeliveryState
		says       string
	}{
		{"every-call", 1, store.Planned, "on its way"},
		{"callback", 0, store.Held, "is held"},
		{"callback", 1, store.Held, "A task is not sent"},
		{"confirm", 0, store.Held, "would show a gap"},
	} {
		x := d.of(s, 1, c.automation, c.action)
		d.is(x, c.state)
		_, err := d.Resend(t.Context(), d.by(), "acme", x.ID)
		d.refused(err, c.says)
	}
	late := d.of(s, 1, "every-call", 1)
	d.must(d.Cancel(t.Context(), d.by(), "acme", late.ID))
	d.must(d.Cancel(t.Context(), d.by(), "acme", late.ID)) // twice
	if _, err := d.Resend(t.Context(), d.by(), "acme", late.ID); err != nil {
		t.Error("what was cancelled:", err)
	}
	gap := d.of(s, 1, "confirm", 0)
	d.must(d.Cancel(t.Context(), d.by(), "acme", gap.ID))
	_, err := d.Resend(t.Context(), d.by(), "acme", gap.ID)
	d.refused(err, "would show a gap")
	d.settled(s.Conversation.ID)
	if d.mail.to("late@acme.example") != 1 || d.mail.to("ann@customer.example") != 0 || d.acts(store.ActCancelled) != 2 {
		t.Errorf("sent %d and %d, cancelled %d times", d.mail.to("late@acme.example"), d.mail.to("ann@customer.example"), d.acts(store.ActCancelled))
	}
	d.balanced()
}

// lost is a provider whose answers to one address get lost.
func lost(address string) func(deliver.Message) error {
	return func(m deliver.Message) error {
		if m.To[0].Address == address {
			return &deliver.Error{Verdict: deliver.Unknown, Class: "timeout"}
		}
		return nil
	}
}

func TestAnUnknownDeliveryIsSettledByAPerson(t *testing.T) {
	t.Parallel()
	d := sit(t)
	d.mail.fail(lost("log@acme.example"))
	sent, failed := d.call("Hello."), d.call("Hello.")
	d.mail.fail(nil)
	x, y := d.of(sent, 1, "every-call", 0), d.of(failed, 1, "every-call", 0)
	d.is(x, store.Unknown)
	d.refused(d.Settle(t.Context(), d.by(), "acme", x.ID, store.Held), "as sent or as failed")
	for range 2 {
		d.must(d.Settle(t.Context(), d.by(), "acme", x.ID, store.Sent))
		d.must(d.Settle(t.Context(), d.by(), "acme", y.ID, store.Failed))
	}
	d.refused(d.Settle(t.Context(), d.by(), "acme", x.ID, store.Failed), "It is sent")
	x = d.of(d.settled(sent.Conversation.ID), 1, "every-call", 0)
	if len(x.Settled) != 1 || x.Settled[0].By != d.by().Name || x.Settled[0].As != "sent" || x.State != store.Sent {
		t.Errorf("settled %+v, %s", x.Settled, x.State)
	}
	for id, want := range map[string]store.DeliveryState{sent.Conversation.ID: store.Skipped, failed.Conversation.ID: store.Sent} {
		run, err := d.Replay(t.Context(), d.by(), "acme", id, ops.Same, false)
		d.must(err)
		d.is(d.of(d.settled(id), run, "every-call", 0), want)
	}
	if n := d.acts(store.ActSettled); n != 2 {
		t.Errorf("%d lines in the audit log, want 2", n)
	}
	d.balanced()
}

// TestAnUnknownDeliveryThatIsSentAgainTakesNoWordThatItWasNot: the worker's late word that nothing went out would send it a
// third time.
func TestAnUnknownDeliveryThatIsSentAgainTakesNoWordThatItWasNot(t *testing.T) {
	t.Parallel()
	d := sit(t)
	d.mail.fail(lost("log@acme.example"))
	s := d.call("Hello.")
	d.mail.fail(nil)
	x := d.of(s, 1, "every-call", 0)
	_, err := d.Resend(t.Context(), d.by(), "acme", x.ID)
	d.must(err)
	late := store.Outcome{AccountID: "acme", DeliveryID: x.ID, Attempt: 1, State: store.Retrying, DueAt: time.Now(), FinishedAt: time.Now()}
	var worker string
	d.must(d.store.Pool().QueryRow(t.Context(), "SELECT worker_id FROM deliveries WHERE id = $1", x.ID).Scan(&worker))
	late.WorkerID = worker
	if err := d.store.RecordOutcome(t.Context(), late); !errors.Is(err, store.ErrFenced) {
		t.Errorf("the late word: %v", err)
	}
	d.settled(s.Conversation.ID)
	if n := d.mail.to("log@acme.example"); n != 1 {
		t.Errorf("%d messages reached the provider, want the resend", n)
	}
	d.balanced()
}

func TestWhatIsHeldIsReleased(t *testing.T) {
	t.Parallel()
	d := sit(t)
	s := d.call("callback: yes. confirm: yes.")
	mail, task := d.of(s, 1, "callback", 0), d.of(s, 1, "callback", 1)
	d.refused(d.Release(t.Context(), d.by(), "acme", d.of(s, 1, "confirm", 0).ID), "would show a gap")
	d.refused(d.Release(t.Context(), d.by(), "acme", d.of(s, 1, "every-call", 0).ID), "It is sent")
	for range 2 {
		d.must(d.Release(t.Context(), d.by(), "acme", mail.ID))
		d.must(d.Release(t.Context(), d.by(), "acme", task.ID))
	}
	s = d.settled(s.Conversation.ID)
	d.is(d.of(s, 1, "callback", 0), store.Sent)
	d.is(d.of(s, 1, "callback", 1), store.Sent)
	if len(s.Tasks) != 1 || s.Tasks[0].Title != "Call back on not stated" || s.Tasks[0].Priority != "high" || s.Tasks[0].Assignee != "person:maria" || s.Tasks[0].DueAt.IsZero() {
		t.Errorf("tasks %+v", s.Tasks)
	}
	if n := d.mail.to("support@acme.example"); n != 1 {
		t.Errorf("%d messages, want 1", n)
	}
	d.balanced()
}

// TestAnotherAccountHasNothing: whatever is asked with an id of one account in the name of another finds nothing.
func TestAnotherAccountHasNothing(t *testing.T) {
	t.Parallel()
	d := sit(t)
	s := d.call("callback: yes.")
	id, x, by, ctx := s.Conversation.ID, d.of(s, 1, "callback", 0).ID, d.by(), t.Context()
	ofTwo := func(_ any, err error) error { return err }
	for name, err := range map[string]error{
		"resend": ofTwo(d.Resend(ctx, by, "other", x)), "settle": d.Settle(ctx, by, "other", x, store.Sent), "cancel": d.Cancel(ctx, by, "other", x),
		"release": d.Release(ctx, by, "other", x), "fix": ofTwo(d.Fix(ctx, by, "other", id, 1, "callback", map[string]string{"dyn_when": "2026-11-24"})),
		"approve": ofTwo(d.Approve(ctx, by, "other", id, 1, "callback")), "dismiss": d.Dismiss(ctx, by, "other", id, 1, "callback"),
		"mark": d.Mark(ctx, by, "other", id, 1, "callback", true, ""), "replay": ofTwo(d.Replay(ctx, by, "other", id, ops.Same, false)),
		"rehearse": ofTwo(d.Rehearse(ctx, "other", id, ops.Same, false)), "needed": ofTwo(d.Needed(ctx, "other", id, 1, "callback")),
		"no id at all": d.Cancel(ctx, by, "acme", "x"), "no call at all": ofTwo(d.Replay(ctx, by, "acme", "x", ops.Same, false)),
		"abort": d.AbortBulk(ctx, by, "other", x),
	} {
		if !errors.Is(err, ops.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := d.acts(store.ActCancelled); n != 0 {
		t.Errorf("%d lines in the audit log", n)
	}
}
