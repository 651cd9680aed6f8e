package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

// floor sees what the machine does at all: jobs that do nothing on River with our settings, and commits of one row.
func floor() measurement {
	return measurement{id: "floor", title: "what the machine does at all", take: takeFloor}
}

func takeFloor(ctx context.Context, b *bench) error {
	s, err := b.common(ctx)
	if err != nil {
		return err
	}
	if _, err := s.checker.Pool().Exec(ctx, `CREATE TABLE IF NOT EXISTS bench_floor (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, text text)`); err != nil {
		return fmt.Errorf("make a table for commits: %w", err)
	}
	pool, err := pgxpool.New(ctx, s.Database.Direct(s.name)+"&pool_max_conns=20")
	if err != nil {
		return fmt.Errorf("open a pool for the floor: %w", err)
	}
	defer pool.Close()
	for range b.rounds {
		b.pace()
		if err := s.tidy(ctx); err != nil {
			return err
		}
		jobs, err := idleJobs(ctx, pool, b.size(10_000, 500))
		if err != nil {
			return err
		}
		b.add("River jobs that do nothing", "/s", jobs)
		for _, clients := range []int{1, atOnce} {
			rate, err := commits(ctx, pool, clients, time.Duration(b.size(1000, 200))*time.Millisecond)
			if err != nil {
				return err
			}
			b.add(fmt.Sprintf("commits of one row, clients: %d", clients), "/s", rate)
		}
	}
	if _, err := pool.Exec(ctx, `DELETE FROM river_job WHERE kind = 'bench.idle'`); err != nil {
		return fmt.Errorf("take away the floor's jobs: %w", err)
	}
	return nil
}

// idle is a job that does nothing.
type idle struct{}

// Kind names the job.
func (idle) Kind() string { return "bench.idle" }

type idler struct {
	river.WorkerDefaults[idle]
	left atomic.Int64
	done chan struct{}
}

// Work counts.
func (w *idler) Work(context.Context, *river.Job[idle]) error {
	if w.left.Add(-1) == 0 {
		close(w.done)
	}
	return nil
}

// idleJobs works n jobs that wait and returns how many a second.
func idleJobs(ctx context.Context, pool *pgxpool.Pool, n int) (float64, error) {
	w := &idler{done: make(chan struct{})}
	w.left.Store(int64(n))
	workers := river.NewWorkers()
	river.AddWorker(workers, w)
	// The queue's settings are the product's (worker.go).
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{
		Workers: workers, Queues: map[string]river.QueueConfig{"bench_floor": {MaxWorkers: 500}},
		FetchCooldown: 5 * time.Millisecond, FetchPollInterval: 50 * time.Millisecond, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return 0, fmt.Errorf("make a queue for the floor: %w", err)
	}
	params := make([]river.InsertManyParams, n)
	for i := range params {
		params[i] = river.InsertManyParams{Args: idle{}, InsertOpts: &river.InsertOpts{Queue: "bench_floor"}}
	}
	if _, err := client.InsertManyFast(ctx, params); err != nil {
		return 0, fmt.Errorf("insert jobs for the floor: %w", err)
	}
	began := time.Now()
	if err := client.Start(ctx); err != nil {
		return 0, fmt.Errorf("work jobs for the floor: %w", err)
	}
	select {
	case <-w.done:
	case <-ctx.Done():
	}
	took := time.Since(began)
	if err := client.Stop(context.WithoutCancel(ctx)); err != nil {
		return 0, fmt.Errorf("stop the queue of the floor: %w", err)
	}
	return float64(n) / took.Seconds(), ctx.Err()
}

// commits inserts rows one by one, each in a transaction of its own, and returns how many a second.
func commits(ctx context.Context, pool *pgxpool.Pool, clients int, long time.Duration) (float64, error) {
	var n atomic.Int64
	errs := make([]error, clients)
	began := time.Now()
	var all sync.WaitGroup
	for c := range clients {
		all.Go(func() {
			for time.Since(began) < long && errs[c] == nil {
				_, errs[c] = pool.Exec(ctx, `INSERT INTO bench_floor (text) VALUES ($1)`, "a row of about the size that a receipt has in the ledger")
				n.Add(1)
			}
		})
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return 0, fmt.Errorf("commit rows for the floor: %w", err)
		}
	}
	return float64(n.Load()) / time.Since(began).Seconds(), nil
}
