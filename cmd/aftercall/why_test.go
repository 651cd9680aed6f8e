package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode"

	"aftercall/conversation"
	"aftercall/internal/store"
	"aftercall/interview"
	"aftercall/triggers"
	"aftercall/variables"
)

// storyWith is a story in which everything that others wrote holds dirt.
func storyWith(dirt string) store.Story {
	begun := time.Date(2026, 11, 20, 15, 4, 0, 0, time.UTC)
	said := []interview.Evidence{{Turn: 1, Quote: "call " + dirt + "me back"}}
	var s store.Story
	s.AccountID = "acme"
	s.Conversation = &conversation.Conversation{
		ID: "c1", ExternalID: "call-" + dirt + "1", Agent: conversation.Agent{Name: "Rece" + dirt + "ption"},
		Channel: conversation.ChannelPhone, Status: conversation.Completed, StartedAt: begun, EndedAt: begun.Add(time.Minute),
		Turns: []conversation.Turn{{Role: conversation.RoleCustomer, Text: "call me back"}},
	}
	s.Decisions = []store.StoryDecision{{Run: 1, Decision: triggers.Decision{
		Automation: "callback", Verdict: triggers.Fires, Evidence: said, Detail: "They " + dirt + "asked."}}}
	s.Values = []store.StoryValue{
		{Run: 1, Is: variables.Value{Name: "dyn_day", Status: variables.Stated, Value: "Tues" + dirt + "day", Evidence: said[0]}},
		{Run: 1, Is: variables.Value{Name: "dyn_name", Status: variables.Defaulted, Value: "the" + dirt + "re", Problem: "It is " + dirt + "odd."}},
	}
	s.Deliveries = []store.StoryDelivery{
		{Run: 1, Address: "ana" + dirt + "@customer.example", Delivery: store.Delivery{Automation: "callback", Channel: "email", Recipient: "contact",
			State: store.Unknown, Detail: "No " + dirt + "answer.", Content: store.Content{Subject: "Your " + dirt + "call"}},
			Attempts: []store.StoryAttempt{{Attempt: 1, State: store.Unknown, Class: "timeout", Detail: "It " + dirt + "hung."}}},
		{Run: 1, Delivery: store.Delivery{Automation: "callback", Channel: "sms", Recipient: "+44" + dirt + "7700900123", State: store.Sent}},
	}
	return s
}

// told is all that is printed of a story: by why, by the demo, and by why for an automation that is not there.
func told(t *testing.T, s store.Story) string {
	t.Helper()
	var out bytes.Buffer
	if err := tell(&out, s, ""); err != nil {
		t.Fatal(err)
	}
	brief(&out, "call.json", s)
	err := tell(&out, s, "nope")
	if err == nil {
		t.Fatal("an automation that is not there was told of")
	}
	return out.String() + err.Error()
}

// TestStoriesStayOnTheirLine: nobody who is on a call writes lines of the terminal, colours it or turns its text around.
func TestStoriesStayOnTheirLine(t *testing.T) {
	t.Parallel()
	clean, spaced := told(t, storyWith("")), told(t, storyWith(" "))
	for _, c := range []struct{ name, dirt, want string }{
		{"override", "\u202e", clean},
		{"every direction", "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069", clean},
		{"line separator", "\u2028", spaced},
		{"paragraph separator", "\u2029", spaced},
		{"line break", "\n", spaced},
		{"escape", "\x1b", spaced},
		{"escape of eight bits", "\u009b", spaced},
		{"letters of any script", "Zoë 请 שלום 👩\u200d🦰", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := told(t, storyWith(c.dirt))
			if c.want == "" {
				c.want = strings.ReplaceAll(got, c.dirt, "")
				if c.want != clean || strings.Count(got, c.dirt) < 15 {
					t.Errorf("letters were lost:\n%s", got)
				}
				return
			}
			if got != c.want {
				t.Errorf("got\n%q\nwant\n%q", got, c.want)
			}
			if strings.ContainsFunc(got, func(r rune) bool { return unicode.Is(unicode.Bidi_Control, r) || r == '\x1b' }) {
				t.Error("a direction or an escape was printed")
			}
		})
	}
}
