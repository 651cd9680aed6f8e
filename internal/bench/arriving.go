package main

import (
	"context"
	"fmt"
	"time"
)

// arriving posts calls at a rate below what the product can do, as a platform does, and sees how long a webhook takes
// and how long it is from there to the provider.
func arriving() measurement {
	return measurement{id: "arriving", title: "calls that arrive at a rate, whatever came of those before", take: takeArriving}
}

func takeArriving(ctx context.Context, b *bench) error {
	s, err := b.common(ctx)
	if err != nil {
		return err
	}
	for range b.rounds {
		b.pace()
		if err := takeBusy(ctx, s); err != nil {
			return err
		}
		for _, latency := range []time.Duration{0, 50 * time.Millisecond} {
			if err := takeCalm(ctx, s, latency); err != nil {
				return err
			}
		}
	}
	return s.audit(ctx)
}

// takeBusy lets 200 calls a second arrive.
func takeBusy(ctx context.Context, s *stage) error {
	const perS, latency = 200, 50 * time.Millisecond
	seen, err := s.arrive(ctx, latency, perS, s.bench.size(2000, 60))
	if err != nil {
		return err
	}
	what := fmt.Sprintf("%d/s, model %s", perS, latency)
	s.bench.add("webhook p50, "+what, "ms", share(seen.took, 0.5), atMost(5))
	s.bench.add("webhook p99, "+what, "ms", share(seen.took, 0.99), atMost(25))
	s.bench.add("end to end above the model p50, "+what, "ms", share(seen.endToEnd, 0.5)-ms(latency))
	s.bench.add("end to end above the model p99, "+what, "ms", share(seen.endToEnd, 0.99)-ms(latency))
	s.processor(what, seen)
	s.accounts(what, seen)
	return nil
}

// takeCalm lets 20 calls a second arrive.
func takeCalm(ctx context.Context, s *stage, latency time.Duration) error {
	const perS = 20
	seen, err := s.arrive(ctx, latency, perS, s.bench.size(300, 20))
	if err != nil {
		return err
	}
	what := fmt.Sprintf("%d/s, model %s", perS, latency)
	s.bench.add("webhook p50, "+what, "ms", share(seen.took, 0.5))
	s.bench.add("webhook p99, "+what, "ms", share(seen.took, 0.99))
	s.bench.add("end to end above the model p50, "+what, "ms", share(seen.endToEnd, 0.5)-ms(latency), atMost(25))
	s.bench.add("end to end above the model p99, "+what, "ms", share(seen.endToEnd, 0.99)-ms(latency), atMost(75))
	s.accounts(what, seen)
	return nil
}

// arrive lets n calls arrive at a freshly started product.
func (s *stage) arrive(ctx context.Context, latency time.Duration, perS float64, n int) (seen, error) {
	if err := s.ready(ctx, latency); err != nil {
		return seen{}, err
	}
	defer s.stop()
	run := s.newRun("arriving")
	all := calls(run, n, turns)
	out, err := s.under(ctx, run, mails, func() *posted { return newSender(s.Bed, usual).open(ctx, all, perS, nil) })
	if err == nil {
		s.bench.say("%g/s, model %s: webhook p50 %.1f, p99 %.1f ms; end to end above the model p50 %.0f, p99 %.0f ms",
			perS, latency, share(out.took, 0.5), share(out.took, 0.99), share(out.endToEnd, 0.5)-ms(latency), share(out.endToEnd, 0.99)-ms(latency))
	}
	return out, err
}

// processor reports the processor time a call, where the system says it.
func (s *stage) processor(what string, l seen, together ...goal) {
	if l.product == 0 {
		s.bench.note("processor time and memory are not measured on this system (%s)", what)
		return
	}
	s.bench.add("processor a call, product, "+what, "ms", l.perCall(l.product))
	s.bench.add("processor a call, Postgres, "+what, "ms", l.perCall(l.database))
	s.bench.add("processor a call, together, "+what, "ms", l.perCall(l.product+l.database), together...)
}
