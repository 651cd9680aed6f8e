package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// throughput posts calls as fast as they are taken, and sees how fast they are through.
func throughput() measurement {
	return measurement{id: "throughput", title: "calls as fast as they are taken, 16 senders", take: takeThroughput}
}

// speed is one size of the measurement.
type speed struct {
	latency time.Duration
	calls   int
	goals   []goal // of the rate
	cpu     []goal // of the processor time a call
}

func speeds(o options) ([]speed, error) {
	if o.at != "" {
		latency, calls, _ := strings.Cut(o.at, ":")
		d, err := time.ParseDuration(latency)
		n, err2 := strconv.Atoi(calls)
		if err := errors.Join(err, err2); err != nil {
			return nil, fmt.Errorf("read the size %q: %w", o.at, err)
		}
		return []speed{{latency: d, calls: n}}, nil
	}
	if o.short {
		return []speed{{calls: 60}, {calls: 60, latency: 50 * time.Millisecond}}, nil
	}
	return []speed{
		{calls: 500},
		{calls: 5000, cpu: []goal{atMost(3)}},
		{calls: 500, latency: 50 * time.Millisecond},
		{calls: 5000, latency: 50 * time.Millisecond},
		{calls: 500, latency: 800 * time.Millisecond},
		{calls: 5000, latency: 800 * time.Millisecond, goals: []goal{atLeast(300)}},
	}, nil
}

func takeThroughput(ctx context.Context, b *bench) error {
	sizes, err := speeds(b.options)
	if err != nil {
		return err
	}
	s, err := b.common(ctx)
	if err != nil {
		return err
	}
	for round := range b.rounds {
		b.pace()
		for _, at := range sizes {
			if err := takeSpeed(ctx, s, at, round+1); err != nil {
				return err
			}
		}
	}
	return s.audit(ctx)
}

func takeSpeed(ctx context.Context, s *stage, at speed, round int) error {
	if err := s.ready(ctx, at.latency); err != nil {
		return err
	}
	defer s.stop()
	if err := s.resetStatements(ctx); err != nil {
		return err
	}
	run := s.newRun("speed")
	all := calls(run, at.calls, turns)
	seen, err := s.under(ctx, run, mails, func() *posted { return newSender(s.Bed, usual).closed(ctx, all, atOnce) })
	if err != nil {
		return err
	}
	what := fmt.Sprintf("model %s, %d calls", at.latency, at.calls)
	b := s.bench
	b.add("calls a second, "+what, "/s", seen.rate(), at.goals...)
	b.add("webhook p50, "+what, "ms", share(seen.took, 0.5))
	b.add("webhook p99, "+what, "ms", share(seen.took, 0.99))
	b.add("end to end p50, "+what, "ms", share(seen.endToEnd, 0.5))
	b.add("end to end p99, "+what, "ms", share(seen.endToEnd, 0.99))
	s.processor(what, seen, at.cpu...)
	if seen.peak > 0 {
		b.add("most memory, "+what, "MB", float64(seen.peak)/(1<<20))
	}
	s.accounts(what, seen)
	b.say("round %d, %s: %.0f calls/s, webhook p99 %.1f ms, end to end p99 %.0f ms, %.2f + %.2f ms of processor a call, %d MB, %d lost, %d doubled",
		round, what, seen.rate(), share(seen.took, 0.99), share(seen.endToEnd, 0.99), seen.perCall(seen.product),
		seen.perCall(seen.database), seen.peak>>20, seen.lost, seen.doubled)
	if b.profile != "" {
		b.say("its profile: %d.cpu", s.product.PID())
	}
	return s.printStatements(ctx, what, seen.full)
}
