package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"

	"aftercall/internal/store"
	"aftercall/ops"
	"aftercall/worker"
)

// replay decides a stored call anew, or says what that would send.
func replay(flags *flag.FlagSet) action {
	account := flags.String("account", "", "the `account`, if the call's id exists in several")
	active := flags.Bool("active", false, "by the active config instead of the one the call was decided by")
	sandbox := flags.Bool("sandbox", false, "everything goes to the capture sink")
	send := flags.Bool("send", false, "do it; without this it is only said what would go out")
	return func(ctx context.Context, c *console, args []string) error {
		if len(args) != 1 {
			return wrong("name one conversation, by our id or the platform's")
		}
		return acting(ctx, c, func(o *ops.Ops, db *store.Store, by store.Actor) error {
			in, id, err := db.FindConversation(ctx, *account, args[0])
			if err != nil {
				return err
			}
			which := ops.Same
			if *active {
				which = ops.Active
			}
			if !*send {
				p, err := o.Rehearse(ctx, in, id, which, *sandbox)
				if err == nil {
					foretell(c, p)
				}
				return err
			}
			run, err := o.Replay(ctx, by, in, id, which, *sandbox)
			if err == nil {
				fmt.Fprintf(c.out, "run %d of conversation %s is asked for; a worker takes it up\n", run, id)
			}
			return err
		})
	}
}

// foretell prints what a replay would lead to.
func foretell(c *console, p ops.Preview) {
	if p.Open {
		fmt.Fprintf(c.out, "revision %.12s asks what was not asked about this call yet; what a model answers is not known before\n", p.Digest)
		return
	}
	fmt.Fprintf(c.out, "by revision %.12s:\n", p.Digest)
	for _, d := range p.Decisions {
		was := ""
		if d.Before != d.Verdict {
			was = fmt.Sprintf(", was %q", d.Before)
		}
		fmt.Fprintf(c.out, "  %s: %s (%s)%s\n", d.Automation, d.Verdict, d.Reason, was)
		for _, x := range p.Deliveries {
			if x.Automation == d.Automation {
				fmt.Fprintf(c.out, "    %s → %s: %s\n", x.Channel, plain(x.Recipient), foreseen(x))
			}
		}
	}
	fmt.Fprintf(c.out, "%d would go out; with --send they do\n", p.Goes())
}

// foreseen says what would become of a delivery.
func foreseen(x store.Delivery) string {
	switch {
	case x.State == store.Planned && x.Test:
		return "would be captured"
	case x.State == store.Planned:
		return "would go out"
	case x.State == store.Sent:
		return "would be written"
	case x.Detail != "":
		return fmt.Sprintf("%s: %s %s", x.State, x.Reason, plain(x.Detail))
	}
	return fmt.Sprintf("%s: %s", x.State, x.Reason)
}

// resend sends one message again.
func resend(ctx context.Context, c *console, args []string) error {
	if len(args) != 1 {
		return wrong("name one delivery, by its id")
	}
	return acting(ctx, c, func(o *ops.Ops, db *store.Store, by store.Actor) error {
		account, _, err := db.FindDelivery(ctx, args[0])
		if err != nil {
			return err
		}
		again, err := o.Resend(ctx, by, account, args[0])
		if err == nil {
			fmt.Fprintf(c.out, "planned again as delivery %s; a worker sends it\n", again)
		}
		return err
	})
}

// settle says what became of an unknown delivery.
func settle(ctx context.Context, c *console, args []string) error {
	if len(args) != 2 || args[1] != string(store.Sent) && args[1] != string(store.Failed) {
		return wrong("settle DELIVERY sent|failed")
	}
	return acting(ctx, c, func(o *ops.Ops, db *store.Store, by store.Actor) error {
		account, _, err := db.FindDelivery(ctx, args[0])
		if err != nil {
			return err
		}
		if err := o.Settle(ctx, by, account, args[0], store.DeliveryState(args[1])); err != nil {
			return err
		}
		fmt.Fprintf(c.out, "delivery %s is settled as %s\n", args[0], args[1])
		return nil
	})
}

// cancelCall calls off everything that waits of a call.
func cancelCall(flags *flag.FlagSet) action {
	account := flags.String("account", "", "the `account`, if the call's id exists in several")
	return func(ctx context.Context, c *console, args []string) error {
		if len(args) != 1 {
			return wrong("name one conversation, by our id or the platform's")
		}
		return acting(ctx, c, func(o *ops.Ops, db *store.Store, by store.Actor) error {
			in, id, err := db.FindConversation(ctx, *account, args[0])
			for more := true; more && err == nil; {
				var cancelled []string
				cancelled, more, err = o.CancelCall(ctx, by, in, id)
				for _, delivery := range cancelled {
					fmt.Fprintf(c.out, "delivery %s is called off\n", delivery)
				}
			}
			if err == nil {
				fmt.Fprintf(c.out, "nothing waits of conversation %s any more; what comes in later for the call is not hindered\n", id)
			}
			return err
		})
	}
}

// acting takes an action as whoever runs this. No model is asked from here.
func acting(ctx context.Context, c *console, do func(o *ops.Ops, db *store.Store, by store.Actor) error) error {
	db, err := openStore(ctx, c)
	if err != nil {
		return err
	}
	defer db.Close()
	log := slog.New(slog.NewTextHandler(c.err, nil))
	if err := db.StayHome(ctx, sayHome(log)); err != nil { // before anything is taken from the data
		return err
	}
	revisions := worker.NewRevisions(db, log)
	if err := revisions.Refresh(ctx); err != nil {
		return err
	}
	jobs, err := worker.NewInserter(db)
	if err != nil {
		return err
	}
	o, err := ops.New(ops.Config{Store: db, River: jobs, Revisions: revisions, Logger: log})
	if err != nil {
		return err
	}
	err = do(o, db, store.Actor{Name: whoIsIt()})
	if errors.Is(err, ops.ErrNotFound) {
		return fmt.Errorf("there is no such thing: %w", err)
	}
	return err
}
