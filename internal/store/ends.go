package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"aftercall/internal/store/db"
)

// EndedWait is a delivery of an event that waited for the end of its call, which has come.
type EndedWait struct {
	DeliveryID, AccountID, ConversationID, Channel string
	Automation                                     string
	Action                                         int
	RevisionID                                     string
	To                                             []string  // recipient keys
	EndedAt                                        time.Time // of the call
}

// awaitEnds notes which deliveries wait for the end of a call.
func awaitEnds(ctx context.Context, q *db.Queries, plans []*planned, written map[string]bool) error {
	var p db.InsertAwaitedEndsParams
	for _, plan := range plans {
		for _, d := range plan.Deliveries {
			if d.EndOf != "" && d.State == Planned && written[d.ID] {
				p.DeliveryIds, p.ConversationIds = append(p.DeliveryIds, d.ID), append(p.ConversationIds, plan.ConversationID)
				p.AccountIds, p.CallIds = append(p.AccountIds, plan.AccountID), append(p.CallIds, clean(d.EndOf))
			}
		}
	}
	if len(p.DeliveryIds) == 0 {
		return nil
	}
	if err := q.InsertAwaitedEnds(ctx, p); err != nil {
		return fmt.Errorf("note what waits for the end of a call: %w", err)
	}
	return nil
}

// EndedWaits lists deliveries whose call has ended, a bounded number at once, and forgets the waits of those that are not planned
// any more.
func (s *Store) EndedWaits(ctx context.Context) (ended []EndedWait, err error) {
	if _, err := s.q.ForgetWaits(ctx, sweepMost); err != nil {
		return nil, fmt.Errorf("forget waits for the end of a call: %w", err)
	}
	rows, err := s.q.EndedCalls(ctx, sweepMost)
	if err != nil {
		return nil, fmt.Errorf("look which calls have ended: %w", err)
	}
	for _, r := range rows {
		ended = append(ended, EndedWait{DeliveryID: r.ID, AccountID: r.AccountID, ConversationID: r.ConversationID, Channel: r.Channel,
			Automation: r.Automation, Action: int(r.Action), RevisionID: r.RevisionID, To: r.Recipients, EndedAt: r.EndedAt.UTC()})
	}
	return ended, nil
}

// EndWait makes a delivery due whose call has ended, with the job that sends it; nothing if somebody else did, or it is not planned
// any more.
func (s *Store) EndWait(ctx context.Context, w EndedWait, r Release, enqueue Enqueue) error {
	err := inTx(ctx, s.pool, func(tx pgx.Tx, q *db.Queries) error {
		due, err := q.EndWait(ctx, db.EndWaitParams{ID: w.DeliveryID, AccountID: w.AccountID, DueAt: &r.DueAt, DeadlineAt: &r.DeadlineAt,
			Reason: string(r.Reason), Detail: clean(r.Detail)})
		if err != nil || len(due) == 0 {
			return err
		}
		return enqueue(ctx, tx, []DeliverJob{{AccountID: w.AccountID, ConversationID: w.ConversationID, Channel: w.Channel, At: r.DueAt}})
	})
	if err != nil {
		return fmt.Errorf("end the wait of delivery %s: %w", w.DeliveryID, err)
	}
	return nil
}
