package store

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// hall is a store without a database: enough for a group writer.
func hall() *Store { return &Store{closing: make(chan struct{})} }

// finish closes what Close would, without pools.
func (s *Store) finish() {
	close(s.closing)
	for _, stop := range s.groups {
		stop()
	}
}

// The first write waits for nobody; what arrives during its commit shares the next one.
func TestGroupSharesACommit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := hall()
		var batches [][]int
		g := newGroup(s, groupOf[int, int]{patience: time.Minute, timeout: time.Minute,
			write: func(_ context.Context, items []int) ([]int, error) {
				batches = append(batches, slices.Clone(items))
				time.Sleep(time.Second)
				out := make([]int, len(items))
				for n, i := range items {
					out[n] = 2 * i
				}
				return out, nil
			}})
		began := time.Now()
		var all sync.WaitGroup
		for n := range 400 {
			all.Go(func() {
				if got, err := g.do(t.Context(), n); err != nil || got != 2*n {
					t.Errorf("%d: %d, %v", n, got, err)
				}
			})
			if n == 0 {
				synctest.Wait()
			}
		}
		all.Wait()
		s.finish()
		if took := time.Since(began); took != 3*time.Second && took != 4*time.Second {
			t.Errorf("took %v", took)
		}
		if len(batches[0]) != 1 || len(batches[1]) != groupItems {
			t.Errorf("batches of %d, %d", len(batches[0]), len(batches[1]))
		}
	})
}

func TestGroupFailures(t *testing.T) {
	t.Parallel()
	errBad := errors.New("bad")
	for name, test := range map[string]struct {
		fail   func(items []int) error
		failed []int // of 1 to 9, written together
		writes int
	}{
		"one bad item fails alone": {func(items []int) error {
			if slices.Contains(items, 5) {
				return errBad
			}
			return nil
		}, []int{5}, 10},
		"a panic fails alone": {func(items []int) error {
			if slices.Contains(items, 5) {
				panic("five")
			}
			return nil
		}, []int{5}, 10},
		"the database is away": {func([]int) error { return io.ErrUnexpectedEOF }, []int{1, 2, 3, 4, 5, 6, 7, 8, 9}, 1},
		"it goes away meanwhile": {func(items []int) error {
			if len(items) > 1 {
				return errBad
			}
			if items[0] >= 3 {
				return io.ErrUnexpectedEOF
			}
			return nil
		}, []int{3, 4, 5, 6, 7, 8, 9}, 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := hall()
				writes := 0
				g := newGroup(s, groupOf[int, int]{patience: time.Minute, timeout: time.Minute,
					write: func(_ context.Context, items []int) ([]int, error) {
						if items[0] == 0 { // keeps the writer busy while the others queue up
							time.Sleep(time.Second)
							return items, nil
						}
						writes++
						return items, test.fail(items)
					}})
				var all sync.WaitGroup
				errs := make([]error, 10)
				for n := range errs {
					all.Go(func() { _, errs[n] = g.do(t.Context(), n) })
					synctest.Wait()
				}
				all.Wait()
				s.finish()
				for n, err := range errs {
					if (err != nil) != slices.Contains(test.failed, n) {
						t.Errorf("%d: %v", n, err)
					}
				}
				if writes != test.writes {
					t.Errorf("%d writes, want %d", writes, test.writes)
				}
			})
		})
	}
}

// A caller may give up while it waits for its turn, and not after: then the write's outcome is told.
func TestGroupCallers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := hall()
		var written []int
		g := newGroup(s, groupOf[int, int]{patience: 3 * time.Second, timeout: 10 * time.Second,
			write: func(_ context.Context, items []int) ([]int, error) {
				time.Sleep(5 * time.Second)
				written = append(written, items...)
				return items, nil
			}})
		begun, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		queued, cancelQueued := context.WithTimeout(t.Context(), time.Second)
		defer cancelQueued()
		var all sync.WaitGroup
		var errs [3]error
		for n, ctx := range []context.Context{begun, queued, t.Context()} {
			all.Go(func() { _, errs[n] = g.do(ctx, n) })
			synctest.Wait()
		}
		all.Wait()
		s.finish()
		if errs[0] != nil || !errors.Is(errs[1], context.DeadlineExceeded) || !errors.Is(errs[2], errBusy) || !Away(errs[2]) {
			t.Errorf("errors %v", errs)
		}
		if !slices.Equal(written, []int{0}) {
			t.Errorf("written %v", written)
		}
		if _, err := g.do(t.Context(), 9); !errors.Is(err, errClosed) || !Away(err) {
			t.Errorf("after closing: %v", err)
		}
	})
}

func TestGroupBoundsBytes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := hall()
		heaviest, items := 0, 0
		g := newGroup(s, groupOf[int, int]{patience: time.Hour, timeout: time.Hour, weigh: func(n int) int { return n },
			write: func(_ context.Context, batch []int) ([]int, error) {
				time.Sleep(time.Second)
				sum := 0
				for _, n := range batch {
					sum += n
				}
				items += len(batch)
				if len(batch) > 1 {
					heaviest = max(heaviest, sum)
				}
				return batch, nil
			}})
		var all sync.WaitGroup
		for n := range 40 {
			all.Go(func() { _, _ = g.do(t.Context(), (n%5)*groupBytes/3) })
		}
		all.Wait()
		s.finish()
		if heaviest > groupBytes || heaviest == 0 || items != 40 {
			t.Errorf("heaviest shared transaction %d of %d bytes, %d items written", heaviest, groupBytes, items)
		}
	})
}

// A slow batch must not keep the next one waiting where batches may overlap, and the store still waits for both when it
// closes.
func TestGroupOverlapsASlowBatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &Store{closing: make(chan struct{})}
		hold, began := make(chan struct{}), make(chan int, 2)
		g := newGroup(s, groupOf[int, int]{patience: time.Minute, timeout: time.Minute, overlaps: true,
			write: func(_ context.Context, items []int) ([]int, error) {
				began <- items[0]
				if items[0] == 1 {
					<-hold
				}
				return items, nil
			}})
		first := make(chan int, 1)
		go func() {
			n, _ := g.do(t.Context(), 1)
			first <- n
		}()
		<-began
		if n, err := g.do(t.Context(), 2); err != nil || n != 2 {
			t.Fatalf("beside a slow batch: %d, %v", n, err)
		}
		stopped := make(chan struct{})
		go func() {
			s.groups[0]()
			close(stopped)
		}()
		synctest.Wait()
		select {
		case <-stopped:
			t.Error("stopped while a batch was under way")
		default:
		}
		close(hold)
		<-stopped
		if n := <-first; n != 1 {
			t.Errorf("the slow batch: %d", n)
		}
	})
}
