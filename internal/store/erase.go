package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"aftercall/internal/store/db"
)

// ErasureCause is why something is erased.
type ErasureCause string

// The causes of an erasure.
const (
	CauseConversation ErasureCause = "conversation" // somebody asked for single conversations
	CauseCustomer     ErasureCause = "customer"     // somebody asked for everything of one customer
	CauseRetention    ErasureCause = "retention"    // the account keeps its calls no longer
)

// Erasure is what one request erases, or one pass of an account's retention. Its row says when, why and how much.
type Erasure struct {
	ID, AccountID string
	asked         bool // by somebody; else it is retention
	by            Actor
}

// The measures of erasing: a batch takes some tens of milliseconds, in which nobody else can touch its conversations.
const (
	eraseMost    = 50
	eraseTimeout = 30 * time.Second
	eraseTries   = 4 // of a batch that crosses with somebody else's
	eraseLook    = 250 * time.Millisecond
)

// BeginErasure writes down that somebody erases something.
func (s *Store) BeginErasure(ctx context.Context, by Actor, accountID string, why ErasureCause) (Erasure, error) {
	e := Erasure{ID: newID(), AccountID: accountID, asked: true, by: by}
	act := Act{AccountID: accountID, By: by, What: ActErased, Target: e.ID, Detail: map[string]string{"cause": string(why)}}
	if err := s.change(ctx, act, func(q *db.Queries) error { return e.begin(ctx, q, why, by.Name) }); err != nil {
		return Erasure{}, err
	}
	return e, nil
}

func (e Erasure) begin(ctx context.Context, q *db.Queries, why ErasureCause, askedBy string) error {
	err := q.BeginErasure(ctx, db.BeginErasureParams{ID: e.ID, AccountID: e.AccountID, Cause: string(why), AskedBy: clean(askedBy)})
	if err != nil {
		return fmt.Errorf("begin to erase of account %s: %w", e.AccountID, err)
	}
	return nil
}

// FinishErasure writes down that it is done.
func (s *Store) FinishErasure(ctx context.Context, e Erasure) error {
	if err := s.q.FinishErasure(ctx, db.FinishErasureParams{ID: e.ID, AccountID: e.AccountID}); err != nil {
		return fmt.Errorf("finish erasure %s: %w", e.ID, err)
	}
	return nil
}

// Erase erases conversations with everything that belongs to them, batch by batch, and events about them with what these led to. From the first
// batch that holds it, nothing of a conversation is decided or sent any more. One with a message under way is stopped and
// stays until that has ended; Erase waits for it as long as patience lasts, and returns those that are left then. What is
// not there, or not the account's, is passed over.
func (s *Store) Erase(ctx context.Context, e Erasure, conversationIDs []string, patience time.Duration) (left []string, err error) {
	began := time.Now()
	for left = slices.Sorted(slices.Values(conversationIDs)); ; {
		var busy []string
		for batch := range slices.Chunk(left, eraseMost) {
			b, err := s.eraseBatch(ctx, e, batch)
			if err != nil {
				return left, fmt.Errorf("erase conversations of account %s: %w", e.AccountID, err)
			}
			busy = append(busy, b...)
		}
		if left = busy; len(left) == 0 {
			return nil, nil
		}
		if time.Since(began) >= patience || !pause(ctx, s.closing, eraseLook) {
			return left, ctx.Err()
		}
	}
}

// eraseBatch erases a batch in one transaction. Whoever else holds some of it in another order makes one of the two give
// way; then it is tried again.
func (s *Store) eraseBatch(ctx context.Context, e Erasure, ids []string) (busy []string, err error) {
	for range eraseTries {
		err = s.erasing(ctx, func(ctx context.Context, q *db.Queries) error {
			rows, err := q.LockErasing(ctx, db.LockErasingParams{Ids: ids, AccountID: e.AccountID})
			if err != nil {
				return fmt.Errorf("lock conversations: %w", err)
			}
			locked, err := withEvents(ctx, q, e, rows)
			if err != nil {
				return fmt.Errorf("lock the events of conversations: %w", err)
			}
			busy, err = s.eraseLocked(ctx, q, e, locked)
			return err
		})
		if !crossed(err) {
			break
		}
	}
	return busy, err
}

