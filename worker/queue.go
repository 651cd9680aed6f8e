package worker

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"

	"aftercall/deliver"
	"aftercall/internal/store"
)

// QueueDecide is the queue of decisions. Every channel has a queue of its own, so that a slow provider never starves them.
const QueueDecide = "decide"

// QueueOf names a channel's queue.
func QueueOf(channel string) string { return "deliver_" + channel }

// Channels lists the channels that are delivered by jobs; tasks are rows written with the plan.
func Channels() []string {
	return []string{deliver.Email, deliver.SMS, deliver.Chatter, deliver.CTI, deliver.TeamAlert}
}

// Queues lists every queue there is.
func Queues() []string {
	queues := []string{QueueDecide, QueueBulk, QueueOf(deliver.Push)}
	for _, ch := range Channels() {
		queues = append(queues, QueueOf(ch))
	}
	return queues
}

// NewInserter returns a River client that only inserts: what a web process needs.
func NewInserter(s *store.Store) (*river.Client[pgx.Tx], error) {
	c, err := river.NewClient(riverpgxv5.New(s.Pool()), &river.Config{})
	if err != nil {
		return nil, fmt.Errorf("create the queue's inserter: %w", err)
	}
	return c, nil
}

// EnqueueDecides returns the callback with which ingest and sweeps insert decide jobs in their own transaction.
func EnqueueDecides(c *river.Client[pgx.Tx]) func(context.Context, pgx.Tx, []store.DecideJob) error {
	return func(ctx context.Context, tx pgx.Tx, jobs []store.DecideJob) error {
		return insert(ctx, c, tx, decideParams(jobs))
	}
}

// EnqueueDelivers returns the same for deliver jobs.
func EnqueueDelivers(c *river.Client[pgx.Tx]) func(context.Context, pgx.Tx, []store.DeliverJob) error {
	return func(ctx context.Context, tx pgx.Tx, jobs []store.DeliverJob) error {
		return insert(ctx, c, tx, deliverParams(jobs))
	}
}

// insertDelivers returns the same in a transaction of its own.
func insertDelivers(c *river.Client[pgx.Tx]) func(context.Context, []store.DeliverJob) error {
	return func(ctx context.Context, jobs []store.DeliverJob) error {
		_, err := c.InsertMany(ctx, deliverParams(jobs))
		return err
	}
}

// insert uses InsertManyTx, not the COPY of InsertManyFastTx: a batch is a few dozen jobs, for which COPY measured 3-5
// times slower.
func insert(ctx context.Context, c *river.Client[pgx.Tx], tx pgx.Tx, params []river.InsertManyParams) error {
	if len(params) == 0 {
		return nil
	}
	if _, err := c.InsertManyTx(ctx, tx, params); err != nil {
		return fmt.Errorf("insert jobs: %w", err)
	}
	return nil
}

func decideParams(jobs []store.DecideJob) []river.InsertManyParams {
	params := make([]river.InsertManyParams, len(jobs))
	for i, j := range jobs {
		params[i] = river.InsertManyParams{
			Args: DecideArgs{ConversationID: j.ConversationID, Run: max(j.Run, 1)},
			InsertOpts: &river.InsertOpts{
				Queue: QueueDecide, Priority: priority(j.Backlog), MaxAttempts: maxJobAttempts, ScheduledAt: j.At,
				Metadata: carrying(j.Trace),
			},
		}
	}
	return params
}

func deliverParams(jobs []store.DeliverJob) []river.InsertManyParams {
	params := make([]river.InsertManyParams, len(jobs))
	for i, j := range jobs {
		params[i] = river.InsertManyParams{
			Args: DeliverArgs{ConversationID: j.ConversationID, Channel: j.Channel},
			InsertOpts: &river.InsertOpts{
				Queue: QueueOf(j.Channel), Priority: max(j.Priority, 1), MaxAttempts: maxJobAttempts, ScheduledAt: j.At,
				Metadata: carrying(j.Trace),
			},
		}
	}
	return params
}

// cargo is what a job's metadata carries of ours: the trace it belongs to.
type cargo struct {
	Trace string `json:"traceparent"`
}

// carrying is the metadata of a job that belongs to a trace; nil for one that nobody follows.
func carrying(trace string) []byte {
	if trace == "" {
		return nil
	}
	metadata, err := json.Marshal(cargo{trace})
	if err != nil {
		return nil // a string is always written
	}
	return metadata
}

// carried is the trace that a job belongs to, "" if there is none.
func carried(job *rivertype.JobRow) string {
	var c cargo
	if len(job.Metadata) > len(`{"":""}`) && json.Unmarshal(job.Metadata, &c) != nil {
		return ""
	}
	return c.Trace
}

// maxJobAttempts is how often River runs a job that fails for a reason of ours (never the model's or a provider's, which
// snooze). The last failure decides the conversation as failed; the sweeper inserts a fresh job should one be discarded.
const maxJobAttempts = 25

// priority keeps accounts fair: whoever has many undecided conversations waits behind whoever has few. 1 goes first.
func priority(backlog int) int {
	switch {
	case backlog < 100:
		return 1
	case backlog < 1000:
		return 2
	case backlog < 5000:
		return 3
	default:
		return 4
	}
}

// nextRetry is River's back-off for jobs that failed: 2 s, 4 s, 8 s … at most 5 minutes.
func nextRetry(now time.Time, attempt int) time.Time {
	return now.Add(min(time.Second<<min(attempt, 10), 5*time.Minute))
}
