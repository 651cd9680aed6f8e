package store

import (
	"context"
	"fmt"
	"time"

	"aftercall/internal/store/db"
)

// The backlog is counted no further than this, and read again when it is this old.
const (
	backlogMost = 10_000
	backlogAge  = time.Second
)

// backlogs remembers how many conversations of each account are undecided. Only the group writer touches it.
type backlogs map[string]backlog

type backlog struct {
	count int
	at    time.Time
}

// fill puts each account's backlog on its jobs. What came in since the last count is added to it, so that somebody who
// posts thousands within a second does not count as one who has none.
func (b backlogs) fill(ctx context.Context, q *db.Queries, jobs []DecideJob, now time.Time) error {
	var stale []string
	for _, j := range jobs {
		if known, ok := b[j.AccountID]; !ok || now.Sub(known.at) >= backlogAge {
			stale = append(stale, j.AccountID)
			b[j.AccountID] = backlog{count: known.count, at: now}
		}
	}
	if len(stale) > 0 {
		rows, err := q.Backlogs(ctx, db.BacklogsParams{AccountIds: stale, Most: backlogMost})
		if err != nil {
			clear(b) // counted anew with the next batch
			return fmt.Errorf("count undecided conversations: %w", err)
		}
		for _, r := range rows {
			b[r.AccountID] = backlog{count: int(r.Backlog), at: now}
		}
	}
	for n, j := range jobs {
		known := b[j.AccountID]
		jobs[n].Backlog = known.count
		known.count++
		b[j.AccountID] = known
	}
	return nil
}
