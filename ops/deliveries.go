package ops

import (
	"context"
	"fmt"

	"aftercall/deliver"
	"aftercall/internal/store"
	"aftercall/worker"
)

// Resend sends a message again, to the same recipient and as it stands, as a delivery of its own: one that was sent, failed, was
// cancelled or is unknown, and only the last of its message. Pressed twice it gives the same id.
func (o *Ops) Resend(ctx context.Context, by store.Actor, account, deliveryID string) (newID string, err error) {
	return o.store.ResendDelivery(ctx, by, account, deliveryID, o.now(), worker.LifetimeOn, o.enqueue)
}

// Settle says what became of an unknown delivery: store.Sent or store.Failed.
func (o *Ops) Settle(ctx context.Context, by store.Actor, account, deliveryID string, as store.DeliveryState) error {
	return o.store.SettleDelivery(ctx, by, account, deliveryID, as)
}

// Cancel calls off what is planned, retrying or held.
func (o *Ops) Cancel(ctx context.Context, by store.Actor, account, deliveryID string) error {
	return o.store.CancelDelivery(ctx, by, account, deliveryID)
}

// Release lets a held delivery go out as it stands, in its window; not one that would show a gap to a customer. A held task
// is written.
func (o *Ops) Release(ctx context.Context, by store.Actor, account, deliveryID string) error {
	d, err := o.store.HeldDelivery(ctx, account, deliveryID)
	if err != nil {
		return err
	}
	c, err := o.call(ctx, account, d.ConversationID)
	if err != nil {
		return err
	}
	again, _, err := o.again(ctx, c, d.RevisionID)
	if err != nil {
		return err
	}
	r := again.Due(d.Delivery)
	if d.Channel == deliver.Task && d.State == store.Held {
		values, err := o.store.ReadDecision(ctx, account, d.ConversationID, d.Run, d.Automation)
		if err != nil {
			return err
		}
		if r.Task = again.TaskOf(d.Delivery, values.Values); r.Task == nil {
			return fmt.Errorf("release delivery %s: its config has no such task", deliveryID)
		}
	}
	return o.store.ReleaseDelivery(ctx, by, account, deliveryID, r, o.enqueue)
}
