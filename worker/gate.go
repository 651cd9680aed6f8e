package worker

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// gate bounds how much is done at once. The decide gate bounds how many decide jobs use the database and the processor:
// model calls happen outside it, so hundreds of conversations can wait for the model while a webhook that comes in beside
// them still finds a free core. A channel's gate bounds what its provider is asked to do at once.
//
// Whoever waits is let in by the job's priority, and within one priority in the order of arrival: a crowd that has been
// fetched already must not keep a neighbour waiting either.
type gate struct {
	mu      sync.Mutex
	free    int
	waiting [lowest][]*waiter // by priority, from 1
	slow    bool              // the provider took long over the last send, or somebody waited in vain since
}

// lowest is the priority that goes last, as River counts them.
const lowest = 4

// waiter is somebody at the gate. in is closed when a place was handed over.
type waiter struct{ in chan struct{} }

func newGate(n int) *gate { return &gate{free: n} }

// tryEnter takes a place if one is free. Then nobody waits: a place that is left goes to whoever does.
func (g *gate) tryEnter() (leave func(), ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.free == 0 {
		return nil, false
	}
	g.free--
	return sync.OnceFunc(g.leave), true
}

// note says how long a provider took over a send that had a place here.
func (g *gate) note(took time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.slow = took > placeWait
}

// enterSoon is enter for somebody for whom others wait: where the provider takes long it waits for no place.
func (g *gate) enterSoon(ctx context.Context, priority int) (leave func(), ok bool) {
	if leave, ok = g.tryEnter(); ok {
		return leave, true
	}
	g.mu.Lock()
	slow := g.slow
	g.mu.Unlock()
	if slow {
		return nil, false
	}
	leave, err := g.enter(ctx, priority)
	return leave, err == nil
}

// enter waits for a place. leave gives it back, once however often it is called, so that it can be deferred as well: a
// job that panics must not take its place with it.
func (g *gate) enter(ctx context.Context, priority int) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("wait for a place to work: %w", err)
	}
	if leave, ok := g.tryEnter(); ok {
		return leave, nil
	}
	w := g.queue(priority)
	select {
	case <-w.in:
		return sync.OnceFunc(g.leave), nil
	case <-ctx.Done():
		g.giveUp(w)
		return nil, fmt.Errorf("wait for a place to work: %w", ctx.Err())
	}
}

func (g *gate) queue(priority int) *waiter {
	w, n := &waiter{make(chan struct{})}, min(max(priority, 1), lowest)-1
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.free > 0 { // somebody left meanwhile
		g.free--
		close(w.in)
		return w
	}
	g.waiting[n] = append(g.waiting[n], w)
	return w
}

// leave hands the place to whoever waits first, or frees it.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for n, line := range g.waiting {
		if len(line) > 0 {
			g.waiting[n] = line[1:]
			close(line[0].in)
			return
		}
	}
	g.free++
}

// giveUp takes w out of the line; a place that was handed to it meanwhile goes on to the next.
func (g *gate) giveUp(w *waiter) {
	g.mu.Lock()
	g.slow = true
	for n, line := range g.waiting {
		for i, other := range line {
			if other == w {
				g.waiting[n] = append(line[:i:i], line[i+1:]...)
				g.mu.Unlock()
				return
			}
		}
	}
	g.mu.Unlock()
	g.leave()
}
