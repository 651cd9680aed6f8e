package worker

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
)

// EraseArgs asks for an erasure to be worked on. What is to be erased stands in its row, not in the queue.
type EraseArgs struct {
	ErasureID string `json:"erasure_id"`
}

// Kind names the job.
func (EraseArgs) Kind() string { return "erase.work" }

const (
	eraseTimeout = 30 * time.Minute // every event that belongs to no call is read to find a customer's
	eraseAgain   = 5 * time.Second  // until a message under way has ended
)

// EnqueueErase returns the callback with which an erasure's job is inserted in the transaction that asks for it.
func EnqueueErase(c *river.Client[pgx.Tx]) func(context.Context, pgx.Tx, string) error {
	return func(ctx context.Context, tx pgx.Tx, erasureID string) error {
		return insert(ctx, c, tx, eraseParams(erasureID))
	}
}

func eraseParams(erasureIDs ...string) []river.InsertManyParams {
	params := make([]river.InsertManyParams, len(erasureIDs))
	for i, id := range erasureIDs {
		params[i] = river.InsertManyParams{Args: EraseArgs{ErasureID: id}, InsertOpts: &river.InsertOpts{Queue: QueueBulk, MaxAttempts: maxJobAttempts}}
	}
	return params
}

// eraser works erase.work jobs. Whoever goes on after a crash finds what is left.
type eraser struct {
	river.WorkerDefaults[EraseArgs]
	with *deliverer
	some func(ctx context.Context, erasureID string) (more bool, err error)
}

// Timeout bounds one look.
func (e *eraser) Timeout(*river.Job[EraseArgs]) time.Duration { return eraseTimeout }

// NextRetry is the back-off of a job that failed for a reason of ours.
func (e *eraser) NextRetry(job *river.Job[EraseArgs]) time.Time {
	return nextRetry(e.with.now(), job.Attempt)
}

// Work erases what there is, and comes back for what was under way.
func (e *eraser) Work(ctx context.Context, job *river.Job[EraseArgs]) error {
	return guarded(e.with.log, func() error {
		if e.with.leaving() {
			return later(0)
		}
		more, err := e.some(ctx, job.Args.ErasureID)
		switch {
		case err != nil:
			return err
		case more:
			return later(eraseAgain)
		}
		return nil
	})
}
