package recipients

import (
	"aftercall/deliver"
	"aftercall/reason"
)

// ContactRecord is the part of a conversation's contact record that can receive messages.
type ContactRecord struct{ Name, Email, Number string }

// Problem is something wrong with one target or address, in words.
type Problem struct{ Message, Help string }

// ParseTarget reads one entry under to:. It refuses what can never reach anybody on the channel: unknown keys, invalid
// addresses, addresses outside the allow-list, people without an address for the channel.
func (d Directory) ParseTarget(s, channel string) (Target, *Problem) { panic("contract") }

// Resolve turns targets into recipients on a channel, each once. routed are the targets the automation's route chose.
// If nobody is left and nobody was rejected, the rejection is RecipientsEmpty with key "-".
func (d Directory) Resolve(ts, routed []Target, channel string, c ContactRecord) ([]Recipient, []Rejection) {
	panic("contract")
}

// Address gives the address of a recipient key on a channel now, or why it must not be written to. The sender calls it
// with the directory of the account's active revision.
func (d Directory) Address(key, channel string, c ContactRecord) (deliver.Address, reason.Code) {
	panic("contract")
}

// Pick gives the route's key for a value of On, or for the model's choice: the value itself if the route has it, else
// interview.Otherwise.
func (r *Route) Pick(value string) (key string, targets []Target) { panic("contract") }
