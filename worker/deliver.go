package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/riverqueue/river"

	"aftercall/automation"
	"aftercall/deliver"
	"aftercall/deliver/cti"
	"aftercall/internal/signals"
	"aftercall/internal/store"
	"aftercall/reason"
	"aftercall/recipients"
)

const (
	// deliverTimeout bounds one deliver job, sendTimeout one call of a provider inside it.
	deliverTimeout = 2 * time.Minute
	sendTimeout    = 20 * time.Second
	// staleClaim is the age from which a claim is read again before the call: the process may have been frozen meanwhile.
	staleClaim = 2 * time.Second
	// notReady is how long a delivery waits whose account's config this process does not have (yet).
	notReady = 30 * time.Second
)

// deliverer works delivery.send jobs.
type deliverer struct {
	river.WorkerDefaults[DeliverArgs]
	store     *store.Store
	revisions *Revisions
	channels  map[string]deliver.Channel
	capture   deliver.Channel
	places    map[string]*gate // by channel: what its provider is asked to do at once
	waiting   Door             // plans that wait for a place
	paused    *paused
	id        string          // of this worker, for its claims
	stopping  <-chan struct{} // closed when this worker begins to stop: nothing is begun from then on
	enqueue   func(context.Context, []store.DeliverJob) error
	now       func() time.Time
	log       *slog.Logger
	signals   *signals.Signals
}

// Timeout bounds the job; see the start-up check in New.
func (d *deliverer) Timeout(*river.Job[DeliverArgs]) time.Duration { return deliverTimeout }

// NextRetry is the back-off of a job that failed for a reason of ours.
func (d *deliverer) NextRetry(job *river.Job[DeliverArgs]) time.Time {
	return nextRetry(d.now(), job.Attempt)
}

// Work sends what is due of one conversation on one channel: claim, call, receipt. What is due later, or again, brings
// the job back by itself; a finished job whose receipts are committed needs no transaction of its own, because a re-run
// finds nothing to claim.
func (d *deliverer) Work(ctx context.Context, job *river.Job[DeliverArgs]) error {
	ctx, span := d.signals.Resume(ctx, "deliver", carried(job.JobRow))
	span.Note(slog.String("conversation_id", job.Args.ConversationID), slog.String("channel", job.Args.Channel), slog.Int("attempt", job.Attempt))
	err := guarded(d.log, func() error { return d.work(ctx, job) })
	span.End(unlessLater(err))
	return err
}

func (d *deliverer) work(ctx context.Context, job *river.Job[DeliverArgs]) error {
	a := job.Args
	leave, err := d.place(ctx, job) // before the claim: what cannot be sent now must not look half-sent
	if err != nil {
		return err
	}
	defer leave()
	if d.leaving() {
		return later(0)
	}
	claimed, err := d.store.Claim(ctx, a.ConversationID, a.Channel, d.id, d.now(), d.goesTo)
	if err != nil {
		return fmt.Errorf("claim %s deliveries of conversation %s: %w", a.Channel, a.ConversationID, err)
	}
	if _, err := d.sendAll(ctx, claimed, leave); err != nil {
		return err
	}
	at, ok, err := d.store.NextDue(ctx, a.ConversationID, a.Channel)
	if err != nil {
		return fmt.Errorf("look for the next %s delivery of conversation %s: %w", a.Channel, a.ConversationID, err)
	}
	if ok {
		return later(at.Sub(d.now()))
	}
	return nil
}

// queueWait is how long a fetched job waits for a place. With a provider that takes seconds a worker may have fetched more
// than it will send for a minute; a peer with free places takes what is left in the queue.
const queueWait = time.Second

// place waits for a place on the job's channel, or gives the job back to the queue, each for a time of its own: whoever has
// a place by then fetches it.
func (d *deliverer) place(ctx context.Context, job *river.Job[DeliverArgs]) (leave func(), err error) {
	wait, cancel := context.WithTimeout(ctx, queueWait)
	defer cancel()
	leave, err = d.places[job.Args.Channel].enter(wait, job.Priority)
	if err != nil && ctx.Err() == nil {
		return nil, later(queueWait/2 + rand.N(queueWait))
	}
	return leave, err
}

// sendAll sends the claimed deliveries, one after another in the caller's own place and side by side as far as the channel
// has places to spare, and records each outcome as it comes. A place is left when its send has ended: what waits for the
// receipt's commit asks nothing of the provider.
func (d *deliverer) sendAll(ctx context.Context, claimed []store.Claimed, leave func()) ([]store.Outcome, error) {
	outcomes, errs := make([]store.Outcome, len(claimed)), make([]error, len(claimed))
	var receipts sync.WaitGroup
	for i, c := range claimed {
		send := func() { outcomes[i] = d.sendGuarded(ctx, c) }
		record := func() { errs[i] = d.record(ctx, c, outcomes[i]) }
		leave, spare := d.places[c.Channel].tryEnter()
		if !spare {
			send()
			receipts.Go(record)
			continue
		}
		receipts.Go(func() {
			send()
			leave()
			record()
		})
	}
	leave()
	receipts.Wait()
	return outcomes, errors.Join(errs...)
}

