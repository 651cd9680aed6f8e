package ops_test

import (
	"testing"
	"time"

	"aftercall/conversation"
	"aftercall/internal/store"
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
