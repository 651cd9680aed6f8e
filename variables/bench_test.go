package variables_test

import (
	"testing"
	"time"

	"aftercall/conversation"
	"aftercall/interview"
	"aftercall/variables"
)

// long is an ordinary call of forty turns, the last but one of which says everything that is asked for.
func long() *conversation.Conversation {
	c := call("")
	c.Turns = nil
	for range 20 {
		c.Turns = append(c.Turns,
			conversation.Turn{Role: conversation.RoleAgent, Text: "I have half past two or a quarter past four in the afternoon. Which one suits you better?"},
			conversation.Turn{Role: conversation.RoleCustomer, Text: "Half past two is fine. And what would that cost? Last time nobody told me, and I was not happy."})
	}
	c.Turns[38].Text = "Tuesday the 24th at 14:30 please, I am Dana, on 020 7183 8750, and my address is dana at example dot com. 129 euros is fine."
	c.Timezone, c.Direction, c.FromNumber, c.ToNumber = "Europe/London", conversation.Inbound, "+447700900456", "+442071838750"
	c.Customer = conversation.Customer{Name: "Dana Example", Email: "dana@example.com"}
	c.EndedAt, c.Status, c.ExternalID, c.URL = c.StartedAt.Add(4*time.Minute), conversation.Completed, "call-1", "https://calls.example/c/1"
	c.Metadata = map[string]any{"plan": "gold", "visit": map[string]any{"kind": "first", "fee": 12.5}}
	return c
}

// BenchmarkSystem is the values every conversation has.
func BenchmarkSystem(b *testing.B) {
	c := long()
	b.ReportAllocs()
	for b.Loop() {
		if v := variables.System(c, variables.Context{AccountName: "Acme", Location: time.UTC, Summary: "They agreed on a visit."}); len(v) < 12 {
			b.Fatal(v)
		}
	}
}

// BenchmarkResolve is the check of one value of each kind that is dear.
func BenchmarkResolve(b *testing.B) {
	c := long()
	at := interview.Evidence{Turn: 39, Quote: c.Turns[38].Text}
	for _, bench := range []struct {
		kind variables.Type
		said string
	}{
		{variables.Text, "Dana wants half past two"}, {variables.Date, "2026-11-24"}, {variables.Time, "14:30"},
		{variables.Phone, "020 7183 8750"}, {variables.Email, "dana@example.com"}, {variables.Money, "129 EUR"},
	} {
		b.Run(string(bench.kind), func(b *testing.B) {
			decls := []variables.Declaration{{Name: "dyn_x", Type: bench.kind}}
			said := interview.Said{Variables: map[string]interview.Stated{"dyn_x": {Name: "dyn_x", Value: bench.said, Weekday: "tue", Evidence: at}}}
			limits := variables.Limits{Location: time.UTC, Region: "GB"}
			b.ReportAllocs()
			for b.Loop() {
				if v := variables.Resolve(decls, said, c, limits); !v[0].Present() {
					b.Fatal(v)
				}
			}
		})
	}
}
