package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"aftercall/internal/store"
)

// TestQueuesAreSummedUp by state, with how long the oldest has been due and what failed, by kind.
func TestQueuesAreSummedUp(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	h.exec(t, `INSERT INTO river_job (args, kind, queue, state, attempt, max_attempts, scheduled_at, finalized_at)
		SELECT '{}'::jsonb, kind, 'decide', state::river_job_state, attempt, 25, now() + due::interval, CASE WHEN state = 'discarded' THEN now() END
		FROM (VALUES ('a', 'available', 0, '-10 minutes'), ('a', 'available', 0, '-1 minute'), ('a', 'scheduled', 0, '1 hour'),
			('a', 'retryable', 2, '1 hour'), ('a', 'retryable', 7, '1 hour'), ('b', 'discarded', 25, '-1 hour')) AS v (kind, state, attempt, due)`)
	sums, err := h.Queues(t.Context(), []string{"decide", "bulk"})
	if err != nil || len(sums) != 2 {
		t.Fatalf("%+v, %v", sums, err)
	}
	for i := range sums {
		for n := range sums[i].Faults {
			sums[i].Faults[n].LastAt = time.Time{}
		}
	}
	if age := sums[1].Oldest; age < 10*time.Minute || age > time.Hour {
		t.Errorf("the oldest has waited %s", age)
	}
	sums[1].Oldest = 0
	want := []store.QueueSum{{Queue: "bulk"}, {Queue: "decide", Waiting: 2, PutOff: 1, Retrying: 2, GivenUp: 1,
		Faults: []store.QueueFault{{Kind: "a", Jobs: 2, Attempts: 7}, {Kind: "b", GivenUp: true, Jobs: 1, Attempts: 25}}}}
	if d := cmp.Diff(want, sums); d != "" {
		t.Error(d)
	}
}

// TestAQueueThatCannotBeSwitchedLeavesNoLine: nor is anything else of it left.
func TestAQueueThatCannotBeSwitchedLeavesNoLine(t *testing.T) {
	t.Parallel()
	h, broken := open(t, store.Options{}), errors.New("broken")
	err := h.SwitchQueue(t.Context(), store.Actor{Name: "ann"}, "decide", true, func(context.Context, pgx.Tx) error { return broken })
	acts, _, listed := h.FindActs(t.Context(), store.ActQuery{What: store.ActQueuePaused})
	if !errors.Is(err, broken) || listed != nil || len(acts) != 0 {
		t.Errorf("%v; %+v, %v", err, acts, listed)
	}
}
