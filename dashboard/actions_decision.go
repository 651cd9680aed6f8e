package dashboard

import (
	"slices"

	"aftercall/internal/store"
	"aftercall/triggers"
)

// decisionAct is what can be done about a decision, on the pages of the review.
type decisionAct struct {
	page, label string
	can         func(l ledger, d store.StoryDecision) bool
}

func decisionActs() []decisionAct {
	open := func(d store.StoryDecision) bool { return d.Settled == nil && d.Verdict == triggers.Unsure }
	return []decisionAct{
		{"approve", "It fires: send", func(_ ledger, d store.StoryDecision) bool { return open(d) }},
		{"fix", "Give what is missing", func(l ledger, d store.StoryDecision) bool { return d.Verdict == triggers.Fires && l.holds(d) }},
		{"dismiss", "Send nothing", func(l ledger, d store.StoryDecision) bool { return open(d) || l.holds(d) }},
		{"case", "Right or wrong?", func(ledger, store.StoryDecision) bool { return true }},
	}
}

// holds reports whether a decision has messages that wait for a person.
func (l ledger) holds(d store.StoryDecision) bool {
	return slices.ContainsFunc(l.story.Deliveries, func(s store.StoryDelivery) bool {
		return s.Run == d.Run && s.Automation == d.Automation && s.State == store.Held
	})
}

// doorsTo are the doors to what can be done about a decision. In a sandbox nothing is to be put right.
func (l ledger) doorsTo(d store.StoryDecision) (doors []doorView) {
	for _, a := range decisionActs() {
		if !l.acts || l.sandbox(d.Run) || !a.can(l, d) {
			continue
		}
		call := conversationPath(l.story.Conversation.ID)
		path := reviewPath(store.ToReview{ConversationID: l.story.Conversation.ID, Run: d.Run, Decision: d.Decision}, a.page)
		doors = append(doors, doorView{a.label, address(path, "back", call+"#"+l.anchor(d.Automation, d.Run))})
	}
	return doors
}
