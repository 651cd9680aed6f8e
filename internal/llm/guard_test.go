package llm_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aftercall/internal/llm"
)

// script answers with its errors in order, then with its last for ever; nil is an answer.
type script struct {
	mu    sync.Mutex
	errs  []error
	calls int
}

func (s *script) Complete(ctx context.Context, _ llm.Request) (llm.Reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	if err := ctx.Err(); err != nil {
		return llm.Reply{}, err
	}
	err := s.errs[0]
	if len(s.errs) > 1 {
		s.errs = s.errs[1:]
	}
	return llm.Reply{Content: "{}"}, err
}

type clock struct{ now atomic.Int64 }

func (c *clock) Now() time.Time           { return time.Unix(0, c.now.Load()) }
func (c *clock) forward(by time.Duration) { c.now.Add(int64(by)) }

func down() error { return &llm.Error{Kind: llm.Unavailable, Status: 503} }

func TestGuardOpensAndRecovers(t *testing.T) {
	t.Parallel()
	m, c := &script{errs: []error{down()}}, &clock{}
	g := llm.Guard(m, llm.GuardOptions{Now: c.Now})
	ask := func() *llm.Error {
		_, err := g.Complete(t.Context(), llm.Request{})
		if err == nil {
			return nil
		}
		return llm.AsError(err)
	}
	for range 50 {
		ask()
	}
	if m.calls != 5 {
		t.Fatalf("a model that is down was called %d times, want 5", m.calls)
	}
	if s := g.State(); !s.Open || s.Kind != llm.Unavailable || s.Status != 503 {
		t.Fatalf("state %+v", s)
	}
	c.forward(2 * time.Second)
	if e := ask(); e == nil || e.After != 3*time.Second || !e.Waits() || !e.Unasked() {
		t.Fatalf("got %+v, want a wait of 3 s until the next probe", e)
	}
	for range 120 { // two minutes of hammering, one call a second
		c.forward(time.Second)
		ask()
	}
	if probes := m.calls - 5; probes < 20 || probes > 25 {
		t.Fatalf("%d probes in 120 s, want one per 5 s", probes)
	}
	m.errs = []error{nil}
	c.forward(5 * time.Second)
	if e := ask(); e != nil {
		t.Fatalf("the probe failed: %v", e)
	}
	if s := g.State(); s.Open {
		t.Fatal("an answered probe did not close the circuit")
	}
	if e := ask(); e != nil {
		t.Fatalf("a closed circuit refused: %v", e)
	}
}

func TestGuardStaysClosed(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		errs []error
		step time.Duration
	}{
		{"one failure in three", []error{down(), nil, nil}, time.Second},
		{"failures far apart", []error{down()}, 30 * time.Second},
		{"refusals are answers", []error{&llm.Error{Kind: llm.Refused}}, time.Second},
		{"truncated answers are answers", []error{&llm.Error{Kind: llm.Truncated}}, time.Second},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := &clock{}
			var calls int
			m := modelFunc(func() error { calls++; return tc.errs[(calls-1)%len(tc.errs)] })
			g := llm.Guard(m, llm.GuardOptions{Now: c.Now})
			for range 60 {
				_, _ = g.Complete(t.Context(), llm.Request{})
				c.forward(tc.step)
			}
			if calls != 60 || g.State().Open {
				t.Errorf("%d of 60 calls went through, open: %v", calls, g.State().Open)
			}
		})
	}
}

type modelFunc func() error

func (f modelFunc) Complete(context.Context, llm.Request) (llm.Reply, error) {
	return llm.Reply{}, f()
}

func TestGuardOpensByRate(t *testing.T) {
	t.Parallel()
	c, calls := &clock{}, 0
	m := modelFunc(func() error {
		calls++
		if calls%4 == 0 { // three of four fail, never five in a row
			return nil
		}
		return down()
	})
	g := llm.Guard(m, llm.GuardOptions{Now: c.Now})
	for range 40 {
		_, _ = g.Complete(t.Context(), llm.Request{})
		c.forward(time.Millisecond)
	}
	if !g.State().Open || calls > 12 {
		t.Errorf("open %v after %d calls of which three in four failed", g.State().Open, calls)
	}
}

func TestGuardOpensAtOnce(t *testing.T) {
	t.Parallel()
	for _, k := range []llm.Kind{llm.Quota, llm.Misconfigured} {
		m, c := &script{errs: []error{&llm.Error{Kind: k, Status: 429}}}, &clock{}
		g := llm.Guard(m, llm.GuardOptions{Now: c.Now})
		_, _ = g.Complete(t.Context(), llm.Request{})
		_, err := g.Complete(t.Context(), llm.Request{})
		if e := llm.AsError(err); m.calls != 1 || e.Kind != k {
			t.Errorf("%s: %d calls, then %v", k, m.calls, err)
		}
	}
}

func TestGuardKeepsTheWaitItWasTold(t *testing.T) {
	t.Parallel()
	m, c := &script{errs: []error{&llm.Error{Kind: llm.RateLimited, Status: 429, After: 40 * time.Second}}}, &clock{}
	g := llm.Guard(m, llm.GuardOptions{Now: c.Now})
	for range 5 {
		_, _ = g.Complete(t.Context(), llm.Request{})
	}
	c.forward(39 * time.Second)
	if _, err := g.Complete(t.Context(), llm.Request{}); llm.AsError(err).After != time.Second || m.calls != 5 {
		t.Errorf("after 39 s of 40: %v, %d calls", err, m.calls)
	}
}

