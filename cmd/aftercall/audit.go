package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"aftercall/internal/store"
)

// audit checks the conservation rules of the ledger and prints the sums, and every id that breaks a rule.
func audit(ctx context.Context, c *console, args []string) error {
	if len(args) != 0 {
		return wrong("audit takes no arguments")
	}
	db, err := openStore(ctx, c)
	if err != nil {
		return err
	}
	defer db.Close()
	balanced, err := balance(ctx, c.out, db)
	if err != nil {
		return err
	}
	if !balanced {
		return errQuiet
	}
	return nil
}

// balance prints the audit of db.
func balance(ctx context.Context, w io.Writer, db *store.Store) (bool, error) {
	t, wrongs, err := db.Audit(ctx)
	if err != nil {
		return false, fmt.Errorf("audit the ledger: %w", err)
	}
	word := "balanced"
	if len(wrongs) > 0 {
		word = "NOT BALANCED"
	}
	fmt.Fprintf(w, "%s: %s\n", word, sums(t))
	for _, i := range wrongs {
		fmt.Fprintf(w, "  %s: %s", i.Rule, strings.Join(i.IDs, ", "))
		if i.More > 0 {
			fmt.Fprintf(w, " and %d more", i.More)
		}
		fmt.Fprintln(w)
	}
	return len(wrongs) == 0, nil
}

// sums writes the ledger's totals in one line.
func sums(t store.Tally) string {
	total, states := 0, make([]string, 0, len(t.Deliveries))
	for s, n := range t.Deliveries {
		total += n
		states = append(states, fmt.Sprintf("%d %s", n, s))
	}
	slices.Sort(states)
	line := fmt.Sprintf("%d events, %d conversations (%d undecided), %d decisions (%d fired), %d deliveries",
		t.Events, t.Conversations, t.Undecided, t.Decisions, t.Fired, total)
	if total > 0 {
		line += " = " + strings.Join(states, " + ")
	}
	line += fmt.Sprintf(", %d tasks, %d alerts, %d model calls", t.Tasks, t.Alerts, t.Calls)
	if t.SimulatedCalls > 0 {
		line += fmt.Sprintf(" (%d by the SIMULATED model)", t.SimulatedCalls)
	}
	if t.Erased > 0 {
		line += fmt.Sprintf(", %d erased", t.Erased)
	}
	return line
}
