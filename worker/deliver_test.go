package worker

import (
	"context"
	"testing"
	"time"

	"aftercall/deliver"
	"aftercall/internal/store"
)

// untouched is a channel that must not be called.
type untouched struct{ *testing.T }

func (u untouched) Send(context.Context, deliver.Message) (deliver.Receipt, error) {
	u.Error("a worker that stops began to send")
	return deliver.Receipt{}, nil
}

// TestAStoppingWorkerBeginsNoSend: a job may hold more claims than it can send before the stop cuts it off.
func TestAStoppingWorkerBeginsNoSend(t *testing.T) {
	t.Parallel()
	stopping := make(chan struct{})
	close(stopping)
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	d := &deliverer{
		stopping: stopping, now: func() time.Time { return now }, id: "w",
		channels: map[string]deliver.Channel{deliver.Email: untouched{t}},
	}
	o := d.send(t.Context(), store.Claimed{ID: "d", AccountID: "acme", Channel: deliver.Email, Attempt: 1, ClaimedAt: time.Now()})
	if o.State != store.Retrying || o.Class != "stopping" || !o.DueAt.Equal(now) {
		t.Errorf("outcome %s, class %q, due %s; want it given back at once", o.State, o.Class, o.DueAt)
	}
}
