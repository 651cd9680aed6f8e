package ingest

import (
	"net/http"
	"time"

	"aftercall/automation"
	"aftercall/conversation"
)

// A platform that nobody has, added as CONTRIBUTING.md says under "Add a platform". Its rows in the tables are in
// internal/chaos/bed/variants/one-more-of-each.txtar, with which this file is built into a product that calls are posted to
// (internal/chaos/added_test.go). Whoever changes what an adapter is changes that text, too.

// dummy posts {"what": "over", "id": …, "began": seconds, "lasted": seconds, "lines": [{"by": …, "words": …}]}.
type dummy struct{}

func (dummy) scheme() string { return "dummy" }

func (dummy) decode(doc map[string]any, src *automation.Source, arrived time.Time) (decoded, []conversation.Fault) {
	f := readFields(doc, lenient)
	id := f.line("id")
	d := decoded{kind: first(f.line("what"), "event"), identity: identityOf(id, f.line("what")), about: id}
	switch {
	case d.kind != "over":
		d.ignored = !asked(src, d.kind)
		return d, nil
	case id == "":
		f.fault("id", "is required")
		return d, *f.faults
	}
	c := &conversation.Conversation{ExternalID: id, Agent: conversation.Agent{ID: "dummy"}, Channel: conversation.ChannelWeb, Status: conversation.Completed}
	for _, line := range f.objects("lines") {
		role := map[string]conversation.Role{"it": conversation.RoleAgent, "them": conversation.RoleCustomer}[line.str("by")]
		c.Turns = said(c.Turns, role, line.str("words"), 0)
	}
	began, _ := number(f.of["began"])
	c.StartedAt, c.EndedAt = span(seconds(began), time.Time{}, lasting(f.of["lasted"], time.Second), arrived)
	d.conversation = c
	return d, c.Check()
}

func dummyScheme() *scheme {
	return &scheme{
		open: func(e envelope) (seal, string) {
			if e.header.Get("X-Dummy") == "" {
				return seal{}, noSignature
			}
			return seal{timeless: true, signatures: []string{e.header.Get("X-Dummy")}}, ""
		},
		sign:  func(secret string, _ seal, body []byte) []string { return hexMAC(secret, body) },
		write: func(r *http.Request, _ seal, signature string) { r.Header.Set("X-Dummy", signature) },
	}
}
