package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"aftercall/internal/store/db"
)

// Source is a platform that posts to us, with what was heard from it last.
type Source struct {
	ID, AccountID string
	Events        []Heard // the newest first, a few
}

// Heard is an event that was accepted.
type Heard struct {
	ID, Type       string
	ConversationID string // "" if it belongs to none
	ReceivedAt     time.Time
}

// How many sources a list shows, and how many events of each.
const (
	mostSources = 200
	mostHeard   = 5
)

// Sources lists the sources of the accounts that may be seen, and in each account what comes by the API, as a source of the
// name api.
func (r *Reader) Sources(ctx context.Context, api string) (sources []Source, err error) {
	err = r.read(ctx, func(q *db.Queries) error {
		rows, err := q.ListSources(ctx, db.ListSourcesParams{Api: api, Every: r.within.every, AccountIds: r.within.list(), Most: mostSources})
		if err != nil {
			return err
		}
		p := db.LastEventsParams{AccountIds: []string{}, SourceIds: []string{}, Most: mostHeard}
		for _, row := range rows {
			sources = append(sources, Source{ID: row.SourceID, AccountID: row.AccountID})
			p.AccountIds, p.SourceIds = append(p.AccountIds, row.AccountID), append(p.SourceIds, row.SourceID)
		}
		heard, err := q.LastEvents(ctx, p)
		for _, e := range heard {
			n := slices.IndexFunc(sources, func(s Source) bool { return s.ID == e.SourceID && s.AccountID == e.AccountID })
			sources[n].Events = append(sources[n].Events, Heard{ID: e.ID, Type: e.Type, ConversationID: e.ConversationID, ReceivedAt: e.ReceivedAt})
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list sources: %w", err)
	}
	return sources, nil
}
