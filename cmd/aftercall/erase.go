package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"

	"aftercall/internal/store"
)

// erasing is one run of erase.
type erasing struct {
	*console
	db       *store.Store
	account  string // as asked for; "" if it is to be found out
	customer string
	dry, yes bool
}

// found is what there is to erase, all of one account.
type found struct {
	account string
	cause   store.ErasureCause
	calls   []store.Call
	events  []string // that belong to no conversation
	views   []string // searches that people keep
}

// erase erases conversations, or every call of a customer. It says what it would erase and asks, and waits for messages that
// are being sent at this moment.
func erase(flags *flag.FlagSet) action {
	var e erasing
	flags.StringVar(&e.account, "account", "", "the `account`, where the conversation or the customer is in several")
	flags.StringVar(&e.customer, "customer", "", "everything of one customer: `WHO` is a phone number in any format, or an e-mail address")
	flags.BoolVar(&e.dry, "dry-run", false, "only say what would be erased")
	flags.BoolVar(&e.yes, "yes", false, "do not ask")
	return func(ctx context.Context, c *console, args []string) error {
		if (len(args) == 0) == (e.customer == "") {
			return wrong("name conversations by our id or the platform's, or a customer with --customer")
		}
		db, err := openStore(ctx, c)
		if err != nil {
			return err
		}
		defer db.Close()
		e.console, e.db = c, db
		return e.run(ctx, args)
	}
}

func (e *erasing) run(ctx context.Context, ids []string) error {
	look := e.ofCustomer
	if e.customer == "" {
		look = func(ctx context.Context) (found, error) { return e.named(ctx, ids) }
	}
	f, err := look(ctx)
	if err != nil {
		return err
	}
	if err := e.show(ctx, f); err != nil || e.dry {
		return err
	}
	if !e.yes && !e.confirmed() {
		fmt.Fprintln(e.out, "nothing was erased")
		return errQuiet
	}
	return e.erase(ctx, f)
}

// named finds conversations by their ids.
func (e *erasing) named(ctx context.Context, ids []string) (found, error) {
	f := found{cause: store.CauseConversation}
	var ours []string
	for _, id := range ids {
		s, err := find(ctx, e.db, e.account, id)
		if err != nil {
			return f, err
		}
		if f.account != "" && f.account != s.AccountID {
			return f, fmt.Errorf("the conversations belong to the accounts %s and %s: erase them one account at a time", f.account, s.AccountID)
		}
		f.account = s.AccountID
		ours = append(ours, s.Conversation.ID)
	}
	events, err := e.db.EventsOfCalls(ctx, f.account, ids) // of a call that has not come in, find knows no more than one
	if err != nil {
		return f, err
	}
	calls, err := e.db.CallsByID(ctx, f.account, append(ours, events...))
	f.calls = calls
	return f, err
}

// ofCustomer finds everything of a customer, in the one account that has something.
func (e *erasing) ofCustomer(ctx context.Context) (found, error) {
	who, err := store.ParseCustomer(e.customer)
	if err != nil {
		return found{}, err
	}
	accounts, err := e.db.Accounts(ctx, e.account)
	if err != nil {
		return found{}, err
	}
	var all []found
	for _, a := range accounts {
		f := found{account: a.ID, cause: store.CauseCustomer}
		if f.calls, err = e.db.CallsOf(ctx, a.ID, who); err != nil {
			return f, err
		}
		mentions, err := e.db.MentionsOf(ctx, a.ID, who)
		if err != nil {
			return f, err
		}
		f.calls = append(f.calls, mentions...)
		if f.events, err = e.db.EventsOf(ctx, a.ID, who); err != nil {
			return f, err
		}
		if f.views, err = e.db.ViewsOf(ctx, a.ID, who); err != nil {
			return f, err
		}
		if len(f.calls)+len(f.events) > 0 {
			all = append(all, f)
		}
	}
	switch len(all) {
	case 0:
		return found{}, errors.New("nobody has called from there: there is nothing to erase")
	case 1:
		if !who.Exact() {
			fmt.Fprintln(e.out, "The number has no country code: these are the calls whose number ends alike.")
		}
		return all[0], nil
	}
	var names []string
	for _, f := range all {
		names = append(names, f.account)
	}
	return found{}, fmt.Errorf("several accounts have calls of this customer (%s): name one with --account", strings.Join(names, ", "))
}

