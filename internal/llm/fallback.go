package llm

import (
	"context"
	"time"
)

// WithFallback asks primary, and secondary when primary refuses the content, does not accept the request, or cannot
// answer now (an open circuit included). A primary that only asks for patience (429) is waited for: answers of one
// model are worth more than a few seconds. A nil secondary gives primary back.
func WithFallback(primary, secondary Model) Model {
	if secondary == nil {
		return primary
	}
	return fallback{primary, secondary}
}

type fallback struct{ primary, secondary Model }

// Complete asks the first model, then perhaps the second.
func (f fallback) Complete(ctx context.Context, r Request) (Reply, error) {
	reply, err := f.primary.Complete(ctx, r)
	if err == nil || ctx.Err() != nil {
		return reply, err
	}
	first := AsError(err)
	if !elsewhere(first.Kind) {
		return reply, err
	}
	reply2, err2 := f.secondary.Complete(ctx, r)
	if err2 == nil || ctx.Err() != nil {
		return reply2, err2
	}
	second := AsError(err2)
	switch {
	case first.Waits() && second.Waits():
		e := *first
		e.After, e.Shut = sooner(first.After, second.After), first.Shut && second.Unasked()
		return reply, &e
	case first.Waits() && second.Kind != Spent:
		e := *first // the second will not do it, the first may later
		e.Shut = first.Shut && second.Unasked()
		return reply, &e
	default:
		return reply2, second
	}
}

// elsewhere reports whether another model may do better now.
func elsewhere(k Kind) bool {
	switch k {
	case Refused, Unavailable, Quota, Misconfigured, BadRequest, BadReply:
		return true
	}
	return false
}

// sooner is the shorter of two waits, of which 0 is unknown.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}
