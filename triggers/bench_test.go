package triggers_test

import (
	"fmt"
	"testing"
	"time"

	"aftercall/interview"
	"aftercall/triggers"
)

// BenchmarkDecide is the gate and the judgement of five automations that all fire.
func BenchmarkDecide(b *testing.B) {
	c := call()
	for len(c.Turns) < 40 {
		c.Turns = append(c.Turns, c.Turns...)
	}
	said := interview.Said{Answers: map[string]interview.Answer{}}
	var all []triggers.Trigger
	for i := range 5 {
		t := triggers.Trigger{ID: fmt.Sprintf("automation-%d", i), Enabled: true, Ask: "Did the customer ask for this?",
			Gate: triggers.Filter{MinTurns: 2, Channel: []string{"phone"}, Metadata: map[string]any{"plan": "gold"},
				Between: []triggers.Hours{{From: 8 * 60, To: 20 * 60}}}}
		said.Answers[t.ID] = interview.Answer{Verdict: interview.Yes, Evidence: []interview.Evidence{{Turn: 2, Quote: "Hi."}}}
		all = append(all, t)
	}
	b.ReportAllocs()
	for b.Loop() {
		due, _ := triggers.Gate(c, all, triggers.Facts{Location: time.UTC})
		if d := triggers.Judge(due, said); len(d) != 5 || d[4].Verdict != triggers.Fires {
			b.Fatal(d)
		}
	}
}
