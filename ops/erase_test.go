package ops_test

import (
	"errors"
	"testing"

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
