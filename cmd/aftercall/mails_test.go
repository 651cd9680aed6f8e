package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercall/deliver/delivertest"
	"aftercall/deliver/email"
	"aftercall/internal/store"
	"aftercall/reason"
)

const mailsYAML = `account: acme
name: Acme Clinic
timezone: Europe/London
from: { email: "Acme Clinic <calls@acme.example>" }
allow: { domains: [acme.example], contacts: true }
people: { maria: { name: Maria Lopez, email: maria@acme.example } }
groups: { support: [maria, boss@acme.example] }
sources:
  - { id: berlin, type: native, secret: "${ENV:BERLIN}", from: { email: "Acme Berlin <berlin@acme.example>" } }
automations:
  - id: confirm
    when: always
    actions:
      - email: { to: ["{{customer_email}}", support], cc: [support, desk@acme.example], reply_to: maria, subject: Thank you, body: "Thank you for calling." }
`

// sendGridPosts plays SendGrid's part: a batch of events, signed.
func (h *house) sendGridPosts(s *delivertest.Signer, events ...map[string]any) {
	h.t.Helper()
	body, err := json.Marshal(events)
	if err != nil {
		h.t.Fatal(err)
	}
	timestamp, signature, err := s.Sign(body, h.now())
	if err != nil {
		h.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, h.app.address("webhooks")+"/callbacks/sendgrid/events", bytes.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set(email.TimestampHeader, timestamp)
	r.Header.Set(email.SignatureHeader, signature)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusNoContent {
		h.t.Fatalf("the answer is %d", answer.StatusCode)
	}
}

// TestAMailFromTheCallToItsBounce: the customer's mail is theirs and the copies', colleagues have their own; both come from the sender of the source that had
// the call. SendGrid says what became of each, an address that came back gets no more, until somebody has it written to again.
func TestAMailFromTheCallToItsBounce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "account.yaml"), []byte(mailsYAML), 0o600); err != nil {
		t.Fatal(err)
	}
	signer, err := delivertest.NewSigner()
	if err != nil {
		t.Fatal(err)
	}
	h := newHouseAt(t, dir, http.NotFoundHandler(), time.Now, func(s *settings) { s.WebhookSecond, err = email.ParseKey(signer.Public) })
	if err != nil {
		t.Fatal(err)
	}
	const ann = "ann@example.com"
	inOrder := func(all []store.StoryDelivery) []store.StoryDelivery { // the customer's first
		slices.SortFunc(all, func(a, b store.StoryDelivery) int { return strings.Compare(a.Recipient, b.Recipient) })
		return all
	}
	call := func(id, source string) (string, []store.StoryDelivery) {
		t.Helper()
		body := fmt.Appendf(nil, `{"id": %q, "agent": {"id": "reception", "name": "Reception"}, "channel": "phone", "direction": "inbound", "status": "completed",
			"started_at": "2026-11-20T14:50:00Z", "ended_at": %q, "customer": {"name": "Ann", "email": %q}, "turns": [{"role": "customer", "text": "Hello."}]}`,
			id, time.Now().UTC().Format(time.RFC3339), ann)
		p := parcel{url: h.app.address("webhooks") + "/v1/conversations", key: h.key, body: body}
		if source != "" {
			p = parcel{url: h.app.address("webhooks") + "/hooks/" + source, scheme: "native", secret: houseSecret, body: body}
		}
		answer, err := p.post(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var a struct {
			ConversationID string `json:"conversation_id"`
		}
		if err := json.Unmarshal(answer, &a); err != nil {
			t.Fatal(err)
		}
		return a.ConversationID, inOrder(h.final(a.ConversationID).Deliveries)
	}

	id, first := call("c1", "berlin")
	type letter struct {
		From, ReplyTo string
		To, CC        []string
	}
	var got []letter
	for _, m := range h.mail.Mails() {
		slices.Sort(m.CC)
		slices.Sort(m.To)
		got = append(got, letter{m.From, m.ReplyTo, m.To, m.CC})
	}
	slices.SortFunc(got, func(a, b letter) int { return len(a.To) - len(b.To) })
	want := []letter{{"berlin@acme.example", "maria@acme.example", []string{ann}, []string{"desk@acme.example"}},
		{"berlin@acme.example", "maria@acme.example", []string{"boss@acme.example", "maria@acme.example"}, nil}}
	if diff := cmp.Diff(want, got); diff != "" || len(first) != 2 {
		t.Fatalf("the mails (-want +got):\n%s\n%+v", diff, first)
	}

	event := func(id, kind, address string, at time.Time) map[string]any {
		return map[string]any{"event": kind, "type": "bounce", "reason": "550 5.1.1 unknown", "email": address, "timestamp": at.Unix(), "sg_event_id": kind + id, "delivery_id": id}
	}
	before := time.Now().Add(-time.Minute)
	back := event(first[0].ID, "bounce", ann, before)
	h.sendGridPosts(signer, event(first[1].ID, "delivered", "maria@acme.example", before), back)
	states := func(_ string, all []store.StoryDelivery) (s []string) {
		for _, d := range all {
			s = append(s, string(d.State)+" "+string(d.Reason))
		}
		return s
	}
	if diff := cmp.Diff([]string{"failed ", "delivered "}, states(id, inOrder(h.story(id).Deliveries))); diff != "" {
		t.Errorf("after SendGrid's word (-want +got):\n%s", diff)
	}
	sent := len(h.mail.Mails())
	if diff := cmp.Diff([]string{"skipped " + string(reason.Bounced), "sent "}, states(call("c2", ""))); diff != "" {
		t.Errorf("the next call's (-want +got):\n%s", diff)
	}
	if all := h.mail.Mails(); len(all) != sent+1 || all[sent].From != "calls@acme.example" {
		t.Errorf("a call of no source comes from %q, and %d mails went out", all[len(all)-1].From, len(all)-sent)
	}

	base := map[string]string{"DATABASE_URL": h.url}
	for n, c := range []struct {
		args []string
		code int
	}{
		{[]string{"acme", "email", ann}, 0}, {[]string{"acme", "email", ann}, 1}, {[]string{"umbra", "email", ann}, 1}, {[]string{"acme", "email", "ann"}, 1},
		{[]string{"acme", "chatter", ann}, 2}, {[]string{"acme", ann}, 2}, {[]string{"acme", "sms", "+447700900123"}, 1},
	} {
		if code, out := cli(t, base, append([]string{"unsuppress"}, c.args...)...); code != c.code {
			t.Errorf("unsuppress %d: exit %d, want %d: %s", n, code, c.code, out)
		}
	}
	h.sendGridPosts(signer, back) // once more, of the time before
	if diff := cmp.Diff([]string{"sent ", "sent "}, states(call("c3", ""))); diff != "" {
		t.Errorf("after it was lifted (-want +got):\n%s", diff)
	}
}
