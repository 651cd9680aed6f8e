package variables_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercall/conversation"
	"aftercall/variables"
)

func fullCall() *conversation.Conversation {
	return &conversation.Conversation{
		ID: "ours", ExternalID: "c-1", Agent: conversation.Agent{Name: "Ava"}, Channel: conversation.ChannelPhone,
		Direction: conversation.Inbound, Status: conversation.Completed,
		StartedAt: time.Date(2026, 11, 21, 15, 4, 5, 0, time.UTC), EndedAt: time.Date(2026, 11, 21, 16, 19, 8, 0, time.UTC),
		FromNumber: "+447700900123", ToNumber: "+442071838750", URL: "https://calls.example/c-1", Summary: "They talked.",
		Customer: conversation.Customer{Name: "Dana", Email: "dana@example.com", CRMRecordID: "003X"},
		Turns: []conversation.Turn{
			{Role: conversation.RoleAgent, Text: "Hello,\nhow can I help?"}, {Role: conversation.RoleTool, Text: "lookup()"},
			{Role: conversation.RoleCustomer, Text: "Call me back"}, {Role: conversation.RoleSystem, Text: "hangup"},
		},
		Metadata: map[string]any{"order": map[string]any{"id": "7", "fn": func() {}}, "tags": []any{"a", nil, 2.0}, "n": json.Number("12"), "none": nil},
	}
}

func TestSystem(t *testing.T) {
	t.Parallel()
	got := variables.System(fullCall(), variables.Context{AccountName: "Acme", Location: time.UTC, Summary: "unused"})
	want := map[string]any{
		"conversation_date": "2026-11-21 15:04 UTC", "conversation_time": "3:04 PM", "conversation_duration": "75:03",
		"conversation_status": "Completed", "conversation_direction": "Inbound", "conversation_summary": "They talked.",
		"conversation_transcript": "Agent: Hello, how can I help?\nCustomer: Call me back",
		"conversation_url":        "https://calls.example/c-1", "conversation_uuid": "c-1", "agent_name": "Ava", "account_name": "Acme",
		"customer_number": "+447700900123", "to_number": "+442071838750", "customer_name": "Dana", "customer_email": "dana@example.com",
		"crm_record_id": "003X",
		"metadata":      map[string]any{"order": map[string]any{"id": "7"}, "tags": []any{"a", 2.0}, "n": "12"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("system values (-want +got):\n%s", diff)
	}
	names := variables.SystemNames()
	for name := range got {
		if names[name] == "" {
			t.Errorf("%s is not in the catalogue", name)
		}
	}
	if len(names) != len(want) {
		t.Errorf("got %d names in the catalogue, want %d", len(names), len(want))
	}
}

func TestSystemAbsence(t *testing.T) {
	t.Parallel()
	got := variables.System(&conversation.Conversation{Channel: conversation.ChannelWeb, FromNumber: "+447700900123", ToNumber: "+442071838750", Status: conversation.Failed}, variables.Context{})
	want := map[string]any{
		"conversation_duration": "00:00", "conversation_status": "Failed",
		"conversation_summary": "Summary not available", "conversation_transcript": "Transcript not available",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("system values of an empty web chat (-want +got):\n%s", diff)
	}
}

func TestSystemTimesAreLocal(t *testing.T) {
	t.Parallel()
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, zone string
		at         time.Time
		date, time string
	}{
		{"the account's zone, winter", "", time.Date(2026, 1, 10, 9, 5, 0, 0, time.UTC), "2026-01-10 09:05 GMT", "9:05 AM"},
		{"summer", "", time.Date(2026, 7, 10, 9, 5, 0, 0, time.UTC), "2026-07-10 10:05 BST", "10:05 AM"},
		{"the hour before the clocks go back", "", time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC), "2026-10-25 01:30 BST", "1:30 AM"},
		{"the same hour again", "", time.Date(2026, 10, 25, 1, 30, 0, 0, time.UTC), "2026-10-25 01:30 GMT", "1:30 AM"},
		{"the call's own zone", "America/New_York", time.Date(2026, 11, 21, 1, 0, 0, 0, time.UTC), "2026-11-20 20:00 EST", "8:00 PM"},
		{"an unknown zone", "Mars/Base", time.Date(2026, 1, 10, 9, 5, 0, 0, time.UTC), "2026-01-10 09:05 GMT", "9:05 AM"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := variables.System(&conversation.Conversation{StartedAt: c.at, Timezone: c.zone}, variables.Context{Location: london})
			if got["conversation_date"] != c.date || got["conversation_time"] != c.time {
				t.Errorf("got %v and %v, want %s and %s", got["conversation_date"], got["conversation_time"], c.date, c.time)
			}
		})
	}
}

func TestMetadataIsCutToSize(t *testing.T) {
	t.Parallel()
	many, wide := []any{}, map[string]any{}
	for i := range 150 {
		many = append(many, i)
		wide[fmt.Sprint(i)] = i
	}
	c := &conversation.Conversation{Metadata: map[string]any{"many": many, "wide": wide, "long": strings.Repeat("word ", 1000)}}
	m := variables.System(c, variables.Context{})["metadata"].(map[string]any)
	if n := len(m["many"].([]any)); n != 100 {
		t.Errorf("got a list of %d, want 100", n)
	}
	if n := len(m["wide"].(map[string]any)); n != 100 {
		t.Errorf("got a map of %d, want 100", n)
	}
	if n := len([]rune(m["long"].(string))); n > 2000 || n < 1900 {
		t.Errorf("got a text of %d characters, want it cut at 2000", n)
	}
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	if got := variables.Describe("dyn_callback_when"); got != "callback when" {
		t.Errorf("got %q, want %q", got, "callback when")
	}
}

// A caller may have had a hand in a name and in a summary: what a mail reader would make a link of goes.
func TestSystemHasNoLinksOfStrangers(t *testing.T) {
	t.Parallel()
	c := fullCall()
	c.Customer.Name, c.Agent.Name = "Win at evil.example/now", "Ava"
	c.Summary = "They talked.\nSee https://evil.example/a //evil.example/b  and  St.Mary."
	got := variables.System(c, variables.Context{})
	if got["customer_name"] != "Win at [link removed]" || got["agent_name"] != "Ava" {
		t.Errorf("names: %q, %q", got["customer_name"], got["agent_name"])
	}
	if want := "They talked.\nSee [link removed] and St.Mary."; got["conversation_summary"] != want {
		t.Errorf("summary: %q, want %q", got["conversation_summary"], want)
	}
	c.Summary = ""
	got = variables.System(c, variables.Context{Summary: "Pay at www.evil.example today."})
	if want := "Pay at [link removed] today."; got["conversation_summary"] != want {
		t.Errorf("the model's summary: %q, want %q", got["conversation_summary"], want)
	}
}
