// Package deliver says what a message to the outside is, what a channel can do with it, and the few words with which a
// channel answers.
//
// It owns Message, Channel, Receipt, the Verdict inside Error, and how many pieces a text message takes. One channel is one package below this one with one
// method; a new channel is one folder and one line in cmd/aftercall.
//
// It promises that a channel's answer is one of four: a Receipt (the provider has it), or an Error whose verdict is
// Retry (certainly not sent; may be tried again), Refused (certainly not sent; never try again) or Unknown (a request
// went out and no answer was kept). It never decides what happens next; the ledger does.
package deliver

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// The channel names, as stored, logged and written in YAML.
const (
	Email     = "email"
	SMS       = "sms"
	Chatter   = "chatter"
	CTI       = "cti"
	TeamAlert = "team_alert"
	Push      = "push" // to a teammate's browser, of an alert
	Task      = "task" // a row, not a message: written with the plan
)

// Address is one recipient's name and address on the channel: an e-mail address, an E.164 number, a user or record id.
type Address struct {
	Name    string `json:"name,omitempty"`
	Address string `json:"address"`
}

// Message is one rendered message, ready to send. Its text is stored before it is sent and is sent as stored.
type Message struct {
	DeliveryID     string // the ledger's id of the delivery; also the key a provider hands back in its events
	Attempt        int    // 1 for the first
	AccountID      string
	ConversationID string // the platform's id of the conversation
	AutomationID   string
	Channel        string // deliver.Email, …

	From    Address
	To      []Address // one, unless the author asked for one message together
	CC      []Address
	ReplyTo Address
	Subject string            // email
	Text    string            // plain text of any channel; an e-mail's text part
	HTML    string            // an e-mail's HTML part
	Fields  map[string]string // what only one channel has: Chatter's target and visibility, an SMS topic
	Test    bool              // a test conversation: capture only
}

// Receipt is the provider's word that it has the message.
type Receipt struct {
	Provider   string // "sendgrid", "smtp", "capture", …
	ProviderID string // the provider's id of the message, where it gives one
}

// Channel hands messages of one kind to one provider. It is safe for concurrent use.
type Channel interface {
	// Send hands m to the provider once. It keeps to ctx's deadline. A non-nil error is an *Error.
	Send(ctx context.Context, m Message) (Receipt, error)
}

// Verdict is what a channel says of a send that brought no receipt.
type Verdict string

// The verdicts.
const (
	Retry   Verdict = "retry"   // certainly not sent; try again
	Refused Verdict = "refused" // certainly not sent; never try this again
	Unknown Verdict = "unknown" // the request went out, the answer did not come back
)

// ClassOptedOut is the class of a refusal because the recipient wants no messages of this kind; it is kept for later ones.
const ClassOptedOut = "opted_out"

// Error is a send without a receipt. Its text holds no address, no message text, no secret: it is stored, logged and shown.
type Error struct {
	Verdict Verdict
	Class   string        // a short word for grouping: "rate_limited", "bad_request", "auth", "timeout", "connection", …
	Status  int           // the provider's status or reply code; 0 if there was none
	After   time.Duration // with Retry: not before this long from now; 0 if the provider did not say
	Detail  string        // one scrubbed sentence
}

// Error gives verdict, class, status and the scrubbed detail.
func (e *Error) Error() string {
	s := fmt.Sprintf("%s (%s", e.Verdict, e.Class)
	if e.Status != 0 {
		s += fmt.Sprintf(" %d", e.Status)
	}
	s += ")"
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	return s
}

// AsError finds the *Error in err. An error that is none is an Unknown one: a channel that cannot say what happened
// must not be believed to have sent nothing.
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Verdict: Unknown, Class: "unclassified", Detail: "the channel gave no verdict"}
}
