package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"aftercall/internal/chaos/bed"
)

// outcome is how one trial ended.
type outcome struct {
	seed    uint64
	figures []figure
	took    time.Duration
	err     error
}

// held reports whether every figure met its goal.
func (o outcome) held() bool {
	if o.err != nil {
		return false
	}
	for _, f := range o.figures {
		if !f.ok {
			return false
		}
	}
	return true
}

// weakRun is a trial of a build without a protection.
type weakRun struct {
	weakness
	outcome
}

// seen reports whether the figure that must miss its goal did. A run that broke off says nothing.
func (w weakRun) seen() (figure, bool) {
	for _, f := range w.figures {
		if f.name == w.breaks && !f.ok {
			return f, true
		}
	}
	return figure{}, false
}

// proof is everything that was tried of one property.
type proof struct {
	property
	runs []outcome
	weak []weakRun
}

func (p proof) held() bool {
	for _, r := range p.runs {
		if !r.held() {
			return false
		}
	}
	for _, w := range p.weak {
		if _, ok := w.seen(); !ok {
			return false
		}
	}
	return true
}

// failedSeed is the seed of the first run of the product itself that failed, 0 if it was only a weakness.
func (p proof) failedSeed() uint64 {
	for _, r := range p.runs {
		if !r.held() {
			return r.seed
		}
	}
	return 0
}

// report is one run of the command.
type report struct {
	options
	began  time.Time
	took   time.Duration
	proofs []proof
}

func (r report) held() bool {
	for _, p := range r.proofs {
		if !p.held() {
			return false
		}
	}
	return true
}

// write renders the report as Markdown. A property that was not tried this time keeps the section it has in the file, and
// so does what was written by hand at its end.
func (r report) write(ctx context.Context, path, root string) error {
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("read the last report: %w", err)
	}
	kept := readReport(string(old))
	at := fmt.Sprintf("%s at commit %s", r.began.UTC().Format("2006-01-02 15:04 UTC"), bed.Commit(ctx, root, "docs/operations/proofs.md", seedsFile))
	if r.only == "" {
		kept.whole = fmt.Sprintf("- Last whole run: %s, %s, %s, seed %d: %s", at, r.took.Round(time.Second), r.sizes(), r.seed, ended(r.held()))
	}
	for _, p := range r.proofs {
		kept.sections[p.id] = p.section(at, r.sizes())
	}
	var b strings.Builder
	b.WriteString("# Proofs\n\nWhat `make chaos` measured, as it printed it: nothing here is copied from another run, and each section says when and at which " +
		"commit.\nA run of some properties (`make chaos ONLY=R4`) writes their sections anew and leaves the others.\n\n")
	fmt.Fprintf(&b, "%s\n- Machine: %s\n- Third-party corpora: %s\n\n", kept.whole, bed.Machine(ctx), corpora(r.data))
	b.WriteString("| | property | held | without its protection | took |\n|---|---|---|---|---|\n")
	for _, p := range properties() {
		b.WriteString(kept.row(p))
	}
	for _, p := range properties() {
		b.WriteString(kept.sections[p.id])
	}
	b.WriteString("\n" + kept.byHand)
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

func (r report) sizes() string {
	if r.short {
		return "short sizes"
	}
	return "full sizes"
}

func ended(held bool) string {
	if held {
		return "everything held"
	}
	return "**not everything held**"
}

// standing is a report as it stands in its file.
type standing struct {
	whole    string            // the line about the last whole run
	sections map[string]string // by the property's id
	byHand   string            // the end, which no run touches
}

// byHand is the line from which on the report's file is written by hand.
const byHand = "## What is not proven"

func readReport(text string) standing {
	w := standing{whole: "- Last whole run: none", sections: map[string]string{}}
	text, end, _ := strings.Cut(text, byHand)
	w.byHand = byHand + end
	for l := range strings.Lines(text) {
		if strings.HasPrefix(l, "- Last whole run:") {
			w.whole = strings.TrimSpace(l)
		}
	}
	for i, part := range strings.Split("\n"+text, "\n## ") {
		if id, _, ok := strings.Cut(part, " "); ok && i > 0 {
			w.sections[id] = "\n## " + strings.TrimRight(part, "\n") + "\n"
		}
	}
	return w
}

