package store

import (
	"context"
	"fmt"
	"time"

	"aftercall/internal/signals"
	"aftercall/internal/store/db"
	"aftercall/migrations"
)

// Vitals reads what metrics show of the whole installation: how old the queues are, what is not decided, what is not final
// in the ledger, what is to be erased, who works. A worker counts whose lease is younger than lease.
func (s *Store) Vitals(ctx context.Context, queues []string, lease time.Duration) (v signals.Vitals, err error) {
	err = s.read(ctx, func(q *db.Queries) error {
		v = signals.Vitals{
			QueueAge: map[string]time.Duration{}, QueueJobs: map[string]int{},
			Undecided: map[string]int{string(StateAccepted): 0, string(StateWaiting): 0},
			Ledger:    map[string]int{},
		}
		for _, state := range []DeliveryState{Planned, Sending, Retrying, Held, Unknown} {
			v.Ledger[string(state)] = 0
		}
		if err := lookAtQueues(ctx, q, queues, &v); err != nil {
			return err
		}
		if err := lookAtLedger(ctx, q, &v); err != nil {
			return err
		}
		house, err := q.HouseVitals(ctx, lease)
		v.Workers, v.Accounts, v.Troubled = int(house.Workers), int(house.Accounts), int(house.Troubled)
		v.OldestErasure = seconds(house.ErasureSeconds)
		return err
	})
	if err != nil {
		return signals.Vitals{}, fmt.Errorf("read the vitals: %w", err)
	}
	return v, nil
}

func lookAtQueues(ctx context.Context, q *db.Queries, queues []string, v *signals.Vitals) error {
	waiting, err := q.QueueVitals(ctx, db.QueueVitalsParams{Queues: queues, Most: signals.Counted})
	if err != nil {
		return err
	}
	for _, r := range waiting {
		v.QueueAge[r.Queue], v.QueueJobs[r.Queue] = seconds(r.AgeSeconds), int(r.Jobs)
	}
	return nil
}

func lookAtLedger(ctx context.Context, q *db.Queries, v *signals.Vitals) error {
	undecided, err := q.UndecidedVitals(ctx, signals.Counted)
	if err != nil {
		return err
	}
	for _, r := range undecided {
		v.Undecided[r.State] = int(r.Conversations)
		v.OldestUndecided = max(v.OldestUndecided, seconds(r.AgeSeconds))
	}
	open, err := q.LedgerVitals(ctx, signals.Counted)
	if err != nil {
		return err
	}
	for _, r := range open {
		v.Ledger[r.State] = int(r.Deliveries)
		v.OldestDue = max(v.OldestDue, seconds(r.AgeSeconds))
	}
	return nil
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// Answers reports an error unless the database answers.
func (s *Store) Answers(ctx context.Context) error {
	if err := s.pool.Ping(ctx); err != nil {
		return fmt.Errorf("ask the database: %w", err)
	}
	return nil
}

// SchemaFits reports an error if the database's schema is older than this binary needs. While nobody can tell, it is not
// known to be: that the database is away is Answers' to say.
func (s *Store) SchemaFits(ctx context.Context) error {
	if err := migrations.Ready(ctx, s.pool); err != nil && !Away(err) {
		return err
	}
	return nil
}