// sendGuarded keeps a panic in one send from ending the process. What a panic leaves behind is a doubt: the request may
// have been on its way.
func (d *deliverer) sendGuarded(ctx context.Context, c store.Claimed) (o store.Outcome) {
	err := guarded(d.log, func() error {
		o = d.send(ctx, c)
		return nil
	})
	if err != nil {
		o = store.Outcome{
			AccountID: c.AccountID, DeliveryID: c.ID, Attempt: c.Attempt, WorkerID: d.id,
			State: store.Unknown, Class: "panic", StartedAt: d.now(), FinishedAt: d.now(),
		}
	}
	return o
}

// record keeps the outcome. The receipt of a message that is out must not be lost because the job was cancelled, so it
// waits for the database on a context of its own.
func (d *deliverer) record(ctx context.Context, c store.Claimed, o store.Outcome) error {
	if o.Class == deliver.ClassOptedOut {
		d.suppress(context.WithoutCancel(ctx), c, o)
	}
	switch err := d.store.RecordOutcome(context.WithoutCancel(ctx), o); {
	case errors.Is(err, store.ErrFenced):
		// The ledger has moved on without this attempt; it stands as the ledger says, and trying again cannot change it.
		d.log.Warn("outcome came too late", "delivery_id", c.ID, "attempt", c.Attempt, "state", string(o.State))
		return nil
	case err != nil:
		return fmt.Errorf("record delivery %s: %w", c.ID, err)
	}
	d.log.LogAttrs(ctx, level(o.State), "delivery",
		slog.String("account_id", c.AccountID), slog.String("conversation_id", c.ConversationID), slog.String("delivery_id", c.ID),
		slog.String("automation", c.Automation), slog.String("channel", c.Channel), slog.Int("attempt", c.Attempt),
		slog.String("state", string(o.State)), slog.String("reason", string(o.Reason)), slog.String("class", o.Class),
		slog.Int("status", o.Status), slog.Duration("took", o.FinishedAt.Sub(o.StartedAt)))
	d.signals.Delivery(c.Channel, string(o.State))
	if o.State == store.Sent {
		d.signals.Sent(c.Channel, o.FinishedAt.Sub(c.DeadlineAt.Add(-LifetimeOn(c.Channel))))
	}
	return nil
}

// suppress keeps that a provider refused a message because its recipient wants none. Should that fail, the provider refuses
// the next one, too.
func (d *deliverer) suppress(ctx context.Context, c store.Claimed, o store.Outcome) {
	ctx, cancel := context.WithTimeout(ctx, enqueueTimeout)
	defer cancel()
	err := d.store.Suppress(ctx, deliver.Suppression{AccountID: c.AccountID, Channel: c.Channel, Address: o.Address, Reason: reason.OptedOut, Source: deliver.FromProvider})
	if err != nil {
		d.log.Warn("keep that a recipient has opted out", "delivery_id", c.ID, "error", err)
	}
}

func level(s store.DeliveryState) slog.Level {
	switch s {
	case store.Failed, store.Unknown:
		return slog.LevelWarn
	default:
		return slog.LevelInfo
	}
}

// send hands one claimed delivery to its channel.
func (d *deliverer) send(ctx context.Context, c store.Claimed) store.Outcome {
	o := store.Outcome{AccountID: c.AccountID, DeliveryID: c.ID, Attempt: c.Attempt, WorkerID: d.id, StartedAt: d.now()}
	if d.leaving() {
		return d.unsent(o, "stopping", 0) // a call begun now could be cut off in the middle; a peer takes it
	}
	rev, ok := d.revisions.Active(c.AccountID)
	if !ok {
		return d.unsent(o, "config_not_ready", notReady) // a newer peer has it, or this process will in a moment
	}
	m, why := message(rev.Directory, c)
	if why != "" {
		o.State, o.Reason, o.FinishedAt = store.Skipped, why, d.now()
		return o
	}
	if stands, err := d.stands(ctx, c); err != nil || !stands {
		// If a sweeper gave the claim up meanwhile, this settles its doubt: nothing was sent. If somebody else has taken
		// it, the ledger's fence refuses the outcome.
		return d.unsent(o, "claim_lost", backoff(c.Attempt))
	}
	if left, ok := ctx.Deadline(); ok && time.Until(left) < sendTimeout {
		return d.unsent(o, "no_time_left", 0) // the job's end would cut the call off in the middle
	}
	call, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	call, span := signals.Call(call, "send")
	channel, provider := d.channel(c)
	began := time.Now()
	receipt, err := channel.Send(call, m)
	if provider { // what asked none says nothing of how long it takes
		d.places[c.Channel].note(time.Since(began))
	}
	o.FinishedAt, o.Address = d.now(), addresses(m)
	if c.Test {
		o.Reason = reason.TestCall
	}
	o = settle(o, receipt, err, c.DeadlineAt)
	d.follow(span, c, o)
	return o
}

