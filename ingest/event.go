package ingest

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"aftercall/automation"
	"aftercall/conversation"
)

// An event that an automation waits for is decided as a conversation of its own: without turns, and without an end.

// awaited reports whether an automation that is switched on waits for a type of event.
func awaited(rev *automation.Revision, kind string) bool {
	return slices.ContainsFunc(rev.Automations, func(a automation.Automation) bool { return a.Trigger.Enabled && a.Trigger.Event == kind })
}

// conversation is the event as it is decided. Of its data what has a place in a conversation is put there, too, if it is what
// that place takes; all of it is metadata.
func (e happening) conversation() *conversation.Conversation {
	d := fields{of: e.data.of, at: e.data.at, mode: lenient, faults: &[]conversation.Fault{}}
	agent, customer := d.object("agent"), d.object("customer")
	c := &conversation.Conversation{
		Agent:      conversation.Agent{ID: agent.line("id"), Name: agent.line("name")},
		FromNumber: d.line("from_number"), ToNumber: d.line("to_number"), Timezone: zone(d.str("timezone")), Queue: d.line("queue"),
		Customer: conversation.Customer{Name: customer.line("name"), Email: customer.line("email"), Number: customer.line("number"),
			CRMRecordID: customer.line("crm_record_id")},
		Direction: among(d.str("direction"), conversation.Inbound, conversation.Outbound),
		Channel: among(d.str("channel"), conversation.ChannelPhone, conversation.ChannelWeb, conversation.ChannelChat,
			conversation.ChannelSMS, conversation.ChannelTest),
	}
	if m, ok := plain(e.data.of).(map[string]any); ok && len(m) > 0 {
		c.Metadata = m
	}
	c.Event = &conversation.Event{Type: e.kind, Call: e.call, Now: e.now, Attempt: e.attempt}
	return happened(c, e.identity, e.at)
}

// happened makes an event's conversation of what is known of the call so far.
func happened(c *conversation.Conversation, identity string, at time.Time) *conversation.Conversation {
	c.ExternalID, c.StartedAt, c.EndedAt, c.Turns = conversation.EventID+identity, at, at, []conversation.Turn{}
	if len(c.ExternalID) > conversation.MaxName {
		digest := sha256.Sum256([]byte(identity))
		c.ExternalID = conversation.EventID + "sha256:" + hex.EncodeToString(digest[:])
	}
	if c.Channel == "" && c.FromNumber+c.ToNumber+c.Customer.Number != "" {
		c.Channel = conversation.ChannelPhone
	}
	return c
}

// among is a word if it is one of some, else nothing.
func among[S ~string](word string, of ...S) S {
	if slices.Contains(of, S(word)) {
		return S(word)
	}
	return ""
}

// event is what a platform posted while a call goes on, as it is decided: what the adapter made of it, else every plain
// member of the body. A platform numbers no attempts.
func (d decoded) event(doc map[string]any, arrived time.Time) *conversation.Conversation {
	c := &conversation.Conversation{}
	if d.begun != nil {
		c = d.begun()
	}
	if c.Metadata == nil {
		n := notes{}
		n.all(readFields(doc, lenient))
		c.Metadata = n
	}
	c.Status, c.Summary = "", "" // it has not ended
	c.Event = &conversation.Event{Type: d.kind, Call: clip(d.about, conversation.MaxName)}
	return happened(c, d.identity, arrived.UTC())
}

// inData moves the pointers of faults found in an event's conversation to where they were posted.
func inData(faults []conversation.Fault) []conversation.Fault {
	for n := range faults {
		at := faults[n].Pointer
		if rest, ok := strings.CutPrefix(at, "/metadata"); ok {
			at = rest
		}
		faults[n].Pointer = "/data" + at
	}
	return faults
}
