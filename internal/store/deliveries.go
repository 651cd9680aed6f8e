package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"aftercall/internal/store/db"
	"aftercall/reason"
)

// DeliveryRow is one line of the list of deliveries.
type DeliveryRow struct {
	ID, AccountID, ConversationID string
	Run                           int
	Automation, Channel           string
	Recipient, Address            string // the key, and where it went, if it did
	Customer                      bool
	State                         DeliveryState
	Reason                        reason.Code
	Detail                        string
	Class                         string // of the last attempt's error
	Attempts                      int
	Provider                      string
	Test                          bool
	DueAt, CreatedAt, UpdatedAt   time.Time
}

// DeliveryQuery asks for a page of the list. What is retrying, held, failed or unknown is listed by when it came to be so, the
// last first; anything else by its call, the last accepted first, and whole calls at a time.
type DeliveryQuery struct {
	AccountID    string // "" for all that may be seen
	State        DeliveryState
	Channel      string
	Class        string // of the last attempt's error
	Domain       string // of an address it goes to
	Automation   string
	Since, Until time.Time // when it came to be so, or when its call was accepted; zero for no bound
	Before       string    // cursor from the page before; "" for the first page
	Limit        int       // default 50, at most 200
}

// InTrouble reports whether deliveries in this state are listed by when they came to be in it.
func (s DeliveryState) InTrouble() bool {
	return slices.Contains([]DeliveryState{Retrying, Held, Failed, Unknown}, s)
}

// DeliveryStates lists the states, as a delivery meets them.
func DeliveryStates() []DeliveryState {
	return []DeliveryState{Planned, Sending, Retrying, Sent, Delivered, Held, Failed, Unknown, Skipped, Cancelled}
}

// Of so many calls the deliveries are looked at together, and of so many for one page: a call has several.
const (
	callsAtOnce   = 200
	furthestCalls = furthest / 2
)

// errCursor says that a cursor is none of ours.
var errCursor = fmt.Errorf("read the cursor: %w", ErrNotFound)

// Deliveries lists deliveries; next is the cursor of the next page, "" if there is none. As with conversations a page may have
// fewer rows than were asked for, and a next one all the same: see furthest.
func (r *Reader) Deliveries(ctx context.Context, q DeliveryQuery) (rows []DeliveryRow, next string, err error) {
	within, limit := r.within.Narrow(q.AccountID), pageSize(q.Limit)
	list := byCall
	if q.State.InTrouble() {
		list = byTrouble
	}
	err = r.read(ctx, func(d *db.Queries) error {
		rows, next, err = list(ctx, d, q, within, limit)
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("list deliveries: %w", err)
	}
	return rows, next, nil
}

// byTrouble lists what is in one state, by when it came to be in it.
func byTrouble(ctx context.Context, d *db.Queries, q DeliveryQuery, within Accounts, limit int) (rows []DeliveryRow, next string, err error) {
	at, err := placeOf(q)
	if err != nil {
		return nil, "", err
	}
	p := db.ListTroubledDeliveriesParams{State: string(q.State), Since: q.Since, Most: siftMost, Every: within.every, AccountIds: within.list()}
	sift := db.SiftDeliveriesParams{Channel: q.Channel, Automation: clean(q.Automation), Domain: domainKey(q.Domain),
		Class: clean(q.Class), Every: within.every, AccountIds: within.list()}
	for range furthest / siftMost {
		p.BeforeAt, p.BeforeID = at.at, at.id
		some, err := d.ListTroubledDeliveries(ctx, p)
		if err != nil || len(some) == 0 {
			return rows, "", err
		}
		sift.Ids = []string{}
		for _, s := range some {
			sift.Ids = append(sift.Ids, s.ID)
		}
		fitting, err := d.SiftDeliveries(ctx, sift)
		if err != nil {
			return nil, "", err
		}
		for _, f := range fitting {
			rows = append(rows, deliveryRow(db.SiftDeliveriesOfCallsRow(f)))
		}
		switch {
		case len(rows) > limit:
			last := rows[limit-1]
			return rows[:limit], moment{last.UpdatedAt, last.ID}.String(), nil
		case len(some) < siftMost:
			return rows, "", nil
		}
		at = moment{some[len(some)-1].UpdatedAt, some[len(some)-1].ID}
	}
	return rows, at.String(), nil
}

// byCall lists the deliveries of calls, whole calls at a time.
func byCall(ctx context.Context, d *db.Queries, q DeliveryQuery, within Accounts, limit int) (rows []DeliveryRow, next string, err error) {
	before, err := cursor(q.Before)
	if err != nil {
		return nil, "", errCursor
	}
	if !q.Until.IsZero() {
		before = min(before, FirstID(q.Until))
	}
	p := db.ListConversationsParams{Before: before, Since: FirstID(q.Since), Most: callsAtOnce, Every: within.every, AccountIds: within.list()}
	sift := db.SiftDeliveriesOfCallsParams{State: string(q.State), Channel: q.Channel, Automation: clean(q.Automation),
		Domain: domainKey(q.Domain), Class: clean(q.Class), Every: within.every, AccountIds: within.list()}
	for range furthestCalls / callsAtOnce {
		calls, err := d.ListConversations(ctx, p)
		if err != nil {
			return nil, "", err
		}
		sift.ConversationIds = append([]string{}, calls...)
		fitting, err := d.SiftDeliveriesOfCalls(ctx, sift)
		if err != nil {
			return nil, "", err
		}
		for _, f := range fitting {
			if call := f.ConversationID; len(rows) >= limit && rows[len(rows)-1].ConversationID != call {
				return rows, rows[len(rows)-1].ConversationID, nil
			}
			rows = append(rows, deliveryRow(f))
		}
		if len(calls) < callsAtOnce {
			return rows, "", nil
		}
		p.Before = calls[len(calls)-1]
	}
	return rows, p.Before, nil
}

func deliveryRow(r db.SiftDeliveriesOfCallsRow) DeliveryRow {
	return DeliveryRow{ID: r.ID, AccountID: r.AccountID, ConversationID: r.ConversationID, Run: int(r.Run), Automation: r.Automation,
		Channel: r.Channel, Recipient: r.Recipient, Address: r.Address, Customer: r.Customer, State: DeliveryState(r.State),
		Reason: reason.Code(r.Reason), Detail: r.Detail, Class: r.Class, Attempts: int(r.Attempt), Provider: r.Provider, Test: r.Test,
		DueAt: zeroOr(r.DueAt), CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt}
}

// moment is a place in a list by time: two rows may have the same.
type moment struct {
	at time.Time
	id string
}

// String writes a moment as a cursor.
func (m moment) String() string { return fmt.Sprintf("%d.%s", m.at.UnixMicro(), m.id) }

// placeOf is where a page of what is in trouble begins.
func placeOf(q DeliveryQuery) (moment, error) {
	if q.Before == "" {
		at := q.Until
		if at.IsZero() {
			at = time.Now().AddDate(1, 0, 0) // whatever clock wrote it
		}
		return moment{at, uuid.Nil.String()}, nil
	}
	micros, id, _ := strings.Cut(q.Before, ".")
	n, err := strconv.ParseInt(micros, 10, 64)
	if _, idErr := uuid.Parse(id); errors.Join(err, idErr) != nil || n < 0 || n > 1<<53 {
		return moment{}, errCursor
	}
	return moment{time.UnixMicro(n).UTC(), id}, nil
}

// domainKey is a domain as it is compared, with or without the sign before it.
func domainKey(domain string) string {
	return strings.TrimPrefix(emailKey(domain), "@")
}
