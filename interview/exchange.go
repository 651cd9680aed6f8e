package interview

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"aftercall/conversation"
	"aftercall/internal/llm"
	"aftercall/internal/signals"
	"aftercall/reason"
)

// exchange is one form being asked: what was recalled, what was spent, and the turns to check quotes against.
type exchange struct {
	*Interviewer
	form      Form
	recalled  map[string][]byte
	reader    *reader
	turns     []piece
	heard     string // names the transcript that is asked about; part of what an answer is kept under
	calls     int    // made now
	tokens    int    // of prompts, estimated, made now
	reserve   llm.Reserve
	simulated bool
}

func (i *Interviewer) exchange(f Form, recalled map[string][]byte) *exchange {
	return &exchange{
		Interviewer: i, form: f, recalled: recalled, reserve: f.Reserve,
		reader: newReader(f.Conversation.Turns), turns: pieces(f.Conversation.Turns), heard: heard(f.Conversation.Turns),
	}
}

// heard names a transcript by its content. A platform may post more of it while a call waits for its decision; an answer
// about the shorter transcript must not stand for the longer one.
func heard(turns []conversation.Turn) string {
	sum := sha256.New()
	var line []byte
	for _, t := range turns {
		line = append(strconv.AppendQuote(line[:0], string(t.Role)), ' ')
		if plain(t.Text) {
			line = append(append(append(line, '"'), t.Text...), `" `...) // as AppendQuote has it, and faster
		} else {
			line = append(strconv.AppendQuote(line, t.Text), ' ')
		}
		line = append(strconv.AppendInt(line, t.AtMS, 10), '\n')
		sum.Write(line)
	}
	return hexOf(sum.Sum(nil)[:4])
}

// laid gives a sheet laid out.
func (x *exchange) laid(s Sheet) *laid { return x.sheets.sheet(x.form.RevisionID, s) }

// kept is the name under which the answer for a part is kept.
func (x *exchange) kept(a ask) string { return a.part + "@" + x.heard }

// What a call is for, as recorded.
const (
	purposeInterview = "interview"
	purposeRepair    = "repair"
	purposeConfirm   = "confirm"
	purposeRequired  = "required"
)

// Purposes lists what a call can be for.
func Purposes() []string {
	return []string{purposeInterview, purposeRepair, purposeConfirm, purposeRequired}
}

// ask is one part of a form: a sheet, a window of it, its repair or its confirmation.
type ask struct {
	part    string
	purpose string
	sheet   Sheet
	turns   []piece
	note    string // added to the reminder
	once    bool   // a wrong answer is not sent back
}

// errTooLong says that the model cannot take the whole prompt.
var errTooLong = errors.New("the prompt does not fit the model")

// put gets the valid answer for a part: the recorded one, else the model's, repaired once if its form is bad. It
// reports whether that repair was needed. The error is a *failure, errTooLong, or one that Ask returns.
func (x *exchange) put(ctx context.Context, a ask) (ans answer, repaired bool, err error) {
	l := x.laid(a.sheet)
	schema, err := l.form()
	if err != nil {
		return answer{}, false, err
	}
	if raw, ok := x.recalled[x.kept(a)]; ok {
		raw, err := check(string(raw), schema)
		if err != nil { // recorded by a version whose forms looked otherwise; asking again would not replace it
			return answer{}, false, &failure{reason.AnswerInvalid, "The recorded answer does not fit the form."}
		}
		ans, err := decode(raw)
		return ans, false, err
	}
	raw, repaired, err := x.insist(ctx, a, x.form.request(l, a.turns, a.note, x.limits.AnswerTokens), schema, l.hash)
	if err != nil {
		return answer{}, repaired, err
	}
	ans, err = decode(raw)
	return ans, repaired, err
}

// insist asks until the answer has the right form, within narrow bounds: JSON that broke off is asked for again once as
// it was, a truncated answer once with twice the room, and a wrong one is sent back once with its faults.
func (x *exchange) insist(ctx context.Context, a ask, q llm.Request, s *jsonschema.Schema, schemaHash string) (raw []byte, repaired bool, err error) {
	resend, mend := true, !a.once
	for {
		raw, bad, err := x.call(ctx, a, q, s, schemaHash)
		switch {
		case bad == nil:
			return raw, repaired, err
		case bad.truncated && resend:
			q.MaxTokens *= 2
			resend, a.purpose = false, purposeRepair
		case bad.truncated && mend:
			mend = false
		case resend && strings.HasPrefix(strings.TrimSpace(bad.content), "{") && !json.Valid([]byte(bad.content)):
			resend = false
		case mend && !bad.truncated:
			q = repair(q, bad.content, bad.faults)
			mend, repaired, a.purpose = false, true, purposeRepair
		default:
			return nil, repaired, err
		}
	}
}

// badAnswer is an answer without the right form.
type badAnswer struct {
	truncated bool
	content   string
	faults    error
}

