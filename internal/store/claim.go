package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"aftercall/internal/store/db"
	"aftercall/reason"
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

	LeaveOut map[string]reason.Code // addresses that it must not go to; there are others that it may
}

// Claim moves every delivery of the conversation and channel that is due (planned or retrying, due at or before now) to
// sending, attempt + 1, and returns them. Grouped with the claims of other jobs. What is past its deadline fails instead, and
// what would go to suppressed addresses only is skipped.
func (s *Store) Claim(ctx context.Context, conversationID, channel, workerID string, now time.Time, to AddressesOf) ([]Claimed, error) {
	claimed, err := s.claims.do(ctx, ask{conversationID, channel, workerID, now, to})
	if err != nil {
		return nil, fmt.Errorf("claim deliveries of conversation %s: %w", conversationID, err)
	}
	return claimed, nil
}

// ask is one job's wish to claim what is due.
type ask struct {
	conversation, channel, worker string
	now                           time.Time
	to                            AddressesOf
}

// writeClaims writes a group of claims in one transaction.
func (s *Store) writeClaims(ctx context.Context, asks []ask) (claimed [][]Claimed, err error) {
	claim := newClaim()
	p := db.ClaimDeliveriesParams{ClaimID: claim.id}
	for n, a := range asks {
		p.ConversationIds, p.Channels = append(p.ConversationIds, a.conversation), append(p.Channels, a.channel)
		p.WorkerIds, p.Nows, p.Asks = append(p.WorkerIds, a.worker), append(p.Nows, a.now), append(p.Asks, int32(n))
	}
	claim.workers = p.WorkerIds
	to := make([]AddressesOf, len(asks))
	for n, a := range asks {
		to[n] = a.to
	}
	err = s.lost.inTx(ctx, s.pool, claim, func(_ pgx.Tx, q *db.Queries) error {
		rows, err := q.ClaimDeliveries(ctx, p)
		if err != nil {
			return err
		}
		if claimed, err = claimedRows(rows, len(asks), claim.at); err != nil {
			return err
		}
		return s.hashes.leaveOut(ctx, q, claimed, to)
	})
	return claimed, err
}

func claimedRows(rows []db.ClaimDeliveriesRow, asks int, began time.Time) ([][]Claimed, error) {
	claimed := make([][]Claimed, asks)
	for _, r := range rows {
		d := Claimed{
			ID: r.ID, AccountID: r.AccountID, ConversationID: r.ConversationID, ExternalID: r.ExternalID,
			Automation: r.Automation, Action: int(r.Action), Channel: r.Channel, Attempt: int(r.Attempt),
			DeadlineAt: zeroOr(r.DeadlineAt), Test: r.Test, ClaimedAt: began,
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
