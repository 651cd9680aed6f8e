package store_test

import (
	"errors"
	"fmt"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aftercall/internal/store"
	"aftercall/reason"
	"aftercall/triggers"
)

// waiting plans a call of which something waits for a person.
func (h *house) waiting(t *testing.T, id string, unsure, held, test bool) string {
	t.Helper()
	p := h.plan(h.accept(t, h.arrival(phoneCall(id))).ConversationID, 2)
	if unsure {
		p.Decisions[1].Verdict, p.Decisions[1].Reason, p.Decisions[1].Review = triggers.Unsure, reason.Unsure, true
	}
	if held {
		p.Deliveries[0].State, p.Deliveries[0].Reason, p.Deliveries[0].Test = store.Held, reason.VariableMissingForCustomer, test
	}
	h.save(t, p)
	return p.ConversationID
}

// waits lists what waits for a person, a call to a page.
func waits(t *testing.T, r *store.Reader, q store.ReviewQuery) (all []string) {
	t.Helper()
	q.Limit = 1
	for {
		rows, next, err := r.Reviews(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range rows {
			all = append(all, fmt.Sprintf("%s %s %v %d", v.ConversationID, v.Decision.Automation, v.Unsure, len(v.Held)))
		}
		if q.Before = next; next == "" {
			return all
		}
	}
}

func TestWhatWaitsForAPersonIsListed(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	h.waiting(t, "fine", false, false, false)
	unsure, held, both := h.waiting(t, "unsure", true, false, false), h.waiting(t, "held", false, true, false), h.waiting(t, "both", true, true, false)
	h.waiting(t, "test", false, true, true)
	r := h.Within(store.Only("acme"))
	for _, c := range []struct {
		r    *store.Reader
		want int
	}{{r, 4}, {h.Reader, 4}, {h.Within(store.Only("umbra")), 0}} {
		if n, err := c.r.CountReviews(t.Context()); err != nil || n != c.want {
			t.Errorf("%d wait, want %d, %v", n, c.want, err)
		}
	}
	for name, tt := range map[string]struct {
		query store.ReviewQuery
		want  []string
	}{
		"all":         {store.ReviewQuery{Unsure: true, Held: true}, []string{both + " callback false 1", both + " complaint true 0", held + " callback false 1", unsure + " complaint true 0"}},
		"unsure":      {store.ReviewQuery{Unsure: true}, []string{both + " callback false 1", both + " complaint true 0", unsure + " complaint true 0"}},
		"held":        {store.ReviewQuery{Held: true}, []string{both + " callback false 1", both + " complaint true 0", held + " callback false 1"}},
		"elsewhere":   {store.ReviewQuery{AccountID: "umbra", Unsure: true, Held: true}, nil},
		"of no kind":  {store.ReviewQuery{}, nil},
		"one account": {store.ReviewQuery{AccountID: "acme", Held: true}, []string{both + " callback false 1", both + " complaint true 0", held + " callback false 1"}},
	} {
		if d := cmp.Diff(tt.want, waits(t, r, tt.query)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	if err := h.Dismiss(t.Context(), store.Actor{Name: "ann"}, "acme", both, 1, "callback"); err != nil {
		t.Fatal(err)
	}
	if err := h.Dismiss(t.Context(), store.Actor{Name: "ann"}, "acme", unsure, 1, "complaint"); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{both + " complaint true 0", held + " callback false 1"}, waits(t, r, store.ReviewQuery{Unsure: true, Held: true})); d != "" {
		t.Errorf("after two were dismissed: %s", d)
	}
	if rows, err := h.Within(store.Only("umbra")).ReviewsOf(t.Context(), held); err != nil || len(rows) != 0 {
		t.Errorf("another account's: %+v, %v", rows, err)
	}
	if _, err := r.ReviewsOf(t.Context(), "x"); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
}

// TestWhatWaitsIsCountedByIndexesAlone: every page does.
func TestWhatWaitsIsCountedByIndexesAlone(t *testing.T) {
	t.Parallel()
	h := filled(t)
	h.exec(t, "UPDATE deliveries SET state = 'held' WHERE get_byte(uuid_send(id), 15) < 8")
	h.exec(t, "UPDATE decisions SET verdict = 'unsure', reason = 'unsure', review = true WHERE get_byte(uuid_send(conversation_id), 15) < 8 AND automation = 'complaint'")
	h.exec(t, "VACUUM ANALYZE decisions, deliveries")
	text := h.planOf(t, "CountReviews", func(r *store.Reader) error {
		n, err := r.CountReviews(t.Context())
		if n == 0 {
			t.Error("nothing waits")
		}
		return err
	})
	for _, index := range []string{"decisions_unsure", "deliveries_to_review"} {
		if !regexp.MustCompile(`Index Only Scan (?:Backward )?using ` + index + ` .*\n\s*Index Cond: \(account_id = a.id\)`).MatchString(text) {
			t.Errorf("not by %s alone:\n%s", index, text)
		}
	}
}

// TestSuspiciousMessagesAreListedAlone: page by page, without what is held for something else and what a test holds.
func TestSuspiciousMessagesAreListedAlone(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	first, gap, last, test := h.waiting(t, "first", false, true, false), h.waiting(t, "gap", true, true, false), h.waiting(t, "last", false, true, false), h.waiting(t, "test", false, true, true)
	h.exec(t, "UPDATE deliveries SET reason = 'suspicious' WHERE state = 'held' AND conversation_id <> $1", gap)
	r := h.Within(store.Only("acme"))
	if d := cmp.Diff([]string{last + " callback false 1", first + " callback false 1"}, waits(t, r, store.ReviewQuery{Suspicious: true})); d != "" {
		t.Errorf("beside %s and %s: %s", gap, test, d)
	}
	if all := waits(t, r, store.ReviewQuery{Unsure: true, Held: true, Suspicious: true}); len(all) != 4 {
		t.Errorf("all: %v", all)
	}
	if all := waits(t, h.Within(store.Only("umbra")), store.ReviewQuery{Suspicious: true}); all != nil {
		t.Errorf("another account's: %v", all)
	}
}

// TestSuspiciousMessagesAreFoundByTheirIndex, however much is held for something else.
func TestSuspiciousMessagesAreFoundByTheirIndex(t *testing.T) {
	t.Parallel()
	h := filled(t)
	h.exec(t, "UPDATE deliveries SET state = 'held', reason = CASE WHEN get_byte(uuid_send(id), 15) < 2 THEN 'suspicious' ELSE 'breaker_open' END")
	h.exec(t, "VACUUM ANALYZE deliveries")
	h.boundBy(t, `ReviewPage, deliveries_suspicious, \(account_id = a.id\) AND \(conversation_id <`, func(r *store.Reader) error {
		rows, _, err := r.Reviews(t.Context(), store.ReviewQuery{Suspicious: true, Limit: 1})
		if len(rows) == 0 {
			t.Error("nothing waits")
		}
		return err
	})
}
