package store_test

import (
	"slices"
	"testing"
	"time"

	"aftercall/internal/store"
)

// asksFor finds what is to be erased, as whoever erases does it each time anew.
func (h *house) asksFor(t *testing.T, what string, id string) (ids []string) {
	t.Helper()
	var calls []store.Call
	who, err := store.ParseCustomer(phoneCall("c1").FromNumber)
	if err == nil && what == "call" {
		calls, err = h.CallsByID(t.Context(), "acme", []string{id})
	} else if err == nil {
		calls, err = h.CallsOf(t.Context(), "acme", who)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range calls {
		ids = append(ids, c.ID)
	}
	return ids
}

// TestACallStaysAsLongAsAnEventOfIt: a message of an event of the call is under way while the call is erased. Who asks afresh finds the
// event only by its call, so that one stays, stopped, until both can go.
func TestACallStaysAsLongAsAnEventOfIt(t *testing.T) {
	t.Parallel()
	for _, what := range []string{"call", "customer"} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			h := open(t, store.Options{})
			call := h.decided(t, "c1", 1).ConversationID
			silent := h.happened("c1", "missed") // its own data say nothing of the customer
			silent.Event.Body, silent.Conversation.FromNumber, silent.Conversation.Customer.Email, silent.Conversation.Customer.Number = []byte("{}"), "", "", ""
			event := h.plan(h.accept(t, silent).ConversationID, 1)
			h.save(t, event)
			claimed := h.claim(t, event.ConversationID, "w1")
			e, err := h.BeginErasure(t.Context(), store.Actor{Name: "test"}, "acme", store.CauseCustomer)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				left, err := h.Erase(t.Context(), e, h.asksFor(t, what, call), 0)
				if want := []string{call, event.ConversationID}; err != nil || !slices.Equal(left, want) {
					t.Fatalf("left are %v, want %v (%v)", left, want, err)
				}
			}
			if s := h.story(t, call); s.Deliveries[0].State != store.Cancelled {
				t.Errorf("the call's own message is %s", s.Deliveries[0].State)
			}
			h.balanced(t)
			h.record(t, outcome(claimed[0], "w1", store.Sent))
			if left, err := h.Erase(t.Context(), e, h.asksFor(t, what, call), 0); err != nil || len(left) > 0 {
				t.Errorf("left are %v, %v", left, err)
			}
			if n := h.count(t, "conversations") + h.count(t, "events"); n != 0 {
				t.Errorf("%d rows are there", n)
			}
			if tally := h.balanced(t); tally.Erased != 2 {
				t.Errorf("tally %+v", tally)
			}
		})
	}
}

// TestRetentionComesBackForAnEvent: retention finds an event by its age, whether its call is there or not.
func TestRetentionComesBackForAnEvent(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	h.decided(t, "c1", 0)
	event := h.plan(h.accept(t, h.happened("c1", "missed")).ConversationID, 1)
	h.save(t, event)
	claimed := h.claim(t, event.ConversationID, "w1")
	later := time.Now().Add(time.Hour)
	if done, err := h.Retain(t.Context(), "acme", later); err != nil || done.Conversations != 1 {
		t.Errorf("erased %+v, %v, want the call alone", done, err)
	}
	h.record(t, outcome(claimed[0], "w1", store.Sent))
	if done, err := h.Retain(t.Context(), "acme", later); err != nil || done.Conversations != 1 || h.count(t, "conversations") != 0 {
		t.Errorf("erased %+v, %v, want the event", done, err)
	}
	h.balanced(t)
}
