package rehearsal

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
)

// Print writes results for a reader: a line per file that passed, and of each case that failed every cell that differs.
func Print(w io.Writer, results []Result) {
	cases, failed := 0, 0
	for _, r := range results {
		cases, failed = cases+len(r.Cases), failed+r.Failed()
		if len(r.Cases) > 0 {
			r.print(w)
		}
	}
	fmt.Fprintf(w, "\n%s, %d passed, %d failed\n", count(cases, "case"), cases-failed, failed)
}

func (r Result) print(w io.Writer) {
	word := "ok  "
	if r.Failed() > 0 {
		word = "FAIL"
	}
	fmt.Fprintf(w, "%s  %s  %d of %d", word, r.Path, len(r.Cases)-r.Failed(), len(r.Cases))
	if by := r.answered(); by != "" {
		fmt.Fprintf(w, ", %s", by)
	}
	fmt.Fprintln(w)
	for _, c := range r.Cases {
		if !c.OK() || c.Passed() < c.Repeat {
			c.print(w, r.Path)
		}
	}
}

// answered says who gave the answers; "" if nobody was asked.
func (r Result) answered() string {
	var models []string
	simulated := false
	for _, c := range r.Cases {
		for _, run := range c.Runs {
			if run.Model != "" && !slices.Contains(models, run.Model) {
				models = append(models, run.Model)
			}
			simulated = simulated || run.Simulated
		}
	}
	switch {
	case len(models) == 0:
		return ""
	case len(models) == 1 && models[0] == ByHand:
		return "answers written by hand"
	case simulated:
		return "answered by " + strings.Join(models, ", ") + " (SIMULATED: plain lexical rules, no language model)"
	}
	return "answered by " + strings.Join(models, ", ")
}

func (c CaseResult) print(w io.Writer, path string) {
	word := "FAIL"
	if c.OK() {
		word = "ok  "
	}
	fmt.Fprintf(w, "  %s  %s:%d: %s", word, path, c.Line, plain(c.Name))
	if c.Repeat > 1 {
		fmt.Fprintf(w, "  %d/%d, want %d/%d", c.Passed(), c.Repeat, c.Pass, c.Repeat)
	}
	fmt.Fprintln(w)
	for n, run := range c.Runs {
		if run.Err == nil && len(run.Diffs) == 0 {
			continue
		}
		if c.Repeat > 1 {
			fmt.Fprintf(w, "    try %d\n", n+1)
		}
		fmt.Fprint(w, run.text("      "))
	}
}

// text says what a try got and what was wanted, in that order.
func (r Run) text(indent string) string {
	var b strings.Builder
	if r.Err != nil {
		fmt.Fprintf(&b, "%s%s\n", indent, plain(r.Err.Error()))
	}
	for _, d := range r.Diffs {
		fmt.Fprintf(&b, "%s%s\n%s  got  %s\n%s  want %s\n", indent, d.Cell, indent, plain(d.Got), indent, plain(d.Want))
		for _, note := range d.Notes {
			fmt.Fprintf(&b, "%s       %s\n", indent, plain(note))
		}
	}
	return b.String()
}

// plain keeps what was said on a call on its line of the terminal: control characters become spaces, and what turns the
// direction of text goes.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Bidi_Control, r):
			return -1
		case unicode.IsControl(r):
			return ' '
		}
		return r
	}, s)
}

func count(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}
