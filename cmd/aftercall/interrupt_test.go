package main

import (
	"net/http"
	"sync"
	"testing"

	"aftercall/deliver/delivertest"
	"aftercall/internal/store"
)

// TestNothingInterruptsTheCall: whoever posts has the answer while the model still thinks, nobody has been written to, and one message
// that is refused keeps no other one back.
func TestNothingInterruptsTheCall(t *testing.T) {
	t.Parallel()
	asked, answer := make(chan struct{}), make(chan struct{})
	answered := sync.OnceFunc(func() { close(answer) })
	dir := writeAccount(t, downConfig)
	h := newHouse(t, dir, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case asked <- struct{}{}:
		case <-answer:
		}
		select {
		case <-answer:
			completion(w, `{"automations":{"callback":{"evidence":[{"turn":1,"quote":"Please call me back tomorrow."}],"verdict":"yes"}},"summary":"A call back is wanted."}`)
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(answered) // before the house is taken down, whatever happens here
	h.mail.Fail(func(_ int, m delivertest.Mail) delivertest.Fault {
		if m.To[0] == "log@acme.example" {
			return delivertest.Fault{Status: http.StatusBadRequest}
		}
		return delivertest.Fault{}
	})
	id := h.postCall([]byte(downCallNumber(1))) // comes back
	<-asked
	if s := h.until(id, func(store.Story) bool { return true }); s.State == store.StateDecided || len(h.mail.Mails()) > 0 {
		t.Fatalf("it is %s, and there are %d mails, before the model has said a word", s.State, len(h.mail.Mails()))
	}
	answered()
	states := map[string]store.DeliveryState{}
	for _, d := range h.final(id).Deliveries {
		states[d.Automation] = d.State
	}
	if states["every-call"] != store.Failed || states["callback"] != store.Sent {
		t.Errorf("the refused message and the other are %v", states)
	}
}
