package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"aftercall/internal/store/db"
	"aftercall/recipients"
)

// Claimed is a delivery that this worker, and nobody else, may now send once.
type Claimed struct {
	ID, AccountID, ConversationID string
	ExternalID                    string // the platform's id of the conversation
	Automation                    string
	Action                        int
	Channel                       string
	Attempt                       int
	DeadlineAt                    time.Time
	Test                          bool
	Content                       Content
	Contact                       recipients.ContactRecord
	ClaimedAt                     time.Time // on this machine's clock, when the claim began
}

// Claim moves every delivery of the conversation and channel that is due (planned or retrying, due at or before now) to
// sending, attempt + 1, and returns them. Grouped with the claims of other jobs. What is past its deadline fails instead.
func (s *Store) Claim(ctx context.Context, conversationID, channel, workerID string, now time.Time) ([]Claimed, error) {
	claimed, err := s.claims.do(ctx, ask{conversationID, channel, workerID, now})
	if err != nil {
		return nil, fmt.Errorf("claim deliveries of conversation %s: %w", conversationID, err)
	}
	return claimed, nil
}

// ask is one job's wish to claim what is due.
type ask struct {
	conversation, channel, worker string
	now                           time.Time
}

// claimer writes groups of claims. A group whose commit was sent but never answered may stand in the ledger as sending
// although no worker knows of it. The claimer remembers such groups and gives their deliveries back with its next
// transactions: nothing was sent under a claim that did not return. If it dies first, a sweep calls them unknown.
type claimer struct {
	pool *pgxpool.Pool
	lost []lostClaim
}

// lostClaim is a group of claims without an answer to its commit, which may still be under way.
type lostClaim struct {
	id      string
	workers []string
	at      time.Time
}

// lostFor is how long a commit without an answer is reckoned with; far longer than any transaction of ours lives.
const lostFor = time.Minute

func (c *claimer) write(ctx context.Context, asks []ask) ([][]Claimed, error) {
	began, claim := time.Now(), newID()
	tx, err := c.pool.Begin(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // of a committed one: nothing
	q := db.New(tx)
	if err := c.release(ctx, q); err != nil {
		return nil, err
	}
	p := db.ClaimDeliveriesParams{ClaimID: claim}
	for n, a := range asks {
		p.ConversationIds, p.Channels = append(p.ConversationIds, a.conversation), append(p.Channels, a.channel)
		p.WorkerIds, p.Nows, p.Asks = append(p.WorkerIds, a.worker), append(p.Nows, a.now), append(p.Asks, int32(n))
	}
	rows, err := q.ClaimDeliveries(ctx, p)
	if err != nil {
		return nil, err
	}
	claimed, err := claimedRows(rows, len(asks))
	if err != nil {
		return nil, err
	}
	if err := tx.Commit(ctx); err != nil {
		c.lost = append(c.lost, lostClaim{claim, p.WorkerIds, time.Now()})
		return nil, err
	}
	c.lost = slices.DeleteFunc(c.lost, func(l lostClaim) bool { return began.Sub(l.at) > lostFor })
	for _, one := range claimed {
		for n := range one {
			one[n].ClaimedAt = began
		}
	}
	return claimed, nil
}

// release gives back what lost claims hold. It is done again and again for a while: a commit without an answer may be
// seen only later.
func (c *claimer) release(ctx context.Context, q *db.Queries) error {
	if len(c.lost) == 0 {
		return nil
	}
	var p db.ReleaseClaimsParams
	for _, l := range c.lost {
		p.ClaimIds, p.WorkerIds = append(p.ClaimIds, l.id), append(p.WorkerIds, l.workers...)
	}
	if err := q.ReleaseClaims(ctx, p); err != nil {
		return fmt.Errorf("release lost claims: %w", err)
	}
	return nil
}

func claimedRows(rows []db.ClaimDeliveriesRow, asks int) ([][]Claimed, error) {
	claimed := make([][]Claimed, asks)
	for _, r := range rows {
		d := Claimed{
			ID: r.ID, AccountID: r.AccountID, ConversationID: r.ConversationID, ExternalID: r.ExternalID,
			Automation: r.Automation, Action: int(r.Action), Channel: r.Channel, Attempt: int(r.Attempt),
			DeadlineAt: zeroOr(r.DeadlineAt), Test: r.Test,
			Contact: recipients.ContactRecord{Name: r.CustomerName, Email: r.CustomerEmail, Number: r.CustomerNumber},
		}
		if err := json.Unmarshal(r.Content, &d.Content); err != nil {
			return nil, fmt.Errorf("decode delivery %s: %w", r.ID, err)
		}
		claimed[r.Ask] = append(claimed[r.Ask], d)
	}
	return claimed, nil
}

// Holds reports whether the claim still stands: sending, same attempt, same worker.
func (s *Store) Holds(ctx context.Context, deliveryID string, attempt int, workerID string) (bool, error) {
	holds, err := s.q.HoldsClaim(ctx, db.HoldsClaimParams{ID: deliveryID, Attempt: int32(attempt), WorkerID: workerID})
	if err != nil {
		return false, fmt.Errorf("read the claim of delivery %s: %w", deliveryID, err)
	}
	return holds, nil
}

// NextDue is when the conversation's next planned or retrying delivery on the channel is due; ok is false if there is none.
func (s *Store) NextDue(ctx context.Context, conversationID, channel string) (at time.Time, ok bool, err error) {
	due, err := s.q.NextDue(ctx, db.NextDueParams{ConversationID: conversationID, Channel: channel})
	if err != nil {
		return time.Time{}, false, fmt.Errorf("look for the next delivery of conversation %s: %w", conversationID, err)
	}
	if len(due) == 0 {
		return time.Time{}, false, nil
	}
	return zeroOr(due[0]), true, nil
}
