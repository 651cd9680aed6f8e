// Package ops is what people do about a call: send a message again, settle what nobody knows, call off what waits (one, or all), let go
// what is held, give a value that was missing, say that an automation fires after all or that nothing is to go out, decide the
// call anew, some of these for many at once, and have calls or a customer erased.
//
// It owns what each action leads to: what is rendered anew, what goes out and when, what a person may give, and the preview of
// it. The states that an action starts from are conditions of the rows it moves, in package store. The pages, the API and the
// command line are doors to this room.
//
// It promises that what was sent, or may have been, goes out again only as a resend, which is a delivery of its own; that
// pressing twice does not send twice, nor do two people at once; and that each action is in the audit log with whoever took
// it. It asks a model only for a replay or its preview, and never for what was answered already.
package ops

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"aftercall/automation"
	"aftercall/conversation"
	"aftercall/internal/store"
	"aftercall/interview"
	"aftercall/worker"
)

// ErrNotFound is returned for what is not there, or belongs to another account.
var ErrNotFound = store.ErrNotFound

// Refused says why something cannot be done now, in a sentence for whoever asked.
type Refused = store.Refused

// Config is what Ops is built from.
type Config struct {
	Store        *store.Store
	River        *river.Client[pgx.Tx] // inserts the jobs
	Revisions    *worker.Revisions
	Interviewer  *interview.Interviewer // asks the model for a preview; nil: a preview tells what is known without asking
	TokensPerDay int                    // as the worker has it
	Now          func() time.Time       // default time.Now
	Logger       *slog.Logger
}

// Ops takes the actions. It is safe for concurrent use.
type Ops struct {
	store       *store.Store
	river       *river.Client[pgx.Tx]
	revisions   *worker.Revisions
	interviewer *interview.Interviewer
	purses      *worker.Purses
	enqueue     store.Enqueue
	now         func() time.Time
	log         *slog.Logger
}

// New builds an Ops.
func New(c Config) (*Ops, error) {
	if c.Store == nil || c.River == nil || c.Revisions == nil || c.Logger == nil {
		return nil, errors.New("people's actions need a store, a queue, the revisions and a log")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Ops{
		store: c.Store, river: c.River, revisions: c.Revisions, interviewer: c.Interviewer, now: c.Now, log: c.Logger,
		enqueue: worker.EnqueueDelivers(c.River),
		purses:  &worker.Purses{Store: c.Store, Revisions: c.Revisions, Logger: c.Logger, TokensPerDay: c.TokensPerDay, Now: c.Now},
	}, nil
}

// Revision says by which config a call is decided anew.
type Revision string

// The revisions of a replay.
const (
	Same   Revision = "same"   // the one it was first decided by: no model is asked for what it answered then
	Active Revision = "active" // the account's active one: a model is asked once for what it was not asked before
)

// call is a stored call of an account, for doing something about it.
type call struct {
	*conversation.Conversation
	revision string // it was first decided by
	state    store.ConversationState
}

func (o *Ops) call(ctx context.Context, account, id string) (call, error) {
	if _, err := uuid.Parse(id); err != nil {
		return call{}, fmt.Errorf("load a conversation: %w", ErrNotFound)
	}
	c, err := o.store.Load(ctx, id, 1)
	switch {
	case err != nil:
		return call{}, fmt.Errorf("load conversation %s: %w", id, err)
	case c.Conversation.AccountID != account:
		return call{}, fmt.Errorf("load conversation %s: %w", id, ErrNotFound)
	}
	return call{c.Conversation, c.RevisionID, c.State}, nil
}

// again is the call under a revision, with nobody to ask.
func (o *Ops) again(ctx context.Context, c call, revisionID string) (worker.Again, *worker.Silent, error) {
	rev, err := o.revisions.ByID(ctx, revisionID)
	if err != nil {
		return worker.Again{}, nil, fmt.Errorf("take revision %s for conversation %s: %w", revisionID, c.ID, err)
	}
	silent := &worker.Silent{}
	return worker.Again{Conversation: c.Conversation, Revision: rev, Now: o.now(),
		Interviewer: interview.NewInterviewer(silent, o.store, interview.Limits{})}, silent, nil
}

// revisionOf is the revision that a replay takes.
func (o *Ops) revisionOf(c call, which Revision) (id string, err error) {
	switch which {
	case Same:
		return c.revision, nil
	case Active:
		if rev, ok := o.revisions.Active(c.AccountID); ok {
			return rev.ID, nil
		}
		return "", &Refused{Sentence: "The account has no active config."}
	}
	return "", &Refused{Sentence: "A call is replayed with the same config or with the active one."}
}

// addresses are where deliveries would go, by id, as known now.
func addresses(rev *automation.Revision, c *conversation.Conversation, all []store.Delivery) map[string]string {
	to := map[string]string{}
	for _, d := range all {
		if len(d.Content.To) == 1 {
			if a, refused := rev.Directory.Address(d.Content.To[0], d.Channel, worker.Contact(c)); refused == "" {
				to[d.ID] = a.Address
			}
		}
	}
	return to
}
