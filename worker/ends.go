package worker

import (
	"context"
	"errors"
	"fmt"

	"aftercall/internal/store"
)

// endWaits makes due what waited for the end of a call that has ended meanwhile, on the clocks of its window if it has one. It is
// looked for with each sweep, so that the order in which a call and its events come in does not matter. One that cannot be made due
// (its revision is for newer peers, its call was erased a moment ago) keeps none of the others.
func (w *Worker) endWaits(ctx context.Context) error {
	ended, err := w.store.EndedWaits(ctx, &w.ends)
	if err != nil {
		return err
	}
	var failed []error
	for _, e := range ended {
		if ctx.Err() != nil {
			failed = append(failed, ctx.Err()) // later looks find the rest
			break
		}
		if err := w.endWait(ctx, e); err != nil && !gone(err) && !errors.Is(err, ErrNewerFormat) {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

func (w *Worker) endWait(ctx context.Context, e store.EndedWait) error {
	event, err := w.store.Load(ctx, e.ConversationID, 1)
	if err != nil {
		return err
	}
	rev, err := w.revisions.ByID(ctx, e.RevisionID)
	if err != nil {
		return fmt.Errorf("end the wait of delivery %s: %w", e.DeliveryID, err)
	}
	call := *event.Conversation
	call.EndedAt = e.EndedAt
	again := Again{Conversation: &call, Revision: rev, Now: w.now()}
	due := again.open(store.Delivery{Automation: e.Automation, Action: e.Action, Channel: e.Channel, Content: store.Content{To: e.To}})
	return w.store.EndWait(ctx, e, due, EnqueueDelivers(w.client))
}
