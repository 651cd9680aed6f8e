package worker

import (
	"context"
	"log/slog"
	"time"

	"github.com/riverqueue/river"

	"aftercall/deliver"
	"aftercall/internal/store"
)

// PushNow works the pushes of an alert as a job would, at a time.
func PushNow(ctx context.Context, s *store.Store, revisions *Revisions, channel, capture deliver.Channel, now time.Time, alertID string) error {
	channels := map[string]deliver.Channel{}
	if channel != nil {
		channels[deliver.Push] = channel
	}
	p := &pusher{with: &deliverer{store: s, revisions: revisions, channels: channels, capture: capture, log: slog.New(slog.DiscardHandler),
		now: func() time.Time { return now }}}
	return p.Work(ctx, &river.Job[PushArgs]{Args: PushArgs{AlertID: alertID}})
}
