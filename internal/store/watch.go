package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"aftercall/internal/store/db"
)

// watchLock is the kind of the advisory locks of those who watch an account's folder.
const watchLock = 0x636f6e66 // "conf"

// claimTime bounds one question about a claim: a line that has gone silent must not keep the watcher from its other accounts.
const claimTime = 5 * time.Second

// Watch is a process's claim to be the one that takes config from a folder. It lives on a connection of its own and ends
// with it, so a process that dies is followed by another within its next look. It is for one goroutine.
type Watch struct {
	store *Store
	conn  *pgx.Conn
	mine  map[string]bool // by account
}

// NewWatch returns a claim to nothing yet.
func (s *Store) NewWatch() *Watch { return &Watch{store: s} }

// Mine reports whether this process watches for the account, and takes that on if nobody does.
func (w *Watch) Mine(ctx context.Context, accountID string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, claimTime)
	defer cancel()
	mine, err := w.mineNow(ctx, accountID)
	if err != nil {
		w.Close()
		return false, fmt.Errorf("claim the watch over the config of account %s: %w", accountID, err)
	}
	return mine, nil
}

func (w *Watch) mineNow(ctx context.Context, accountID string) (mine bool, err error) {
	if w.conn != nil && w.conn.Ping(ctx) != nil {
		w.Close() // with the connection every lock is gone
	}
	if w.conn == nil {
		if w.conn, err = w.store.ownConnection(ctx); err != nil {
			return false, err
		}
		w.mine = map[string]bool{}
	}
	if w.mine[accountID] {
		return true, nil
	}
	mine, err = db.New(w.conn).TryWatch(ctx, db.TryWatchParams{Kind: watchLock, AccountID: accountID})
	w.mine[accountID] = mine
	return mine, err
}

// ownConnection opens a connection outside the pools. The server asks whether we are still there: else it would keep the
// locks of a machine that lost its power for two hours, and nobody could follow.
func (s *Store) ownConnection(ctx context.Context) (*pgx.Conn, error) {
	c := s.pool.Config().ConnConfig
	c.RuntimeParams["tcp_keepalives_idle"] = "10" // seconds
	c.RuntimeParams["tcp_keepalives_interval"] = "5"
	c.RuntimeParams["tcp_keepalives_count"] = "4"
	return pgx.ConnectConfig(ctx, c)
}

// Close gives everything back.
func (w *Watch) Close() {
	if w.conn != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = w.conn.Close(ctx) // the lock ends with the connection either way
		w.conn = nil
	}
}

// AttemptState is what became of a look at a watched folder.
type AttemptState string

// The states of an attempt.
const (
	AttemptApplied AttemptState = "applied" // what is in the folder is active
	AttemptInvalid AttemptState = "invalid" // it has errors; the last good revision stays
	AttemptRefused AttemptState = "refused" // another door has the authority
	AttemptFailed  AttemptState = "failed"  // something else went wrong
)

// Attempt is the last look at an account's watched folder.
type Attempt struct {
	AccountID, Folder, Host string
	State                   AttemptState
	Problems                int    // errors in the folder
	FirstProblem            string // the first of them, or why it was refused or failed
	Digest                  string
	Since, At               time.Time // it has stood like this since; it was last looked at
}

// RecordAttempt keeps what became of a look at an account's folder, in place of the one before.
func (s *Store) RecordAttempt(ctx context.Context, a Attempt) error {
	err := s.q.RecordConfigAttempt(ctx, db.RecordConfigAttemptParams{AccountID: a.AccountID, Folder: clean(a.Folder), Host: clean(a.Host),
		State: string(a.State), Problems: int32(a.Problems), FirstProblem: clean(a.FirstProblem), Digest: a.Digest})
	if err != nil {
		return fmt.Errorf("record what became of the config folder of account %s: %w", a.AccountID, err)
	}
	return nil
}

// mostTroubles is how many of them a page shows; who has more has another problem.
const mostTroubles = 50

// ConfigTroubles lists the folders of which the last look could not be applied, of one account or, for "", of all that may
// be seen.
func (r *Reader) ConfigTroubles(ctx context.Context, accountID string) (troubles []Attempt, err error) {
	within := r.within.Narrow(accountID)
	err = r.read(ctx, func(q *db.Queries) error {
		rows, err := q.ConfigTroubles(ctx, db.ConfigTroublesParams{Every: within.every, AccountIds: within.list(), Most: mostTroubles})
		for _, row := range rows {
			troubles = append(troubles, attemptOf(row))
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list config folders that were not applied: %w", err)
	}
	return troubles, nil
}

func attemptOf(row db.ConfigAttempt) Attempt {
	return Attempt{AccountID: row.AccountID, Folder: row.Folder, Host: row.Host, State: AttemptState(row.State),
		Problems: int(row.Problems), FirstProblem: row.FirstProblem, Digest: row.Digest, Since: row.Since, At: row.AttemptedAt}
}