// row is a property's line in the table. It is read off the section's own summary, so that the two cannot differ.
func (w standing) row(p property) string {
	for l := range strings.Lines(w.sections[p.id]) {
		if m := summaryForm.FindStringSubmatch(l); m != nil {
			return fmt.Sprintf("| %s | %s | %s | %s | %s |\n", p.id, p.title, m[1], m[2], m[3])
		}
	}
	return fmt.Sprintf("| %s | %s | not tried yet | | |\n", p.id, p.title)
}

// The summary of a section.
const summary = "Held: %s. Without its protection: %s. Took %s; tried %s, %s.\n"

var summaryForm = regexp.MustCompile(`^Held: (.*?)\. Without its protection: (.*?)\. Took (.*?); tried `)

func (p proof) took() time.Duration {
	var d time.Duration
	for _, r := range p.runs {
		d += r.took
	}
	return d.Round(time.Second)
}

// redness says in a cell how many of the weaknesses were seen.
func (p proof) redness() string {
	if len(p.weak) == 0 {
		return "not tried"
	}
	seen := 0
	for _, w := range p.weak {
		if _, ok := w.seen(); ok {
			seen++
		}
	}
	return fmt.Sprintf("red in %d of %d", seen, len(p.weak))
}

// section is the property's part of the report.
func (p proof) section(at, sizes string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n## %s %s\n\n", p.id, p.title)
	fmt.Fprintf(&b, summary, yes(p.held()), p.redness(), p.took(), at, sizes)
	for _, r := range p.runs {
		fmt.Fprintf(&b, "\nSeed %d, %s:\n\n| figure | measured | goal |\n|---|---|---|\n", r.seed, r.took.Round(100*time.Millisecond))
		for _, f := range r.figures {
			goal := f.want
			if !f.ok {
				goal += " **MISSED**"
			}
			fmt.Fprintf(&b, "| %s | %s | %s |\n", cell(f.name), cell(f.got), cell(goal))
		}
		if r.err != nil {
			fmt.Fprintf(&b, "\n**The run broke off:** %s\n", cell(r.err.Error()))
		}
	}
	for _, w := range p.weak {
		name := w.variant
		if name == "" {
			name = "(within the trial)"
		}
		if f, ok := w.seen(); ok {
			fmt.Fprintf(&b, "\nWithout its protection (`%s`): %s: %s, where the goal is %s. Red, as it must be.\n", name, f.name, cell(f.got), cell(f.want))
		} else {
			fmt.Fprintf(&b, "\nWithout its protection (`%s`): **NOT SEEN**: %s met its goal all the same.\n", name, w.breaks)
		}
	}
	return b.String()
}

func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ").Replace(s)
}

func yes(ok bool) string {
	if ok {
		return "yes"
	}
	return "**NO**"
}

func corpora(dir string) string {
	if dir == "" {
		return "none; the project's own cases only"
	}
	return "read in place"
}

// seedsFile holds the seeds that once failed: a property's id, the seed, and a word why after a #.
const seedsFile = "internal/chaos/testdata/seeds.txt"

func knownSeeds(root string) (map[string][]uint64, error) {
	raw, err := os.ReadFile(filepath.Join(root, seedsFile))
	if err != nil {
		return nil, fmt.Errorf("read the seeds that once failed: %w", err)
	}
	known := map[string][]uint64{}
	for l := range strings.Lines(string(raw)) {
		l, _, _ = strings.Cut(l, "#")
		fields := strings.Fields(l)
		if len(fields) == 0 {
			continue
		}
		seed, err := strconv.ParseUint(fields[len(fields)-1], 10, 64)
		if len(fields) != 2 || err != nil {
			return nil, fmt.Errorf("%s: want a property's id and a seed: %q", seedsFile, l)
		}
		known[fields[0]] = append(known[fields[0]], seed)
	}
	return known, nil
}

// noteSeed adds a seed that failed.
func noteSeed(root, id string, seed uint64) error {
	if seed == 0 {
		return nil
	}
	known, err := knownSeeds(root)
	if err != nil {
		return err
	}
	for _, s := range known[id] {
		if s == seed {
			return nil
		}
	}
	f, err := os.OpenFile(filepath.Join(root, seedsFile), os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("note a seed that failed: %w", err)
	}
	_, err = fmt.Fprintf(f, "%s %d # failed on %s\n", id, seed, time.Now().UTC().Format(time.DateOnly))
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("note a seed that failed: %w", err)
	}
	return nil
}
