package store

import (
	"context"
	"fmt"

	"aftercall/internal/store/db"
)

// mostWaiting is how many deliveries of a call are looked at together.
const mostWaiting = 200

// Waiting lists what waits of a conversation and of those that belong to the same call, what is due first first: of a call its events,
// of an event the call, if that has come in, and its other events. more reports that there is more of it.
func (r *Reader) Waiting(ctx context.Context, accountID, conversationID string) (waits []DeliveryRow, more bool, err error) {
	if !isID(conversationID) || !r.within.Has(accountID) {
		return nil, false, fmt.Errorf("list what waits of a call: %w", ErrNotFound)
	}
	err = r.read(ctx, func(q *db.Queries) error {
		rows, err := q.WaitingOfCall(ctx, db.WaitingOfCallParams{ID: conversationID, AccountID: accountID, Most: mostWaiting + 1})
		for _, row := range rows {
			waits = append(waits, deliveryRow(db.SiftDeliveriesOfCallsRow(row)))
		}
		return err
	})
	if err != nil {
		return nil, false, fmt.Errorf("list what waits of conversation %s: %w", conversationID, err)
	}
	if len(waits) > mostWaiting {
		waits, more = waits[:mostWaiting], true
	}
	return waits, more, nil
}
