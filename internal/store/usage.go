package store

import (
	"context"
	"fmt"
	"time"

	"aftercall/internal/store/db"
)

// Tokens are what calls of a model took, as its provider reported them.
type Tokens struct {
	In     int
	Cached int // part of In
	Out    int
}

// Add sums up.
func (t Tokens) Add(u Tokens) Tokens { return Tokens{t.In + u.In, t.Cached + u.Cached, t.Out + u.Out} }

// Usage is what an account used of a model in a day, for one automation.
type Usage struct {
	AccountID  string
	Day        string // 2026-11-21, in the zone that was asked about; "" in sums over days
	Automation string // "": nobody's in particular
	Model      string
	Tokens
}

// Usage lists what an account used since a time, by day in a time zone, automation and model. A call that asked for several
// automations is split among them in equal parts.
func (r *Reader) Usage(ctx context.Context, accountID string, since time.Time, zone *time.Location) (all []Usage, err error) {
	if !r.within.Has(accountID) {
		return nil, fmt.Errorf("list usage: %w", ErrNotFound)
	}
	err = r.read(ctx, func(q *db.Queries) error {
		rows, err := q.UsageOfAccount(ctx, db.UsageOfAccountParams{AccountID: accountID, Since: since, Zone: zone.String()})
		for _, row := range rows {
			all = append(all, Usage{AccountID: accountID, Day: row.Day, Automation: row.Automation, Model: row.Model,
				Tokens: Tokens{int(row.TokensIn), int(row.TokensCached), int(row.TokensOut)}})
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list usage: %w", err)
	}
	return all, nil
}

// UsageByAccount sums what every account that may be seen used since a time, by model.
func (r *Reader) UsageByAccount(ctx context.Context, since time.Time) (all []Usage, err error) {
	err = r.read(ctx, func(q *db.Queries) error {
		rows, err := q.UsageByAccount(ctx, db.UsageByAccountParams{Since: since, Every: r.within.every, AccountIds: r.within.list()})
		for _, row := range rows {
			all = append(all, Usage{AccountID: row.AccountID, Model: row.Model, Tokens: Tokens{int(row.TokensIn), int(row.TokensCached), int(row.TokensOut)}})
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list usage by account: %w", err)
	}
	return all, nil
}

// Spent is what an account with a budget has spent and reserved on a day of its own; nothing if it made no call.
func (r *Reader) Spent(ctx context.Context, accountID, day string) (at Standing, err error) {
	if !r.within.Has(accountID) {
		return at, fmt.Errorf("read what is spent: %w", ErrNotFound)
	}
	err = r.read(ctx, func(q *db.Queries) error {
		rows, err := q.SpentOn(ctx, db.SpentOnParams{AccountID: accountID, Day: day})
		for _, row := range rows {
			at.Spent, at.Reserved = int(row.Spent), int(row.Reserved)
		}
		return err
	})
	if err != nil {
		return at, fmt.Errorf("read what is spent: %w", err)
	}
	return at, nil
}
