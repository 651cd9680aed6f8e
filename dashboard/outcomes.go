package dashboard

import (
	"fmt"
	"slices"

	"aftercall/internal/store"
	"aftercall/triggers"
)

// outcome is what became of a conversation, in words, linked to where its page explains it.
type outcome struct {
	badge
	Path string
}

// tally is what the list and the page of a conversation both count, so that they say the same.
type tally struct {
	store.Outcomes
	State  store.ConversationState
	Unsure int // decisions to review
	Fired  bool
}

func tallyOf(row store.ConversationRow) tally {
	return tally{row.Outcomes, row.State, row.Unsure, len(row.Fired) > 0}
}

// tally counts a story as the list counts its row.
func (l ledger) tally() tally {
	t := tally{State: l.story.State}
	for _, d := range l.story.Decisions {
		switch {
		case l.aside(d.Run):
		case d.Verdict == triggers.Fires:
			t.Fired = true
		case d.Verdict == triggers.Unsure && looksNeeded(d):
			t.Unsure++
		}
	}
	for _, d := range l.story.Deliveries {
		if !l.aside(d.Run) {
			t.add(d)
		}
	}
	return t
}

// add counts a delivery in.
func (t *tally) add(d store.StoryDelivery) {
	switch outcomeBadge(d).Word {
	case "sent", "delivered":
		t.Sent++
	case "captured":
		t.Captured++
	case "written":
		t.Tasks++
	case "posted":
		t.Alerts++
	case "held":
		t.Held++
	case "failed":
		t.Failed++
	case "unknown":
		t.Unknown++
	case "planned", "sending", "retrying":
		t.Open++
	}
}

// glanceView is one automation in the table that answers at once what fired, what did not, and why.
type glanceView struct {
	Name, Path, Run string
	Verdict         badge
	Why             why
	Detail          string
	Became          []outcome // of what it sent
}

// glance lists every automation by its latest decision: what fired first, then what a person should look at.
func (l ledger) glance() (out []glanceView) {
	for _, d := range l.latest() {
		v := l.automation(d, nil)
		g := glanceView{Name: v.Name, Path: "#" + v.Anchor, Run: v.Run, Verdict: v.Verdict, Why: v.Why, Detail: v.Detail}
		if d.Verdict == triggers.Fires {
			g.Became = l.became(d, g.Path)
		}
		out = append(out, g)
	}
	return out
}

// latest is the latest decision of each automation, by how urgent it is. A later run may be about one of them only.
func (l ledger) latest() (latest []store.StoryDecision) {
	seen := map[string]bool{}
	for _, d := range l.sorted() { // the latest run first
		if seen[d.Automation] || l.aside(d.Run) {
			continue
		}
		seen[d.Automation] = true
		latest = append(latest, d)
	}
	slices.SortStableFunc(latest, func(a, b store.StoryDecision) int { return rank(a.Verdict) - rank(b.Verdict) })
	return latest
}

// became is what an automation that fired led to.
func (l ledger) became(d store.StoryDecision, path string) (os []outcome) {
	t := tally{State: store.StateDecided, Fired: true}
	for _, delivery := range l.story.Deliveries {
		if delivery.Run == d.Run && delivery.Automation == d.Automation {
			t.add(delivery)
		}
	}
	for _, o := range outcomes(t) {
		os = append(os, outcome{o.badge, path})
	}
	return os
}

// troubles says what a person must see first, worst first.
func (t tally) troubles() []outcome {
	var os []outcome
	add := func(n int, what, icon, tone string) {
		if n > 0 {
			os = append(os, outcome{badge{fmt.Sprintf("%d %s", n, what), icon, tone}, "#attention"})
		}
	}
	add(t.Failed, "failed", "cross", "bad")
	add(t.Unknown, "unknown", "question", "bad")
	add(t.Held, "held for a person", "pause", "warn")
	add(t.Unsure, "unsure, to review", "question", "warn")
	if t.State != store.StateDecided {
		os = append(os, outcome{stateBadge(t.State), "#attention"})
	}
	return os
}

// outcomes says what became of a conversation, worst first. Sent is only what left this machine.
func outcomes(t tally) []outcome {
	os := t.troubles()
	add := func(n int, word string, b badge, where string) {
		if n > 0 {
			b.Word = word
			os = append(os, outcome{b, where})
		}
	}
	add(t.Open, fmt.Sprintf("%d on the way", t.Open), badge{Icon: "clock", Tone: "info"}, "#fired")
	add(t.Sent, fmt.Sprintf("%d sent", t.Sent), badge{Icon: "check", Tone: "good"}, "#fired")
	add(t.Captured, fmt.Sprintf("%d captured", t.Captured), badge{Icon: "check", Tone: "info"}, "#fired")
	add(t.Tasks, tasksWritten(t.Tasks), badge{Icon: "check", Tone: "good"}, "#tasks")
	add(t.Alerts, alertsPosted(t.Alerts), badge{Icon: "check", Tone: "good"}, "#alerts")
	switch {
	case len(os) > 0:
	case t.Fired:
		add(1, "nothing sent", badge{Icon: "dash", Tone: "quiet"}, "#fired")
	default:
		add(1, "nothing fired", badge{Icon: "dash", Tone: "quiet"}, "#not-fired")
	}
	return os
}

func tasksWritten(n int) string { return count(n, "task", "tasks") + " written" }
func alertsPosted(n int) string { return count(n, "alert", "alerts") + " posted" }

// marks are the badges at the top of a conversation's page: what a person must see, else that all is decided.
func (l ledger) marks(attention bool) []outcome {
	os := l.tally().troubles()
	switch {
	case len(os) > 0:
		return os
	case attention:
		return []outcome{{badge{"needs a look", "question", "warn"}, "#attention"}}
	}
	return []outcome{{stateBadge(l.story.State), "#fired"}}
}
