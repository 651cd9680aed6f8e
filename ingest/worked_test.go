package ingest_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercall/deliver/capture"
	"aftercall/ingest"
	"aftercall/internal/llm"
	"aftercall/internal/store"
	"aftercall/interview"
	"aftercall/reason"
	"aftercall/worker"
)

// unasked is a model that must not be asked: of what has not been said yet there is nothing to read.
type unasked struct{ t *testing.T }

func (u unasked) Complete(context.Context, llm.Request) (llm.Reply, error) {
	u.t.Error("a model was asked about an event")
	return llm.Reply{}, &llm.Error{Kind: llm.Spent}
}

const worked = `account: acme
name: Acme
timezone: Europe/London
from: { email: calls@acme.example }
allow: { domains: [acme.example] }
sources:
  - { id: acme-itellico, type: itellico, secret: "${ENV:SECRET_NEW}" }
  - { id: acme-retell, type: retell, secret: "${ENV:SECRET_NEW}" }
  - { id: acme-vapi, type: vapi, secret: "${ENV:SECRET_NEW}" }
  - { id: acme-eleven, type: elevenlabs, secret: "${ENV:SECRET_NEW}", events: [post_call_audio] }
  - { id: acme-kazoo, type: kazoo, secret: "${ENV:SECRET_NEW}" }
  - { id: acme-aircall, type: aircall, secret: "${ENV:SECRET_NEW}" }
automations:
`

// line is a house in which some workers decide and send what is posted.
type line struct {
	*testing.T
	*house
}

