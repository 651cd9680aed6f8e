package dashboard

import (
	"fmt"

	"aftercall/internal/store"
)

// What people did about a call, as its page tells it.

// settled says how a person has dealt with something.
func (l ledger) settled(s store.Settled) string {
	said := words(s.As)
	switch s.As {
	case "sent", "failed":
		said = "settled as " + s.As
	case "superseded":
		said = "taken over"
	}
	if s.Run > 0 {
		said += fmt.Sprintf(" by run %d", s.Run)
	}
	return said + ", " + or(s.By, "the command line") + ", " + at(s.At, l.zone).Local
}

// saidOf is what people did about a decision, and what they say of it.
func (l ledger) saidOf(d store.StoryDecision) (said []string) {
	if d.Settled != nil {
		said = append(said, l.settled(*d.Settled))
	}
	if m := d.Mark; m != nil {
		word := "marked right"
		if m.Wrong {
			word = "marked wrong"
		}
		if m.Note != "" {
			word += ": " + m.Note
		}
		said = append(said, word+", "+m.By+", "+at(m.At, l.zone).Local)
	}
	return said
}

// aside reports whether a run is left out of what the page sums up: a sandbox, unless it is all that is shown.
func (l ledger) aside(run int) bool { return run != l.only && l.sandbox(run) }

// troubledRuns lists the runs that were asked for and did not come about.
func (l ledger) troubledRuns() (as []attention) {
	for _, r := range l.story.Runs {
		name := fmt.Sprintf("Run %d", r.Run)
		switch {
		case r.State == store.RunFailed:
			as = append(as, attention{badge{"failed", "cross", "bad"}, name, "#runs", why{"What was asked for could not be done.", "Ask again when the cause is gone."}, r.Problem})
		case r.State == store.RunAsked && r.Problem != "":
			as = append(as, attention{badge{"waits", "clock", "info"}, name, "#runs", why{"What was asked for is not done yet; it is tried again by itself.", ""}, r.Problem})
		}
	}
	return as
}
