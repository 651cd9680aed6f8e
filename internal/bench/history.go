package main

import (
	"context"
	"fmt"
	"time"

	"aftercall/internal/chaos/bed"
)

// history sees whether a call costs more when a million old ones lie in the tables: two databases on one server, one
// small and one full, measured in turn.
func history() measurement {
	return measurement{id: "history", title: "a call's cost with old calls in the tables", take: takeHistory}
}

func takeHistory(ctx context.Context, b *bench) error {
	small, err := b.stage(ctx, bed.Options{Measure: true})
	if err != nil {
		return err
	}
	defer small.Close()
	began := time.Now()
	full, err := small.beside(ctx, "full", b.history)
	if err != nil {
		return err
	}
	defer full.checker.Close()
	size, err := full.checker.Count(ctx, `SELECT pg_database_size(current_database()) >> 20`)
	if err != nil {
		return err
	}
	b.note("%d old calls, each with its event, interview, decision, mail, receipt and finished job: %d MB, written in %s", b.history, size,
		time.Since(began).Round(time.Second))
	for range b.rounds {
		b.pace()
		if err := takeFlat(ctx, small, full); err != nil {
			return err
		}
	}
	for _, s := range []*stage{small, full} {
		if err := s.audit(ctx); err != nil {
			return err
		}
	}
	return full.explainAll(ctx)
}

// takeFlat takes one round on each.
func takeFlat(ctx context.Context, small, full *stage) error {
	b := small.bench
	var rates, costs []float64
	for _, s := range []*stage{small, full} {
		if err := s.ready(ctx, 0); err != nil {
			return err
		}
		run := s.newRun("flat")
		all := calls(run, b.size(2000, 60), turns)
		seen, err := s.under(ctx, run, mails, func() *posted { return newSender(s.Bed, usual).closed(ctx, all, atOnce) })
		s.stop()
		if err != nil {
			return err
		}
		old := b.size(oldCalls, 200)
		if s == full {
			old = b.history
		}
		what := fmt.Sprintf("old calls: %d", old)
		b.add("calls a second, "+what, "/s", seen.rate())
		s.processor(what, seen)
		s.accounts(what, seen)
		b.say("%s: %.0f calls/s, %.2f + %.2f ms of processor a call", what, seen.rate(), seen.perCall(seen.product), seen.perCall(seen.database))
		rates, costs = append(rates, seen.rate()), append(costs, seen.perCall(seen.product+seen.database))
	}
	b.add("calls a second, full ÷ small", "", rates[1]/rates[0])
	if costs[0] > 0 {
		b.add("processor a call, full ÷ small", "", costs[1]/costs[0])
	}
	return nil
}
