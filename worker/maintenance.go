package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"aftercall/internal/signals"
	"aftercall/internal/store"
)

// Timing of the lease and the sweep. A worker that dies is noticed after Lease at most, and what it left is taken up by
// the next sweep: well under a minute, where River's own rescue waits for its longest job.
const (
	beatEvery  = 3 * time.Second
	sweepEvery = 5 * time.Second
	// A connection that died silently must not stop the beat, or peers would doubt what this worker sends.
	beatTimeout  = 3 * time.Second
	sweepTimeout = 30 * time.Second
	// sweepGrace is how old something must be before the lack of a live job is worth looking into.
	sweepGrace = time.Minute
)

// Lease is how long a worker counts as alive after its last beat.
const Lease = 15 * time.Second

// beat renews the lease until ctx ends.
func (w *Worker) beat(ctx context.Context) {
	every(ctx, beatEvery, func() {
		ctx, cancel := context.WithTimeout(ctx, beatTimeout)
		defer cancel()
		if err := w.store.Beat(ctx, w.myself()); err != nil && ctx.Err() == nil {
			w.log.Warn("renew the worker's lease", "worker_id", w.self.ID, "error", err)
		} else if err == nil {
			w.beaten.Store(time.Now().UnixNano())
		}
	})
}

// myself is what the worker says of itself, with the revisions that it knows as active by now.
func (w *Worker) myself() store.Worker {
	self := w.self
	self.Revisions = w.revisions.ActiveIDs()
	return self
}

// sweep takes up what a dead worker left, until ctx ends.
func (w *Worker) sweep(ctx context.Context) {
	every(ctx, sweepEvery, func() {
		ctx, cancel := context.WithTimeout(ctx, sweepTimeout)
		defer cancel()
		switch n, err := w.store.GiveBack(ctx, EnqueueDelivers(w.client)); {
		case err != nil && ctx.Err() == nil:
			w.log.Warn("give claims back whose commit was never answered", "error", err)
		case n > 0:
			w.log.Warn("gave claims back whose commit was never answered", slog.Int("deliveries", n))
			w.signals.Swept(signals.Returned, n)
		}
		if err := w.paused.read(ctx, w.client); err != nil && ctx.Err() == nil {
			w.log.Warn("look which queues are paused", "error", err)
		}
		s, err := w.store.Sweep(ctx, w.lease, sweepGrace, w.enqueueSwept)
		if err != nil {
			if ctx.Err() == nil {
				w.log.Warn("sweep", "error", err)
			}
			return
		}
		if len(s.Lapsed)+s.Unknown+s.Decides+s.Delivers+s.Erases+s.TooLate > 0 {
			w.log.Warn("swept", slog.Any("lapsed_workers", s.Lapsed), slog.Int("unknown", s.Unknown),
				slog.Int("decide_jobs", s.Decides), slog.Int("deliver_jobs", s.Delivers), slog.Int("erase_jobs", s.Erases), slog.Int("too_late", s.TooLate))
		}
		w.count(s)
		if err := w.endWaits(ctx); err != nil && ctx.Err() == nil {
			w.log.Warn("look which calls have ended", "error", err)
		}
	})
}

// count tells of what a sweep found.
func (w *Worker) count(s store.Swept) {
	w.signals.Swept(signals.Lapsed, len(s.Lapsed))
	w.signals.Swept(signals.Doubted, s.Unknown)
	w.signals.Swept(signals.Undone, s.Decides)
	w.signals.Swept(signals.Unsent, s.Delivers)
	w.signals.Swept(signals.Unerased, s.Erases)
	w.signals.Swept(signals.TooLate, s.TooLate)
}

// Works reports an error unless the queue is worked here: started, not about to stop, and under a lease that stands.
func (w *Worker) Works() error {
	beaten := w.beaten.Load()
	if beaten == 0 {
		return errors.New("the queue is not worked yet")
	}
	if time.Since(time.Unix(0, beaten)) > w.lease {
		return fmt.Errorf("the lease of worker %s has lapsed", w.self.ID)
	}
	select {
	case <-w.stopping:
		return errors.New("the worker is stopping")
	default:
		return nil
	}
}

func (w *Worker) enqueueSwept(ctx context.Context, tx pgx.Tx, jobs store.SweepJobs) error {
	return insert(ctx, w.client, tx, slices.Concat(decideParams(jobs.Decides), deliverParams(jobs.Delivers), eraseParams(jobs.Erasures...)))
}

// every runs f now and then on each tick until ctx ends.
func every(ctx context.Context, d time.Duration, f func()) {
	tick := time.NewTicker(d)
	defer tick.Stop()
	for {
		f()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
