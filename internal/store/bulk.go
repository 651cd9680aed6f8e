package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"aftercall/internal/store/db"
	"aftercall/reason"
)

// BulkAction is what a bulk job does to each item.
type BulkAction string

// The actions that can be taken in bulk. The replays work on conversations, the others on deliveries.
const (
	BulkResend       BulkAction = "resend"
	BulkSettleSent   BulkAction = "settle_sent"
	BulkSettleFailed BulkAction = "settle_failed"
	BulkCancel       BulkAction = "cancel"
	BulkRelease      BulkAction = "release"
	BulkReplaySame   BulkAction = "replay_same"
	BulkReplayActive BulkAction = "replay_active"
)

// BulkActions lists them.
func BulkActions() []BulkAction {
	return []BulkAction{BulkResend, BulkSettleSent, BulkSettleFailed, BulkCancel, BulkRelease, BulkReplaySame, BulkReplayActive}
}

// Replays reports whether the action decides conversations anew.
func (a BulkAction) Replays() bool { return a == BulkReplaySame || a == BulkReplayActive }

// from is the state that an action starts from where the filter names none; "" where there are several.
func (a BulkAction) from() DeliveryState {
	switch a {
	case BulkSettleSent, BulkSettleFailed:
		return Unknown
	case BulkRelease:
		return Held
	}
	return ""
}

// BulkRequest is one action for all that a filter finds.
type BulkRequest struct {
	Action  BulkAction `json:"action"`
	Sandbox bool       `json:"sandbox,omitempty"` // of a replay
	Filter  BulkFilter `json:"filter"`
}

// BulkFilter is what has to fit, all of it. An empty field fits everything.
type BulkFilter struct {
	Since      time.Time     `json:"since"` // when it was planned; a conversation: accepted
	Until      time.Time     `json:"until"`
	Channel    string        `json:"channel,omitempty"`
	State      DeliveryState `json:"state,omitempty"`
	Class      string        `json:"class,omitempty"` // of the last attempt's error
	Automation string        `json:"automation,omitempty"`
	Reason     reason.Code   `json:"reason,omitempty"` // of the delivery; for a replay: of a decision
	Domain     string        `json:"domain,omitempty"` // of an address it goes to
}

// check refuses what is not to be done in bulk.
func (b *BulkRequest) check() error {
	f := &b.Filter
	domain := domainKey(f.Domain)
	switch {
	case !slices.Contains(BulkActions(), b.Action):
		return refuse("There is no bulk action %q.", b.Action)
	case f.Since.IsZero() || f.Until.IsZero() || !f.Until.After(f.Since):
		return refuse("Say from when to when: the end comes after the beginning.")
	case domain == "" && f.Domain != "": // which would fit everything
		return refuse("That is no domain: write it as acme.example.")
	case b.Sandbox && !b.Action.Replays():
		return refuse("Only a replay has a sandbox.")
	case f.State == "" && b.Action.from() != "":
		f.State = b.Action.from()
	case f.State == "" && b.Action == BulkResend:
		return refuse("Say which state they are in, such as failed: what went out is not sent again in passing.")
	}
	f.Domain = domain
	return nil
}

// Complete is the request with what its action says of the filter filled in. What is not to be done in bulk is refused.
func (b BulkRequest) Complete() (BulkRequest, error) {
	err := b.check()
	return b, err
}

// String says what is asked for in one line.
func (b BulkRequest) String() string {
	f := b.Filter
	var parts []string
	for _, p := range [][2]string{{"channel", f.Channel}, {"state", string(f.State)}, {"class", f.Class}, {"automation", f.Automation}, {"reason", string(f.Reason)},
		{"domain", f.Domain}} {
		if p[1] != "" {
			parts = append(parts, p[0]+" "+p[1])
		}
	}
	what := "deliveries planned"
	if b.Action.Replays() {
		what = "calls accepted"
	}
	action := string(b.Action)
	if b.Sandbox {
		action += " in a sandbox"
	}
	parts = append(parts, fmt.Sprintf("%s from %s until %s", what, f.Since.UTC().Format(bulkTime), f.Until.UTC().Format(bulkTime)))
	return action + ": " + strings.Join(parts, ", ")
}

