package dashboard

import (
	"bytes"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"aftercall/conversation"
	"aftercall/internal/store"
	"aftercall/people"
)

// TestAnEventIsNamedByWhatHappened in lists and titles, with its id beside it; a call is named by its customer.
func TestAnEventIsNamedByWhatHappened(t *testing.T) {
	t.Parallel()
	event := &conversation.Conversation{Event: &conversation.Event{Type: "call.reached"}, Metadata: map[string]any{"point": "front desk"}}
	for want, c := range map[string]*conversation.Conversation{
		"call.reached at front desk": event, "Unknown caller": {}, "Dana with Nadia": {Customer: conversation.Customer{Name: "Dana"}, Agent: conversation.Agent{Name: "Nadia"}},
		"call.missed, Dana": {Event: &conversation.Event{Type: "call.missed"}, Customer: conversation.Customer{Name: "Dana"}},
	} {
		if got := heading(c); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	of := func(string) names { return fixtureNames() }
	rows := []store.ConversationRow{{ID: "c-1", ExternalID: "event:msg_9", Event: "call.reached", Point: "07700 900123", CustomerNumber: "+447700900123"}, {ID: "c-2", ExternalID: "call-2"}}
	kept := []store.Captured{{ID: "m-1", ConversationID: "c-1", ExternalID: "event:msg_9", Event: "call.reached", Point: "07700 900123"}}
	maskRows(rows, people.Person{Name: "nobody"})
	maskCaptured(&kept[0])
	for name, page := range renderPages(t, map[string]answer{
		"calls":    {Template: "conversations", Title: "C", View: conversationList(fixtureListed("", "", ""), rows, "", of)},
		"captured": {Template: "captured_list", Title: "C", View: capturedRows("", "", "", kept, "", of)},
		"message":  {Template: "captured", Title: "C", View: capturedMessage(kept[0], fixtureNames())},
	}) {
		var b bytes.Buffer
		if err := html.Render(&b, page); err != nil {
			t.Fatal(err)
		}
		if got := b.String(); !strings.Contains(got, ">call.reached at ") || !strings.Contains(got, `<span class="sub break">msg_9</span>`) || strings.Contains(got, "900123") || strings.Contains(got, "event:msg") {
			t.Errorf("%s: %s", name, got)
		}
		for _, fault := range faults(page) {
			t.Errorf("%s: %s", name, fault)
		}
	}
}
