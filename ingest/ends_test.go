package ingest_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercall/conversation"
	"aftercall/internal/store"
	"aftercall/reason"
)

// finished is a call that nobody took.
func finished(id string, at time.Time) []byte {
	c := conversation.Conversation{ExternalID: id, Agent: conversation.Agent{ID: "a"}, Channel: conversation.ChannelPhone, Direction: conversation.Inbound,
		Status: conversation.Failed, StartedAt: at.UTC(), EndedAt: at.UTC(), Turns: []conversation.Turn{}}
	body, err := json.Marshal(c)
	if err != nil {
		panic(err)
	}
	return body
}

// TestWhatWaitsForTheEndGoesOutWithIt: whether or not somebody took the call, and whichever of the two comes first.
func TestWhatWaitsForTheEndGoesOutWithIt(t *testing.T) {
	t.Parallel()
	l, at := decide(t, atTheEnd, 2), time.Now()
	waits := l.happens(event("call.reached", "c-1", "", at))
	s := l.until(waits, func(s store.Story) bool { return stateOf(s, "Now") == store.Sent })
	for _, d := range s.Deliveries {
		if d.Content.Subject == "At the end" && (d.State != store.Planned || d.Reason != reason.Waiting || d.Detail == "") {
			t.Errorf("before the end: %s, %s, %q", d.State, d.Reason, d.Detail)
		}
	}
	if _, id, err := l.store.FindConversation(t.Context(), "acme", "c-1"); err != nil || id != waits {
		t.Errorf("by the id of a call that goes on %s is found, %v; want its event %s", id, err, waits)
	}
	a := l.post(t, "/v1/conversations", bearer(apiKey), finished("c-1", at))
	if a.status != 200 {
		t.Fatal(a.raw)
	}
	late := l.happens(event("call.reached", "c-1", `"point":"queue"`, at))
	for _, id := range []string{waits, late} {
		s := l.until(id, func(s store.Story) bool { return stateOf(s, "At the end") == store.Sent })
		if later := stateOf(s, "Later"); later != store.Planned {
			t.Errorf("what is due in ten minutes is %s", later)
		}
	}
	if n := l.count(`SELECT count(*) FROM awaited_ends`); n != 0 {
		t.Errorf("%d still wait for an end that has come", n)
	}
	for id, want := range map[string][]string{a.said.ConversationID: {waits, late}, late: {waits, a.said.ConversationID}} {
		var beside []string
		for _, b := range l.until(id, decided).Beside {
			beside = append(beside, b.ID)
		}
		if diff := cmp.Diff(want, beside); diff != "" {
			t.Errorf("what belongs to the same call: %s", diff)
		}
	}
}

// TestACallflowSaysWhen: a callflow's send_at decides for an action that does not say itself, and a gate sees it though Kazoo left it out.
func TestACallflowSaysWhen(t *testing.T) {
	t.Parallel()
	l, at := decide(t, `
  - id: flow
    on: kazoo.notification
    actions:
      - email: { to: [desk@acme.example], subject: "Flow" }
      - email: { send: now, to: [desk@acme.example], subject: "Now" }
      - email: { send: call_end, to: [desk@acme.example], subject: "End" }
  - id: gated
    on: kazoo.notification
    when: { calls: { metadata: { send_at: channel_destroy } } }
    actions: [ { email: { to: [desk@acme.example], subject: "Gated" } } ]
`, 1), time.Now()
	for data, want := range map[string]map[string]store.DeliveryState{
		`"send_at":"callflow_exec"`:   {"Flow": store.Sent, "Now": store.Sent, "End": store.Planned, "Gated": ""},
		`"send_at":"channel_destroy"`: {"Flow": store.Planned, "Now": store.Sent, "End": store.Planned, "Gated": store.Planned},
		`"send_at":null`:              {"Flow": store.Planned, "Now": store.Sent, "End": store.Planned, "Gated": store.Planned},
		`"comments":"Hi"`:             {"Flow": store.Planned, "Now": store.Sent, "End": store.Planned, "Gated": store.Planned},
	} {
		id := l.happens(event("kazoo.notification", "call of "+data, `"recipients":[],`+data, at))
		s := l.until(id, func(s store.Story) bool {
			return stateOf(s, "Now") == store.Sent && (want["Flow"] != store.Sent || stateOf(s, "Flow") == store.Sent)
		})
		got := map[string]store.DeliveryState{}
		for subject := range want {
			got[subject] = stateOf(s, subject)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", data, diff)
		}
	}
}

