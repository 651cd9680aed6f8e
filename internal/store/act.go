package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"aftercall/internal/store/db"
)

// Actor is who does something, and from where.
type Actor struct {
	PersonID string // "" for the command line and for a machine that signs in by itself
	Name     string // as they are known now; it stays in the log when the person is gone
	Address  string // of the request; "" for the command line
	Bulk     string // the bulk job that they asked for, which does it; "" for a single action
}

// Act is one line of the audit log: who did what to what, when, from where. Lines are only ever added.
//
// Whatever a person changes is changed by a method of Store that takes an Actor and runs in change, so that the line and
// what it tells of are one transaction. What only shows something is logged by LogAct before it is shown.
type Act struct {
	ID        string // given when it is written
	AccountID string // "" for what concerns the installation
	By        Actor
	What      Deed
	Target    string            // the id of what it was done to
	Detail    map[string]string // what else tells what happened: never what a caller said, nor an address
	At        time.Time         // given when it is written

	conversation string // that it is about
	made         string // what came of it: the new delivery's id, or the new run
}

// tell adds to what tells what happened.
func (a *Act) tell(key, value string) {
	if a.Detail == nil {
		a.Detail = map[string]string{}
	}
	a.Detail[key] = value
}

// Deed is what was done.
type Deed string

// The deeds.
const (
	ActSignedIn       Deed = "signed_in"
	ActSignedOut      Deed = "signed_out"
	ActSignInRefused  Deed = "sign_in_refused" // as the target, if the name was somebody's
	ActSessionCopied  Deed = "session_copied"  // a token was shown long after it was replaced: the session was ended
	ActPersonAdded    Deed = "person_added"
	ActPersonBound    Deed = "person_bound" // to who they are elsewhere
	ActPersonDisabled Deed = "person_disabled"
	ActPersonEnabled  Deed = "person_enabled"
	ActPasswordSet    Deed = "password_set"
	ActRoleGiven      Deed = "role_given"
	ActRoleTaken      Deed = "role_taken"
	ActRevealed       Deed = "revealed" // phone numbers and addresses, to somebody who sees them masked
	ActKeyAdded       Deed = "key_added"
	ActKeyRevoked     Deed = "key_revoked"
	ActTestBegun      Deed = "test_message_begun" // before it is handed to the channel
	ActTestEnded      Deed = "test_message_ended"

	ActTaskAdded   Deed = "task_added" // by a program, about a call
	ActTaskChanged Deed = "task_changed"
	ActAlertsRead  Deed = "alerts_read" // one, or all up to one
	ActPushOn      Deed = "push_on"     // alerts go to a browser, too
	ActPushOff     Deed = "push_off"

	ActResent    Deed = "resent"
	ActSettled   Deed = "settled" // an unknown delivery
	ActCancelled Deed = "cancelled"
	ActReleased  Deed = "released"
	ActFixed     Deed = "fixed"
	ActApproved  Deed = "approved"
	ActDismissed Deed = "dismissed"
	ActMarked    Deed = "marked"
	ActReplayed  Deed = "replayed"
	ActBulk      Deed = "bulk_asked"
	ActBulkEnded Deed = "bulk_aborted"

	ActRolledBack  Deed = "rolled_back" // to the revision that is the target
	ActQueuePaused Deed = "queue_paused"
	ActQueueGoesOn Deed = "queue_resumed"
	ActQueueAsked  Deed = "done_in_river" // on River's own page, before it is: the target is the path there

	ActViewSaved   Deed = "view_saved"
	ActViewDropped Deed = "view_dropped"

	ActMuted         Deed = "muted"
	ActUnmuted       Deed = "unmuted"
	ActBreakerOpened Deed = "breaker_opened" // by nobody: the automation fired too often
	ActBreakerClosed Deed = "breaker_closed"
	ActUnsuppressed  Deed = "unsuppressed" // an address may be written to again: the target is the channel
	ActErased        Deed = "erased"       // calls: the target is the erasure, whose row says how many; or one whose messages were called off first
)

