// Package reason is the closed list of answers to "why did it fire?", "why did it not?" and "why was nothing sent?", and
// the words for what became of a message.
//
// It owns the reason codes of the product: one word each, with the stage it belongs to, one sentence for the person
// who reads it and one remedy for the person who can change it. Every (conversation, automation) pair and every action
// of an automation that fired ends with exactly one of these codes.
//
// It promises that the list is closed: a code that is not here cannot be stored (the database checks the same list).
// It never decides anything; the rooms that decide name a code.
package reason

// Code is one reason, as stored, logged and printed.
type Code string

// Stage says at which point of the line a code is given.
type Stage string

// The stages of the line at which a reason can be given.
const (
	StageGate     Stage = "gate"     // before any model was asked
	StageDecision Stage = "decision" // the model's answer, checked
	StageAction   Stage = "action"   // one action of an automation that fired
)

// Reasons given by the gates: free and deterministic checks.
const (
	Disabled          Code = "disabled"
	Muted             Code = "muted"
	WrongEvent        Code = "wrong_event"
	WrongAttempt      Code = "wrong_attempt"
	FilteredStatus    Code = "filtered_status"
	FilteredDirection Code = "filtered_direction"
	FilteredChannel   Code = "filtered_channel"
	FilteredAgent     Code = "filtered_agent"
	FilteredTime      Code = "filtered_time"
	FilteredMetadata  Code = "filtered_metadata"
	TooShort          Code = "too_short"
	NoTranscript      Code = "no_transcript"
	TooFew            Code = "too_few"
	AlreadyFired      Code = "already_fired"
)

// Reasons given by the decision.
const (
	Always           Code = "always"
	Fired            Code = "fired"
	ConditionNotMet  Code = "condition_not_met"
	Unsure           Code = "unsure"
	EvidenceNotFound Code = "evidence_not_found"
	WrongSpeaker     Code = "wrong_speaker"
	ModelUnavailable Code = "model_unavailable"
	ModelRefused     Code = "model_refused"
	AnswerInvalid    Code = "answer_invalid"
	BudgetExceeded   Code = "budget_exceeded"
	WorkFailed       Code = "work_failed"
)

// Reasons given to one action of an automation that fired.
const (
	ConditionFalse             Code = "condition_false"
	RequiredVariableMissing    Code = "required_variable_missing"
	VariableMissingForCustomer Code = "variable_missing_for_customer"
	RecipientsEmpty            Code = "recipients_empty"
	RecipientInvalid           Code = "recipient_invalid"
	RecipientNotAllowed        Code = "recipient_not_allowed"
	PremiumNumber              Code = "premium_number"
	OptedOut                   Code = "opted_out"
	Bounced                    Code = "bounced"
	SenderNotAllowed           Code = "sender_not_allowed"
	TextTooLong                Code = "text_too_long"
	Suspicious                 Code = "suspicious"
	RenderFailed               Code = "render_failed"
	Waiting                    Code = "waiting"
	OutsideWindow              Code = "outside_window"
	TooLate                    Code = "too_late"
	TestCall                   Code = "test_call"
	BreakerOpen                Code = "breaker_open"
	SentBefore                 Code = "sent_before"
	PerhapsSentBefore          Code = "perhaps_sent_before"
)

// Reason is what the product says about one code.
type Reason struct {
	Code     Code
	Stage    Stage
	Sentence string // what happened, for whoever reads a page or `why`
	Remedy   string // what to do if this is not what was wanted
}

// All lists every reason in the order of the line.
func All() []Reason { return append([]Reason(nil), all...) }

// Of returns the reason of a code; ok is false for a code that is not on the list.
func Of(c Code) (r Reason, ok bool) {
	for _, r := range all {
		if r.Code == c {
			return r, true
		}
	}
	return Reason{Code: c}, false
}

// Sentence says in one sentence what the code means.
func (c Code) Sentence() string {
	r, _ := Of(c)
	return r.Sentence
}

// Remedy says what to do about it.
func (c Code) Remedy() string {
	r, _ := Of(c)
	return r.Remedy
}

