package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"aftercall/internal/chaos/bed"
	"aftercall/internal/chaos/checker"
)

// report is one run.
type report struct {
	options
	at    time.Time
	took  time.Duration
	load  string     // of the machine, before it began
	sizes []measured // the small database's, then the full one's
}

// The marks between which the report's file belongs to the command.
const (
	markBegin = "<!-- written by make big: begin -->"
	markEnd   = "<!-- written by make big: end -->"
)

// load is the machine's load in the last minute; "" where nobody says.
func load() string {
	raw, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	last, _, _ := strings.Cut(string(raw), " ")
	return last
}

// end prints the figures, and writes the files that were asked for.
func (r report) end(ctx context.Context, root string) error {
	fmt.Print("\n" + r.text(fmt.Sprintf("at commit %s, %s", bed.Commit(ctx, root, r.report), bed.Machine(ctx))))
	if err := r.writePlans(); err != nil {
		return err
	}
	if r.report == "" {
		return nil
	}
	return r.write(fmt.Sprintf("at commit %s, %s", bed.Commit(ctx, root, r.report), bed.Machine(ctx)))
}

// full and small are the two databases' figures.
func (r report) full() measured  { return r.sizes[len(r.sizes)-1] }
func (r report) small() measured { return r.sizes[0] }

// text is the section of the report.
func (r report) text(where string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Measured %s %s. %d conversations with %d deliveries", r.at.UTC().Format("2006-01-02 15:04 UTC"), where, r.full().calls, r.full().deliveries)
	fmt.Fprintf(&b, ", %d MB; each page looked at %d times, one after the other.", r.full().size>>20, r.views)
	if r.load != "" {
		fmt.Fprintf(&b, " Load of the machine before it began: %s.", r.load)
	}
	fmt.Fprintf(&b, "\n\n| page | p50, ms | p95, ms | slowest | goal, p95 | | database pages a view, %s → %s | dearest statement |\n|---|---:|---:|---:|---:|---|---:|---|\n",
		thousands(r.small().calls), thousands(r.full().calls))
	var grown []string
	for n, t := range r.full().pages {
		small := r.small().pages[n]
		verdict := "met"
		if t.share(0.95) > t.most {
			verdict = "**missed**"
		}
		if t.failed > 0 {
			verdict = fmt.Sprintf("**no answer %d times**", t.failed)
		}
		grows := ""
		if t.grows(small) {
			grows, grown = " **grows**", append(grown, t.name)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %d → %d%s | %s |\n", t.name, ms(t.share(0.5)), ms(t.share(0.95)), ms(t.share(1)), ms(t.most), verdict,
			small.buffers(), t.buffers(), grows, t.dearest())
	}
	if len(grown) == 0 {
		fmt.Fprintf(&b, "\nNo page reads more than twice as much of the database with %d times the calls.\n", fewer)
	} else {
		fmt.Fprintf(&b, "\nNot flat, for they read more than twice as much with %d times the calls: %s.\n", fewer, strings.Join(grown, ", "))
	}
	return b.String()
}

// share is the time within which that share of the views was answered.
func (t timing) share(part float64) time.Duration { return checker.Share(t.took, part) }

// buffers is how many pages of the database a view reads.
func (t timing) buffers() int {
	sum := 0
	for _, p := range t.plans {
		sum += p.Buffers
	}
	return sum / max(t.explained, 1)
}

// slack are database pages that say nothing about growth: a tree of an index is one deeper.
const slack = 100

// grows reports whether a view reads much more than it does of a small database.
func (t timing) grows(small timing) bool { return t.buffers() > 2*small.buffers()+slack }

// dearest names the statement that took longest, with its milliseconds a view.
func (t timing) dearest() string {
	if len(t.plans) == 0 {
		return ""
	}
	return fmt.Sprintf("%s, %.1f ms", strings.ReplaceAll(t.plans[0].Name, "|", `\|`), t.plans[0].Total/float64(t.explained))
}

func ms(d time.Duration) string {
	if v := float64(d) / float64(time.Millisecond); v < 10 {
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprint(d.Round(time.Millisecond).Milliseconds())
}

func thousands(n int) string {
	if n%1000 != 0 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%d k", n/1000)
}

// write puts the figures between the marks of the file.
func (r report) write(where string) error {
	raw, err := os.ReadFile(r.report)
	if err != nil {
		return fmt.Errorf("read the last report: %w", err)
	}
	above, rest, begins := strings.Cut(string(raw), markBegin)
	_, below, ends := strings.Cut(rest, markEnd)
	if !begins || !ends {
		return fmt.Errorf("%s has no place for figures: the lines %s and %s", r.report, markBegin, markEnd)
	}
	if err := os.WriteFile(r.report, []byte(above+markBegin+"\n\n"+r.text(where)+"\n"+markEnd+below), 0o644); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// writePlans writes the slowest plan of each statement of the full database, page by page.
func (r report) writePlans() error {
	if r.explain == "" {
		return nil
	}
	if err := os.MkdirAll(r.explain, 0o755); err != nil {
		return fmt.Errorf("make the folder of plans: %w", err)
	}
	for _, t := range r.full().pages {
		var b strings.Builder
		for _, p := range t.plans {
			fmt.Fprintf(&b, "=== %s: %d times in %d views, %.2f ms at most, %d pages a view\n\n%s\n\n", p.Name, p.Times, t.explained, p.Slowest,
				p.Buffers/max(t.explained, 1), p.Text)
		}
		file := strings.Map(plainly, t.name) + ".txt"
		if err := os.WriteFile(filepath.Join(r.explain, file), []byte(b.String()), 0o644); err != nil {
			return fmt.Errorf("write plans: %w", err)
		}
	}
	return nil
}

// plainly leaves of a name what a file may be called.
func plainly(r rune) rune {
	if r >= 'a' && r <= 'z' {
		return r
	}
	return '-'
}