// Deeds lists them all.
func Deeds() []Deed {
	return []Deed{ActSignedIn, ActSignedOut, ActSignInRefused, ActSessionCopied, ActPersonAdded, ActPersonBound, ActPersonDisabled, ActPersonEnabled,
		ActPasswordSet, ActRoleGiven, ActRoleTaken, ActRevealed, ActKeyAdded, ActKeyRevoked, ActTestBegun, ActTestEnded,
		ActResent, ActSettled, ActCancelled, ActReleased, ActFixed, ActApproved, ActDismissed, ActMarked, ActReplayed, ActBulk, ActBulkEnded,
		ActTaskAdded, ActTaskChanged, ActAlertsRead, ActPushOn, ActPushOff, ActViewSaved, ActViewDropped, ActRolledBack, ActQueuePaused, ActQueueGoesOn,
		ActQueueAsked, ActMuted, ActUnmuted, ActBreakerOpened, ActBreakerClosed, ActUnsuppressed, ActErased}
}

// topics are what a deed changes on open pages. What people do about a call may change all that is shown of it.
func (d Deed) topics() []Topic {
	switch d {
	case ActTaskAdded, ActTaskChanged:
		return []Topic{TopicTasks}
	case ActAlertsRead:
		return []Topic{TopicAlerts}
	case ActRolledBack:
		return []Topic{TopicConfig}
	case ActRevealed, ActKeyAdded, ActKeyRevoked, ActTestBegun, ActTestEnded, ActViewSaved, ActViewDropped, ActMuted, ActUnmuted, ActBreakerOpened,
		ActBreakerClosed, ActQueuePaused, ActQueueGoesOn, ActQueueAsked, ActPushOn, ActPushOff, ActUnsuppressed:
		return nil
	}
	return []Topic{TopicReview, TopicDeliveries, TopicConversations}
}

// change runs f and writes the act down, in one transaction: neither is there without the other.
func (s *Store) change(ctx context.Context, a Act, f func(q *db.Queries) error) error {
	return s.changeTx(ctx, &a, func(_ pgx.Tx, q *db.Queries) error { return f(q) })
}

// changeTx is change for what inserts jobs, too, or knows only afterwards what there is to tell. What a bulk job does moves
// the job's cursor in the same transaction.
func (s *Store) changeTx(ctx context.Context, a *Act, f func(tx pgx.Tx, q *db.Queries) error) error {
	err := inTx(ctx, s.pool, func(tx pgx.Tx, q *db.Queries) error {
		if a.By.Bulk != "" {
			if err := stepBulk(ctx, q, *a, db.StepBulkParams{Done: 1}); err != nil {
				return err
			}
		}
		if err := f(tx, q); err != nil {
			return err
		}
		if a.By.Bulk != "" {
			item := BulkItem{ID: a.Target, ConversationID: a.conversation, Result: BulkDone, Made: a.made}
			if err := noteItem(ctx, q, *a, item); err != nil {
				return err
			}
		}
		return logAct(ctx, q, *a)
	})
	if err == nil {
		s.tellAct(*a)
	}
	return err
}

// tellAct tells open pages of what was done in an account.
func (s *Store) tellAct(a Act) {
	if a.AccountID == "" {
		return
	}
	for _, topic := range a.What.topics() {
		s.teller.tell(topic, a.AccountID, a.Target)
	}
}

// person is their id where they have one.
func (a Actor) person() *string {
	if !isID(a.PersonID) {
		return nil
	}
	return &a.PersonID
}

// LogAct writes an act down that changes nothing.
func (s *Store) LogAct(ctx context.Context, a Act) error { return logAct(ctx, s.q, a) }

