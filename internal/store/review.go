package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"aftercall/internal/store/db"
	"aftercall/reason"
	"aftercall/triggers"
	"aftercall/variables"
)

// lockedDecision is a decision that nobody else settles until the transaction ends.
type lockedDecision struct {
	db.LockDecisionRow
	conversation, account, automation string
	run                               int
}

func lockDecision(ctx context.Context, q *db.Queries, conversation, account string, run int, automation string) (d lockedDecision, err error) {
	rows, err := q.LockDecision(ctx, db.LockDecisionParams{ConversationID: conversation, AccountID: account, Run: int32(run), Automation: automation})
	if err != nil {
		return d, err
	}
	if len(rows) == 0 {
		return d, ErrNotFound
	}
	return lockedDecision{rows[0], conversation, account, automation, run}, nil
}

// open says why a decision cannot be put right, or is nil. Of a wish that was sent twice it gives the run that came of the
// first, with errAlready.
func (d lockedDecision) open(cause RunCause) (run int, err error) {
	wanted := map[RunCause]triggers.Verdict{CauseFix: triggers.Fires, CauseApprove: triggers.Unsure}[cause]
	as := map[RunCause]string{CauseFix: "fixed", CauseApprove: "approved"}[cause]
	switch {
	case d.Sandbox:
		return 0, refuse("It was decided in a sandbox, where nothing goes out: there is nothing to put right.")
	case d.SettledAs == as && time.Since(zeroOr(d.SettledAt)) < doubleClick:
		return int(d.SettledRun), errAlready
	case d.SettledAs != "" && d.SettledRun > 0:
		return 0, refuse("It was %s already, by run %d: look there.", d.SettledAs, d.SettledRun)
	case d.SettledAs != "":
		return 0, refuse("It was %s already.", d.SettledAs)
	case d.Verdict != string(wanted):
		return 0, refuse("The automation was decided as %q, not as %q.", d.Verdict, wanted)
	}
	return 0, nil
}

func (d lockedDecision) settle(ctx context.Context, q *db.Queries, by Actor, as string, run int) error {
	return q.SettleDecision(ctx, db.SettleDecisionParams{ConversationID: d.conversation, AccountID: d.account, Run: int32(d.run),
		Automation: d.automation, SettledAs: as, SettledRun: int32(run), Person: clean(by.Name)})
}

// Dismiss closes a review: what one automation has held in a run is cancelled, and an unsure decision stays as it is.
func (s *Store) Dismiss(ctx context.Context, by Actor, account, conversationID string, run int, automation string) error {
	a := Act{AccountID: account, By: by, What: ActDismissed, Target: conversationID, conversation: conversationID,
		Detail: map[string]string{"automation": automation, "of_run": strconv.Itoa(run)}}
	return s.actOnCall(ctx, &a, func(_ pgx.Tx, q *db.Queries, c lockedCall) error {
		d, err := lockDecision(ctx, q, c.id, account, run, automation)
		switch {
		case err != nil:
			return err
		case d.SettledAs == "dismissed":
			return errAlready
		case d.SettledAs != "":
			return refuse("It was %s already.", d.SettledAs)
		}
		cancelled, err := q.CancelHeld(ctx, db.CancelHeldParams{ConversationID: c.id, AccountID: account, Run: int32(run), Automation: automation})
		if err != nil {
			return err
		}
		if len(cancelled) == 0 && !(d.Verdict == string(triggers.Unsure) && d.Review) {
			return refuse("Nothing of it waits for a person.")
		}
		for _, id := range cancelled {
			held := lockedDelivery{LockDeliveryRow: db.LockDeliveryRow{ID: id, ConversationID: c.id}}
			if err := held.note(ctx, q, a, "cancelled"); err != nil {
				return err
			}
		}
		return d.settle(ctx, q, by, "dismissed", 0)
	})
}

// maxNote is the longest note of a mark, in bytes.
const maxNote = 2000

// MarkDecision says that a decision was right or wrong.
func (s *Store) MarkDecision(ctx context.Context, by Actor, account, conversationID string, run int, automation string, wrong bool, note string) error {
	a := Act{AccountID: account, By: by, What: ActMarked, Target: conversationID, conversation: conversationID,
		Detail: map[string]string{"automation": automation, "of_run": strconv.Itoa(run), "wrong": strconv.FormatBool(wrong)}}
	return s.actOnCall(ctx, &a, func(_ pgx.Tx, q *db.Queries, c lockedCall) error {
		d, err := lockDecision(ctx, q, c.id, account, run, automation)
		switch {
		case err != nil:
			return err
		case d.Verdict == string(triggers.Waiting):
			return refuse("It is not decided yet.")
		case len(note) > maxNote:
			return refuse("The note is too long: %d characters at most.", maxNote)
		}
		return q.MarkDecision(ctx, db.MarkDecisionParams{ConversationID: c.id, AccountID: account, Run: int32(run), Automation: automation,
			Wrong: wrong, Note: clean(note), PersonID: by.person(), Person: clean(by.Name)})
	})
}

