package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"aftercall/change"
)

// changes writes one account's report as text.
type changes struct {
	w     io.Writer
	r     change.Report
	asked bool
}

// How much of a report is shown; all of it is in --json.
const (
	mostExamples = 3   // calls of one automation
	mostLines    = 6   // lines of one text
	longestLine  = 140 // characters
)

func (t changes) print() {
	fmt.Fprintf(t.w, "%s: ", t.r.Account)
	switch b := t.r.Base; {
	case b == nil:
		fmt.Fprintf(t.w, "nothing is active yet; this would be the first revision, %.12s\n", t.r.Digest)
	case t.r.Same:
		fmt.Fprintf(t.w, "the same as what is active, %.12s\n", b.Digest)
		return
	default:
		fmt.Fprintf(t.w, "%.12s against %.12s, active since %s by %s\n", t.r.Digest, b.Digest, stamp(b.At), plain(b.By))
	}
	t.items()
	t.forms()
	if t.r.Calls != nil {
		t.calls(*t.r.Calls)
	}
}

// base names the revision to apply against.
func (t changes) base() string {
	if t.r.Base == nil {
		return "none"
	}
	return fmt.Sprintf("%.12s", t.r.Base.Digest)
}

func stamp(at time.Time) string { return at.UTC().Format("2006-01-02 15:04 MST") }

func (t changes) items() {
	if len(t.r.Items) == 0 {
		fmt.Fprint(t.w, "\nThe files differ, but nothing in what they say.\n")
		return
	}
	fmt.Fprintln(t.w)
	for _, i := range t.r.Items {
		sign := map[string]string{change.Added: "+", change.Removed: "-", change.Changed: "~"}[i.Change]
		fmt.Fprintf(t.w, "%s %s\n", sign, strings.TrimSpace(i.Kind+" "+i.ID))
		if i.Change == change.Removed {
			continue
		}
		for _, f := range i.Fields {
			t.field(f)
		}
	}
}

// field writes one field: on its line if it is short, else line by line.
func (t changes) field(f change.Field) {
	oneLine := len(f.Before)+len(f.After) < longestLine && !strings.Contains(f.Before+f.After, "\n")
	switch {
	case f.Before == "" && oneLine:
		fmt.Fprintf(t.w, "    %s: %s\n", f.Name, plain(f.After))
	case f.After == "" && oneLine:
		fmt.Fprintf(t.w, "    %s: %s → nothing\n", f.Name, plain(f.Before))
	case oneLine:
		fmt.Fprintf(t.w, "    %s: %s → %s\n", f.Name, plain(f.Before), plain(f.After))
	default:
		fmt.Fprintf(t.w, "    %s\n", f.Name)
		t.lines("      ", f.Before, f.After)
	}
}

// lines writes the lines in which two texts differ.
func (t changes) lines(indent, before, after string) {
	gone, came := change.Lines(before, after)
	for _, side := range []struct {
		sign  string
		lines []string
	}{{"-", gone}, {"+", came}} {
		for n, line := range side.lines {
			if n == mostLines {
				fmt.Fprintf(t.w, "%s%s … and %d lines more\n", indent, side.sign, len(side.lines)-n)
				break
			}
			fmt.Fprintf(t.w, "%s%s %s\n", indent, side.sign, short(plain(line)))
		}
	}
}

func short(line string) string {
	if r := []rune(line); len(r) > longestLine {
		return string(r[:longestLine]) + "…"
	}
	return line
}

// forms says where the model would be asked something else.
func (t changes) forms() {
	if len(t.r.Forms) == 0 {
		fmt.Fprint(t.w, "\nThe model is asked the same as before.\n")
		return
	}
	fmt.Fprintln(t.w)
	for _, f := range t.r.Forms {
		what := "new questions, the same schema"
		if f.Schema {
			what = "new questions, a new schema"
			for n, h := range f.Hashes {
				f.Hashes[n] = fmt.Sprintf("%.12s", h)
			}
			if len(f.Hashes) > 0 {
				what += " (" + strings.Join(f.Hashes, ", ") + ")"
			}
		}
		fmt.Fprintf(t.w, "The model is asked something else about %s: %s.\n", f.About(), what)
	}
}

// calls says what would have changed on the stored calls.
func (t changes) calls(c change.Calls) {
	if c.Looked == 0 {
		fmt.Fprint(t.w, "\nThere is no stored call to try it on.\n")
		return
	}
	fmt.Fprintf(t.w, "\nOn the last %d %s (%s to %s), rehearsed with the answers recorded for them:\n", c.Looked, plural(c.Looked, "call"), stamp(c.From), stamp(c.To))
	if c.Simulated > 0 {
		fmt.Fprintf(t.w, "  %d of them had been answered by the SIMULATED model, which reads by plain lexical rules\n", c.Simulated)
	}
	if len(c.Automations) == 0 {
		fmt.Fprint(t.w, "  nothing would have been different\n")
	}
	for _, a := range c.Automations {
		fmt.Fprintf(t.w, "  %s: %s\n", a.ID, counted(a))
		t.examples(c.Effects, a.ID)
	}
	if c.Unjudged > 0 {
		fmt.Fprintf(t.w, "  %d %s could not be judged without asking a model: nobody has asked these questions about them (--ask asks)\n",
			c.Unjudged, plural(c.Unjudged, "call"))
	}
	fmt.Fprintf(t.w, "  prompts: about %d tokens before, %d after%s\n", c.TokensBefore, c.TokensAfter, share(c.TokensBefore, c.TokensAfter))
	if t.asked {
		fmt.Fprintf(t.w, "  the model was asked now, for %d tokens\n", c.Spent)
	}
}

// counted says on how many calls what would differ.
func counted(a change.Automation) string {
	var words []string
	for _, n := range []struct {
		calls int
		word  string
	}{
		{a.Fires, "newly fires on"}, {a.Stops, "stops firing on"}, {a.Review, "newly waits for review on"},
		{a.Recipients, "other recipients on"}, {a.Outcome, "another outcome on"}, {a.Texts, "other texts on"}, {a.Unjudged, "not judged on"},
	} {
		if n.calls > 0 {
			words = append(words, fmt.Sprintf("%s %d", n.word, n.calls))
		}
	}
	return strings.Join(words, ", ")
}

// examples shows what would differ on an automation's last calls.
func (t changes) examples(effects []change.Effect, automation string) {
	shown, last := 0, ""
	for _, e := range effects {
		if e.Automation != automation {
			continue
		}
		if e.Conversation != last {
			if shown == mostExamples {
				fmt.Fprint(t.w, "    … more in --json\n")
				return
			}
			shown, last = shown+1, e.Conversation
			fmt.Fprintf(t.w, "    %s (%s)\n", plain(e.Call), stamp(e.AcceptedAt))
		}
		if e.What != "" {
			fmt.Fprintf(t.w, "      %s\n", e.What)
		}
		t.lines("      ", e.Before, e.After)
	}
}

// share says how much more or less.
func share(before, after int) string {
	if before == 0 || before == after {
		return ""
	}
	return fmt.Sprintf(" (%+.1f %%)", 100*float64(after-before)/float64(before))
}
