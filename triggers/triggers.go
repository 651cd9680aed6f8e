// Package triggers decides which automations fire.
//
// It owns the gates (free, deterministic checks on status, direction, channel, agent, length, time and metadata) and the
// judgement (what the model's checked answer means for the automation). A Trigger is what the when: of an author's file
// turns into.
//
// It promises a Decision with a reason code for every trigger it is given, and that a yes without verified evidence
// never fires unless the author said on_unsure: fire. It never asks a model and never sends anything.
package triggers

import (
	"time"

	"aftercall/interview"
	"aftercall/reason"
)

// OnUnsure says what becomes of an automation whose trigger is unsure.
type OnUnsure string

// What an author can write under on_unsure.
const (
	Review OnUnsure = "review" // the default: a person decides
	Skip   OnUnsure = "skip"
	Fire   OnUnsure = "fire"
)

// Filter is the free part of a trigger. The zero Filter lets every conversation pass. Within one field any member matches;
// all fields must match.
type Filter struct {
	Status     []string
	Direction  []string
	Channel    []string
	MinTurns   int // turns of agent and customer
	MinSeconds int
	MaxSeconds int            // 0: no limit
	Between    []Hours        // local time of the start
	Metadata   map[string]any // key → wanted scalar, or list of scalars of which one must match
}

// Hours is a weekly span of local time: on these days, from (inclusive) to (exclusive), in minutes after midnight.
// A span whose To is not after From ends on the next day.
type Hours struct {
	Days     [7]bool // indexed by time.Weekday
	From, To int
}

// Trigger is when an automation fires.
type Trigger struct {
	ID       string // the automation's id
	Enabled  bool
	Event    string   // "" for a finished conversation; else the event type it waits for
	Attempts Attempts // of an event; "" for a finished conversation
	Count    *Count   // it fires when this many have come; nil: for each
	Agents   []string // empty: every agent
	Gate     Filter
	Always   bool // no question asked
	Ask      string
	SaidBy   interview.Speaker
	Absence  bool // evidence: none
	OnUnsure OnUnsure
	// NeedsValues reports that the automation's texts, if:, require or route need stated variables or a model-chosen
	// route, so that it cannot be planned without the model even if it is Always.
	NeedsValues bool
}

// Attempts says for which attempts at what an event is about an automation fires, as whoever posts it counts them.
type Attempts string

// What an author can write under attempts.
const (
	FirstAttempt Attempts = "first" // the default
	AllAttempts  Attempts = "all"
	Retries      Attempts = "retries" // every one but the first
)

// Count makes a trigger wait until several have come that pass its gate: AtLeast of them within a span of time, counted apart
// for each value of By.
type Count struct {
	AtLeast int
	Within  time.Duration
	By      []string // names in Counted; empty: all are counted together
}

// Verdict is what was decided about one (conversation, automation) pair.
type Verdict string

// The verdicts of a decision.
const (
	Fires   Verdict = "fires"
	No      Verdict = "no"
	Unsure  Verdict = "unsure"
	Skipped Verdict = "skipped"
	Waiting Verdict = "waiting" // not decided yet: the model is away
)

// Decision is the verdict on one automation with its reason.
type Decision struct {
	Automation string
	Verdict    Verdict
	Reason     reason.Code
	Evidence   []interview.Evidence
	Detail     string // one sentence for a person; no transcript text
	Review     bool   // a person should look
}

// Facts are what a gate may look at beside the conversation.
type Facts struct {
	Location  *time.Location    // zone of the conversation
	Muted     map[string]string // automations that are muted now, each with until when, by whom and why
	Uncounted bool              // nothing is counted: what counts never fires
}
