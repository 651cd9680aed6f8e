package triggers_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercall/conversation"
	"aftercall/reason"
	"aftercall/triggers"
)

// call is a completed inbound phone call of three minutes with four spoken turns, on Tuesday 2026-11-24 at 14:30 UTC.
func call() *conversation.Conversation {
	start := time.Date(2026, 11, 24, 14, 30, 0, 0, time.UTC)
	return &conversation.Conversation{
		Agent: conversation.Agent{ID: "reception"}, Channel: conversation.ChannelPhone, Direction: conversation.Inbound,
		Status: conversation.Completed, StartedAt: start, EndedAt: start.Add(3 * time.Minute),
		Turns: []conversation.Turn{
			{Role: conversation.RoleAgent, Text: "Hello."}, {Role: conversation.RoleCustomer, Text: "Hi."},
			{Role: conversation.RoleTool, Text: "lookup"}, {Role: conversation.RoleCustomer, Text: ""},
			{Role: conversation.RoleAgent, Text: "Bye."}, {Role: conversation.RoleCustomer, Text: "Bye."},
		},
		Metadata: map[string]any{"plan": "gold", "level": float64(5), "vip": true, "tags": []any{"new", "eu"}, "none": nil},
	}
}

func TestGate(t *testing.T) {
	t.Parallel()
	type T = triggers.Trigger
	type F = triggers.Filter
	tuesday := [7]bool{time.Tuesday: true}
	monday := [7]bool{time.Monday: true}
	cases := []struct {
		name string
		t    T
		mute bool // nobody says anything
		want reason.Code
	}{
		{"no filter", T{}, false, ""},
		{"event", T{Event: "call.reached"}, false, reason.WrongEvent},
		{"status matches", T{Gate: F{Status: []string{"failed", "completed"}}}, false, ""},
		{"status", T{Gate: F{Status: []string{"failed"}}}, false, reason.FilteredStatus},
		{"direction", T{Gate: F{Direction: []string{"outbound"}}}, false, reason.FilteredDirection},
		{"channel", T{Gate: F{Channel: []string{"chat"}}}, false, reason.FilteredChannel},
		{"agent", T{Agents: []string{"sales"}}, false, reason.FilteredAgent},
		{"one of the agents", T{Agents: []string{"sales", "reception"}}, false, ""},
		{"min turns counts speech only", T{Gate: F{MinTurns: 5}}, false, reason.TooShort},
		{"min turns", T{Gate: F{MinTurns: 4}}, false, ""},
		{"min seconds", T{Gate: F{MinSeconds: 181}}, false, reason.TooShort},
		{"min seconds reached", T{Gate: F{MinSeconds: 180}}, false, ""},
		{"max seconds", T{Gate: F{MaxSeconds: 179}}, false, reason.FilteredTime},
		{"max seconds reached", T{Gate: F{MaxSeconds: 180}}, false, ""},
		{"hours", T{Gate: F{Between: []triggers.Hours{{Days: tuesday, From: 9 * 60, To: 17 * 60}}}}, false, ""},
		{"hours end before", T{Gate: F{Between: []triggers.Hours{{Days: tuesday, From: 9 * 60, To: 14*60 + 30}}}}, false, reason.FilteredTime},
		{"another day", T{Gate: F{Between: []triggers.Hours{{Days: monday, From: 0, To: 24 * 60}}}}, false, reason.FilteredTime},
		{"no day named is every day", T{Gate: F{Between: []triggers.Hours{{From: 14 * 60, To: 15 * 60}}}}, false, ""},
		{"over midnight, begun yesterday", T{Gate: F{Between: []triggers.Hours{{Days: monday, From: 20 * 60, To: 15 * 60}}}}, false, ""},
		{"over midnight, not yet begun", T{Gate: F{Between: []triggers.Hours{{Days: tuesday, From: 20 * 60, To: 15 * 60}}}}, false, reason.FilteredTime},
		{"second span", T{Gate: F{Between: []triggers.Hours{{From: 1, To: 2}, {From: 14 * 60, To: 15 * 60}}}}, false, ""},
		{"metadata string", T{Gate: F{Metadata: map[string]any{"plan": "gold"}}}, false, ""},
		{"metadata number of a file", T{Gate: F{Metadata: map[string]any{"level": 5}}}, false, ""},
		{"metadata number as text", T{Gate: F{Metadata: map[string]any{"level": "5"}}}, false, ""},
		{"metadata one of a list", T{Gate: F{Metadata: map[string]any{"plan": []any{"silver", "gold"}}}}, false, ""},
		{"metadata list holds it", T{Gate: F{Metadata: map[string]any{"tags": "eu"}}}, false, ""},
		{"metadata boolean", T{Gate: F{Metadata: map[string]any{"vip": false}}}, false, reason.FilteredMetadata},
		{"metadata absent", T{Gate: F{Metadata: map[string]any{"region": "eu"}}}, false, reason.FilteredMetadata},
		{"metadata null matches nothing", T{Gate: F{Metadata: map[string]any{"none": nil}}}, false, reason.FilteredMetadata},
		{"nothing said", T{}, true, reason.NoTranscript},
		{"nothing said, no question", T{Always: true}, true, ""},
		{"first code of several", T{Gate: F{Status: []string{"failed"}, MinTurns: 99}, Agents: []string{"x"}}, false, reason.FilteredStatus},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			conv := call()
			if c.mute {
				conv.Turns = nil
			}
			c.t.ID, c.t.Enabled = "a", true
			due, stopped := triggers.Gate(conv, []T{c.t}, triggers.Facts{Location: time.UTC})
			if len(due)+len(stopped) != 1 {
				t.Fatalf("got %d due and %d stopped, want one in all", len(due), len(stopped))
			}
			var got reason.Code
			if len(stopped) == 1 {
				got = stopped[0].Reason
				if stopped[0].Verdict != triggers.Skipped || stopped[0].Automation != "a" {
					t.Errorf("stopped as %+v", stopped[0])
				}
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestGateMuted: with what whoever muted it said, and nothing is asked after it.
func TestGateMuted(t *testing.T) {
	t.Parallel()
	all := []triggers.Trigger{{ID: "a", Enabled: true, Event: "x"}, {ID: "b", Enabled: true}, {ID: "c"}}
	due, stopped := triggers.Gate(call(), all, triggers.Facts{Muted: map[string]string{"a": "Until noon, by Ann: noise", "c": "likewise"}})
	want := []triggers.Decision{
		{Automation: "a", Verdict: triggers.Skipped, Reason: reason.Muted, Detail: "Until noon, by Ann: noise"},
		{Automation: "c", Verdict: triggers.Skipped, Reason: reason.Disabled},
	}
	if diff := cmp.Diff(want, stopped); diff != "" || len(due) != 1 || due[0].ID != "b" {
		t.Error(diff, due)
	}
}

func TestGateDisabledComesFirst(t *testing.T) {
	t.Parallel()
	_, stopped := triggers.Gate(call(), []triggers.Trigger{{ID: "a", Event: "x", Gate: triggers.Filter{MinTurns: 99}}}, triggers.Facts{})
	want := []triggers.Decision{{Automation: "a", Verdict: triggers.Skipped, Reason: reason.Disabled}}
	if diff := cmp.Diff(want, stopped); diff != "" {
		t.Error(diff)
	}
}

func TestGateUsesTheConversationsZone(t *testing.T) {
	t.Parallel()
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	// 14:30 on Tuesday in UTC is 23:30 there.
	late := triggers.Trigger{ID: "a", Enabled: true, Always: true, Gate: triggers.Filter{
		Between: []triggers.Hours{{Days: [7]bool{time.Tuesday: true}, From: 23 * 60, To: 24 * 60}}}}
	if due, _ := triggers.Gate(call(), []triggers.Trigger{late}, triggers.Facts{Location: tokyo}); len(due) != 1 {
		t.Error("the span was not read in the conversation's zone")
	}
}
