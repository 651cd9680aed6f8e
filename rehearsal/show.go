package rehearsal

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"aftercall/automation"
	"aftercall/conversation"
	"aftercall/deliver"
	"aftercall/internal/store"
	"aftercall/worker"
)

// Messages writes every action of a plan as it would arrive: who gets it, and each part of its text.
func Messages(w io.Writer, plan *store.Plan, c *conversation.Conversation, account *automation.Revision) {
	o := outcomeOf(worker.Rehearsal{Plan: plan}, c, account)
	for i, a := range o.actions {
		fmt.Fprintf(w, "\n%d. %s → %s\n", i+1, a.channel, a.whom())
		for _, left := range a.left {
			fmt.Fprintf(w, "   left out: %s\n", plain(left))
		}
		n := slices.IndexFunc(plan.Deliveries, func(d store.Delivery) bool { return d.Automation == a.automation && d.Action == a.index })
		first := plan.Deliveries[n]
		if at := first.DueAt; first.State == store.Planned && at.After(c.EndedAt) {
			fmt.Fprintf(w, "   due %s, %s\n", at.UTC().Format(time.RFC3339), first.Reason.Sentence())
		}
		if first.Detail != "" {
			fmt.Fprintf(w, "   %s\n", plain(first.Detail))
		}
		o.parts(w, a, first)
	}
}

// whom says who gets an action.
func (a action) whom() string {
	var parts []string
	if len(a.to) > 0 {
		parts = append(parts, strings.Join(a.to, ", "))
	}
	if len(a.held) > 0 {
		parts = append(parts, "held for "+strings.Join(a.held, ", "))
	}
	if len(parts) == 0 {
		return "nobody"
	}
	return plain(strings.Join(parts, "; "))
}

func (o *outcome) parts(w io.Writer, a action, d store.Delivery) {
	for _, name := range texts()[a.channel] {
		text := a.texts[name]
		switch {
		case text == "":
		case name == "text" && a.channel == deliver.Email:
			block(w, "text part", text)
		case name == "html":
			block(w, "HTML part", text)
		case strings.Contains(text, "\n"):
			block(w, name, text)
		default:
			fmt.Fprintf(w, "   %s: %s\n", name, plain(text))
		}
	}
	if a.channel == deliver.SMS && a.texts["text"] != "" {
		s := deliver.SegmentsOf(a.texts["text"])
		fmt.Fprintf(w, "   %s in %s\n", count(s.Count, "segment"), s.Encoding())
	}
	for _, name := range slices.Sorted(maps.Keys(d.Content.Fields)) {
		fmt.Fprintf(w, "   %s: %s\n", name, plain(d.Content.Fields[name]))
	}
	for _, t := range o.Plan.Tasks {
		if t.Automation == a.automation && t.Action == a.index && !t.DueAt.IsZero() {
			fmt.Fprintf(w, "   due: %s\n", t.DueAt.UTC().Format(time.RFC3339))
		}
	}
}

// block writes a text of several lines with a bar before each, so that its end is seen.
func block(w io.Writer, name, text string) {
	fmt.Fprintf(w, "   %s:\n", name)
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		fmt.Fprintf(w, "   | %s\n", plain(line))
	}
}
