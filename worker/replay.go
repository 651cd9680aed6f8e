package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"aftercall/internal/llm"
	"aftercall/internal/signals"
	"aftercall/internal/store"
)

// ReplayArgs asks for a conversation to be decided anew, in a run that a person has asked for.
type ReplayArgs struct {
	ConversationID string `json:"conversation_id"`
	Run            int    `json:"run"`
}

// Kind names the job.
func (ReplayArgs) Kind() string { return "conversation.replay" }

// EnqueueReplay returns the callback with which a replay's job is inserted in the transaction that asks for it. It stands
// behind first decisions: nobody waits at a telephone for it.
func EnqueueReplay(c *river.Client[pgx.Tx], conversationID string) func(context.Context, pgx.Tx, int) error {
	return func(ctx context.Context, tx pgx.Tx, run int) error {
		return insert(ctx, c, tx, []river.InsertManyParams{{
			Args:       ReplayArgs{ConversationID: conversationID, Run: run},
			InsertOpts: &river.InsertOpts{Queue: QueueDecide, Priority: lowest, MaxAttempts: maxJobAttempts},
		}})
	}
}

// replayer works conversation.replay jobs: with the decider's means, and on a run instead of a conversation's state.
type replayer struct {
	river.WorkerDefaults[ReplayArgs]
	with    *decider
	enqueue store.Enqueue
}

// Timeout bounds the job.
func (r *replayer) Timeout(*river.Job[ReplayArgs]) time.Duration { return decideTimeout }

// NextRetry is the back-off of a job that failed for a reason of ours.
func (r *replayer) NextRetry(job *river.Job[ReplayArgs]) time.Time {
	return nextRetry(r.with.now(), job.Attempt)
}

// Work decides the run and saves it, once however often the job runs. One that fails each time is given up: the run says so,
// and whoever asked may ask again.
func (r *replayer) Work(ctx context.Context, job *river.Job[ReplayArgs]) error {
	a := job.Args
	ctx, span := r.with.signals.Resume(ctx, "replay", carried(job.JobRow))
	span.Note(slog.String("conversation_id", a.ConversationID), slog.Int("run", a.Run), slog.Int("attempt", job.Attempt))
	err := guarded(r.with.log, func() error { return r.replay(ctx, a) })
	span.End(unlessLater(err))
	if hopeless(job.JobRow, err) {
		r.with.log.Error("gave a replay up", "conversation_id", a.ConversationID, "run", a.Run, "error", err)
		err = r.giveUpRun(ctx, a)
	}
	return err
}

func (r *replayer) giveUpRun(ctx context.Context, a ReplayArgs) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), giveUpTimeout)
	defer cancel()
	open, err := r.with.store.LoadRun(ctx, a.ConversationID, a.Run)
	if err != nil {
		return r.with.unloaded(err)
	}
	return r.with.store.FailRun(ctx, open.Conversation.AccountID, a.ConversationID, a.Run, "The program failed each time it worked on this run. The log has the fault.")
}

func (r *replayer) replay(ctx context.Context, a ReplayArgs) error {
	leave, err := r.with.gate.enter(ctx, lowest)
	if err != nil {
		return err
	}
	defer leave()
	r.with.door.yield(ctx, webhooksFirst)
	open, err := r.with.store.LoadRun(ctx, a.ConversationID, a.Run)
	if err != nil || open.State != store.RunAsked {
		return r.with.unloaded(err)
	}
	rev, err := r.with.revisions.ByID(ctx, open.RevisionID)
	if err != nil {
		return r.with.unloaded(err)
	}
	again := Again{Conversation: open.Conversation, Revision: rev, Interviewer: r.with.interviewer, Reserve: r.with.purses.Of(rev), Sandbox: open.Sandbox, Now: r.with.now()}
	leave() // nothing but the model's own limits should hold up a model call
	asking, cancel := context.WithTimeout(ctx, r.with.askTimeout)
	defer cancel()
	plan, err := again.Decide(asking)
	if err != nil {
		return r.postpone(ctx, a, open, err, asking.Err() != nil && ctx.Err() == nil)
	}
	plan.Run, plan.Priority, plan.Trace = a.Run, lowest, signals.Carry(ctx)
	if err := r.with.store.SaveReplay(ctx, plan, open, r.enqueue); err != nil {
		return r.with.unloaded(err)
	}
	r.with.log.LogAttrs(ctx, slog.LevelInfo, "replay", slog.String("conversation_id", a.ConversationID), slog.String("account_id", plan.AccountID),
		slog.String("revision_id", rev.ID), slog.Int("run", a.Run), slog.Bool("sandbox", open.Sandbox), slog.Int("deliveries", len(plan.Deliveries)))
	return nil
}

// postpone leaves the run for later if the model is away, and says so in it.
func (r *replayer) postpone(ctx context.Context, a ReplayArgs, open store.OpenRun, err error, late bool) error {
	if late {
		err = &llm.Error{Kind: llm.Unavailable, Detail: "the interview took too long"}
	}
	var e *llm.Error
	if !errors.As(err, &e) || !e.Waits() {
		return err
	}
	if err := r.with.store.RunWaits(ctx, open.Conversation.AccountID, a.ConversationID, a.Run, "It waits for the model: "+e.Error()); err != nil {
		return fmt.Errorf("replay conversation %s: %w", a.ConversationID, err)
	}
	return later(whenModelIsBack(e, r.with.now().Sub(open.AskedAt)))
}
