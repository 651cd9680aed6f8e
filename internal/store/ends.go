package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
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

// EndLook is how far a worker has looked for waits whose call has come. Its zero value begins.
type EndLook struct {
	calls, waits string // ids: the calls that came in, and the waits that were noted, after these are still to be looked at
	pass         string // and the wait where the pass over all of them has arrived; "" at the first
}

const (
	// endsUnseen is how long before it can be seen by others a row has its id. A pass finds what took longer.
	endsUnseen = 15 * time.Second
	// endsBack is how far back a look goes that comes late, so that what comes in now does not wait for it; the rest is for a pass.
	endsBack = 10 * time.Minute
	// endsCalls is how many calls one look looks at.
	endsCalls = 5 * sweepMost
)

// EndedWaits lists deliveries whose call has ended, and forgets the waits of those that are not planned any more. It looks at the calls
// that came in and at the waits that were noted since this worker's last look, and at the next page of all waits: so both are found at
// once, in whatever order they come, nothing is missed for good, and a look costs the same however many wait for a call that never
// comes. While somebody else sweeps it finds nothing, and the next look goes on from where this worker was.
func (s *Store) EndedWaits(ctx context.Context, l *EndLook) (ended []EndedWait, err error) {
	next := *l
	err = inTx(ctx, s.pool, func(_ pgx.Tx, q *db.Queries) error {
		mine, err := q.TrySweepLock(ctx, sweepLock)
		if err != nil || !mine {
			return err
		}
		ids, err := next.look(ctx, q, time.Now())
		if err != nil {
			return err
		}
		if err := forgetWaits(ctx, q, ids); err != nil {
			return err
		}
		rows, err := q.EndedWaits(ctx, ids)
		for _, r := range rows {
			ended = append(ended, EndedWait{DeliveryID: r.ID, AccountID: r.AccountID, ConversationID: r.ConversationID, Channel: r.Channel,
				Automation: r.Automation, Action: int(r.Action), RevisionID: r.RevisionID, To: r.Recipients, EndedAt: r.EndedAt.UTC()})
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look which calls have ended: %w", err)
	}
	*l = next
	return ended, nil
}

// look gives the waits to be looked at now, each once, and goes on. Where one page holds all there are it is enough.
func (l *EndLook) look(ctx context.Context, q *db.Queries, now time.Time) ([]string, error) {
	seen, back := FirstID(now.Add(-endsUnseen)), FirstID(now.Add(-endsBack))
	ids, err := q.WaitsAfter(ctx, db.WaitsAfterParams{After: cmp.Or(l.pass, uuid.Nil.String()), Most: sweepMost})
	if err != nil {
		return nil, err
	}
	if l.pass == "" && len(ids) < sweepMost {
		l.calls, l.waits = seen, seen
		return ids, nil
	}
	l.pass = lastOf(ids, sweepMost, "")
	noted, err := q.WaitsAfter(ctx, db.WaitsAfterParams{After: max(l.waits, back), Most: sweepMost})
	if err != nil {
		return nil, err
	}
	l.waits = lastOf(noted, sweepMost, seen)
	came, err := l.ofCalls(ctx, q, max(l.calls, back), seen)
	if err != nil {
		return nil, err
	}
	ids = slices.Concat(ids, noted, came)
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// ofCalls gives what waits for calls that came in after one.
func (l *EndLook) ofCalls(ctx context.Context, q *db.Queries, after, seen string) (ids []string, err error) {
	last, err := q.LastOfCalls(ctx, db.LastOfCallsParams{After: after, More: endsCalls - 1})
	if err != nil {
		return nil, err
	}
	l.calls = lastOf(last, 1, seen)
	rows, err := q.WaitsOfCalls(ctx, db.WaitsOfCallsParams{After: after, UpTo: lastOf(last, 1, uuid.Max.String()), Most: sweepMost})
	for _, r := range rows {
		ids = append(ids, r.DeliveryID)
	}
	if len(rows) == sweepMost {
		l.calls = rows[len(rows)-1].Call
	}
	return ids, err
}

// lastOf is the last of a full page, and something else if it is not full.
func lastOf(page []string, full int, otherwise string) string {
	if len(page) < full {
		return otherwise
	}
	return page[len(page)-1]
}

// forgetWaits forgets those of deliveries that are not planned any more.
func forgetWaits(ctx context.Context, q *db.Queries, ids []string) error {
	vain, err := q.VainWaits(ctx, ids)
	if err != nil || len(vain) == 0 {
		return err
	}
	return q.ForgetWaits(ctx, vain)
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
