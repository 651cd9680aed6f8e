package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"aftercall/internal/store/db"
)

// ErasureWish is what somebody wants to be erased by a worker: calls by our ids, or everything of a customer.
type ErasureWish struct {
	Conversations []string `json:"conversations,omitempty"`
	Customer      string   `json:"customer,omitempty"`
	Looked        Looked   `json:"looked,omitzero"`
}

// Looked is how far a worker has looked through an account's events for a customer: whoever goes on begins there.
type Looked struct {
	Decided string   `json:"decided,omitempty"` // up to this conversation, of the events that are one; "" is not at all
	Stored  string   `json:"stored,omitempty"`  // up to this event, of those that are none
	Left    []string `json:"left,omitempty"`    // conversations that were found, and are still there because a message of theirs is under way
}

func (w ErasureWish) cause() ErasureCause {
	if w.Customer != "" {
		return CauseCustomer
	}
	return CauseConversation
}

// ErasureRow is how far an erasure is.
type ErasureRow struct {
	ID, AccountID, By     string
	Cause                 ErasureCause
	Waits                 bool // a worker is at it, or will be
	Found                 int  // conversations when it was asked for, where a worker was to do it
	Conversations, Events int  // erased so far; of events, those that belonged to no conversation
	BeganAt               time.Time
	FinishedAt            time.Time // zero while it goes on, or if it broke off
}

// AskErasure writes down what somebody wants to be erased, with the job that does it. found is how many conversations there
// are now.
func (s *Store) AskErasure(ctx context.Context, by Actor, accountID string, w ErasureWish, found int, enqueue func(ctx context.Context, tx pgx.Tx, erasureID string) error) (id string, err error) {
	wish, err := encode(w)
	if err != nil {
		return "", err
	}
	id = newID()
	act := Act{AccountID: accountID, By: by, What: ActErased, Target: id, Detail: map[string]string{"cause": string(w.cause())}}
	err = s.changeTx(ctx, &act, func(tx pgx.Tx, q *db.Queries) error {
		err := q.AskErasure(ctx, db.AskErasureParams{ID: id, AccountID: accountID, Cause: string(w.cause()), AskedBy: clean(by.Name), PersonID: by.person(),
			Wish: wish, Found: int32(found)})
		if err != nil {
			return err
		}
		return enqueue(ctx, tx, id)
	})
	if err != nil {
		return "", fmt.Errorf("ask for an erasure of account %s: %w", accountID, err)
	}
	return id, nil
}

// AskedErasure is one that waits for a worker. ErrNotFound if it is done.
func (s *Store) AskedErasure(ctx context.Context, id string) (e Erasure, w ErasureWish, err error) {
	row, err := s.q.AskedErasure(ctx, id)
	if err != nil {
		return e, w, fmt.Errorf("read erasure %s: %w", id, found(err))
	}
	if json.Unmarshal(row.Wish, &w) != nil { // whose words might quote it
		return e, w, fmt.Errorf("read erasure %s: what is to be erased cannot be read", id)
	}
	return Erasure{ID: id, AccountID: row.AccountID, asked: true, by: Actor{PersonID: row.PersonID, Name: row.AskedBy}}, w, nil
}

// NoteLooked writes down how far an erasure is that waits for a worker.
func (s *Store) NoteLooked(ctx context.Context, e Erasure, looked Looked) error {
	raw, err := encode(looked)
	if err == nil {
		err = s.q.NoteLooked(ctx, db.NoteLookedParams{ID: e.ID, AccountID: e.AccountID, Looked: raw})
	}
	if err != nil {
		return fmt.Errorf("note how far erasure %s is: %w", e.ID, err)
	}
	return nil
}

// Erasure reads how far one is.
func (r *Reader) Erasure(ctx context.Context, id string) (e ErasureRow, err error) {
	if !isID(id) {
		return e, fmt.Errorf("read an erasure: %w", ErrNotFound)
	}
	err = r.read(ctx, func(q *db.Queries) error {
		rows, err := q.ReadErasure(ctx, db.ReadErasureParams{ID: id, Every: r.within.every, AccountIds: r.within.list()})
		if err == nil && len(rows) == 0 {
			err = ErrNotFound
		}
		if err == nil {
			e = erasureOf(rows[0])
		}
		return err
	})
	if err != nil {
		return ErasureRow{}, fmt.Errorf("read erasure %s: %w", id, err)
	}
	return e, nil
}

// Erasures lists what was erased, by request and by retention, the newest first, by cursor; accountID "" is every account
// that may be seen.
func (r *Reader) Erasures(ctx context.Context, accountID, before string, limit int) (all []ErasureRow, next string, err error) {
	if before, err = cursor(before); err != nil {
		return nil, "", fmt.Errorf("list erasures: %w", err)
	}
	limit = pageSize(limit)
	within := r.within.Narrow(accountID)
	err = r.read(ctx, func(q *db.Queries) error {
		rows, err := q.ListErasures(ctx, db.ListErasuresParams{Before: before, Most: int32(limit + 1), Every: within.every, AccountIds: within.list()})
		for _, row := range rows {
			all = append(all, erasureOf(db.ReadErasureRow(row)))
		}
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("list erasures: %w", err)
	}
	if len(all) > limit {
		all, next = all[:limit], all[limit-1].ID
	}
	return all, next, nil
}

func erasureOf(r db.ReadErasureRow) ErasureRow {
	return ErasureRow{ID: r.ID, AccountID: r.AccountID, By: r.AskedBy, Cause: ErasureCause(r.Cause), Waits: r.Waits, Found: int(r.Found),
		Conversations: int(r.Conversations), Events: int(r.Events), BeganAt: r.BeganAt, FinishedAt: r.FinishedAt}
}