// call asks the model once and records the call. If the answer is bad in a way that a second try can mend, err says
// what to report if it is not tried.
func (x *exchange) call(ctx context.Context, a ask, q llm.Request, s *jsonschema.Schema, schemaHash string) (raw []byte, bad *badAnswer, err error) {
	if err := x.spend(q); err != nil {
		return nil, nil, err
	}
	q.Reserve = x.reserve
	asking, span := signals.Call(ctx, "model")
	reply, err := x.model.Complete(asking, q)
	follow(span, a, reply, err)
	c := Call{
		ConversationID: x.form.Conversation.ID, AccountID: x.form.Conversation.AccountID, RevisionID: x.form.RevisionID,
		Part: x.kept(a), Purpose: a.purpose, PromptHash: PromptHash(q), SchemaHash: schemaHash, For: a.sheet.For, Reply: reply, At: time.Now().UTC(),
	}
	c.Reply.Content = "" // a valid answer is kept as such; of others nothing is kept
	if err != nil {
		return x.failed(ctx, c, err)
	}
	valid, invalid := check(reply.Content, s)
	if invalid != nil {
		c.ErrorKind = string(reason.AnswerInvalid)
		if _, err := x.record(ctx, c); err != nil {
			return nil, nil, err
		}
		return nil, &badAnswer{content: reply.Content, faults: invalid}, &failure{reason.AnswerInvalid, "The answer did not fit the form."}
	}
	c.Valid, c.Answer = true, valid
	x.simulated = x.simulated || reply.Simulated
	raw, err = x.record(ctx, c)
	if err != nil {
		return nil, nil, err
	}
	if string(raw) != string(valid) { // another process was first; its answer is the one
		if raw, invalid = check(string(raw), s); invalid != nil {
			return nil, nil, &failure{reason.AnswerInvalid, "The recorded answer does not fit the form."}
		}
	}
	return raw, nil, nil
}

// follow ends the step of a call.
func follow(span signals.Span, a ask, r llm.Reply, err error) {
	failed := ""
	if err != nil {
		failed = string(llm.AsError(err).Kind)
	}
	span.Note(slog.String("purpose", a.purpose), slog.Bool("simulated_model", r.Simulated),
		slog.Int("tokens_in", r.TokensIn), slog.Int("tokens_cached", r.TokensCached), slog.Int("tokens_out", r.TokensOut))
	span.End(failed)
}

// failed records a call without an answer and says what follows from it.
func (x *exchange) failed(ctx context.Context, c Call, err error) ([]byte, *badAnswer, error) {
	if ctx.Err() != nil {
		return nil, nil, ctx.Err()
	}
	e := llm.AsError(err)
	if e.Unasked() { // no call was made: nothing to keep
		x.calls--
		return nil, nil, unasked(e)
	}
	c.ErrorKind, c.Status = string(e.Kind), e.Status
	if c.Reply.Model == "" {
		c.Reply = e.Reply
		c.Reply.Content = ""
	}
	if _, err := x.record(ctx, c); err != nil {
		return nil, nil, err
	}
	switch {
	case e.Waits():
		return nil, nil, e
	case e.Kind == llm.Truncated:
		return nil, &badAnswer{truncated: true}, &failure{reason.AnswerInvalid, "The answer was longer than its limit."}
	case e.Kind == llm.TooLong:
		return nil, nil, errTooLong
	case e.Kind == llm.Refused:
		return nil, nil, &failure{reason.ModelRefused, "The model refused to read this conversation."}
	}
	return nil, nil, &failure{reason.AnswerInvalid, "The model's server does not accept the question."}
}

// spend notes a call, or refuses it when the conversation's budget is used up. Answers recalled were paid for as well.
func (x *exchange) spend(q llm.Request) error {
	n := len(q.Schema)
	for _, m := range q.Messages {
		n += len(m.Content)
	}
	if x.calls+len(x.recalled) >= x.limits.Calls {
		return &failure{reason.BudgetExceeded, fmt.Sprintf("More than %d model calls would be needed.", x.limits.Calls)}
	}
	if x.tokens+n/4 > x.limits.PromptTokens {
		return &failure{reason.BudgetExceeded, fmt.Sprintf("More than %d prompt tokens would be needed.", x.limits.PromptTokens)}
	}
	x.calls++
	x.tokens += n / 4
	return nil
}

// record keeps a call, and counts it. It does so even if the job is being stopped: the answer is paid for.
func (x *exchange) record(ctx context.Context, c Call) ([]byte, error) {
	x.signals.ModelCall(c.Purpose, c.outcome(), c.Reply.Latency, c.Reply.TokensIn, c.Reply.TokensCached, c.Reply.TokensOut)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	raw, err := x.memory.Record(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("record answer of conversation %s: %w", c.ConversationID, err)
	}
	return raw, nil
}

// repair asks again with the bad answer and what is wrong with it.
func repair(q llm.Request, bad string, invalid error) llm.Request {
	q.Messages = slices.Clone(q.Messages)
	if bad != "" { // servers refuse empty messages
		q.Messages = append(q.Messages, llm.Message{Role: "assistant", Content: clip(bad, 8_000)})
	}
	q.Messages = append(q.Messages,
		llm.Message{Role: "user", Content: "That answer does not fit the form:\n" + faults(invalid) +
			"\nAnswer again with the whole form as one JSON object and nothing else."})
	return q
}

// PromptHash names a request by its messages and its schema: sha256, hex. Answers are recorded under it, and may be found
// again by it.
func PromptHash(q llm.Request) string {
	h := sha256.New()
	w := bufio.NewWriterSize(h, 1<<10) // a hash takes no strings; this way none is copied whole
	for _, m := range q.Messages {
		fmt.Fprintf(w, "%s %d\n%s", m.Role, len(m.Content), m.Content)
	}
	_, _ = w.Write(q.Schema)
	_ = w.Flush() // a hash takes everything
	return hexOf(h.Sum(nil))
}

// SchemaHash names the schema of a request: sha256, hex.
func SchemaHash(q llm.Request) string { return sha(q.Schema) }

func sha(raw json.RawMessage) string {
	sum := sha256.Sum256(raw)
	return hexOf(sum[:])
}
