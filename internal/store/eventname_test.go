package store_test

import (
	"testing"

	"github.com/google/uuid"

	"aftercall/conversation"
	"aftercall/internal/store"
)

// TestAListNamesAnEvent by its type and where in the call it was, and finds it by the id it came under; a call has none of these.
func TestAListNamesAnEvent(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	c := phoneCall("event:msg_9")
	c.Event, c.Turns, c.Metadata = &conversation.Event{Type: "call.reached", Call: "c1"}, []conversation.Turn{}, map[string]any{"point": "front-desk"}
	event := h.accept(t, h.arrival(c)).ConversationID
	call := h.accept(t, h.arrival(phoneCall("c1"))).ConversationID
	for search, want := range map[string][3]string{"msg_9": {event, "call.reached", "front-desk"}, "event:msg_9": {event, "call.reached", "front-desk"}, "c1": {call, "", ""}} {
		rows, _, err := h.Conversations(t.Context(), store.ConversationQuery{Search: search})
		if err != nil || len(rows) != 1 || [3]string{rows[0].ID, rows[0].Event, rows[0].Point} != want {
			t.Errorf("%s finds %+v, %v", search, rows, err)
		}
	}
	for external, id := range map[string]string{"event:msg_9": event, "c1": call} {
		p := h.plan(id, 1)
		h.save(t, p)
		h.exec(t, `INSERT INTO captured (id, account_id, delivery_id, attempt, conversation_id, external_id, automation, channel, recipients, subject, text, html, fields, test)
			VALUES ($1, 'acme', $4, 1, $2, $3, 'a', 'email', '', '', '', '', '{}', false)`, uuid.NewString(), id, external, p.Deliveries[0].ID)
	}
	for _, channel := range []string{"", "email"} {
		kept, _, err := h.CapturedMessages(t.Context(), "acme", channel, "", 10)
		if err != nil || len(kept) != 2 {
			t.Fatalf("%+v, %v", kept, err)
		}
		for _, m := range kept {
			one, err := h.CapturedMessage(t.Context(), m.ID)
			if of := m.ConversationID == event; err != nil || (m.Event == "call.reached") != of || (m.Point == "front-desk") != of || one.Event != m.Event || one.Point != m.Point {
				t.Errorf("captured: %+v, alone %+v, %v", m, one, err)
			}
		}
	}
}
