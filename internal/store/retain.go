package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"aftercall/internal/store/db"
)

// Retained is what one pass of an account's retention erased.
type Retained struct{ Conversations, Events int }

// retainLock is the advisory lock under which retention erases: one batch at a time, whatever the number of workers.
const retainLock = 0x72657461696e // "retain"

// Retain erases what an account accepted before a time, the oldest first, in batches with pauses as long as they took: at
// most half of one connection is busy with it, and what somebody else is at is left for the next pass. While another process
// erases, it returns at once.
func (s *Store) Retain(ctx context.Context, accountID string, before time.Time) (done Retained, err error) {
	r := &retaining{store: s, account: accountID, before: FirstID(before), after: uuid.Nil.String()}
	for _, next := range []func(context.Context, *db.Queries) (bool, error){r.conversations, r.events} {
		if err = r.all(ctx, next); err != nil {
			break
		}
	}
	if err == nil && r.begun {
		err = s.FinishErasure(ctx, r.erasure)
	}
	if err != nil {
		return r.done, fmt.Errorf("erase what account %s keeps no longer: %w", accountID, err)
	}
	return r.done, nil
}

// retaining is one pass over one account.
type retaining struct {
	store         *Store
	account       string
	before, after string // ids
	erasure       Erasure
	begun         bool // the erasure has its row
	elsewhere     bool // another process erases
	done          Retained
}

// all takes batch after batch until there is no more, or somebody else is at it. What a batch has noted counts only if it was
// committed; one that crossed with somebody else's is tried again.
func (r *retaining) all(ctx context.Context, next func(context.Context, *db.Queries) (bool, error)) error {
	tries := 0
	for more := !r.elsewhere; more; {
		began, before := time.Now(), *r
		err := r.store.erasing(ctx, func(ctx context.Context, q *db.Queries) error {
			mine, err := q.TrySweepLock(ctx, retainLock)
			if err != nil || !mine {
				more, r.elsewhere = false, true
				return err
			}
			more, err = next(ctx, q)
			return err
		})
		if tries++; err == nil {
			tries = 0
		} else if *r, more = before, crossed(err); !more || tries == eraseTries {
			return err
		}
		if more && !pause(ctx, r.store.closing, time.Since(began)) {
			return ctx.Err()
		}
	}
	return nil
}

// conversations erases the next conversations. They go with the events about them.
func (r *retaining) conversations(ctx context.Context, q *db.Queries) (more bool, err error) {
	due, err := q.LockDue(ctx, db.LockDueParams{AccountID: r.account, After: r.after, Before: r.before, Most: eraseMost})
	if err != nil || len(due) == 0 {
		return false, err
	}
	if err := r.begin(ctx, q); err != nil {
		return false, err
	}
	l := locked{calls: make([]db.LockErasingRow, len(due))}
	for n, d := range due {
		l.calls[n] = db.LockErasingRow(d)
	}
	busy, err := r.store.eraseLocked(ctx, q, r.erasure, l)
	if err != nil {
		return false, err
	}
	r.after = due[len(due)-1].ID
	r.done.Conversations += len(due) - len(busy)
	return len(due) == eraseMost, nil
}

// events erases the next events that belong to no conversation. They keep no hash: one that is posted again after all that
// time is a new event, and goes the same way.
func (r *retaining) events(ctx context.Context, q *db.Queries) (more bool, err error) {
	due, err := q.DueEvents(ctx, db.DueEventsParams{AccountID: r.account, Before: r.before, Most: eraseMost})
	if err != nil || len(due) == 0 {
		return false, err
	}
	if err := r.begin(ctx, q); err != nil {
		return false, err
	}
	gone, err := q.EraseEvents(ctx, db.EraseEventsParams{Ids: due, AccountID: r.account})
	if err != nil {
		return false, fmt.Errorf("delete events: %w", err)
	}
	r.done.Events += len(gone)
	return len(due) == eraseMost, r.erasure.keep(ctx, q, db.KeepHashesParams{}, 0, len(gone))
}

// begin writes the erasure's row with the first batch.
func (r *retaining) begin(ctx context.Context, q *db.Queries) error {
	if r.begun {
		return nil
	}
	r.erasure = Erasure{ID: newID(), AccountID: r.account}
	r.begun = true
	return r.erasure.begin(ctx, q, CauseRetention, "retention in account.yaml")
}