// decide opens a house with these automations and that many workers.
func decide(t *testing.T, automations string, workers int) *line {
	t.Helper()
	var revisions *worker.Revisions
	h := open(t, func(c *ingest.Config) { revisions = c.Revisions })
	h.activate(t, "acme", worked+automations)
	if err := revisions.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range workers {
		w, err := worker.New(worker.Config{Store: h.store, Revisions: revisions, Capture: capture.New(h.store), Logger: slog.New(slog.DiscardHandler),
			Interviewer: interview.NewInterviewer(unasked{t}, h.store, interview.Limits{})})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := w.Stop(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	return &line{T: t, house: h}
}

// event is the body of an event; data is the inner part of an object.
func event(kind, call, data string, at time.Time) []byte {
	of := ""
	if call != "" {
		of = fmt.Sprintf(`"conversation":%q,`, call)
	}
	return fmt.Appendf(nil, `{"type":%q,%s"data":{%s},"at":%q}`, kind, of, data, at.UTC().Format(time.RFC3339Nano))
}

// happens posts an event and gives our id of its conversation.
func (l *line) happens(body []byte) string {
	l.Helper()
	a := l.post(l.T, "/v1/events", bearer(apiKey), body)
	if a.status != 200 || a.said.Ignored || a.said.Duplicate || a.said.ConversationID == "" {
		l.Fatalf("an event that is waited for: %d %s", a.status, a.raw)
	}
	return a.said.ConversationID
}

// until waits for a state of a conversation; the database is where the state is, so it is asked again and again.
func (l *line) until(id string, done func(store.Story) bool) store.Story {
	l.Helper()
	ctx, cancel := context.WithTimeout(l.Context(), time.Minute)
	defer cancel()
	for {
		s, err := l.store.Story(ctx, "acme", id)
		if err != nil {
			l.Fatalf("conversation %s does not get there: %v", id, err)
		}
		if done(s) {
			return s
		}
	}
}

func decided(s store.Story) bool { return s.State == store.StateDecided }

func all(state store.DeliveryState) func(store.Story) bool {
	return func(s store.Story) bool {
		for _, d := range s.Deliveries {
			if d.State != state {
				return false
			}
		}
		return decided(s) && len(s.Deliveries) > 0
	}
}

// reasons are the reasons of a story's decisions.
func reasons(s store.Story) map[string]reason.Code {
	all := map[string]reason.Code{}
	for _, d := range s.Decisions {
		all[d.Automation] = d.Reason
	}
	return all
}

// count counts rows.
func (l *line) count(sql string, args ...any) (n int) {
	l.Helper()
	if err := l.store.Pool().QueryRow(l.Context(), sql, args...).Scan(&n); err != nil {
		l.Fatal(err)
	}
	return n
}

const midCall = `
  - id: vip
    on: call.reached
    when: { point: vip-menu }
    actions: [ { email: { send: now, to: [desk@acme.example], subject: "{{customer_number}} at {{metadata.point}}, {{conversation_uuid}}" } } ]
  - id: begun
    on: call.started
    agents: [reception]
    actions: [ { team_alert: { send: now, text: "A call for {{agent_name}}" } } ]
  - id: mail
    on: kazoo.notification
    when: { calls: { metadata: { template_id: vip, send_at: callflow_exec } } }
    actions: [ { email: { send: now, to: [desk@acme.example], subject: "{{metadata.comments}}" } } ]
  - id: late
    on: order.late
    attempts: retries
    actions: [ { email: { to: [desk@acme.example], subject: "Order {{metadata.order}}" } } ]
  - id: after
    when: always
    actions: [ { email: { to: [desk@acme.example], subject: "Over" } } ]
`

// TestEventsAreDecidedWhileTheCallGoesOn: nothing is read, each pair has its reason, and what fires goes out at once.
func TestEventsAreDecidedWhileTheCallGoesOn(t *testing.T) {
	t.Parallel()
	l, at := decide(t, midCall, 1), time.Now()
	const other = reason.WrongEvent
	for name, c := range map[string]struct {
		body    []byte
		reasons map[string]reason.Code
		subject string
	}{
		"a point": {event("call.reached", "c-1", `"point":"vip-menu","from_number":"+442071838750","agent":{"id":"reception"}`, at),
			map[string]reason.Code{"vip": reason.Always, "begun": other, "mail": other, "late": other, "after": other}, "+442071838750 at vip-menu, c-1"},
		"another point": {event("call.reached", "c-1", `"point":"menu"`, at),
			map[string]reason.Code{"vip": reason.FilteredMetadata, "begun": other, "mail": other, "late": other, "after": other}, ""},
		"another agent": {event("call.started", "c-1", `"agent":{"id":"sales"}`, at),
			map[string]reason.Code{"vip": other, "begun": reason.FilteredAgent, "mail": other, "late": other, "after": other}, ""},
		"Kazoo's callflow": {event("kazoo.notification", "c-1", `"recipients":[{"id":"a@b.example","type":"email"}],"template_id":"vip","send_at":"callflow_exec","comments":"Hello"`, at),
			map[string]reason.Code{"vip": other, "begun": other, "mail": reason.Always, "late": other, "after": other}, "Hello"},
		"data, the first time": {event("order.late", "", `"order":7`, at),
			map[string]reason.Code{"vip": other, "begun": other, "mail": other, "late": reason.WrongAttempt, "after": other}, ""},
		"data, again": {fmt.Appendf(nil, `{"type":"order.late","id":"o-8","attempt":2,"data":{"order":8},"at":%q}`, at.UTC().Format(time.RFC3339Nano)),
			map[string]reason.Code{"vip": other, "begun": other, "mail": other, "late": reason.Always, "after": other}, "Order 8"},
	} {
		s := l.until(l.happens(c.body), func(s store.Story) bool { return decided(s) && (c.subject == "" || all(store.Sent)(s)) })
		if diff := cmp.Diff(c.reasons, reasons(s)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		var subject string
		for _, d := range s.Deliveries {
			subject += d.Content.Subject
		}
		if subject != c.subject {
			t.Errorf("%s: %q was sent, want %q", name, subject, c.subject)
		}
		if a := l.post(t, "/v1/events", bearer(apiKey), c.body); a.status != 200 || !a.said.Duplicate || a.said.ConversationID != s.Conversation.ID {
			t.Errorf("%s, again: %d %s", name, a.status, a.raw)
		}
	}
	if n := l.count(`SELECT count(*) FROM deliveries`); n != 3 {
		t.Errorf("%d deliveries, want 3", n)
	}
	if a := l.post(t, "/v1/events", bearer(apiKey), event("call.parked", "c-1", "", at)); a.status != 200 || !a.said.Ignored || a.said.ConversationID != "" {
		t.Errorf("an event that nothing waits for: %d %s", a.status, a.raw)
	}
	if a := l.post(t, "/v1/events", bearer(apiKey), event("call.reached", "c-1", `"s":"\u0000"`, at.Add(time.Second))); a.status != 400 ||
		len(a.said.Errors) == 0 || a.said.Errors[0].Pointer != "/data/s" {
		t.Errorf("data that cannot be kept: %d %s", a.status, a.raw)
	}
}

// TestAttemptsAreEventsOfTheirOwn: what is tried again is posted with the time of the matter as often as with its own.
func TestAttemptsAreEventsOfTheirOwn(t *testing.T) {
	t.Parallel()
	l, at := decide(t, midCall, 1), time.Now().UTC().Format(time.RFC3339Nano)
	for attempt, want := range map[int]reason.Code{1: reason.WrongAttempt, 2: reason.Always, 3: reason.Always} {
		id := l.happens(fmt.Appendf(nil, `{"type":"order.late","conversation":"o-8","attempt":%d,"data":{"order":8},"at":%q}`, attempt, at))
		if got := reasons(l.until(id, decided))["late"]; got != want {
			t.Errorf("attempt %d: %s, want %s", attempt, got, want)
		}
	}
	l.wantRows(t, 3, 3, 3, 0)
}

// TestAPlatformsOwnEventIsDecided: under the platform's own name for it, with what it tells of the call so far.
func TestAPlatformsOwnEventIsDecided(t *testing.T) {
	t.Parallel()
	l := decide(t, `
  - id: ringing
    on: call_started
    actions: [ { cti: { send: now, text: "{{customer_number}} for {{metadata.plan}}" } } ]
  - id: begun
    on: conversation.started
    actions: [ { email: { send: now, to: [desk@acme.example], subject: "{{agent_name}}" } } ]
  - id: answered
    on: status-update
    when: { calls: { metadata: { status: in-progress } } }
    actions: [ { cti: { send: now, text: "{{customer_number}} is on the line" } } ]
`, 1)
	for _, status := range []string{"queued", "ringing"} {
		body := fmt.Appendf(nil, `{"message":{"type":"status-update","status":%q,"call":{"id":"v-1"}}}`, status)
		a := l.post(t, "/hooks/acme-vapi", l.signed(t, "vapi", secretNew, body), body)
		if a.status != 200 || a.said.Duplicate {
			t.Fatalf("%s: %d %s", status, a.status, a.raw)
		}
		if got := reasons(l.until(a.said.ConversationID, decided))["answered"]; got != reason.FilteredMetadata {
			t.Errorf("%s: %s", status, got)
		}
	}
	for path, c := range map[string]struct{ kind, body, text string }{
		"/hooks/acme-retell": {"retell", `{"event":"call_started","call":{"call_id":"r-1","agent_id":"a-1","call_type":"phone_call","direction":"inbound","from_number":"+442071838750",
			"to_number":"+442071838751","start_timestamp":1772443925000,"retell_llm_dynamic_variables":{"plan":"gold"}}}`, "+442071838750 for gold"},
		"/hooks/acme-itellico": {"itellico", `{"event_id":"e-0","event_type":"conversation.started","data":{"conversation_uuid":"i-1","agent_uuid":"a-1","agent_name":"Reception","channel":"phone"}}`, "Reception"},
		"/hooks/acme-vapi": {"vapi", `{"message":{"type":"status-update","status":"in-progress","call":{"id":"v-1","type":"inboundPhoneCall","customer":{"number":"+442071838750"}}}}`,
			"+442071838750 is on the line"},
	} {
		a := l.post(t, path, l.signed(t, c.kind, secretNew, []byte(c.body)), []byte(c.body))
		if a.status != 200 || a.said.Ignored || a.said.ConversationID == "" {
			t.Fatalf("%s: %d %s", path, a.status, a.raw)
		}
		s := l.until(a.said.ConversationID, all(store.Sent))
		if d := s.Deliveries[0]; d.Content.Subject+d.Content.Text != c.text && d.Content.Subject != c.text {
			t.Errorf("%s: %q %q was sent, want %q", path, d.Content.Subject, d.Content.Text, c.text)
		}
		if again := l.post(t, path, l.signed(t, c.kind, secretNew, []byte(c.body)), []byte(c.body)); !again.said.Duplicate {
			t.Errorf("%s, again: %s", path, again.raw)
		}
	}
	if n := l.count(`SELECT count(*) FROM deliveries`); n != 3 {
		t.Errorf("%d deliveries, want 3", n)
	}
}

// TestEventsOfNoCallAreDecidedEach: where a platform gives neither an id nor a call, only the same bytes are a repeat.
func TestEventsOfNoCallAreDecidedEach(t *testing.T) {
	t.Parallel()
	l := decide(t, `
  - id: welcomed
    on: contact.created
    actions: [ { email: { send: now, to: [desk@acme.example], subject: "{{metadata.event}}" } } ]
`, 1)
	decidedAs := map[string]bool{}
	for n, body := range []string{`{"event":"contact.created","data":{"id":1}}`, `{"event":"contact.created","data":{"id":2}}`, `{"event":"contact.created","data":{"id":1}}`} {
		a := l.post(t, "/hooks/acme-aircall/"+secretNew, nil, []byte(body))
		if a.status != 200 || a.said.ConversationID == "" || a.said.Duplicate != (n == 2) {
			t.Fatalf("%s: %d %s", body, a.status, a.raw)
		}
		l.until(a.said.ConversationID, all(store.Sent))
		decidedAs[a.said.ConversationID] = true
	}
	if len(decidedAs) != 2 {
		t.Errorf("%d were decided, want 2", len(decidedAs))
	}
}

// TestASecondLegIsNotDecided: Kazoo tells of each leg of a call. What an automation waits for is the call's, once.
func TestASecondLegIsNotDecided(t *testing.T) {
	t.Parallel()
	l := decide(t, `
  - id: answered
    on: channel_answer
    actions:
      - email: { send: now, to: [desk@acme.example], subject: "Now" }
      - email: { to: [desk@acme.example], subject: "At the end" }
`, 1)
	post := func(body string) answer {
		a := l.post(t, "/hooks/acme-kazoo/"+secretNew, nil, []byte(body))
		if a.status != 200 {
			t.Fatal(a.raw)
		}
		return a
	}
	for _, kind := range []string{"channel_answer", "channel_destroy"} {
		second := post(`{"hook_event":"` + kind + `","call_id":"k-2","other_leg_call_id":"k-1","call_direction":"outbound"}`)
		if !second.said.Ignored || second.said.ConversationID != "" {
			t.Errorf("%s of the second leg: %s", kind, second.raw)
		}
	}
	first := post(`{"hook_event":"channel_answer","call_id":"k-1","other_leg_call_id":"k-2","call_direction":"inbound"}`)
	post(`{"hook_event":"channel_destroy","call_id":"k-1","other_leg_call_id":"k-2","call_direction":"inbound"}`)
	l.until(first.said.ConversationID, all(store.Sent))
	if n := l.count(`SELECT count(*) FROM deliveries`); n != 2 {
		t.Errorf("%d deliveries, want 2", n)
	}
	if n := l.count(`SELECT count(*) FROM awaited_ends`); n != 0 {
		t.Errorf("%d wait for an end that does not come", n)
	}
}

const atTheEnd = `
  - id: vip
    on: call.reached
    actions:
      - email: { send: now, to: [desk@acme.example], subject: "Now" }
      - email: { to: [desk@acme.example], subject: "At the end" }
      - email: { send: { after: 10m }, to: [desk@acme.example], subject: "Later" }
`

// stateOf is the state of the delivery with a subject.
func stateOf(s store.Story, subject string) store.DeliveryState {
	for _, d := range s.Deliveries {
		if d.Content.Subject == subject {
			return d.State
		}
	}
	return ""
}
