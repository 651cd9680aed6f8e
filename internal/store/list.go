package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"aftercall/internal/store/db"
)

// ConversationRow is one line of the list of conversations.
type ConversationRow struct {
	ID, AccountID, ExternalID    string
	Event, Point                 string // the type of an event, and where in the call it was; "" for a call
	AgentName, Channel, Status   string
	Direction                    string
	CustomerName, CustomerNumber string
	StartedAt, AcceptedAt        time.Time
	Duration                     time.Duration
	State                        ConversationState
	Fired                        []string // automation ids
	Unsure                       int      // decisions to review
	Outcomes                     Outcomes
	Test                         bool // a test call: its messages are captured
	Simulated                    bool
}

// Outcomes counts a conversation's deliveries by what became of them. Skipped and cancelled ones are not counted.
type Outcomes struct {
	Sent                  int // taken by an outside provider
	Captured              int // kept on this machine, sent nowhere
	Tasks, Alerts         int // written and posted on this machine
	Open                  int // planned, sending or retrying
	Held, Failed, Unknown int
}

// Conversations lists conversations; next is the cursor of the next page, "" if there is none. A page may have fewer rows than
// were asked for, or none, and a next one all the same: see furthest.
func (r *Reader) Conversations(ctx context.Context, q ConversationQuery) (rows []ConversationRow, next string, err error) {
	before, err := cursor(q.Before)
	if err != nil {
		return nil, "", fmt.Errorf("list conversations: %w", err)
	}
	limit := pageSize(q.Limit)
	within := r.within.Narrow(q.AccountID)
	var ids []string
	err = r.read(ctx, func(d *db.Queries) (err error) {
		ids, next, err = conversationIDs(ctx, d, q, within, before, limit)
		return err
	})
	if err == nil {
		rows, err = r.conversationRows(ctx, ids, within)
	}
	if err != nil {
		return nil, "", fmt.Errorf("list conversations: %w", err)
	}
	return rows, next, nil
}

// atOnce is how many calls one reading of rows takes, and readings is how many of these a page has at the same time. The calls of
// somebody who is searched for lie far apart: where nobody looked lately, each one waits for the disk several times.
const (
	atOnce   = 5
	readings = 8
)

