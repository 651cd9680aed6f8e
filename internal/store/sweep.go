package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"aftercall/internal/store/db"
)

// Worker is a running worker process. Its id is also its River client's, so that a sweep can tell whose a running job is.
type Worker struct {
	ID, Host, Version string
	StartedAt         time.Time
	BeatAt            time.Time         // when it was heard of last; not written
	Revisions         map[string]string // account → id of the revision that it knows as the active one
}

// Beat renews a worker's lease. The first beat comes before the first job.
func (s *Store) Beat(ctx context.Context, w Worker) error {
	known := w.Revisions
	if known == nil {
		known = map[string]string{}
	}
	revisions, err := encode(known)
	if err == nil {
		err = s.q.Beat(ctx, db.BeatParams{ID: w.ID, Host: clean(w.Host), Version: clean(w.Version), StartedAt: w.StartedAt, Revisions: revisions})
	}
	if err != nil {
		return fmt.Errorf("renew the lease of worker %s: %w", w.ID, err)
	}
	return nil
}

// Leave ends a worker's lease: it stopped in order and holds nothing.
func (s *Store) Leave(ctx context.Context, workerID string) error {
	if err := s.q.Leave(ctx, workerID); err != nil {
		return fmt.Errorf("end the lease of worker %s: %w", workerID, err)
	}
	return nil
}

// Swept is what a sweep found.
type Swept struct {
	Lapsed   []string // workers whose lease had lapsed
	Unknown  int      // deliveries found half-sent
	Decides  int      // decide jobs inserted
	Delivers int      // deliver jobs inserted
	Erases   int      // erase jobs inserted
	TooLate  int      // deliveries past their deadline
}

const (
	sweepLock    = 0x7377656570    // "sweep": the advisory lock of the one sweep that runs
	longestClaim = 5 * time.Minute // a job and its receipt take less, unless the database is away
	sweepMost    = 1000            // rows of each kind in one sweep; the next one goes on
)

// SweepJobs is what nothing in the queue would have taken up.
type SweepJobs struct {
	Decides  []DecideJob
	Delivers []DeliverJob
	Erasures []string // ids
}

// Sweep finds what a dead worker left and what has no live job, in one transaction: deliveries in sending under a lapsed
// lease become unknown; conversations not decided, deliveries due and erasures asked for that have no live job get fresh ones: at once where
// a lapsed worker was deciding or sending, else after grace. A running job of a lapsed worker is not live, nor is one that was handed
// out before the database crashed: perhaps nobody heard of it. Only one sweep runs at a time; another returns at once. A
// lease lapses after ttl, and not within ttl of the database's own start. Idempotent.
func (s *Store) Sweep(ctx context.Context, ttl, grace time.Duration, enqueue func(ctx context.Context, tx pgx.Tx, jobs SweepJobs) error) (swept Swept, err error) {
	err = inTx(ctx, s.pool, func(tx pgx.Tx, q *db.Queries) error {
		mine, err := q.TrySweepLock(ctx, sweepLock)
		if err != nil || !mine {
			return err
		}
		if swept, err = settleLapsed(ctx, q, ttl); err != nil {
			return err
		}
		jobs, err := withoutJob(ctx, q, swept.Lapsed, ttl, grace)
		if err != nil {
			return err
		}
		swept.Decides, swept.Delivers, swept.Erases = len(jobs.Decides), len(jobs.Delivers), len(jobs.Erasures)
		if swept.Decides+swept.Delivers+swept.Erases > 0 {
			if err := enqueue(ctx, tx, jobs); err != nil {
				return fmt.Errorf("enqueue jobs: %w", err)
			}
		}
		return q.DropWorkers(ctx, swept.Lapsed)
	})
	if err != nil {
		return Swept{}, fmt.Errorf("sweep: %w", err)
	}
	return swept, nil
}

// settleLapsed finds the workers that lapsed, and doubts what they were sending.
func settleLapsed(ctx context.Context, q *db.Queries, ttl time.Duration) (swept Swept, err error) {
	lapsed, err := q.LapsedWorkers(ctx, ttl)
	if err != nil {
		return swept, fmt.Errorf("look for lapsed workers: %w", err)
	}
	swept.Lapsed = append([]string{}, lapsed...)
	doubted, err := q.DoubtLapsed(ctx, db.DoubtLapsedParams{Lapsed: swept.Lapsed, Ttl: ttl, Longest: longestClaim})
	if err != nil {
		return swept, fmt.Errorf("doubt what lapsed workers were sending: %w", err)
	}
	late, err := q.ExpireDeliveries(ctx, sweepMost)
	if err != nil {
		return swept, fmt.Errorf("fail what is too late: %w", err)
	}
	for _, d := range doubted {
		if DeliveryState(d.State) == Unknown {
			swept.Unknown++
		}
	}
	swept.TooLate = int(late)
	if _, err := q.ForgetCounted(ctx, sweepMost); err != nil {
		return swept, fmt.Errorf("forget what was counted: %w", err)
	}
	return swept, nil
}

// withoutJob finds the conversations, deliveries and erasures that nothing in the queue will take up.
func withoutJob(ctx context.Context, q *db.Queries, lapsed []string, ttl, grace time.Duration) (jobs SweepJobs, err error) {
	conversations, err := q.ConversationsWithoutJob(ctx, db.ConversationsWithoutJobParams{
		Lapsed: lapsed, Ttl: ttl, Grace: grace, Most: sweepMost})
	if err != nil {
		return jobs, fmt.Errorf("look for conversations without a job: %w", err)
	}
	for _, c := range conversations {
		jobs.Decides = append(jobs.Decides, DecideJob{AccountID: c.AccountID, ConversationID: c.ID, Run: int(c.Run)})
	}
	deliveries, err := q.DeliveriesWithoutJob(ctx, db.DeliveriesWithoutJobParams{
		Lapsed: lapsed, Ttl: ttl, Grace: grace, Most: sweepMost})
	if err != nil {
		return jobs, fmt.Errorf("look for deliveries without a job: %w", err)
	}
	now := time.Now()
	for _, d := range deliveries {
		j := DeliverJob{AccountID: d.AccountID, ConversationID: d.ConversationID, Channel: d.Channel}
		if d.DueAt.After(now) {
			j.At = d.DueAt
		}
		jobs.Delivers = append(jobs.Delivers, j)
	}
	jobs.Erasures, err = q.ErasuresWithoutJob(ctx, db.ErasuresWithoutJobParams{Lapsed: lapsed, Ttl: ttl, Grace: grace, Most: sweepMost})
	if err != nil {
		return jobs, fmt.Errorf("look for erasures without a job: %w", err)
	}
	return jobs, nil
}
