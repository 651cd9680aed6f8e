package worker

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"aftercall/automation"
	"aftercall/conversation"
	"aftercall/deliver"
	"aftercall/internal/llm"
	"aftercall/internal/store"
	"aftercall/interview"
	"aftercall/reason"
	"aftercall/tasks"
	"aftercall/triggers"
	"aftercall/variables"
)

// Again is a stored call that is decided, or planned, once more.
type Again struct {
	Conversation *conversation.Conversation
	Revision     *automation.Revision
	Interviewer  *interview.Interviewer
	Reserve      llm.Reserve // what the model is paid from; nil: no limit, or nobody is asked
	Sandbox      bool        // everything goes to the capture sink, and nothing is left to people
	Now          time.Time
}

// Decide decides every automation by the steps of the line. What was answered before under the revision is used; the rest is
// asked. The error is that of a model that cannot be asked now, or of the memory.
func (a Again) Decide(ctx context.Context) (*store.Plan, error) {
	m := a.matter()
	said, decisions, err := m.ask(ctx)
	if err != nil {
		return nil, fmt.Errorf("decide conversation %s again: %w", a.Conversation.ID, err)
	}
	plan := m.plan(decisions, said, a.Now)
	if a.Sandbox {
		for n := range plan.Decisions {
			plan.Decisions[n].Review = false
		}
	}
	return plan, nil
}

func (a Again) matter() *matter {
	m := consider(a.Interviewer, a.Conversation, a.Revision, a.Revision.Triggers(), triggers.Facts{Uncounted: true})
	m.sandbox, m.form.Reserve = a.Sandbox, a.Reserve
	return m
}

// Fire plans one automation that fires because a person says so: d says which and why. values are its values as they stand;
// nil takes them from what was answered. An interviewer that asks nobody will do: what was not answered is not stated.
func (a Again) Fire(ctx context.Context, d triggers.Decision, values []variables.Value) (*store.Plan, error) {
	if a.Revision.Automation(d.Automation) == nil {
		return nil, fmt.Errorf("plan %s again: the revision has no such automation", d.Automation)
	}
	m := a.matter()
	m.read = true
	said, _, err := m.ask(ctx)
	if err != nil {
		return nil, fmt.Errorf("plan %s of conversation %s again: %w", d.Automation, a.Conversation.ID, err)
	}
	d.Verdict, d.Review = triggers.Fires, false
	m.stopped = nil
	decisions := []triggers.Decision{d}
	if values == nil {
		values = variables.Resolve(declared(m.rev, decisions), said, m.conv, m.limits())
	}
	return m.lay(decisions, said, values, a.Now), nil
}

// Give checks a value that a person gives, as its declaration wants it.
func (a Again) Give(name, typed string) variables.Value {
	m := matter{conv: a.Conversation, rev: a.Revision, loc: a.Conversation.Location(a.Revision.Location)}
	return variables.Give(a.Revision.Declarations[name], typed, a.Conversation, m.limits())
}

// Due is when a message that was held goes out if it is let go now: as its plan would have it, so that what waits for the end of a
// call does.
func (a Again) Due(d store.Delivery) store.Release {
	if act := a.action(d); act != nil && act.Task == nil && atItsEnd(act, a.Conversation) {
		until := a.Now.Add(longestCall)
		return store.Release{EndOf: a.Conversation.Event.Call, Reason: reason.Waiting, Detail: waitsForTheEnd, DueAt: until, DeadlineAt: until}
	}
	return a.open(d)
}

// open is when a message goes out that waits for no call any more.
func (a Again) open(d store.Delivery) store.Release {
	r := store.Release{DueAt: a.Now}
	act := a.action(d)
	if act == nil {
		r.DeadlineAt = r.DueAt.Add(LifetimeOn(d.Channel))
		return r
	}
	loc := a.Conversation.Location(a.Revision.Location)
	d.DueAt, d.Reason = act.Send.At(a.Conversation.EndedAt, a.Now, loc)
	d.DeadlineAt, d.Detail = d.DueAt.Add(LifetimeOn(d.Channel)), ""
	if act.Send.Theirs {
		onTheirClocks(&d, a.Revision, act, a.Conversation, a.Now, loc)
	}
	return store.Release{DueAt: d.DueAt, DeadlineAt: d.DeadlineAt, Reason: d.Reason, Detail: d.Detail}
}

// TaskOf is the task that was held, from its rendered text and the values of its run; nil if the config it came from has none.
func (a Again) TaskOf(d store.Delivery, values []variables.Value) *store.Task {
	act := a.action(d)
	if act == nil || act.Task == nil || d.Channel != deliver.Task {
		return nil
	}
	known := data(a.Conversation, a.Revision, a.Conversation.Location(a.Revision.Location), "", values)
	return &store.Task{ID: newID(), Automation: d.Automation, Action: d.Action, Task: tasks.Task{
		Title: d.Content.Subject, Description: d.Content.Text, Priority: act.Task.Priority.For(known),
		Assignee: act.Task.Assignee, DueAt: act.Task.Due.At(a.Conversation.EndedAt),
	}}
}

func (a Again) action(d store.Delivery) *automation.Action {
	from := a.Revision.Automation(d.Automation)
	if from == nil {
		return nil
	}
	i := slices.IndexFunc(from.Actions, func(act automation.Action) bool { return act.Index == d.Action && act.Channel == d.Channel })
	if i < 0 {
		return nil
	}
	return &from.Actions[i]
}

// Silent is a model that is not asked: what was answered before is all there is.
type Silent struct{ wanted atomic.Bool }

// Complete refuses without having asked anybody.
func (s *Silent) Complete(context.Context, llm.Request) (llm.Reply, error) {
	s.wanted.Store(true)
	return llm.Reply{}, &llm.Error{Kind: llm.Spent, Detail: "The model is not asked here."}
}

// Wanted reports whether something was asked that has no answer yet.
func (s *Silent) Wanted() bool { return s.wanted.Load() }
