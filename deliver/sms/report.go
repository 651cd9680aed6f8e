package sms

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"aftercall/deliver"
	"aftercall/reason"
)

// factOf is what one of Twilio's words for a message's state says; "" for a word that says nothing of it.
func factOf(status string) deliver.Fact {
	switch status {
	case "accepted", "scheduled", "queued", "sending", "sent":
		return deliver.Taken
	case "delivered", "read":
		return deliver.Arrived
	case "undelivered", "failed", "canceled":
		return deliver.Lost
	}
	return ""
}

// lost says what Twilio's codes for a message that was lost mean: a class and a sentence.
func lost() map[int][2]string {
	return map[int][2]string{
		21610: {deliver.ClassOptedOut, "The recipient has opted out."},
		30001: {"queue_overflow", "Too much was waiting at Twilio."},
		30002: {"suspended", "The Twilio account is suspended."},
		30003: {"unreachable", "The handset is switched off or out of reach."},
		30004: {"blocked", "The recipient or the carrier blocks these texts."},
		30005: {"unknown_number", "The number does not exist any more, or its handset is gone."},
		30006: {"landline", "The number is a landline, or its carrier takes no texts."},
		30007: {"filtered", "The carrier took it for unwanted and dropped it."},
		30008: {"unknown_error", "The carrier does not say why."},
		30034: {"unregistered", "The sender is not registered for texts to this country (A2P 10DLC)."},
	}
}

// ReportOf reads a status callback. ok is false if it says nothing of a message's fate.
func ReportOf(form url.Values) (r deliver.Report, ok bool) {
	status := form.Get("MessageStatus")
	if status == "" {
		status = form.Get("SmsStatus")
	}
	r = deliver.Report{Provider: ProviderTwilio, Fact: factOf(status)}
	if id := form.Get("MessageSid"); messageSID.MatchString(id) {
		r.ProviderID = id
	}
	if r.Fact != deliver.Lost {
		return r, r.Fact != ""
	}
	r.Class, r.Detail = "undelivered", "Twilio says that it did not arrive."
	if code, err := strconv.Atoi(form.Get("ErrorCode")); err == nil && code > 0 && code < 1_000_000 {
		r.Status = code
		if known, ok := lost()[code]; ok {
			r.Class, r.Detail = known[0], known[1]
		}
	}
	if r.Class == deliver.ClassOptedOut {
		r.Suppress, r.Address = reason.OptedOut, form.Get("To")
	}
	return r, true
}

// The words by which a recipient stops texts, wants them again, or asks what this is. They count as the whole message, in
// any case. Where Twilio has matched a word itself, in whatever language, it says so in OptOutType.
func stops() []string {
	return []string{"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"}
}

func starts() []string { return []string{"START", "YES", "UNSTOP"} }

// Wish is what somebody who answers a text wants.
type Wish string

// The wishes. Twilio answers each of them itself.
const (
	Stop  Wish = "stop"
	Start Wish = "start"
	Help  Wish = "help"
	None  Wish = "" // something else
)

// WishOf reads a text that somebody sent to one of our numbers: what they want, and their number; "" if it is none.
func WishOf(form url.Values) (w Wish, number string) {
	if number = form.Get("From"); !e164.MatchString(number) {
		number = ""
	}
	switch strings.ToUpper(form.Get("OptOutType")) {
	case "STOP":
		return Stop, number
	case "START":
		return Start, number
	case "HELP":
		return Help, number
	}
	word := strings.ToUpper(strings.TrimFunc(form.Get("Body"), func(r rune) bool { return !unicode.IsLetter(r) }))
	switch {
	case slices.Contains(stops(), word):
		return Stop, number
	case slices.Contains(starts(), word):
		return Start, number
	case word == "HELP" || word == "INFO":
		return Help, number
	}
	return None, number
}
