package store_test

import (
	"testing"

	"aftercall/internal/store"
	"aftercall/reason"
	"aftercall/triggers"
)

func TestLeaveOut(t *testing.T) {
	t.Parallel()
	before := []store.Before{
		{Run: 1, RevisionID: "r", Automation: "a", Action: 0, Recipient: "x", Channel: "email", State: store.Sent},
		{Run: 2, RevisionID: "r", Automation: "a", Action: 1, Recipient: "x", Channel: "task", State: store.Sent},
		{Run: 2, RevisionID: "r", Automation: "b", Action: 0, Recipient: "x", Channel: "email", State: store.Unknown},
	}
	p := store.Plan{
		RevisionID: "r",
		Decisions:  []triggers.Decision{{Automation: "a", Verdict: triggers.Fires}},
		Tasks:      []store.Task{{Automation: "a", Action: 1}, {Automation: "b", Action: 1}},
		Deliveries: []store.Delivery{
			{Automation: "a", Action: 0, Recipient: "x", Channel: "email", State: store.Planned},
			{Automation: "a", Action: 0, Recipient: "y", Channel: "email", State: store.Planned},
			{Automation: "a", Action: 1, Recipient: "y", Channel: "task", State: store.Sent}, // for somebody else, but the same task
			{Automation: "b", Action: 0, Recipient: "x", Channel: "email", State: store.Held},
			{Automation: "b", Action: 1, Recipient: "x", Channel: "task", State: store.Sent},
			{Automation: "b", Action: 0, Recipient: "x", Channel: "email", State: store.Failed, Reason: reason.RenderFailed},
			{Automation: "a", Action: 2, Recipient: "x", Channel: "email", State: store.Planned}, // another action of the same config
		},
	}
	p.LeaveOut(before)
	want := []store.DeliveryState{store.Skipped, store.Planned, store.Skipped, store.Skipped, store.Sent, store.Failed, store.Planned}
	for n, d := range p.Deliveries {
		if d.State != want[n] || (d.State == store.Skipped) != (d.Reason == reason.SentBefore) {
			t.Errorf("delivery %d is %s (%s), want %s", n, d.State, d.Reason, want[n])
		}
	}
	if p.Deliveries[3].Detail != "It is unknown in run 2." || len(p.Tasks) != 1 || p.Tasks[0].Automation != "b" {
		t.Errorf("%q, tasks %+v", p.Deliveries[3].Detail, p.Tasks)
	}
}

// TestLeaveOutUnderAnotherConfig: an action's place says nothing any more, so what could be the same is not sent.
func TestLeaveOutUnderAnotherConfig(t *testing.T) {
	t.Parallel()
	mail := func(key, text string) store.Before {
		return store.Before{Run: 1, RevisionID: "old", Automation: "a", Action: 0, Recipient: key, Channel: "email", Address: "m@acme.example",
			State: store.Sent, Content: store.Content{Text: text, To: []string{key}}}
	}
	plan := func(automation string, action int, channel, key, text string) store.Delivery {
		return store.Delivery{Automation: automation, Action: action, Channel: channel, Recipient: key, State: store.Planned,
			Content: store.Content{Text: text, To: []string{key}}}
	}
	addresses := map[string]string{"person:m": "m@acme.example", "email:m@acme.example": "m@acme.example", "person:n": "n@acme.example"}
	team := store.Before{Run: 1, RevisionID: "old", Automation: "a", Recipient: "all", Channel: "team_alert", State: store.Sent, Content: store.Content{To: []string{"all"}}}
	both := plan("a", 3, "email", "together", "new")
	both.Content.To = []string{"person:n", "person:m"}
	held := plan("a", 2, "email", "person:m", "new")
	held.State = store.Held
	for name, c := range map[string]struct {
		before store.Before
		d      store.Delivery
		want   reason.Code
	}{
		"in another place, the same words":         {mail("person:m", "old"), plan("a", 1, "email", "person:m", "old"), reason.SentBefore},
		"in another place, other words":            {mail("person:m", "old"), plan("a", 1, "email", "person:m", "new"), reason.PerhapsSentBefore},
		"in the same place, other words":           {mail("person:m", "old"), plan("a", 0, "email", "person:m", "new"), reason.PerhapsSentBefore},
		"in the same place, on another channel":    {mail("person:m", "old"), plan("a", 0, "sms", "person:m", "new"), reason.PerhapsSentBefore},
		"in another place, on another channel":     {mail("person:m", "old"), plan("a", 1, "sms", "person:m", "old"), ""},
		"by another key of the same address":       {mail("person:m", "old"), plan("a", 1, "email", "email:m@acme.example", "new"), reason.PerhapsSentBefore},
		"by a key that is gone":                    {mail("person:gone", "old"), plan("a", 1, "email", "person:m", "new"), reason.PerhapsSentBefore},
		"together with somebody else":              {mail("person:m", "old"), both, reason.PerhapsSentBefore},
		"to somebody else":                         {mail("person:m", "old"), plan("a", 1, "email", "person:n", "old"), ""},
		"held, and not there to be sent":           {mail("person:m", "old"), held, reason.SentBefore},
		"of an automation that is there as well":   {mail("person:m", "old"), plan("b", 0, "email", "person:m", "old"), ""},
		"of an automation that is named otherwise": {store.Before{Run: 1, RevisionID: "old", Automation: "was", Channel: "email", Recipient: "person:m", State: store.Sent, Content: store.Content{Text: "old"}}, plan("b", 0, "email", "person:m", "old"), reason.PerhapsSentBefore},
		"to one of all":                            {team, plan("a", 4, "team_alert", "person:n", "new"), reason.PerhapsSentBefore},
	} {
		p := store.Plan{RevisionID: "new", Automations: []string{"a", "b"}, Deliveries: []store.Delivery{c.d},
			AddressOf: func(key, _ string) string { return addresses[key] }}
		p.LeaveOut([]store.Before{c.before})
		if got := p.Deliveries[0]; got.Reason != c.want || (got.State == store.Skipped) != (c.want != "") {
			t.Errorf("%s: it is %s (%s), want %q", name, got.State, got.Reason, c.want)
		}
	}
}
