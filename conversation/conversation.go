// Package conversation says what a finished conversation is: who spoke with whom, when, on which channel, with what
// outcome, and every turn that was said.
//
// It owns the one neutral shape that every call platform's payload is decoded into, and the facts that follow from it
// (duration, the customer's number, local times). Everything after the webhook works on this shape and knows no platform.
//
// It promises that a Conversation that passed Check is complete enough to be decided. It never looks anything up, and
// never changes a word of what was said.
package conversation

import (
	"time"
)

// Channel is the medium of a conversation.
type Channel string

// The channels a conversation can have. ChannelTest is decided and rendered, but delivered to the capture sink only.
const (
	ChannelPhone Channel = "phone"
	ChannelWeb   Channel = "web"
	ChannelChat  Channel = "chat"
	ChannelSMS   Channel = "sms"
	ChannelTest  Channel = "test"
)

// Direction says who started a phone call; it is empty where the channel has none.
type Direction string

// The directions of a call.
const (
	Inbound  Direction = "inbound"
	Outbound Direction = "outbound"
)

// Status is how the conversation ended.
type Status string

// The end states of a conversation.
const (
	Completed   Status = "completed"
	Failed      Status = "failed"
	Transferred Status = "transferred"
)

// Role says who spoke a turn.
type Role string

// The roles of a turn.
const (
	RoleAgent    Role = "agent"
	RoleCustomer Role = "customer"
	RoleSystem   Role = "system"
	RoleTool     Role = "tool"
)

// Conversation is one finished call, chat or text thread; or, if Event is set, something that happened during or beside one,
// which is decided in the same way before anything was said.
type Conversation struct {
	ID         string `json:"-"`  // ours: a UUID
	AccountID  string `json:"-"`  // from the API key or the source, never from a body
	Source     string `json:"-"`  // the configured platform that posted it
	ExternalID string `json:"id"` // the platform's own id; unique per account and source

	Ranks Ranks  `json:"-"`               // of what an event says, until it is decided: from the adapter, never from a body
	Event *Event `json:"event,omitempty"` // nil: a finished conversation

	Agent      Agent          `json:"agent"`
	Channel    Channel        `json:"channel"`
	Direction  Direction      `json:"direction,omitempty"`
	Status     Status         `json:"status"`
	StartedAt  time.Time      `json:"started_at"`
	EndedAt    time.Time      `json:"ended_at"`
	Timezone   string         `json:"timezone,omitempty"` // IANA name; empty means the account's
	FromNumber string         `json:"from_number,omitempty"`
	ToNumber   string         `json:"to_number,omitempty"`
	Customer   Customer       `json:"customer"` // the contact record as the platform holds it
	Summary    string         `json:"summary,omitempty"`
	URL        string         `json:"url,omitempty"`
	Queue      string         `json:"queue,omitempty"`
	Note       string         `json:"note,omitempty"`
	Turns      []Turn         `json:"turns"`
	Metadata   map[string]any `json:"metadata,omitempty"`
}

// Event is what an event says of itself that no conversation has. It has no end state, no turns and no length: it begins and
// ends at its own time, and what it brought along is metadata.
type Event struct {
	Type    string `json:"type"`
	Call    string `json:"call,omitempty"`    // the platform's id of the call it belongs to, if it says
	Now     bool   `json:"now,omitempty"`     // it asks for what it leads to at once, where an action does not say when
	Attempt int    `json:"attempt,omitempty"` // as counted by whoever posted it, from 1; 0: not said, which is the first
}

// EventID is before the identity of an event in the id of its conversation, so that it is no call's.
const EventID = "event:"

// First reports whether it is the first attempt at what the event is about.
func (e *Event) First() bool { return e.Attempt <= 1 }

// EventType is the type of the event that c is, "" for a finished conversation.
func (c *Conversation) EventType() string {
	if c.Event == nil {
		return ""
	}
	return c.Event.Type
}

// Agent is the AI or human agent that took the call.
type Agent struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Customer is the contact record linked to the conversation; every field may be empty and none is ever guessed.
type Customer struct {
	Name        string `json:"name,omitempty"`
	Email       string `json:"email,omitempty"`
	Number      string `json:"number,omitempty"`
	CRMRecordID string `json:"crm_record_id,omitempty"`
}

// Turn is one utterance. Turns are numbered from 1 wherever a number is shown or asked for; 0 means none.
type Turn struct {
	Role Role   `json:"role"`
	Text string `json:"text"`
	AtMS int64  `json:"at_ms,omitempty"` // milliseconds after the start of the conversation
}

// Duration is how long the conversation lasted; never negative.
func (c *Conversation) Duration() time.Duration {
	if d := c.EndedAt.Sub(c.StartedAt); d > 0 {
		return d
	}
	return 0
}

// CustomerNumber is the customer's phone number: the contact record's, else the far end of a phone call. It is empty
// off the phone.
func (c *Conversation) CustomerNumber() string {
	switch {
	case c.Customer.Number != "":
		return c.Customer.Number
	case c.Direction == Outbound:
		return c.ToNumber
	default:
		return c.FromNumber
	}
}

// Location is the zone the conversation's times are shown in: its own, else the given one.
func (c *Conversation) Location(account *time.Location) *time.Location {
	if c.Timezone != "" && (account == nil || c.Timezone != account.String()) { // most calls: a zone is read from a file
		if l, err := time.LoadLocation(c.Timezone); err == nil {
			return l
		}
	}
	return account
}

// HasSpeech reports whether anybody said anything: a turn of the agent or the customer with text.
func (c *Conversation) HasSpeech() bool {
	for _, t := range c.Turns {
		if t.Text != "" && (t.Role == RoleAgent || t.Role == RoleCustomer) {
			return true
		}
	}
	return false
}
