// Package sms hands text messages to Twilio.
//
// It owns one channel, Twilio, with the table of Twilio's answers, and what Twilio says on its own account afterwards: the
// signature of its requests, the events about a message, and the words by which somebody opts out. Twilio's library is
// used here and nowhere else.
//
// It promises that a text goes to one number in E.164 form and takes no more pieces than a message may have, that Twilio
// is told where to report what became of it, under the delivery's id, and that a send whose end is not known is called
// Unknown, never Retry. It never tries twice by itself, and its errors hold no number, no text and no secret.
package sms

import (
	"regexp"
	"strings"
	"time"
	"unicode"

	"aftercall/deliver"
)

// Classes of errors, as recorded and grouped, beside those that every channel has.
const (
	classBadMessage  = "bad_message" // ours: it never left
	classTooLong     = "too_long"
	classBadRequest  = "bad_request"
	classBadNumber   = "bad_number"
	classAuth        = "auth"
	classForbidden   = "forbidden"
	classSender      = "sender"
	classWrongURL    = "wrong_url"
	classRateLimited = "rate_limited"
	classServer      = "server_error"
	classProtocol    = "protocol"
)

// While an operator mends a key, a sender or a permission, messages wait instead of failing.
const afterOperator = 10 * time.Minute

// sendTimeout bounds one send where the caller's context does not.
const sendTimeout = 20 * time.Second

// maxCharacters is Twilio's limit on the text of one message (error 21617).
const maxCharacters = 1600

// e164 is a number as recipients.Phone writes it.
var e164 = regexp.MustCompile(`^\+[1-9]\d{1,14}$`)

// check refuses what must not be sent as it is.
func check(m deliver.Message, service string) *deliver.Error {
	switch {
	case len(m.To) != 1:
		return bad("a text goes to one number")
	case !e164.MatchString(m.To[0].Address):
		return bad("the recipient's number is not in E.164 form")
	case (service == "" || m.Fields[FieldFrom] != "") && !e164.MatchString(m.From.Address):
		return bad("the sender's number is not in E.164 form")
	case strings.TrimSpace(m.Text) == "" || strings.ContainsFunc(m.Text, unprintable):
		return bad("the text is empty or contains a control character")
	case m.DeliveryID == "":
		return bad("the delivery has no id")
	}
	if n := deliver.SegmentsOf(m.Text).Count; n > deliver.MostSegments || len([]rune(m.Text)) > maxCharacters {
		return &deliver.Error{Verdict: deliver.Refused, Class: classTooLong, Detail: "the text takes more pieces than a message may have"}
	}
	return nil
}

func unprintable(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' }

func bad(detail string) *deliver.Error {
	return &deliver.Error{Verdict: deliver.Refused, Class: classBadMessage, Detail: detail}
}
