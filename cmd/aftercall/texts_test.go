package main

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aftercall/deliver"
	"aftercall/deliver/delivertest"
	"aftercall/deliver/sms"
	"aftercall/internal/store"
	"aftercall/reason"
)

const textsYAML = `account: acme
name: Acme Clinic
timezone: Europe/London
from: { sms: "+442071838750" }
allow: { contacts: true }
automations:
  - id: confirm
    when: always
    actions:
      - sms: { to: ["{{customer_number}}"], body: "{{account_name}}: thank you for calling." }
`

// callBy is a finished call of somebody.
func callBy(id, number string) []byte {
	return fmt.Appendf(nil, `{"id": %q, "agent": {"id": "reception", "name": "Reception"}, "channel": "phone", "direction": "inbound", "status": "completed",
		"started_at": "2026-11-20T14:50:00Z", "ended_at": "2026-11-20T14:58:00Z", "from_number": %q, "customer": {"number": %q},
		"turns": [{"role": "customer", "text": "Hello."}]}`, id, number, number)
}

// twilioPosts plays Twilio's part: it posts a form to where the outside would reach the house.
func (h *house) twilioPosts(address string, form url.Values) {
	h.t.Helper()
	inside := h.app.address("webhooks") + strings.TrimPrefix(address, publicURL)
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, inside, strings.NewReader(form.Encode()))
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set(sms.SignatureHeader, sms.Sign(twilioToken, address, form))
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusNoContent {
		h.t.Fatalf("the answer is %d", answer.StatusCode)
	}
}

// TestATextFromTheCallToItsReport: it goes out with the address for its report, Twilio reports on it there, and whoever opts out, or has done
// so at Twilio, gets no more.
func TestATextFromTheCallToItsReport(t *testing.T) {
	t.Parallel()
	const ann, bob = "+447700900123", "+447700900124"
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "account.yaml"), []byte(textsYAML), 0o600); err != nil {
		t.Fatal(err)
	}
	h := newHouse(t, dir, http.NotFoundHandler())
	h.texts.Fail(func(_ int, m delivertest.Text) delivertest.Fault {
		if m.To == bob {
			return delivertest.Fault{Status: http.StatusBadRequest, Body: `{"code": 21610, "message": "Attempt to send to unsubscribed recipient", "status": 400}`}
		}
		return delivertest.Fault{}
	})
	delivery := func(call, number string) store.StoryDelivery {
		t.Helper()
		return h.final(h.postCall(callBy(call, number))).Deliveries[0]
	}

	id := h.postCall(callBy("c1", ann))
	first := h.final(id).Deliveries[0]
	if all := h.texts.Texts(); first.State != store.Sent || len(all) != 1 || all[0].From != "+442071838750" || all[0].Body != "Acme Clinic: thank you for calling." {
		t.Fatalf("%s, and Twilio has %+v", first.State, all)
	}
	report := h.texts.Texts()[0]
	h.twilioPosts(report.Report, url.Values{"MessageSid": {report.SID}, "MessageStatus": {"delivered"}, "To": {ann}})
	story, err := h.app.db.Story(t.Context(), "acme", id)
	if err != nil || story.Deliveries[0].State != store.Delivered || story.Deliveries[0].Reported != deliver.Arrived {
		t.Errorf("after the report: %+v, %v", story.Deliveries, err)
	}

	inbound := func(word string) {
		h.twilioPosts(publicURL+"/callbacks/twilio/acme/messages", url.Values{"From": {ann}, "To": {"+442071838750"}, "Body": {word}, "MessageSid": {"SM7" + word}})
	}
	inbound("Stop")
	if d := delivery("c2", ann); d.State != store.Skipped || d.Reason != reason.OptedOut {
		t.Errorf("after STOP: %s as %q", d.State, d.Reason)
	}
	inbound("START")
	if d := delivery("c3", ann); d.State != store.Sent {
		t.Errorf("after START: %s as %q", d.State, d.Reason)
	}

	for n, attempts := range []int{1, 0} { // Twilio is asked once
		if d := delivery(fmt.Sprintf("b%d", n), bob); d.State != store.Skipped || d.Reason != reason.OptedOut || len(d.Attempts) != attempts {
			t.Errorf("who has opted out at Twilio, text %d: %s as %q after %d attempts", n, d.State, d.Reason, len(d.Attempts))
		}
	}
	if n := len(h.texts.Texts()); n != 2 {
		t.Errorf("Twilio took %d texts, want 2", n)
	}
}
