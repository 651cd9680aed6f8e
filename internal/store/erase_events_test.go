package store_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
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

// from is an arrival by another source.
func from(source string, a store.Arrival) store.Arrival {
	a.Event.Source = source
	return a
}

// turnedAway posts events that are about what was erased.
func (h *house) turnedAway(t *testing.T, events map[string]store.Arrival) {
	t.Helper()
	for name, a := range events {
		if got := h.accept(t, a); !got.Erased || got.New || got.Duplicate {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestEventsOfAnErasedCallStayAway, by whichever source they come, decided or only stored; those of others do not.
func TestEventsOfAnErasedCallStayAway(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	id := h.accept(t, h.arrival(phoneCall("c1"))).ConversationID
	h.accept(t, h.happened("c1", "missed"))
	h.erase(t, id)
	h.turnedAway(t, map[string]store.Arrival{
		"stored, by the call's source": from("phone", h.alone("c1", "one", "{}")), "stored, by another": from("crm", h.alone("c1", "two", "{}")),
		"decided, by the call's source": h.happened("c1", "three"), "decided, by another": from("crm", h.happened("c1", "four")),
		"erased with it": h.happened("c1", "missed"), "erased with it, only stored": from(h.happened("", "").Event.Source, h.alone("", "missed", "{}")),
	})
	if n := h.count(t, "conversations") + h.count(t, "events"); n != 0 {
		t.Errorf("%d rows are there", n)
	}
	if got := h.accept(t, from("crm", h.happened("c2", "five"))); !got.New {
		t.Errorf("an event of another call: %+v", got)
	}
	h.account(t, "other")
	theirs := h.alone("c1", "six", "{}")
	theirs.Event.AccountID = "other"
	if got := h.accept(t, theirs); got.Erased {
		t.Errorf("an event of another account's call: %+v", got)
	}
}

// TestAnErasedEventStaysAway, whether it was decided or only stored, and whichever it would be now; another one of the same call, which was not
// erased, does not.
func TestAnErasedEventStaysAway(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	h.accept(t, h.arrival(phoneCall("c1")))
	decided := h.happened("c1", "decided")
	stored := from(decided.Event.Source, h.alone("c1", "stored", "{}"))
	h.erase(t, h.accept(t, decided).ConversationID)
	h.accept(t, stored)
	e, err := h.BeginErasure(t.Context(), store.Actor{Name: "test"}, "acme", store.CauseCustomer)
	if err != nil {
		t.Fatal(err)
	}
	who, err := store.ParseCustomer("+447700900123")
	if err != nil {
		t.Fatal(err)
	}
	named := from(stored.Event.Source, h.alone("c1", "names", `{"from":"+447700900123"}`))
	h.accept(t, named)
	events, err := h.EventsOf(t.Context(), "acme", who)
	if err != nil || len(events) != 1 {
		t.Fatalf("%v, %v", events, err)
	}
	if err := h.EraseEvents(t.Context(), e, events); err != nil {
		t.Fatal(err)
	}
	h.turnedAway(t, map[string]store.Arrival{
		"decided": decided, "decided, now only stored": from(decided.Event.Source, h.alone("c1", "decided", "{}")),
		"stored": named, "stored, now decided": h.happened("c1", "names"),
	})
	if got := h.accept(t, h.happened("c1", "another")); !got.New {
		t.Errorf("another event of a call that is there: %+v", got)
	}
	if got := h.accept(t, stored); !got.Duplicate {
		t.Errorf("one that was not erased: %+v", got)
	}
}

// TestWhatWasErasedBeforeStaysErased: at first the events of a call were kept out by source.
func TestWhatWasErasedBeforeStaysErased(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	var key []byte
	if err := h.Pool().QueryRow(t.Context(), "SELECT key FROM erasure_keys").Scan(&key); err != nil {
		t.Fatal(err)
	}
	sum := hmac.New(sha256.New, key)
	for _, w := range []string{"about", "acme", "crm", "c1"} {
		sum.Write(binary.BigEndian.AppendUint64(nil, uint64(len(w))))
		sum.Write([]byte(w))
	}
	h.exec(t, "INSERT INTO erased_hashes (hash, account_id) VALUES ($1, 'acme')", sum.Sum(nil))
	h.turnedAway(t, map[string]store.Arrival{"stored": from("crm", h.alone("c1", "one", "{}")), "decided": from("crm", h.happened("c1", "two"))})
}