// shown is how many calls are listed.
const shown = 50

// show says what would be erased.
func (e *erasing) show(ctx context.Context, f found) error {
	h, err := e.holdings(ctx, f)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.out, "account %s: %d %s\n", f.account, len(f.calls), plural(len(f.calls), "conversation"))
	for _, c := range f.calls[:min(len(f.calls), shown)] {
		fmt.Fprintf(e.out, "  %s  %s  %s  %s\n", c.ID, stamp(c.AcceptedAt), plain(c.Channel), plain(c.ExternalID))
	}
	if more := len(f.calls) - shown; more > 0 {
		fmt.Fprintf(e.out, "  and %d more\n", more)
	}
	fmt.Fprintf(e.out, "with %d events, %d model calls, %d decisions, %d tasks, %d deliveries", h.Events+len(f.events), h.Calls, h.Decisions,
		h.Tasks, h.Deliveries)
	for _, some := range []struct {
		n    int
		what string
	}{{h.GoneOut, "with its provider, where it stays"}, {h.Waiting, "still to be sent, which will not be"}, {h.UnderWay, "under way, which is waited for"}} {
		if some.n > 0 {
			fmt.Fprintf(e.out, ", %d %s", some.n, some.what)
		}
	}
	if len(f.views) > 0 {
		fmt.Fprintf(e.out, ", and %d of the searches that people keep", len(f.views))
	}
	fmt.Fprintln(e.out)
	return nil
}

func (e *erasing) holdings(ctx context.Context, f found) (sum store.Holdings, err error) {
	for batch := range slices.Chunk(idsOf(f.calls), 500) {
		h, err := e.db.Holdings(ctx, f.account, batch)
		if err != nil {
			return sum, err
		}
		sum = sum.Plus(h)
	}
	return sum, nil
}

func idsOf(calls []store.Call) []string {
	ids := make([]string, len(calls))
	for n, c := range calls {
		ids[n] = c.ID
	}
	return ids
}

// confirmed asks. Whoever is not there has not agreed.
func (e *erasing) confirmed() bool {
	fmt.Fprint(e.out, "This cannot be taken back. Type erase to go on: ")
	if e.in == nil {
		fmt.Fprintln(e.out)
		return false
	}
	line, _ := bufio.NewReader(e.in).ReadString('\n') // what was typed counts, whether a line or the end came after it
	return strings.TrimSpace(line) == "erase"
}

// patience is how long erase waits for messages under way. A send takes seconds, and a worker that died is noticed within
// half a minute, if another one runs.
const patience = time.Minute

func (e *erasing) erase(ctx context.Context, f found) error {
	asked, err := e.db.BeginErasure(ctx, store.Actor{Name: whoIsIt()}, f.account, f.cause)
	if err != nil {
		return err
	}
	left, err := e.db.Erase(ctx, asked, idsOf(f.calls), patience)
	if err == nil {
		err = e.db.EraseEvents(ctx, asked, f.events)
	}
	if err == nil {
		err = e.db.EraseViews(ctx, asked, f.views)
	}
	if err != nil {
		return fmt.Errorf("it broke off, run it again: %w", err)
	}
	fmt.Fprintf(e.out, "erased: %d conversations (erasure %s)\n", len(f.calls)-len(left), asked.ID)
	if len(left) > 0 {
		return fmt.Errorf("of %d conversations a message is still under way: nothing else of theirs is sent, but run this again when a worker "+
			"has settled it: %s", len(left), strings.Join(left, ", "))
	}
	return e.db.FinishErasure(ctx, asked)
}
