package store_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aftercall/internal/store"
)

// TestAnEventThatNobodyWaitsForIsFound by our id, its call's and its identity, beside what belongs to the call, and by nobody else.
func TestAnEventThatNobodyWaitsForIsFound(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	call := h.accept(t, h.arrival(phoneCall("c1"))).ConversationID
	h.accept(t, h.alone("c1", "msg_1", `{"from":"+447700900123"}`))
	h.accept(t, h.alone("c1", "msg_2", ""))
	h.accept(t, h.alone("", "msg_3", "{}"))
	find := func(r *store.Reader, account, search string) (ids []string) {
		t.Helper()
		found, err := r.EventsAlone(t.Context(), account, search, "api")
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range found {
			ids = append(ids, e.ID)
		}
		return ids
	}
	both := find(h.Reader, "", "c1")
	if len(both) != 2 {
		t.Fatalf("by the call's id: %v", both)
	}
	first := find(h.Reader, "acme", " msg_1 ")
	for how, got := range map[string][]string{"by our id": find(h.Reader, "", both[1]), "by its identity": first} {
		if d := cmp.Diff(both[1:], got); d != "" {
			t.Errorf("%s: %s", how, d)
		}
	}
	for _, search := range []string{"", "msg", "ended:c1", call} { // the last two are a call's
		if got := find(h.Reader, "", search); len(got) != 0 {
			t.Errorf("%q finds %v", search, got)
		}
	}
	other := h.Within(store.Only("umbra"))
	if got := append(append(find(other, "", "c1"), find(other, "acme", "msg_1")...), find(other, "", both[0])...); len(got) != 0 {
		t.Errorf("another account finds %v", got)
	}
	if _, err := other.Event(t.Context(), both[1], false); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("another account reads it: %v", err)
	}
	e, err := h.Within(store.Only("acme")).Event(t.Context(), both[1], false)
	if err != nil || e.Type != "call.started" || e.Identity != "msg_1" || e.Call != "c1" || e.ConversationID != "" || string(e.Head) != `{"from":"+447700900123"}` {
		t.Errorf("%+v, %v", e, err)
	}
	if len(e.Beside) != 2 || e.Beside[0].ID != call || e.Beside[0].Alone || e.Beside[1].ID != both[0] || !e.Beside[1].Alone {
		t.Errorf("beside it are %+v", e.Beside)
	}
	if s := h.story(t, call); len(s.Beside) != 2 || s.Beside[0].ID != both[1] || s.Beside[0].What != "call.started" || !s.Beside[0].Alone {
		t.Errorf("beside its call are %+v", s.Beside)
	}
	if part, err := h.Event(t.Context(), h.story(t, call).Events[0].ID, true); err != nil || part.ConversationID != call {
		t.Errorf("one of the call: %+v, %v", part, err)
	}
}

// TestEventsAreFoundByTheirIndexes.
func TestEventsAreFoundByTheirIndexes(t *testing.T) {
	t.Parallel()
	h := filled(t)
	h.exec(t, `INSERT INTO events (id, account_id, source, identity, type, content_type, body, digest, received_at, call_id)
		SELECT gen_random_uuid(), 'acme', 'api', 'alone-' || g, 't', 'application/json', '', '', now(), 'call-' || g FROM generate_series(1, 6000) AS g`)
	h.exec(t, "VACUUM ANALYZE events")
	for _, name := range []string{
		"FindEventsAlone, events_(?:pkey|alone), id =", "FindEventsAlone, events_alone_by_call, call_id =", "FindEventsAlone, events_account_id_source_identity_key, identity =",
	} {
		h.boundBy(t, name, func(r *store.Reader) error {
			_, err := r.EventsAlone(t.Context(), "", "old-7", "api")
			return err
		})
	}
}
