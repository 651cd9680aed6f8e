package main

import (
	"context"
	"flag"
	"fmt"
	"slices"

	"aftercall/internal/store"
	"aftercall/interview"
	"aftercall/reason"
	"aftercall/rehearsal"
	"aftercall/worker"
)

// try asks the model about one call, as a worker would, and says what would come of it.
func try(flags *flag.FlagSet) action {
	dir := flags.String("dir", ".", "the account's `folder`")
	file := flags.String("call", "", "a JSON `file` with a call")
	name := flags.String("model", "", "another `model` than that of AFTERCALL_MODEL; simulated for the one without a key")
	return func(ctx context.Context, c *console, args []string) error {
		call, err := callIn(*file)
		if err != nil {
			return err
		}
		account, err := accountIn(c, *dir)
		if err != nil {
			return err
		}
		for _, id := range args {
			if err := knownIn(account, id); err != nil {
				return err
			}
		}
		model, err := modelFor(c, *name)
		if err != nil {
			return err
		}
		defer model.stop()
		memory := rehearsal.NewMemory()
		r, err := worker.Rehearse(ctx, interview.NewInterviewer(model, memory, interview.Limits{}), call, account, call.EndedAt)
		if err != nil {
			return err
		}
		fmt.Fprintf(c.out, "Nothing is sent and nothing is kept. Answered by %s.\n\n", model.says())
		story := r.Story(call, account)
		story.Calls = memory.Calls()
		if err := tellTrial(c, story, args); err != nil {
			return err
		}
		spent(c, memory.Calls())
		return nil
	}
}

// tellTrial tells what would have become of a call, as why does of one that was taken in.
func tellTrial(c *console, s store.Story, ids []string) error {
	all := len(s.Decisions)
	s.Decisions = slices.DeleteFunc(s.Decisions, func(d store.StoryDecision) bool {
		if len(ids) > 0 {
			return !slices.Contains(ids, d.Automation)
		}
		return d.Reason == reason.FilteredAgent
	})
	if err := tell(c.out, s, ""); err != nil {
		return err
	}
	if others := all - len(s.Decisions); len(ids) == 0 && others > 0 {
		fmt.Fprintf(c.out, "\n%d %s of other agents not shown\n", others, plural(others, "automation"))
	}
	return nil
}

// spent says what asking did cost.
func spent(c *console, calls []interview.Call) {
	in, out := 0, 0
	for _, call := range calls {
		in, out = in+call.Reply.TokensIn, out+call.Reply.TokensOut
	}
	fmt.Fprintf(c.out, "\n%d model %s, %s tokens in, %s out; no account's budget counts them\n", len(calls), plural(len(calls), "call"), worker.Amount(in), worker.Amount(out))
}

// only are the deliveries of one automation.
func only(all []store.Delivery, id string) []store.Delivery {
	return slices.DeleteFunc(slices.Clone(all), func(d store.Delivery) bool { return d.Automation != id })
}
