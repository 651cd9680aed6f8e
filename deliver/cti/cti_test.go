package cti_test

import (
	"context"
	"errors"
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
	agents map[string]string // by delivery
	takes  int               // looks after which a softphone has it; 0: at once, -1: never
	until  time.Time
	broken error
}

func (b *board) PostPopUp(ctx context.Context, m deliver.Message, agent string, _ time.Time) (time.Time, bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken != nil || ctx.Err() != nil {
		return time.Time{}, false, errors.Join(b.broken, ctx.Err())
	}
	b.agents[m.DeliveryID] = agent
	return b.until, b.takes == 0, nil
}

func (b *board) PopUpTaken(context.Context, deliver.Message) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.takes--
	return b.takes == 0, nil
}

func (b *board) ids() (ids []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for id := range b.agents {
		ids = append(ids, id)
	}
	return ids
}

func TestConforms(t *testing.T) {
	t.Parallel()
	delivertest.Run(t, func(_ *testing.T, s delivertest.Situation) (delivertest.Rig, bool) {
		b := &board{agents: map[string]string{}}
		switch s {
		case delivertest.Accepts:
		case delivertest.Failing, delivertest.Unreachable:
			b.broken = errors.New(`insert "pat.canary@example.com": connection refused at 127.0.0.1`)
		default:
			return delivertest.Rig{}, false
		}
		return delivertest.Rig{Channel: cti.New(b, nil), Received: b.ids}, true
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
