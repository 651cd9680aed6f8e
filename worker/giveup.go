package worker

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"

	"aftercall/internal/store"
	"aftercall/interview"
	"aftercall/reason"
	"aftercall/triggers"
)

// giveUpTimeout bounds giving up, which has a deadline of its own: the job's may be what it failed by.
const giveUpTimeout = 20 * time.Second

// giveUp decides what is still open of a conversation as failed, for a person to look at. Without this, one over which
// the program fails each time would stay undecided for ever, and nobody would be told. It touches as little as it can of
// what the failure may come from.
func (d *decider) giveUp(ctx context.Context, job *river.Job[DecideArgs], line *decideLine, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), giveUpTimeout)
	defer cancel()
	conv, rev, err := d.load(ctx, job.Args)
	if err != nil || conv.State == store.StateDecided {
		return d.unloaded(err)
	}
	line.about(conv, rev)
	plan := &store.Plan{
		AccountID: conv.Conversation.AccountID, ConversationID: conv.Conversation.ID, RevisionID: rev.ID, Run: job.Args.Run,
		Version: conv.Version, State: store.StateDecided, Actions: map[string]int{},
	}
	for _, t := range undecided(rev, conv.Decided) {
		dec := triggers.Decision{Automation: t.ID, Verdict: triggers.Unsure, Reason: reason.WorkFailed, Review: true}
		if !t.Enabled {
			dec = triggers.Decision{Automation: t.ID, Verdict: triggers.Skipped, Reason: reason.Disabled}
		}
		plan.Decisions = append(plan.Decisions, dec)
	}
	line.of(plan, interview.Said{})
	line.gaveUp = true
	saved, err := d.save(ctx, plan, conv.AcceptedAt)
	switch {
	case err != nil:
		return fmt.Errorf("give conversation %s up: %w", job.Args.ConversationID, err)
	case !saved.OK:
		return later(0) // it moved on meanwhile
	}
	d.log.LogAttrs(ctx, slog.LevelError, "gave a conversation up", slog.String("conversation_id", job.Args.ConversationID),
		slog.String("account_id", plan.AccountID), slog.Int("attempt", job.Attempt), slog.String("error", cause.Error()),
		slog.String("what_to_do", "read the conversation and act by hand, and report the fault"))
	return nil
}
