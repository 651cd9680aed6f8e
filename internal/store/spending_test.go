package store_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"aftercall/internal/store"
)

const today = "2026-11-21"

// reserve books tokens on acme's today.
func (h *house) reserve(t *testing.T, tokens, limit int) store.Standing {
	t.Helper()
	at, err := h.Reserve(t.Context(), store.Reservation{AccountID: "acme", Day: today, Tokens: tokens, Limit: limit})
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func (h *house) settle(t *testing.T, tokens, limit, used int) store.Standing {
	t.Helper()
	at, err := h.Settle(t.Context(), store.Reservation{AccountID: "acme", Day: today, Tokens: tokens, Limit: limit}, used)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// TestManyReserveAtOnce: two processes with hundreds of calls in flight. Their reservations never add up to more than the
// limit, each mark is passed once, and what other accounts do is not touched.
func TestManyReserveAtOnce(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	h.account(t, "other")
	twin := openAt(t, h.url, store.Options{})
	const limit, tokens, used = 100_000, 1_000, 400
	var spent, refused, warned, stopped atomic.Int64
	note := func(at store.Standing) {
		switch at.Passed {
		case store.Warned:
			warned.Add(1)
		case store.Stopped:
			stopped.Add(1)
		}
		if at.Spent+at.Reserved > limit {
			t.Errorf("spent and reserved reached %d, over the limit of %d", at.Spent+at.Reserved, limit)
		}
	}
	var all sync.WaitGroup
	for n := range 400 {
		s := []*house{h, twin}[n%2]
		all.Go(func() {
			r := store.Reservation{AccountID: "acme", Day: today, Tokens: tokens, Limit: limit}
			for {
				at, err := s.Reserve(t.Context(), r)
				if err != nil {
					t.Error(err)
					return
				}
				note(at)
				if at.Wait {
					continue // others will settle
				}
				if !at.Granted {
					refused.Add(1)
					return
				}
				at, err = s.Settle(t.Context(), r, used)
				if err != nil {
					t.Error(err)
					return
				}
				spent.Add(used)
				note(at)
			}
		})
	}
	other := store.Reservation{AccountID: "other", Day: today, Tokens: tokens, Limit: limit}
	for range 10 {
		if at, err := h.Reserve(t.Context(), other); err != nil || !at.Granted {
			t.Errorf("another account's reservation: %+v, %v", at, err)
		}
	}
	all.Wait()
	if got := spent.Load(); got > limit || got+tokens <= limit {
		t.Errorf("spent %d of %d in calls of %d: too much, or stopped too early", got, limit, tokens)
	}
	if refused.Load() != 400 || warned.Load() != 1 || stopped.Load() != 1 {
		t.Errorf("%d refused, warned %d times, stopped %d times; want 400, 1, 1", refused.Load(), warned.Load(), stopped.Load())
	}
	at, err := h.Reserve(t.Context(), other)
	if err != nil || !at.Granted || at.Spent != 0 || at.Reserved != 11*tokens {
		t.Errorf("the other account stands at %+v, %v", at, err)
	}
}

func TestWhatIsReservedIsWaitedFor(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	if at := h.reserve(t, 80, 100); !at.Granted {
		t.Fatalf("the first call: %+v", at)
	}
	if at := h.reserve(t, 30, 100); at.Granted || !at.Wait || at.Passed != "" {
		t.Errorf("what is only reserved may come back, so the second call waits: %+v", at)
	}
	if at := h.settle(t, 80, 100, 10); at.Spent != 10 || at.Reserved != 0 {
		t.Errorf("settled: %+v", at)
	}
	if at := h.reserve(t, 90, 100); !at.Granted {
		t.Errorf("what was given back is there for others: %+v", at)
	}
	if at := h.settle(t, 90, 100, 0); at.Spent != 10 || at.Reserved != 0 {
		t.Errorf("a call that cost nothing: %+v", at)
	}
	if at := h.settle(t, 90, 100, -5); at.Spent != 10 || at.Reserved != 0 {
		t.Errorf("settled twice, with less than nothing: %+v", at)
	}
}

// TestTheDeadKeepTheirReservation: nobody knows what a process that died was charged for.
func TestTheDeadKeepTheirReservation(t *testing.T) {
	t.Parallel()
	url := func() string {
		h := open(t, store.Options{})
		h.reserve(t, 90, 100)
		h.Close() // and never settled
		return h.url
	}()
	h := openAt(t, url, store.Options{})
	if at := h.reserve(t, 20, 100); at.Granted || !at.Wait {
		t.Errorf("right afterwards it may be alive: %+v", at)
	}
	h.exec(t, "UPDATE spending SET reserved_at = now() - interval '4 minutes'")
	if at := h.reserve(t, 20, 100); at.Granted || at.Wait || at.Passed != store.Stopped || at.Reserved != 90 {
		t.Errorf("later it counts as spent: %+v", at)
	}
	if at := h.reserve(t, 10, 100); !at.Granted {
		t.Errorf("what is left may be used: %+v", at)
	}
}

func TestMarksArePassedOnce(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	var passed []store.Mark
	note := func(at store.Standing) {
		if at.Passed != "" {
			passed = append(passed, at.Passed)
		}
	}
	for range 10 { // 10 at a time
		note(h.reserve(t, 10, 100))
		note(h.settle(t, 10, 100, 10))
	}
	note(h.reserve(t, 10, 100))
	want := []store.Mark{store.Warned, store.Stopped}
	if len(passed) != 2 || passed[0] != want[0] || passed[1] != want[1] {
		t.Fatalf("passed %v, want %v", passed, want)
	}
	stops, err := h.Stops(t.Context(), "acme")
	if err != nil || len(stops) != 1 || stops[0].AccountID != "acme" || stops[0].Day != today || stops[0].Spent != 100 || stops[0].Limit != 100 {
		t.Fatalf("stops %+v, %v", stops, err)
	}
	if at := h.reserve(t, 50, 200); !at.Granted || at.Passed != "" {
		t.Errorf("under a raised limit: %+v", at)
	}
	if at := h.settle(t, 50, 200, 70); at.Passed != store.Warned {
		t.Errorf("80 %% of the raised limit: %+v", at)
	}
	if at := h.reserve(t, 50, 200); at.Passed != store.Stopped {
		t.Errorf("the raised limit is reached: %+v", at)
	}
	if at := h.reserve(t, 50, 100); at.Passed != "" {
		t.Errorf("a process that still has the old limit says it again: %+v", at)
	}
	if none, err := h.Stops(t.Context(), "other"); err != nil || len(none) != 0 {
		t.Errorf("another account's stops: %+v, %v", none, err)
	}
}

func TestADayEnds(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	h.reserve(t, 60, 100)
	if at := h.reserve(t, 60, 100); at.Granted {
		t.Errorf("more than the day has: %+v", at)
	}
	tomorrow := store.Reservation{AccountID: "acme", Day: "2026-11-22", Tokens: 60, Limit: 100}
	if at, err := h.Reserve(t.Context(), tomorrow); err != nil || !at.Granted || at.Reserved != 60 {
		t.Errorf("the next day: %+v, %v", at, err)
	}
	if at := h.settle(t, 60, 100, 55); at.Spent != 55 || at.Reserved != 0 {
		t.Errorf("yesterday's call is settled on yesterday: %+v", at)
	}
	if _, err := h.Reserve(t.Context(), store.Reservation{AccountID: "acme", Day: "22.11.2026", Tokens: 1, Limit: 2}); err == nil {
		t.Error("a day that is none was taken")
	}
}

// TestNoBudgetWithoutTheDatabase: a reservation that cannot be written is not one.
func TestNoBudgetWithoutTheDatabase(t *testing.T) {
	t.Parallel()
	h, l := openBehind(t)
	l.cut()
	if at, err := h.Reserve(t.Context(), store.Reservation{AccountID: "acme", Day: today, Tokens: 1, Limit: 100}); err == nil || at.Granted || !store.Away(err) {
		t.Errorf("with the database away: %+v, %v", at, err)
	}
	l.mend()
	l.loseNextCommit()
	if _, err := h.Reserve(t.Context(), store.Reservation{AccountID: "acme", Day: today, Tokens: 1, Limit: 100}); err == nil {
		t.Error("a reservation whose commit was not answered was granted")
	}
	if at := h.reserve(t, 1, 100); at.Reserved != 2 {
		t.Errorf("the commit nobody heard of counts: %+v", at)
	}
}

// BenchmarkReserve is one account with 500 calls in flight: a reservation and its settlement each.
func BenchmarkReserve(b *testing.B) {
	h := open(b, store.Options{})
	r := store.Reservation{AccountID: "acme", Day: today, Tokens: 1, Limit: 1 << 40}
	b.SetParallelism(250) // for each of the machine's two processors
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := h.Reserve(b.Context(), r); err != nil {
				b.Error(err)
			}
			if _, err := h.Settle(b.Context(), r, 1); err != nil {
				b.Error(err)
			}
		}
	})
}
