package store

import (
	"context"
	"errors"
	"fmt"

	"aftercall/internal/store/db"
)

// View is a search that a person keeps, for themselves and one account, or, for "", all that they see.
type View struct {
	ID, AccountID, Name, Query string
}

// mostViews is how many a person keeps for an account.
const mostViews = 50

// ErrTooManyViews is returned for one view more than a person may keep.
var ErrTooManyViews = errors.New("a person keeps at most 50 views for an account")

// Views lists what a person keeps, by name.
func (s *Store) Views(ctx context.Context, of Actor, accountID string) (views []View, err error) {
	rows, err := s.q.ListViews(ctx, db.ListViewsParams{Person: of.PersonID, AccountID: accountID, Most: mostViews})
	if err != nil {
		return nil, fmt.Errorf("list saved views: %w", err)
	}
	for _, r := range rows {
		views = append(views, View{ID: r.ID, AccountID: r.AccountID, Name: r.Name, Query: r.Query})
	}
	return views, nil
}

// SaveView keeps a view, in place of the person's own of that name.
func (s *Store) SaveView(ctx context.Context, by Actor, v View) error {
	act := Act{AccountID: v.AccountID, By: by, What: ActViewSaved, Target: newID()}
	err := s.change(ctx, act, func(q *db.Queries) error {
		saved, err := q.SaveView(ctx, db.SaveViewParams{ID: act.Target, Person: by.PersonID, AccountID: clean(v.AccountID), Name: clean(v.Name),
			Query: clean(v.Query), Most: mostViews})
		if err == nil && len(saved) == 0 {
			err = ErrTooManyViews
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("save a view: %w", err)
	}
	return nil
}

// DropView forgets one of the person's own views, and says which account it was for.
func (s *Store) DropView(ctx context.Context, by Actor, id string) (accountID string, err error) {
	if !isID(id) {
		return "", fmt.Errorf("drop a view: %w", ErrNotFound)
	}
	err = s.change(ctx, Act{By: by, What: ActViewDropped, Target: id}, func(q *db.Queries) error {
		dropped, err := q.DropView(ctx, db.DropViewParams{ID: id, Person: by.PersonID})
		if err == nil && len(dropped) == 0 {
			err = ErrNotFound
		}
		if err == nil {
			accountID = dropped[0]
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("drop view %s: %w", id, err)
	}
	return accountID, nil
}
