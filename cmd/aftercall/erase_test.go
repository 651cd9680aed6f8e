package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aftercall/deliver/delivertest"
	"aftercall/internal/chaos/checker"
	"aftercall/internal/store"
)

// toldConfig writes what was said, and who said it, into everything an automation can do.
const toldConfig = `account: acme
name: Acme Clinic
timezone: Europe/London
from: { email: "calls@acme.example", sms: "+442071838750" }
allow: { domains: [acme.example], contacts: true }
people: { maria: { name: Maria Lopez, phone: "+447700900987" } }
variables:
  dyn_wish: { type: text, ask: "What the customer would like" }
  dyn_day: { type: text, ask: "The day the customer wants" }
automations:
  - id: told
    when: { ask: "Did the customer say what they would like?" }
    actions:
      - email: { to: ["{{customer_email}}", desk@acme.example], subject: "{{customer_name}}", body: "{{customer_number}}: {{dyn_wish}}, {{conversation_summary}}" }
      - email: { to: ["{{customer_email}}"], subject: "Your day", body: "We look forward to {{dyn_day}}, {{customer_name}}." }
      - email: { send: { after: 10d }, to: [desk@acme.example], subject: "Later", body: "Ask {{customer_name}} again." }
      - sms: { to: [maria], body: "{{customer_name}}: {{dyn_wish}}" }
      - chatter: { target: { group: Service desk }, message: "{{customer_name}} would like {{dyn_wish}}" }
      - team_alert: { text: "{{customer_name}} would like {{dyn_wish}}" }
      - task: { title: "Call {{customer_number}} back", description: "{{dyn_wish}}" }
  - id: complained
    when: { ask: "Did the customer complain?" }
    actions: [ { task: { title: "See to it" } } ]
`

// The canary is in everything that the customer says or is; nobody else has it, nor the end of the number.
const (
	canary       = `qxzana|700900456`
	canaryNumber = "07700 900456"
)

// toldCall is a call of which everything that is the customer's holds a canary.
func toldCall(id, at string) []byte {
	return []byte(fmt.Sprintf(`{"id": "%s", "agent": {"id": "a", "name": "A"}, "channel": "phone", "direction": "inbound", "status": "completed",
 "started_at": "%s", "ended_at": "%s", "from_number": "+447700900456", "to_number": "+442071838750",
 "customer": {"name": "Qxzana Ruiz", "email": "Qxzana@example.org", "crm_record_id": "qxzana-7"}, "url": "https://calls.acme.example/qxzana",
 "queue": "qxzana", "note": "Asked for by qxzana", "metadata": {"key": "qxzana"},
 "turns": [{"role": "agent", "text": "How can I help?"}, {"role": "customer", "text": "I want the qxzana roof mended, please."}]}`, id, at, at))
}

// tellingModel answers with the customer's words, in evidence, values and a quote that does not hold.
func tellingModel(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	completion(w, `{"automations":{"told":{"evidence":[{"turn":2,"quote":"I want the qxzana roof mended"}],"verdict":"yes"},
"complained":{"evidence":[{"turn":2,"quote":"I want the qxzana roof mended"}],"verdict":"no"}},
"variables":[{"name":"dyn_wish","turn":2,"quote":"the qxzana roof mended","value":"the qxzana roof mended"}],
"summary":"Qxzana wants a roof mended."}`)
}

// customerHouse is one in which the customer has called: with a message that waits, one that is held, one that the provider puts off,
// a webhook that came twice, and an event during the call.
func customerHouse(t *testing.T) (h *house, id string) {
	t.Helper()
	capture := func(s *settings) { s.Salesforce = salesforce{} } // what goes to a channel without credentials is kept
	h = newHouseAt(t, writeAccount(t, toldConfig), http.HandlerFunc(tellingModel), time.Now, capture)
	h.mail.Fail(func(_ int, m delivertest.Mail) delivertest.Fault {
		if strings.Contains(m.Subject, "Qxzana") && strings.HasPrefix(m.To[0], "desk@") {
			return delivertest.Fault{Status: http.StatusTooManyRequests}
		}
		return delivertest.Fault{}
	})
	now := time.Now().UTC().Format(time.RFC3339)
	call := toldCall("qxzana-1", now)
	h.postTo("/v1/events", []byte(fmt.Sprintf(`{"type":"call.started","conversation":"qxzana-1","at":"%s","data":{"from":"+447700900456"}}`, now)))
	h.postTo("/v1/events", []byte(fmt.Sprintf(`{"type":"call.missed","at":"%s","data":{"from":"+44 7700 900456"}}`, now)))
	id = h.postCall(call)
	h.until(id, func(s store.Story) bool {
		n := tally(s)
		return s.State == store.StateDecided && n[store.Retrying] == 1 && n[store.Held] == 1 && n[store.Planned] == 1 && n[store.Sending] == 0
	})
	if status := h.postTo("/v1/conversations", bytes.Replace(call, []byte("please"), []byte("now"), 1)); status != http.StatusConflict {
		t.Fatalf("the same call with another body: %d", status)
	}
	return h, id
}

