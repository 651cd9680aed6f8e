package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"aftercall/internal/store/db"
)

// Reservation is tokens set aside for a request to a model, or for all windows of a long call, on an account's day.
type Reservation struct {
	AccountID string
	Day       string // 2026-11-21, in the account's time zone; the reservation is settled on the day it was made
	Tokens    int
	Limit     int // of the day
}

// Standing is how an account's day stands after a reservation or its settlement.
type Standing struct {
	Spent, Reserved int
	Granted         bool // the reservation stands
	Wait            bool // not granted, but it would fit what is spent: calls under way hold the rest, and may give it back
	Passed          Mark // by this very entry; each mark is passed once per account, day and limit, whoever asks
}

// Mark is a part of the budget that is used up.
type Mark string

// The marks.
const (
	Warned  Mark = "warned"  // 80 % are spent
	Stopped Mark = "stopped" // what is left does not do for the next call
)

const warnPercent = 80

// entry is one line in an account's book of the day.
type entry struct {
	Reservation
	settles bool
	used    int
}

// Reserve sets tokens aside, if spent and reserved tokens together stay within the limit. What a process reserved and did
// not settle because it died stays reserved for the day: the provider may have been paid.
func (s *Store) Reserve(ctx context.Context, r Reservation) (Standing, error) {
	at, err := s.spending.do(ctx, entry{Reservation: r})
	if err != nil {
		return at, fmt.Errorf("reserve tokens of account %s: %w", r.AccountID, err)
	}
	return at, nil
}

// Settle turns a reservation into what was used, which may be more or less, or nothing.
func (s *Store) Settle(ctx context.Context, r Reservation, used int) (Standing, error) {
	at, err := s.spending.do(ctx, entry{Reservation: r, settles: true, used: used})
	if err != nil {
		return at, fmt.Errorf("settle tokens of account %s: %w", r.AccountID, err)
	}
	return at, nil
}

// bookDay names a row.
type bookDay struct{ account, day string }

// book is such a row while a batch of entries is worked off.
type book struct {
	db.LockSpendingRow
	granted, changed bool
}

// writeSpending works off entries in their order: of two that ask for the last tokens, the first gets them. They share one
// transaction, so that hundreds of calls in flight on one account queue for its row once and not each with a connection
// of its own, which would keep the connections from other accounts.
func (s *Store) writeSpending(ctx context.Context, entries []entry) (at []Standing, err error) {
	at = make([]Standing, len(entries))
	err = inTx(ctx, s.pool, func(_ pgx.Tx, q *db.Queries) error {
		books, err := lockBooks(ctx, q, entries)
		if err != nil {
			return err
		}
		for n, e := range entries {
			at[n] = books[bookDay{e.AccountID, e.Day}].enter(e)
		}
		return saveBooks(ctx, q, books)
	})
	return at, err
}

// lockBooks locks the days the entries are about, and begins those that were not there.
func lockBooks(ctx context.Context, q *db.Queries, entries []entry) (map[bookDay]*book, error) {
	var asked db.LockSpendingParams
	books := map[bookDay]*book{}
	for _, e := range entries {
		if of := (bookDay{e.AccountID, e.Day}); books[of] == nil {
			books[of] = &book{}
			asked.AccountIds, asked.Days = append(asked.AccountIds, e.AccountID), append(asked.Days, e.Day)
		}
	}
	rows, err := q.LockSpending(ctx, asked)
	if err == nil && len(rows) < len(books) {
		if err = q.BeginSpending(ctx, db.BeginSpendingParams(asked)); err == nil {
			rows, err = q.LockSpending(ctx, asked)
		}
	}
	if err != nil {
		return nil, err
	}
	if len(rows) != len(books) {
		return nil, fmt.Errorf("found %d of %d days of spending", len(rows), len(books))
	}
	for _, r := range rows {
		of := bookDay{r.AccountID, r.Day}
		if books[of] == nil {
			return nil, fmt.Errorf("found spending of the day %s, which is written otherwise", r.Day)
		}
		books[of].LockSpendingRow = r
	}
	return books, nil
}

// saveBooks writes what has changed. A refusal changes nothing but the first time.
func saveBooks(ctx context.Context, q *db.Queries, books map[bookDay]*book) error {
	var p db.UpdateSpendingParams
	for _, b := range books {
		if !b.changed {
			continue
		}
		p.AccountIds, p.Days = append(p.AccountIds, b.AccountID), append(p.Days, b.Day)
		p.Spents, p.Reserveds, p.Granteds = append(p.Spents, b.Spent), append(p.Reserveds, b.Reserved), append(p.Granteds, b.granted)
		p.WarnedLimits, p.StoppedLimits = append(p.WarnedLimits, b.WarnedLimit), append(p.StoppedLimits, b.StoppedLimit)
	}
	if len(p.Days) == 0 {
		return nil
	}
	return q.UpdateSpending(ctx, p)
}

// enter works off one entry.
func (b *book) enter(e entry) Standing {
	tokens, limit, at := int64(e.Tokens), int64(e.Limit), Standing{}
	full := false
	switch {
	case e.settles:
		b.Reserved = max(b.Reserved-tokens, 0)
		b.Spent += max(int64(e.used), 0)
		b.changed = true
		full = b.Spent >= limit
	case b.Spent+b.Reserved+tokens <= limit:
		b.Reserved += tokens
		b.granted, b.changed, at.Granted = true, true, true
		b.Stale = false
	case b.Spent+tokens <= limit && !b.Stale:
		at.Wait = true
	default:
		full = true
	}
	at.Passed = b.mark(limit, full)
	at.Spent, at.Reserved = int(b.Spent), int(b.Reserved)
	return at
}

// mark notes a mark that was not passed under this limit before. A day that is full is not warned of any more.
func (b *book) mark(limit int64, full bool) Mark {
	switch {
	case full && b.StoppedLimit < limit:
		b.StoppedLimit, b.WarnedLimit, b.changed = limit, max(b.WarnedLimit, limit), true
		return Stopped
	case b.Spent*100 >= limit*warnPercent && b.WarnedLimit < limit:
		b.WarnedLimit, b.changed = limit, true
		return Warned
	}
	return ""
}

// Stop is an account's day on which nothing more fitted its budget.
type Stop struct {
	AccountID string
	Day       string // 2026-11-21, in the account's time zone
	Spent     int
	Limit     int // the highest limit that was reached; one raised since lets calls go on
	At        time.Time
}

// mostStops is how many stops a page shows; who has more has another problem.
const mostStops = 50

// Stops lists the stops of the last two days, of one account or, for "", of all that may be seen.
func (r *Reader) Stops(ctx context.Context, accountID string) (stops []Stop, err error) {
	within := r.within.Narrow(accountID)
	err = r.read(ctx, func(q *db.Queries) error {
		rows, err := q.StoppedSpending(ctx, db.StoppedSpendingParams{Every: within.every, AccountIds: within.list(), Most: mostStops})
		for _, row := range rows {
			stops = append(stops, Stop{AccountID: row.AccountID, Day: row.Day, Spent: int(row.Spent), Limit: int(row.StoppedLimit), At: row.StoppedAt})
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list stopped accounts: %w", err)
	}
	return stops, nil
}
