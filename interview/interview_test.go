package interview_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"aftercall/conversation"
	"aftercall/internal/llm"
	"aftercall/interview"
)

// memory keeps answers in a map, as the store does in a table: the first valid answer of a part wins.
type memory struct {
	mu      sync.Mutex
	valid   map[string][]byte
	calls   []interview.Call
	recalls int
	fail    error
}

func (m *memory) Recall(_ context.Context, conversationID, revisionID string) (map[string][]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.recalls++
	all := map[string][]byte{}
	for k, v := range m.valid {
		if part, ok := strings.CutPrefix(k, conversationID+" "+revisionID+" "); ok {
			all[part] = v
		}
	}
	return all, m.fail
}

func (m *memory) Record(_ context.Context, c interview.Call) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls = append(m.calls, c)
	if !c.Valid {
		return nil, m.fail
	}
	if m.valid == nil {
		m.valid = map[string][]byte{}
	}
	k := c.ConversationID + " " + c.RevisionID + " " + c.Part
	if _, ok := m.valid[k]; !ok {
		m.valid[k] = c.Answer
	}
	return m.valid[k], m.fail
}

// log lists the recorded calls as "part purpose kind".
func (m *memory) log() string {
	var all []string
	for _, c := range m.calls {
		kind := "valid"
		if !c.Valid {
			kind = c.ErrorKind
		}
		part, _, _ := strings.Cut(c.Part, "@")
		all = append(all, part+" "+c.Purpose+" "+kind)
	}
	return strings.Join(all, "\n")
}

// script answers with its replies in order: a string is an answer, an error a failed call.
type script struct {
	mu      sync.Mutex
	replies []any
	got     []llm.Request
}

func (s *script) Complete(_ context.Context, r llm.Request) (llm.Reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, r)
	if len(s.replies) == 0 {
		return llm.Reply{}, errors.New("nobody expected this call")
	}
	next := s.replies[0]
	s.replies = s.replies[1:]
	switch x := next.(type) {
	case error:
		return llm.Reply{}, x
	case func(llm.Request) string:
		return llm.Reply{Content: x(r), Model: "scripted"}, nil
	}
	return llm.Reply{Content: next.(string), Model: "scripted", TokensIn: 10}, nil
}

func turns(lines ...string) []conversation.Turn {
	var all []conversation.Turn
	for i, l := range lines {
		who, text, _ := strings.Cut(l, ": ")
		all = append(all, conversation.Turn{Role: conversation.Role(who), Text: text, AtMS: int64(i) * 5000})
	}
	return all
}

// call is a conversation in which the customer asks for a call back on Tuesday.
func call() *conversation.Conversation {
	return &conversation.Conversation{
		ID: "c1", AccountID: "acme", Agent: conversation.Agent{ID: "reception", Name: "Reception"}, Channel: conversation.ChannelPhone,
		Direction: conversation.Inbound, Status: conversation.Completed, Customer: conversation.Customer{Name: "Ann Example"},
		StartedAt: time.Date(2026, 11, 20, 15, 4, 0, 0, time.UTC), EndedAt: time.Date(2026, 11, 20, 15, 9, 0, 0, time.UTC),
		Turns: turns(
			"agent: Acme Clinic, how can I help you today?",
			"customer: Please call me back on Tuesday about my invoice.",
			"tool: calendar lookup done without errors",
			"agent: Of course, we will call you back on Tuesday.",
			"customer: Yes.",
		),
	}
}

func sheet() interview.Sheet {
	return interview.Sheet{
		Key: "all/0", Account: "Acme Clinic", Language: "en",
		Questions: []interview.Question{{ID: "callback", Ask: "Did the customer ask to be called back?", SaidBy: interview.Customer}},
		Choices:   []interview.Choice{{ID: "callback", Options: []interview.Option{{Key: "billing", When: "money, invoices"}}}},
		Blanks: []interview.Blank{
			{Name: "dyn_day", Type: "date", Ask: "the day wanted"},
			{Name: "dyn_about", Type: "text", Ask: "what it is about", SaidBy: interview.Customer, Max: 80},
		},
		Summary: true,
	}
}

func form(sheets ...interview.Sheet) interview.Form {
	return interview.New(call(), "r1", time.UTC, sheets)
}

// filled writes an answer to sheet(): evidence and variables are given as JSON.
func filled(evidence, verdict, variables string) string {
	return fmt.Sprintf(`{"automations":{"callback":{"evidence":[%s],"verdict":%q}},"routes":{"callback":"billing"},"variables":[%s],"summary":"They talked."}`,
		evidence, verdict, variables)
}

const (
	asked    = `{"turn":2,"quote":"Please call me back on Tuesday"}`
	invented = `{"turn":2,"quote":"I demand a call back at once"}`
	tuesday  = `{"name":"dyn_day","turn":2,"quote":"call me back on Tuesday","weekday_said":"tue","value":"2026-11-24"}`
)

func ask(t *testing.T, m llm.Model, mem *memory, f interview.Form, l interview.Limits) (interview.Said, error) {
	t.Helper()
	return interview.NewInterviewer(m, mem, l).Ask(t.Context(), f)
}

func valid(t *testing.T, raw []byte) {
	t.Helper()
	if !json.Valid(raw) {
		t.Fatalf("not JSON: %s", raw)
	}
}