var all = []Reason{
	{Disabled, StageGate, "The automation is switched off.", "Set enabled: true on the automation."},
	{Muted, StageGate, "The automation is muted for now.", "Lift the mute, or wait until it expires."},
	{WrongEvent, StageGate, "The automation waits for something else: another event, or the end of a call.", "Name under on: the type of event that was posted, or leave on: out for finished conversations."},
	{WrongAttempt, StageGate, "The event is of an attempt that the automation does not fire for.", "Write attempts: all, or check how whoever posts the event counts its attempts."},
	{FilteredStatus, StageGate, "The conversation's status is not one the automation asks for.", "Add the status under when.calls.status."},
	{FilteredDirection, StageGate, "The conversation's direction is not one the automation asks for.", "Add the direction under when.calls.direction."},
	{FilteredChannel, StageGate, "The conversation's channel is not one the automation asks for.", "Add the channel under when.calls.channel."},
	{FilteredAgent, StageGate, "The automation belongs to other agents.", "Add the agent under agents, or leave agents out for all."},
	{FilteredTime, StageGate, "The conversation started outside the hours the automation asks for.", "Widen when.calls.between."},
	{FilteredMetadata, StageGate, "The conversation's metadata does not match.", "Check when.calls.metadata against what the platform passes along."},
	{TooShort, StageGate, "The conversation is shorter than the automation asks for.", "Lower when.calls.min_turns or when.calls.min_seconds."},
	{NoTranscript, StageGate, "There is no transcript to judge.", "Switch transcription on at the platform, or use when: always."},
	{TooFew, StageGate, "Fewer have come within the time than the automation waits for.", "Nothing to do; lower when.at_least or widen when.within if it should fire sooner."},
	{AlreadyFired, StageGate, "The automation has fired for this span of time already, and fires once for each.", "Nothing to do; shorten when.within if it should fire again sooner."},
	{Always, StageDecision, "The automation fires for every conversation, or event, that passes its gates.", "Ask a question under when.ask to make it selective."},
	{Fired, StageDecision, "The condition is met, and its quote stands in the transcript.", "If this is wrong, narrow when.ask and add the call as a test."},
	{ConditionNotMet, StageDecision, "The condition is not met by this conversation.", "If this is wrong, reword when.ask and add the call as a test."},
	{Unsure, StageDecision, "The transcript leaves the condition open.", "Look at the quotes and act by hand if it should have fired; reword when.ask if it happens often."},
	{EvidenceNotFound, StageDecision, "A yes came without a quote that stands in the transcript, so it does not count.", "Look at the conversation, and act by hand if it should have fired."},
	{WrongSpeaker, StageDecision, "The quoted words were said by somebody whose words do not count for this automation.", "Check said_by on the automation; act by hand if it should have fired."},
	{ModelUnavailable, StageDecision, "The language model did not answer; the conversation waits and is tried again by itself.", "Check the model's state and key if this lasts."},
	{ModelRefused, StageDecision, "The language model refused to read this conversation.", "Review the conversation by hand, or configure a fallback model."},
	{AnswerInvalid, StageDecision, "The language model's answer did not fit the form, also after one repair.", "Review by hand; try another model if it happens often."},
	{BudgetExceeded, StageDecision, "Reading this conversation would have cost more than its own budget, or its account's for the day, allows.", "Read the conversation and act by hand: it is not read again by itself. For calls to come, raise the account's budget, or wait for its next day."},
	{WorkFailed, StageDecision, "The program failed each time it worked on this conversation, so nothing was decided.", "Read the conversation and act by hand. The log has the fault, under this conversation's id."},
	{ConditionFalse, StageAction, "The action's own if: is false.", "Check the if: expression against the variables shown."},
	{RequiredVariableMissing, StageAction, "A variable the automation requires was not stated, so nothing is sent until somebody looks.", "Read the call and give the value; for calls to come, take the name out of require."},
	{VariableMissingForCustomer, StageAction, "The message goes to the customer and would show a gap, so it is held.", "Read the call and give the value, or dismiss it; for calls to come, put the passage inside {{#if}}."},
	{RecipientsEmpty, StageAction, "Nobody is left to send to.", "Add a recipient, or an otherwise route that names somebody."},
	{RecipientInvalid, StageAction, "The recipient's address is not a valid address.", "Correct the address in the config or on the contact record."},
	{RecipientNotAllowed, StageAction, "The account's allow-list does not contain this recipient.", "Add the domain or address under allow, if it belongs there."},
	{PremiumNumber, StageAction, "The recipient's number is one of premium rate or shared cost, which is not written to.", "Write to an ordinary number: correct it in the config or on the contact record."},
	{OptedOut, StageAction, "The recipient has opted out.", "Only the recipient can opt in again."},
	{Bounced, StageAction, "Earlier messages to this address came back: nobody has it.", "Correct the address in the config or on the contact record."},
	{SenderNotAllowed, StageAction, "The account's list of senders does not contain the number this comes from.", "Add the number under allow.senders, if it is the account's own."},
	{TextTooLong, StageAction, "The text takes more pieces than a text message may have, so it is held.", "Give a shorter value, or dismiss it; for calls to come, say it shorter or send an e-mail."},
	{Suspicious, StageAction, "The caller's words read like instructions to a machine, and the message goes to the customer, so it is held.", "Read the call; release it if it says what it should, else dismiss it."},
	{RenderFailed, StageAction, "The message could not be rendered.", "Run aftercall check, and preview the action with this call."},
	{Waiting, StageAction, "The message waits for its time.", "Nothing to do; the time is shown beside it."},
	{OutsideWindow, StageAction, "The message waits for its send window to open.", "Nothing to do; widen window if it should go sooner."},
	{TooLate, StageAction, "The message could not be sent before its deadline.", "Look at the attempts; write to whoever must know yourself if it still helps."},
	{TestCall, StageAction, "The conversation is a test, so the message was captured and not sent.", "Set send_tests: true if tests should really send."},
	{BreakerOpen, StageAction, "The automation fires far more often than usual, or than its own limit allows, so its actions are held.", "Look at what it fired for, on its page. There what is held is released or discarded, and the breaker closed."},
	{SentBefore, StageAction, "The same message went out, may have gone out or still waits in an earlier run, so this one does not send it again.", "Send the earlier one again if it has to go out once more; settle it first if nobody knows whether it did."},
	{PerhapsSentBefore, StageAction, "The config was changed since an earlier run, which has something for the same recipient that is possibly the same message, so this one does not send it.", "Compare it with the earlier one; send it from here if it is another message."},
}

