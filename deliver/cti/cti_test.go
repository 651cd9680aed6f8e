package cti_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercall/deliver"
	"aftercall/deliver/cti"
	"aftercall/deliver/delivertest"
)

// conforming takes pop-ups that a softphone has at once.
type conforming delivertest.Take

func (c conforming) PostPopUp(ctx context.Context, m deliver.Message, _ string, _ time.Time) (time.Time, bool, error) {
	err := c(ctx, m)
	return time.Time{}, err == nil, err
}

func (conforming) PopUpTaken(context.Context, deliver.Message) (bool, error) { return true, nil }

func TestConforms(t *testing.T) {
	t.Parallel()
	delivertest.RunRows(t, func(take delivertest.Take) deliver.Channel { return cti.New(conforming(take), nil) })
}

// board takes pop-ups in memory; the store's own has its test on a database.
type board struct {
	agents map[string]string // by delivery
	takes  int               // looks after which a softphone has it; -1: never
	until  time.Time
}

func (b *board) PostPopUp(_ context.Context, m deliver.Message, agent string, _ time.Time) (time.Time, bool, error) {
	b.agents[m.DeliveryID] = agent
	return b.until, false, nil
}

func (b *board) PopUpTaken(context.Context, deliver.Message) (bool, error) {
	b.takes--
	return b.takes == 0, nil
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
