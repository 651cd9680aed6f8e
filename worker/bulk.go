package worker

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
)

// BulkArgs asks for a bulk job to be worked on.
type BulkArgs struct {
	BulkID string `json:"bulk_id"`
}

// Kind names the job.
func (BulkArgs) Kind() string { return "bulk.work" }

// QueueBulk is the queue of bulk jobs. They make work for the other queues, and must not stand in one of them.
const QueueBulk = "bulk"

const (
	bulkTimeout = 2 * time.Minute
	bulkSlots   = 2
)

// EnqueueBulk returns the callback with which a bulk job is inserted in the transaction that asks for it.
func EnqueueBulk(c *river.Client[pgx.Tx]) func(context.Context, pgx.Tx, string) error {
	return func(ctx context.Context, tx pgx.Tx, bulkID string) error {
		return insert(ctx, c, tx, []river.InsertManyParams{{
			Args: BulkArgs{BulkID: bulkID}, InsertOpts: &river.InsertOpts{Queue: QueueBulk, MaxAttempts: maxJobAttempts},
		}})
	}
}

// bulker works bulk.work jobs, a while at a time: what an item means is known in the room above.
type bulker struct {
	river.WorkerDefaults[BulkArgs]
	with *deliverer
	some func(ctx context.Context, bulkID string) (more bool, err error)
}

// Timeout bounds one while.
func (b *bulker) Timeout(*river.Job[BulkArgs]) time.Duration { return bulkTimeout }

// NextRetry is the back-off of a job that failed for a reason of ours.
func (b *bulker) NextRetry(job *river.Job[BulkArgs]) time.Time {
	return nextRetry(b.with.now(), job.Attempt)
}

// Work does some items and comes back for more. Each item is a transaction of its own with the job's cursor in it, so that
// whoever goes on after a crash does none twice.
func (b *bulker) Work(ctx context.Context, job *river.Job[BulkArgs]) error {
	return guarded(b.with.log, func() error {
		if b.with.leaving() {
			return later(0)
		}
		more, err := b.some(ctx, job.Args.BulkID)
		switch {
		case gone(err):
			return never(err)
		case err != nil:
			return err
		case more:
			return later(0)
		}
		return nil
	})
}
