package triggers_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercall/conversation"
	"aftercall/reason"
	"aftercall/triggers"
)

func TestGateOfEvents(t *testing.T) {
	t.Parallel()
	type T = triggers.Trigger
	on := func(attempts triggers.Attempts) T { return T{Event: "order.late", Attempts: attempts, Always: true} }
	for name, c := range map[string]struct {
		t       T
		attempt int
		want    reason.Code
		detail  string
	}{
		"the event it waits for":       {on(triggers.FirstAttempt), 0, "", ""},
		"another event":                {T{Event: "call.started", Always: true}, 0, reason.WrongEvent, "It waits for call.started."},
		"one that waits for the end":   {T{Always: true}, 0, reason.WrongEvent, "It waits for the end of a call."},
		"the first, again":             {on(triggers.FirstAttempt), 2, reason.WrongAttempt, "It is attempt 2."},
		"retries, the first":           {on(triggers.Retries), 1, reason.WrongAttempt, "It is attempt 1."},
		"retries, one":                 {on(triggers.Retries), 3, "", ""},
		"all, the first":               {on(triggers.AllAttempts), 1, "", ""},
		"all, a later one":             {on(triggers.AllAttempts), 9, "", ""},
		"counted by what it does have": {T{Event: "order.late", Always: true, Count: &triggers.Count{AtLeast: 2, By: []string{"metadata.shop"}}}, 0, "", ""},
		"counted by what it lacks": {T{Event: "order.late", Always: true, Count: &triggers.Count{AtLeast: 2, By: []string{"metadata.shop", "agent"}}}, 0,
			reason.FilteredMetadata, "There is no agent to count it by."},
	} {
		at := time.Date(2026, 11, 24, 14, 30, 0, 0, time.UTC)
		late := &conversation.Conversation{StartedAt: at, EndedAt: at, Metadata: map[string]any{"shop": "north"},
			Event: &conversation.Event{Type: "order.late", Attempt: c.attempt}}
		c.t.ID, c.t.Enabled = "a", true
		_, stopped := triggers.Gate(late, []T{c.t}, triggers.Facts{})
		var got triggers.Decision
		if len(stopped) == 1 {
			got = stopped[0]
		}
		if got.Reason != c.want || got.Detail != c.detail {
			t.Errorf("%s: %q %q, want %q %q", name, got.Reason, got.Detail, c.want, c.detail)
		}
	}
}

// TestNothingIsCountedTwice: where nothing is counted, what counts stays silent and says so.
func TestNothingIsCountedTwice(t *testing.T) {
	t.Parallel()
	spike := triggers.Trigger{ID: "a", Enabled: true, Always: true, Count: &triggers.Count{AtLeast: 2, Within: time.Minute}}
	if due, stopped := triggers.Gate(call(), []triggers.Trigger{spike}, triggers.Facts{Uncounted: true}); len(due) != 0 || stopped[0].Reason != reason.TooFew {
		t.Errorf("%v, %v", due, stopped)
	}
}

func TestCountedBy(t *testing.T) {
	t.Parallel()
	c := &conversation.Conversation{Agent: conversation.Agent{ID: "reception"}, Direction: conversation.Inbound, FromNumber: "+44 20 7183 8750", ToNumber: "020-1",
		Metadata: map[string]any{"line": "sales", "level": 5.0}}
	got, missing := triggers.Count{By: []string{"agent", "customer_number", "from_number", "to_number", "metadata.line", "metadata.level"}}.Values(c)
	if diff := cmp.Diff([]string{"reception", "442071838750", "442071838750", "0201", "sales", "5"}, got); diff != "" || missing != "" {
		t.Error(diff, missing)
	}
	if _, missing := (triggers.Count{By: []string{"metadata.none"}}).Values(c); missing != "metadata.none" {
		t.Errorf("missing is %q", missing)
	}
}

func TestSpan(t *testing.T) {
	t.Parallel()
	for want, d := range map[string]time.Duration{"30s": 30 * time.Second, "10m": 10 * time.Minute, "1h30m": 90 * time.Minute, "2h": 2 * time.Hour,
		"1d": 24 * time.Hour, "1m30s": 90 * time.Second} {
		if got := triggers.Span(d); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
