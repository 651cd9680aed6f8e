package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"aftercall/deliver"
	"aftercall/internal/store/db"
	"aftercall/reason"
)

// Refused says why something cannot be done now, in a sentence for whoever asked.
type Refused struct{ Sentence string }

// Error is the sentence.
func (r *Refused) Error() string { return r.Sentence }

func refuse(format string, args ...any) error { return &Refused{fmt.Sprintf(format, args...)} }

// doubleClick is how long the same wish of a page that was pressed twice is taken for one.
const doubleClick = 10 * time.Second

// errAlready rolls back what changes nothing any more: what was wanted is so.
var errAlready = errors.New("it is so already")

// Enqueue inserts jobs in the transaction of what they belong to.
type Enqueue func(ctx context.Context, tx pgx.Tx, jobs []DeliverJob) error

// lockedDelivery is a delivery that nobody else moves until the transaction ends.
type lockedDelivery struct {
	db.LockDeliveryRow
	account string
	state   DeliveryState
}

// actOn locks a delivery, lets f move it, and writes the act down. What is so already is no error, and no act.
func (s *Store) actOn(ctx context.Context, a Act, f func(tx pgx.Tx, q *db.Queries, a *Act, d lockedDelivery) error) error {
	if !isID(a.Target) {
		return fmt.Errorf("%s a delivery: %w", a.What, ErrNotFound)
	}
	err := s.changeTx(ctx, &a, func(tx pgx.Tx, q *db.Queries) error {
		d, err := lockDelivery(ctx, q, a.AccountID, a.Target)
		if err != nil {
			return err
		}
		a.conversation = d.ConversationID
		return f(tx, q, &a, d)
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
		return fmt.Errorf("%s delivery %s: %w", a.What, a.Target, err)
	}
	return nil
}

// lockDelivery locks the conversation first, and then the delivery.
func lockDelivery(ctx context.Context, q *db.Queries, account, id string) (d lockedDelivery, err error) {
	locked, err := q.LockConversationOf(ctx, db.LockConversationOfParams{DeliveryID: id, AccountID: account})
	if err != nil {
		return d, err
	}
	if len(locked) == 0 {
		return d, ErrNotFound
	}
	d.LockDeliveryRow, err = q.LockDelivery(ctx, db.LockDeliveryParams{ID: id, AccountID: account})
	d.account, d.state = account, DeliveryState(d.State)
	return d, found(err)
}

// note records who did what to the delivery.
func (d lockedDelivery) note(ctx context.Context, q *db.Queries, a Act, settled string) error {
	return q.NoteSettlement(ctx, db.NoteSettlementParams{DeliveryID: d.ID, Settled: settled, AccountID: a.AccountID,
		ConversationID: d.ConversationID, PersonID: a.By.person(), Person: clean(a.By.Name)})
}

// ShowsGap reports whether a held or cancelled message to the customer lacks a value that it would show.
func ShowsGap(customer bool, why reason.Code) bool {
	return customer && (why == reason.VariableMissingForCustomer || why == reason.RequiredVariableMissing)
}

// ResendDelivery plans a delivery again, as it stands and as one of its own. It may go out from now on, for the lifetime of its channel.
func (s *Store) ResendDelivery(ctx context.Context, by Actor, account, id string, now time.Time, lifetime func(channel string) time.Duration, enqueue Enqueue) (again string, err error) {
	a := Act{AccountID: account, By: by, What: ActResent, Target: id}
	err = s.actOn(ctx, a, func(tx pgx.Tx, q *db.Queries, a *Act, d lockedDelivery) error {
		if err := d.resendable(); err != nil {
			return err
		}
		others, err := q.SameMessage(ctx, db.SameMessageParams{ID: d.ID, AccountID: account, ConversationID: d.ConversationID,
			Automation: d.Automation, Action: d.Action, Recipient: d.Recipient, Run: d.Run})
		if err != nil {
			return err
		}
		if again, err = d.last(others, now); err != nil {
			return err
		}
		again = newID()
		err = q.InsertResend(ctx, db.InsertResendParams{NewID: again, ID: d.ID, AccountID: account, DueAt: now, DeadlineAt: now.Add(lifetime(d.Channel))})
		if err != nil {
			return err
		}
		if err := q.ForgetClaim(ctx, db.ForgetClaimParams{ID: d.ID, AccountID: account}); err != nil {
			return err
		}
		if err := d.note(ctx, q, *a, "resent"); err != nil {
			return err
		}
		a.made = again
		a.tell("delivery", again)
		return enqueue(ctx, tx, []DeliverJob{{AccountID: account, ConversationID: d.ConversationID, Channel: d.Channel}})
	})
	if err != nil {
		return "", err
	}
	return again, nil
}

// resendable says why a delivery is not one to be sent again.
func (d lockedDelivery) resendable() error {
	switch {
	case d.Channel == deliver.Task:
		return refuse("A task is not sent; it stands in the list of tasks.")
	case d.Reason == string(reason.RenderFailed):
		return refuse("It could not be rendered, so there is no text to send. Replay the call when the automation is mended.")
	case ShowsGap(d.Customer, reason.Code(d.Reason)):
		return refuse("It goes to the customer and would show a gap. Give the value that is missing instead.")
	}
	if d.Reason == string(reason.PerhapsSentBefore) {
		return nil
	}
	switch d.state {
	case Sent, Delivered, Failed, Unknown, Cancelled:
		return nil
	case Held:
		return refuse("It is held and was not sent yet: release it, or give the value that is missing.")
	case Skipped:
		return refuse("Nothing was to be sent, so there is nothing to send again.")
	}
	return refuse("It is on its way: it is %s.", d.state)
}

// last makes sure that the delivery is the last of its message and that none is on its way. Of a wish that was sent twice it
// gives what came of the first, with errAlready.
func (d lockedDelivery) last(others []db.SameMessageRow, now time.Time) (already string, err error) {
	for _, o := range others {
		state := DeliveryState(o.State)
		again := o.ResendOf == d.ID
		later := o.Run > d.Run || o.Run == d.Run && o.Copy > d.Copy
		switch {
		case again && now.Sub(o.CreatedAt) < doubleClick:
			return o.ID, errAlready
		case again:
			return "", refuse("It was sent again already, as delivery %s, which is %s.", o.ID, state)
		case state == Planned || state == Retrying || state == Sending || state == Held:
			return "", refuse("The same message is %s in run %d.", state, o.Run)
		case later && (state == Sent || state == Delivered || state == Unknown):
			return "", refuse("The same message is %s since, in run %d: look at that one, delivery %s.", state, o.Run, o.ID)
		}
	}
	return "", nil
}

// SettleDelivery says what became of an unknown delivery: Sent or Failed.
func (s *Store) SettleDelivery(ctx context.Context, by Actor, account, id string, as DeliveryState) error {
	a := Act{AccountID: account, By: by, What: ActSettled, Target: id, Detail: map[string]string{"as": string(as)}}
	return s.actOn(ctx, a, func(_ pgx.Tx, q *db.Queries, a *Act, d lockedDelivery) error {
		written := d.Posted || d.Kept
		switch {
		case as != Sent && as != Failed:
			return refuse("Settle it as %s or as %s.", Sent, Failed)
		case d.state == as:
			return d.already(ctx, q, string(as))
		case d.state != Unknown:
			return refuse("It is %s: only what is unknown is settled.", d.state)
		case as == Failed && written:
			return refuse("It stands written on this machine: settle it as sent.")
		case as == Sent && d.Channel == deliver.TeamAlert && !written:
			return refuse("The alert was not written: settle it as failed.")
		}
		n, err := q.SettleDelivery(ctx, db.SettleDeliveryParams{ID: d.ID, AccountID: account, State: string(as), Captured: d.Kept && as == Sent})
		if err != nil || n != 1 {
			return errors.Join(err, notOne(n))
		}
		return d.note(ctx, q, *a, string(as))
	})
}

// CancelDelivery calls off what waits.
func (s *Store) CancelDelivery(ctx context.Context, by Actor, account, id string) error {
	return s.actOn(ctx, Act{AccountID: account, By: by, What: ActCancelled, Target: id}, func(_ pgx.Tx, q *db.Queries, a *Act, d lockedDelivery) error {
		switch {
		case d.state == Cancelled:
			return d.already(ctx, q, "cancelled")
		case d.state != Planned && d.state != Retrying && d.state != Held:
			return refuse("It is %s: only what waits can be called off.", d.state)
		case d.Posted || d.Kept:
			return refuse("It stands written already, only its receipt is missing; it will be called sent.")
		}
		n, err := q.CancelDelivery(ctx, db.CancelDeliveryParams{ID: d.ID, AccountID: account})
		if err != nil || n != 1 {
			return errors.Join(err, notOne(n))
		}
		return d.note(ctx, q, *a, "cancelled")
	})
}

// Release is how a held delivery goes out.
type Release struct {
	EndOf             string // the platform's id of the call whose end it waits for; "" for none
	DueAt, DeadlineAt time.Time
	Reason            reason.Code // why it waits until then, if it does
	Detail            string      // one sentence for a person
	Task              *Task       // of a task, which is written at once
}

// ReleaseDelivery lets a held delivery go out as it stands.
func (s *Store) ReleaseDelivery(ctx context.Context, by Actor, account, id string, r Release, enqueue Enqueue) error {
	return s.actOn(ctx, Act{AccountID: account, By: by, What: ActReleased, Target: id}, func(tx pgx.Tx, q *db.Queries, a *Act, d lockedDelivery) error {
		switch {
		case d.state != Held:
			if err := d.already(ctx, q, "released"); errors.Is(err, errAlready) {
				return err
			}
			return refuse("It is %s: only what is held is released.", d.state)
		case ShowsGap(d.Customer, reason.Code(d.Reason)):
			return refuse("It goes to the customer and would show a gap. Give the value that is missing instead.")
		case (d.Channel == deliver.Task) != (r.Task != nil):
			return errors.New("a task is released with its row, and nothing else")
		}
		p := db.ReleaseDeliveryParams{ID: d.ID, AccountID: account, State: string(Planned), Reason: string(r.Reason), Detail: clean(r.Detail),
			DueAt: r.DueAt, DeadlineAt: r.DeadlineAt}
		if r.Task != nil {
			p.State, p.Reason, p.Detail = string(Sent), "", ""
			written := Plan{AccountID: account, ConversationID: d.ConversationID, Run: int(d.Run), Tasks: []Task{*r.Task}}
			if err := q.InsertTasks(ctx, taskRows([]*planned{{Plan: &written}})); err != nil {
				return err
			}
		}
		n, err := q.ReleaseDelivery(ctx, p)
		if err != nil || n != 1 {
			return errors.Join(err, notOne(n))
		}
		if err := d.note(ctx, q, *a, "released"); err != nil || r.Task != nil {
			return err
		}
		if r.EndOf != "" {
			return q.InsertAwaitedEnds(ctx, db.InsertAwaitedEndsParams{DeliveryIds: []string{d.ID}, ConversationIds: []string{d.ConversationID},
				AccountIds: []string{account}, CallIds: []string{clean(r.EndOf)}})
		}
		return enqueue(ctx, tx, []DeliverJob{{AccountID: account, ConversationID: d.ConversationID, Channel: d.Channel, At: laterThan(r.DueAt, time.Now())}})
	})
}

// already is errAlready if a person has brought the delivery there.
func (d lockedDelivery) already(ctx context.Context, q *db.Queries, settled string) error {
	was, err := q.WasSettled(ctx, db.WasSettledParams{DeliveryID: d.ID, AccountID: d.account, Settled: settled})
	switch {
	case err != nil:
		return err
	case was:
		return errAlready
	}
	return refuse("It is %s already.", d.state)
}

// notOne is an error unless one row moved: the row was locked and looked at, so it must.
func notOne(n int64) error {
	if n == 1 {
		return nil
	}
	return fmt.Errorf("moved %d rows where one was locked", n)
}

// laterThan is at if that is still to come, and the zero time, which is now, if it is not.
func laterThan(at, now time.Time) time.Time {
	if at.After(now) {
		return at
	}
	return time.Time{}
}
