package email

import (
	"bytes"
	"fmt"
	"net/mail"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"aftercall/deliver"
)

// write puts an Internet message (RFC 5322) together: text and HTML as alternatives, quoted-printable, and a Message-ID
// that is the same for every attempt of a delivery, so that a second copy can be recognised.
func write(m deliver.Message, e envelope, now time.Time) (id string, body []byte, err error) {
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithEncoding(gomail.EncodingQP))
	msg.FromMailAddress(&e.from)
	msg.ToMailAddress(pointers(e.to)...)
	if len(e.cc) > 0 {
		msg.CcMailAddress(pointers(e.cc)...)
	}
	if e.replyTo != nil {
		msg.ReplyToMailAddress(e.replyTo)
	}
	msg.Subject(m.Subject)
	msg.SetDateWithValue(now)
	id = messageIDOf(m.DeliveryID, e.from.Address)
	msg.SetMessageIDWithValue(id)
	msg.SetGenHeader(gomail.Header(HeaderDelivery), m.DeliveryID)
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no vacation notices in return
	parts(msg, m)
	var b bytes.Buffer
	if _, err := msg.WriteTo(&b); err != nil {
		return "", nil, fmt.Errorf("write message: %w", err)
	}
	return id, b.Bytes(), nil
}

func parts(msg *gomail.Msg, m deliver.Message) {
	switch {
	case m.Text == "":
		msg.SetBodyString(gomail.TypeTextHTML, m.HTML)
	case m.HTML == "":
		msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	default:
		msg.SetBodyString(gomail.TypeTextPlain, m.Text)
		msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	}
}

// messageIDOf is a delivery's Message-ID without the brackets.
func messageIDOf(deliveryID, from string) string {
	return deliveryID + "@" + from[strings.LastIndexByte(from, '@')+1:]
}

func pointers(list []mail.Address) []*mail.Address {
	out := make([]*mail.Address, len(list))
	for i := range list {
		out[i] = &list[i]
	}
	return out
}
