package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"aftercall/internal/signals"
	"aftercall/internal/store/db"
)

// QueueSum is what one queue holds. Each count ends at signals.Counted.
type QueueSum struct {
	Queue    string
	Waiting  int // due, and nobody has taken them
	Running  int
	PutOff   int           // not due yet
	Retrying int           // failed for a reason of ours, and tried again
	GivenUp  int           // failed too often; kept for a while
	Oldest   time.Duration // how long the one that waits longest has been due
	Faults   []QueueFault
}

// QueueFault is one kind of job that failed in a queue.
type QueueFault struct {
	Kind     string
	GivenUp  bool
	Jobs     int
	Attempts int // the most that one of them has had
	LastAt   time.Time
}

// Queues sums the queues up for those who run the installation. It looks at no more than the first jobs of each state.
func (s *Store) Queues(ctx context.Context, queues []string) (sums []QueueSum, err error) {
	err = s.read(ctx, func(q *db.Queries) error {
		ages, err := q.QueueVitals(ctx, db.QueueVitalsParams{Queues: queues, Most: 1})
		if err != nil {
			return err
		}
		states, err := q.QueueStates(ctx, db.QueueStatesParams{Queues: queues, Most: signals.Counted})
		if err != nil {
			return err
		}
		faults, err := q.QueueFaults(ctx, db.QueueFaultsParams{Queues: queues, Most: signals.Counted})
		sums = queueSums(ages, states, faults)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("sum up the queues: %w", err)
	}
	return sums, nil
}

func queueSums(ages []db.QueueVitalsRow, states []db.QueueStatesRow, faults []db.QueueFaultsRow) []QueueSum {
	sums, place := make([]QueueSum, len(ages)), map[string]int{}
	for i, a := range ages {
		sums[i], place[a.Queue] = QueueSum{Queue: a.Queue, Oldest: seconds(a.AgeSeconds)}, i
	}
	for _, r := range states {
		sum, n := &sums[place[r.Queue]], int(r.Jobs)
		switch db.RiverJobState(r.State) {
		case db.RiverJobStateAvailable:
			sum.Waiting = n
		case db.RiverJobStateRunning:
			sum.Running = n
		case db.RiverJobStateScheduled:
			sum.PutOff = n
		case db.RiverJobStateRetryable:
			sum.Retrying = n
		case db.RiverJobStateDiscarded:
			sum.GivenUp = n
		}
	}
	for _, r := range faults {
		sum := &sums[place[r.Queue]]
		sum.Faults = append(sum.Faults, QueueFault{Kind: r.Kind, GivenUp: r.State == string(db.RiverJobStateDiscarded), Jobs: int(r.Jobs),
			Attempts: int(r.Attempts), LastAt: r.LastAt})
	}
	return sums
}

// SwitchQueue pauses a queue or lets it go on, which is what do does in its transaction, with its line in the audit log.
func (s *Store) SwitchQueue(ctx context.Context, by Actor, queue string, paused bool, do func(ctx context.Context, tx pgx.Tx) error) error {
	act := Act{By: by, What: ActQueueGoesOn, Target: queue}
	if paused {
		act.What = ActQueuePaused
	}
	if err := s.changeTx(ctx, &act, func(tx pgx.Tx, _ *db.Queries) error { return do(ctx, tx) }); err != nil {
		return fmt.Errorf("switch queue %s: %w", queue, err)
	}
	return nil
}
