package ingest

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"time"

	"aftercall/automation"
	"aftercall/conversation"
)

// later is a platform whose events carry no words of a call, so that none of them makes a conversation: all are ignored, in
// a way that lets its webhook live on, but those that a source asks for, which are stored. Dialpad, Aircall and RingCentral
// each prove themselves in a way of their own; here it is by their address.
type later struct {
	name string
	kind func(f fields) string // the type of an event
	call func(f fields) string // the call it is about
}

func dialpad() later {
	return later{"dialpad", func(f fields) string { return f.line("state") }, func(f fields) string { return f.line("call_id") }}
}

func aircall() later {
	return later{"aircall", func(f fields) string { return f.line("event") }, func(f fields) string { return f.object("data").line("call_uuid") }}
}

func ringCentral() later {
	return later{"ringcentral", func(f fields) string {
		for _, party := range f.object("body").objects("parties") {
			if code := party.object("status").line("code"); code != "" {
				return code
			}
		}
		return f.object("body").line("type")
	}, func(f fields) string { return f.object("body").line("telephonySessionId") }}
}

func (l later) scheme() string { return l.name }

func (l later) decode(doc map[string]any, src *automation.Source, _ time.Time) (decoded, []conversation.Fault) {
	f := readFields(doc, lenient)
	d := decoded{kind: first(l.kind(f), "event"), about: l.call(f)}
	d.identity, d.ignored = identityOf(d.about, d.kind), !asked(src, d.kind)
	return d, nil
}

// validationToken is in the first post of a RingCentral subscription, which begins once the same comes back.
const validationToken = "Validation-Token"

// greeting is what has to come back from the beginning of a subscription; "" for every other post.
func greeting(src *automation.Source, h http.Header) string {
	if src.Type != "ringcentral" {
		return ""
	}
	return h.Get(validationToken)
}

// claims takes the JSON out of a JSON Web Token, which Dialpad posts where a secret is set there. What proves it is the address.
func claims(body []byte) []byte {
	parts := bytes.Split(bytes.TrimSpace(body), []byte("."))
	if len(parts) != 3 || !bytes.HasPrefix(parts[0], []byte("eyJ")) {
		return body
	}
	inner, err := base64.RawURLEncoding.DecodeString(string(parts[1]))
	if err != nil {
		return body
	}
	return inner
}
