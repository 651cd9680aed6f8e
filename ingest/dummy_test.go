package ingest

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"aftercall/automation"
	"aftercall/conversation"
)

// A platform that nobody has, added as CONTRIBUTING.md says under "Add a platform": all that it takes is here, but for its rows
// in the tables and its page. Whoever changes what an adapter is changes that text, too.

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

func TestAddAPlatform(t *testing.T) {
	t.Parallel()
	const body = `{"what":"over","id":"d-1","began":1772443800,"lasted":"90.5","lines":[{"by":"it","words":"Hello"},{"by":"them","words":"Call me back"}]}`
	s, r := dummyScheme(), &http.Request{Header: http.Header{}}
	s.write(r, seal{}, s.sign("secret", seal{}, []byte(body))[0])
	e := envelopeOf(r, nil, "")
	if !fits(s, []string{"secret"}, e, body, signedAt) || fits(s, []string{"secret"}, e, body+" ", signedAt) || fits(s, []string{"other"}, e, body, signedAt) {
		t.Error("it does not tell its own posts from others")
	}
	decode := func(body string, events ...string) (decoded, []conversation.Fault) {
		doc, faults := parse([]byte(body), lenient)
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		return dummy{}.decode(doc, &automation.Source{Events: events}, arrivedAt)
	}
	d, faults := decode(body)
	if len(faults) > 0 || d.identity != "d-1/over" || len(d.conversation.Turns) != 2 || d.conversation.Duration() != 90500*time.Millisecond {
		t.Errorf("a call: %+v, %v", d, faults)
	}
	if d, _ := decode(strings.Replace(body, "over", "ringing", 1)); !d.ignored {
		t.Error("an event that nobody asked for is not ignored")
	}
	if d, _ := decode(strings.Replace(body, "over", "ringing", 1), "ringing"); d.ignored || d.about != "d-1" {
		t.Error("an event that is asked for is ignored")
	}
	if _, faults := decode(`{"what":"over"}`); len(faults) != 1 || faults[0].Pointer != "/id" {
		t.Errorf("a call of no name: %v", faults)
	}
}