// conversationRows reads these conversations, in their order. One that was erased meanwhile is left out.
func (r *Reader) conversationRows(ctx context.Context, ids []string, within Accounts) ([]ConversationRow, error) {
	parts := slices.Collect(slices.Chunk(ids, atOnce))
	found := make([][]ConversationRow, len(parts))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(readings)
	for n, part := range parts {
		g.Go(func() error {
			return r.read(ctx, func(d *db.Queries) error {
				rows, err := d.ConversationRows(ctx, db.ConversationRowsParams{Ids: part, Every: within.every, AccountIds: within.list()})
				for _, row := range rows {
					found[n] = append(found[n], conversationRow(row))
				}
				return err
			})
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return slices.Concat(found...), nil
}

func conversationRow(r db.ConversationRowsRow) ConversationRow {
	row := ConversationRow{
		ID: r.ID, AccountID: r.AccountID, ExternalID: r.ExternalID, AgentName: r.AgentName, Channel: r.Channel,
		Status: r.Status, Direction: r.Direction, CustomerName: r.CustomerName, CustomerNumber: r.CustomerNumber,
		StartedAt: r.StartedAt, AcceptedAt: r.AcceptedAt, State: ConversationState(r.State), Fired: r.Fired,
		Unsure: int(r.Unsure), Event: r.Event, Point: r.Point, Test: r.Test, Simulated: r.Simulated,
		Outcomes: Outcomes{Sent: int(r.Sent), Captured: int(r.Captured), Tasks: int(r.Tasks), Alerts: int(r.Alerts),
			Open: int(r.Open), Held: int(r.Held), Failed: int(r.Failed), Unknown: int(r.Unknown)},
	}
	row.Duration = max(0, r.EndedAt.Sub(r.StartedAt))
	return row
}

// Captured is a message that was kept instead of sent.
type Captured struct {
	ID, AccountID, ConversationID, ExternalID, Automation, Channel string
	Event, Point                                                   string // the type of the event it is of, and where in the call that was; "" if of a finished call
	To, Subject, Text, HTML                                        string
	Fields                                                         map[string]string
	Test                                                           bool
	CapturedAt                                                     time.Time
}

// CapturedMessages lists captured messages, newest first, by cursor. channel "" means all, accountID "" every account that
// may be seen.
func (r *Reader) CapturedMessages(ctx context.Context, accountID, channel, before string, limit int) (rows []Captured, next string, err error) {
	before, err = cursor(before)
	if err != nil {
		return nil, "", fmt.Errorf("list captured messages: %w", err)
	}
	limit = pageSize(limit)
	within := r.within.Narrow(accountID)
	p := db.ListCapturedOfChannelParams{Channel: channel, Before: before, Most: int32(limit + 1), Every: within.every, AccountIds: within.list()}
	err = r.read(ctx, func(q *db.Queries) error {
		found, err := capturedRows(ctx, q, p)
		for _, row := range found {
			m, decodeErr := captured(row)
			rows, err = append(rows, m), errors.Join(err, decodeErr)
		}
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("list captured messages: %w", err)
	}
	if len(rows) > limit {
		rows, next = rows[:limit], rows[limit-1].ID
	}
	return rows, next, nil
}

func capturedRows(ctx context.Context, q *db.Queries, p db.ListCapturedOfChannelParams) (rows []db.CapturedMessageRow, err error) {
	if p.Channel != "" {
		found, err := q.ListCapturedOfChannel(ctx, p)
		for _, r := range found {
			rows = append(rows, db.CapturedMessageRow(r))
		}
		return rows, err
	}
	found, err := q.ListCaptured(ctx, db.ListCapturedParams{Before: p.Before, Most: p.Most, Every: p.Every, AccountIds: p.AccountIds})
	for _, r := range found {
		rows = append(rows, db.CapturedMessageRow(r))
	}
	return rows, err
}

// CapturedMessage loads one.
func (r *Reader) CapturedMessage(ctx context.Context, id string) (m Captured, err error) {
	if _, err := uuid.Parse(id); err != nil {
		return Captured{}, fmt.Errorf("load a captured message: %w", ErrNotFound)
	}
	err = r.read(ctx, func(q *db.Queries) error {
		row, err := q.CapturedMessage(ctx, db.CapturedMessageParams{ID: id, Every: r.within.every, AccountIds: r.within.list()})
		if err != nil {
			return found(err)
		}
		m, err = captured(row)
		return err
	})
	if err != nil {
		return Captured{}, fmt.Errorf("load captured message %s: %w", id, err)
	}
	return m, nil
}

func captured(r db.CapturedMessageRow) (Captured, error) {
	m := Captured{ID: r.ID, AccountID: r.AccountID, ConversationID: r.ConversationID, ExternalID: r.ExternalID,
		Automation: r.Automation, Channel: r.Channel, To: r.Recipients, Subject: r.Subject, Text: r.Text, HTML: r.Html,
		Event: r.Event, Point: r.Point, Test: r.Test, CapturedAt: r.CapturedAt}
	if err := json.Unmarshal(r.Fields, &m.Fields); err != nil {
		return m, fmt.Errorf("decode its fields: %w", err)
	}
	return m, nil
}

// cursor is where a page begins: below the id that ended the page before, or at the newest.
func cursor(before string) (string, error) {
	if before == "" {
		return uuid.Max.String(), nil
	}
	id, err := uuid.Parse(before)
	if err != nil {
		return "", errors.New("the cursor is not one of ours")
	}
	return id.String(), nil
}

// FirstID is the lowest id that something written at this time can have: ids are UUIDs of version 7, which begin with the
// milliseconds.
func FirstID(at time.Time) string {
	var id uuid.UUID
	if ms := at.UnixMilli(); ms > 0 {
		for n := range 6 {
			id[n] = byte(ms >> (8 * (5 - n)))
		}
	}
	return id.String()
}

func pageSize(limit int) int {
	return min(or(limit, 50), 200)
}
