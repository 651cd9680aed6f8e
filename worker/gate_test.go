package worker

import (
	"context"
	"testing"
)

// TestGateGivesEachPlaceBackOnce: leaving twice, as a deferred leave after an early one does, frees one place.
func TestGateGivesEachPlaceBackOnce(t *testing.T) {
	t.Parallel()
	g := newGate(2)
	first, err := g.enter(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.enter(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, ok := g.tryEnter(); ok {
		t.Error("three are in a gate of two")
	}
	first()
	first()
	if _, ok := g.tryEnter(); !ok {
		t.Error("a place that was left is not free")
	}
	if _, ok := g.tryEnter(); ok {
		t.Error("leaving twice freed two places")
	}
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := g.enter(gone); err == nil {
		t.Error("a caller who is gone came in")
	}
}
