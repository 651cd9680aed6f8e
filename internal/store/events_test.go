package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"aftercall/conversation"
	"aftercall/internal/store"
	"aftercall/reason"
	"aftercall/triggers"
)

// happened is the webhook of an event of a call, which is decided itself.
func (h *house) happened(call, identity string) store.Arrival {
	c := phoneCall("event:" + identity)
	c.Event, c.Turns, c.Status = &conversation.Event{Type: "call.missed", Call: call}, nil, ""
	a := h.arrival(c)
	a.About, a.Event.Type, a.Event.Identity = call, "call.missed", identity
	return a
}

// happen makes every query of events pass: two of one call that are counted together, of which something waits for its end.
func (h *house) happen(t *testing.T) {
	t.Helper()
	look := &store.EndLook{}
	for n, identity := range []string{"first", "second"} {
		p := h.plan(h.accept(t, h.happened("goes-on", identity)).ConversationID, 1)
		p.Deliveries[0].EndOf, p.Deliveries[0].DueAt, p.Deliveries[0].ID = "goes-on", time.Now().Add(time.Hour), uuid.Must(uuid.NewV7()).String()
		p.Counts = []store.Counting{{Automation: "callback", By: []string{"sales"}, At: ended(), Count: triggers.Count{AtLeast: 2, Within: time.Minute}}}
		h.save(t, p)
		s := h.story(t, p.ConversationID)
		if want := []reason.Code{reason.TooFew, reason.Always}[n]; s.Decisions[0].Reason != want || len(s.Deliveries) != n {
			t.Errorf("the %s: %s, %d deliveries; want %s, %d", identity, s.Decisions[0].Reason, len(s.Deliveries), want, n)
		}
	}
	_, beside, err := h.FindConversation(t.Context(), "acme", "goes-on")
	if err != nil {
		t.Fatal(err)
	}
	if waiting, more, err := h.Waiting(t.Context(), "acme", beside); err != nil || len(waiting) != 1 || more {
		t.Errorf("waiting: %+v, %v, %v", waiting, more, err)
	}
	if ended := h.waits(t, look); len(ended) != 0 {
		t.Errorf("%d waits ended before the call did", len(ended))
	}
	h.accept(t, h.arrival(phoneCall("goes-on")))
	ended := h.waits(t, look)
	if len(ended) != 1 || len(ended[0].To) != 1 {
		t.Fatalf("waits that ended: %+v", ended)
	}
	due := time.Now().Add(time.Minute)
	var jobs []store.DeliverJob
	for range 2 { // whoever comes second finds nothing to do
		err := h.EndWait(t.Context(), ended[0], store.Release{DueAt: due, DeadlineAt: due}, func(_ context.Context, _ pgx.Tx, some []store.DeliverJob) error {
			jobs = append(jobs, some...)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(jobs) != 1 || !jobs[0].At.Equal(due) {
		t.Errorf("jobs: %+v", jobs)
	}
}

func (h *house) waits(t testing.TB, look *store.EndLook) []store.EndedWait {
	t.Helper()
	ended, err := h.EndedWaits(t.Context(), look)
	if err != nil {
		t.Fatal(err)
	}
	return ended
}

// TestWhatWaitsOfACallIsListedInPieces, and only to those who may see its account.
func TestWhatWaitsOfACallIsListedInPieces(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	p := h.decided(t, "c1", 203)
	h.exec(t, "UPDATE deliveries SET state = 'sent', attempt = 1, provider = 'p' WHERE id = $1", p.Deliveries[0].ID)
	h.exec(t, "UPDATE deliveries SET due_at = now() - interval '10 years' WHERE id = $1", p.Deliveries[9].ID)
	waits, more, err := h.Within(store.Only("acme")).Waiting(t.Context(), "acme", p.ConversationID)
	if err != nil || len(waits) != 200 || !more || waits[0].ID != p.Deliveries[9].ID {
		t.Errorf("%d wait, more %v, %v", len(waits), more, err)
	}
	for _, x := range [][2]string{{"umbra", "acme"}, {"umbra", "umbra"}, {"acme", "umbra"}} {
		if waits, _, err := h.Within(store.Only(x[0])).Waiting(t.Context(), x[1], p.ConversationID); len(waits) > 0 {
			t.Errorf("somebody of %s who asks for %s sees %d, %v", x[0], x[1], len(waits), err)
		}
	}
}
