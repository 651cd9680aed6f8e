package main

import (
	"context"
	"flag"
	"fmt"
	"io"

	"aftercall/automation"
	"aftercall/conversation"
	"aftercall/interview"
	"aftercall/rehearsal"
	"aftercall/triggers"
	"aftercall/variables"
	"aftercall/worker"
)

// preview shows what an automation would send about a call. No model is asked: what the call leaves open is made up, and
// said to be, or comes from an answer in a file.
func preview(flags *flag.FlagSet) action {
	dir := flags.String("dir", ".", "the account's `folder`")
	file := flags.String("call", "", "a JSON `file` with a call")
	answer := flags.String("answer", "", "a `file` with what was said on it, as in a file of answers for tests; without one, values are made up")
	return func(ctx context.Context, c *console, args []string) error {
		if len(args) != 1 {
			return wrong("name one automation")
		}
		call, err := callIn(*file)
		if err != nil {
			return err
		}
		account, err := accountIn(c, *dir)
		if err != nil {
			return err
		}
		if err := knownIn(account, args[0]); err != nil {
			return err
		}
		if *answer != "" {
			return previewAnswered(ctx, c, account, call, args[0], *answer)
		}
		plan, values := worker.Sampled(call, account, args[0], call.EndedAt)
		fmt.Fprintf(c.out, "%s, about call %s. No model was asked.\n", args[0], plain(call.ExternalID))
		samples(c.out, values, account, args[0])
		if plan.Summary != "" {
			fmt.Fprintf(c.out, "  conversation_summary = %q\n", plan.Summary)
		}
		rehearsal.Messages(c.out, plan, call, account)
		return nil
	}
}

// samples says which values are made up.
func samples(w io.Writer, values []variables.Value, account *automation.Revision, id string) {
	if len(values) > 0 {
		fmt.Fprintln(w, "These values are SAMPLES, made up by their type; nobody said them on the call:")
	}
	for _, v := range values {
		fmt.Fprintf(w, "  %s = %q (%s)\n", v.Name, v.Value, v.Type)
	}
	if r := account.Automation(id).Route; r != nil && len(r.Options) > 0 {
		fmt.Fprintf(w, "  the route is taken to be %s, its first option\n", r.Options[0].Key)
	}
}

// previewAnswered decides the call as the line would if a model gave the answer in a file.
func previewAnswered(ctx context.Context, c *console, account *automation.Revision, call *conversation.Conversation, id, file string) error {
	w, problems, err := rehearsal.ReadAnswer(file, account)
	if err != nil {
		return err
	}
	if len(problems) > 0 {
		printProblems(c.out, "", problems)
		return errQuiet
	}
	i := interview.NewInterviewer(w, rehearsal.NewMemory(), interview.Limits{})
	r, err := worker.Rehearse(ctx, i, call, account, call.EndedAt)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s, about call %s, answered by %s. No model was asked.\n", id, plain(call.ExternalID), file)
	for _, d := range r.Plan.Decisions {
		if d.Automation == id && d.Verdict != triggers.Fires {
			fmt.Fprintf(c.out, "\nIt does not fire: %s, %s: %s\n", d.Verdict, d.Reason, d.Reason.Sentence())
			return errQuiet
		}
	}
	r.Plan.Deliveries = only(r.Plan.Deliveries, id)
	rehearsal.Messages(c.out, r.Plan, call, account)
	return nil
}