const bulkTime = "2006-01-02 15:04:05 MST"

// BulkState is where a bulk job stands.
type BulkState string

// The states of a bulk job.
const (
	BulkRunning BulkState = "running"
	BulkEnded   BulkState = "done"
	BulkAborted BulkState = "aborted"
)

// Bulk is one bulk job.
type Bulk struct {
	ID, AccountID         string
	Request               BulkRequest
	By                    Actor // who asked for it
	State                 BulkState
	Counted               int    // what the filter found when it was asked for
	More                  bool   // it was more than that
	At                    string // the last item that was done
	Done, Refused, Failed int    // items so far
	AskedAt               time.Time
	EndedAt               time.Time // zero while it runs
	EndedBy               string    // who aborted it
}

// BulkItem is what became of one item.
type BulkItem struct {
	ID             string // a delivery's; a conversation's for a replay
	ConversationID string
	Result         string // BulkDone, BulkRefused or BulkFailed
	Detail         string // the sentence that refused it
	Made           string // the new delivery's id, or the new run
	At             time.Time
}

// The results of an item.
const (
	BulkDone    = "done"
	BulkRefused = "refused"
	BulkFailed  = "failed"
)

// bulkMost is how far a filter's finds are counted.
const bulkMost = 10_000

// CountBulk says how many a filter finds now, and whether there are more than that.
func (s *Store) CountBulk(ctx context.Context, account string, b BulkRequest) (n int, more bool, err error) {
	if err := b.check(); err != nil {
		return 0, false, err
	}
	var ids []string
	err = s.read(ctx, func(q *db.Queries) error { // which takes no longer than a page may
		ids, err = bulkIDs(ctx, q, account, b, "", time.Now(), bulkMost+1)
		return err
	})
	var stopped *pgconn.PgError
	switch {
	case errors.As(err, &stopped) && stopped.Code == pgerrcode.QueryCanceled:
		return 0, false, refuse("There is too much to look through: take a shorter time.")
	case err != nil:
		return 0, false, fmt.Errorf("count what a filter finds: %w", err)
	}
	return min(len(ids), bulkMost), len(ids) > bulkMost, nil
}

// bulkIDs lists what a filter finds after an id, in the order of ids: what was there when the job was asked for, and not what
// the job itself makes.
func bulkIDs(ctx context.Context, q *db.Queries, account string, b BulkRequest, after string, asked time.Time, most int) ([]string, error) {
	f := b.Filter
	from, until := FirstID(f.Since), FirstID(f.Until)
	if after > from {
		from = after
	}
	if b.Action.Replays() {
		return q.BulkConversations(ctx, db.BulkConversationsParams{After: from, UntilID: until, AccountID: account, AskedAt: asked,
			Automation: f.Automation, Reason: string(f.Reason), Channel: f.Channel, State: string(f.State), Class: f.Class, Domain: f.Domain, Most: int32(most)})
	}
	if f.State == Held || f.State == Failed || f.State == Unknown {
		return q.BulkTroubled(ctx, db.BulkTroubledParams{After: from, UntilID: until, AccountID: account, AskedAt: asked,
			Automation: f.Automation, Reason: string(f.Reason), Channel: f.Channel, State: string(f.State), Class: f.Class, Domain: f.Domain, Most: int32(most)})
	}
	return q.BulkDeliveries(ctx, db.BulkDeliveriesParams{After: from, UntilID: until, AccountID: account, AskedAt: asked,
		Automation: f.Automation, Reason: string(f.Reason), Channel: f.Channel, State: string(f.State), Class: f.Class, Domain: f.Domain, Most: int32(most)})
}

