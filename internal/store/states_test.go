package store_test

import (
	"testing"

	"aftercall/internal/store"
	"aftercall/reason"
)

// TestEveryStateIsExplained: whatever state the ledger can show has its words, and no word is explained that is no state.
func TestEveryStateIsExplained(t *testing.T) {
	t.Parallel()
	states := []store.DeliveryState{
		store.Planned, store.Sending, store.Retrying, store.Sent, store.Delivered,
		store.Held, store.Failed, store.Skipped, store.Cancelled, store.Unknown,
	}
	for _, s := range states {
		if w, ok := reason.OfState(string(s)); !ok || w.Sentence == "" {
			t.Errorf("%s has no words", s)
		}
	}
	if got := len(reason.States()); got != len(states) {
		t.Errorf("%d states are explained, the ledger has %d", got, len(states))
	}
}
