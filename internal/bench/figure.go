package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"aftercall/internal/chaos/bed"
)

// measurement is one thing to measure, in a file of its own.
type measurement struct {
	id, title string
	take      func(ctx context.Context, b *bench) error
	wants     func(o options) bool // whether what it needs is here; nil: it needs nothing
}

// bench is one measurement under way.
type bench struct {
	options
	builder *bed.Builder
	dir     string
	usual   *usualStage

	ballast atomic.Int64 // of pace's work
	figures []figure
	notes   []string   // what was found beside figures, in a sentence each
	plans   []bed.Plan // what Postgres said of the product's statements
}

// figure is one number, taken in several rounds.
type figure struct {
	Name   string    `json:"name"`
	Unit   string    `json:"unit"`
	Values []float64 `json:"values"` // one per round
	Least  *float64  `json:"at_least,omitempty"`
	Most   *float64  `json:"at_most,omitempty"`
	// Law is a figure that must meet its goal in every round, or the run fails: what is lost or doubled, and the audit.
	Law bool `json:"law,omitempty"`
}

// goal is what a figure is held against.
type goal func(*figure)

func atLeast(v float64) goal { return func(f *figure) { f.Least = &v } }
func atMost(v float64) goal  { return func(f *figure) { f.Most = &v } }

// law makes a figure one that must be nought.
func law(f *figure) { f.Most, f.Law = new(float64), true }

// add adds a round to the figure of that name.
func (b *bench) add(name, unit string, value float64, goals ...goal) {
	i := slices.IndexFunc(b.figures, func(f figure) bool { return f.Name == name })
	if i < 0 {
		i = len(b.figures)
		b.figures = append(b.figures, figure{Name: name, Unit: unit})
	}
	f := &b.figures[i]
	f.Values = append(f.Values, value)
	for _, g := range goals {
		g(f)
	}
}

// note adds a sentence, and prints it.
func (b *bench) note(format string, args ...any) {
	b.notes = append(b.notes, fmt.Sprintf(format, args...))
	b.say(format, args...)
}

func (b *bench) say(format string, args ...any) { fmt.Printf("  "+format+"\n", args...) }

// middle is the median; low and high are the least and the most.
func (f figure) middle() float64 {
	sorted := slices.Sorted(slices.Values(f.Values))
	if n := len(sorted); n%2 == 0 {
		return (sorted[n/2-1] + sorted[n/2]) / 2
	}
	return sorted[len(sorted)/2]
}

func (f figure) low() float64  { return slices.Min(f.Values) }
func (f figure) high() float64 { return slices.Max(f.Values) }

// met reports whether the median meets the goal; of a law, every round.
func (f figure) met() bool {
	low, high := f.middle(), f.middle()
	if f.Law {
		low, high = f.low(), f.high()
	}
	return (f.Least == nil || low >= *f.Least) && (f.Most == nil || high <= *f.Most)
}

func (f figure) goal() string {
	switch {
	case f.Law:
		return "0"
	case f.Least != nil:
		return "at least " + short(*f.Least)
	case f.Most != nil:
		return "at most " + short(*f.Most)
	}
	return ""
}

// verdict is met, MISSED, or nothing where there is no goal.
func (f figure) verdict() string {
	switch {
	case f.goal() == "":
		return ""
	case f.met():
		return "met"
	}
	return "MISSED"
}

// measured is the median with its unit, and the range if there is one.
func (f figure) measured() string {
	s := strings.TrimSpace(short(f.middle()) + " " + f.Unit)
	if len(f.Values) > 1 {
		s += fmt.Sprintf(" (%s – %s)", short(f.low()), short(f.high()))
	}
	return s
}

// spread is how far the rounds lie apart, as a share of the median.
func (f figure) spread() string {
	if len(f.Values) < 2 || f.middle() == 0 {
		return ""
	}
	return fmt.Sprintf("%.0f %%", 100*(f.high()-f.low())/f.middle())
}

// short writes a number with three digits that say something.
func short(v float64) string {
	switch {
	case v == float64(int64(v)):
		return strconv.FormatInt(int64(v), 10)
	case v >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
