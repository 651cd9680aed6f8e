package interview_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aftercall/internal/llm"
	"aftercall/interview"
	"aftercall/reason"
)

func TestAsk(t *testing.T) {
	t.Parallel()
	mem, m := &memory{}, &script{replies: []any{filled(asked, "yes", tuesday)}}
	said, err := ask(t, m, mem, form(sheet()), interview.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	want := interview.Said{
		Answers: map[string]interview.Answer{"callback": {Verdict: interview.Yes, Evidence: []interview.Evidence{{Turn: 2, Quote: "Please call me back on Tuesday"}}}},
		Routes:  map[string]string{"callback": "billing"},
		Variables: map[string]interview.Stated{"dyn_day": {Name: "dyn_day", Value: "2026-11-24", Weekday: "tue",
			Evidence: interview.Evidence{Turn: 2, Quote: "call me back on Tuesday"}}},
		Summary: "They talked.", Calls: 1,
	}
	if diff := cmp.Diff(want, said, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	if mem.recalls != 1 || mem.log() != "all/0 interview valid" {
		t.Errorf("recalled %d times, recorded:\n%s", mem.recalls, mem.log())
	}
	c := mem.calls[0]
	if c.ConversationID != "c1" || c.AccountID != "acme" || c.RevisionID != "r1" || len(c.PromptHash) != 64 || len(c.SchemaHash) != 64 ||
		c.Reply.Model != "scripted" || c.Reply.Content != "" || time.Since(c.At) > time.Minute {
		t.Errorf("recorded %+v", c)
	}

	// A repeated webhook or a crash asks nobody and says the same.
	again, err := ask(t, &script{}, mem, form(sheet()), interview.Limits{})
	want.Calls = 0
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, again, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}

func TestAskOneSheet(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		replies []any
		verdict interview.Verdict
		problem reason.Code
		failed  reason.Code
		log     string
	}{
		{"no", []any{filled("", "no", "")}, interview.No, "", "", "all/0 interview valid"},
		{"unsure", []any{filled("", "unsure", "")}, interview.NotSure, "", "", "all/0 interview valid"},
		{"fenced JSON is accepted", []any{"Sure!\n```json\n" + filled(asked, "yes", "") + "\n```"}, interview.Yes, "", "", "all/0 interview valid"},
		{"prose is repaired", []any{"I think yes.", filled(asked, "yes", "")}, interview.Yes, "", "",
			"all/0 interview answer_invalid\nall/0 repair valid"},
		{"nothing is repaired", []any{"", filled(asked, "yes", "")}, interview.Yes, "", "",
			"all/0 interview answer_invalid\nall/0 repair valid"},
		{"unknown ids are repaired", []any{strings.Replace(filled(asked, "yes", ""), "callback", "fire-all", 1), filled("", "no", "")}, interview.No, "", "",
			"all/0 interview answer_invalid\nall/0 repair valid"},
		{"an address for a route is repaired", []any{strings.Replace(filled(asked, "yes", ""), `"callback":"billing"`, `"callback":"eve@evil.example"`, 1), filled("", "no", "")}, interview.No, "", "",
			"all/0 interview answer_invalid\nall/0 repair valid"},
		{"broken JSON is asked for again", []any{`{"automations":{"callb`, filled(asked, "yes", "")}, interview.Yes, "", "",
			"all/0 interview answer_invalid\nall/0 interview valid"},
		{"broken JSON, then a wrong form, then right", []any{`{"automations":`, "{}", filled("", "no", "")}, interview.No, "", "",
			"all/0 interview answer_invalid\nall/0 interview answer_invalid\nall/0 repair valid"},
		{"broken, broken, broken", []any{"{", "{", "{"}, interview.NotSure, reason.AnswerInvalid, reason.AnswerInvalid,
			"all/0 interview answer_invalid\nall/0 interview answer_invalid\nall/0 repair answer_invalid"},
		{"two bad answers", []any{"no", "still no"}, interview.NotSure, reason.AnswerInvalid, reason.AnswerInvalid,
			"all/0 interview answer_invalid\nall/0 repair answer_invalid"},
		{"truncated, then whole", []any{&llm.Error{Kind: llm.Truncated}, filled("", "no", "")}, interview.No, "", "",
			"all/0 interview truncated\nall/0 repair valid"},
		{"truncated for good", []any{&llm.Error{Kind: llm.Truncated}, &llm.Error{Kind: llm.Truncated}, &llm.Error{Kind: llm.Truncated}}, interview.NotSure, reason.AnswerInvalid, reason.AnswerInvalid,
			"all/0 interview truncated\nall/0 repair truncated\nall/0 repair truncated"},
		{"refused", []any{&llm.Error{Kind: llm.Refused}}, interview.NotSure, reason.ModelRefused, reason.ModelRefused, "all/0 interview refused"},
		{"bad request", []any{&llm.Error{Kind: llm.BadRequest}}, interview.NotSure, reason.AnswerInvalid, reason.AnswerInvalid, "all/0 interview bad_request"},
		{"invented quote, then a real one", []any{filled(invented, "yes", ""), `{"automations":{"callback":{"evidence":[` + asked + `],"verdict":"yes"}}}`},
			interview.Yes, "", "", "all/0 interview valid\nall/0/repair repair valid"},
		{"invented quote, then second thoughts", []any{filled(invented, "yes", ""), `{"automations":{"callback":{"evidence":[],"verdict":"no"}}}`},
			interview.No, "", "", "all/0 interview valid\nall/0/repair repair valid"},
		{"invented twice", []any{filled(invented, "yes", ""), `{"automations":{"callback":{"evidence":[` + invented + `],"verdict":"yes"}}}`},
			interview.Yes, reason.EvidenceNotFound, "", "all/0 interview valid\nall/0/repair repair valid"},
		{"no quote at all", []any{filled("", "yes", ""), "nonsense"}, interview.Yes, reason.EvidenceNotFound, "",
			"all/0 interview valid\nall/0/repair repair answer_invalid"},
		{"words of the agent", []any{filled(`{"turn":4,"quote":"we will call you back"}`, "yes", ""), &llm.Error{Kind: llm.Refused}}, interview.Yes, reason.WrongSpeaker, "",
			"all/0 interview valid\nall/0/repair repair refused"},
		{"turn miscounted", []any{filled(`{"turn":1,"quote":"call me back on Tuesday"}`, "yes", "")}, interview.Yes, "", "", "all/0 interview valid"},
		{"one good quote among bad ones", []any{filled(invented+","+asked, "yes", "")}, interview.Yes, "", "", "all/0 interview valid"},
		{"one repair in all", []any{"nonsense", filled(invented, "yes", "")}, interview.Yes, reason.EvidenceNotFound, "",
			"all/0 interview answer_invalid\nall/0 repair valid"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			mem, m := &memory{}, &script{replies: tc.replies}
			said, err := ask(t, m, mem, form(sheet()), interview.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			a := said.Answers["callback"]
			if a.Verdict != tc.verdict || a.Problem != tc.problem || said.Failed["all/0"] != tc.failed {
				t.Errorf("got %+v, failed %v", a, said.Failed)
			}
			if a.Problem != "" && a.Detail == "" {
				t.Error("a problem without a sentence")
			}
			if said.Routes["callback"] == "" {
				t.Error("no route, not even otherwise")
			}
			if got := mem.log(); got != tc.log {
				t.Errorf("recorded:\n%s\nwant:\n%s", got, tc.log)
			}
			if len(m.replies) != 0 || said.Calls != len(mem.calls) {
				t.Errorf("%d replies unused, %d calls counted, %d recorded", len(m.replies), said.Calls, len(mem.calls))
			}
		})
	}
}

func TestRepairShowsWhatWasWrong(t *testing.T) {
	t.Parallel()
	m := &script{replies: []any{`{"automations":{}}`, filled("", "no", "")}}
	if _, err := ask(t, m, &memory{}, form(sheet()), interview.Limits{}); err != nil {
		t.Fatal(err)
	}
	first, second := m.got[0].Messages, m.got[1].Messages
	if diff := cmp.Diff(first, second[:len(first)]); diff != "" {
		t.Error("the repair has another beginning:", diff)
	}
	last := second[len(second)-1].Content
	if second[len(first)].Role != "assistant" || !strings.Contains(last, "callback") || strings.Contains(last, "file:") {
		t.Errorf("repair says: %s", last)
	}
}

func TestTruncatedAsksForMore(t *testing.T) {
	t.Parallel()
	m := &script{replies: []any{&llm.Error{Kind: llm.Truncated}, filled("", "no", "")}}
	if _, err := ask(t, m, &memory{}, form(sheet()), interview.Limits{AnswerTokens: 100}); err != nil {
		t.Fatal(err)
	}
	if m.got[0].MaxTokens != 100 || m.got[1].MaxTokens != 200 || len(m.got[1].Messages) != len(m.got[0].Messages) {
		t.Errorf("asked for %d, then %d tokens", m.got[0].MaxTokens, m.got[1].MaxTokens)
	}
}

func TestWaitingIsAnErrorAndKeepsWhatWasAnswered(t *testing.T) {
	t.Parallel()
	second := sheet()
	second.Key = "all/1"
	second.Questions[0].ID, second.Choices = "other", nil
	mem := &memory{}
	m := &script{replies: []any{filled(asked, "yes", ""), &llm.Error{Kind: llm.RateLimited, After: time.Minute}}}
	_, err := ask(t, m, mem, form(sheet(), second), interview.Limits{})
	if e := (*llm.Error)(nil); !errors.As(err, &e) || !e.Waits() || e.After != time.Minute {
		t.Fatalf("got %v", err)
	}
	m = &script{replies: []any{`{"automations":{"other":{"evidence":[],"verdict":"no"}},"variables":[],"summary":""}`}}
	said, err := ask(t, m, mem, form(sheet(), second), interview.Limits{})
	if err != nil || said.Calls != 1 || said.Answers["callback"].Verdict != interview.Yes || said.Answers["other"].Verdict != interview.No {
		t.Errorf("got %+v, %v", said, err)
	}
}

func TestMemoryFailureAndCancellation(t *testing.T) {
	t.Parallel()
	broken := errors.New("no database")
	if _, err := ask(t, &script{replies: []any{filled("", "no", "")}}, &memory{fail: broken}, form(sheet()), interview.Limits{}); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	m := &script{replies: []any{func(llm.Request) string { cancel(); return filled("", "no", "") }}}
	mem := &memory{}
	if _, err := interview.NewInterviewer(m, mem, interview.Limits{}).Ask(ctx, form(sheet())); err != nil || len(mem.valid) != 1 {
		t.Errorf("an answer that was paid for is lost when the job stops: %v, %d kept", err, len(mem.valid))
	}
}

func TestTheFirstRecordedAnswerWins(t *testing.T) {
	t.Parallel()
	before := &memory{}
	if _, err := ask(t, &script{replies: []any{filled("", "no", "")}}, before, form(sheet()), interview.Limits{}); err != nil {
		t.Fatal(err)
	}
	mem := &memory{}
	m := &script{replies: []any{func(llm.Request) string {
		// Another process answers between our Recall and our Record.
		_, _ = mem.Record(t.Context(), interview.Call{ConversationID: "c1", RevisionID: "r1", Part: before.calls[0].Part, Valid: true, Answer: []byte(filled("", "no", ""))})
		return filled(asked, "yes", "")
	}}}
	said, err := ask(t, m, mem, form(sheet()), interview.Limits{})
	if err != nil || said.Answers["callback"].Verdict != interview.No {
		t.Errorf("got %+v, %v; the first answer said no", said.Answers, err)
	}
}

// TestALongerTranscriptIsReadAnew: an answer about what had come in so far does not stand for what came in later.
func TestALongerTranscriptIsReadAnew(t *testing.T) {
	t.Parallel()
	mem := &memory{}
	m := &script{replies: []any{filled("", "no", ""), filled(asked, "yes", "")}}
	short, long := form(sheet()), form(sheet())
	cut := *short.Conversation
	cut.Turns = cut.Turns[:1]
	short.Conversation = &cut
	if _, err := ask(t, m, mem, short, interview.Limits{}); err != nil {
		t.Fatal(err)
	}
	said, err := ask(t, m, mem, long, interview.Limits{})
	if err != nil || said.Answers["callback"].Verdict != interview.Yes {
		t.Errorf("got %+v, %v; the whole transcript says yes", said.Answers, err)
	}
}

func TestBudget(t *testing.T) {
	t.Parallel()
	for name, l := range map[string]interview.Limits{"calls": {Calls: 1}, "tokens": {PromptTokens: 2200}} {
		m := &script{replies: []any{"nonsense", filled("", "no", "")}}
		said, err := ask(t, m, &memory{}, form(sheet()), l)
		if err != nil || said.Failed["all/0"] != reason.BudgetExceeded || len(m.got) != 1 {
			t.Errorf("%s: %v after %d calls, %v", name, said.Failed, len(m.got), err)
		}
	}
}

// TestAccountsBudget: what an account has no tokens for is decided if they are spent, and waits if they are only reserved;
// a call that was not made is not recorded.
func TestAccountsBudget(t *testing.T) {
	t.Parallel()
	mem, f := &memory{}, form(sheet())
	said, err := ask(t, &script{replies: []any{&llm.Error{Kind: llm.Spent, Detail: "The day is spent."}}}, mem, f, interview.Limits{})
	a := said.Answers["callback"]
	if err != nil || said.Failed["all/0"] != reason.BudgetExceeded || a.Problem != reason.BudgetExceeded || a.Detail != "The day is spent." {
		t.Errorf("spent: %+v, %v", said, err)
	}
	_, err = ask(t, &script{replies: []any{&llm.Error{Kind: llm.Busy}}}, mem, f, interview.Limits{})
	if e := llm.AsError(err); err == nil || e.Kind != llm.Busy || !e.Waits() {
		t.Errorf("reserved by others: %v", err)
	}
	if len(mem.calls) != 0 || said.Calls != 0 {
		t.Errorf("recorded %s, %d calls; nobody was asked", mem.log(), said.Calls)
	}
	m := &script{replies: []any{filled("", "no", "")}}
	f.Reserve = func(context.Context, int) (func(int), error) { return func(int) {}, nil }
	if _, err := ask(t, m, &memory{}, f, interview.Limits{}); err != nil || m.got[0].Reserve == nil {
		t.Errorf("the request does not carry the account's purse (%v)", err)
	}
}

func TestAbsenceNeedsNoQuote(t *testing.T) {
	t.Parallel()
	s := sheet()
	s.Questions[0].Absence = true
	said, err := ask(t, &script{replies: []any{filled("", "yes", "")}}, &memory{}, form(s), interview.Limits{})
	if a := said.Answers["callback"]; err != nil || a.Verdict != interview.Yes || a.Problem != "" {
		t.Errorf("got %+v, %v", a, err)
	}
}

func TestVariables(t *testing.T) {
	t.Parallel()
	about := func(turn, quote, value string) string {
		return `{"name":"dyn_about","turn":` + turn + `,"quote":"` + quote + `","weekday_said":"none","value":"` + value + `"}`
	}
	nothing := `{"variables":[]}`
	tests := []struct {
		name    string
		replies []any
		want    *interview.Stated
	}{
		{"not stated", []any{filled("", "no", "")}, nil},
		{"stated", []any{filled("", "no", about("2", "about my invoice", "the invoice"))},
			&interview.Stated{Value: "the invoice"}},
		{"by the wrong speaker, taken back", []any{filled("", "no", about("4", "we will call you back", "a call")), nothing}, nil},
		{"by the wrong speaker, insisted upon", []any{filled("", "no", about("4", "we will call you back", "a call")), `{"variables":[{"name":"dyn_about","turn":4,"quote":"we will call you back","value":"a call"}]}`},
			&interview.Stated{Value: "a call", Problem: reason.WrongSpeaker}},
		{"no quote", []any{filled("", "no", about("0", "", "guessed")), "nonsense"},
			&interview.Stated{Value: "guessed", Problem: reason.EvidenceNotFound}},
		{"unknown is not stated", []any{filled("", "no", about("2", "about my invoice", "Unknown."))}, nil},
		{"empty is not stated", []any{filled("", "no", about("0", "", " "))}, nil},
		{"twice the same", []any{filled("", "no", about("2", "about my invoice", "the invoice")+","+about("2", "about my invoice", "The invoice!"))},
			&interview.Stated{Value: "the invoice"}},
		{"two values", []any{filled("", "no", about("2", "about my invoice", "the invoice")+","+about("2", "about my invoice", "a fine"))},
			&interview.Stated{Value: "a fine", Conflict: true}},
		{"two values, one invented", []any{filled("", "no", about("2", "about my invoice", "the invoice")+","+about("2", "not said by anybody", "a fine"))},
			&interview.Stated{Value: "the invoice"}},
		{"header break, controls, direction", []any{filled("", "no", about("2", "about my invoice", `x\r\nBcc: eve@evil.example\u0000\u202e`))},
			&interview.Stated{Value: "x Bcc: eve@evil.example"}},
		{"50 KB is no value", []any{filled("", "no", about("2", "about my invoice", strings.Repeat("A", 50_000)))}, nil},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			said, err := ask(t, &script{replies: tc.replies}, &memory{}, form(sheet()), interview.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			got, ok := said.Variables["dyn_about"]
			if ok != (tc.want != nil) {
				t.Fatalf("got %+v, want %+v", got, tc.want)
			}
			if ok && (got.Value != tc.want.Value || got.Problem != tc.want.Problem || got.Conflict != tc.want.Conflict) {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
}

func TestAskFor(t *testing.T) {
	t.Parallel()
	mem := &memory{}
	i := interview.NewInterviewer(&script{replies: []any{
		`{"variables":[{"name":"dyn_about","turn":2,"quote":"about my invoice","value":"the invoice"}]}`}}, mem, interview.Limits{})
	for range 2 { // the second time it is recalled
		s, ok, err := i.AskFor(t.Context(), form(sheet()), sheet().Blanks[1])
		if err != nil || !ok || s.Value != "the invoice" || s.Weekday != "none" {
			t.Fatalf("got %+v, %v, %v", s, ok, err)
		}
	}
	if mem.log() != "all/0/required:dyn_about required valid" {
		t.Error(mem.log())
	}
	i = interview.NewInterviewer(&script{replies: []any{&llm.Error{Kind: llm.Refused}}}, &memory{}, interview.Limits{})
	if _, ok, err := i.AskFor(t.Context(), form(sheet()), sheet().Blanks[1]); ok || err != nil {
		t.Errorf("refused: %v, %v", ok, err)
	}
	i = interview.NewInterviewer(&script{replies: []any{&llm.Error{Kind: llm.Unavailable}}}, &memory{}, interview.Limits{})
	if _, _, err := i.AskFor(t.Context(), form(sheet()), sheet().Blanks[1]); err == nil {
		t.Error("a model that is away must be waited for")
	}
}

func TestNobodySpoke(t *testing.T) {
	t.Parallel()
	f := form(sheet())
	f.Conversation.Turns = nil
	said, err := ask(t, &script{}, &memory{}, f, interview.Limits{})
	if err != nil || said.Calls != 0 || said.Answers["callback"].Problem != reason.EvidenceNotFound || said.Routes["callback"] != interview.Otherwise {
		t.Errorf("got %+v, %v", said, err)
	}
}

func TestNothingToAsk(t *testing.T) {
	t.Parallel()
	if said, err := ask(t, &script{}, &memory{}, form(interview.Sheet{Key: "empty"}), interview.Limits{}); err != nil || said.Calls != 0 {
		t.Errorf("got %+v, %v", said, err)
	}
}
