package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"

	"aftercall/internal/store"
	"aftercall/worker"
)

// restored says by hand what a start finds out by itself wherever it can: that this data is a copy. The line it prints
// is meant for scripts as well.
func restored(flags *flag.FlagSet) action {
	nothing := flags.Bool("nothing-lost", false, "the original was stopped before it was copied: only record where\nthe data lives now; to be run before the first start there")
	return func(ctx context.Context, c *console, args []string) error {
		if len(args) > 0 {
			return wrong("restored takes only --nothing-lost")
		}
		db, err := openStore(ctx, c)
		if err != nil {
			return err
		}
		defer db.Close()
		if *nothing {
			if err := db.Moved(ctx, worker.Lease); err != nil {
				return stillWorking(err)
			}
			fmt.Fprintln(c.out, "moved: nothing is doubted; this is where the data lives now")
			return nil
		}
		h, err := db.Restored(ctx, worker.Lease)
		if err != nil {
			return stillWorking(err)
		}
		fmt.Fprintf(c.out, "restored: %d deliveries unknown, %d conversations undecided, %d leases dropped\n",
			h.Unknown, h.Undecided, h.Leases)
		return nil
	}
}

// stillWorking says what to do about workers that keep the verb from its work.
func stillWorking(err error) error {
	if !errors.Is(err, store.ErrWorking) {
		return err
	}
	return fmt.Errorf("%w; stop them first (one that was killed counts as dead after %s). If they began here after the restore, "+
		"what was not final is unknown already or has gone out since", err, worker.Lease)
}

// sayHome writes to the log what was found about where the data lives.
func sayHome(log *slog.Logger) func(store.Homecoming) {
	return func(h store.Homecoming) {
		if h.Restored {
			log.Warn("this data was restored from a backup, or its server was failed over: what was not final is unknown now and is not sent",
				"unknown", h.Unknown, "undecided", h.Undecided, "leases_dropped", h.Leases)
		}
		if h.Blind {
			log.Warn("the database does not tell which server it is on: after a recovery or a failover, run aftercall restored before the start")
		}
	}
}