// TestWhatIsCalledOffStaysSo: neither its time nor the end of the call sends it.
func TestWhatIsCalledOffStaysSo(t *testing.T) {
	t.Parallel()
	l, at := decide(t, atTheEnd, 1), time.Now()
	id := l.happens(event("call.reached", "c-1", "", at))
	s := l.until(id, func(s store.Story) bool { return stateOf(s, "Now") == store.Sent })
	for _, d := range s.Deliveries {
		if d.State == store.Planned {
			if err := l.store.CancelDelivery(t.Context(), store.Actor{Name: "Ann"}, "acme", d.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	if a := l.post(t, "/v1/conversations", bearer(apiKey), finished("c-1", at)); a.status != 200 {
		t.Fatal(a.raw)
	}
	// Another event of the call comes after it: once what waits of that one has gone out, the first one's turn is over.
	other := l.happens(event("call.reached", "c-1", `"point":"queue"`, at))
	l.until(other, func(s store.Story) bool { return stateOf(s, "At the end") == store.Sent })
	s = l.until(id, decided)
	for _, subject := range []string{"At the end", "Later"} {
		if state := stateOf(s, subject); state != store.Cancelled {
			t.Errorf("%s: %s, want it cancelled", subject, state)
		}
	}
	if n := l.count(`SELECT count(*) FROM awaited_ends`); n != 0 {
		t.Errorf("%d still wait", n)
	}
}

// TestNothingWaitsOfACallThatIsErased: neither what its end nor what an event of it led to; and the event is not taken again.
func TestNothingWaitsOfACallThatIsErased(t *testing.T) {
	t.Parallel()
	l, at := decide(t, atTheEnd+`
  - id: follow-up
    when: always
    actions: [ { email: { send: { after: 10m }, to: [desk@acme.example], subject: "Follow-up" } } ]
`, 1), time.Now()
	body := event("call.reached", "c-1", "", at)
	during := l.happens(body)
	l.until(during, func(s store.Story) bool { return stateOf(s, "Now") == store.Sent })
	a := l.post(t, "/v1/conversations", bearer(apiKey), finished("c-1", at))
	l.until(a.said.ConversationID, func(s store.Story) bool { return stateOf(s, "Follow-up") == store.Planned })
	by := store.Actor{Name: "Ann"}
	e, err := l.store.BeginErasure(t.Context(), by, "acme", store.CauseConversation)
	if err != nil {
		t.Fatal(err)
	}
	if left, err := l.store.Erase(t.Context(), e, []string{a.said.ConversationID}, time.Minute); err != nil || len(left) > 0 {
		t.Fatal(left, err)
	}
	for _, id := range []string{during, a.said.ConversationID} {
		if _, err := l.store.Story(t.Context(), "acme", id); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("conversation %s: %v, want it gone", id, err)
		}
	}
	if n := l.count(`SELECT (SELECT count(*) FROM deliveries) + (SELECT count(*) FROM awaited_ends) + (SELECT count(*) FROM beside_calls) +
		(SELECT count(*) FROM river_job WHERE kind = 'delivery.send' AND state IN ('available', 'scheduled', 'retryable'))`); n != 0 {
		t.Errorf("%d rows are left of what waited", n)
	}
	for name, again := range map[string][]byte{"the same": body, "another": event("call.reached", "c-1", `"point":"queue"`, at)} {
		if a := l.post(t, "/v1/events", bearer(apiKey), again); a.status != 200 || !a.said.Duplicate {
			t.Errorf("%s event of the erased call: %d %s", name, a.status, a.raw)
		}
	}
	if n := l.count(`SELECT count(*) FROM conversations`); n != 0 {
		t.Errorf("%d conversations after the erasure", n)
	}
}

// TestAnEventThatIsErasedAloneStaysSo: the call's other events are taken.
func TestAnEventThatIsErasedAloneStaysSo(t *testing.T) {
	t.Parallel()
	l, at := decide(t, atTheEnd, 1), time.Now()
	body := event("call.reached", "c-1", "", at)
	id := l.happens(body)
	l.until(id, func(s store.Story) bool { return stateOf(s, "Now") == store.Sent })
	e, err := l.store.BeginErasure(t.Context(), store.Actor{Name: "Ann"}, "acme", store.CauseConversation)
	if err != nil {
		t.Fatal(err)
	}
	if left, err := l.store.Erase(t.Context(), e, []string{id}, time.Minute); err != nil || len(left) > 0 {
		t.Fatal(left, err)
	}
	if a := l.post(t, "/v1/events", bearer(apiKey), body); a.status != 200 || !a.said.Duplicate {
		t.Errorf("the erased event: %d %s", a.status, a.raw)
	}
	l.happens(event("call.reached", "c-1", `"point":"queue"`, at))
}
