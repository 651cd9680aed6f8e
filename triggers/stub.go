package triggers

import (
	"aftercall/conversation"
	"aftercall/interview"
)

// Gate applies the free checks. Every trigger is either due or has a decision with the reason it stopped here.
func Gate(c *conversation.Conversation, ts []Trigger, f Facts) (due []Trigger, stopped []Decision) {
	panic("contract")
}

// Free splits due triggers into those that need no model (Always, and no stated values) and the others.
func Free(due []Trigger) (free, asked []Trigger) { panic("contract") }

// Judge turns the checked answers into one decision per due trigger, in their order.
func Judge(due []Trigger, said interview.Said) []Decision { panic("contract") }