// follow tells of a call of a provider.
func (d *deliverer) follow(span signals.Span, c store.Claimed, o store.Outcome) {
	d.signals.Send(c.Channel, o.FinishedAt.Sub(o.StartedAt))
	span.Note(slog.String("delivery_id", c.ID), slog.String("channel", c.Channel), slog.Int("attempt", c.Attempt),
		slog.String("state", string(o.State)), slog.String("class", o.Class), slog.Int("status", o.Status))
	failed := ""
	if o.State != store.Sent {
		failed = o.Class
	}
	span.End(failed)
}

// leaving reports whether this worker is about to stop.
func (d *deliverer) leaving() bool {
	select {
	case <-d.stopping:
		return true
	default:
		return false
	}
}

// unsent is the outcome of a delivery that certainly was not handed to anybody, and is tried again.
func (d *deliverer) unsent(o store.Outcome, class string, wait time.Duration) store.Outcome {
	o.State, o.Class, o.FinishedAt = store.Retrying, class, d.now()
	o.DueAt = o.FinishedAt.Add(wait)
	return o
}

// stands reads an old claim again: this process may have been frozen, and a sweeper may have given the delivery up.
func (d *deliverer) stands(ctx context.Context, c store.Claimed) (bool, error) {
	if time.Since(c.ClaimedAt) < staleClaim {
		return true, nil
	}
	return d.store.Holds(ctx, c.ID, c.Attempt, d.id)
}

// channel is where a delivery goes, and whether that asks a provider.
func (d *deliverer) channel(c store.Claimed) (ch deliver.Channel, provider bool) {
	if ch := d.channels[c.Channel]; ch != nil && !c.Test {
		return ch, true
	}
	return d.capture, false
}

// message puts addresses on the stored content: a person's is looked up now, and every address is checked against the
// allow-list once more. why is set if nobody may receive it.
func message(dir recipients.Directory, c store.Claimed) (m deliver.Message, why reason.Code) {
	m = deliver.Message{
		DeliveryID: c.ID, Attempt: c.Attempt, AccountID: c.AccountID, ConversationID: c.ExternalID, AutomationID: c.Automation,
		Channel: c.Channel, From: c.Content.From, Subject: c.Content.Subject, Text: c.Content.Text, HTML: c.Content.HTML,
		Fields: c.Content.Fields, Test: c.Test,
	}
	if c.Channel == deliver.SMS && !dir.Allow.MaySend(m.From.Address) {
		return m, reason.SenderNotAllowed
	}
	for _, key := range c.Content.To {
		addr, no := dir.Address(key, c.Channel, c.Contact)
		if no == "" {
			no = c.LeaveOut[addr.Address]
		}
		if no != "" {
			why = no
			continue
		}
		m.To = append(m.To, addr)
	}
	if len(c.Content.To) > 0 && len(m.To) == 0 {
		return m, why
	}
	m.CC = known(dir, c.Content.CC, c)
	if reply := known(dir, c.Content.ReplyTo, c); len(reply) > 0 {
		m.ReplyTo = reply[0]
	}
	return m, ""
}

// known are the addresses of those keys that may be written to.
func known(dir recipients.Directory, keys []string, c store.Claimed) (out []deliver.Address) {
	for _, key := range keys {
		if a, no := dir.Address(key, c.Channel, c.Contact); no == "" && c.LeaveOut[a.Address] == "" {
			out = append(out, a)
		}
	}
	return out
}

// goesTo lists where a delivery would go now, for the claim: what is suppressed is looked up in its transaction.
func (d *deliverer) goesTo(c store.Claimed) (to []string) {
	rev, ok := d.revisions.Active(c.AccountID)
	if !ok {
		return nil
	}
	for _, key := range append(slices.Clone(c.Content.To), c.Content.CC...) {
		if a, no := rev.Directory.Address(key, c.Channel, c.Contact); no == "" {
			to = append(to, a.Address)
		}
	}
	return to
}

// addresses lists where a message went, for the ledger; it is never logged.
func addresses(m deliver.Message) string {
	var s []string
	for _, kind := range automation.PostTargets() {
		if v := m.Fields[kind]; m.Channel == deliver.Chatter && v != "" {
			s = append(s, v)
		}
	}
	if agent := m.Fields[cti.FieldAgent]; m.Channel == deliver.CTI && agent != "" {
		s = append(s, agent)
	}
	for _, a := range append(m.To, m.CC...) {
		s = append(s, a.Address)
	}
	return strings.Join(s, ", ")
}