// ToPutRight is a decision with what it rests on, for whoever puts it right.
type ToPutRight struct {
	triggers.Decision
	RevisionID string
	Sandbox    bool
	State      ConversationState // of the conversation
	Values     []variables.Value // of the run
	Before     []Before          // what other runs sent, may have sent or mean to
}

// ReadDecision reads one decision.
func (s *Store) ReadDecision(ctx context.Context, account, conversationID string, run int, automation string) (t ToPutRight, err error) {
	if !isID(conversationID) {
		return t, fmt.Errorf("read a decision: %w", ErrNotFound)
	}
	r, err := s.q.ReadDecision(ctx, db.ReadDecisionParams{ConversationID: conversationID, AccountID: account, Run: int32(run), Automation: automation})
	if err != nil {
		return t, fmt.Errorf("read the decision on %s in conversation %s: %w", automation, conversationID, found(err))
	}
	t = ToPutRight{RevisionID: r.RevisionID, Sandbox: r.Sandbox, State: ConversationState(r.State), Decision: triggers.Decision{
		Automation: automation, Verdict: triggers.Verdict(r.Verdict), Reason: reason.Code(r.Reason), Detail: r.Detail, Review: r.Review}}
	if err := json.Unmarshal(r.Evidence, &t.Evidence); err != nil {
		return t, fmt.Errorf("decode the evidence of %s: %w", automation, err)
	}
	rows, err := s.q.ReadValues(ctx, db.ReadValuesParams{ConversationID: conversationID, AccountID: account, Run: int32(run)})
	if err != nil {
		return t, fmt.Errorf("read the values of conversation %s: %w", conversationID, err)
	}
	for _, r := range rows {
		v, err := value(r)
		if err != nil {
			return t, err
		}
		t.Values = append(t.Values, v)
	}
	return t, nil
}

// BeforeRun lists what runs other than this one sent, may have sent or mean to; 0 is a run that is still to be.
func (s *Store) BeforeRun(ctx context.Context, account, conversationID string, run int) ([]Before, error) {
	var p Plan
	p.AccountID, p.ConversationID, p.Run = account, conversationID, run
	before, err := beforeRun(ctx, s.q, &p)
	if err != nil {
		return nil, fmt.Errorf("read what conversation %s sent: %w", conversationID, err)
	}
	return before, nil
}

// ReadDelivery reads what a release needs to know of a delivery.
type HeldDelivery struct {
	Delivery
	ConversationID, RevisionID string
	Run                        int
}

// HeldDelivery reads one delivery with the revision that its run was decided by.
func (s *Store) HeldDelivery(ctx context.Context, account, id string) (h HeldDelivery, err error) {
	if !isID(id) {
		return h, fmt.Errorf("read a delivery: %w", ErrNotFound)
	}
	r, err := s.q.ReadDelivery(ctx, db.ReadDeliveryParams{ID: id, AccountID: account})
	if err != nil {
		return h, fmt.Errorf("read delivery %s: %w", id, found(err))
	}
	h = HeldDelivery{ConversationID: r.ConversationID, RevisionID: r.RevisionID, Run: int(r.Run), Delivery: Delivery{ID: id,
		Automation: r.Automation, Action: int(r.Action), Channel: r.Channel, Recipient: r.Recipient, Customer: r.Customer,
		State: DeliveryState(r.State), Reason: reason.Code(r.Reason), Test: r.Test}}
	if err := json.Unmarshal(r.Content, &h.Content); err != nil {
		return h, fmt.Errorf("decode delivery %s: %w", id, err)
	}
	return h, nil
}

// FindDelivery gives the account and the conversation of a delivery that may be seen.
func (r *Reader) FindDelivery(ctx context.Context, id string) (account, conversationID string, err error) {
	if !isID(id) {
		return "", "", fmt.Errorf("find a delivery: %w", ErrNotFound)
	}
	err = r.read(ctx, func(q *db.Queries) error {
		rows, err := q.FindDelivery(ctx, db.FindDeliveryParams{ID: id, Every: r.within.every, AccountIds: r.within.list()})
		if err == nil && len(rows) == 0 {
			err = ErrNotFound
		}
		if err != nil {
			return err
		}
		account, conversationID = rows[0].AccountID, rows[0].ConversationID
		return nil
	})
	if err != nil {
		return "", "", fmt.Errorf("find delivery %s: %w", id, err)
	}
	return account, conversationID, nil
}