// AskBulk asks for one action on all that a filter finds. A worker does it, item by item.
func (s *Store) AskBulk(ctx context.Context, by Actor, account string, b BulkRequest, enqueue func(ctx context.Context, tx pgx.Tx, bulkID string) error) (id string, err error) {
	n, more, err := s.CountBulk(ctx, account, b)
	switch {
	case err != nil:
		return "", err
	case n == 0:
		return "", refuse("The filter finds nothing.")
	}
	_ = b.check() // completes the filter; CountBulk has found nothing wrong with it
	request, err := encode(b)
	if err != nil {
		return "", err
	}
	id = newID()
	a := Act{AccountID: account, By: by, What: ActBulk, Target: id, Detail: map[string]string{"request": b.String(), "found": found10k(n, more)}}
	err = s.changeTx(ctx, &a, func(tx pgx.Tx, q *db.Queries) error {
		err := q.InsertBulk(ctx, db.InsertBulkParams{ID: id, AccountID: account, Request: request, PersonID: by.person(), Person: clean(by.Name),
			Address: clean(by.Address), Counted: int32(n), More: more})
		if err != nil {
			return err
		}
		return enqueue(ctx, tx, id)
	})
	if err != nil {
		return "", fmt.Errorf("ask for a bulk job: %w", err)
	}
	return id, nil
}

// found10k writes a bounded count.
func found10k(n int, more bool) string {
	if more {
		return fmt.Sprintf("more than %d", n)
	}
	return fmt.Sprint(n)
}

// AbortBulk stops a job before its next item.
func (s *Store) AbortBulk(ctx context.Context, by Actor, account, id string) error {
	if !isID(id) {
		return fmt.Errorf("abort a bulk job: %w", ErrNotFound)
	}
	err := s.change(ctx, Act{AccountID: account, By: by, What: ActBulkEnded, Target: id}, func(q *db.Queries) error {
		n, err := q.EndBulk(ctx, db.EndBulkParams{ID: id, AccountID: account, State: string(BulkAborted), EndedBy: clean(by.Name)})
		if err != nil || n == 1 {
			return err
		}
		rows, err := q.ReadBulk(ctx, db.ReadBulkParams{ID: id, AccountIds: []string{account}})
		switch {
		case err != nil:
			return err
		case len(rows) == 0:
			return ErrNotFound
		case rows[0].State == string(BulkAborted):
			return errAlready
		}
		return refuse("It is done already.")
	})
	var refused *Refused
	switch {
	case errors.Is(err, errAlready):
		return nil
	case errors.As(err, &refused):
		return refused
	case err != nil:
		return fmt.Errorf("abort bulk job %s: %w", id, err)
	}
	return nil
}

// ErrBulkMoved says that a bulk job's item is not to be done here: the job has ended, or somebody else has done it.
var ErrBulkMoved = errors.New("the bulk job has moved on")

