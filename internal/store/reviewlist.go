package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"aftercall/internal/store/db"
	"aftercall/reason"
	"aftercall/triggers"
)

// ToReview is one automation of a call that waits for a person: its decision is unsure, or messages of it are held.
type ToReview struct {
	AccountID, ConversationID, RevisionID   string
	Run                                     int
	Decision                                triggers.Decision
	Unsure                                  bool // the decision itself waits
	DecidedAt                               time.Time
	Held                                    []StoryDelivery
	CustomerName, CustomerNumber, AgentName string
	Event                                   string // its type, if it is of an event
	StartedAt                               time.Time
}

// ReviewQuery asks for a page of what waits for a person, the newest calls first.
type ReviewQuery struct {
	AccountID    string // "" for all that may be seen
	Unsure, Held bool   // which kinds
	Suspicious   bool   // of what is held, what is for reason.Suspicious
	Before       string // cursor from the page before; "" for the first page
	Limit        int    // calls; default 50, at most 200
}

// Reviews lists what waits for a person, call by call; next is the cursor of the next page, "" if there is none.
func (r *Reader) Reviews(ctx context.Context, q ReviewQuery) (reviews []ToReview, next string, err error) {
	before, err := cursor(q.Before)
	if err != nil {
		return nil, "", fmt.Errorf("list what waits for a person: %w", err)
	}
	limit, within := pageSize(q.Limit), r.within.Narrow(q.AccountID)
	err = r.read(ctx, func(d *db.Queries) error {
		ids, err := d.ReviewPage(ctx, db.ReviewPageParams{Unsure: q.Unsure, Held: q.Held, Suspicious: q.Suspicious, Before: before, Most: int32(limit + 1),
			Every: within.every, AccountIds: within.list()})
		if err != nil {
			return err
		}
		if len(ids) > limit {
			ids, next = ids[:limit], ids[limit-1]
		}
		reviews, err = readReviews(ctx, d, within, ids)
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("list what waits for a person: %w", err)
	}
	return reviews, next, nil
}

// What waits for a person is counted so far: more is many. One automation may hold several messages.
const (
	mostReviews    = 100
	reviewsScanned = 3 * mostReviews
)

// CountReviews counts what waits for a person, up to 100.
func (r *Reader) CountReviews(ctx context.Context) (n int, err error) {
	err = r.read(ctx, func(d *db.Queries) error {
		waiting, err := d.CountReviews(ctx, db.CountReviewsParams{Most: mostReviews, Scanned: reviewsScanned, Every: r.within.every, AccountIds: r.within.list()})
		n = int(waiting)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("count what waits for a person: %w", err)
	}
	return n, nil
}

// ReviewsOf lists what waits for a person in one call.
func (r *Reader) ReviewsOf(ctx context.Context, conversationID string) (reviews []ToReview, err error) {
	if !isID(conversationID) {
		return nil, fmt.Errorf("find what waits for a person: %w", ErrNotFound)
	}
	err = r.read(ctx, func(d *db.Queries) (err error) {
		reviews, err = readReviews(ctx, d, r.within, []string{conversationID})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("find what waits for a person in conversation %s: %w", conversationID, err)
	}
	return reviews, nil
}

func readReviews(ctx context.Context, d *db.Queries, within Accounts, ids []string) (reviews []ToReview, err error) {
	rows, err := d.ReviewDecisions(ctx, db.ReviewDecisionsParams{Ids: append([]string{}, ids...), Every: within.every, AccountIds: within.list()})
	if err != nil {
		return nil, err
	}
	held, err := readHeld(ctx, d, within, ids)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		v := ToReview{AccountID: row.AccountID, ConversationID: row.ConversationID, RevisionID: row.RevisionID, Run: int(row.Run), Unsure: row.Unsure,
			DecidedAt: row.DecidedAt, CustomerName: row.CustomerName, CustomerNumber: row.CustomerNumber, Event: row.Event, AgentName: row.AgentName, StartedAt: row.StartedAt,
			Decision: triggers.Decision{Automation: row.Automation, Verdict: triggers.Verdict(row.Verdict), Reason: reason.Code(row.Reason), Detail: row.Detail, Review: row.Unsure},
			Held:     held[heldKey{row.ConversationID, int(row.Run), row.Automation}]}
		if err := json.Unmarshal(row.Evidence, &v.Decision.Evidence); err != nil {
			return nil, fmt.Errorf("decode the evidence of %s: %w", row.Automation, err)
		}
		reviews = append(reviews, v)
	}
	return reviews, nil
}

// heldKey is the decision that held deliveries belong to.
type heldKey struct {
	conversation string
	run          int
	automation   string
}

func readHeld(ctx context.Context, d *db.Queries, within Accounts, ids []string) (map[heldKey][]StoryDelivery, error) {
	rows, err := d.ReviewHeld(ctx, db.ReviewHeldParams{Ids: append([]string{}, ids...), TextHead: textHead, Every: within.every, AccountIds: within.list()})
	if err != nil {
		return nil, err
	}
	held := map[heldKey][]StoryDelivery{}
	for _, row := range rows {
		x := StoryDelivery{Run: int(row.Run), UpdatedAt: row.UpdatedAt, HasHTML: row.HasHtml, TextBytes: int(row.TextBytes), Delivery: Delivery{ID: row.ID, Automation: row.Automation, Action: int(row.Action),
			Channel: row.Channel, Recipient: row.Recipient, Customer: row.Customer, State: Held, Reason: reason.Code(row.Reason), Detail: row.Detail}}
		if err := json.Unmarshal(row.Content, &x.Content); err != nil {
			return nil, fmt.Errorf("decode delivery %s: %w", row.ID, err)
		}
		x.Content.Text = row.Text
		k := heldKey{row.ConversationID, int(row.Run), row.Automation}
		held[k] = append(held[k], x)
	}
	return held, nil
}
