package change

import (
	"context"
	"maps"
	"strings"
	"sync"

	"aftercall/internal/llm"
	"aftercall/interview"
)

// recollection is an interview's memory that keeps nothing: it knows the recorded answers of the calls that are being
// rehearsed, and what a model was asked meanwhile. It is safe for concurrent use.
type recollection struct {
	silent bool // there is no model behind it: a part that is asked for is a part that is not known

	mu    sync.Mutex
	calls map[string]*recalled // by conversation
}

type recalled struct {
	answers    map[string][]byte
	spent      int
	unanswered []string // parts
}

func newRecollection(silent bool) *recollection {
	return &recollection{silent: silent, calls: map[string]*recalled{}}
}

// begin brings a call's answers to mind.
func (m *recollection) begin(conversationID string, answers map[string][]byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls[conversationID] = &recalled{answers: answers}
}

// end forgets a call and says what it cost and which parts nobody answered.
func (m *recollection) end(conversationID string) (spent int, unanswered []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.calls[conversationID]
	delete(m.calls, conversationID)
	return c.spent, c.unanswered
}

// Recall gives the call's answers. The account's revisions are told apart by having a recollection each.
func (m *recollection) Recall(_ context.Context, conversationID, _ string) (map[string][]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	answers := maps.Clone(m.calls[conversationID].answers)
	if answers == nil {
		answers = map[string][]byte{}
	}
	return answers, nil
}

// Record keeps an answer in mind until the call is done. A repair that nobody answers leaves what was said before, as it
// does on the line, so that it is nothing unknown.
func (m *recollection) Record(_ context.Context, c interview.Call) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	of := m.calls[c.ConversationID]
	of.spent += c.Reply.TokensIn + c.Reply.TokensOut
	switch {
	case c.Valid:
		if of.answers == nil {
			of.answers = map[string][]byte{}
		}
		of.answers[c.Part] = c.Answer
	case m.silent && !strings.Contains(c.Part, "/repair@"):
		of.unanswered = append(of.unanswered, c.Part)
	}
	return c.Answer, nil
}

// nobody is the model where none may be asked. It answers in a way for which waiting does not help.
type nobody struct{}

// Complete refuses.
func (nobody) Complete(context.Context, llm.Request) (llm.Reply, error) {
	return llm.Reply{}, &llm.Error{Kind: llm.BadRequest, Detail: "no model is asked here"}
}

// gaps is what is not known of one call under one revision.
type gaps struct {
	questions, choices, values map[string]bool // by automation, by automation, by variable
	summary                    bool
	all                        bool // a form could not be put together: nothing that was asked is known
}

// gapsOf gathers what the recorded answers left open, and what was asked for all the same.
func gapsOf(open []interview.Sheet, unanswered []string) gaps {
	g := gaps{questions: map[string]bool{}, choices: map[string]bool{}, values: map[string]bool{}}
	for _, s := range open {
		for _, q := range s.Questions {
			g.questions[q.ID] = true
		}
		for _, c := range s.Choices {
			g.choices[c.ID] = true
		}
		for _, b := range s.Blanks {
			g.values[b.Name] = true
		}
		g.summary = g.summary || s.Summary
	}
	for _, part := range unanswered {
		if _, name, alone := strings.Cut(part, "/required:"); alone {
			name, _, _ = strings.Cut(name, "@")
			name, _, _ = strings.Cut(name, "/")
			g.values[name] = true
			continue
		}
		g.all = true
	}
	return g
}
