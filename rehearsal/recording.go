package rehearsal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"aftercall/internal/llm"
	"aftercall/interview"
)

// Recording is one answer as it is kept beside a test. It counts for exactly the prompt it answered.
type Recording struct {
	Case      string          `json:"case"`
	Run       int             `json:"run,omitempty"` // of a case that is repeated: 0 is the first
	Prompt    string          `json:"prompt"`        // interview.PromptHash, which covers the schema
	Schema    string          `json:"schema"`        // sha256, hex
	Model     string          `json:"model"`         // who answered; ByHand for a person
	Simulated bool            `json:"simulated,omitempty"`
	TokensIn  int             `json:"tokens_in"`
	TokensOut int             `json:"tokens_out"`
	Answer    json.RawMessage `json:"answer,omitempty"`
	Text      string          `json:"text,omitempty"`    // an answer that is no JSON
	Failure   llm.Kind        `json:"failure,omitempty"` // a call without an answer, such as a refusal
}

// recordings is a file of them.
type recordings struct {
	About   string      `json:"about"`
	Answers []Recording `json:"answers"`
}

// aboutRecordings opens every file, for whoever finds it in a diff.
const aboutRecordings = "Answers for the tests of the same name, by prompt. Written by `aftercall test --record`; not to be edited."

// loadRecordings reads a file of recordings. One that is not there holds none.
func loadRecordings(path string) ([]Recording, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read recorded answers: %w", err)
	}
	var r recordings
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, fmt.Errorf("read recorded answers %s: %w", path, err)
	}
	for i := range r.Answers {
		r.Answers[i].Answer = canonical(r.Answers[i].Answer)
	}
	return r.Answers, nil
}

// saveRecordings writes a file of recordings, in the order given: that of the cases, and of the questions in each.
func saveRecordings(path string, all []Recording) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(recordings{aboutRecordings, all}); err != nil {
		return fmt.Errorf("write recorded answers: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("write recorded answers: %w", err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write recorded answers: %w", err)
	}
	return nil
}

// canonical is JSON without space around its parts, so that what is replayed is what was answered to the byte: a repair
// quotes a bad answer in the next prompt.
func canonical(raw []byte) json.RawMessage {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return nil
	}
	return b.Bytes()
}

// replay is a model that answers from what was recorded for one try of a case, and asks nobody.
type replay struct {
	all  []Recording
	name string
	run  int

	mu    sync.Mutex
	asked map[string]int // how often, by prompt
}

func newReplay(all []Recording, name string, run int) *replay {
	return &replay{all: all, name: name, run: run, asked: map[string]int{}}
}

// notRecorded marks the error of a model that has no recording.
const notRecorded = "no answer is recorded for this prompt"

func isMissing(err error) bool {
	var e *llm.Error
	return errors.As(err, &e) && e.Detail == notRecorded
}

// Complete answers what was recorded for the prompt.
func (p *replay) Complete(_ context.Context, q llm.Request) (llm.Reply, error) {
	prompt := interview.PromptHash(q)
	some := p.choose(prompt)
	if len(some) == 0 {
		// Shut says that nobody was asked, so that the interview counts no call.
		return llm.Reply{}, &llm.Error{Kind: llm.Misconfigured, Shut: true, Detail: notRecorded}
	}
	p.mu.Lock()
	n := min(p.asked[prompt], len(some)-1)
	p.asked[prompt]++
	p.mu.Unlock()
	one := some[n]
	reply := llm.Reply{
		Content: one.Text, Model: one.Model, Simulated: one.Simulated,
		TokensIn: one.TokensIn, TokensOut: one.TokensOut, FinishReason: "stop",
	}
	if one.Answer != nil {
		reply.Content = string(one.Answer)
	}
	if one.Failure != "" {
		return reply, &llm.Error{Kind: one.Failure, Detail: "as recorded", Reply: reply}
	}
	return reply, nil
}

// choose gives the answers to a prompt in the order in which they were given: those of the case, or of another if it has
// none, since a case that was given another name keeps its answers; but of this try only. What one try was answered says
// nothing about the next.
func (p *replay) choose(prompt string) []Recording {
	all := filter(p.all, func(r Recording) bool { return r.Prompt == prompt })
	if len(all) == 0 {
		return nil
	}
	name := p.name
	if !slices.ContainsFunc(all, func(r Recording) bool { return r.Case == name }) {
		name = all[0].Case
	}
	return filter(all, func(r Recording) bool { return r.Case == name && r.Run == p.run })
}

func filter(all []Recording, is func(Recording) bool) []Recording {
	return slices.DeleteFunc(slices.Clone(all), func(r Recording) bool { return !is(r) })
}

// recorder asks a model and keeps what it answers.
type recorder struct {
	model llm.Model
	name  string
	run   int

	mu   sync.Mutex
	kept []Recording
}

// Complete asks the model. What it answers is handed on as it will be replayed.
func (r *recorder) Complete(ctx context.Context, q llm.Request) (llm.Reply, error) {
	reply, err := r.model.Complete(ctx, q)
	one := Recording{
		Case: r.name, Run: r.run, Prompt: interview.PromptHash(q), Schema: interview.SchemaHash(q),
		Model: reply.Model, Simulated: reply.Simulated, TokensIn: reply.TokensIn, TokensOut: reply.TokensOut,
	}
	if err != nil {
		e := llm.AsError(err)
		if ctx.Err() != nil || e.Waits() || e.Unasked() {
			return reply, err // says nothing about the prompt: it is not kept
		}
		one.Failure, one.Model = e.Kind, e.Reply.Model
	} else if one.Answer = canonical([]byte(reply.Content)); one.Answer != nil {
		reply.Content = string(one.Answer)
	} else {
		one.Text = reply.Content
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kept = append(r.kept, one)
	return reply, err
}
