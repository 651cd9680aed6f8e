package cti_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercall/deliver"
	"aftercall/deliver/cti"
	"aftercall/deliver/delivertest"
)

// board takes pop-ups in memory; the store's own has its test on a database.
type board struct {
	mu     sync.Mutex
	all    []delivertest.Copy
	agents map[string]string // by delivery
	takes  int               // looks after which a softphone has it; 0: at once, -1: never
	until  time.Time
	broken error
	then   func(context.Context) error // what it does when it has written a row; nil answers
}

func (b *board) PostPopUp(ctx context.Context, m deliver.Message, agent string, _ time.Time) (time.Time, bool, error) {
	if b.broken != nil || ctx.Err() != nil {
		return time.Time{}, false, errors.Join(b.broken, ctx.Err())
	}
	b.mu.Lock()
	if _, again := b.agents[m.DeliveryID]; !again {
		b.agents[m.DeliveryID] = agent
		b.all = append(b.all, delivertest.Copy{Delivery: m.DeliveryID, Key: m.DeliveryID, Text: m.Text})
	}
	taken := b.takes == 0
	b.mu.Unlock()
	if b.then != nil {
		return time.Time{}, false, b.then(ctx)
	}
	return b.until, taken, nil
}

func (b *board) PopUpTaken(context.Context, deliver.Message) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.takes--
	return b.takes == 0, nil
}

func (b *board) rows() []delivertest.Copy {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.all)
}

func TestConforms(t *testing.T) {
	t.Parallel()
	gone := errors.New(`insert "pat.canary@example.com": connection refused at 127.0.0.1`)
	delivertest.Run(t, func(_ *testing.T, s delivertest.Situation) delivertest.Rig {
		b := &board{agents: map[string]string{}}
		switch s {
		case delivertest.Accepts:
		case delivertest.Failing, delivertest.Unreachable:
			b.broken = gone
		case delivertest.Silent, delivertest.LateAnswer:
			b.then = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		case delivertest.Cut:
			b.then = func(context.Context) error { return gone }
		default:
			return delivertest.Rig{Impossible: "the pop-up becomes a row of our own database, which takes it or fails"}
		}
		return delivertest.Rig{Channel: cti.New(b, nil), Once: true, Received: b.rows}
	})
}

func TestAPopUpWaitsForASoftphone(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		takes int
		want  error
	}{
		"one that listens":    {3, nil},
		"one that comes late": {-1, &deliver.Error{Verdict: deliver.Retry, Class: "nobody_listens", After: 2*time.Minute - time.Second - 1270*time.Millisecond, Detail: "no softphone of the agent has taken it"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := &board{agents: map[string]string{}, takes: tt.takes, until: time.Now().Add(2 * time.Minute)}
				_, err := cti.New(b, nil).Send(t.Context(), deliver.Message{DeliveryID: "d", Text: "VIP", Fields: map[string]string{cti.FieldAgent: "reception"}})
				if diff := cmp.Diff(tt.want, err); diff != "" {
					t.Errorf("error (-want +got):\n%s", diff)
				}
				if b.agents["d"] != "reception" {
					t.Errorf("it is for %q", b.agents["d"])
				}
			})
		})
	}
}

func TestWhatPopsUpNowhereIsRefused(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]deliver.Message{
		"no words": {DeliveryID: "d", Text: " ", Fields: map[string]string{cti.FieldAgent: "reception"}},
		"no agent": {DeliveryID: "d", Text: "VIP"},
	} {
		_, err := cti.New(&board{agents: map[string]string{}}, nil).Send(t.Context(), m)
		if e := deliver.AsError(err); err == nil || e.Verdict != deliver.Refused {
			t.Errorf("%s: %v, want it refused", name, err)
		}
	}
}
