package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"aftercall/internal/store/db"
)

// Rollback makes a stored revision active again, for a person, by the door of aftercall apply and rollback. It is a no-op
// (changed false) if the revision is active already. *Governed if another door has the authority, *Moved if another revision
// is active than a.Base.
func (s *Store) Rollback(ctx context.Context, by Actor, a Activation) (changed bool, err error) {
	a.By, a.Origin = by.Name, ByCLI
	act := Act{AccountID: a.AccountID, By: by, What: ActRolledBack, Target: a.RevisionID}
	err = s.changeTx(ctx, &act, func(_ pgx.Tx, q *db.Queries) error {
		if err := admit(ctx, q, a); err != nil {
			return err
		}
		rows, err := q.ActiveRevision(ctx, a.AccountID)
		if err != nil {
			return err
		}
		for _, r := range rows {
			act.tell("from", r.RevisionID)
		}
		if changed, err = activate(ctx, q, a); err == nil && !changed {
			err = errAlready
		}
		return err
	})
	if errors.Is(err, errAlready) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("make revision %s of account %s active again: %w", a.RevisionID, a.AccountID, err)
	}
	return true, nil
}

// ActivationRow is one line of an account's activations.
type ActivationRow struct {
	Activated
	Cursor string // where the list goes on after it
	Origin Origin
}

// Activations lists what was made active when, the newest first, by cursor: 50 unless limit says otherwise, at most 200.
func (r *Reader) Activations(ctx context.Context, accountID, before string, limit int) (list []ActivationRow, next string, err error) {
	if !r.within.Has(accountID) {
		return nil, "", fmt.Errorf("list activations of account %s: %w", accountID, ErrNotFound)
	}
	from := int64(math.MaxInt64)
	if before != "" {
		if from, err = strconv.ParseInt(before, 10, 64); err != nil {
			return nil, "", fmt.Errorf("list activations of account %s: the cursor is not one of ours: %w", accountID, ErrNotFound)
		}
	}
	limit = pageSize(limit)
	err = r.read(ctx, func(q *db.Queries) error {
		rows, err := q.ListActivations(ctx, db.ListActivationsParams{AccountID: accountID, Before: from, Most: int32(limit + 1)})
		for _, row := range rows {
			list = append(list, ActivationRow{Cursor: strconv.FormatInt(row.ID, 10), Origin: Origin(row.Origin),
				Activated: Activated{row.RevisionID, row.Digest, row.ActivatedAt, row.ActivatedBy, row.Message}})
		}
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("list activations of account %s: %w", accountID, err)
	}
	if len(list) > limit {
		list, next = list[:limit], list[limit-1].Cursor
	}
	return list, next, nil
}

// ConfigAttempt is what became of the last look at an account's watched folder; ok is false if it has none.
func (r *Reader) ConfigAttempt(ctx context.Context, accountID string) (a Attempt, ok bool, err error) {
	if !r.within.Has(accountID) {
		return a, false, fmt.Errorf("read the last look at the folder of account %s: %w", accountID, ErrNotFound)
	}
	var rows []db.ConfigAttempt
	err = r.read(ctx, func(q *db.Queries) error {
		rows, err = q.ReadConfigAttempt(ctx, accountID)
		return err
	})
	if err != nil {
		return a, false, fmt.Errorf("read the last look at the folder of account %s: %w", accountID, err)
	}
	for _, row := range rows {
		a, ok = attemptOf(row), true
	}
	return a, ok, nil
}

// mostWorkers bounds a list of workers.
const mostWorkers = 200

// Workers lists who works: whose lease is younger than lease.
func (s *Store) Workers(ctx context.Context, lease time.Duration) (workers []Worker, err error) {
	rows, err := s.q.WorkersNow(ctx, db.WorkersNowParams{Ttl: lease, Most: mostWorkers})
	if err != nil {
		return nil, fmt.Errorf("list the workers: %w", err)
	}
	for _, r := range rows {
		w := Worker{ID: r.ID, Host: r.Host, Version: r.Version, StartedAt: r.StartedAt, BeatAt: r.BeatAt}
		if err := json.Unmarshal(r.Revisions, &w.Revisions); err != nil {
			return nil, fmt.Errorf("decode what worker %s says of itself: %w", r.ID, err)
		}
		workers = append(workers, w)
	}
	return workers, nil
}
