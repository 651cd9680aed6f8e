package rehearsal

import (
	"context"
	"time"

	"aftercall/internal/llm"
)

// patient waits where a model asks for patience. On the line the queue does: a job comes back later. A set of calls is larger
// than many a key's allowance for a minute, and a call left out would be missing in every figure.
type patient struct{ llm.Model }

// How often, and how long at most, a model is waited for.
const (
	mostWaits   = 10
	longestWait = time.Minute
)

// Complete asks until there is an answer, or an error that a little patience does not help against.
func (p patient) Complete(ctx context.Context, q llm.Request) (llm.Reply, error) {
	for n := 0; ; n++ {
		reply, err := p.Model.Complete(ctx, q)
		if err == nil || n == mostWaits {
			return reply, err
		}
		e := llm.AsError(err)
		if e.Kind != llm.RateLimited {
			return reply, err
		}
		select {
		case <-time.After(min(max(e.After, time.Second), longestWait)):
		case <-ctx.Done():
			return reply, err
		}
	}
}
