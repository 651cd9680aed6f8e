package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"aftercall/internal/store"
	"aftercall/reason"
	"aftercall/triggers"
)

// brief prints one call in a few lines: what fired and on which words, what went to whom, and why the rest did not.
func brief(w io.Writer, name string, s store.Story) {
	fmt.Fprintf(w, "\n%s: %s\n", strings.TrimSuffix(name, ".json"), facts(s.Conversation))
	quiet := map[reason.Code]int{}
	for _, d := range s.Decisions {
		switch {
		case d.Verdict == triggers.Fires:
			fmt.Fprintf(w, "  fires   %s", d.Automation)
			for _, e := range d.Evidence {
				fmt.Fprintf(w, "  “%s” (turn %d)", plain(e.Quote), e.Turn)
			}
			fmt.Fprintln(w)
			briefDeliveries(w, s, d.Automation)
		case d.Review:
			fmt.Fprintf(w, "  review  %s: %s\n", d.Automation, d.Reason)
		default:
			quiet[d.Reason]++
		}
	}
	if len(quiet) > 0 {
		var why []string
		for _, code := range slices.Sorted(maps.Keys(quiet)) {
			why = append(why, fmt.Sprintf("%d %s", quiet[code], code))
		}
		fmt.Fprintf(w, "  silent  %s\n", strings.Join(why, ", "))
	}
}

func briefDeliveries(w io.Writer, s store.Story, automation string) {
	for _, x := range s.Deliveries {
		if x.Automation != automation {
			continue
		}
		fmt.Fprintf(w, "            %-10s → %s: %s", x.Channel, whom(x), outcome(x))
		if x.Reason != "" {
			fmt.Fprintf(w, " (%s)", x.Reason)
		}
		if text := x.Content.Subject; text != "" {
			fmt.Fprintf(w, " “%s”", plain(text))
		}
		fmt.Fprintln(w)
	}
}