// State is what the product says about one delivery state, for whoever meets the word.
type State struct {
	Word     string // as stored and printed
	Sentence string
	Remedy   string
}

// OfState explains a delivery state; ok is false for a word that is none.
func OfState(word string) (s State, ok bool) {
	for _, s := range states {
		if s.Word == word {
			return s, true
		}
	}
	return State{Word: word}, false
}

// States lists every delivery state in the order of a delivery's life.
func States() []State { return append([]State(nil), states...) }

var states = []State{
	{"planned", "The message waits for its turn in the queue.", "Nothing to do; the time it is due is shown beside it."},
	{"sending", "The message is with the provider right now.", "Nothing to do; if its worker is gone it becomes unknown within a minute."},
	{"retrying", "The provider did not take the message yet; it certainly was not sent.", "Nothing to do; it is tried again at the time shown."},
	{"sent", "The provider has taken the message.", ""},
	{"delivered", "The provider reports that the message arrived.", ""},
	{"held", "The message waits for a person.", "Read its reason and the call; then give the value that is missing, release it, or dismiss it."},
	{"failed", "The message certainly was not sent, and is not tried again.", "Put right what the last attempt names, and send it again."},
	{"skipped", "Nothing was to be sent.", "Its reason says why."},
	{"cancelled", "The message was called off before it was sent.", ""},
	{"unknown", "A request went out and no answer was kept, or the data was restored from a backup: it may have been sent. It is never sent again by itself.",
		"Look the message up at the provider, and settle it as sent or as failed."},
}
