package worker

import (
	"context"
	"fmt"
	"sync"
)

// gate bounds how much is done at once. The decide gate bounds how many decide jobs use the database and the processor:
// model calls happen outside it, so hundreds of conversations can wait for the model while a webhook that comes in beside
// them still finds a free core. A channel's gate bounds what its provider is asked to do at once.
type gate chan struct{}

func newGate(n int) gate { return make(gate, n) }

// tryEnter takes a place if one is free.
func (g gate) tryEnter() (leave func(), ok bool) {
	select {
	case g <- struct{}{}:
		return sync.OnceFunc(func() { <-g }), true
	default:
		return nil, false
	}
}

// enter waits for a place. leave gives it back, once however often it is called, so that it can be deferred as well: a
// job that panics must not take its place with it.
func (g gate) enter(ctx context.Context) (leave func(), err error) {
	select {
	case g <- struct{}{}:
		return sync.OnceFunc(func() { <-g }), nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for a place to work: %w", ctx.Err())
	}
}