// postTo posts a body as the account does, and gives the status.
func (h *house) postTo(path string, body []byte) int {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, h.app.address("webhooks")+path, bytes.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+h.key)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	return res.StatusCode
}

// TestEraseCustomer: a call fills every table that the data map says a caller's data stands in; it is erased by the number
// in another format; then no column of any table holds a trace of it, it stays so when everything is posted again, and
// nothing is sent any more.
func TestEraseCustomer(t *testing.T) {
	t.Parallel()
	h, id := customerHouse(t)
	c, err := checker.Open(t.Context(), h.url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	holdsAsMapped(t, c)
	base := map[string]string{"DATABASE_URL": h.url}
	wants(t, base, 0, []string{"account acme: 1 conversation\n", id, "with 3 events, 1 model calls, 2 decisions, 1 tasks", "3 still to be sent"},
		"erase", "--dry-run", "--customer", canaryNumber)
	wants(t, base, 1, []string{"Type erase to go on", "nothing was erased"}, "erase", "--customer", canaryNumber)
	h.story(id)
	wants(t, base, 0, []string{"erased: 1 conversations"}, "erase", "--yes", "--customer", canaryNumber)
	sent := len(h.mail.Mails())
	nowhere(t, c)
	now := time.Now().UTC().Format(time.RFC3339)
	for range 2 {
		if status := h.postTo("/v1/conversations", toldCall("qxzana-1", now)); status != http.StatusOK {
			t.Errorf("posted again: %d", status)
		}
	}
	h.drained()
	nowhere(t, c)
	if n := len(h.mail.Mails()); n != sent {
		t.Errorf("%d mails went out after the customer was erased", n-sent)
	}
	wants(t, base, 1, []string{"was erased on", "(customer)"}, "why", id)
	wants(t, base, 1, []string{"nothing to erase"}, "erase", "--yes", "--customer", canaryNumber)
	wants(t, base, 0, []string{"balanced: 0 events, 0 conversations", "1 erased"}, "audit")
}

// nowhere fails the test if anything of the customer stands anywhere.
func nowhere(t *testing.T, c *checker.Checker) {
	t.Helper()
	found, err := c.Holding(t.Context(), canary)
	if err != nil {
		t.Fatal(err)
	}
	for column, n := range found {
		t.Errorf("%d rows hold something of the customer in %s.%s", n, column.Table, column.Name)
	}
}

func (h *house) story(id string) store.Story {
	h.t.Helper()
	s, err := h.app.db.Story(context.Background(), "acme", id)
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

// TestEraseWhileItIsSent: a customer is erased while the provider keeps a message of theirs waiting. Erasing waits for its
// answer; after it nothing more goes out, also where the answer was to come again.
func TestEraseWhileItIsSent(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusAccepted, http.StatusTooManyRequests, http.StatusServiceUnavailable} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			h := newHouseAt(t, writeAccount(t, downConfig), http.HandlerFunc(reader), time.Now)
			answer, asked := make(chan struct{}), make(chan struct{}, 16)
			h.mail.Fail(func(int, delivertest.Mail) delivertest.Fault {
				asked <- struct{}{}
				<-answer
				if status == http.StatusAccepted {
					return delivertest.Fault{}
				}
				return delivertest.Fault{Status: status}
			})
			id := h.postCall([]byte(downCallNumber(1)))
			<-asked
			ended := make(chan string)
			go func() {
				_, out := cli(t, map[string]string{"DATABASE_URL": h.url}, "erase", "--yes", id)
				ended <- out
			}()
			select {
			case out := <-ended:
				t.Errorf("erased under a message that is being sent: %s", out)
			case <-time.After(time.Second): // it waits; nothing tells so but that it does not end
			}
			close(answer)
			if out := <-ended; !strings.Contains(out, "erased: 1 conversations") {
				t.Errorf("erase says: %s", out)
			}
			requests := h.mail.Requests()
			h.drained()
			if n := h.mail.Requests(); n != requests {
				t.Errorf("%d requests to the provider after the call was erased", n-requests)
			}
		})
	}
}

