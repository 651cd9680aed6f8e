package ops_test

import (
	"errors"
	"testing"
	"time"

	"aftercall/conversation"
	"aftercall/internal/store"
)

// TestAnErasureWaitsForWhatIsUnderWay: a call of which a message is being sent stays until that has ended, and a second look
// erases what the first one left. Then nothing says any more what was wished.
func TestAnErasureWaitsForWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	d := sit(t)
	one, other := d.call("Hello."), d.call("Hello again.")
	set := func(state string) { // in the hands of a worker that lives
		_, err := d.store.Pool().Exec(t.Context(), `UPDATE deliveries SET state = $1, attempt = 1, claimed_at = now(), worker_id = (SELECT id FROM workers LIMIT 1)
			WHERE conversation_id = $2 AND channel = 'email'`, state, one.Conversation.ID)
		d.must(err)
	}
	set("sending")
	id, err := d.Erase(t.Context(), d.by(), "acme", store.ErasureWish{Conversations: []string{one.Conversation.ID, other.Conversation.ID}})
	d.must(err)
	if more, err := d.WorkErasure(t.Context(), id); !more || err != nil {
		t.Fatalf("it is through: %v, %v", more, err)
	}
	if e, err := d.store.Erasure(t.Context(), id); err != nil || !e.Waits || e.Found != 2 || e.Conversations != 1 || !e.FinishedAt.IsZero() {
		t.Errorf("in between: %+v, %v", e, err)
	}
	set("sent")
	for range 2 { // and a job that is taken up once more finds nothing to do
		if more, err := d.WorkErasure(t.Context(), id); more || err != nil {
			t.Fatalf("there is more of it: %v, %v", more, err)
		}
	}
	if e, err := d.store.Erasure(t.Context(), id); err != nil || e.Waits || e.Conversations != 2 || e.FinishedAt.IsZero() {
		t.Errorf("in the end: %+v, %v", e, err)
	}
	if _, _, err := d.store.AskedErasure(t.Context(), id); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("it says what was wished: %v", err)
	}
	d.balanced()
}

// happened posts an event of a call, which is decided itself.
func (d *desk) happened(call, identity string) store.Story {
	d.Helper()
	now := time.Now()
	a, err := d.ingest.Accept(d.Context(), store.Arrival{
		Event: store.Event{AccountID: "acme", Source: "api", Identity: identity, Type: "call.missed", Body: []byte("{}"), ReceivedAt: now},
		Conversation: &conversation.Conversation{ExternalID: "event:" + identity, StartedAt: now, EndedAt: now, Turns: []conversation.Turn{},
			Event: &conversation.Event{Type: "call.missed", Call: call}},
		About: call, RevisionID: d.revision, DecideAt: now,
	})
	d.must(err)
	return d.settled(a.ConversationID)
}

// TestAnErasureComesBackForAnEvent: a call is erased while a message of its event is being sent. The erasure is not through before that is
// erased as well, by whichever of the two it was asked for.
func TestAnErasureComesBackForAnEvent(t *testing.T) {
	t.Parallel()
	for name, wish := range map[string]func(call string) store.ErasureWish{
		"by its call": func(call string) store.ErasureWish { return store.ErasureWish{Conversations: []string{call}} },
		"by customer": func(string) store.ErasureWish { return store.ErasureWish{Customer: "+447700900123"} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := sit(t)
			call := d.call("Hello.")
			event := d.happened(call.Conversation.ExternalID, "missed")
			_, err := d.store.Pool().Exec(t.Context(), `INSERT INTO deliveries (id, account_id, conversation_id, run, automation, action, recipient, channel, customer,
					state, reason, detail, due_at, deadline_at, test, content, attempt, worker_id, claimed_at)
				VALUES (gen_random_uuid(), 'acme', $1, 1, 'a', 0, 'r', 'email', false, 'sending', '', '', now(), now() + interval '1 h', false, '{}', 1,
					(SELECT id FROM workers LIMIT 1), now())`, event.Conversation.ID)
			d.must(err)
			id, err := d.Erase(t.Context(), d.by(), "acme", wish(call.Conversation.ID))
			d.must(err)
			if more, err := d.WorkErasure(t.Context(), id); !more || err != nil {
				t.Fatalf("it is through: %v, %v", more, err)
			}
			_, err = d.store.Pool().Exec(t.Context(), `UPDATE deliveries SET state = 'sent' WHERE conversation_id = $1`, event.Conversation.ID)
			d.must(err)
			if more, err := d.WorkErasure(t.Context(), id); more || err != nil {
				t.Fatalf("there is more of it: %v, %v", more, err)
			}
			var left int
			d.must(d.store.Pool().QueryRow(t.Context(), `SELECT (SELECT count(*) FROM conversations) + (SELECT count(*) FROM events)`).Scan(&left))
			if e, err := d.store.Erasure(t.Context(), id); err != nil || e.Waits || e.Conversations != 2 || left != 0 {
				t.Errorf("in the end %d rows are left: %+v, %v", left, e, err)
			}
			d.balanced()
		})
	}
}
