package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"

	"aftercall/automation"
	"aftercall/conversation"
	"aftercall/internal/llm"
	"aftercall/internal/signals"
	"aftercall/internal/store"
	"aftercall/interview"
	"aftercall/reason"
	"aftercall/triggers"
)

// decideTimeout bounds one decide job. The interview in it has a shorter deadline of its own: what is left after a model
// that hangs must do for planning what needs no model.
const decideTimeout = 2 * time.Minute

// decider works conversation.decide jobs.
type decider struct {
	river.WorkerDefaults[DecideArgs]
	store       *store.Store
	planner     *store.Planner
	revisions   *Revisions
	interviewer *interview.Interviewer
	gate        *gate
	door        *Door
	sender      *deliverer
	askTimeout  time.Duration
	now         func() time.Time
	log         *slog.Logger
	purses      *Purses
	signals     *signals.Signals
	limits      *limits
}

// Timeout bounds the job; see the start-up check in New.
func (d *decider) Timeout(*river.Job[DecideArgs]) time.Duration { return decideTimeout }

// NextRetry is the back-off of a job that failed for a reason of ours.
func (d *decider) NextRetry(job *river.Job[DecideArgs]) time.Time {
	return nextRetry(d.now(), job.Attempt)
}

// Work runs the job, writes its one log line, and sends what the plan has claimed. A plan that is saved needs no
// transaction for its job's end: a job that runs again finds the conversation decided.
func (d *decider) Work(ctx context.Context, job *river.Job[DecideArgs]) error {
	started := d.now()
	ctx, span := d.signals.Resume(ctx, "decide", carried(job.JobRow))
	line := decideLine{conversation: job.Args.ConversationID, run: job.Args.Run, attempt: job.Attempt}
	var ready batch
	defer func() { ready.leave() }()
	err := guarded(d.log, func() error { return d.decide(ctx, job, &line, &ready) })
	if hopeless(job.JobRow, err) {
		err = guarded(d.log, func() error { return d.giveUp(ctx, job, &line, err) })
	}
	took := d.now().Sub(started)
	span.Note(line.log(ctx, d.log, took, err)...)
	d.signals.DecideJob(line.outcome(err), took)
	sent := guarded(d.log, func() error { return d.sender.sendBatch(ctx, &ready) })
	span.End(line.fault(err))
	if err != nil {
		return err
	}
	return sent
}

// decide takes one conversation from its gates to its plan. It is one straight list of steps, which is why it is left
// whole: load, consider (gates and form), ask and judge, plan. What a rehearsal does as well is in matter.go.
func (d *decider) decide(ctx context.Context, job *river.Job[DecideArgs], line *decideLine, ready *batch) error {
	d.sender.waiting.yield(ctx, placeWait)
	leave, err := d.gate.enter(ctx, job.Priority)
	if err != nil {
		return err
	}
	defer leave()
	d.door.yield(ctx, webhooksFirst)
	conv, rev, err := d.load(ctx, job.Args)
	if err != nil || conv.State == store.StateDecided {
		return d.unloaded(err)
	}
	line.about(conv, rev)
	facts := triggers.Facts{Muted: d.revisions.Muted(rev.AccountID, d.now())}
	m := consider(d.interviewer, conv.Conversation, rev, undecided(rev, conv.Decided), facts)
	m.form.Recalled = conv.Answers
	if len(m.asked) > 0 {
		m.form.Reserve = d.purses.Of(rev)
	}

	leave() // nothing but the model's own limits should hold up a model call
	said, decisions, waiting := d.inTime(ctx, m)
	again, err := d.gate.enter(ctx, job.Priority)
	if err != nil {
		return err
	}
	defer again()

	if waiting != nil {
		line.model = llm.AsError(waiting)
		if !waits(waiting) || conv.State == store.StateWaiting {
			return d.wait(conv, waiting)
		}
		decisions = append(triggers.Judge(m.free, said), postponed(m.asked, waiting)...)
	}
	plan := m.plan(decisions, said, d.now())
	plan.Run, plan.Version, plan.Priority, plan.Trace = job.Args.Run, conv.Version, job.Priority, signals.Carry(ctx)
	plan.Limits, plan.Counts = d.limits.of(ctx, rev, decisions), m.counts(decisions)
	if waiting != nil {
		plan.State = store.StateWaiting
	}
	line.of(plan, said)
	again() // plans are saved together: whoever waits for the common transaction must not keep others out
	*ready = d.sender.prepare(ctx, plan, conv.Conversation)
	saved, err := d.save(ctx, plan, conv.AcceptedAt)
	ready.claimed = saved.Claimed
	if saved.OK {
		line.wrote(saved)
	}
	d.tellOpened(ctx, saved.Opened)
	switch {
	case err != nil:
		return fmt.Errorf("save the plan of conversation %s: %w", conv.Conversation.ID, err)
	case !saved.OK:
		return later(0) // it moved on meanwhile: a later event was merged, or a twin was faster; look again
	case waiting != nil:
		return d.wait(conv, waiting)
	}
	return nil
}

