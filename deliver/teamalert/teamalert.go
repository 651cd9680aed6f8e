// Package teamalert is the channel that tells teammates inside the product.
//
// It owns the hand-over of an alert to the place where teammates read theirs; push to their devices builds on the same
// record.
//
// It promises one alert per delivery, however often it is tried. It never leaves the machine.
package teamalert

import (
	"context"
	"strings"

	"aftercall/deliver"
)

// Provider is what a receipt of this channel names.
const Provider = "team_alert"

// Poster writes alerts; the store is one. Posting the same delivery again changes nothing.
type Poster interface {
	PostAlert(ctx context.Context, m deliver.Message) error
}

// Channel is a deliver.Channel for team alerts.
type Channel struct{ poster Poster }

// New returns the channel.
func New(p Poster) *Channel { return &Channel{poster: p} }

// Send posts the alert. Posting is idempotent, so that every failure is safe to try again, also one whose commit may
// have gone through. An alert without words is refused.
func (c *Channel) Send(ctx context.Context, m deliver.Message) (deliver.Receipt, error) {
	if strings.TrimSpace(m.Text) == "" {
		return deliver.Receipt{}, &deliver.Error{Verdict: deliver.Refused, Class: "bad_request", Detail: "the alert has no text"}
	}
	if err := c.poster.PostAlert(ctx, m); err != nil {
		return deliver.Receipt{}, &deliver.Error{Verdict: deliver.Retry, Class: "database", Detail: "the alert could not be posted"}
	}
	return deliver.Receipt{Provider: Provider, ProviderID: m.DeliveryID}, nil
}
