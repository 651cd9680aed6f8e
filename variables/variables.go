// Package variables says what can stand between {{ and }}: the system variables with their exact names, and the dyn_
// values taken from what was said, typed, checked and normalised by code.
//
// It owns the system catalogue, variable declarations, the check of a stated value (dates against weekday and calendar,
// numbers, phones, money and links against the quote), and the conditions of an action's if:.
//
// It promises that a value is stated (with evidence), or absent; never guessed, never half checked. It never asks a
// model and never renders.
package variables

import (
	"aftercall/interview"
)

// Type is the declared type of a dyn_ variable.
type Type string

// The types of a variable. An undeclared dyn_ name is text, described by its own words.
const (
	Text    Type = "text"
	Enum    Type = "enum"
	Date    Type = "date"   // normalised to 2006-01-02
	Time    Type = "time"   // normalised to 15:04
	Number  Type = "number" // normalised to a decimal, "." as separator, no grouping
	Money   Type = "money"  // normalised to "129.50 EUR"
	Phone   Type = "phone"  // normalised to E.164
	Email   Type = "email"
	URL     Type = "url"     // http or https
	Boolean Type = "boolean" // "true" or "false"
	List    Type = "list"    // only metadata
)

// Declaration is what an author says about one dyn_ variable.
type Declaration struct {
	Name    string // dyn_…
	Type    Type
	Ask     string             // what is wanted; by default the words of the name
	Values  []interview.Option // members of an enum
	Max     int                // longest text in characters; 0 means DefaultMax
	Default string             // used when not stated
	Missing string             // printed when not stated; "" means the account's
	SaidBy  interview.Speaker
	Hosts   []string // url: allowed hosts; empty allows none but those the account allows
}

// DefaultMax is the longest free text of a variable in characters unless declared otherwise.
const DefaultMax = 500

// Status says what is known of a value.
type Status string

// The statuses of a value.
const (
	Stated    Status = "stated"
	NotStated Status = "not_stated"
	Defaulted Status = "default"  // not stated; the declaration's default stands in
	Rejected  Status = "rejected" // the model gave a value that did not pass the checks
	Conflict  Status = "conflict" // a long transcript gave two values; held
	Given     Status = "given"    // by a person who looked at the call
)

// Value is one dyn_ variable of one conversation.
type Value struct {
	Name     string
	Type     Type
	Status   Status
	Raw      string // as the model, or the person, gave it
	Value    string // normalised; "" unless it is Present
	Evidence interview.Evidence
	Problem  string // why it was rejected: one sentence, no transcript text
}

// Present reports whether the value can be used: stated, given, or standing in by default.
func (v Value) Present() bool {
	return v.Status == Stated || v.Status == Given || v.Status == Defaulted
}