func TestGuardLetsOneProbeThrough(t *testing.T) {
	t.Parallel()
	c := &clock{}
	gate, started := make(chan error), make(chan struct{}, 100)
	var broken atomic.Bool
	broken.Store(true)
	m := modelFunc(func() error {
		if broken.Load() {
			return down()
		}
		started <- struct{}{}
		return <-gate
	})
	g := llm.Guard(m, llm.GuardOptions{Now: c.Now})
	for range 5 {
		_, _ = g.Complete(t.Context(), llm.Request{})
	}
	broken.Store(false)
	c.forward(time.Minute)
	done := make(chan error)
	go func() { _, err := g.Complete(t.Context(), llm.Request{}); done <- err }()
	<-started
	for range 20 {
		if _, err := g.Complete(t.Context(), llm.Request{}); err == nil {
			t.Fatal("a second call went through beside the probe")
		}
	}
	gate <- nil
	if err := <-done; err != nil || g.State().Open {
		t.Errorf("probe: %v, open: %v", err, g.State().Open)
	}
}

func TestGuardIgnoresCallersWhoLeave(t *testing.T) {
	t.Parallel()
	m, c := &script{errs: []error{nil}}, &clock{}
	g := llm.Guard(m, llm.GuardOptions{Now: c.Now})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 20 {
		if _, err := g.Complete(ctx, llm.Request{}); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	if s := g.State(); s.Open || s.Failures != 0 {
		t.Errorf("cancelled calls were counted: %+v", s)
	}
}

func TestRetryBudget(t *testing.T) {
	t.Parallel()
	b := llm.NewRetryBudget()
	n := 0
	for range 100 {
		if b.Spend() {
			n++
		}
	}
	if n != 5 {
		t.Errorf("a full budget gave %d retries, want 5", n)
	}
	b.Earn()
	if b.Spend() {
		t.Error("one answer earned a whole retry")
	}
	b.Earn()
	if !b.Spend() {
		t.Error("two answers did not earn a retry")
	}
}

// TestGuardIgnoresTheBudget: that an account has no tokens left says nothing about the model, neither good nor bad.
func TestGuardIgnoresTheBudget(t *testing.T) {
	t.Parallel()
	c := &clock{}
	var now error = &llm.Error{Kind: llm.Busy}
	g := llm.Guard(modelFunc(func() error { return now }), llm.GuardOptions{Now: c.Now})
	for range 20 {
		_, _ = g.Complete(t.Context(), llm.Request{})
	}
	if s := g.State(); s.Open || s.Failures != 0 {
		t.Fatalf("an account without tokens opened the circuit for everybody: %+v", s)
	}
	now = down()
	for range 5 {
		_, _ = g.Complete(t.Context(), llm.Request{})
	}
	c.forward(time.Minute)
	now = &llm.Error{Kind: llm.Spent}
	if _, _ = g.Complete(t.Context(), llm.Request{}); !g.State().Open {
		t.Error("an account without tokens closed the circuit: nobody has seen the model answer")
	}
	c.forward(time.Minute)
	now = nil
	if _, err := g.Complete(t.Context(), llm.Request{}); err != nil || g.State().Open {
		t.Errorf("the next probe: %v, open %v", err, g.State().Open)
	}
}

// A call that failed may try once more by itself, but not while it is the probe, nor when others have opened the circuit.
func TestGuardForbidsRetriesOfAModelThatIsDown(t *testing.T) {
	t.Parallel()
	c := &clock{}
	var asked llm.Request
	g := llm.Guard(requestFunc(func(r llm.Request) error { asked = r; return down() }), llm.GuardOptions{Now: c.Now})
	_, _ = g.Complete(t.Context(), llm.Request{})
	early := asked
	if !early.MayRetry() {
		t.Error("one failure forbids retries")
	}
	for range 4 {
		_, _ = g.Complete(t.Context(), llm.Request{})
	}
	if early.MayRetry() {
		t.Error("the circuit is open, and a call begun before may go on trying")
	}
	c.forward(time.Minute)
	asked = llm.Request{}
	if _, _ = g.Complete(t.Context(), llm.Request{}); asked.Retry == nil || asked.MayRetry() {
		t.Error("a probe may try more than once")
	}
}

type requestFunc func(llm.Request) error

func (f requestFunc) Complete(_ context.Context, r llm.Request) (llm.Reply, error) {
	return llm.Reply{}, f(r)
}

// TestGuardIsNotCalmedByOldAnswers: what was asked before the model went down and is answered after it is no sign of life.
func TestGuardIsNotCalmedByOldAnswers(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		asked time.Duration // after the first failure
		open  bool
	}{
		"asked before": {-time.Second, true},
		"asked after":  {time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &clock{}
			c.forward(time.Hour)
			slow := make(chan error)
			g := llm.Guard(asker(func(r llm.Request) error {
				if r.SchemaName == "slow" {
					slow <- nil
					return <-slow
				}
				return down()
			}), llm.GuardOptions{Now: c.Now})
			ask := func(name string) { _, _ = g.Complete(t.Context(), llm.Request{SchemaName: name}) }
			begin := func() (end func()) {
				var ended sync.WaitGroup
				ended.Go(func() { ask("slow") })
				<-slow
				return func() { slow <- nil; ended.Wait() }
			}
			c.forward(test.asked)
			var end func()
			if test.asked < 0 {
				end = begin()
				c.forward(-test.asked)
			}
			for n := range 4 {
				ask("quick")
				if n == 0 && test.asked > 0 {
					c.forward(test.asked)
					end = begin()
				}
			}
			end()
			ask("quick")
			if open := g.State().Open; open != test.open {
				t.Errorf("open: %v, want %v", open, test.open)
			}
		})
	}
}

// asker is a model that answers as the function says.
type asker func(llm.Request) error

func (a asker) Complete(_ context.Context, r llm.Request) (llm.Reply, error) {
	return llm.Reply{}, a(r)
}
