package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"aftercall/conversation"
	"aftercall/internal/store/db"
)

// RunCause is why there is a run beside the first decision.
type RunCause string

// The causes of a run.
const (
	CauseReplay  RunCause = "replay"  // everything is decided anew
	CauseFix     RunCause = "fix"     // a person gave values to one automation
	CauseApprove RunCause = "approve" // a person said that one automation fires
)

// RunState is where a run stands.
type RunState string

// The states of a run.
const (
	RunAsked  RunState = "asked" // a worker takes it up
	RunDone   RunState = "done"
	RunFailed RunState = "failed"
)

// Run is one run beside the first decision.
type Run struct {
	Run        int
	Cause      RunCause
	OfRun      int    // that it puts right
	Automation string // "": all of them
	Sandbox    bool
	RevisionID string
	State      RunState
	Problem    string // why it failed, or what it waits for
	By         string // who asked for it
	AskedAt    time.Time
	DoneAt     time.Time // zero while it is asked
}

// AskedReplay is a replay that is asked for.
type AskedReplay struct {
	RevisionID string
	Sandbox    bool
}

// AskReplay asks for a decided conversation to be decided anew, and gives the run that a worker will take up. Pressed twice
// it is one.
func (s *Store) AskReplay(ctx context.Context, by Actor, account, conversationID string, r AskedReplay, enqueue func(ctx context.Context, tx pgx.Tx, run int) error) (run int, err error) {
	a := Act{AccountID: account, By: by, What: ActReplayed, Target: conversationID, conversation: conversationID}
	err = s.actOnCall(ctx, &a, func(tx pgx.Tx, q *db.Queries, c lockedCall) error {
		for _, before := range c.runs {
			same := before.RevisionID == r.RevisionID && before.Sandbox == r.Sandbox && before.Cause == string(CauseReplay)
			asked := before.State == string(RunAsked)
			switch {
			case same && (asked || time.Since(before.AskedAt) < doubleClick):
				run = int(before.Run)
				return errAlready
			case asked:
				return refuse("Run %d of this call is not done yet: wait for it.", before.Run)
			}
		}
		run = c.next()
		if err := c.insertRun(ctx, q, a, Run{Run: run, Cause: CauseReplay, OfRun: c.run, Sandbox: r.Sandbox, RevisionID: r.RevisionID, State: RunAsked}); err != nil {
			return err
		}
		a.made = strconv.Itoa(run)
		a.tell("run", a.made)
		a.tell("sandbox", strconv.FormatBool(r.Sandbox))
		a.tell("revision", r.RevisionID)
		return enqueue(ctx, tx, run)
	})
	return run, err
}

// lockedCall is a conversation that nobody else plans or acts on until the transaction ends.
type lockedCall struct {
	id    string
	run   int // the last
	state ConversationState
	runs  []db.ListRunsRow
}

// next is the number of the next run.
func (c lockedCall) next() int {
	last := c.run
	for _, r := range c.runs {
		last = max(last, int(r.Run))
	}
	return last + 1
}

// actOnCall locks a decided conversation, lets f change it, and writes the act down.
func (s *Store) actOnCall(ctx context.Context, a *Act, f func(tx pgx.Tx, q *db.Queries, c lockedCall) error) error {
	if !isID(a.conversation) {
		return fmt.Errorf("%s a conversation: %w", a.What, ErrNotFound)
	}
	err := s.changeTx(ctx, a, func(tx pgx.Tx, q *db.Queries) error {
		c, err := lockCall(ctx, q, a.AccountID, a.conversation)
		if err != nil {
			return err
		}
		return f(tx, q, c)
	})
	var refused *Refused
	switch {
	case errors.Is(err, errAlready) && a.By.Bulk != "":
		return refuse("It was so already.")
	case errors.Is(err, errAlready):
		return nil
	case errors.As(err, &refused):
		return refused
	case err != nil:
		return fmt.Errorf("%s conversation %s: %w", a.What, a.conversation, err)
	}
	return nil
}

