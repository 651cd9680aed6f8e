// Package email hands e-mail to SendGrid or to an SMTP server.
//
// It owns two channels, SendGrid and SMTP, and what they share: the check of a message's headers and the wording of
// verdicts. SendGrid's library and go-mail are used here and nowhere else.
//
// It promises that no header can be smuggled in (a control character in a subject, a name or an address is refused),
// that the delivery id travels with the message (SendGrid: custom_args; SMTP: Message-ID and a header), and that a send
// whose end is not known is called Unknown, never Retry. It never tries twice by itself, and its errors hold no address,
// no text and no secret.
package email

import (
	"net/mail"
	"strings"
	"time"
	"unicode"

	"aftercall/deliver"
)

// Classes of errors, as recorded and grouped.
const (
	classBadMessage  = "bad_message" // ours: it never left
	classBadRequest  = "bad_request"
	classAuth        = "auth"
	classForbidden   = "forbidden"
	classQuota       = "quota"
	classWrongURL    = "wrong_url"
	classTooLarge    = "too_large"
	classRateLimited = "rate_limited"
	classServer      = "server_error"
	classTLS         = "tls"
	classProtocol    = "protocol"
)

// While an operator mends a key, a sender identity or a bill, messages wait instead of failing. The wait is long, so
// that a dead key does not burn every message's attempts within minutes.
const (
	afterOperator = 10 * time.Minute
	afterQuota    = time.Hour
)

// sendTimeout bounds one send where the caller's context does not.
const sendTimeout = 20 * time.Second

// envelope is a message's checked addresses.
type envelope struct {
	from    mail.Address
	replyTo *mail.Address
	to, cc  []mail.Address // each address once over both lists
}

// check parses the addresses of m and refuses what must not become a header.
func check(m deliver.Message) (envelope, *deliver.Error) {
	var e envelope
	if hasControl(m.Subject) || strings.TrimSpace(m.Subject) == "" {
		return e, bad("the subject is empty or contains a control character")
	}
	if m.Text == "" && m.HTML == "" {
		return e, bad("the message has no text")
	}
	if m.DeliveryID == "" || strings.ContainsFunc(m.DeliveryID, notInID) {
		return e, bad("the delivery has no usable id")
	}
	var ok bool
	if e.from, ok = address(m.From); !ok {
		return e, bad("the sender's address is not valid")
	}
	if m.ReplyTo.Address != "" {
		r, ok := address(m.ReplyTo)
		if !ok {
			return e, bad("the reply-to address is not valid")
		}
		e.replyTo = &r
	}
	seen := map[string]bool{}
	if e.to, ok = each(m.To, seen); !ok {
		return e, bad("a recipient's address is not valid")
	}
	if e.cc, ok = each(m.CC, seen); !ok {
		return e, bad("a cc address is not valid")
	}
	if len(e.to) == 0 {
		return e, bad("the message has no recipient")
	}
	return e, nil
}

// each checks a list and leaves out what was seen before: SendGrid refuses an address that stands twice.
func each(list []deliver.Address, seen map[string]bool) (out []mail.Address, ok bool) {
	for _, a := range list {
		parsed, ok := address(a)
		if !ok {
			return nil, false
		}
		key := strings.ToLower(parsed.Address)
		if !seen[key] {
			seen[key] = true
			out = append(out, parsed)
		}
	}
	return out, true
}

// address accepts one bare address (RFC 5322 addr-spec) and a name without control characters.
func address(a deliver.Address) (mail.Address, bool) {
	if hasControl(a.Name) || hasControl(a.Address) {
		return mail.Address{}, false
	}
	parsed, err := mail.ParseAddress(a.Address)
	if err != nil || parsed.Name != "" || parsed.Address != a.Address {
		return mail.Address{}, false
	}
	return mail.Address{Name: a.Name, Address: a.Address}, true
}

func hasControl(s string) bool { return strings.ContainsFunc(s, unicode.IsControl) }

// notInID is everything but the characters of a UUID or the like; the id becomes part of a Message-ID.
func notInID(r rune) bool {
	return r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
}

func bad(detail string) *deliver.Error {
	return &deliver.Error{Verdict: deliver.Refused, Class: classBadMessage, Detail: detail}
}
