package worker

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestGateGivesEachPlaceBackOnce: leaving twice, as a deferred leave after an early one does, frees one place.
func TestGateGivesEachPlaceBackOnce(t *testing.T) {
	t.Parallel()
	g := newGate(2)
	first, err := g.enter(context.Background(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.enter(context.Background(), 1); err != nil {
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
	if _, err := g.enter(gone, 1); err == nil {
		t.Error("a caller who is gone came in")
	}
}

// TestGateLetsInByPriority: whoever waits behind a crowd of a lower priority goes first; who gives up leaves no hole and
// takes no place with it.
func TestGateLetsInByPriority(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1)
		leave, err := g.enter(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		var order []int
		impatient, cancel := context.WithCancel(t.Context())
		for _, w := range []struct {
			ctx      context.Context
			priority int
		}{{t.Context(), 4}, {t.Context(), 3}, {impatient, 1}, {t.Context(), 3}, {t.Context(), 1}, {t.Context(), 0}} {
			go func() {
				leave, err := g.enter(w.ctx, w.priority)
				if err == nil {
					order = append(order, w.priority) // one at a time: the gate has one place
					leave()
				}
			}()
			synctest.Wait()
		}
		cancel()
		synctest.Wait()
		leave()
		synctest.Wait()
		if d := cmp.Diff([]int{1, 0, 3, 3, 4}, order); d != "" {
			t.Errorf("let in (-want +got):\n%s", d)
		}
		if _, ok := g.tryEnter(); !ok {
			t.Error("the place is lost")
		}
	})
}

// TestNobodyInAHurryWaitsForASlowProvider: one waits in vain, and none after that, until a send has been as quick as usual.
func TestNobodyInAHurryWaitsForASlowProvider(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1)
		var got []string
		send := func(took time.Duration) {
			leave, ok := g.tryEnter()
			if !ok {
				t.Error("the gate is not free")
				return
			}
			time.AfterFunc(took, func() { g.note(took); leave() })
		}
		hurry := func() {
			began := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), placeWait)
			defer cancel()
			leave, ok := g.enterSoon(ctx, 1)
			got = append(got, fmt.Sprint(ok, time.Since(began)))
			if ok {
				leave()
			}
		}
		send(10 * time.Millisecond)
		hurry()
		send(5 * time.Second)
		hurry()
		hurry()
		<-time.After(6 * time.Second)
		send(10 * time.Millisecond)
		hurry() // the last send took 5 s
		<-time.After(time.Second)
		send(10 * time.Millisecond)
		hurry()
		if d := cmp.Diff([]string{"true 10ms", "false 250ms", "false 0s", "false 0s", "true 10ms"}, got); d != "" {
			t.Errorf("let in, and after what time (-want +got):\n%s", d)
		}
	})
}
