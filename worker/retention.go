package worker

import (
	"context"
	"log/slog"
	"time"
)

// retainEvery is how often a worker looks for what an account keeps no longer. A day's calls are then erased over the day.
const retainEvery = 10 * time.Minute

// retain erases what is older than its account keeps it, until ctx ends. The config that is active now counts, not the one a
// call was decided under; an account whose config cannot be read here keeps everything.
func (w *Worker) retain(ctx context.Context) {
	every(ctx, retainEvery, func() {
		w.dropAnswers(ctx)
		for _, rev := range w.revisions.Accounts() {
			if rev.KeepDays == 0 {
				continue
			}
			before := w.now().AddDate(0, 0, -rev.KeepDays)
			done, err := w.store.Retain(ctx, rev.AccountID, before)
			if err != nil && ctx.Err() == nil {
				w.log.Warn("erase what is past its retention", "account_id", rev.AccountID, "error", err)
			}
			if done.Conversations+done.Events > 0 {
				w.log.Info("erased what is past its retention", slog.String("account_id", rev.AccountID), slog.Time("before", before),
					slog.Int("conversations", done.Conversations), slog.Int("events", done.Events))
			}
		}
	})
}

// dropAnswers drops what programs were answered, when they can no longer ask for it again.
func (w *Worker) dropAnswers(ctx context.Context) {
	if _, err := w.store.DropAnswers(ctx, w.now()); err != nil && ctx.Err() == nil {
		w.log.Warn("drop what programs were answered", "error", err)
	}
}