func logAct(ctx context.Context, q *db.Queries, a Act) error {
	if a.Detail == nil {
		a.Detail = map[string]string{}
	}
	if a.By.Bulk != "" {
		a.tell("bulk", a.By.Bulk)
	}
	detail, err := encode(a.Detail)
	if err != nil {
		return fmt.Errorf("log %s: %w", a.What, err)
	}
	err = q.LogAct(ctx, db.LogActParams{ID: newID(), AccountID: a.AccountID, PersonID: a.By.person(), Person: clean(a.By.Name),
		Address: clean(a.By.Address), Act: string(a.What), Target: clean(a.Target), Detail: detail})
	if err != nil {
		return fmt.Errorf("log %s: %w", a.What, err)
	}
	return nil
}

// ActQuery asks for a page of the audit log, the newest first.
type ActQuery struct {
	AccountID string    // "" for all that may be seen
	What      Deed      // "" for all
	Who       string    // a person as the log names them; "" for everybody
	Since     time.Time // nothing older; zero: from the beginning
	Before    string    // cursor from the page before; "" for the first page
	Limit     int       // default 50, at most 200
}

// Acts is FindActs without conditions.
func (r *Reader) Acts(ctx context.Context, accountID, before string, limit int) (acts []Act, next string, err error) {
	return r.FindActs(ctx, ActQuery{AccountID: accountID, Before: before, Limit: limit})
}

// FindActs lists the audit log; next is the cursor of the next page, "" if there is none. What concerns the installation is
// shown to those who see every account.
func (r *Reader) FindActs(ctx context.Context, query ActQuery) (acts []Act, next string, err error) {
	before, err := cursor(query.Before)
	if err != nil {
		return nil, "", fmt.Errorf("list acts: %w", err)
	}
	limit := pageSize(query.Limit)
	p := db.ListActsParams{Before: before, Since: FirstID(query.Since), Act: string(query.What), Person: clean(query.Who), Most: int32(limit + 1)}
	within := r.within.Narrow(query.AccountID)
	err = r.read(ctx, func(q *db.Queries) error {
		rows, err := listActs(ctx, q, within, p)
		for _, row := range rows {
			a, decodeErr := actOf(row)
			acts, err = append(acts, a), errors.Join(err, decodeErr)
		}
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("list acts: %w", err)
	}
	if len(acts) > limit {
		acts, next = acts[:limit], acts[limit-1].ID
	}
	return acts, next, nil
}

// mostActs is how much of what was done to one thing is shown.
const mostActs = 50

// ActsOn lists what was done to one thing of an account, the newest first.
func (r *Reader) ActsOn(ctx context.Context, accountID, target string) (acts []Act, err error) {
	if !r.within.Has(accountID) {
		return nil, fmt.Errorf("list what was done: %w", ErrNotFound)
	}
	err = r.read(ctx, func(q *db.Queries) error {
		rows, err := q.ActsOnTarget(ctx, db.ActsOnTargetParams{AccountID: accountID, Target: target, Most: mostActs})
		for _, row := range rows {
			a, decodeErr := actOf(db.ListActsRow(row))
			acts, err = append(acts, a), errors.Join(err, decodeErr)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list what was done to %s: %w", target, err)
	}
	return acts, nil
}

func actOf(row db.ListActsRow) (Act, error) {
	a := Act{ID: row.ID, AccountID: row.AccountID, By: Actor{PersonID: row.PersonID, Name: row.Person, Address: row.Address},
		What: Deed(row.Act), Target: row.Target, At: row.At}
	if err := json.Unmarshal(row.Detail, &a.Detail); err != nil {
		return a, fmt.Errorf("decode act %s: %w", row.ID, err)
	}
	return a, nil
}

func listActs(ctx context.Context, q *db.Queries, within Accounts, p db.ListActsParams) (rows []db.ListActsRow, err error) {
	if within.every {
		return q.ListActs(ctx, p)
	}
	found, err := q.ListActsOfAccounts(ctx, db.ListActsOfAccountsParams{AccountIds: within.list(), Before: p.Before, Since: p.Since, Act: p.Act,
		Person: p.Person, Most: p.Most})
	for _, row := range found {
		rows = append(rows, db.ListActsRow(row))
	}
	return rows, err
}
