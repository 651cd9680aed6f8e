package dashboard

import (
	"fmt"
	"slices"
	"time"

	"aftercall/internal/store"
	"aftercall/reason"
	"aftercall/triggers"
)

// attention is one thing a person should look at, with the cause and what to do, linked to where it stands.
type attention struct {
	badge
	Title, Path string
	Why         why
	Detail      string
}

// attention lists what a person should look at, worst first.
func (l ledger) attention() []attention {
	var bad, warn []attention
	for _, d := range l.story.Deliveries {
		if l.aside(d.Run) {
			continue
		}
		v := l.delivery(d)
		name, _ := l.of(d.Run).automation(d.Automation)
		a := attention{v.State, v.Heading + ", " + name, "#" + v.Anchor, v.Why, cause(d)}
		switch {
		case slices.ContainsFunc(d.Settled, func(s store.Settled) bool { return s.As == "resent" }): // what came of that is told by itself
		case d.State == store.Failed, d.State == store.Unknown:
			bad = append(bad, a)
		case d.State == store.Held, d.State == store.Retrying, d.State == store.Skipped && surprising(d.Reason):
			warn = append(warn, a)
		}
	}
	warn = slices.Concat(warn, l.undecided(), l.decisionsToLookAt(), l.troubledRuns())
	for _, e := range l.story.Events {
		if e.Conflicts > 0 {
			warn = append(warn, attention{badge{"conflict", "question", "warn"}, "Event " + e.Type, "#events",
				why{"The platform posted this event again with another body; the first one counts.", "Compare the two at the platform."}, ""})
		}
	}
	return append(bad, warn...)
}

// undecided is the one entry of a conversation about which nothing is decided yet.
func (l ledger) undecided() []attention {
	if l.story.State != store.StateAccepted || len(l.story.Decisions) > 0 {
		return nil
	}
	a := attention{stateBadge(l.story.State), "Nothing is decided yet", "#timeline", why{"The call is accepted, and its decide job is in the queue.",
		"If it has been there for long, look at the jobs below: workers may be away, or busy."}, ""}
	if wait := l.story.DecideAt.Sub(l.story.AcceptedAt); wait > time.Second {
		a.Detail = "It waits for the platform's analysis until " + at(l.story.DecideAt, l.zone).Local + ", or until that arrives."
	}
	return []attention{a}
}

// decisionsToLookAt lists the decisions that wait. A model that is away stops every automation for one and the same
// cause, so those of a run are one entry.
func (l ledger) decisionsToLookAt() []attention {
	var as []attention
	waiting := map[int]int{} // by run
	place := map[int]int{}   // where a run's entry stands in as
	for _, d := range l.story.Decisions {
		if !looksNeeded(d) || l.aside(d.Run) {
			continue
		}
		v := l.automation(d, nil)
		if d.Verdict == triggers.Waiting {
			if waiting[d.Run]++; waiting[d.Run] > 1 {
				as[place[d.Run]].Title = fmt.Sprintf("%d automations wait for the model", waiting[d.Run])
				continue
			}
			place[d.Run] = len(as)
		}
		as = append(as, attention{v.Verdict, v.Name, "#" + v.Anchor, v.Why, v.Detail})
	}
	return as
}

// surprising reports whether an author would not expect a skip for this reason: not their own condition, not a test.
func surprising(c reason.Code) bool { return c != reason.ConditionFalse && c != reason.TestCall }

// cause is what is known of a delivery beyond its reason: what the last attempt was answered, else its own detail.
func cause(d store.StoryDelivery) string {
	if len(d.Attempts) == 0 {
		return d.Detail
	}
	last := d.Attempts[len(d.Attempts)-1]
	answer, detail := answered(last), or(last.Detail, d.Detail)
	switch {
	case answer == "":
		return detail
	case detail == "":
		return "The last attempt ended with " + answer + "."
	}
	return answer + ": " + detail
}
