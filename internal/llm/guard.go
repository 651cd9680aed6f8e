package llm

import (
	"context"
	"sync"
	"time"
)

// GuardOptions set a circuit breaker. The zero value of a field means its default.
type GuardOptions struct {
	Failures int              // failures in a row that open the circuit (default 5)
	Within   time.Duration    // they must lie within this span (default 60 s)
	Probe    time.Duration    // time between two probes while it is open (default 5 s)
	Now      func() time.Time // clock (default time.Now)
}

// State is what an operator wants to know of a guarded model.
type State struct {
	Open      bool
	Kind      Kind      // of the failure that opened it
	Status    int       // HTTP status of that failure
	Since     time.Time // when it opened
	NextProbe time.Time // not before
	Failures  int       // waiting failures counted at present
}

// Guarded is a Model behind a circuit breaker.
//
// The circuit opens after Failures failures in a row of a kind for which waiting helps, or when at least twice as many
// calls of the last Within brought more failures than answers; Quota and Misconfigured open it at once, because no
// other call with that key can do better. While it is open every call fails at once with the kind that opened it, and
// one call per Probe is let through; the first answer closes it. A refusal or a truncated answer is an answer. Neither
// a probe nor a call during which the circuit opened is tried again inside the call.
type Guarded struct {
	model Model
	o     GuardOptions

	mu      sync.Mutex
	epoch   int // counts openings and closings; results of calls begun in an earlier epoch are old news
	row     []time.Time
	recent  []outcome
	state   State
	probing bool
}

type outcome struct {
	at     time.Time
	failed bool
}

// Guard puts m behind a circuit breaker.
func Guard(m Model, o GuardOptions) *Guarded {
	if o.Failures <= 0 {
		o.Failures = 5
	}
	if o.Within <= 0 {
		o.Within = time.Minute
	}
	if o.Probe <= 0 {
		o.Probe = 5 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Guarded{model: m, o: o}
}

// State tells how the circuit stands.
func (g *Guarded) State() State {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.state
	s.Failures = len(g.row)
	return s
}

// Complete asks the model, or fails at once while the circuit is open.
func (g *Guarded) Complete(ctx context.Context, r Request) (Reply, error) {
	began := g.o.Now()
	epoch, probe, err := g.enter()
	if err != nil {
		return Reply{}, err
	}
	r.Retry = func() bool { return !probe && !g.State().Open }
	done := false
	defer func() {
		if !done && probe { // a panic below must not leave the circuit waiting for its probe for ever
			g.abandon()
		}
	}()
	reply, err := g.model.Complete(ctx, r)
	done = true
	if err != nil && (ctx.Err() != nil || AsError(err).Unasked()) {
		// The caller went away, or had no tokens left; that says nothing about the model.
		if probe {
			g.abandon()
		}
		return reply, err
	}
	g.leave(epoch, probe, began, err)
	return reply, err
}

// enter decides whether a call may go through now.
func (g *Guarded) enter() (epoch int, probe bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.state.Open {
		return g.epoch, false, nil
	}
	now := g.o.Now()
	wait := g.state.NextProbe.Sub(now)
	if wait <= 0 && !g.probing {
		g.probing = true
		g.state.NextProbe = now.Add(g.o.Probe)
		return g.epoch, true, nil
	}
	if wait <= 0 { // a probe is under way and takes longer than Probe
		wait = g.o.Probe
	}
	return 0, false, &Error{Kind: g.state.Kind, Status: g.state.Status, After: wait, Shut: true,
		Detail: "not asked again so soon after the last failure"}
}

func (g *Guarded) abandon() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.probing = false
}

// leave takes note of how a call ended. An answer ends a row of failures if it was asked for after they began: what was
// under way when the model went down says nothing about it now.
func (g *Guarded) leave(epoch int, probe bool, began time.Time, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if epoch != g.epoch {
		return
	}
	now := g.o.Now()
	var e *Error
	if err != nil {
		e = AsError(err)
	}
	failed := e != nil && e.Waits()
	switch {
	case probe && failed:
		g.probing = false
		g.state.Kind, g.state.Status = e.Kind, e.Status
		g.state.NextProbe = now.Add(max(g.o.Probe, e.After))
	case probe:
		g.turn(State{})
	case failed:
		g.row = append(g.row, now)
		g.note(now, true)
		if e.Kind == Quota || e.Kind == Misconfigured || g.tripped(now) {
			g.turn(State{Open: true, Kind: e.Kind, Status: e.Status, Since: now, NextProbe: now.Add(max(g.o.Probe, e.After))})
		}
	default:
		if len(g.row) > 0 && !began.Before(g.row[0]) {
			g.row = g.row[:0]
		}
		g.note(now, false)
	}
}

// turn opens or closes the circuit and forgets what was counted.
func (g *Guarded) turn(s State) {
	g.epoch++
	g.state, g.probing = s, false
	g.row, g.recent = g.row[:0], g.recent[:0]
}

// note keeps an outcome; a thousand are enough to know a rate by.
func (g *Guarded) note(now time.Time, failed bool) {
	if len(g.recent) >= 1000 {
		g.recent = append(g.recent[:0], g.recent[500:]...)
	}
	g.recent = append(g.recent, outcome{now, failed})
}

func (g *Guarded) tripped(now time.Time) bool {
	from := now.Add(-g.o.Within)
	for len(g.row) > 0 && g.row[0].Before(from) {
		g.row = g.row[1:]
	}
	if len(g.row) >= g.o.Failures {
		return true
	}
	failures, calls := 0, 0
	for _, o := range g.recent {
		if o.at.Before(from) {
			continue
		}
		calls++
		if o.failed {
			failures++
		}
	}
	return calls >= 2*g.o.Failures && 2*failures > calls
}
