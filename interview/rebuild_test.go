package interview_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"aftercall/internal/llm"
	"aftercall/interview"
)

// TestRebuildAgreesWithWhatWasAsked asks forms in every way there is, and puts each recorded call together again.
func TestRebuildAgreesWithWhatWasAsked(t *testing.T) {
	t.Parallel()
	const wish = "please call me back soon"
	repaired := fmt.Sprintf(`{"automations":{"callback":{"evidence":[%s],"verdict":"yes"}}}`, asked)
	for name, c := range map[string]struct {
		form   interview.Form
		model  llm.Model
		rounds []string
	}{
		"whole":             {form(sheet()), &script{replies: []any{filled(asked, "yes", tuesday)}}, []string{"all/0"}},
		"a quote not found": {form(sheet()), &script{replies: []any{filled(invented, "yes", ""), repaired}}, []string{"all/0", "all/0/repair"}},
		"windows": {long(1500, map[int]string{70: "Well, " + wish + " then."}), model(reading(wish)),
			[]string{"all/0/confirm", "all/0/w1", "all/0/w2", "all/0/w3", "all/0/w4"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mem := &memory{}
			if _, err := ask(t, c.model, mem, c.form, interview.Limits{}); err != nil {
				t.Fatal(err)
			}
			agree(t, mem, c.form, c.rounds)
		})
	}
	t.Run("a required value", func(t *testing.T) {
		t.Parallel()
		mem, f := &memory{}, form(sheet())
		i := interview.NewInterviewer(&script{replies: []any{`{"variables":[` + tuesday + `]}`}}, mem, interview.Limits{})
		if _, stated, err := i.AskFor(t.Context(), f, f.Sheets[0].Blanks[0]); err != nil || !stated {
			t.Fatalf("stated %v, %v", stated, err)
		}
		agree(t, mem, f, []string{"all/0/required:dyn_day"})
	})
}

// agree checks that each recorded call, and no other, is put together again under its own hash.
func agree(t *testing.T, mem *memory, f interview.Form, rounds []string) {
	t.Helper()
	used, err := mem.Recall(t.Context(), f.Conversation.ID, f.RevisionID)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range mem.calls {
		round, _, _ := strings.Cut(c.Part, "@")
		got = append(got, round)
		p, ok := interview.Rebuild(f, c.Part, used)
		if !ok || p.Hash != c.PromptHash {
			t.Errorf("%s: known %v, hash %.8s, recorded %.8s", c.Part, ok, p.Hash, c.PromptHash)
		}
		if !strings.HasPrefix(p.Rules, "You read the transcript") || !strings.Contains(p.Facts, `"weekday":"Friday"`) ||
			!strings.Contains(p.Transcript, `{"t":`) || strings.Contains(p.Transcript, "That was the transcript") || !strings.HasPrefix(p.Reminder, "That was the transcript") {
			t.Errorf("%s: the parts are cut elsewhere: %+v", c.Part, p)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, rounds) {
		t.Errorf("asked %q, want %q", got, rounds)
	}
}

func TestRebuildSaysWhatItCannotKnow(t *testing.T) {
	t.Parallel()
	mem, f := &memory{}, form(sheet())
	if _, err := ask(t, &script{replies: []any{filled(asked, "yes", tuesday)}}, mem, f, interview.Limits{}); err != nil {
		t.Fatal(err)
	}
	part := mem.calls[0].Part
	later := f
	c := *f.Conversation
	c.Turns = append(slices.Clone(c.Turns), turns("agent: One more thing.")...)
	later.Conversation = &c
	base, heard, _ := strings.Cut(part, "@")
	for name, test := range map[string]struct {
		form interview.Form
		part string
	}{
		"the transcript has grown":        {later, part},
		"a sheet that the config has not": {f, "agent:x/0@" + heard},
		"a repair of what is not known":   {f, base + "/repair@" + heard},
		"a window of a short transcript":  {f, base + "/w9@" + heard},
		"a variable that is not asked":    {f, base + "/required:dyn_none@" + heard},
		"no part":                         {f, ""},
	} {
		if p, ok := interview.Rebuild(test.form, test.part, nil); ok {
			t.Errorf("%s: %+v", name, p)
		}
	}
	reworded := form(sheet())
	reworded.Sheets[0].Questions[0].Ask = "Did they?"
	if p, ok := interview.Rebuild(reworded, part, nil); !ok || p.Hash == mem.calls[0].PromptHash {
		t.Errorf("another question: known %v, and its hash agrees", ok)
	}
}
