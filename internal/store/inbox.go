package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"aftercall/internal/store/db"
)

// everybody is the audience of an alert that is for nobody in particular.
const everybody = "all"

// Teammate is who reads alerts: those to everybody, and those to them. The zero Teammate is nobody's own.
type Teammate struct {
	ID    string              // an Actor's PersonID, or the id of an API key: what is read is theirs
	Whole bool                // reads those to others as well
	Keys  map[string][]string // what stands for them, such as person:maria, by account
}

// keys is what a statement is told of them.
func (t Teammate) keys() ([]byte, error) {
	if t.Keys == nil {
		return []byte("{}"), nil
	}
	return json.Marshal(t.Keys)
}

// Hears reports whether they are in an alert's audience; "" is everybody.
func (t Teammate) Hears(account, audience string) bool {
	return t.Whole || audience == "" || audience == everybody || slices.Contains(t.Keys[account], audience)
}

// InboxAlert is an alert as one person finds it.
type InboxAlert struct {
	Alert
	Read bool
}

func alertOf(a db.Alert) Alert {
	return Alert{ID: a.ID, AccountID: a.AccountID, DeliveryID: a.DeliveryID, ConversationID: a.ConversationID,
		Automation: a.Automation, Audience: a.Audience, Text: a.Text, CreatedAt: a.CreatedAt}
}

// The bounds of what counts as unread: an alert that nobody looked at for a month, or that hundreds came after, is not news.
const (
	unreadFor     = 30 * 24 * time.Hour
	unreadScanned = 200 // of each account
	mostUnread    = 100
)