// save saves a plan and counts what it made final.
func (d *decider) save(ctx context.Context, plan *store.Plan, accepted time.Time) (store.Saved, error) {
	saving, span := signals.Step(ctx, "plan")
	saved, err := d.planner.Save(saving, plan)
	span.End(faulty(err))
	if err != nil || !saved.OK {
		return saved, err
	}
	for _, dec := range saved.Decisions {
		if dec.Verdict != triggers.Waiting {
			d.signals.Decision(string(dec.Verdict), string(dec.Reason))
		}
	}
	for _, p := range saved.Written {
		d.signals.Delivery(p.Channel, string(p.State))
		if p.State == store.Held {
			d.signals.Held(string(p.Reason))
		}
	}
	if plan.State == store.StateDecided {
		d.signals.Decided(d.now().Sub(accepted))
	}
	return saved, nil
}

// load gives the conversation with the revision it was pinned to.
func (d *decider) load(ctx context.Context, a DecideArgs) (store.Pinned, *automation.Revision, error) {
	ctx, span := signals.Step(ctx, "load")
	defer span.End("")
	conv, err := d.store.Load(ctx, a.ConversationID, a.Run)
	if err != nil {
		return conv, nil, fmt.Errorf("load conversation %s: %w", a.ConversationID, err)
	}
	rev, err := d.revisions.ByID(ctx, conv.RevisionID)
	return conv, rev, err
}

// unloaded answers for a conversation that need not or cannot be decided here.
func (d *decider) unloaded(err error) error {
	switch {
	case gone(err):
		return never(err)
	case errors.Is(err, ErrNewerFormat):
		return later(30 * time.Second)
	}
	return err
}

// inTime asks under a deadline of its own. A model that lets it pass is a model that is away.
func (d *decider) inTime(ctx context.Context, m *matter) (interview.Said, []triggers.Decision, error) {
	asking, cancel := context.WithTimeout(ctx, d.askTimeout)
	defer cancel()
	asking, span := signals.Step(asking, "interview")
	began := time.Now()
	said, decisions, err := m.ask(asking)
	if err != nil && asking.Err() != nil && ctx.Err() == nil {
		err = &llm.Error{Kind: llm.Unavailable, Detail: "the interview took too long"}
	}
	if said.Calls > 0 || err != nil { // an answer that was recalled, or not needed, says nothing about interviews
		d.signals.Interview(interviewed(said, err), time.Since(began))
	}
	span.Note(slog.Int("model_calls", said.Calls))
	span.End(faulty(err))
	return said, decisions, err
}

// interviewed is the word for how an interview went.
func interviewed(said interview.Said, err error) string {
	switch {
	case err != nil && waits(err):
		return signals.Waiting
	case err != nil:
		return signals.Errored
	case len(said.Failed) > 0:
		return signals.Failed
	}
	return signals.Filled
}

// wait leaves the conversation for later if waiting helps, and fails the job otherwise.
func (d *decider) wait(conv store.Pinned, err error) error {
	if !waits(err) {
		return err
	}
	return later(whenModelIsBack(llm.AsError(err), d.now().Sub(conv.AcceptedAt)))
}

// waits reports whether err is a model's answer for which waiting helps.
func waits(err error) bool {
	var e *llm.Error
	return errors.As(err, &e) && e.Waits()
}

// postponed are the decisions that wait for the model, with the model's last word: an operator must see at once whether
// it is busy, or refuses the key.
func postponed(asked []triggers.Trigger, waiting error) []triggers.Decision {
	decisions := make([]triggers.Decision, len(asked))
	for i, t := range asked {
		decisions[i] = triggers.Decision{
			Automation: t.ID, Verdict: triggers.Waiting, Reason: reason.ModelUnavailable, Detail: llm.AsError(waiting).Error(),
		}
	}
	return decisions
}

// undecided leaves out what an earlier plan of the same run has settled.
func undecided(rev *automation.Revision, decided map[string]bool) []triggers.Trigger {
	all := rev.Triggers()
	open := make([]triggers.Trigger, 0, len(all))
	for _, t := range all {
		if !decided[t.ID] {
			open = append(open, t)
		}
	}
	return open
}

// Contact is the part of the conversation's contact record that can be written to.
func Contact(c *conversation.Conversation) contactRecord {
	return contactRecord{Name: c.Customer.Name, Email: c.Customer.Email, Number: c.CustomerNumber()}
}
