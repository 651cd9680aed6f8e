package interview_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"aftercall/interview"
)

// usual is a sheet of five automations, two variables and the summary about a call of forty turns.
func usual() interview.Form {
	f := large()
	f.Conversation.Turns = f.Conversation.Turns[:40]
	s := &f.Sheets[0]
	s.Questions = s.Questions[:5]
	s.Blanks = []interview.Blank{{Name: "dyn_when", Type: "text", Ask: "when the customer wants to be called"}, {Name: "dyn_day", Type: "date", Ask: "the day of the visit"}}
	return f
}

// forgetful takes every answer and keeps none, so that a benchmark measures no growing map.
type forgetful struct{}

func (forgetful) Recall(context.Context, string, string) (map[string][]byte, error) { return nil, nil }

func (forgetful) Record(_ context.Context, c interview.Call) ([]byte, error) { return c.Answer, nil }

// BenchmarkAsk is everything around a model call: prompt, schema, validation, evidence, and that nothing of the
// instructions is repeated.
func BenchmarkAsk(b *testing.B) {
	for _, bench := range []struct {
		name string
		form interview.Form
	}{{"usual", usual()}, {"large", large()}} {
		b.Run(bench.name, func(b *testing.B) {
			f := bench.form
			var verdicts []string
			for i, q := range f.Sheets[0].Questions {
				verdicts = append(verdicts, fmt.Sprintf(`%q:{"evidence":[{"turn":%d,"quote":"I am in no hurry"}],"verdict":"yes"}`, q.ID, 2*i+2))
			}
			reply := `{"automations":{` + strings.Join(verdicts, ",") + `},"variables":[{"name":"` + f.Sheets[0].Blanks[0].Name +
				`","turn":2,"quote":"I am in no hurry at all today","weekday_said":"none","value":"whenever it suits us, there is no hurry at all today"}],` +
				`"summary":"The customer had time to wait while the agent looked something up. Nothing else was agreed, and the call ended there."}`
			i := interview.NewInterviewer(always(reply), forgetful{}, interview.Limits{})
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				said, err := i.Ask(b.Context(), f)
				if err != nil || said.Calls != 1 || said.Answers["automation-0"].Problem != "" || said.Summary == "" || len(said.Variables) != 1 {
					b.Fatal(said, err)
				}
			}
		})
	}
}