// TestRetention: an account that keeps its calls for ninety days has none a hundred days later, and its neighbour, which says
// nothing about it, has its own.
func TestRetention(t *testing.T) {
	t.Parallel()
	h := newHouseAt(t, writeAccount(t, strings.Replace(downConfig, "name: Acme", "retention: { days: 90 }\nname: Acme", 1)), http.HandlerFunc(reader), time.Now)
	other := writeAccount(t, strings.Replace(downConfig, "account: acme", "account: other", 1))
	if err := activate(context.Background(), h.app.db, slog.New(slog.DiscardHandler), other); err != nil {
		t.Fatal(err)
	}
	if err := h.app.revisions.Refresh(context.Background()); err != nil {
		t.Fatal(err)
	}
	theirs, err := addKey(context.Background(), h.app.db, "other")
	if err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		h.final(h.postCall([]byte(downCallNumber(n))))
	}
	ours := h.key
	h.key = theirs
	kept := h.postCall([]byte(downCallNumber(1)))
	h.key = ours
	h.drained()
	var later atomic.Int64
	later.Store(int64(100 * 24 * time.Hour))
	twin, err := assemble(context.Background(), assembly{
		settings: settings{DatabaseURL: secret(h.url), OpenAIBaseURL: h.model.URL + "/v1", Model: "scripted"},
		role:     role{work: true}, log: slog.New(slog.DiscardHandler),
		now: func() time.Time { return time.Now().Add(time.Duration(later.Load())) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := twin.start(context.Background()); err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for began := time.Now(); ; <-tick.C {
		sum, _, err := h.app.db.Audit(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if sum.Erased == 3 && sum.Conversations == 1 {
			break
		}
		if time.Since(began) > 20*time.Second {
			t.Fatalf("a hundred days later: %+v", sum)
		}
	}
	if err := twin.stop(); err != nil {
		t.Error(err)
	}
	if _, err := h.app.db.Story(context.Background(), "other", kept); err != nil {
		t.Errorf("the neighbour's call: %v", err)
	}
}

// TestEraseAsks: nothing is erased before somebody who is asked says so in a word that nobody types by chance.
func TestEraseAsks(t *testing.T) {
	t.Parallel()
	h := newHouse(t, writeAccount(t, downConfig), http.HandlerFunc(reader))
	id := h.postCall([]byte(downCallNumber(1)))
	h.final(id)
	for _, answer := range []string{"", "\n", "y\n", "yes\n", "no\n"} {
		var out bytes.Buffer
		c := &console{in: strings.NewReader(answer), out: &out, err: &out, getenv: env(map[string]string{"DATABASE_URL": h.url})}
		if code := run(t.Context(), c, []string{"erase", "call-1"}); code != 1 || !strings.Contains(out.String(), "nothing was erased") {
			t.Errorf("%q ends with %d: %s", answer, code, out.String())
		}
	}
	h.story(id)
	var out bytes.Buffer
	c := &console{in: strings.NewReader("erase"), out: &out, err: &out, getenv: env(map[string]string{"DATABASE_URL": h.url})}
	if code := run(t.Context(), c, []string{"erase", "call-1"}); code != 0 || !strings.Contains(out.String(), "erased: 1 conversations") {
		t.Errorf("erase ends with %d: %s", code, out.String())
	}
	base := map[string]string{"DATABASE_URL": h.url}
	wants(t, base, 2, []string{"usage: aftercall erase"}, "erase")
	wants(t, base, 2, []string{"usage: aftercall erase"}, "erase", "--customer", "+447700900456", "call-1")
	wants(t, base, 1, []string{"neither a phone number nor an e-mail address"}, "erase", "--customer", "Ann")
	wants(t, base, 1, []string{"there is no conversation"}, "erase", "call-1")
}
