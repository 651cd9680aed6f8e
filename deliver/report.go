package deliver

import (
	"time"

	"aftercall/reason"
)

// Fact is what a provider reports of a message, some time after it was handed it.
type Fact string

// The facts, in the order of their rank: one that comes late never takes a later one back, and a message that came back
// after it seemed to have arrived has not.
const (
	Taken   Fact = "sent"      // the provider has it
	Arrived Fact = "delivered" // it reached the recipient
	Lost    Fact = "failed"    // it never will
)

// Rank orders facts; 0 is none.
func (f Fact) Rank() int { return map[Fact]int{Taken: 1, Arrived: 2, Lost: 3}[f] }

// Report is one provider's word on one message, or of one of its recipients. What is in it is stored, logged and shown, but for the
// address: no number, no text.
type Report struct {
	AccountID  string // as the address says that it was posted to; "" where it names none
	DeliveryID string // that the provider hands back; "" if it hands none: then ProviderID says which message it is
	Provider   string
	ProviderID string // the provider's id of the message
	Fact       Fact   // "" if nothing is said of the message
	Class      string // of what is lost: a short word for grouping
	Status     int    // and the provider's own code
	Detail     string // and one sentence of ours
	At         time.Time

	Suppress reason.Code // why the address must not be written to any more; "" if nothing is said of that
	Lift     bool        // the address may be written to again
	Address  string      // that this is about
	Word     string      // as in Suppression
}

// Suppression is an address that a channel does not write to any more, or may write to again.
type Suppression struct {
	AccountID, Channel, Address string
	Reason                      reason.Code // OptedOut or Bounced; "" lifts whatever there was
	Source                      string      // who says so: FromRecipient, FromProvider, or a provider by its name
	At                          time.Time   // when; of two words on an address the later one counts. Zero: now
	// Word is the provider's id of what was said, where nothing says when that was: At is then when it was heard, and heard again it
	// does not count. "" for what has a time of its own, or is not said from outside.
	Word string
}

// Sources of a suppression.
const (
	FromRecipient = "recipient" // asked for it
	FromProvider  = "provider"  // refused to send
	FromPerson    = "person"    // one of ours says that the address is right
)
