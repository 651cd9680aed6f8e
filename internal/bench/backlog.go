package main

import (
	"context"
	"time"

	"aftercall/internal/chaos/bed"
)

// backlog lets 200 calls a second arrive while a backlog of 5,000 drains: whoever posts must not feel it.
func backlog() measurement {
	return measurement{id: "backlog", title: "calls that arrive while a backlog drains", take: takeBacklog}
}

func takeBacklog(ctx context.Context, b *bench) error {
	s, err := b.common(ctx)
	if err != nil {
		return err
	}
	for range b.rounds {
		b.pace()
		if err := takeDrain(ctx, s); err != nil {
			return err
		}
	}
	return s.audit(ctx)
}

func takeDrain(ctx context.Context, s *stage) error {
	b := s.bench
	waiting := b.size(5000, 60)
	old, err := s.pile(ctx, waiting)
	if err != nil {
		return err
	}
	if err := s.Model(ctx, bed.Conduct{LatencyMS: 50}); err != nil {
		return err
	}
	began := time.Now()
	if err := s.start(ctx); err != nil {
		return err
	}
	defer s.stop()
	if _, err := s.Await(ctx, old, 1, time.Minute); err != nil { // it drains
		return err
	}
	drained, took := make(chan struct{}), time.Duration(0)
	go func() {
		defer close(drained)
		_, _ = s.Await(ctx, old, waiting*mails, patience)
		took = time.Since(began)
	}()
	run := s.newRun("beside")
	all := calls(run, b.size(2000, 60), turns)
	seen, err := s.under(ctx, run, mails, func() *posted { return newSender(s.Bed, usual).open(ctx, all, 200, drained) })
	if err != nil {
		return err
	}
	<-drained
	t, err := s.Tallied(ctx, old)
	if err != nil {
		return err
	}
	const what = "200/s beside a backlog of 5,000, model 50ms"
	b.add("webhook p50, "+what, "ms", share(seen.took, 0.5))
	b.add("webhook p99, "+what, "ms", share(seen.took, 0.99), atMost(50))
	b.add("calls that arrived meanwhile", "", float64(len(seen.accepted)))
	b.add("backlog drained in", "s", took.Seconds())
	s.accounts(what, seen)
	b.add("mails of the backlog lost", "", float64(waiting*mails-t.Distinct), law)
	b.add("mails of the backlog doubled", "", float64(t.Mails-t.Distinct), law)
	b.say("webhook p50 %.1f, p99 %.1f ms of %d calls, backlog drained in %.1f s", share(seen.took, 0.5), share(seen.took, 0.99),
		len(seen.accepted), took.Seconds())
	return nil
}

// pile has so many calls taken while nobody works on them.
func (s *stage) pile(ctx context.Context, n int) (run string, err error) {
	web, err := s.WebProcess(ctx)
	if err != nil {
		return "", err
	}
	run = s.newRun("waiting")
	newSender(s.Bed, usual).closed(ctx, calls(run, n, turns), atOnce)
	web.Terminate(time.Minute)
	return run, s.tidy(ctx)
}
