package worker

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"aftercall/automation"
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

// slowly is a provider that takes as long as it says.
type slowly time.Duration

func (s slowly) Send(context.Context, deliver.Message) (deliver.Receipt, error) {
	<-time.After(time.Duration(s))
	return deliver.Receipt{}, nil
}

// TestOnlyAProviderSaysHowLongItTakes: what went to the capture sink or nowhere is no reason to wait again for one that hangs.
func TestOnlyAProviderSaysHowLongItTakes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &deliverer{
			now: time.Now, id: "w", capture: slowly(0), log: slog.New(slog.DiscardHandler), places: map[string]*gate{},
			revisions: &Revisions{active: map[string]*automation.Revision{"acme": {}}},
		}
		slow := func(c store.Claimed, after slowly) (all map[string]bool) {
			d.channels, all = map[string]deliver.Channel{deliver.Email: after, deliver.SMS: after}, map[string]bool{}
			c.ID, c.Attempt, c.ClaimedAt = "d", 1, time.Now()
			leave, _ := d.places[c.Channel].tryEnter()
			d.sendGuarded(t.Context(), c)
			leave()
			for channel, g := range d.places {
				all[channel] = g.slow
			}
			return all
		}
		for _, channel := range []string{deliver.Email, deliver.SMS, deliver.TeamAlert} {
			d.places[channel] = newGate(2)
		}
		for _, x := range []struct {
			name  string
			c     store.Claimed
			after time.Duration
			slow  bool // the provider of e-mail
		}{
			{"it hangs", store.Claimed{AccountID: "acme", Channel: deliver.Email}, 5 * time.Second, true},
			{"a test call's", store.Claimed{AccountID: "acme", Channel: deliver.Email, Test: true}, 0, true},
			{"an account without a config here", store.Claimed{AccountID: "umbra", Channel: deliver.Email}, 0, true},
			{"nobody left to send to", store.Claimed{AccountID: "acme", Channel: deliver.Email, Content: store.Content{To: []string{"user:gone"}}}, 0, true},
			{"another channel's provider", store.Claimed{AccountID: "acme", Channel: deliver.SMS}, 0, true},
			{"a channel that is captured", store.Claimed{AccountID: "acme", Channel: deliver.TeamAlert}, 0, true},
			{"as quick as usual", store.Claimed{AccountID: "acme", Channel: deliver.Email}, time.Millisecond, false},
		} {
			want := map[string]bool{deliver.Email: x.slow, deliver.SMS: false, deliver.TeamAlert: false}
			if diff := cmp.Diff(want, slow(x.c, slowly(x.after))); diff != "" {
				t.Errorf("%s: which are slow (-want +got):\n%s", x.name, diff)
			}
		}
	})
}
