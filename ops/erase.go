package ops

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"aftercall/internal/store"
	"aftercall/worker"
)

// ErasurePreview is what an erasure would take away. Events that belong to no call of the customer, and only mention them, are
// looked for as it is done.
type ErasurePreview struct {
	Calls []store.Call
	store.Holdings
	Views int // searches that people keep
}

// CountErasure says what there is to erase: calls by our ids, or everything of a customer. A customer by a number without its
// country code is refused: every number that ends alike would be meant.
func (o *Ops) CountErasure(ctx context.Context, account string, w store.ErasureWish) (p ErasurePreview, err error) {
	if p.Calls, err = o.toErase(ctx, account, w); err != nil {
		return p, err
	}
	for batch := range slices.Chunk(idsOf(p.Calls), 500) {
		h, err := o.store.Holdings(ctx, account, batch)
		if err != nil {
			return p, err
		}
		p.Holdings = p.Plus(h)
	}
	if w.Customer == "" {
		return p, nil
	}
	who, err := exactly(w.Customer)
	if err != nil {
		return p, err
	}
	views, err := o.store.ViewsOf(ctx, account, who)
	p.Views = len(views)
	return p, err
}

// Erase asks for an erasure, which a worker does. How far it is says Reader.Erasure.
func (o *Ops) Erase(ctx context.Context, by store.Actor, account string, w store.ErasureWish) (erasureID string, err error) {
	calls, err := o.toErase(ctx, account, w)
	if err != nil {
		return "", err
	}
	return o.store.AskErasure(ctx, by, account, w, len(calls), worker.EnqueueErase(o.river))
}

// exactly reads a customer of whom there is only one.
func exactly(customer string) (store.Customer, error) {
	who, err := store.ParseCustomer(customer)
	switch {
	case err != nil:
		return who, &Refused{Sentence: "A customer is a phone number or an e-mail address."}
	case !who.Exact():
		return who, &Refused{Sentence: "The number has no country code: every number that ends alike would be meant."}
	}
	return who, nil
}

func (o *Ops) toErase(ctx context.Context, account string, w store.ErasureWish) ([]store.Call, error) {
	if w.Customer == "" {
		return o.store.CallsByID(ctx, account, w.Conversations)
	}
	who, err := exactly(w.Customer)
	if err != nil {
		return nil, err
	}
	return o.store.CallsOf(ctx, account, who)
}

func idsOf(calls []store.Call) []string {
	ids := make([]string, len(calls))
	for n, c := range calls {
		ids[n] = c.ID
	}
	return ids
}

// WorkErasure erases what was asked for; more reports that a message of it is under way, and that nothing else is sent of that
// call. It is what a worker calls (worker.Config.Erase).
func (o *Ops) WorkErasure(ctx context.Context, erasureID string) (more bool, err error) {
	e, w, err := o.store.AskedErasure(ctx, erasureID)
	if errors.Is(err, ErrNotFound) {
		return false, nil // it is done
	}
	if err != nil {
		return false, err
	}
	calls, err := o.toErase(ctx, e.AccountID, w)
	if err != nil {
		return false, err
	}
	left, err := o.store.Erase(ctx, e, idsOf(calls), 0)
	if err != nil || len(left) > 0 {
		return true, err
	}
	if w.Customer != "" {
		if more, err := o.eraseBeside(ctx, e, w); err != nil || more {
			return true, err
		}
	}
	if err := o.store.FinishErasure(ctx, e); err != nil {
		return true, err
	}
	o.log.LogAttrs(ctx, slog.LevelInfo, "erased what was asked for", slog.String("erasure_id", e.ID), slog.String("account_id", e.AccountID))
	return false, nil
}

// lookLength is how long one look through the events of an account goes on before it is noted how far it is.
const lookLength = time.Minute

// eraseBeside erases what there is of a customer beside their calls. It begins where the look before ended, so that what was read is not
// read again for one message that is under way, and a look through millions of events comes to its end.
func (o *Ops) eraseBeside(ctx context.Context, e store.Erasure, w store.ErasureWish) (more bool, err error) {
	who, err := exactly(w.Customer)
	if err != nil {
		return false, err
	}
	looked, until := w.Looked, o.now().Add(lookLength)
	if looked.Left, err = o.store.Erase(ctx, e, looked.Left, 0); err != nil {
		return false, err
	}
	for more = true; more; {
		if more, err = o.lookOn(ctx, e, who, &looked); err != nil {
			return false, err
		}
		if !o.now().Before(until) {
			break
		}
	}
	if more || len(looked.Left) > 0 {
		return true, o.store.NoteLooked(ctx, e, looked)
	}
	views, err := o.store.ViewsOf(ctx, e.AccountID, who)
	if err != nil {
		return false, err
	}
	return false, o.store.EraseViews(ctx, e, views)
}

// lookOn erases what the next events of either kind mention of a customer; more reports that there were any.
func (o *Ops) lookOn(ctx context.Context, e store.Erasure, who store.Customer, looked *store.Looked) (more bool, err error) {
	before := *looked
	mentions, decided, err := o.store.MentionsAfter(ctx, e.AccountID, who, looked.Decided)
	if err != nil {
		return false, err
	}
	left, err := o.store.Erase(ctx, e, idsOf(mentions), 0)
	if err != nil {
		return false, err
	}
	events, stored, err := o.store.EventsAfter(ctx, e.AccountID, who, looked.Stored)
	if err != nil {
		return false, err
	}
	if err := o.store.EraseEvents(ctx, e, events); err != nil {
		return false, err
	}
	looked.Decided, looked.Stored, looked.Left = decided, stored, append(looked.Left, left...)
	return decided != before.Decided || stored != before.Stored, nil
}
