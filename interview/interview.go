// Package interview is the one form a language model fills in about a conversation.
//
// Triggers, routes, variables and the summary each put their questions on it; it is asked once per conversation (per
// shard, and per window of a very long transcript), and what comes back is checked here whatever the provider promised:
// the shape by schema, every quote against the turn and the speaker it names. No other package asks a model.
//
// It owns Form, its schema and prompt, validation, the one repair, sharding's unit (a Sheet), windows, and Find, the
// evidence check. It knows questions and answers, not automations; it keeps nothing itself but asks a Memory to.
//
// It promises that the schema and the beginning of the prompt depend on the sheet alone, that a prompt holds nothing
// random, and that the first valid answer recorded for (conversation, revision, part) is the one used for ever.
package interview

import (
	"context"
	"time"

	"aftercall/conversation"
	"aftercall/internal/llm"
	"aftercall/internal/signals"
	"aftercall/reason"
)

// Speaker restricts whose words count as evidence.
type Speaker string

// The speakers an author can ask for.
const (
	Anyone   Speaker = "anyone"
	Customer Speaker = "customer"
	Agent    Speaker = "agent"
)

// Question asks for a verdict on one automation.
type Question struct {
	ID      string  // the automation's id
	Ask     string  // the author's question
	SaidBy  Speaker // whose words may be evidence
	Absence bool    // evidence: none — the question is about something that did not happen
}

// Option is one thing to choose: its key, and the author's words for when it applies.
type Option struct{ Key, When string }

// Otherwise is the key of the route that is taken when no option applies.
const Otherwise = "otherwise"

// Choice asks which route applies to one automation. The model sees keys and notes, never an address.
type Choice struct {
	ID      string // the automation's id
	Options []Option
}

// Blank asks for one variable's value, if it was stated.
type Blank struct {
	Name   string // dyn_…
	Type   string // text, enum, date, time, number, money, phone, email, url, boolean
	Ask    string // what is wanted, in the author's words
	SaidBy Speaker
	Values []Option // the members of an enum
	Max    int      // longest text in characters
}

// Sheet is the part of a form that depends on the revision and the shard alone. Equal sheets give equal schemas and
// equal prompt beginnings, so that providers can cache both.
type Sheet struct {
	Key       string // names the shard within the revision: "all/0", "agent:reception/1"
	Account   string // the account's name, for the prompt
	Language  string // language of free-text values and the summary (BCP 47)
	Questions []Question
	Choices   []Choice
	Blanks    []Blank
	Summary   bool     // ask for a summary of the conversation
	For       []string // ids of the automations it asks for; what a call costs is theirs in equal parts
}

// Form is the sheets to be filled in about one conversation.
type Form struct {
	Conversation *conversation.Conversation
	RevisionID   string
	Location     *time.Location // zone of the conversation, for the calendar in the prompt
	Sheets       []Sheet
	Recalled     map[string][]byte // what was answered before, if the caller has it already; nil: Memory is asked
	Reserve      llm.Reserve       // sets tokens of the account's day aside for each request; nil: the account has no budget
}

// Verdict is the model's word on one question.
type Verdict string

// The verdicts.
const (
	Yes     Verdict = "yes"
	No      Verdict = "no"
	NotSure Verdict = "unsure"
)

// Evidence is what a verdict or a value rests on: a turn (from 1) and words from it.
type Evidence struct {
	Turn  int    `json:"turn"`
	Quote string `json:"quote"`
}

// Answer is the checked answer to one Question.
type Answer struct {
	Verdict  Verdict
	Evidence []Evidence  // only what stands in its turn and was said by an allowed speaker
	Problem  reason.Code // why a yes does not count: EvidenceNotFound, WrongSpeaker, AnswerInvalid, …; "" if nothing is wrong
	Detail   string      // one sentence for a person, without transcript text
}

// Stated is one variable value as the model gave it, with its evidence checked.
type Stated struct {
	Name     string
	Value    string
	Weekday  string // for dates: mon…sun if a weekday was said, else "none"
	Evidence Evidence
	Problem  reason.Code // EvidenceNotFound or WrongSpeaker if the evidence did not hold; "" if it did
	Conflict bool        // two windows of a long transcript gave different values
}

// Said is a filled-in form.
type Said struct {
	Answers   map[string]Answer // by question id; every due question has one
	Routes    map[string]string // by choice id: an option's key or Otherwise
	Variables map[string]Stated // by name; absent means not stated
	Summary   string
	Failed    map[string]reason.Code // sheets that could not be filled in, by Sheet.Key: ModelRefused, AnswerInvalid, BudgetExceeded
	Simulated bool                   // the simulated model answered at least one sheet
	Calls     int                    // model calls made now; answers recalled cost none
}

// Call is one model call, as recorded whether or not its answer was valid.
type Call struct {
	ID                                    string // given when it is recorded
	ConversationID, AccountID, RevisionID string
	Part                                  string // sheet key, plus "/wN" for a window, "/confirm", "/repair", "/required:dyn_x"; "@" and a digest of the turns
	Purpose                               string // interview, repair, confirm, required
	PromptHash                            string // sha256 of messages and schema, hex
	SchemaHash                            string
	Valid                                 bool   // the answer passed the schema; only a valid answer is ever reused
	Answer                                []byte // the JSON as answered (valid), or nil
	ErrorKind                             string // llm.Kind of a failed call, or "answer_invalid"
	Status                                int
	For                                   []string  // the sheet's
	Reply                                 llm.Reply // tokens, model, latency, finish reason
	At                                    time.Time
}

// outcome is the word for what came of the call.
func (c Call) outcome() string {
	if c.Valid {
		return signals.Valid
	}
	return c.ErrorKind
}

// Memory keeps answers. The store implements it on Postgres; tests may keep a map.
type Memory interface {
	// Recall returns the recorded valid answers of a conversation under a revision, by part.
	Recall(ctx context.Context, conversationID, revisionID string) (map[string][]byte, error)
	// Record keeps a call. Of several valid calls for one part the first wins: Record returns the answer to use,
	// which is the earlier one if there was one.
	Record(ctx context.Context, c Call) (answer []byte, err error)
}
