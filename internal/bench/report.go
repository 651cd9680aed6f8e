package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"aftercall/internal/chaos/bed"
)

// part is what one measurement gave.
type part struct {
	ID      string     `json:"id"`
	Title   string     `json:"title"`
	Figures []figure   `json:"figures"`
	Notes   []string   `json:"notes,omitempty"`
	Plans   []bed.Plan `json:"plans,omitempty"`
}

// report is one run of the command.
type report struct {
	options
	root  string
	began time.Time
	took  time.Duration
	parts []part
	// broken are the measurements that broke off.
	broken []string
}

// wrong reports whether something was lost or doubled, or an audit did not balance.
func (r *report) wrong() bool {
	return slices.ContainsFunc(r.parts, func(p part) bool {
		return slices.ContainsFunc(p.Figures, func(f figure) bool { return f.Law && !f.met() })
	})
}

// end prints the table and writes the files that were asked for.
func (r *report) end(ctx context.Context) error {
	r.print()
	if r.against != "" {
		if err := r.compare(r.against); err != nil {
			return err
		}
	}
	if r.json != "" {
		raw, err := json.MarshalIndent(r.parts, "", "\t")
		if err == nil {
			err = os.WriteFile(r.json, append(raw, '\n'), 0o644)
		}
		if err != nil {
			return fmt.Errorf("write the figures: %w", err)
		}
	}
	if r.report == "" {
		return nil
	}
	at := fmt.Sprintf("%s at commit %s, %s", r.began.UTC().Format("2006-01-02 15:04 UTC"), bed.Commit(ctx, r.root, r.report), bed.Machine(ctx))
	return r.write(r.report, at)
}

// print prints the table. What must be nought and is, is summed up in one line.
func (r *report) print() {
	met, goals, laws := 0, 0, 0
	for _, p := range r.parts {
		fmt.Printf("\n%s: %s\n  %-58s %-36s %-8s %-15s\n", p.ID, p.Title, "", "median (least – most)", "spread", "goal")
		for _, f := range p.Figures {
			switch {
			case f.Law && f.met():
				laws++
				continue
			case f.goal() != "":
				goals++
				if f.met() {
					met++
				}
			}
			fmt.Printf("  %-58s %-36s %-8s %-15s %s\n", f.Name, f.measured(), f.spread(), f.goal(), f.verdict())
		}
	}
	fmt.Printf("\nbench: %d of %d goals met; lost, doubled, unbalanced: %s; %s\n", met, goals, r.holds(laws), r.took.Round(time.Second))
	if r.short {
		fmt.Println("These were small sizes, which show that it works: the figures say nothing about speed.")
	}
}

func (r *report) holds(laws int) string {
	if r.wrong() {
		return "NOT NOUGHT, see above"
	}
	return fmt.Sprintf("nought in all %d counts", laws)
}

// compare says which figures lie apart from what an earlier run measured, and how many would by chance alone. What was
// measured once has no range to compare.
func (r *report) compare(path string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read the earlier run: %w", err)
	}
	var earlier []part
	if err := json.Unmarshal(raw, &earlier); err != nil {
		return fmt.Errorf("read the earlier run: %w", err)
	}
	all, apart, chance := 0, 0, 0.0
	for _, p := range r.parts {
		i := slices.IndexFunc(earlier, func(e part) bool { return e.ID == p.ID })
		if i < 0 {
			continue
		}
		for _, f := range p.Figures {
			old, ok := earlier[i].figure(f.Name)
			if !ok || f.Law || f.Name == paceName || min(len(f.Values), len(old.Values)) < 2 {
				continue
			}
			all++
			chance += apartByChance(len(f.Values), len(old.Values))
			if !f.overlaps(old) {
				apart++
				fmt.Printf("  %s, %s: %s, and the earlier run measured %s\n", p.ID, f.Name, f.measured(), old.measured())
			}
		}
	}
	fmt.Printf("of %d figures that both runs took more than once, the ranges of %d have nothing in common with the earlier run's;"+
		" chance alone makes it about %.0f\n", all, apart, chance)
	return nil
}

