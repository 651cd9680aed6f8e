package interview

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aftercall/conversation"
	"aftercall/internal/llm"
	"aftercall/internal/signals"
	"aftercall/reason"
)

// Limits bound one conversation's interview. The zero value of a field means its default.
type Limits struct {
	TranscriptTokens int // longest transcript asked about whole (default 24,000, at 4 bytes a token)
	WindowTokens     int // length of a window of a longer one (default 12,000)
	OverlapTurns     int // turns that two windows share (default 15)
	Calls            int // model calls per conversation, repairs and windows included (default 40)
	AnswerTokens     int // longest answer asked for (default 4,096)
	PromptTokens     int // estimated prompt tokens of all calls of one conversation (default 600,000)
}

func (l Limits) withDefaults() Limits {
	for _, d := range []struct {
		field *int
		value int
	}{
		{&l.TranscriptTokens, 24_000}, {&l.WindowTokens, 12_000}, {&l.OverlapTurns, 15},
		{&l.Calls, 40}, {&l.AnswerTokens, 4_096}, {&l.PromptTokens, 600_000},
	} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	return l
}

// Interviewer asks forms. It is safe for concurrent use.
type Interviewer struct {
	model  llm.Model
	memory Memory
	limits Limits
	sheets table

	signals *signals.Signals
}

// NewInterviewer returns an Interviewer that asks m and keeps its answers in mem.
func NewInterviewer(m llm.Model, mem Memory, l Limits) *Interviewer {
	return &Interviewer{model: m, memory: mem, limits: l.withDefaults()}
}

// Tell has every call to the model counted. It returns the interviewer.
func (i *Interviewer) Tell(s *signals.Signals) *Interviewer {
	i.signals = s
	return i
}

// New lays out a form.
func New(c *conversation.Conversation, revisionID string, loc *time.Location, sheets []Sheet) Form {
	return Form{Conversation: c, RevisionID: revisionID, Location: loc, Sheets: sheets}
}

// Ask fills in the form: recorded answers are recalled, what is missing is asked, checked, and repaired at most once.
// The error is an *llm.Error for which waiting helps, ctx's, or a failure of Memory; all else is in Said.Failed. What
// was answered before an error is recorded, so that the next Ask goes on where this one stopped.
func (i *Interviewer) Ask(ctx context.Context, f Form) (Said, error) {
	said := Said{
		Answers: map[string]Answer{}, Routes: map[string]string{}, Variables: map[string]Stated{}, Failed: map[string]reason.Code{},
	}
	if !f.Conversation.HasSpeech() {
		f.unheard(&said)
		return said, nil
	}
	recalled, err := f.Recalled, error(nil)
	if recalled == nil {
		recalled, err = i.memory.Recall(ctx, f.Conversation.ID, f.RevisionID)
	}
	if err != nil {
		return said, fmt.Errorf("recall answers of conversation %s: %w", f.Conversation.ID, err)
	}
	x := i.exchange(f, recalled)
	for _, s := range f.Sheets {
		if s.empty() {
			continue
		}
		r, err := x.fill(ctx, s)
		said.Calls, said.Simulated = x.calls, x.simulated
		var failed *failure
		switch {
		case errors.As(err, &failed):
			s.fail(&said, failed)
		case err != nil:
			return said, err
		default:
			r.into(&said, s)
		}
	}
	return said, nil
}

// AskFor asks for one required variable alone, after it was absent from the form of a firing automation. ok is false
// if it was not stated this time either, or could not be asked.
func (i *Interviewer) AskFor(ctx context.Context, f Form, b Blank) (s Stated, ok bool, err error) {
	if !f.Conversation.HasSpeech() {
		return Stated{}, false, nil
	}
	recalled, err := i.memory.Recall(ctx, f.Conversation.ID, f.RevisionID)
	if err != nil {
		return Stated{}, false, fmt.Errorf("recall answers of conversation %s: %w", f.Conversation.ID, err)
	}
	home := f.sheetOf(b.Name)
	sheet := Sheet{Key: home.Key + "/required:" + b.Name, Account: home.Account, Language: home.Language, Blanks: []Blank{b}, For: home.For}
	r, err := i.exchange(f, recalled).fill(ctx, sheet)
	var failed *failure
	if errors.As(err, &failed) {
		return Stated{}, false, nil // it stays absent, and the automation that requires it is held
	}
	if err != nil {
		return Stated{}, false, err
	}
	s, ok = r.variables[b.Name]
	return s, ok, nil
}

// sheetOf is the sheet on which a variable is asked for, else the first.
func (f Form) sheetOf(name string) Sheet {
	for _, s := range f.Sheets {
		for _, b := range s.Blanks {
			if b.Name == name {
				return s
			}
		}
	}
	if len(f.Sheets) > 0 {
		return f.Sheets[0]
	}
	return Sheet{Key: "form"}
}

// unheard answers a form about a conversation in which nobody said anything: nothing can be known, so nobody is asked.
func (f Form) unheard(said *Said) {
	for _, s := range f.Sheets {
		for _, q := range s.Questions {
			said.Answers[q.ID] = Answer{Verdict: NotSure, Problem: reason.EvidenceNotFound, Detail: "There is no transcript."}
		}
		for _, c := range s.Choices {
			said.Routes[c.ID] = Otherwise
		}
	}
}

// fail answers every question of a sheet that could not be filled in.
func (s Sheet) fail(said *Said, f *failure) {
	said.Failed[s.Key] = f.code
	for _, q := range s.Questions {
		said.Answers[q.ID] = Answer{Verdict: NotSure, Problem: f.code, Detail: f.detail}
	}
	for _, c := range s.Choices {
		said.Routes[c.ID] = Otherwise
	}
}

// failure is why a sheet cannot be filled in, when waiting does not help.
type failure struct {
	code   reason.Code
	detail string // one sentence for a person, without transcript text
}

func (f *failure) Error() string { return string(f.code) + ": " + f.detail }
