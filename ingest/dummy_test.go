package ingest

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"aftercall/automation"
	"aftercall/conversation"
)

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
