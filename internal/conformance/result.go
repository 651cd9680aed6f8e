package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"
)

// suite is a corpus, and how it is tried.
type suite struct {
	name   string // of its folder below data/
	how    string // a row is tried, for the report
	absent string // why it is not tried here: there is nothing to try it on yet, or it is tried elsewhere
	try    func(ctx context.Context, h *hall) (outcome, error)
}

// outcome is what a suite found.
type outcome struct {
	rows  []row
	notes []string // what was exercised, and what is to be known of it
	table string   // in the report, in Markdown
}

func (o *outcome) add(r row) { o.rows = append(o.rows, r) }

func (o *outcome) note(format string, args ...any) {
	o.notes = append(o.notes, fmt.Sprintf(format, args...))
}

// row is a row of a corpus and what became of it.
type row struct {
	id     string
	kind   string // how it deviates from what its corpus says; "" for one that holds
	detail string // more of it, for whoever looks into a failure
	wrong  bool   // nothing makes this right: a crash, an answer 5xx, a text that changed
}

// result is a suite after a run.
type result struct {
	suite
	outcome
	held   int
	chosen []chosenRow
	failed []string
	took   time.Duration
	err    error // the suite broke off
}

// chosenRow is a deviation with the reason why we chose it.
type chosenRow struct {
	row
	choice
}

// sort divides the rows into those that hold, those that deviate as we chose, and failures.
func (r *result) sort(choices map[string]choice) {
	seen := map[string]bool{}
	for _, one := range r.rows {
		if seen[one.id] {
			r.failed = append(r.failed, one.id+": two rows have this id")
		}
		seen[one.id] = true
		c, listed := choices[one.id]
		switch {
		case one.wrong || one.kind != "" && !listed:
			r.failed = append(r.failed, fmt.Sprintf("%s: %s %s", one.id, one.kind, one.detail))
		case one.kind == "" && listed:
			r.failed = append(r.failed, fmt.Sprintf("%s: holds, and is listed as %q", one.id, c.kind))
		case one.kind == "":
			r.held++
		case one.kind != c.kind:
			r.failed = append(r.failed, fmt.Sprintf("%s: %s %s; listed as %q", one.id, one.kind, one.detail, c.kind))
		default:
			r.chosen = append(r.chosen, chosenRow{one, c})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(choices)) {
		if !seen[id] && r.err == nil {
			r.failed = append(r.failed, fmt.Sprintf("%s: there is no such row, and it is listed as %q", id, choices[id].kind))
		}
	}
}

// good reports whether everything held or is a choice. A suite without rows has shown nothing.
func (r *result) good() bool {
	return r.err == nil && len(r.failed) == 0 && (len(r.rows) > 0 || r.absent != "")
}

// print writes the one line about the suite, and each failure.
func (r *result) print(w io.Writer) {
	if r.absent != "" {
		fmt.Fprintf(w, "%-18s %s\n", r.name, r.absent)
		return
	}
	fmt.Fprintf(w, "%-18s %4d rows: %4d held, %3d by choice, %d failed; %s\n",
		r.name, len(r.rows), r.held, len(r.chosen), len(r.failed), r.took.Round(100*time.Millisecond))
	for _, f := range r.failed {
		fmt.Fprintf(w, "  X %s\n", f)
	}
	if r.err != nil {
		fmt.Fprintf(w, "  X the suite broke off: %v\n", r.err)
	}
}