func lockCall(ctx context.Context, q *db.Queries, account, id string) (c lockedCall, err error) {
	rows, err := q.LockConversation(ctx, db.LockConversationParams{ID: id, AccountID: account})
	if err != nil {
		return c, err
	}
	if len(rows) == 0 {
		return c, ErrNotFound
	}
	c = lockedCall{id: id, run: int(rows[0].Run), state: ConversationState(rows[0].State)}
	c.runs, err = q.ListRuns(ctx, db.ListRunsParams{ConversationID: id, AccountID: account})
	return c, err
}

// decided refuses a conversation of which the first run is not done: its job would not know of another.
func (c lockedCall) decided() error {
	if c.state != StateDecided {
		return refuse("The call is not decided yet: wait for that.")
	}
	return nil
}

func (c lockedCall) insertRun(ctx context.Context, q *db.Queries, a Act, r Run) error {
	if err := c.decided(); err != nil {
		return err
	}
	return q.InsertRun(ctx, db.InsertRunParams{ConversationID: c.id, Run: int32(r.Run), AccountID: a.AccountID, Cause: string(r.Cause),
		OfRun: int32(r.OfRun), Automation: r.Automation, Sandbox: r.Sandbox, RevisionID: r.RevisionID, State: string(r.State),
		PersonID: a.By.person(), Person: clean(a.By.Name)})
}

// OpenRun is a run as its job needs it.
type OpenRun struct {
	Conversation *conversation.Conversation
	RevisionID   string
	Sandbox      bool
	State        RunState
	By           string
	AskedAt      time.Time
}

// LoadRun loads a run.
func (s *Store) LoadRun(ctx context.Context, conversationID string, run int) (OpenRun, error) {
	r, err := s.q.RunToDecide(ctx, db.RunToDecideParams{ConversationID: conversationID, Run: int32(run)})
	if err != nil {
		return OpenRun{}, fmt.Errorf("load run %d of conversation %s: %w", run, conversationID, found(err))
	}
	c, err := decodeConversation(conversationID, r.AccountID, r.Source, r.Content)
	if err != nil {
		return OpenRun{}, err
	}
	return OpenRun{Conversation: c, RevisionID: r.RevisionID, Sandbox: r.Sandbox, State: RunState(r.State), By: r.Person, AskedAt: r.AskedAt}, nil
}

// RunWaits notes what a run waits for.
func (s *Store) RunWaits(ctx context.Context, account, conversationID string, run int, why string) error {
	err := s.q.RunWaits(ctx, db.RunWaitsParams{ConversationID: conversationID, AccountID: account, Run: int32(run), Problem: clean(why)})
	if err != nil {
		return fmt.Errorf("note what run %d of conversation %s waits for: %w", run, conversationID, err)
	}
	return nil
}

// FailRun ends a run that cannot be done.
func (s *Store) FailRun(ctx context.Context, account, conversationID string, run int, why string) error {
	_, err := s.q.EndRun(ctx, db.EndRunParams{ConversationID: conversationID, AccountID: account, Run: int32(run),
		State: string(RunFailed), Problem: clean(why)})
	if err != nil {
		return fmt.Errorf("fail run %d of conversation %s: %w", run, conversationID, err)
	}
	return nil
}

