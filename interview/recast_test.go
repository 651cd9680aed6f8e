package interview_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aftercall/internal/llm"
	"aftercall/interview"
)

// recorded are the answers that a memory has of a conversation under a revision.
func (m *memory) recorded(t *testing.T) map[string][]byte {
	t.Helper()
	all, err := m.Recall(t.Context(), "c1", "r1")
	if err != nil || len(all) == 0 {
		t.Fatalf("nothing was recorded: %v", err)
	}
	return all
}

// dumb is a model that nobody may ask.
type dumb struct{ t *testing.T }

func (d dumb) Complete(_ context.Context, r llm.Request) (llm.Reply, error) {
	d.t.Errorf("the model was asked for %s", r.CacheKey)
	return llm.Reply{}, &llm.Error{Kind: llm.BadRequest}
}

// TestRecastOntoTheSameQuestions: whatever happened in the interview, the same questions on a form laid out otherwise get the
// same answers, and nobody is asked.
func TestRecastOntoTheSameQuestions(t *testing.T) {
	t.Parallel()
	const wish = "please call me back soon"
	for _, c := range []struct {
		name   string
		form   interview.Form
		model  llm.Model
		limits interview.Limits
		log    string
	}{
		{"in one go", form(sheet()), &script{replies: []any{filled(asked, "yes", tuesday)}}, interview.Limits{}, "all/0 interview valid"},
		{"after evidence was asked for again", form(sheet()), &script{replies: []any{filled(invented, "yes", tuesday),
			`{"automations":{"callback":{"evidence":[` + asked + `],"verdict":"yes"}}}`}}, interview.Limits{},
			"all/0 interview valid\nall/0/repair repair valid"},
		{"after a value was asked for again", form(sheet()), &script{replies: []any{filled(asked, "yes", strings.ReplaceAll(tuesday, "call me back on", "ring me up on")),
			`{"variables":[` + tuesday + `]}`}}, interview.Limits{}, "all/0 interview valid\nall/0/repair repair valid"},
		{"in windows", long(100, map[int]string{10: "It is about the red car today.", 90: "It is about the blue van now."}), model(reading(wish, "red car", "blue van")), small,
			"all/0/w1 interview valid"},
		{"in windows, with a second look", long(100, map[int]string{70: "Well, " + wish + " then."}), model(reading(wish)), small, "all/0/confirm confirm valid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			mem := &memory{}
			want, err := ask(t, c.model, mem, c.form, c.limits)
			if err != nil || !strings.Contains(mem.log(), c.log) {
				t.Fatalf("%v; recorded:\n%s", err, mem.log())
			}
			moved := c.form
			moved.RevisionID = "r2"
			moved.Sheets = []interview.Sheet{sheet()}
			moved.Sheets[0].Key, moved.Sheets[0].Account = "agent:reception/3", "Acme Clinics"
			i := interview.NewInterviewer(dumb{t}, &memory{}, c.limits)
			answers, open, err := i.Recast(moved, []interview.Sheet{sheet()}, mem.recorded(t), false)
			if err != nil || len(open) > 0 {
				t.Fatalf("open %+v, %v", open, err)
			}
			moved.Recalled = answers
			got, err := i.Ask(t.Context(), moved)
			if err != nil {
				t.Fatal(err)
			}
			want.Calls = 0
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestRecastLeavesOpenWhatIsNew: what was not asked in the same words is named and left open; the rest is answered.
func TestRecastLeavesOpenWhatIsNew(t *testing.T) {
	t.Parallel()
	mem := &memory{}
	if _, err := ask(t, &script{replies: []any{filled(asked, "yes", tuesday)}}, mem, form(sheet()), interview.Limits{}); err != nil {
		t.Fatal(err)
	}
	type named struct{ questions, choices, blanks []string }
	for _, c := range []struct {
		name    string
		change  func(*interview.Sheet)
		open    named
		summary bool
		verdict interview.Verdict
	}{
		{"nothing", func(*interview.Sheet) {}, named{}, false, interview.Yes},
		{"another question beside it", func(s *interview.Sheet) {
			s.Questions = append(s.Questions, interview.Question{ID: "complaint", Ask: "Did the customer complain?"})
		}, named{questions: []string{"complaint"}}, false, interview.Yes},
		{"other words", func(s *interview.Sheet) { s.Questions[0].Ask = "Was a call back promised?" }, named{questions: []string{"callback"}}, false, interview.NotSure},
		{"another speaker", func(s *interview.Sheet) { s.Questions[0].SaidBy = interview.Anyone }, named{questions: []string{"callback"}}, false, interview.NotSure},
		{"another option", func(s *interview.Sheet) {
			s.Choices[0].Options = append(s.Choices[0].Options, interview.Option{Key: "sales", When: "offers"})
		}, named{choices: []string{"callback"}}, false, interview.Yes},
		{"a variable of another type", func(s *interview.Sheet) { s.Blanks[0].Type = "text" }, named{blanks: []string{"dyn_day"}}, false, interview.Yes},
		{"a variable by another speaker", func(s *interview.Sheet) { s.Blanks[1].SaidBy = interview.Anyone }, named{blanks: []string{"dyn_about"}}, false, interview.Yes},
		{"a variable more", func(s *interview.Sheet) { s.Blanks = append(s.Blanks, interview.Blank{Name: "dyn_new", Type: "text"}) },
			named{blanks: []string{"dyn_new"}}, false, interview.Yes},
		{"a variable less", func(s *interview.Sheet) { s.Blanks = s.Blanks[1:] }, named{}, false, interview.Yes},
		{"another language", func(s *interview.Sheet) { s.Language = "de" }, named{blanks: []string{"dyn_day", "dyn_about"}}, true, interview.Yes},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := sheet()
			c.change(&s)
			f := form(s)
			i := interview.NewInterviewer(dumb{t}, &memory{}, interview.Limits{})
			answers, open, err := i.Recast(f, []interview.Sheet{sheet()}, mem.recorded(t), false)
			if err != nil {
				t.Fatal(err)
			}
			got, summary := named{}, false
			for _, o := range open {
				for _, q := range o.Questions {
					got.questions = append(got.questions, q.ID)
				}
				for _, o := range o.Choices {
					got.choices = append(got.choices, o.ID)
				}
				for _, b := range o.Blanks {
					got.blanks = append(got.blanks, b.Name)
				}
				summary = summary || o.Summary
			}
			if diff := cmp.Diff(c.open, got, cmp.AllowUnexported(named{})); diff != "" || summary != c.summary {
				t.Errorf("open: %s, summary %v", diff, summary)
			}
			f.Recalled = answers
			said, err := i.Ask(t.Context(), f)
			if err != nil || said.Answers["callback"].Verdict != c.verdict || said.Answers["callback"].Problem != "" {
				t.Errorf("%+v, %v", said.Answers, err)
			}
			whole, _, err := i.Recast(f, []interview.Sheet{sheet()}, mem.recorded(t), true)
			if left := len(open) > 0; err != nil || left != (len(whole) == 0) {
				t.Errorf("to be asked whole: %v, %v", slices.Sorted(maps.Keys(whole)), err)
			}
		})
	}
}

// TestRecastTakesNothingThatWasNotAnswered: not of a shorter transcript, not of another sheet, not of a call nobody judged.
func TestRecastTakesNothingThatWasNotAnswered(t *testing.T) {
	t.Parallel()
	mem := &memory{}
	if _, err := ask(t, &script{replies: []any{filled(asked, "yes", tuesday)}}, mem, form(sheet()), interview.Limits{}); err != nil {
		t.Fatal(err)
	}
	grown, other := form(sheet()), sheet()
	grown.Conversation.Turns = append(grown.Conversation.Turns, turns("customer: And one thing more, please.")...)
	other.Key = "all/1"
	for name, c := range map[string]struct {
		form     interview.Form
		asked    []interview.Sheet
		recorded map[string][]byte
	}{
		"a longer transcript": {grown, []interview.Sheet{sheet()}, mem.recorded(t)},
		"another sheet":       {form(sheet()), []interview.Sheet{other}, mem.recorded(t)},
		"nothing recorded":    {form(sheet()), []interview.Sheet{sheet()}, nil},
	} {
		i := interview.NewInterviewer(dumb{t}, &memory{}, interview.Limits{})
		answers, open, err := i.Recast(c.form, c.asked, c.recorded, false)
		if err != nil || len(answers) != 0 || len(open) != 1 || len(open[0].Questions) != 1 || len(open[0].Blanks) != 2 || !open[0].Summary {
			t.Errorf("%s: %d answers, open %+v, %v", name, len(answers), open, err)
		}
	}
	silent := form(sheet())
	silent.Conversation.Turns = nil
	if _, open, err := interview.NewInterviewer(dumb{t}, &memory{}, interview.Limits{}).Recast(silent, nil, nil, false); err != nil || len(open) != 0 {
		t.Errorf("nobody spoke, and something is open: %+v, %v", open, err)
	}
}

// TestRecastAskedAlone: a required variable that was asked for alone is answered from that, unless its question changed.
func TestRecastAskedAlone(t *testing.T) {
	t.Parallel()
	mem := &memory{}
	i := interview.NewInterviewer(&script{replies: []any{filled(asked, "yes", ""),
		`{"variables":[{"name":"dyn_about","turn":2,"quote":"about my invoice","value":"the invoice"}]}`}}, mem, interview.Limits{})
	if _, err := i.Ask(t.Context(), form(sheet())); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := i.AskFor(t.Context(), form(sheet()), sheet().Blanks[1]); !ok || err != nil {
		t.Fatal(ok, err)
	}
	moved := form(sheet())
	moved.RevisionID, moved.Sheets[0].Key = "r2", "all/7"
	again := &memory{}
	i = interview.NewInterviewer(dumb{t}, again, interview.Limits{})
	answers, _, err := i.Recast(moved, []interview.Sheet{sheet()}, mem.recorded(t), false)
	if err != nil {
		t.Fatal(err)
	}
	again.valid = map[string][]byte{}
	for part, raw := range answers {
		again.valid["c1 r2 "+part] = raw
	}
	if s, ok, err := i.AskFor(t.Context(), moved, moved.Sheets[0].Blanks[1]); err != nil || !ok || s.Value != "the invoice" {
		t.Errorf("got %+v, %v, %v", s, ok, err)
	}
	moved.Sheets[0].Blanks[1].Ask = "what to prepare"
	answers, _, err = i.Recast(moved, []interview.Sheet{sheet()}, mem.recorded(t), false)
	if err != nil {
		t.Fatal(err)
	}
	for part := range answers {
		if strings.Contains(part, "/required:") {
			t.Errorf("%s answers another question", part)
		}
	}
}

func TestHashes(t *testing.T) {
	t.Parallel()
	prompt, schema := sheet().Hashes()
	other := sheet()
	other.Questions[0].Ask = "Was a call back promised?"
	if p, s := other.Hashes(); p == prompt || s != schema || len(p) != 64 || len(s) != 64 {
		t.Error("other words change the prompt and leave the schema")
	}
	other.Questions[0].ID = "promised"
	if _, s := other.Hashes(); s == schema {
		t.Error("another id changes the schema")
	}
	with := form(sheet()).Tokens()
	twice := form(sheet(), sheet()).Tokens()
	if with < 100 || twice != 2*with {
		t.Errorf("%d tokens for a sheet, %d for two", with, twice)
	}
}
