package ops_test

import (
	"errors"
	"testing"
	"time"

	"aftercall/conversation"
	"aftercall/internal/store"
	"aftercall/ops"
	"aftercall/reason"
)

// during is what an event of a call leads to: at the end of that, at once, and some time after. One event a day may.
const during = `  - id: during
    on: call.reached
    limit: { per_day: 1 }
    actions:
      - email: { to: [desk@acme.example], subject: "At the end", body: "It is over." }
      - email: { to: [now@acme.example], subject: "Now", body: "It goes on.", send: now }
      - task: { title: "Look at it" }
      - email: { to: [late@acme.example], subject: "Later", body: "It was.", send: { after: 1h } }
`

// happens posts an event of a call, and returns it decided, with everything sent that is due.
func (d *desk) happens(call, identity string) store.Story {
	d.Helper()
	at := time.Now()
	a, err := d.ingest.Accept(d.Context(), store.Arrival{
		Event: store.Event{AccountID: "acme", Source: "api", Identity: identity, Type: "call.reached", Body: []byte("{}"), ReceivedAt: at},
		Conversation: &conversation.Conversation{ExternalID: "event:" + identity, Channel: conversation.ChannelPhone, StartedAt: at, EndedAt: at,
			Event: &conversation.Event{Type: "call.reached", Call: call}},
		About: call, RevisionID: d.revision, DecideAt: at,
	})
	d.must(err)
	return d.settled(a.ConversationID)
}

// count is the number that a query gives.
func (d *desk) count(query string, args ...any) (n int) {
	d.Helper()
	d.must(d.store.Pool().QueryRow(d.Context(), query, args...).Scan(&n))
	return n
}

// TestWhatIsReleasedDuringACallWaitsForItsEnd, as it would have if nothing had held it.
func TestWhatIsReleasedDuringACallWaitsForItsEnd(t *testing.T) {
	t.Parallel()
	d := sit(t)
	d.revision = d.activate("acme", config+during)
	d.is(d.of(d.happens("call-1", "first"), 1, "during", 0), store.Planned)
	s := d.happens("call-1", "second")
	for action := range 4 {
		held := d.of(s, 1, "during", action)
		d.is(held, store.Held)
		d.must(d.Release(t.Context(), d.by(), "acme", held.ID))
	}
	s = d.settled(s.Conversation.ID)
	waits := d.of(s, 1, "during", 0)
	d.is(waits, store.Planned)
	if waits.Reason != reason.Waiting || waits.Detail != "Released by a person. It waits for the end of the call." || time.Until(waits.DueAt) < 23*time.Hour {
		t.Errorf("released, it is due at %s as %q: %s", waits.DueAt, waits.Reason, waits.Detail)
	}
	d.is(d.of(s, 1, "during", 1), store.Sent)
	d.is(d.of(s, 1, "during", 2), store.Sent)
	d.is(d.of(s, 1, "during", 3), store.Planned)
	if n := d.count("SELECT count(*) FROM awaited_ends WHERE call_id = 'call-1'"); n != 2 {
		t.Errorf("%d messages wait for the end, want that of each event", n)
	}
	d.balanced()

	d.call("Hello.") // it is call-1, and has ended
	s = d.until(s.Conversation.ID, func(s store.Story) bool { return d.of(s, 1, "during", 0).State == store.Sent })
	if sent := d.of(s, 1, "during", 0); sent.DeadlineAt.After(time.Now().Add(23 * time.Hour)) {
		t.Errorf("it kept the deadline of its wait: %s", sent.DeadlineAt)
	}
	d.balanced()
}

// TestCancellingACallCallsOffWhatWaitsOfIt and of its events, from whichever of them it is asked: each with its line in the audit log, and
// nothing of another call, of a sandbox, or of what comes in later.
func TestCancellingACallCallsOffWhatWaitsOfIt(t *testing.T) {
	t.Parallel()
	d := sit(t)
	d.revision = d.activate("acme", config+during)
	first, second, other := d.happens("call-1", "first"), d.happens("call-1", "second"), d.happens("call-9", "other")
	cancel := func(of store.Story, want int) {
		t.Helper()
		cancelled, more, err := d.CancelCall(t.Context(), d.by(), "acme", of.Conversation.ID)
		d.must(err)
		if len(cancelled) != want || more {
			t.Errorf("%d were called off, more %v, want %d", len(cancelled), more, want)
		}
	}
	cancel(second, 6)
	cancel(first, 0)
	s := d.settled(first.Conversation.ID)
	for action, want := range []store.DeliveryState{store.Cancelled, store.Sent, store.Sent, store.Cancelled} {
		d.is(d.of(s, 1, "during", action), want)
	}
	for action := range 4 {
		d.is(d.of(d.settled(second.Conversation.ID), 1, "during", action), store.Cancelled)
		d.is(d.of(d.settled(other.Conversation.ID), 1, "during", action), store.Held)
	}

	call := d.call("Hello.") // it is call-1
	late := d.happens("call-1", "late")
	_, err := d.Replay(t.Context(), d.by(), "acme", call.Conversation.ID, ops.Same, true)
	d.must(err)
	call = d.settled(call.Conversation.ID)
	d.is(d.of(call, 1, "every-call", 1), store.Planned)
	d.is(d.of(call, 2, "every-call", 1), store.Planned)
	cancel(call, 5)
	call = d.settled(call.Conversation.ID)
	d.is(d.of(call, 1, "every-call", 1), store.Cancelled)
	d.is(d.of(call, 2, "every-call", 1), store.Planned)
	d.is(d.of(d.settled(late.Conversation.ID), 1, "during", 1), store.Cancelled)
	if n := d.acts(store.ActCancelled); n != 11 {
		t.Errorf("%d lines in the audit log, want one for each", n)
	}
	for account, id := range map[string]string{"umbra": call.Conversation.ID, "acme": "call-1"} {
		if _, _, err := d.CancelCall(t.Context(), d.by(), account, id); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("of account %s, call %s: %v", account, id, err)
		}
	}
	d.balanced()
}
