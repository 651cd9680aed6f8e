package interview

import (
	"context"
	"encoding/json"
	"time"

	"aftercall/conversation"
	"aftercall/internal/llm"
	"aftercall/reason"
)

// Limits bound one conversation's interview. The zero value of a field means its default.
type Limits struct {
	TranscriptTokens int // longest transcript asked about whole (default 24,000, at 4 bytes a token)
	WindowTokens     int // length of a window of a longer one (default 12,000)
	OverlapTurns     int // turns that two windows share (default 15)
	Calls            int // model calls per conversation, repairs and windows included (default 40)
	AnswerTokens     int // longest answer asked for (default 4,096)
}

// Interviewer asks forms.
type Interviewer struct {
}

// NewInterviewer returns an Interviewer that asks m and keeps its answers in mem.
func NewInterviewer(m llm.Model, mem Memory, l Limits) *Interviewer { panic("contract") }

// New lays out a form.
func New(c *conversation.Conversation, revisionID string, loc *time.Location, sheets []Sheet) Form {
	return Form{Conversation: c, RevisionID: revisionID, Location: loc, Sheets: sheets}
}

// Ask fills in the form: recorded answers are recalled, what is missing is asked, checked, and repaired at most once.
// The error is an *llm.Error for which waiting helps, or a failure of Memory; all else is in Said.Failed.
func (i *Interviewer) Ask(ctx context.Context, f Form) (Said, error) { panic("contract") }

// AskFor asks for one required variable alone, after it was absent from the form of a firing automation. ok is false
// if it was not stated this time either.
func (i *Interviewer) AskFor(ctx context.Context, f Form, b Blank) (s Stated, ok bool, err error) {
	panic("contract")
}

// Find checks evidence: that the quote stands in its turn (case, spaces and punctuation folded; at least three words, or
// the whole turn) and that an allowed speaker said it. It returns "" or EvidenceNotFound or WrongSpeaker.
func Find(turns []conversation.Turn, e Evidence, by Speaker) reason.Code { panic("contract") }

// Schema is the strict JSON schema of the sheet's answer: no unions, no optional properties.
func (s Sheet) Schema() json.RawMessage { panic("contract") }
