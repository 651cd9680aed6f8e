package main

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"aftercall/deliver/delivertest"
	"aftercall/internal/store"
)

// mailConfig sends one mail about each call, without a model.
const mailConfig = `account: acme
name: Acme Clinic
timezone: Europe/London
from: { email: calls@acme.example }
allow: { domains: [acme.example] }
automations:
  - id: every-call
    when: always
    actions: [ { email: { to: [log@acme.example], subject: "Call", body: "A call came in." } } ]
`

// TestPuttingACallRightByHand: settle a mail of which nobody knows, send it again, and decide the call anew.
func TestPuttingACallRightByHand(t *testing.T) {
	t.Parallel()
	h := newHouseAt(t, writeAccount(t, mailConfig), http.NotFoundHandler(), time.Now)                  // the verbs have the true time
	h.mail.Fail(func(int, delivertest.Mail) delivertest.Fault { return delivertest.Fault{Cut: true} }) // its answer is lost
	id := h.postCall([]byte(downCallNumber(1)))
	h.drained()
	h.mail.Fail(nil)
	story := func() store.Story {
		t.Helper()
		s, err := h.app.db.Story(t.Context(), "acme", id)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	first := story().Deliveries[0]
	if first.State != store.Unknown {
		t.Fatalf("the mail is %s", first.State)
	}
	base := map[string]string{"DATABASE_URL": h.url}
	ends := func(code int, wants string, args ...string) string {
		t.Helper()
		got, out := cli(t, base, args...)
		if got != code || !regexp.MustCompile(wants).MatchString(out) {
			t.Errorf("%s ends with %d:\n%s\nwant %d and %q", strings.Join(args, " "), got, out, code, wants)
		}
		return out
	}
	ends(0, "would go out|skipped: sent_before It is unknown in run 1", "replay", "call-1")
	ends(0, "0 would go out", "replay", "call-1")
	ends(2, "settle DELIVERY sent", "settle", first.ID, "lost")
	ends(1, "there is no such thing", "settle", id, "failed")
	ends(0, "is settled as failed", "settle", first.ID, "failed")
	ends(1, "It is failed", "settle", first.ID, "sent")
	ends(0, "1 would go out; with --send they do", "replay", "call-1")
	ends(0, "would be captured", "replay", "--sandbox", "--active", "call-1")
	ends(0, "run 2 of conversation "+id+" is asked for", "replay", "--send", "call-1")
	h.drained()
	last := func() (last store.StoryDelivery) { // ids grow with time
		t.Helper()
		for _, x := range story().Deliveries {
			if x.ID > last.ID {
				last = x
			}
		}
		return last
	}
	second := last()
	if second.Run != 2 || second.State != store.Sent {
		t.Errorf("run %d sent: %s", second.Run, second.State)
	}
	out := ends(0, "planned again as delivery [0-9a-f-]{36}", "resend", second.ID)
	h.drained()
	if n := len(h.mail.Mails()); n != 3 { // the first was taken, and its answer lost
		t.Errorf("%d mails were taken", n)
	}
	if again := last(); !strings.Contains(out, again.ID) || again.ResendOf != second.ID {
		t.Errorf("resend named %s, the last is %s", out, again.ID)
	}
	ends(0, `run 2: replay of run 1, by .*: done`, "why", "call-1")
	ends(0, "^nothing waits of conversation "+id, "cancel", "call-1")
	h.mail.Fail(func(int, delivertest.Mail) delivertest.Fault {
		return delivertest.Fault{Status: http.StatusServiceUnavailable}
	})
	ends(0, "planned again", "resend", last().ID)
	for last().State != store.Retrying {
		if t.Context().Err() != nil || last().State == store.Failed || last().State == store.Unknown {
			t.Fatalf("the mail is %s", last().State)
		}
	}
	ends(0, "^delivery "+last().ID+" is called off\nnothing waits", "cancel", "call-1")
	ends(1, "there is no such thing", "cancel", "call-2")
	ends(2, "name one conversation", "cancel")
}
