package store

import (
	"context"
	"fmt"
	"sync"
	"time"

	"aftercall/internal/store/db"
)

// The backlog is counted no further than this, and read again when it is this old.
const (
	backlogMost = 10_000
	backlogAge  = time.Second
)

// backlogs remembers how many conversations of each account are undecided.
type backlogs struct {
	mu     sync.Mutex
	counts map[string]backlog
}

type backlog struct {
	count int
	at    time.Time
}

// fill puts each account's backlog on its jobs. What came in since the last count is added to it, so that somebody who
// posts thousands within a second does not count as one who has none.
func (b *backlogs) fill(ctx context.Context, q *db.Queries, jobs []DecideJob, now time.Time) error {
	if stale := b.stale(jobs, now); len(stale) > 0 {
		rows, err := q.Backlogs(ctx, db.BacklogsParams{AccountIds: stale, Most: backlogMost})
		if err != nil {
			b.forget(stale)
			return fmt.Errorf("count undecided conversations: %w", err)
		}
		b.counted(rows, now)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for n, j := range jobs {
		known := b.counts[j.AccountID]
		jobs[n].Backlog = known.count
		known.count++
		b.counts[j.AccountID] = known
	}
	return nil
}

// stale lists the accounts to be counted again. Whoever asks next meanwhile finds them fresh and counts nothing.
func (b *backlogs) stale(jobs []DecideJob, now time.Time) (accounts []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, j := range jobs {
		if known, ok := b.counts[j.AccountID]; !ok || now.Sub(known.at) >= backlogAge {
			accounts = append(accounts, j.AccountID)
			b.counts[j.AccountID] = backlog{count: known.count, at: now}
		}
	}
	return accounts
}

func (b *backlogs) counted(rows []db.BacklogsRow, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range rows {
		b.counts[r.AccountID] = backlog{count: int(r.Backlog), at: now}
	}
}

// forget has the accounts counted anew with the next batch.
func (b *backlogs) forget(accounts []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range accounts {
		delete(b.counts, a)
	}
}
