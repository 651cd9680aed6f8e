package worker

import (
	"context"
	"sync"
	"time"
)

// Door counts who is to go first, so that others can stand back for a moment. A platform waits for its webhook's answer and
// gives up, where a conversation that is being decided can wait; and what has been decided should be sent before more is
// begun. Whoever stands back does so for a bounded time, or a platform that posts without a break would keep everything
// from being decided.
//
// The zero value is a door at which nobody stands.
type Door struct {
	mu     sync.Mutex
	inside int
	quiet  chan struct{} // closed when the last one has left; nil while nobody is inside
}

// webhooksFirst is how long one decide job stands back at most for webhooks.
const webhooksFirst = 20 * time.Millisecond

// Enter notes that somebody is there until leave is called.
func (d *Door) Enter() (leave func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.inside == 0 {
		d.quiet = make(chan struct{})
	}
	d.inside++
	return d.leave
}

func (d *Door) leave() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.inside--; d.inside == 0 {
		close(d.quiet)
		d.quiet = nil
	}
}

// yield waits until nobody is at the door, for so long at most.
func (d *Door) yield(ctx context.Context, most time.Duration) {
	d.mu.Lock()
	quiet := d.quiet
	d.mu.Unlock()
	if quiet == nil {
		return
	}
	enough := time.NewTimer(most)
	defer enough.Stop()
	select {
	case <-quiet:
	case <-enough.C:
	case <-ctx.Done():
	}
}