// NextOfBulk lists the items that a job has before it; none if it is done, which it is from then on.
func (s *Store) NextOfBulk(ctx context.Context, b Bulk, most int) ([]string, error) {
	ids, err := bulkIDs(ctx, s.q, b.AccountID, b.Request, b.At, b.AskedAt, most)
	if err == nil && len(ids) == 0 {
		if _, err = s.q.EndBulk(ctx, db.EndBulkParams{ID: b.ID, AccountID: b.AccountID, State: string(BulkEnded)}); err == nil {
			s.teller.tell(TopicDeliveries, b.AccountID, b.ID)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("look what is next in bulk job %s: %w", b.ID, err)
	}
	return ids, nil
}

// SkipBulkItem records an item of a job that was not done, with the sentence that says why.
func (s *Store) SkipBulkItem(ctx context.Context, b Bulk, item BulkItem) error {
	step := db.StepBulkParams{Refused: 1}
	if item.Result == BulkFailed {
		step = db.StepBulkParams{Failed: 1}
	}
	a := Act{AccountID: b.AccountID, By: Actor{Bulk: b.ID}, Target: item.ID}
	err := inTx(ctx, s.pool, func(_ pgx.Tx, q *db.Queries) error {
		if err := stepBulk(ctx, q, a, step); err != nil {
			return err
		}
		return noteItem(ctx, q, a, item)
	})
	if err != nil {
		return fmt.Errorf("record item %s of bulk job %s: %w", item.ID, b.ID, err)
	}
	s.teller.tell(TopicDeliveries, b.AccountID, b.ID) // its page counts it
	return nil
}

// stepBulk moves a job's cursor to an item. Its row is locked by that until the item's transaction ends, so that two workers
// take turns and an abort comes before or after an item, not in its middle.
func stepBulk(ctx context.Context, q *db.Queries, a Act, p db.StepBulkParams) error {
	p.ID, p.AccountID, p.Item = a.By.Bulk, a.AccountID, a.Target
	n, err := q.StepBulk(ctx, p)
	if err == nil && n == 0 {
		err = ErrBulkMoved
	}
	return err
}

func noteItem(ctx context.Context, q *db.Queries, a Act, i BulkItem) error {
	if !isID(i.ConversationID) {
		i.ConversationID = uuid.Nil.String() // it was erased meanwhile
	}
	return q.InsertBulkItem(ctx, db.InsertBulkItemParams{BulkID: a.By.Bulk, Item: i.ID, AccountID: a.AccountID, ConversationID: i.ConversationID,
		Result: i.Result, Detail: clean(i.Detail), Made: i.Made})
}

// Bulk reads one bulk job.
func (r *Reader) Bulk(ctx context.Context, id string) (b Bulk, err error) {
	if !isID(id) {
		return b, fmt.Errorf("read a bulk job: %w", ErrNotFound)
	}
	err = r.read(ctx, func(q *db.Queries) error {
		rows, err := q.ReadBulk(ctx, db.ReadBulkParams{ID: id, Every: r.within.every, AccountIds: r.within.list()})
		if err == nil && len(rows) == 0 {
			err = ErrNotFound
		}
		if err == nil {
			b, err = bulkOf(rows[0])
		}
		return err
	})
	if err != nil {
		return Bulk{}, fmt.Errorf("read bulk job %s: %w", id, err)
	}
	return b, nil
}

// Bulks lists bulk jobs, the newest first, by cursor; accountID "" is every account that may be seen.
func (r *Reader) Bulks(ctx context.Context, accountID, before string, limit int) (bulks []Bulk, next string, err error) {
	if before, err = cursor(before); err != nil {
		return nil, "", fmt.Errorf("list bulk jobs: %w", err)
	}
	limit = pageSize(limit)
	within := r.within.Narrow(accountID)
	err = r.read(ctx, func(q *db.Queries) error {
		rows, err := q.ListBulks(ctx, db.ListBulksParams{Before: before, Most: int32(limit + 1), Every: within.every, AccountIds: within.list()})
		for _, row := range rows {
			b, decodeErr := bulkOf(db.ReadBulkRow(row))
			bulks, err = append(bulks, b), errors.Join(err, decodeErr)
		}
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("list bulk jobs: %w", err)
	}
	if len(bulks) > limit {
		bulks, next = bulks[:limit], bulks[limit-1].ID
	}
	return bulks, next, nil
}

// BulkItems lists what became of a job's items, in the order in which they are done, by cursor.
func (r *Reader) BulkItems(ctx context.Context, id, after string, limit int) (items []BulkItem, next string, err error) {
	if after == "" {
		after = uuid.Nil.String()
	}
	if !isID(id) || !isID(after) {
		return nil, "", fmt.Errorf("list the items of a bulk job: %w", ErrNotFound)
	}
	limit = pageSize(limit)
	err = r.read(ctx, func(q *db.Queries) error {
		rows, err := q.ListBulkItems(ctx, db.ListBulkItemsParams{BulkID: id, After: after, Most: int32(limit + 1), Every: r.within.every, AccountIds: r.within.list()})
		for _, row := range rows {
			items = append(items, BulkItem{ID: row.Item, ConversationID: row.ConversationID, Result: row.Result, Detail: row.Detail, Made: row.Made, At: row.At})
		}
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("list the items of bulk job %s: %w", id, err)
	}
	if len(items) > limit {
		items, next = items[:limit], items[limit-1].ID
	}
	return items, next, nil
}

func bulkOf(r db.ReadBulkRow) (Bulk, error) {
	b := Bulk{ID: r.ID, AccountID: r.AccountID, By: Actor{PersonID: r.PersonID, Name: r.Person, Address: r.Address}, State: BulkState(r.State),
		Counted: int(r.Counted), More: r.More, At: r.AtItem, Done: int(r.Done), Refused: int(r.Refused), Failed: int(r.Failed),
		AskedAt: r.AskedAt, EndedAt: r.EndedAt, EndedBy: r.EndedBy}
	if err := json.Unmarshal(r.Request, &b.Request); err != nil {
		return b, fmt.Errorf("decode bulk job %s: %w", r.ID, err)
	}
	return b, nil
}
