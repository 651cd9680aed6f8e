package ingest_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aftercall/automation"
	"aftercall/conversation"
	"aftercall/ingest"
)

// hook is a platform's post, signed as it signs; a form where the sample is no JSON.
func (h *house) hook(t *testing.T, kind, secret string, body []byte) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url+"/hooks/hook-"+kind, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if bytes.HasPrefix(body, []byte("{")) {
		r.Header.Set("Content-Type", "application/json")
	}
	if err := ingest.Sign(r, kind, secret, h.clock(), body); err != nil {
		t.Fatal(err)
	}
	return r
}

// silent are the platforms whose events make no call.
var silent = map[string]bool{"dialpad": true, "aircall": true, "ringcentral": true}

func TestEveryPlatformPosts(t *testing.T) {
	t.Parallel()
	h, calls := open(t, nil), 0
	for _, kind := range automation.SourceTypes() {
		body := []byte(ingest.Sample(kind.Name))
		if a := h.do(t, h.hook(t, kind.Name, secretOther, body)); a.status != 401 {
			t.Errorf("%s, another secret: %d %s, want 401", kind.Name, a.status, a.raw)
		}
		a := h.do(t, h.hook(t, kind.Name, secretNew, body))
		if a.status != 200 || a.said.Ignored != silent[kind.Name] || a.said.Duplicate {
			t.Errorf("%s: %d %s", kind.Name, a.status, a.raw)
		}
		if silent[kind.Name] {
			continue
		}
		calls++
		if again := h.do(t, h.hook(t, kind.Name, secretNew, body)); again.status != 200 || !again.said.Duplicate || again.said.ConversationID != a.said.ConversationID {
			t.Errorf("%s, again: %d %s, want a duplicate", kind.Name, again.status, again.raw)
		}
	}
	h.wantRows(t, calls, calls, calls, 0)
	if log := h.log.String(); strings.Contains(log, secretNew) {
		t.Errorf("the log holds a secret: %s", log)
	}
}

// Two events of one call, in either order, are one conversation with the words of both.
func TestEventsInAnyOrder(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	analyzed := ingest.Sample("retell")
	ended := strings.Replace(analyzed, "call_analyzed", "call_ended", 1)
	var ids []string
	for n, order := range [][]string{{ended, analyzed}, {analyzed, ended}} {
		for _, body := range order {
			body = strings.Replace(body, "Jabr9", []string{"first", "second"}[n], 1)
			a := h.do(t, h.hook(t, "retell", secretNew, []byte(body)))
			if a.status != 200 || a.said.Duplicate {
				t.Fatalf("%d %s", a.status, a.raw)
			}
			ids = append(ids, a.said.ConversationID)
		}
	}
	if ids[0] != ids[1] || ids[2] != ids[3] || ids[0] == ids[2] {
		t.Errorf("conversations %v, want two of two events each", ids)
	}
	h.wantRows(t, 4, 2, 2, 0)
}

// TestOrderChangesNothingOnceStored: what an event is believed is known when the next one comes, however much later.
func TestOrderChangesNothingOnceStored(t *testing.T) {
	t.Parallel()
	h, parts := open(t, nil), ingest.Parts("kazoo")
	var first *conversation.Conversation
	for _, order := range []string{"012", "021", "102", "120", "201", "210"} {
		var id string
		for _, n := range order {
			body := strings.ReplaceAll(parts[n-'0'], "NDlk", "call-"+order)
			a := h.do(t, h.hook(t, "kazoo", secretNew, []byte(body)))
			if a.status != 200 || a.said.Duplicate {
				t.Fatalf("%d %s", a.status, a.raw)
			}
			id = a.said.ConversationID
		}
		story, err := h.store.Story(t.Context(), "platforms", id)
		if err != nil {
			t.Fatal(err)
		}
		c := story.Conversation
		c.ID, c.ExternalID = "", ""
		if first == nil {
			first = c
		} else if diff := cmp.Diff(first, c); diff != "" {
			t.Errorf("in the order %s:\n%s", order, diff)
		}
	}
	if first.Status != conversation.Failed || first.ToNumber != "+442079460000" || len(first.Turns) != 1 {
		t.Errorf("the call is %+v", first)
	}
}

// Behind a proxy a platform signs an address that the request does not say.
func TestASignedAddressBehindAProxy(t *testing.T) {
	t.Parallel()
	h := open(t, func(c *ingest.Config) { c.PublicURL = "https://calls.example/in/" })
	body := []byte(ingest.Sample("twilio"))
	for address, want := range map[string]int{"https://calls.example/in/hooks/hook-twilio?a=%20b": 200, "https://elsewhere.example/hooks/hook-twilio?a=%20b": 401} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
		if err := ingest.Sign(r, "twilio", secretNew, h.clock(), body); err != nil {
			t.Fatal(err)
		}
		if a := h.post(t, "/hooks/hook-twilio?a=%20b", r.Header, body); a.status != want {
			t.Errorf("signed for %s: %d %s, want %d", address, a.status, a.raw, want)
		}
	}
}

// RingCentral begins with a question, which only its own address may answer.
func TestRingCentralIsGreeted(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	token := http.Header{"Validation-Token": {"abc"}}
	if a := h.post(t, "/hooks/hook-ringcentral/"+secretNew, token, nil); a.status != 200 || a.header.Get("Validation-Token") != "abc" {
		t.Errorf("%d %s, %q", a.status, a.raw, a.header.Get("Validation-Token"))
	}
	if a := h.post(t, "/hooks/hook-ringcentral/guess", token, nil); a.status != 401 || a.header.Get("Validation-Token") != "" {
		t.Errorf("a guess: %d %s", a.status, a.raw)
	}
	if a := h.post(t, "/hooks/hook-aircall/"+secretNew, token, []byte("{}")); a.status != 200 || a.header.Get("Validation-Token") != "" {
		t.Errorf("another platform: %d %s", a.status, a.raw)
	}
	h.wantRows(t, 0, 0, 0, 0)
}
