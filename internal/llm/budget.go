package llm

import "sync"

// RetryBudget keeps retries in proportion to answers, so that a server in trouble is not asked three times as often as
// a healthy one. Every answer earns half a retry, up to five; a retry spends one. It is shared by all calls to one
// server and safe for concurrent use.
type RetryBudget struct {
	mu   sync.Mutex
	half int // half retries in hand
}

const mostHalfRetries = 10

// NewRetryBudget returns a full budget.
func NewRetryBudget() *RetryBudget { return &RetryBudget{half: mostHalfRetries} }

// Earn notes an answer.
func (b *RetryBudget) Earn() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.half = min(b.half+1, mostHalfRetries)
}

// Spend takes one retry if there is one.
func (b *RetryBudget) Spend() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.half < 2 {
		return false
	}
	b.half -= 2
	return true
}
