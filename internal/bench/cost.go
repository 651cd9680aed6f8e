package main

import (
	"context"
	"fmt"
)

// cost counts model calls and the bytes of prompts as accounts have more automations.
func cost() measurement {
	return measurement{id: "cost", title: "model calls and prompts as automations grow", take: takeCost}
}

func takeCost(ctx context.Context, b *bench) error {
	s, err := b.common(ctx)
	if err != nil {
		return err
	}
	if err := s.ready(ctx, 0); err != nil {
		return err
	}
	defer s.stop()
	for range b.rounds {
		b.pace()
		if err := takeCostRound(ctx, s); err != nil {
			return err
		}
	}
	return s.audit(ctx)
}

func takeCostRound(ctx context.Context, s *stage) error {
	for _, a := range []struct {
		source      string
		automations int
	}{{one, 1}, {usual, mails}, {twelve, 12}} {
		for _, long := range []int{turns, 2 * turns} {
			if err := takeCostOf(ctx, s, a.source, a.automations, long); err != nil {
				return err
			}
		}
	}
	return nil
}

func takeCostOf(ctx context.Context, s *stage, source string, automations, long int) error {
	before, err := s.Stats(ctx)
	if err != nil {
		return err
	}
	run := s.newRun("cost")
	all := calls(run, s.bench.size(200, 20), long)
	seen, err := s.under(ctx, run, automations, func() *posted { return newSender(s.Bed, source).closed(ctx, all, atOnce) })
	if err != nil {
		return err
	}
	after, err := s.Stats(ctx)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("automations: %d, turns: %d", automations, long)
	asked := float64(after.Counts["model"] - before.Counts["model"])
	s.bench.add("model calls a call, "+what, "", asked/float64(len(all)), atMost(1))
	s.bench.add("bytes of a prompt, "+what, "B", float64(after.Counts["model bytes"]-before.Counts["model bytes"])/max(asked, 1))
	if seen.product > 0 {
		s.bench.add("processor a call, together, "+what, "ms", seen.perCall(seen.product+seen.database))
	}
	s.accounts(what, seen)
	return nil
}
