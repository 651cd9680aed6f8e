package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"aftercall/internal/store"
	"aftercall/reason"
	"aftercall/triggers"
)

const downConfig = `account: acme
name: Acme Clinic
timezone: Europe/London
from: { email: "calls@acme.example" }
allow: { domains: [acme.example] }
automations:
  - id: every-call
    when: always
    actions: [ { email: { to: [log@acme.example], subject: "Call", body: "{{conversation_summary}}" } } ]
  - id: callback
    when: { ask: "Did the customer ask to be called back?" }
    actions: [ { email: { to: [support@acme.example], subject: "Call back", body: "Call back {{customer_number}}" } } ]
`

const downCall = `{"id": "call-%d", "agent": {"id": "a", "name": "A"}, "channel": "phone", "direction": "inbound", "status": "completed",
 "started_at": "2026-11-20T14:30:00Z", "ended_at": "2026-11-20T14:31:00Z", "from_number": "+447700900456", "to_number": "+442071838750",
 "customer": {}, "turns": [{"role": "customer", "text": "Please call me back tomorrow.", "at_ms": 0}]}`

func downCallNumber(n int) string { return fmt.Sprintf(downCall, n) }

// TestModelDown is the promise about a model that is away: what needs no model goes out at once, everything else waits
// and says so, nothing is lost, and the backlog drains by itself when the model is back.
func TestModelDown(t *testing.T) {
	t.Parallel()
	const calls = 20
	var up atomic.Bool
	model := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !up.Load() {
			http.Error(w, `{"error":{"message":"overloaded","type":"server_error"}}`, http.StatusServiceUnavailable)
			return
		}
		completion(w, `{"automations":{"callback":{"evidence":[{"turn":1,"quote":"Please call me back tomorrow."}],"verdict":"yes"}},"summary":"A call back is wanted."}`)
	})
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "account.yaml"), []byte(downConfig), 0o644); err != nil {
		t.Fatal(err)
	}
	h := newHouse(t, dir, model)
	ids := make([]string, calls)
	for i := range ids {
		ids[i] = h.postCall([]byte(downCallNumber(i)))
	}
	for _, id := range ids {
		s := h.until(id, func(s store.Story) bool { return sent(s) == 1 })
		if s.State != store.StateWaiting {
			t.Errorf("conversation %s is %s while the model is away, want waiting", id, s.State)
		}
		for _, d := range s.Decisions {
			if d.Automation == "callback" && (d.Verdict != triggers.Waiting || d.Reason != reason.ModelUnavailable) {
				t.Errorf("callback of %s is %s, %s; want waiting, model_unavailable", id, d.Verdict, d.Reason)
			}
		}
	}
	if got := len(h.mail.Mails()); got != calls {
		t.Errorf("%d mails while the model is away, want %d", got, calls)
	}
	up.Store(true)
	for _, id := range ids {
		if s := h.final(id); sent(s) != 2 {
			t.Errorf("conversation %s has %d mails sent after the model came back, want 2", id, sent(s))
		}
	}
	if got := len(h.mail.Mails()); got != 2*calls {
		t.Errorf("%d mails in the end, want %d", got, 2*calls)
	}
}

func sent(s store.Story) (n int) {
	for _, d := range s.Deliveries {
		if d.State == store.Sent {
			n++
		}
	}
	return n
}
