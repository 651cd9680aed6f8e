package worker

import (
	"context"
	"fmt"
)

// gate bounds how many decide jobs work on the database and the processor at once. Model calls happen outside it, so
// hundreds of conversations can wait for the model while a webhook that comes in beside them still finds a free core.
type gate chan struct{}

func newGate(n int) gate { return make(gate, n) }

// enter waits for a place; leave gives it back.
func (g gate) enter(ctx context.Context) (leave func(), err error) {
	select {
	case g <- struct{}{}:
		return func() { <-g }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for a place to work: %w", ctx.Err())
	}
}