// SaveReplay writes the plan of a replay: once, however often its job runs. What went out, may have gone out or waits in an
// earlier run becomes skipped in the plan, unless the run is a sandbox.
func (s *Store) SaveReplay(ctx context.Context, plan *Plan, r OpenRun, enqueue Enqueue) error {
	err := inTx(ctx, s.pool, func(tx pgx.Tx, q *db.Queries) error {
		c, err := lockCall(ctx, q, plan.AccountID, plan.ConversationID)
		if err != nil {
			return err
		}
		n, err := q.EndRun(ctx, db.EndRunParams{ConversationID: c.id, AccountID: plan.AccountID, Run: int32(plan.Run), State: string(RunDone)})
		if err != nil || n == 0 {
			return err
		}
		if !r.Sandbox {
			if err := leaveOut(ctx, q, plan); err != nil {
				return err
			}
			var about []string
			for _, d := range plan.Decisions {
				about = append(about, d.Automation)
			}
			err := q.SettleReplayed(ctx, db.SettleReplayedParams{ConversationID: c.id, AccountID: plan.AccountID, Run: int32(plan.Run),
				Person: clean(r.By), Automations: about})
			if err != nil {
				return err
			}
		}
		return writeRun(ctx, tx, q, plan, enqueue)
	})
	if err != nil {
		return fmt.Errorf("save run %d of conversation %s: %w", plan.Run, plan.ConversationID, err)
	}
	return nil
}

// writeRun writes the rows of a run and asks for its jobs.
func writeRun(ctx context.Context, tx pgx.Tx, q *db.Queries, plan *Plan, enqueue Enqueue) error {
	p, err := encodePlan(plan)
	if err != nil {
		return err
	}
	plans, now := []*planned{p}, newClaim()
	if _, err := writePlans(ctx, q, plans, now); err != nil {
		return err
	}
	if jobs := deliverJobs(plans, now.at); len(jobs) > 0 {
		return enqueue(ctx, tx, jobs)
	}
	return nil
}

// Takeover is the plan of one automation that a person has put right, in a run of its own.
type Takeover struct {
	Cause      RunCause
	OfRun      int
	Automation string
	Plan       *Plan // its Run is given when it is saved
}

// SaveTakeover writes such a plan: what the automation has open in earlier runs is cancelled, and what went out is left out.
// The decision that it puts right is settled by it, once: pressed twice it gives the same run.
func (s *Store) SaveTakeover(ctx context.Context, by Actor, t Takeover, enqueue Enqueue) (run int, err error) {
	plan := t.Plan
	a := Act{AccountID: plan.AccountID, By: by, What: map[RunCause]Deed{CauseFix: ActFixed, CauseApprove: ActApproved}[t.Cause],
		Target: plan.ConversationID, conversation: plan.ConversationID,
		Detail: map[string]string{"automation": t.Automation, "of_run": strconv.Itoa(t.OfRun)}}
	err = s.actOnCall(ctx, &a, func(tx pgx.Tx, q *db.Queries, c lockedCall) error {
		d, err := lockDecision(ctx, q, c.id, a.AccountID, t.OfRun, t.Automation)
		if err != nil {
			return err
		}
		if run, err = d.open(t.Cause); err != nil {
			return err
		}
		run = c.next()
		plan.Run = run
		err = c.insertRun(ctx, q, a, Run{Run: run, Cause: t.Cause, OfRun: t.OfRun, Automation: t.Automation, RevisionID: plan.RevisionID, State: RunDone})
		if err != nil {
			return err
		}
		over, err := q.SupersedeOpen(ctx, db.SupersedeOpenParams{ConversationID: c.id, AccountID: a.AccountID, Automation: t.Automation,
			Run: int32(run), PersonID: by.person(), Person: clean(by.Name)})
		if err != nil {
			return fmt.Errorf("cancel what run %d takes over: %w", run, err)
		}
		if t.Cause == CauseFix && len(over) == 0 {
			return refuse("Nothing of it waits any more.")
		}
		if err := leaveOut(ctx, q, plan); err != nil {
			return err
		}
		if err := writeRun(ctx, tx, q, plan, enqueue); err != nil {
			return err
		}
		a.made = strconv.Itoa(run)
		a.tell("run", a.made)
		return d.settle(ctx, q, by, map[RunCause]string{CauseFix: "fixed", CauseApprove: "approved"}[t.Cause], run)
	})
	return run, err
}
