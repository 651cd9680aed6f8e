// Package capture is the channel that sends nothing: it keeps every message where the dashboard shows it.
//
// It owns the sink for installations without credentials and for test conversations. It stands in for any channel.
//
// It promises that nothing leaves the machine, and that the same delivery and attempt is kept once. It never fails for
// a reason of the message's own.
package capture

import (
	"context"

	"aftercall/deliver"
)

// Provider is what a receipt of this channel names.
const Provider = "capture"

// Keeper keeps messages; the store is one. Keeping the same delivery and attempt again changes nothing.
type Keeper interface {
	Keep(ctx context.Context, m deliver.Message) error
}

// Channel is a deliver.Channel that keeps instead of sending.
type Channel struct{ keeper Keeper }

// New returns the channel.
func New(k Keeper) *Channel { return &Channel{keeper: k} }

// Send keeps m. Keeping is idempotent, so that every failure is safe to try again, also one whose commit may have gone
// through.
func (c *Channel) Send(ctx context.Context, m deliver.Message) (deliver.Receipt, error) {
	if err := c.keeper.Keep(ctx, m); err != nil {
		return deliver.Receipt{}, &deliver.Error{Verdict: deliver.Retry, Class: "database", Detail: "the message could not be kept"}
	}
	return deliver.Receipt{Provider: Provider, ProviderID: m.DeliveryID}, nil
}
