package worker

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"aftercall/automation"
	"aftercall/deliver"
	"aftercall/deliver/push"
	"aftercall/internal/store"
)

// PushArgs asks for an alert to be sent to the browsers of those it is for. The conversation is there to be erased by.
type PushArgs struct {
	ConversationID string `json:"conversation_id"`
	AlertID        string `json:"alert_id"`
}

// Kind names the job.
func (PushArgs) Kind() string { return "alert.push" }

const (
	pushTimeout = 2 * time.Minute
	pushAtOnce  = 16 // browsers that are written to side by side: a claim's
	// pushWithin is how long an alert is news. What could not be sent by then stays unsent: the alert is in the list.
	pushWithin = time.Hour
)

// EnqueuePush returns the callback with which pushes are asked for in the transaction that posts their alert.
func EnqueuePush(c *river.Client[pgx.Tx]) func(context.Context, pgx.Tx, store.Alert) error {
	return func(ctx context.Context, tx pgx.Tx, a store.Alert) error {
		return insert(ctx, c, tx, []river.InsertManyParams{{
			Args:       PushArgs{ConversationID: a.ConversationID, AlertID: a.ID},
			InsertOpts: &river.InsertOpts{Queue: QueueOf(deliver.Push), MaxAttempts: maxJobAttempts},
		}})
	}
}

// pusher works alert.push jobs. The alert itself was delivered when it was posted; what comes of its pushes changes nothing of it.
type pusher struct {
	river.WorkerDefaults[PushArgs]
	with *deliverer
}

// Timeout bounds the job.
func (p *pusher) Timeout(*river.Job[PushArgs]) time.Duration { return pushTimeout }

// NextRetry is the back-off of a job that failed for a reason of ours.
func (p *pusher) NextRetry(job *river.Job[PushArgs]) time.Time {
	return nextRetry(p.with.now(), job.Attempt)
}

// Work sends an alert to each browser once: claimed before it is sent, settled as the answer comes.
func (p *pusher) Work(ctx context.Context, job *river.Job[PushArgs]) error {
	return guarded(p.with.log, func() error {
		a, err := p.with.store.Alert(ctx, store.Teammate{Whole: true}, job.Args.AlertID)
		if gone(err) {
			return nil // erased
		}
		if err != nil {
			return err
		}
		rev, ok := p.with.revisions.Active(a.AccountID)
		if !ok {
			return later(notReady)
		}
		if _, err := p.with.store.DoubtPushes(ctx, a); err != nil { // River runs a job once at a time
			return err
		}
		return p.push(ctx, a, rev)
	})
}

// push sends the alert to all browsers that it is due in, some at a time.
func (p *pusher) push(ctx context.Context, a store.Alert, rev *automation.Revision) error {
	email := ""
	if key := a.PersonKey(); key != "" {
		email = rev.Directory.People[key].Email
	}
	for {
		if left, ok := ctx.Deadline(); p.with.leaving() || ok && time.Until(left) < sendTimeout {
			return later(0) // a call begun now could be cut off in the middle
		}
		now := p.with.now()
		claimed, err := p.with.store.ClaimPushes(ctx, a, email, now.Add(-pushWithin), now, pushAtOnce)
		if err != nil {
			return err
		}
		if len(claimed) == 0 {
			break
		}
		if err := p.sendAll(ctx, a, rev, claimed); err != nil {
			return err
		}
	}
	at, ok, err := p.with.store.NextPush(ctx, a)
	if err == nil && ok {
		return later(at.Sub(p.with.now()))
	}
	return err
}

func (p *pusher) sendAll(ctx context.Context, a store.Alert, rev *automation.Revision, claimed []store.Push) error {
	errs := make([]error, len(claimed))
	var all sync.WaitGroup
	for i, to := range claimed {
		all.Go(func() {
			o := p.send(ctx, a, rev, to)
			if o.State == store.PushRetrying && !o.DueAt.Before(a.CreatedAt.Add(pushWithin)) {
				o.State = store.PushFailed // too late
			}
			errs[i] = p.with.store.SettlePush(context.WithoutCancel(ctx), a, to, o)
			p.with.log.LogAttrs(ctx, slog.LevelInfo, "push", slog.String("account_id", a.AccountID), slog.String("alert_id", a.ID),
				slog.String("subscription_id", to.SubscriptionID), slog.Int("attempt", to.Attempt), slog.String("state", string(o.State)),
				slog.String("class", o.Class), slog.Int("status", o.Status))
			p.with.signals.Delivery(deliver.Push, string(o.State))
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// send hands an alert to one browser, or to the capture sink where there is no key to push with.
func (p *pusher) send(ctx context.Context, a store.Alert, rev *automation.Revision, to store.Push) (o store.PushOutcome) {
	o = store.PushOutcome{State: store.PushUnknown, Class: "panic", DueAt: p.with.now()}
	_ = guarded(p.with.log, func() error { // what a panic leaves behind is a doubt
		call, cancel := context.WithTimeout(ctx, sendTimeout)
		defer cancel()
		ch := p.with.channels[deliver.Push]
		m := pushed(a, rev, to)
		if ch == nil {
			ch, m.To, m.Fields = p.with.capture, []deliver.Address{{Address: a.Audience}}, map[string]string{push.FieldOpens: m.Fields[push.FieldOpens]}
		}
		_, err := ch.Send(call, m)
		o = p.outcome(to, err)
		return nil
	})
	return o
}

func (p *pusher) outcome(to store.Push, err error) store.PushOutcome {
	now := p.with.now()
	if err == nil {
		return store.PushOutcome{State: store.PushSent, DueAt: now}
	}
	e := deliver.AsError(err)
	o := store.PushOutcome{State: store.PushUnknown, Class: e.Class, Status: e.Status, DueAt: now, Gone: e.Class == push.Gone}
	switch e.Verdict {
	case deliver.Retry:
		o.State, o.DueAt = store.PushRetrying, now.Add(max(e.After, backoff(to.Attempt)))
	case deliver.Refused:
		o.State = store.PushFailed
	}
	return o
}

// pushed is the alert as a screen shows it. Its attempt is none of the delivery's own, so that a captured one stands beside it.
func pushed(a store.Alert, rev *automation.Revision, to store.Push) deliver.Message {
	title := a.Automation
	if rule := rev.Automation(a.Automation); rule != nil && rule.Name != "" {
		title = rule.Name
	}
	m := deliver.Message{DeliveryID: a.DeliveryID, AccountID: a.AccountID, AutomationID: a.Automation, Channel: deliver.Push, Subject: title + " · " + rev.Name,
		Text: "A team alert. Open it to read it.", To: []deliver.Address{{Address: to.Endpoint}},
		Fields: map[string]string{push.FieldP256dh: to.P256dh, push.FieldAuth: to.Auth, push.FieldOpens: "/conversations/" + a.ConversationID}}
	if to.InFull {
		m.Text = a.Text
	}
	return m
}
