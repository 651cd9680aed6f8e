package store_test

import (
	"context"
	"testing"
	"time"

	"aftercall/internal/store"
)

// waitingForLocks waits until so many statements wait for a lock, or done says that nobody has to.
func (h *house) waitingForLocks(t *testing.T, want int, done <-chan struct{}) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		if h.count(t, "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") >= want {
			return
		}
		select {
		case <-done:
			return
		default:
		}
	}
	t.Fatalf("%d statements do not wait", want)
}

// hold runs a statement in a transaction of its own, which lasts until the returned function is called.
func (h *house) hold(t *testing.T, sql string) (release func()) {
	t.Helper()
	tx, err := h.Pool().Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := tx.Rollback(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}
}

// TestAnEventAboutACallThatIsBeingErased comes without a conversation, in the very moment: whichever of the two is first, nothing
// of it stays.
func TestAnEventAboutACallThatIsBeingErased(t *testing.T) {
	t.Parallel()
	for name, eventFirst := range map[string]bool{"after the event is written": true, "before the event is written": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, store.Options{})
			id := h.accept(t, h.arrival(phoneCall("c1"))).ConversationID
			e, err := h.BeginErasure(t.Context(), store.Actor{Name: "test"}, "acme", store.CauseConversation)
			if err != nil {
				t.Fatal(err)
			}
			event := h.alone("c1", "started:c1", `{"conversation":"c1"}`)
			event.Event.Source = "phone"
			posted, erased := make(chan struct{}), make(chan struct{})
			post := func() {
				defer close(posted)
				if _, err := h.ingest.Accept(t.Context(), event); err != nil {
					t.Error(err)
				}
			}
			erase := func() {
				defer close(erased)
				if left, err := h.Erase(t.Context(), e, []string{id}, 0); err != nil || len(left) > 0 {
					t.Errorf("left %v, %v", left, err)
				}
			}
			first, second, done := erase, post, posted
			held := "SELECT FROM erasures WHERE id = '" + e.ID + "' FOR NO KEY UPDATE" // what the first of them has to pass to be done
			if eventFirst {
				first, second, done = post, erase, erased
				held = `INSERT INTO events (id, account_id, source, identity, type, content_type, body, digest, received_at)
					VALUES (gen_random_uuid(), 'acme', 'phone', 'started:c1', '', '', '', '', now())`
			}
			release := h.hold(t, held)
			go first()
			h.waitingForLocks(t, 1, nil)
			go second()
			h.waitingForLocks(t, 2, done)
			release()
			<-posted
			<-erased
			if n := h.count(t, "conversations") + h.count(t, "events"); n != 0 {
				t.Errorf("%d rows are there", n)
			}
			if got, err := h.ingest.Accept(t.Context(), event); err != nil || !got.Erased {
				t.Errorf("posted again: %+v, %v", got, err)
			}
			h.balanced(t)
		})
	}
}
