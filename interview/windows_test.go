package interview_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"aftercall/internal/llm"
	"aftercall/interview"
	"aftercall/reason"
)

type always string

func (a always) Complete(context.Context, llm.Request) (llm.Reply, error) {
	return llm.Reply{Content: string(a), Model: "scripted"}, nil
}

// long is a call of n turns of small talk, in which the given turns (from 1) say something else.
func long(n int, said map[int]string) interview.Form {
	f := form(sheet())
	f.Conversation.Turns = nil
	for i := range n {
		line := fmt.Sprintf("customer: This is turn %d and nothing of note is said in it.", i+1)
		if s, ok := said[i+1]; ok {
			line = "customer: " + s
		}
		f.Conversation.Turns = append(f.Conversation.Turns, turns(line)...)
	}
	return f
}

// reading answers a window by rules: yes with the quote if it stands there, the day that stands there.
func reading(quote string, days ...string) func(llm.Request) string {
	return func(r llm.Request) string {
		evidence, verdict, vars := "", "no", ""
		for _, line := range strings.Split(r.Messages[1].Content, "\n") {
			var t struct {
				T    int
				Text string
			}
			if json.Unmarshal([]byte(line), &t) != nil {
				continue
			}
			if strings.Contains(t.Text, quote) {
				evidence, verdict = fmt.Sprintf(`{"turn":%d,"quote":%q}`, t.T, quote), "yes"
			}
			for _, d := range days {
				if strings.Contains(t.Text, d) {
					vars = fmt.Sprintf(`{"name":"dyn_about","turn":%d,"quote":%q,"weekday_said":"none","value":%q}`, t.T, t.Text, d)
				}
			}
		}
		if !strings.Contains(string(r.Schema), "variables") {
			return fmt.Sprintf(`{"automations":{"callback":{"evidence":[%s],"verdict":%q}}}`, evidence, verdict)
		}
		return filled(evidence, verdict, vars)
	}
}

type model func(llm.Request) string

func (m model) Complete(_ context.Context, r llm.Request) (llm.Reply, error) {
	return llm.Reply{Content: m(r)}, nil
}

var small = interview.Limits{TranscriptTokens: 1000, WindowTokens: 500, OverlapTurns: 3}

func TestWindows(t *testing.T) {
	t.Parallel()
	const wish = "please call me back soon"
	cases := []struct {
		name    string
		said    map[int]string
		model   model
		verdict interview.Verdict
		problem reason.Code
		turn    int
		value   string
		clash   bool
	}{
		{"nothing anywhere", nil, reading(wish), interview.No, "", 0, "", false},
		{"in one window, confirmed", map[int]string{70: "Well, " + wish + " then."}, reading(wish), interview.Yes, "", 70, "", false},
		{"values agree", map[int]string{10: "It is about the red car today.", 90: "As I said, the red car it is."}, reading(wish, "red car"), interview.No, "", 0, "red car", false},
		{"values differ", map[int]string{10: "It is about the red car today.", 90: "It is about the blue van now."}, reading(wish, "red car", "blue van"), interview.No, "", 0, "blue van", true},
		{"not confirmed", map[int]string{70: "Well, " + wish + " then."}, func(r llm.Request) string {
			if !strings.Contains(string(r.Schema), "variables") {
				return `{"automations":{"callback":{"evidence":[],"verdict":"no"}}}`
			}
			return reading(wish)(r)
		}, interview.NotSure, "", 70, "", false},
		{"invented everywhere", nil, func(llm.Request) string { return filled(invented, "yes", "") }, interview.Yes, reason.EvidenceNotFound, 0, "", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			mem := &memory{}
			said, err := ask(t, c.model, mem, long(100, c.said), small)
			if err != nil {
				t.Fatal(err)
			}
			a, v := said.Answers["callback"], said.Variables["dyn_about"]
			if a.Verdict != c.verdict || a.Problem != c.problem || v.Value != c.value || v.Conflict != c.clash {
				t.Errorf("got %+v and %+v", a, v)
			}
			if c.turn > 0 && (len(a.Evidence) != 1 || a.Evidence[0].Turn != c.turn) {
				t.Errorf("evidence %+v, want turn %d", a.Evidence, c.turn)
			}
			if !strings.HasPrefix(mem.log(), "all/0/w1 interview valid\nall/0/w2 interview valid") {
				t.Errorf("recorded:\n%s", mem.log())
			}
			again, err := ask(t, &script{}, mem, long(100, c.said), small)
			if err != nil || again.Calls != 0 || again.Answers["callback"].Verdict != c.verdict {
				t.Errorf("recalled %+v, %v", again, err)
			}
		})
	}
}