// Inbox lists a person's alerts, newest first, by cursor: of one account or, for "", of all that may be seen.
func (r *Reader) Inbox(ctx context.Context, of Teammate, accountID, before string, limit int) (alerts []InboxAlert, next string, err error) {
	if before, err = cursor(before); err != nil {
		return nil, "", fmt.Errorf("list alerts: %w", err)
	}
	limit = pageSize(limit)
	within := r.within.Narrow(accountID)
	mine, err := of.keys()
	if err != nil {
		return nil, "", fmt.Errorf("list alerts: %w", err)
	}
	err = r.read(ctx, func(q *db.Queries) error {
		rows, err := q.InboxAlerts(ctx, db.InboxAlertsParams{Person: of.ID, Whole: of.Whole, Mine: mine, Before: before,
			Most: int32(limit + 1), Every: within.every, AccountIds: within.list()})
		for _, row := range rows {
			alerts = append(alerts, InboxAlert{Read: row.Read, Alert: alertOf(db.Alert{ID: row.ID, AccountID: row.AccountID, DeliveryID: row.DeliveryID,
				ConversationID: row.ConversationID, Automation: row.Automation, Audience: row.Audience, Text: row.Text, CreatedAt: row.CreatedAt})})
		}
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("list alerts: %w", err)
	}
	if len(alerts) > limit {
		alerts, next = alerts[:limit], alerts[limit-1].ID
	}
	return alerts, next, nil
}

// Unread lists what a person has not read, newest first: all that counts as unread or, with a cursor, what came after it.
func (r *Reader) Unread(ctx context.Context, of Teammate, accountID, after string, limit int) (alerts []InboxAlert, err error) {
	since := FirstID(time.Now().Add(-unreadFor))
	if after != "" {
		if after, err = cursor(after); err != nil {
			return nil, fmt.Errorf("list unread alerts: %w", err)
		}
		since = max(since, after)
	}
	within := r.within.Narrow(accountID)
	mine, err := of.keys()
	if err != nil {
		return nil, fmt.Errorf("list unread alerts: %w", err)
	}
	err = r.read(ctx, func(q *db.Queries) error {
		rows, err := q.UnreadAlerts(ctx, db.UnreadAlertsParams{Person: of.ID, Whole: of.Whole, Mine: mine, Since: since, Scanned: unreadScanned,
			Most: int32(min(pageSize(limit), mostUnread)), Every: within.every, AccountIds: within.list()})
		for _, row := range rows {
			alerts = append(alerts, InboxAlert{Alert: alertOf(row)})
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list unread alerts: %w", err)
	}
	return alerts, nil
}

// CountUnread counts what a person has not read, up to 100: more is many.
func (r *Reader) CountUnread(ctx context.Context, of Teammate) (n int, err error) {
	mine, err := of.keys()
	if err != nil {
		return 0, fmt.Errorf("count unread alerts: %w", err)
	}
	err = r.read(ctx, func(q *db.Queries) error {
		ids, err := q.UnreadAlertIDs(ctx, db.UnreadAlertIDsParams{Person: of.ID, Whole: of.Whole, Mine: mine, Since: FirstID(time.Now().Add(-unreadFor)),
			Scanned: unreadScanned, Most: mostUnread, Every: r.within.every, AccountIds: r.within.list()})
		n = len(ids)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("count unread alerts: %w", err)
	}
	return n, nil
}

// Alert finds one that somebody reads.
func (r *Reader) Alert(ctx context.Context, of Teammate, id string) (a Alert, err error) {
	if !isID(id) {
		return Alert{}, fmt.Errorf("find an alert: %w", ErrNotFound)
	}
	mine, err := of.keys()
	if err != nil {
		return Alert{}, fmt.Errorf("find an alert: %w", err)
	}
	err = r.read(ctx, func(q *db.Queries) error {
		row, err := q.FindAlert(ctx, db.FindAlertParams{ID: id, Whole: of.Whole, Mine: mine, Every: r.within.every, AccountIds: r.within.list()})
		a = alertOf(row)
		return found(err)
	})
	if err != nil {
		return Alert{}, fmt.Errorf("find alert %s: %w", id, err)
	}
	return a, nil
}

// errUnchanged ends a change that changes nothing, so that nothing is written down of it.
var errUnchanged = errors.New("nothing changes")

// ReadAlert notes that somebody has read an alert. What is read stays read.
func (s *Store) ReadAlert(ctx context.Context, by Actor, accountID, id string) error {
	act := Act{AccountID: accountID, By: by, What: ActAlertsRead, Target: id}
	err := s.change(ctx, act, func(q *db.Queries) error {
		n, err := q.ReadAlert(ctx, db.ReadAlertParams{Person: by.PersonID, ID: id, AccountID: accountID})
		if err == nil && n == 0 {
			err = errUnchanged
		}
		return err
	})
	if err != nil && !errors.Is(err, errUnchanged) {
		return fmt.Errorf("mark alert %s read: %w", id, err)
	}
	return nil
}

// ReadAlerts notes that somebody has read every alert of some accounts up to the one with this id. Each account where that
// changes anything has a line in the log.
func (s *Store) ReadAlerts(ctx context.Context, by Actor, within Accounts, upTo string) error {
	if !isID(upTo) {
		return fmt.Errorf("mark alerts read: %w", ErrNotFound)
	}
	upTo = min(uuid.MustParse(upTo).String(), FirstID(time.Now().Add(time.Minute))) // nothing that is still to come
	var acts []Act
	err := inTx(ctx, s.pool, func(_ pgx.Tx, q *db.Queries) error {
		accounts, err := q.ReadAlerts(ctx, db.ReadAlertsParams{Person: by.PersonID, UpTo: upTo, Every: within.every, AccountIds: within.list()})
		for _, account := range accounts {
			acts = append(acts, Act{AccountID: account, By: by, What: ActAlertsRead, Target: upTo, Detail: map[string]string{"all": "up to this one"}})
			if err == nil {
				err = logAct(ctx, q, acts[len(acts)-1])
			}
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("mark alerts read: %w", err)
	}
	for _, a := range acts {
		s.tellAct(a)
	}
	return nil
}
