package store

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// groupOf says how writes (or reads) of one kind are grouped.
type groupOf[T, R any] struct {
	// write stores items in one transaction and returns a result for each, in order.
	write    func(ctx context.Context, items []T) ([]R, error)
	weigh    func(T) int   // bytes an item adds to its transaction; nil if that does not matter
	patience time.Duration // how long a caller waits for its turn
	timeout  time.Duration // how long one transaction may take
	// leaves makes patience bound the whole wait: a caller may go before its write has an outcome. Only for writes that
	// are asked for again, and recognised then.
	leaves bool
	// overlaps lets a batch begin while another one is slow: on a long line to the database a caller would wait for two
	// transactions otherwise. Only for writes that may cross with those of other processes anyway.
	overlaps bool
}

// The limits of one transaction.
const (
	groupItems = 256
	groupBytes = 16 << 20
)

// A batch counts as slow after slowBatch; then others may begin beside it, mostBatches in all.
const (
	slowBatch   = 100 * time.Millisecond
	mostBatches = 3
)

// group makes writes of one kind that arrive together share a transaction. One goroutine takes whatever has queued up
// during its last commit; there is no timer, so a lone write waits for nobody. A group that overlaps goes on with the next
// batch while a slow one is under way. If a batch fails, its items are written
// one by one, so that one bad row never fails its neighbours; if the database is away, all of them fail at once.
type group[T, R any] struct {
	groupOf[T, R]
	queue   chan *ticket[T, R]
	closing chan struct{}
	stopped chan struct{}
}

// ticket is one caller's write. Whoever takes it first settles it: the writer, or the caller who would wait no longer.
type ticket[T, R any] struct {
	item   T
	taken  atomic.Bool
	done   chan struct{}
	result R
	err    error
}

func newGroup[T, R any](s *Store, o groupOf[T, R]) *group[T, R] {
	g := &group[T, R]{groupOf: o, queue: make(chan *ticket[T, R], groupItems), closing: make(chan struct{}),
		stopped: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.closing: // too late: every write is refused
		close(g.closing)
		close(g.stopped)
		return g
	default:
	}
	s.groups = append(s.groups, func() { close(g.closing); <-g.stopped })
	go g.run()
	return g
}

// do writes one item and returns after its commit. Until the write has begun, ctx can call it off; after that its
// outcome is waited for, so that nobody takes a committed write for a failed one (unless callers may leave).
func (g *group[T, R]) do(ctx context.Context, item T) (result R, err error) {
	t := &ticket[T, R]{item: item, done: make(chan struct{})}
	patience := time.NewTimer(g.patience)
	defer patience.Stop()
	select {
	case <-g.closing:
		return result, errClosed
	default:
	}
	select {
	case g.queue <- t:
	case <-g.closing:
		return result, errClosed
	case <-ctx.Done():
		return result, ctx.Err()
	case <-patience.C:
		return result, errBusy
	}
	select {
	case <-t.done:
	case <-g.stopped:
		err = errClosed
	case <-ctx.Done():
		err = ctx.Err()
	case <-patience.C:
		err = errBusy
	}
	if err != nil && (t.taken.CompareAndSwap(false, true) || g.leaves) {
		return result, err
	}
	<-t.done
	return t.result, t.err
}

// run writes batch after batch until the store closes and the queue is empty.
func (g *group[T, R]) run() {
	defer close(g.stopped)
	var running sync.WaitGroup
	defer running.Wait()
	places := make(chan struct{}, mostBatches)
	var over *ticket[T, R] // what was too heavy for the batch before
	for {
		first := over
		if first == nil {
			select {
			case first = <-g.queue:
			case <-g.closing:
				select {
				case first = <-g.queue:
				default:
					return
				}
			}
		}
		var batch []*ticket[T, R]
		batch, over = g.gather(first)
		if !g.overlaps {
			g.serve(batch)
			continue
		}
		places <- struct{}{}
		served := make(chan struct{})
		running.Go(func() {
			defer func() { <-places }()
			defer close(served)
			g.serve(batch)
		})
		slow := time.NewTimer(slowBatch)
		select {
		case <-served:
		case <-slow.C:
		}
		slow.Stop()
	}
}

// gather takes what has queued up beside first, within the limits of one transaction.
func (g *group[T, R]) gather(first *ticket[T, R]) (batch []*ticket[T, R], over *ticket[T, R]) {
	weight := 0
	for next := first; ; {
		if g.weigh != nil {
			weight += g.weigh(next.item)
		}
		if weight > groupBytes && len(batch) > 0 {
			return batch, next
		}
		if next.taken.CompareAndSwap(false, true) {
			batch = append(batch, next)
		}
		if len(batch) == groupItems {
			return batch, nil
		}
		select {
		case next = <-g.queue:
		default:
			return batch, nil
		}
	}
}

func (g *group[T, R]) serve(batch []*ticket[T, R]) {
	if len(batch) == 0 {
		return
	}
	err := g.write1(batch)
	if err == nil {
		return
	}
	for _, t := range batch {
		if len(batch) > 1 && !Away(err) {
			if alone := g.write1([]*ticket[T, R]{t}); alone == nil {
				continue
			} else if t.err = alone; Away(alone) {
				err = alone
			}
		} else {
			t.err = err
		}
		close(t.done)
	}
}

// write1 writes a batch in one transaction and, if that succeeds, hands out the results.
func (g *group[T, R]) write1(batch []*ticket[T, R]) error {
	items := make([]T, len(batch))
	for i, t := range batch {
		items[i] = t.item
	}
	ctx, cancel := context.WithTimeout(context.Background(), g.timeout)
	defer cancel()
	results, err := g.guarded(ctx, items)
	if err != nil {
		return err
	}
	for i, t := range batch {
		t.result = results[i]
		close(t.done)
	}
	return nil
}

// guarded turns a panic into an error: the goroutine is everybody's, and one poisonous item must not end the process.
func (g *group[T, R]) guarded(ctx context.Context, items []T) (results []R, err error) {
	defer func() {
		if p := recover(); p != nil {
			results, err = nil, fmt.Errorf("panic (%T) in a group write: %s", p, debug.Stack())
		}
	}()
	return g.write(ctx, items)
}
