package worker

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

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

// TestAJobWithoutAPlaceGoesBack: what a worker has fetched and cannot send must not wait there while a peer is idle.
func TestAJobWithoutAPlaceGoesBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		places := newGate(1)
		leave, _ := places.tryEnter()
		d := &deliverer{places: map[string]*gate{deliver.Email: places}}
		job := &river.Job[DeliverArgs]{JobRow: &rivertype.JobRow{Priority: 1}, Args: DeliverArgs{Channel: deliver.Email}}
		began := time.Now()
		err := d.work(t.Context(), job)
		var back *river.JobSnoozeError
		if !errors.As(err, &back) || back.Duration < queueWait/2 || back.Duration > 2*queueWait {
			t.Fatalf("got %v, want the job back in the queue in about %s", err, queueWait)
		}
		if took := time.Since(began); took != queueWait {
			t.Errorf("it waited %s, want %s", took, queueWait)
		}

		time.AfterFunc(queueWait/2, leave)
		if _, err := d.place(t.Context(), job); err != nil {
			t.Errorf("a place that is free in time: %v", err)
		}

		stopped, stop := context.WithCancel(t.Context())
		stop()
		if _, err := d.place(stopped, job); !errors.Is(err, context.Canceled) {
			t.Errorf("a job that is stopped: got %v", err)
		}
	})
}
