package main

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercall/internal/postgres/pgtest"
	"aftercall/internal/store"
)

// TestFill: what is copied in is what the product would have written. The ledger balances, there are three deliveries to a
// call, nothing is to be done, and a customer's calls are found.
func TestFill(t *testing.T) {
	t.Parallel()
	o, url := options{conversations: 1500, seed: 1, until: time.Now()}, pgtest.New(t)
	if err := fill(t.Context(), url, o); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	sum, wrong, err := db.Audit(t.Context())
	if err != nil || len(wrong) > 0 {
		t.Fatalf("%+v, %v", wrong, err)
	}
	deliveries := 0
	for _, n := range sum.Deliveries {
		deliveries += n
	}
	if sum.Conversations != 1500 || sum.Undecided != 0 || deliveries < 4350 || deliveries > 4650 {
		t.Errorf("%+v", sum)
	}
	for _, open := range []store.DeliveryState{store.Planned, store.Retrying, store.Sending} {
		if n := sum.Deliveries[open]; n != 0 {
			t.Errorf("%d deliveries are %s: a worker would send them", n, open)
		}
	}
	for _, rare := range []store.DeliveryState{store.Held, store.Failed, store.Unknown, store.Skipped, store.Cancelled} {
		if sum.Deliveries[rare] == 0 {
			t.Errorf("no delivery is %s", rare)
		}
	}
	who, err := store.ParseCustomer("+999 700 000 007")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, a := range accounts() {
		calls, err := db.CallsOf(t.Context(), a.id, who)
		if err != nil {
			t.Fatal(err)
		}
		found += len(calls)
	}
	if found == 0 {
		t.Error("nobody called who calls often")
	}
	if err := fill(t.Context(), url, o); !errors.Is(err, errFull) {
		t.Errorf("a database that has calls: %v", err)
	}
}

// TestSeed: one seed is one quarter, in the order of its ids; another is another.
func TestSeed(t *testing.T) {
	t.Parallel()
	until := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	of := func(seed uint64) *quarter {
		return newQuarter(options{conversations: 1000, seed: seed, until: until}, []account{{id: "a", revision: "0192f3a4-0000-7000-8000-000000000001", share: 1}})
	}
	ids := func(seed uint64) (all []string) {
		q, b := of(seed), newBatch()
		for n := range 1000 {
			if err := q.write(b, n); err != nil {
				t.Fatal(err)
			}
		}
		for _, row := range b.tables[0].rows {
			id := row[0].([16]byte)
			all = append(all, string(id[:]))
		}
		return all
	}
	first := ids(1)
	if last := of(1).moment(999); last.After(until) || until.Sub(last) > time.Hour {
		t.Errorf("the last call came in at %s", last)
	}
	if !slices.IsSortedFunc(first, func(a, b string) int { return slices.Compare([]byte(a)[:6], []byte(b)[:6]) }) {
		t.Error("ids do not grow with time")
	}
	if diff := cmp.Diff(first, ids(1)); diff != "" {
		t.Error("the same seed gives another quarter")
	}
	if slices.Equal(first, ids(2)) {
		t.Error("another seed gives the same quarter")
	}
}
