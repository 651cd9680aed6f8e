package dashboard

import (
	"context"
	"sync"
	"time"
)

// shelf keeps things by name up to a weight, and drops those that were put there first.
type shelf[T any] struct {
	most, weight int
	by           map[string]T
	weights      map[string]int
	order        []string
}

func newShelf[T any](most int) *shelf[T] {
	return &shelf[T]{most: most, by: map[string]T{}, weights: map[string]int{}}
}

func (s *shelf[T]) find(name string) (T, bool) {
	thing, ok := s.by[name]
	return thing, ok
}

func (s *shelf[T]) keep(name string, thing T, weight int) {
	if _, ok := s.by[name]; ok || weight > s.most {
		return
	}
	for s.weight+weight > s.most {
		oldest := s.order[0]
		s.weight -= s.weights[oldest]
		delete(s.by, oldest)
		delete(s.weights, oldest)
		s.order = s.order[1:]
	}
	s.by[name], s.weights[name] = thing, weight
	s.weight += weight
	s.order = append(s.order, name)
}

// turns lets one try of a session run at a time; the others wait.
type turns struct {
	mu sync.Mutex
	of map[string]*queue
}

// queue is a session with tries under way.
type queue struct {
	here int           // running and waiting
	free chan struct{} // holds one token while nobody runs
}

func newTurns() *turns { return &turns{of: map[string]*queue{}} }

// take waits for the session's turn. The caller calls leave when it is done.
func (t *turns) take(ctx context.Context, session string) (leave func(), err error) {
	t.mu.Lock()
	q := t.of[session]
	if q == nil {
		q = &queue{free: make(chan struct{}, 1)}
		q.free <- struct{}{}
		t.of[session] = q
	}
	q.here++
	t.mu.Unlock()
	gone := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if q.here--; q.here == 0 {
			delete(t.of, session)
		}
	}
	select {
	case <-q.free:
		return func() {
			q.free <- struct{}{}
			gone()
		}, nil
	case <-ctx.Done():
		gone()
		return nil, ctx.Err()
	}
}

// pace lets a burst of requests through, and then so many a second.
type pace struct {
	mu               sync.Mutex
	now              func() time.Time
	perSecond, burst float64
	left             float64
	last             time.Time
}

func newPace(perSecond, burst float64, now func() time.Time) *pace {
	return &pace{now: now, perSecond: perSecond, burst: burst, left: burst}
}

func (p *pace) allow() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	p.left = min(p.burst, p.left+now.Sub(p.last).Seconds()*p.perSecond)
	p.last = now
	if p.left < 1 {
		return false
	}
	p.left--
	return true
}
