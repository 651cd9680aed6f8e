package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"aftercall/internal/store/db"
)

// EventAlone is an event that is looked at by itself: nobody waits for its type, so that it belongs to no conversation.
type EventAlone struct {
	StoryEvent
	AccountID      string
	Identity       string // by which the platform's repeats are known
	Call           string // the platform's id of the call it is about; "" if it names none
	ConversationID string // "" unless it belongs to one after all
	Beside         []BesideCall
}

// mostBody is more than any webhook's body has.
const mostBody = 1 << 30

// Event loads an event with the beginning of its body, or with the whole of it.
func (r *Reader) Event(ctx context.Context, id string, whole bool) (e EventAlone, err error) {
	head := int32(eventHead)
	if whole {
		head = mostBody
	}
	err = r.read(ctx, func(q *db.Queries) error {
		if !isID(id) {
			return ErrNotFound
		}
		row, err := q.OneEvent(ctx, db.OneEventParams{ID: id, Head: head, Every: r.within.every, AccountIds: r.within.list()})
		if err != nil {
			return found(err)
		}
		e = EventAlone{AccountID: row.AccountID, Identity: row.Identity, Call: row.CallID, ConversationID: row.ConversationID,
			StoryEvent: StoryEvent{ID: row.ID, Type: row.Type, Source: row.Source, ContentType: row.ContentType, ReceivedAt: row.ReceivedAt,
				AcceptedAt: row.AcceptedAt, Bytes: int(row.Bytes), Head: row.Head, Cut: len(row.Head) < int(row.Bytes), Conflicts: int(row.Conflicts)}}
		if e.Call != "" {
			e.Beside, err = besideCall(ctx, q, e.AccountID, e.Call, e.ID)
		}
		return err
	})
	if err != nil {
		return EventAlone{}, fmt.Errorf("load event %s: %w", id, err)
	}
	return e, nil
}

// FoundEvent is one that a search found.
type FoundEvent struct {
	ID, AccountID, Source, Type string
	ReceivedAt                  time.Time
}

// mostFound is how many events a search shows.
const mostFound = 20

// EventsAlone finds events that belong to no conversation, the newest first, a few: by our id, by the platform's id of their call, or
// by the identity they came under from one of the account's sources or by the API, as a source of the name api. accountID "" is every
// account that may be seen.
func (r *Reader) EventsAlone(ctx context.Context, accountID, search, api string) (all []FoundEvent, err error) {
	within := r.within.Narrow(accountID)
	p := db.FindEventsAloneParams{ID: uuid.Nil.String(), Term: strings.TrimSpace(clean(search)), Api: api, Most: mostFound, Every: within.every,
		AccountIds: within.list()}
	if id, err := uuid.Parse(p.Term); err == nil {
		p.ID = id.String()
	}
	err = r.read(ctx, func(q *db.Queries) error {
		rows, err := q.FindEventsAlone(ctx, p)
		for _, row := range rows {
			all = append(all, FoundEvent{ID: row.ID, AccountID: row.AccountID, Source: row.Source, Type: row.Type, ReceivedAt: row.ReceivedAt})
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("find events: %w", err)
	}
	return all, nil
}
