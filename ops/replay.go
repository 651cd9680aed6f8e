package ops

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"aftercall/internal/llm"
	"aftercall/internal/store"
	"aftercall/triggers"
	"aftercall/worker"
)

// Preview is what an action would lead to.
type Preview struct {
	RevisionID, Digest string
	Open               bool // a model has to be asked first and is not asked from here: what it would decide is not known
	Decisions          []Foreseen
	Deliveries         []store.Delivery  // in the state they would be planned in; skipped as sent_before: does not go out again
	Addresses          map[string]string // of Deliveries, by id, as known now
}

// Foreseen is a decision beside the one that stands.
type Foreseen struct {
	triggers.Decision
	Before triggers.Verdict // of the last run that was no sandbox; "" if the automation was not decided about
}

// Goes counts what would go out, at once or later.
func (p Preview) Goes() (n int) {
	for _, d := range p.Deliveries {
		if d.State == store.Planned || d.State == store.Sent {
			n++
		}
	}
	return n
}

// Replay decides a call anew, in a run of its own that a worker takes up. What was sent, may have been sent or still waits in
// an earlier run is not sent again: it is skipped, with its reason. In a sandbox nothing is skipped, everything goes to the
// capture sink, and no later run takes notice of it.
func (o *Ops) Replay(ctx context.Context, by store.Actor, account, conversationID string, which Revision, sandbox bool) (run int, err error) {
	c, err := o.call(ctx, account, conversationID)
	if err != nil {
		return 0, err
	}
	revision, err := o.revisionOf(c, which)
	if err != nil {
		return 0, err
	}
	return o.store.AskReplay(ctx, by, account, c.ID, store.AskedReplay{RevisionID: revision, Sandbox: sandbox}, worker.EnqueueReplay(o.river, c.ID))
}

// Rehearse says what a replay would decide and send. Nothing is sent and nothing is kept but the model's answers, which the
// replay then finds.
func (o *Ops) Rehearse(ctx context.Context, account, conversationID string, which Revision, sandbox bool) (Preview, error) {
	c, err := o.call(ctx, account, conversationID)
	if err != nil {
		return Preview{}, err
	}
	revision, err := o.revisionOf(c, which)
	if err != nil {
		return Preview{}, err
	}
	again, silent, err := o.again(ctx, c, revision)
	if err != nil {
		return Preview{}, err
	}
	again.Sandbox = sandbox
	if o.interviewer != nil {
		again.Interviewer, again.Reserve = o.interviewer, o.purses.Of(again.Revision)
	}
	plan, err := again.Decide(ctx)
	var away *llm.Error
	switch {
	case errors.As(err, &away) && away.Waits():
		return Preview{}, &Refused{Sentence: "The model cannot be asked now, so what the call leads to is not known: " + away.Error() + "."}
	case err != nil:
		return Preview{}, err
	case o.interviewer == nil && silent.Wanted():
		return Preview{RevisionID: revision, Digest: again.Revision.Digest, Open: true}, nil
	}
	before, err := o.verdicts(ctx, account, conversationID)
	if err != nil {
		return Preview{}, err
	}
	return o.preview(ctx, again, plan, func(automation string) triggers.Verdict { return before[automation] })
}

// RehearseApprove says what Approve would lead to.
func (o *Ops) RehearseApprove(ctx context.Context, account, conversationID string, run int, automation string) (Preview, error) {
	p, err := o.approved(ctx, account, conversationID, run, automation)
	if err != nil {
		return Preview{}, err
	}
	return o.previewTakeover(ctx, p, automation)
}

// RehearseFix says what Fix would lead to.
func (o *Ops) RehearseFix(ctx context.Context, account, conversationID string, run int, automation string, values map[string]string) (Preview, error) {
	p, err := o.fixed(ctx, account, conversationID, run, automation, values)
	if err != nil {
		return Preview{}, err
	}
	return o.previewTakeover(ctx, p, automation)
}

// previewTakeover leaves out of what went before what the run would take over.
func (o *Ops) previewTakeover(ctx context.Context, p planned, automation string) (Preview, error) {
	return o.preview(ctx, p.again, p.Plan, func(string) triggers.Verdict { return p.before }, automation)
}

// preview holds a plan against what other runs have sent or mean to; what the plan takes over of an automation does not count.
func (o *Ops) preview(ctx context.Context, again worker.Again, plan *store.Plan, verdict func(string) triggers.Verdict, takesOver ...string) (Preview, error) {
	if !again.Sandbox {
		before, err := o.store.BeforeRun(ctx, plan.AccountID, plan.ConversationID, 0)
		if err != nil {
			return Preview{}, err
		}
		plan.LeaveOut(slices.DeleteFunc(before, func(b store.Before) bool {
			waits := b.State == store.Held || b.State == store.Planned || b.State == store.Retrying
			return waits && slices.Contains(takesOver, b.Automation)
		}))
	}
	p := Preview{RevisionID: again.Revision.ID, Digest: again.Revision.Digest, Deliveries: plan.Deliveries,
		Addresses: addresses(again.Revision, again.Conversation, plan.Deliveries)}
	for _, d := range plan.Decisions {
		p.Decisions = append(p.Decisions, Foreseen{d, verdict(d.Automation)})
	}
	return p, nil
}

// verdicts are those that stand, by automation: of the last run that was no sandbox.
func (o *Ops) verdicts(ctx context.Context, account, conversationID string) (map[string]triggers.Verdict, error) {
	story, err := o.store.Story(ctx, account, conversationID)
	if err != nil {
		return nil, fmt.Errorf("read what was decided: %w", err)
	}
	stand := map[string]triggers.Verdict{}
	for _, d := range story.Decisions { // the latest run first
		if _, later := stand[d.Automation]; !later && !slices.ContainsFunc(story.Runs, func(r store.Run) bool { return r.Run == d.Run && r.Sandbox }) {
			stand[d.Automation] = d.Verdict
		}
	}
	return stand, nil
}
