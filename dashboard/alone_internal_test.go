package dashboard

import (
	"strings"
	"testing"

	"aftercall/automation"
	"aftercall/internal/store"
	"aftercall/triggers"
)

// fixtureEvent is the page of an event that nobody waits for, with all that such a page can have.
func fixtureEvent(text func(string) string, n names) answer {
	e := store.EventAlone{AccountID: text("acme"), Identity: text("msg_2Yh1"), Call: text("call-1"), StoryEvent: store.StoryEvent{ID: "e-1", Type: text("call.missed"), Source: text("desk"),
		ContentType: "application/json", ReceivedAt: began, AcceptedAt: began, Bytes: 9000, Head: []byte(text(`{"queue": "front desk"}`)), Cut: true, Conflicts: 2},
		Beside: []store.BesideCall{{ID: "c-1", What: text("completed"), At: began}, {ID: "e-2", What: text("call.ringing"), At: began, Alone: true}}}
	view := aloneView(e, n)
	view.Reveal = eventPath("e-1") + "/reveal"
	return aloneAnswer(view)
}

// TestAnEventsPageSaysWhyNothingCameOfIt.
func TestAnEventsPageSaysWhyNothingCameOfIt(t *testing.T) {
	t.Parallel()
	waits := func(id, kind string, enabled bool) automation.Automation {
		return automation.Automation{ID: id, Trigger: triggers.Trigger{Event: kind, Enabled: enabled}}
	}
	for name, test := range map[string]struct {
		rev  *automation.Revision
		says []string
	}{
		"no config":       {nil, []string{"No config of this account is active here"}},
		"nobody waits":    {&automation.Revision{Automations: []automation.Automation{waits("calls", "", true)}}, []string{"waits for call.missed, nor for any other event"}},
		"others wait":     {&automation.Revision{Automations: []automation.Automation{waits("b", "call.started", true), waits("a", "call.reached", true), waits("c", "call.started", true)}}, []string{"waits for call.missed. What is waited for: call.reached, call.started."}},
		"switched off":    {&automation.Revision{Automations: []automation.Automation{waits("rescue", "call.missed", false), waits("a", "call.reached", true)}}, []string{"rescue would wait for call.missed, and is switched off"}},
		"by now one does": {&automation.Revision{Automations: []automation.Automation{waits("rescue", "call.missed", true)}}, []string{"waited for call.missed when it came in", "the next one is decided"}},
	} {
		for _, says := range test.says {
			if got := whyNothing(test.rev, "call.missed"); !strings.Contains(got, says) {
				t.Errorf("%s: %q does not say %q", name, got, says)
			}
		}
	}
}
