package worker

import (
	"context"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
)

// paused knows which queues an operator has paused. A channel whose queue is paused sends nothing, not even what would
// go out with its plan.
type paused struct {
	mu     sync.RWMutex
	queues map[string]bool
}

func (p *paused) is(queue string) bool {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.queues[queue]
}

// read takes the list from the database: at the start, and now and then in case an event was missed.
func (p *paused) read(ctx context.Context, c *river.Client[pgx.Tx]) error {
	list, err := c.QueueList(ctx, river.NewQueueListParams().First(1000))
	if err != nil {
		return fmt.Errorf("list the queues that are paused: %w", err)
	}
	queues := map[string]bool{}
	for _, q := range list.Queues {
		queues[q.Name] = q.PausedAt != nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queues = queues
	return nil
}

// follow hears of pauses at once, until ctx ends.
func (p *paused) follow(ctx context.Context, events <-chan *river.Event) {
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-events:
			if !ok {
				return
			}
			p.mu.Lock()
			p.queues[e.Queue.Name] = e.Kind == river.EventKindQueuePaused
			p.mu.Unlock()
		}
	}
}
