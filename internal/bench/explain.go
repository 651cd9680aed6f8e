package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"aftercall/internal/chaos/bed"
)

// waitingJobs wait while statements are explained, beside the old calls.
const waitingJobs = 50_000

// explainAll lets the server explain every statement that the product runs while many calls wait and more arrive, and
// notes the dearest. It is the last that is done with the stage.
func (s *stage) explainAll(ctx context.Context) error {
	if err := s.checker.Explain(ctx, true); err != nil {
		s.bench.note("statements are not explained: %v", err)
		return nil
	}
	if err := s.copyCalls(ctx, waitingRows(), s.bench.size(waitingJobs, 100), `now() - i * interval '1 millisecond'`); err != nil {
		return fmt.Errorf("let calls wait: %w", err)
	}
	info, err := os.Stat(s.Database.LogPath())
	if err != nil {
		return fmt.Errorf("find the server's log: %w", err)
	}
	if err := s.start(ctx); err != nil {
		return err
	}
	run := s.newRun("explained")
	newSender(s.Bed, usual).open(ctx, calls(run, s.bench.size(1000, 40), turns), 100, nil)
	s.stop()
	all, err := bed.ReadPlans(s.Database.LogPath(), info.Size())
	if err != nil {
		return err
	}
	s.bench.plans = all
	s.bench.note("%d distinct statements were explained while 100 calls a second arrived beside %d that waited", len(all),
		s.bench.size(waitingJobs, 100))
	if s.bench.explain == "" {
		return nil
	}
	return writePlans(s.bench.explain, all)
}

// writePlans writes the slowest plan of each statement.
func writePlans(path string, all []bed.Plan) error {
	var b strings.Builder
	for _, p := range all {
		fmt.Fprintf(&b, "=== %s: %d times, %.2f ms on average, %.2f ms at most, %d pages a time\n\n%s\n\n", p.Name, p.Times,
			p.Total/float64(p.Times), p.Slowest, p.Buffers/p.Times, p.Text)
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		return fmt.Errorf("write the plans: %w", err)
	}
	return nil
}
