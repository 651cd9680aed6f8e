package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"aftercall/internal/store/db"
)

// claim is a group of claims that one transaction makes.
type claim struct {
	id      string
	workers []string  // whose claims they are
	at      time.Time // when it began, on this machine's clock
}

func newClaim() claim { return claim{id: newID(), at: time.Now()} }

// lostClaims remembers the claims whose commit was sent and never answered. They may stand in the ledger as sending
// although no worker knows of them: nothing was sent, and nobody would ever say so. If this process dies before it has
// given them back, a sweep calls them unknown, and where only this process's lease had lapsed it takes that back.
type lostClaims struct {
	mu  sync.Mutex
	all []claim
}

// lostFor is how long a commit without an answer is reckoned with; far longer than any transaction of ours lives.
const lostFor = time.Minute

// inTx runs f in one transaction and notes c as lost if its commit has no answer.
func (l *lostClaims) inTx(ctx context.Context, pool *pgxpool.Pool, c claim, f func(tx pgx.Tx, q *db.Queries) error) error {
	tx, err := pool.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // of a committed one: nothing
	if err := f(tx, db.New(tx)); err != nil {
		return err
	}
	err = tx.Commit(ctx)
	if err != nil && !errors.Is(err, pgx.ErrTxCommitRollback) {
		l.note(c)
	}
	return err
}

func (l *lostClaims) note(c claim) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.at = time.Now() // of the commit
	l.all = append(l.all, c)
}

func (l *lostClaims) list() []claim {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.all)
}

// forget drops what has just been given back and was old then. However long the database was away, nothing is forgotten
// before it has been asked.
func (l *lostClaims) forget(asked time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = slices.DeleteFunc(l.all, func(c claim) bool { return asked.Sub(c.at) > lostFor })
}

// GiveBack returns to the ledger what this process claimed in commits that were never answered, and enqueues jobs for it
// in the same transaction. Call it now and then: for a while a claim is given back again and again, because a commit
// without an answer may be seen only later. It returns how many deliveries went back.
func (s *Store) GiveBack(ctx context.Context, enqueue func(ctx context.Context, tx pgx.Tx, jobs []DeliverJob) error) (n int, err error) {
	asked, lost := time.Now(), s.lost.list()
	if len(lost) == 0 {
		return 0, nil
	}
	var p db.ReleaseClaimsParams
	for _, c := range lost {
		p.ClaimIds, p.WorkerIds = append(p.ClaimIds, c.id), append(p.WorkerIds, c.workers...)
	}
	err = inTx(ctx, s.pool, func(tx pgx.Tx, q *db.Queries) error {
		rows, err := q.ReleaseClaims(ctx, p)
		if n = len(rows); err != nil || n == 0 {
			return err
		}
		var jobs []DeliverJob
		for _, r := range rows {
			if j := (DeliverJob{AccountID: r.AccountID, ConversationID: r.ConversationID, Channel: r.Channel}); !slices.Contains(jobs, j) {
				jobs = append(jobs, j)
			}
		}
		return enqueue(ctx, tx, jobs)
	})
	if err != nil {
		return 0, fmt.Errorf("give lost claims back: %w", err)
	}
	s.lost.forget(asked)
	return n, nil
}
