package worker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"aftercall/conversation"
	"aftercall/deliver"
	"aftercall/internal/signals"
	"aftercall/internal/store"
)

// batch is what a plan has claimed for sending at once, with a place held on each of its channels.
type batch struct {
	places   map[string]func() // by channel: leaves the place
	claimed  []store.Claimed
	priority int
}

func (b *batch) leave() {
	for _, leave := range b.places {
		leave()
	}
}

// placeWait is how long a plan waits for a place on a channel. A place is free again after a send, in milliseconds; where that takes
// longer it does not wait at all, since what it has for other channels, and the decisions behind it, would wait with it.
const placeWait = 250 * time.Millisecond

// prepare makes this worker the sender of what the plan has due, on every channel with a place for it, unless an operator
// has paused the channel's queue. That spares a job, its fetch, its claim and its end for nearly every call. Where the
// places stay taken the deliveries are planned and go through the channel's queue, by priority: a slow provider never
// holds up decisions.
func (d *deliverer) prepare(ctx context.Context, plan *store.Plan, c *conversation.Conversation) batch {
	b := batch{priority: plan.Priority, places: map[string]func(){}}
	if d.leaving() {
		return b
	}
	ctx, cancel := context.WithTimeout(ctx, placeWait)
	defer cancel()
	defer d.waiting.Enter()()
	plan.Sender = store.Sender{WorkerID: d.id, Channels: map[string]bool{}, ExternalID: c.ExternalID, Contact: Contact(c), To: d.goesTo}
	for _, p := range plan.Deliveries {
		if p.State != store.Planned || p.Channel == deliver.Task || plan.Sender.Channels[p.Channel] || p.DueAt.After(d.now()) ||
			d.paused.is(QueueOf(p.Channel)) {
			continue
		}
		if leave, ok := d.places[p.Channel].enterSoon(ctx, plan.Priority); ok {
			plan.Sender.Channels[p.Channel] = true
			b.places[p.Channel] = leave
		}
	}
	return b
}

// enqueueTimeout bounds the transaction that leaves the rest of a batch to the queue. It is made even if this worker is
// being stopped; should it fail, a sweep finds what is due.
const enqueueTimeout = 10 * time.Second

// sendBatch sends what the plan claimed, its channels side by side, and enqueues jobs for what has to be tried again.
func (d *deliverer) sendBatch(ctx context.Context, b *batch) error {
	if len(b.claimed) == 0 {
		return nil
	}
	byChannel := map[string][]store.Claimed{}
	for _, c := range b.claimed {
		byChannel[c.Channel] = append(byChannel[c.Channel], c)
	}
	var mu sync.Mutex
	var again []store.DeliverJob
	var errs []error
	var beside sync.WaitGroup
	for channel, some := range byChannel {
		beside.Go(func() {
			outcomes, err := d.sendAll(ctx, some, b.places[channel])
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, err)
			if at, ok := earliest(outcomes); ok {
				again = append(again, store.DeliverJob{AccountID: some[0].AccountID, ConversationID: some[0].ConversationID,
					Channel: channel, At: at, Priority: b.priority, Trace: signals.Carry(ctx)})
			}
		})
	}
	beside.Wait()
	if len(again) > 0 {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), enqueueTimeout)
		defer cancel()
		if err := d.enqueue(ctx, again); err != nil {
			errs = append(errs, fmt.Errorf("enqueue what conversation %s has left to send: %w", b.claimed[0].ConversationID, err))
		}
	}
	return errors.Join(errs...)
}

// earliest is when the first of what has to be tried again is due.
func earliest(outcomes []store.Outcome) (at time.Time, ok bool) {
	for _, o := range outcomes {
		if o.State == store.Retrying && (!ok || o.DueAt.Before(at)) {
			at, ok = o.DueAt, true
		}
	}
	return at, ok
}
