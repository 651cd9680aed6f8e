package rehearsal

import (
	"context"
	"maps"
	"slices"
	"sync"

	"aftercall/interview"
)

// Memory keeps answers in the process, as the store does in a table: the first valid answer of a part is the one used. It
// is safe for concurrent use.
type Memory struct {
	mu      sync.Mutex
	answers map[subject]map[string][]byte // by part
	calls   []interview.Call
}

type subject struct{ conversation, revision string }

// NewMemory returns a memory that knows nothing.
func NewMemory() *Memory { return &Memory{answers: map[subject]map[string][]byte{}} }

// Recall returns what was answered about a conversation under a revision, by part.
func (m *Memory) Recall(_ context.Context, conversationID, revisionID string) (map[string][]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	known := map[string][]byte{}
	maps.Copy(known, m.answers[subject{conversationID, revisionID}])
	return known, nil
}

// Record keeps a call, and gives the answer to use: the earlier one, if there was one.
func (m *Memory) Record(_ context.Context, c interview.Call) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls = append(m.calls, c)
	if !c.Valid {
		return nil, nil
	}
	of := subject{c.ConversationID, c.RevisionID}
	if m.answers[of] == nil {
		m.answers[of] = map[string][]byte{}
	}
	if earlier, ok := m.answers[of][c.Part]; ok {
		return earlier, nil
	}
	m.answers[of][c.Part] = c.Answer
	return c.Answer, nil
}

// Calls are the model calls made so far, valid or not.
func (m *Memory) Calls() []interview.Call {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.calls)
}
