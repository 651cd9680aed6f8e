package main

import (
	"context"
	"fmt"
	"time"

	"aftercall/internal/chaos/bed"
)

// memory looks at the product's memory while thousands of calls wait and its slots are full of model calls.
func memory() measurement {
	return measurement{id: "memory", title: "memory with 5,000 calls waiting and 500 in flight", take: takeMemory}
}

// slots is how many model calls one process has under way at most.
const slots = 500

// thinks is how long the model takes over each, so that all of them are under way at once.
const thinks = 30 * time.Second

func takeMemory(ctx context.Context, b *bench) error {
	s, err := b.common(ctx)
	if err != nil {
		return err
	}
	if err := s.ready(ctx, time.Duration(b.size(int(thinks), int(2*time.Second)))); err != nil {
		return err
	}
	defer s.stop()
	run := s.newRun("memory")
	all := calls(run, b.size(5000+slots, 100), turns)
	seen, err := s.under(ctx, run, mails, func() *posted {
		out := newSender(s.Bed, usual).closed(ctx, all, 2*atOnce)
		err = s.fullHouse(ctx, len(all))
		return out
	})
	if err != nil {
		return err
	}
	if seen.peak == 0 {
		b.note("memory is not measured on this system")
	} else {
		b.add("most memory until everything had gone through", "MB", float64(seen.peak)/(1<<20))
	}
	s.accounts("memory", seen)
	return s.audit(ctx)
}

// fullHouse waits until the model is asked as often at once as it will be, reads the memory, and lets the model be quick.
func (s *stage) fullHouse(ctx context.Context, calls int) error {
	flying := 0
	for until := time.Now().Add(thinks / 2); flying < min(slots, calls) && time.Now().Before(until); {
		st, err := s.Stats(ctx)
		if err != nil {
			return err
		}
		flying = st.InFlight["model"]
		bed.Wait(ctx, 50*time.Millisecond)
	}
	waiting, err := s.checker.Count(ctx, `SELECT count(*) FROM conversations WHERE state <> 'decided'`)
	if err != nil {
		return fmt.Errorf("count what waits: %w", err)
	}
	s.bench.add("calls in flight", "", float64(flying))
	s.bench.add("calls waiting", "", float64(waiting-flying))
	if peak := s.product.Peak(); peak > 0 {
		s.bench.add("most memory until then", "MB", float64(peak)/(1<<20), atMost(150))
	}
	s.bench.say("%d in flight, %d waiting, %d MB", flying, waiting-flying, s.product.Peak()>>20)
	return s.Model(ctx, bed.Conduct{})
}