// locked are the conversations of a batch, and of the events among them the platform's id of the call that each goes with.
type locked struct {
	calls []db.LockErasingRow
	about map[string]string
}

// withEvents adds the events of calls that are decided as conversations of their own. The calls are locked before: what an event
// that comes in waits for.
func withEvents(ctx context.Context, q *db.Queries, e Erasure, calls []db.LockErasingRow) (l locked, err error) {
	l = locked{calls: calls, about: map[string]string{}}
	if len(calls) == 0 {
		return l, nil
	}
	there := map[string]bool{}
	p := db.LockBesideParams{AccountID: e.AccountID}
	for _, c := range calls {
		there[c.ID], p.CallIds = true, append(p.CallIds, c.ExternalID)
	}
	events, err := q.LockBeside(ctx, p)
	for _, c := range events {
		if l.about[c.ID] = c.CallID; !there[c.ID] {
			l.calls = append(l.calls, db.LockErasingRow{ID: c.ID, Source: c.Source, ExternalID: c.ExternalID, Event: true})
		}
	}
	return l, err
}

// erasing runs f in one transaction of a bounded length.
func (s *Store) erasing(ctx context.Context, f func(ctx context.Context, q *db.Queries) error) error {
	ctx, cancel := context.WithTimeout(ctx, eraseTimeout)
	defer cancel()
	return inTx(ctx, s.pool, func(_ pgx.Tx, q *db.Queries) error { return f(ctx, q) })
}

// crossed reports whether this transaction had to give way to another: the two waited for each other, or a webhook that
// contradicts an event was kept with it while the event was deleted.
func crossed(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && (e.Code == pgerrcode.DeadlockDetected || e.Code == pgerrcode.ForeignKeyViolation)
}

// EraseEvents erases events that belong to no conversation.
func (s *Store) EraseEvents(ctx context.Context, e Erasure, ids []string) error {
	for batch := range slices.Chunk(ids, eraseMost) {
		err := s.erasing(ctx, func(ctx context.Context, q *db.Queries) error {
			gone, err := q.EraseEvents(ctx, db.EraseEventsParams{Ids: batch, AccountID: e.AccountID})
			if err != nil {
				return err
			}
			k := db.KeepHashesParams{AccountID: e.AccountID}
			for _, g := range gone {
				k.Hashes = append(k.Hashes, s.hashes.event(eventKey{e.AccountID, g.Source, g.Identity}))
				k.ConversationIds = append(k.ConversationIds, "")
			}
			return e.keep(ctx, q, k, 0, len(gone))
		})
		if err != nil {
			return fmt.Errorf("erase events of account %s: %w", e.AccountID, err)
		}
	}
	return nil
}

// keep writes what stays of what was erased.
func (e Erasure) keep(ctx context.Context, q *db.Queries, k db.KeepHashesParams, conversations, events int) error {
	if len(k.Hashes) > 0 {
		if err := q.KeepHashes(ctx, k); err != nil {
			return fmt.Errorf("keep the hashes of what was erased: %w", err)
		}
	}
	c := db.CountErasedParams{ID: e.ID, AccountID: e.AccountID, Conversations: int32(conversations), Events: int32(events)}
	if err := q.CountErased(ctx, c); err != nil {
		return fmt.Errorf("count what was erased: %w", err)
	}
	return nil
}

// Erased says of a conversation that is not there any more when it was erased, and why.
type Erased struct {
	AccountID string
	At        time.Time
	Cause     ErasureCause
}

// Erased finds out whether there was a conversation under this id of ours, in one account, or, for "", in any that may be
// seen. ErrNotFound: there was none, or it is still there.
func (r *Reader) Erased(ctx context.Context, accountID, conversationID string) (gone Erased, err error) {
	within := r.within.Narrow(accountID)
	err = r.read(ctx, func(q *db.Queries) error {
		if !isID(conversationID) {
			return ErrNotFound
		}
		row, err := q.ErasedConversation(ctx, db.ErasedConversationParams{ID: conversationID, Every: within.every, AccountIds: within.list()})
		gone = Erased{AccountID: row.AccountID, At: row.ErasedAt, Cause: ErasureCause(row.Cause)}
		return found(err)
	})
	if err != nil {
		return Erased{}, fmt.Errorf("look whether a conversation was erased: %w", err)
	}
	return gone, nil
}
