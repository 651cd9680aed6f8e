package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"aftercall/internal/chaos/bed"
	"aftercall/internal/chaos/checker"
	"aftercall/internal/chaos/corpus"
)

// property is something that must hold whatever happens, and how that is tried.
type property struct {
	id    string // as the test plan names it
	title string
	try   func(ctx context.Context, t *trial) error
	// weak are the builds without the protection, each with the figure that must turn red there.
	weak []weakness
}

// weakness is a variant of the product in which a protection is taken out.
type weakness struct {
	variant string // "" for a trial that takes the protection out by itself (t.weak is set)
	breaks  string // name of the figure that must miss its goal
}

// figure is one number of a trial.
type figure struct {
	name string
	got  string
	want string // the goal in words; "" for what is only reported: what was exercised
	ok   bool
}

// trial is one run of a property.
type trial struct {
	builder *bed.Builder
	seed    uint64
	full    bool   // the sizes of the test plan; else a run of seconds
	weak    string // the variant whose protection is gone, or "-" for a trial without one; "" for a run of the product as it is
	shared  corpus.Folder
	dir     string // for logs, history and data
	say     func(format string, args ...any)

	figures []figure
}

// size is what a full trial uses, or what a short one does.
func (t *trial) size(full, short int) int {
	if t.full {
		return full
	}
	return short
}

// within is size for times.
func (t *trial) within(full, short time.Duration) time.Duration {
	if t.full {
		return full
	}
	return short
}

// patience is within for what ends as soon as it is done. A short trial may have its machine to share, and waits a minute; where a
// protection is out, what is waited for may never come.
func (t *trial) patience(full, short time.Duration) time.Duration {
	if t.full || t.weak != "" {
		return t.within(full, short)
	}
	return max(short, time.Minute)
}

// exercised reports what was done, without a goal.
func (t *trial) exercised(name string, got any) {
	t.figures = append(t.figures, figure{name: name, got: fmt.Sprint(got), ok: true})
}

// want reports a figure that has a goal.
func (t *trial) want(name string, got any, goal string, ok bool) {
	t.figures = append(t.figures, figure{name: name, got: fmt.Sprint(got), want: goal, ok: ok})
}

// measured reports a figure of speed or memory. It has a goal in a full trial, which has the machine to itself, and where
// a protection is out; `make test` only reports it.
func (t *trial) measured(name string, got any, goal string, ok bool) {
	if t.full || t.weak != "" {
		t.want(name, got, goal, ok)
		return
	}
	t.exercised(name, got)
}

// zero reports something of which there must be none.
func (t *trial) zero(name string, f checker.Finding) { t.want(name, f, "0", f.Count == 0) }

// atMost reports a count with an upper bound, atLeast one with a lower.
func (t *trial) atMost(name string, got, most int) {
	t.want(name, got, fmt.Sprintf("at most %d", most), got <= most)
}

func (t *trial) atLeast(name string, got, least int) {
	t.want(name, got, fmt.Sprintf("at least %d", least), got >= least)
}

// equal reports a count that must be exactly this.
func (t *trial) equal(name string, got, want int) {
	t.want(name, got, fmt.Sprintf("exactly %d", want), got == want)
}

// bed opens a bed for the trial, built with its weakness if it has one. A full trial keeps the product's own times, a
// short one the fast ones; variants are added.
func (t *trial) bed(ctx context.Context, o bed.Options) (*bed.Bed, *checker.Checker, error) {
	dir, err := os.MkdirTemp(t.dir, "bed-")
	if err != nil {
		return nil, nil, fmt.Errorf("make the bed's folder: %w", err)
	}
	if err := os.Chmod(dir, 0o755); err != nil { // the database's user must get through
		return nil, nil, fmt.Errorf("make the bed's folder: %w", err)
	}
	o.Dir, o.Builder, o.Seed = dir, t.builder, t.seed
	if !t.full {
		o.Variants = append([]string{"fast"}, o.Variants...)
	}
	if t.weak != "" && t.weak != "-" {
		o.Variants = append(o.Variants, t.weak)
	}
	b, err := bed.Open(ctx, o)
	if err != nil {
		return nil, nil, fmt.Errorf("open the bed: %w", err)
	}
	c, err := checker.Open(ctx, b.Database.Direct("chaos"))
	if err != nil {
		b.Close()
		return nil, nil, err
	}
	t.say("  logs and history: %s", filepath.Base(dir))
	return b, c, nil
}

// ledger reports the figures that every run of mails has.
func (t *trial) ledger(l checker.Ledger) {
	t.exercised("conversations", l.Conversations)
	t.exercised("mails wanted", l.Mails)
	t.exercised("mail calls", fmt.Sprintf("%d, of which the provider took %d", l.Calls, l.AcceptedCalls))
	t.zero("lost", l.Lost)
	t.zero("doubled", l.Doubled)
	t.zero("sent again after it may have gone out", l.Resent)
	t.zero("called sent, never taken", l.Phantom)
	t.zero("taken, not explained", l.Unexplained)
	t.zero("mails nobody wanted", l.Stray)
	t.zero("wanted, not planned", l.Missing)
	t.zero("sent other than stored", l.Changed)
}

// audit runs the product's own audit, which must balance.
func (t *trial) audit(ctx context.Context, b *bed.Bed) error {
	out, code, err := b.Run(ctx, "audit")
	if err != nil {
		return err
	}
	line := firstLine(out)
	t.want("aftercall audit", line, "balanced", code == 0)
	return nil
}
