package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"aftercall/internal/store"
	"aftercall/reason"
)

func deliveryQueries() map[string]store.DeliveryQuery {
	return map[string]store.DeliveryQuery{
		"ListTroubledDeliveries, deliveries_moved, ROW\\(updated_at, id\\) <": {State: store.Failed, Class: "auth"},
		"ListTroubledDeliveries, deliveries_moved, updated_at >=":             {State: store.Retrying, Since: time.Now().Add(-time.Hour)},
		"SiftDeliveries, deliveries_pkey, id =":                               {State: store.Held, Domain: "acme.example"},
		"SiftDeliveriesOfCalls, deliveries_key, conversation_id =":            {Channel: "email"},
		"SiftDeliveriesOfCalls, attempts_pkey, delivery_id =":                 {State: store.Sent, Class: "auth"},
		"ListConversations, conversations_(?:pkey|by_account), id >=":         {Since: time.Now().Add(-time.Hour)},
	}
}

func listDeliveries(t *testing.T, r *store.Reader) {
	t.Helper()
	for name, q := range deliveryQueries() {
		if _, _, err := r.Deliveries(t.Context(), q); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
}

func TestTheListOfDeliveriesWalksItsIndexes(t *testing.T) {
	t.Parallel()
	h := filled(t)
	h.exec(t, "UPDATE deliveries SET state = 'held' WHERE id <= '0192f3a4-0000-7000-8000-000000000064'")
	h.exec(t, "VACUUM ANALYZE deliveries")
	for name, q := range deliveryQueries() {
		h.boundBy(t, name, func(r *store.Reader) error {
			_, _, err := r.Deliveries(t.Context(), q)
			return err
		})
	}
}

// TestCallsInTroubleAreNotSorted: an index by time never lists calls, however much better than their own the planner takes it to
// be. All that is in trouble would have to be read and sorted for one page.
func TestCallsInTroubleAreNotSorted(t *testing.T) {
	t.Parallel()
	h := filled(t)
	h.exec(t, "DROP INDEX deliveries_troubled, deliveries_troubled_of")
	for statement, q := range map[string]store.ConversationQuery{
		"ListTroubled":   {Outcome: store.OutcomeFailed},
		"ListTroubledOf": {Outcome: store.OutcomeFailed, Automation: "callback"},
	} {
		text := h.planOf(t, statement, func(r *store.Reader) error {
			_, _, err := r.Conversations(t.Context(), q)
			return err
		})
		if strings.Contains(text, "deliveries_moved") {
			t.Errorf("%s walks an index by time:\n%s", statement, text)
		}
	}
}

// delivered lists deliveries page by page, and gives who they were for.
func (h *house) delivered(t *testing.T, q store.DeliveryQuery) (to []string) {
	t.Helper()
	to = []string{}
	for {
		rows, next, err := h.Deliveries(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			to = append(to, r.Recipient)
		}
		if q.Before = next; next == "" {
			return to
		}
	}
}

// ledger is five calls with three deliveries each, the first of which was sent, the second refused and the third held.
func (h *house) ledger(t *testing.T) {
	t.Helper()
	for n := range 5 {
		p := h.plan(h.accept(t, h.arrival(phoneCall(fmt.Sprint("call-", n)))).ConversationID, 3)
		for i := range p.Deliveries {
			p.Deliveries[i].Recipient = fmt.Sprintf("email:r%d-%d@Acme.example", n, i)
		}
		p.Deliveries[2].State, p.Deliveries[2].Reason, p.Deliveries[2].Channel = store.Held, reason.VariableMissingForCustomer, "sms"
		h.save(t, p)
		for i, c := range h.claim(t, p.ConversationID, "w1") {
			o := outcome(c, "w1", []store.DeliveryState{store.Sent, store.Failed}[i])
			if o.Class = ""; i == 1 {
				o.Class = []string{"auth", "bad_request"}[n%2]
			}
			o.Address = fmt.Sprintf("r%d@Else%d.example,x@third.example", n, i)
			h.record(t, o)
		}
	}
}

func TestDeliveriesAreListed(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	h.ledger(t)
	for name, test := range map[string]struct {
		q    store.DeliveryQuery
		want int
	}{
		"all, whole calls at a time": {store.DeliveryQuery{Limit: 4}, 15},
		"failed, page by page":       {store.DeliveryQuery{State: store.Failed, Limit: 2}, 5},
		"held":                       {store.DeliveryQuery{State: store.Held}, 5},
		"unknown":                    {store.DeliveryQuery{State: store.Unknown}, 0},
		"sent":                       {store.DeliveryQuery{State: store.Sent, Limit: 1}, 5},
		"a channel":                  {store.DeliveryQuery{Channel: "sms"}, 5},
		"held, on another channel":   {store.DeliveryQuery{State: store.Held, Channel: "email"}, 0},
		"an error":                   {store.DeliveryQuery{State: store.Failed, Class: "auth", Limit: 2}, 3},
		"an error, in any state":     {store.DeliveryQuery{Class: "bad_request"}, 2},
		"a domain it went to":        {store.DeliveryQuery{Domain: "else1.example"}, 5},
		"a domain among several":     {store.DeliveryQuery{Domain: "@third.EXAMPLE", State: store.Failed}, 5},
		"a domain it is planned for": {store.DeliveryQuery{Domain: "acme.example", State: store.Held}, 5},
		"the end of a domain":        {store.DeliveryQuery{Domain: "example"}, 0},
		"a pattern is no domain":     {store.DeliveryQuery{Domain: "%"}, 0},
		"an automation":              {store.DeliveryQuery{Automation: "callback", State: store.Failed}, 5},
		"another":                    {store.DeliveryQuery{Automation: "complaint"}, 0},
		"since an hour":              {store.DeliveryQuery{State: store.Failed, Since: time.Now().Add(-time.Hour)}, 5},
		"from an hour on":            {store.DeliveryQuery{State: store.Failed, Since: time.Now().Add(time.Hour)}, 0},
		"until an hour ago":          {store.DeliveryQuery{State: store.Failed, Until: time.Now().Add(-time.Hour)}, 0},
		"of calls until an hour ago": {store.DeliveryQuery{Until: time.Now().Add(-time.Hour)}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			got := h.delivered(t, test.q)
			seen := map[string]bool{}
			for _, to := range got {
				seen[to] = true
			}
			if len(got) != test.want || len(seen) != test.want {
				t.Errorf("%d of them, want %d: %v", len(got), test.want, got)
			}
		})
	}
	if got := h.delivered(t, store.DeliveryQuery{State: store.Failed}); !strings.HasPrefix(got[0], "email:r4-") || !strings.HasPrefix(got[4], "email:r0-") {
		t.Errorf("the last is not first: %v", got)
	}
	for _, q := range []store.DeliveryQuery{{Before: "x"}, {Before: "1.x", State: store.Failed}, {Before: "9e99." + h.revision, State: store.Failed}} {
		if _, _, err := h.Deliveries(t.Context(), q); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a cursor that was never ours: %v", err)
		}
	}
	if rows, _, err := h.Within(store.Only("umbra")).Deliveries(t.Context(), store.DeliveryQuery{State: store.Failed}); err != nil || len(rows) != 0 {
		t.Errorf("somebody of another account sees %d, %v", len(rows), err)
	}
}

// TestARareDeliveryGivesUpAndGoesOn: a page looks so far and no further, and the next one begins there.
func TestARareDeliveryGivesUpAndGoesOn(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	h.exec(t, filler, h.revision)
	h.exec(t, "UPDATE deliveries SET state = 'failed', updated_at = now() - run * interval '1 minute'")
	h.exec(t, "UPDATE deliveries SET channel = 'sms', updated_at = now() - interval '1 hour' WHERE id = '0192f3a4-0000-7000-8000-000000000007'")
	for name, q := range map[string]store.DeliveryQuery{"by call": {Channel: "sms"}, "by trouble": {Channel: "sms", State: store.Failed}} {
		rows, next, err := h.Deliveries(t.Context(), q)
		if err != nil || len(rows) != 0 || next == "" {
			t.Fatalf("%s: %d rows, goes on at %q, %v", name, len(rows), next, err)
		}
		if found := h.delivered(t, q); len(found) != 1 {
			t.Errorf("%s, to the end: %v", name, found)
		}
	}
}
