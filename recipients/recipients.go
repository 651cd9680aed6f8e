// Package recipients says who may hear of a conversation, and at what address.
//
// It owns people, groups, fixed addresses, routes and the allow-list. What an author writes under to: is parsed into
// Targets; Resolve turns them into Recipients with a stable key; the address of a person is looked up by key when the
// message is sent.
//
// It promises that an address comes from the config or from the contact record the platform holds, that every address is
// checked against the allow-list when config is loaded and once more when the message is sent, and that everybody left
// out is left out with a reason. It never takes an address from a transcript or from a model.
package recipients

import (
	"time"

	"aftercall/interview"
	"aftercall/reason"
)

// TargetKind says what an author's entry under to: names.
type TargetKind string

// The kinds of target.
const (
	Fixed   TargetKind = "fixed"   // an address written out
	Person  TargetKind = "person"  // a key under people
	Group   TargetKind = "group"   // a key under groups
	ByRoute TargetKind = "route"   // whoever the automation's route names
	Contact TargetKind = "contact" // {{customer_email}} or {{customer_number}}: the contact record
	All     TargetKind = "all"     // everybody in the account; only of a team alert
)

// Target is one entry under to: or cc:.
type Target struct {
	Kind  TargetKind
	Value string // the address, the key, or the system variable's name
}

// PersonEntry is somebody under people:.
type PersonEntry struct {
	Key   string
	Name  string
	Email string
	Phone string
	Role  string
	User  string // the CRM's or softphone's user id, for Chatter and CTI

	Location *time.Location // where the person's clock is; nil: not said
}

// Directory is everybody an account can write to.
type Directory struct {
	People map[string]PersonEntry
	Groups map[string][]Target // persons, groups and fixed addresses; no routes, no contacts
	Allow  Allow
	Region string // default region of phone numbers (ISO 3166): the account's, else that of its own number; may be ""
}

// Allow is who may be written to at all. A phone number need not be listed if it stands under people or groups: there it
// was written by an author, and numbers have no domain to allow.
type Allow struct {
	Domains   []string // e-mail domains; "*.example.com" matches below, not the domain itself
	Addresses []string // single e-mail addresses or E.164 numbers
	Contacts  bool     // the address on the conversation's contact record
	Senders   []string // E.164 numbers that texts may come from, the account's own among them
}

// Route chooses recipients by content.
type Route struct {
	On        string              // a dyn_ variable's name, or "" when the model chooses among Options
	To        map[string][]Target // by value of On, or by option key
	Options   []interview.Option  // what the model is shown, when On is ""
	Otherwise []Target
}

// Recipient is one receiver of a message. Its key is stable and part of the delivery's identity.
type Recipient struct {
	// Key is "person:maria", "email:support@acme.example", "phone:+447700900123", "contact:customer_email", "all", or
	// "target" for a Chatter post or pop-up without to:, which goes to what the action's own fields name.
	Key      string
	Name     string
	Address  string // as known now; a person's is looked up again when the message is sent
	Customer bool   // comes from the contact record
}

// Rejection is somebody who will not receive the message, with the reason.
type Rejection struct {
	Key    string
	Reason reason.Code // RecipientsEmpty (also: nothing on the contact record), RecipientInvalid, PremiumNumber, RecipientNotAllowed
}

// ContactRecord is the part of a conversation's contact record that can receive messages.
type ContactRecord struct{ Name, Email, Number string }

// Problem is something wrong with one target or address, in words.
type Problem struct{ Message, Help string }