func TestWindowsShowEveryWordAndFit(t *testing.T) {
	t.Parallel()
	seen, longest := map[int]bool{}, 0
	m := model(func(r llm.Request) string {
		size := 0
		for _, line := range strings.Split(r.Messages[1].Content, "\n") {
			var p struct {
				T    int
				Text string
			}
			if json.Unmarshal([]byte(line), &p) == nil && p.T > 0 {
				seen[p.T] = true
				size += len(p.Text)/4 + 12
			}
		}
		longest = max(longest, size)
		return filled("", "no", "")
	})
	f := long(60, map[int]string{30: strings.Repeat("word after word ", 1000) + "and in the end call me back please"})
	if _, err := ask(t, m, &memory{}, f, small); err != nil {
		t.Fatal(err)
	}
	if len(seen) != 60 || longest > 500 || longest < 250 {
		t.Errorf("%d of 60 turns shown, longest window %d tokens", len(seen), longest)
	}
}

func TestALongTurnIsItsOwnEvidence(t *testing.T) {
	t.Parallel()
	f := long(3, map[int]string{2: strings.Repeat("一二三四五", 2000) + " please call me back soon"})
	said, err := ask(t, model(reading("please call me back soon")), &memory{}, f, small)
	if a := said.Answers["callback"]; err != nil || a.Verdict != interview.Yes || a.Problem != "" {
		t.Errorf("got %+v, %v", a, err)
	}
}

func TestTooLongForTheModelGoesToWindows(t *testing.T) {
	t.Parallel()
	mem := &memory{}
	m := &script{replies: []any{&llm.Error{Kind: llm.TooLong}}}
	for range 9 {
		m.replies = append(m.replies, filled("", "no", ""))
	}
	said, err := ask(t, m, mem, long(100, nil), interview.Limits{})
	if err != nil || said.Answers["callback"].Verdict != interview.No || !strings.Contains(mem.log(), "too_long\nall/0/w1 interview valid\nall/0/w2") {
		t.Errorf("got %+v, %v:\n%s", said.Answers, err, mem.log())
	}
	said, err = ask(t, &script{replies: []any{&llm.Error{Kind: llm.TooLong}, &llm.Error{Kind: llm.TooLong}}}, &memory{}, long(100, nil), interview.Limits{})
	if err != nil || said.Failed["all/0"] != reason.BudgetExceeded {
		t.Errorf("got %+v, %v", said.Failed, err)
	}
}

func TestAWindowedCallBeyondItsBudgetIsNotBegun(t *testing.T) {
	t.Parallel()
	m := &script{}
	said, err := ask(t, m, &memory{}, long(5000, nil), small)
	if err != nil || len(m.got) != 0 || said.Failed["all/0"] != reason.BudgetExceeded {
		t.Errorf("%d calls, %v, %v", len(m.got), said.Failed, err)
	}
}

func TestAbsenceOverWindows(t *testing.T) {
	t.Parallel()
	f := long(100, nil)
	f.Sheets[0].Questions[0].Absence = true
	n := 0
	m := model(func(llm.Request) string {
		if n++; n == 2 {
			return filled("", "no", "")
		}
		return filled("", "yes", "")
	})
	said, err := ask(t, m, &memory{}, f, small)
	if err != nil || said.Answers["callback"].Verdict != interview.No {
		t.Errorf("it did happen in one window, yet: %+v, %v", said.Answers, err)
	}
}

// FuzzAnswer lets a model answer anything at all: nothing it says gets past the form.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{
		filled(asked, "yes", tuesday), filled(invented, "yes", ""), "{}", "null", "[[[[", "```json\n{}\n```",
		`{"automations":{"callback":{"evidence":[{"turn":1e99,"quote":"x"}],"verdict":"yes"}},"routes":{"callback":"otherwise"},"variables":[],"summary":"\u0000"}`,
		filled("", "no", strings.Repeat(tuesday+",", 50)+tuesday),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, reply string) {
		said, err := ask(t, always(reply), &memory{}, form(sheet()), interview.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		a := said.Answers["callback"]
		for _, e := range a.Evidence {
			if interview.Find(call().Turns, e, interview.Customer) != "" {
				t.Fatalf("evidence that does not hold: %+v", e)
			}
		}
		if a.Verdict == interview.Yes && a.Problem == "" && len(a.Evidence) == 0 {
			t.Fatal("a yes without evidence")
		}
		if r := said.Routes["callback"]; r != "billing" && r != interview.Otherwise {
			t.Fatalf("route %q", r)
		}
		for name, v := range said.Variables {
			if name != "dyn_day" && name != "dyn_about" || strings.ContainsAny(v.Value, "\r\n\x00") || len([]rune(v.Value)) > 4000 {
				t.Fatalf("variable %q: %q", name, v.Value)
			}
		}
		if len([]rune(said.Summary)) > 2000 || len(said.Answers) != 1 {
			t.Fatal("more than was asked for")
		}
	})
}
