package ops

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"aftercall/internal/store"
	"aftercall/triggers"
	"aftercall/variables"
	"aftercall/worker"
)

// Needed is a value that an automation's texts use, as it stands in a run.
type Needed struct {
	Name     string // dyn_…
	Type     variables.Type
	Ask      string   // what is wanted, in the author's words
	Options  []string // of an enum
	Value    string   // as it stands; "" if it is missing
	Problem  string   // why it did not pass, if it was rejected
	Required bool     // without it nothing of the automation goes out
}

// Needed lists what Fix may be given, what is missing first.
func (o *Ops) Needed(ctx context.Context, account, conversationID string, run int, automation string) ([]Needed, error) {
	_, again, t, err := o.toPutRight(ctx, account, conversationID, run, automation)
	if err != nil {
		return nil, err
	}
	a := again.Revision.Automation(automation)
	var needed []Needed
	for _, name := range a.Dyn {
		d := again.Revision.Declarations[name]
		n := Needed{Name: name, Type: d.Type, Ask: d.Ask, Required: slices.Contains(a.Require, name)}
		for _, option := range d.Values {
			n.Options = append(n.Options, option.Key)
		}
		for _, v := range t.Values {
			if v.Name == name {
				n.Value, n.Problem = v.Value, v.Problem
			}
		}
		needed = append(needed, n)
	}
	slices.SortStableFunc(needed, func(a, b Needed) int { return rank(a) - rank(b) })
	return needed, nil
}

// rank puts what is missing first, and of that what is required.
func rank(n Needed) int {
	switch {
	case n.Value != "":
		return 2
	case n.Required:
		return 0
	}
	return 1
}

// Fix renders an automation's messages anew with values that a person gives, by name, as a run of its own. What waited is
// cancelled as taken over; what was sent, or may have been, is not sent again.
func (o *Ops) Fix(ctx context.Context, by store.Actor, account, conversationID string, run int, automation string, values map[string]string) (newRun int, err error) {
	plan, err := o.fixed(ctx, account, conversationID, run, automation, values)
	if err != nil {
		return 0, err
	}
	return o.store.SaveTakeover(ctx, by, store.Takeover{Cause: store.CauseFix, OfRun: run, Automation: automation, Plan: plan.Plan}, o.enqueue)
}

// Approve says that an automation of which the decision was unsure fires, as a run of its own.
func (o *Ops) Approve(ctx context.Context, by store.Actor, account, conversationID string, run int, automation string) (newRun int, err error) {
	plan, err := o.approved(ctx, account, conversationID, run, automation)
	if err != nil {
		return 0, err
	}
	return o.store.SaveTakeover(ctx, by, store.Takeover{Cause: store.CauseApprove, OfRun: run, Automation: automation, Plan: plan.Plan}, o.enqueue)
}

// Dismiss closes a review: nothing more goes out, and what was held is cancelled.
func (o *Ops) Dismiss(ctx context.Context, by store.Actor, account, conversationID string, run int, automation string) error {
	return o.store.Dismiss(ctx, by, account, conversationID, run, automation)
}

// Mark says that a decision was right or wrong, for precision and for test cases. The last mark counts.
func (o *Ops) Mark(ctx context.Context, by store.Actor, account, conversationID string, run int, automation string, wrong bool, note string) error {
	return o.store.MarkDecision(ctx, by, account, conversationID, run, automation, wrong, note)
}

// planned is a plan with what it was made from.
type planned struct {
	*store.Plan
	again  worker.Again
	before triggers.Verdict
}

// fixed plans an automation with given values in place of those that stand.
func (o *Ops) fixed(ctx context.Context, account, conversationID string, run int, automation string, given map[string]string) (planned, error) {
	_, again, t, err := o.toPutRight(ctx, account, conversationID, run, automation)
	if err != nil {
		return planned{}, err
	}
	if t.Verdict != triggers.Fires {
		return planned{}, &Refused{Sentence: fmt.Sprintf("The automation was decided as %q: it has no message to put a value into.", t.Verdict)}
	}
	values, err := merge(again, again.Revision.Automation(automation).Dyn, t.Values, given)
	if err != nil {
		return planned{}, err
	}
	plan, err := again.Fire(ctx, t.Decision, values)
	return planned{plan, again, t.Verdict}, err
}

// merge puts given values in place of those that stand, for the names that an automation needs.
func merge(again worker.Again, names []string, stand []variables.Value, given map[string]string) ([]variables.Value, error) {
	merged := []variables.Value{}
	left := maps.Clone(given)
	maps.DeleteFunc(left, func(_, typed string) bool { return strings.TrimSpace(typed) == "" })
	if len(left) == 0 {
		return nil, &Refused{Sentence: "Give at least one value."}
	}
	for _, name := range names {
		v := variables.Value{Name: name, Type: again.Revision.Declarations[name].Type, Status: variables.NotStated}
		if i := slices.IndexFunc(stand, func(v variables.Value) bool { return v.Name == name }); i >= 0 {
			v = stand[i]
		}
		if typed, ok := left[name]; ok {
			delete(left, name)
			if v = again.Give(name, typed); v.Status != variables.Given {
				return nil, &Refused{Sentence: fmt.Sprintf("%s cannot be that: %s.", name, v.Problem)}
			}
		}
		merged = append(merged, v)
	}
	if len(left) > 0 {
		return nil, &Refused{Sentence: fmt.Sprintf("The automation's texts use no %s.", strings.Join(slices.Sorted(maps.Keys(left)), ", "))}
	}
	return merged, nil
}

// approved plans an automation that was unsure as one that fires. Its reason stays, so that the record says on what it rests.
func (o *Ops) approved(ctx context.Context, account, conversationID string, run int, automation string) (planned, error) {
	_, again, t, err := o.toPutRight(ctx, account, conversationID, run, automation)
	if err != nil {
		return planned{}, err
	}
	if t.Verdict != triggers.Unsure {
		return planned{}, &Refused{Sentence: fmt.Sprintf("The automation was decided as %q: only what is unsure is approved.", t.Verdict)}
	}
	d := t.Decision
	d.Detail = strings.TrimSpace(d.Detail + " A person said that it fires.")
	plan, err := again.Fire(ctx, d, nil)
	return planned{plan, again, t.Verdict}, err
}

// toPutRight reads a decision, and its call under the revision that it was decided by.
func (o *Ops) toPutRight(ctx context.Context, account, conversationID string, run int, automation string) (c call, again worker.Again, t store.ToPutRight, err error) {
	if t, err = o.store.ReadDecision(ctx, account, conversationID, run, automation); err != nil {
		return c, again, t, err
	}
	if t.Sandbox {
		return c, again, t, &Refused{Sentence: "It was decided in a sandbox, where nothing goes out: there is nothing to put right."}
	}
	if c, err = o.call(ctx, account, conversationID); err != nil {
		return c, again, t, err
	}
	again, _, err = o.again(ctx, c, t.RevisionID)
	if err == nil && again.Revision.Automation(automation) == nil {
		err = fmt.Errorf("put %s of conversation %s right: %w", automation, conversationID, ErrNotFound)
	}
	return c, again, t, err
}