// apartByChance is how likely the ranges of n and of m rounds of the very same thing have nothing in common: that all of one
// come before all of the other, or after.
func apartByChance(n, m int) float64 {
	ways := 1.0 // to choose which n of n+m come first
	for i := 1; i <= n; i++ {
		ways = ways * float64(m+i) / float64(i)
	}
	return 2 / ways
}

// figure finds a figure by its name.
func (p part) figure(name string) (figure, bool) {
	i := slices.IndexFunc(p.Figures, func(f figure) bool { return f.Name == name })
	if i < 0 {
		return figure{}, false
	}
	return p.Figures[i], true
}

// overlaps reports whether the ranges of two figures have something in common.
func (f figure) overlaps(old figure) bool {
	return f.low() <= old.high() && old.low() <= f.high()
}

// The marks between which the report's file belongs to the command.
const (
	markBegin = "<!-- written by make bench: begin -->"
	markEnd   = "<!-- written by make bench: end -->"
)

// write puts the figures between the marks of the file. A measurement that was not taken keeps the section it has.
func (r *report) write(path, at string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read the last report: %w", err)
	}
	above, rest, begins := strings.Cut(string(raw), markBegin)
	between, below, ends := strings.Cut(rest, markEnd)
	if !begins || !ends {
		return fmt.Errorf("%s has no place for figures: the lines %s and %s", path, markBegin, markEnd)
	}
	sections := map[string]string{}
	for i, s := range strings.Split(between, "\n### ") {
		if id, _, ok := strings.Cut(s, ":"); ok && i > 0 {
			sections[id] = "\n### " + strings.TrimRight(s, "\n") + "\n"
		}
	}
	for _, p := range r.parts {
		sections[p.ID] = p.section(at, r.options)
	}
	var b strings.Builder
	b.WriteString(above + markBegin + "\n")
	for _, m := range measurements() {
		b.WriteString(sections[m.id])
	}
	b.WriteString("\n" + markEnd + below)
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// section is a measurement's part of the report.
func (p part) section(at string, o options) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n### %s: %s\n\nMeasured %s", p.ID, p.Title, at)
	if o.short {
		b.WriteString("; **small sizes, which say nothing about speed**")
	}
	b.WriteString(".\n\n| figure | median (least – most) | spread | goal | |\n|---|---|---|---|---|\n")
	held := 0
	for _, f := range p.Figures {
		if f.Law && f.met() {
			held++
			continue
		}
		verdict := f.verdict()
		if verdict == "MISSED" {
			verdict = "**missed**"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", f.Name, f.measured(), f.spread(), f.goal(), verdict)
	}
	if held > 0 {
		fmt.Fprintf(&b, "\nLost, doubled, unbalanced: nought in all %d counts.\n", held)
	}
	for _, n := range p.Notes {
		fmt.Fprintf(&b, "\n- %s\n", n)
	}
	b.WriteString(p.statements())
	return b.String()
}

// mostStatements are shown of those that were explained.
const mostStatements = 20

// statements is the table of what Postgres said of the product's statements.
func (p part) statements() string {
	if len(p.Plans) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("\nThe dearest statements under `EXPLAIN (ANALYZE, BUFFERS)`, which slows all of them down:\n\n" +
		"| statement | times | ms in all | ms a time | slowest, ms | pages a time |\n|---|---|---|---|---|---|\n")
	for _, l := range p.Plans[:min(len(p.Plans), mostStatements)] {
		fmt.Fprintf(&b, "| %s | %d | %.0f | %.2f | %.1f | %d |\n", strings.ReplaceAll(l.Name, "|", `\|`), l.Times, l.Total, l.Total/float64(l.Times),
			l.Slowest, l.Buffers/l.Times)
	}
	return b.String()
}
