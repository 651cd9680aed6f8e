package main

import (
	"context"
	"net/http"
	"testing"
	"time"

	"aftercall/internal/store"
)

const waitingConfig = `account: acme
name: Acme Clinic
timezone: Europe/London
from: { email: "calls@acme.example" }
allow: { domains: [acme.example] }
sources:
  - { id: itellico, type: itellico, secret: "${ENV:ITELLICO_SECRET}", wait_for_analysis: 10m }
automations:
  - id: every-call
    when: always
    actions: [ { email: { to: [log@acme.example], subject: "Call", body: "{{conversation_summary}}" } } ]
`

const itellicoEnded = `{"event_id": "0b1f0c9e-0000-4000-8000-000000000001", "event_type": "conversation.ended", "created": "2026-11-20T14:59:00.000000Z",
 "organization_uuid": "o", "organization_name": "Acme", "data": {"conversation_uuid": "it-1", "agent_uuid": "a", "agent_name": "Rosa", "channel": "phone",
 "status": "completed", "started_at": "2026-11-20T14:57:00Z", "ended_at": "2026-11-20T14:59:00Z", "duration_seconds": 120, "from_number": "+447700900456",
 "to_number": "+442071838750", "direction": "inbound", "metadata": {}, "messages": [{"role": "user", "message": "Please call me back tomorrow.", "timestamp": "2026-11-20T14:57:05Z"}]}}`

const itellicoAnalysed = `{"event_id": "0b1f0c9e-0000-4000-8000-000000000002", "event_type": "conversation.analysis.completed", "created": "2026-11-20T14:59:20.000000Z",
 "organization_uuid": "o", "organization_name": "Acme", "data": {"conversation_uuid": "it-1", "agent_uuid": "a", "agent_name": "Rosa", "channel": "phone",
 "status": "completed", "started_at": "2026-11-20T14:57:00Z", "ended_at": "2026-11-20T14:59:00Z", "summary": "A call back is wanted.",
 "messages": [{"role": "user", "message": "Please call me back tomorrow.", "timestamp": "2026-11-20T14:57:05Z"}]}}`

// TestAnalysisIsWaitedFor: a source that says so keeps a call undecided until the platform's analysis is there, and the
// analysis, once posted, is neither waited for any longer nor lost.
func TestAnalysisIsWaitedFor(t *testing.T) {
	t.Parallel()
	unasked := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the model was asked, although the only automation always fires and states nothing")
	})
	h := newHouseAt(t, writeAccount(t, waitingConfig), unasked, time.Now) // the queue's clock is the real one
	post := func(body string) {
		t.Helper()
		p := parcel{url: h.app.address("webhooks") + "/hooks/itellico", scheme: "itellico", secret: houseSecret, body: []byte(body)}
		if _, err := p.post(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	post(itellicoEnded)
	_, id, err := h.app.db.FindConversation(context.Background(), "acme", "it-1")
	if err != nil {
		t.Fatal(err)
	}
	h.drainedUpTo(time.Now().Add(time.Minute))
	if s := h.until(id, func(store.Story) bool { return true }); s.State != store.StateAccepted {
		t.Errorf("the call is %s before its analysis, want accepted", s.State)
	}
	post(itellicoAnalysed)
	h.final(id)
	mails := h.mail.Mails()
	if len(mails) != 1 || mails[0].Text != "A call back is wanted." {
		t.Errorf("%d mails, want one with the analysis' summary", len(mails))
	}
}
