package main

import (
	"context"
	"fmt"
	"time"

	"aftercall/internal/chaos/bed"
	"aftercall/internal/chaos/checker"
)

// modelDown is R5: the model is gone for two minutes while conversations come in. It is left alone meanwhile, nothing is
// given up, what needs no model goes on, and the backlog is soon worked off when it is back.
func modelDown() property {
	return property{
		id: "R5", title: "model down", try: tryModelDown,
		weak: []weakness{
			{"no-breaker", "probes"},
			{"model-down-fails-jobs", "jobs that lost an attempt"},
			{"nothing-without-model", "mails of the automation that asks nothing, sent while the model was down"},
		},
	}
}

func tryModelDown(ctx context.Context, t *trial) error {
	b, c, err := t.house(ctx, bed.Options{})
	if err != nil {
		return err
	}
	defer b.Close()
	defer c.Close()
	if err := b.Model(ctx, bed.Conduct{LatencyMS: 200}); err != nil {
		return err
	}
	// The model goes down amid calls, not before the first.
	before, n := t.size(100, 10), t.size(600, 60)
	calls := bed.Calls("r5", before+n)
	early, err := b.Post(ctx, calls[:before], bed.Posting{PerS: 100})
	if err != nil {
		return err
	}
	s, err := b.Stats(ctx)
	if err != nil {
		return err
	}
	if err := b.Model(ctx, bed.Conduct{Down: true}); err != nil {
		return err
	}
	gone := time.Now()
	posted, err := b.Post(ctx, calls[before:], bed.Posting{})
	if err != nil {
		return err
	}
	acked := append(early.Acked, posted.Acked...)
	t.equal("calls accepted", len(acked), before+n)
	t.exercised("model calls on their way when it went down (not counted below)", s.InFlight["model"])
	bed.Wait(ctx, time.Until(gone.Add(t.within(120*time.Second, 3*time.Second))))
	traces, err := t.tracesOut(ctx, b, c, acked)
	if err != nil {
		return err
	}
	down := time.Since(gone)
	t.want("mails of the automation that asks nothing, sent while the model was down", traces, fmt.Sprintf("exactly %d", len(acked)), traces == len(acked))
	waiting, err := c.Count(ctx, `SELECT count(*) FROM conversations WHERE state <> 'decided'`)
	if err != nil {
		return err
	}
	t.atLeast("backlog when the model came back", waiting, n)
	if err := b.Model(ctx, bed.Conduct{LatencyMS: 200}); err != nil {
		return err
	}
	return t.afterwards(ctx, b, c, acked, down)
}

// tracesOut counts the conversations whose mail that needs no model is out. On a busy machine it waits a little for the
// last of them.
func (t *trial) tracesOut(ctx context.Context, b *bed.Bed, c *checker.Checker, acked []string) (n int, err error) {
	for until := time.Now().Add(t.patience(10*time.Second, 10*time.Second)); ; {
		n, err = c.Count(ctx, `SELECT count(DISTINCT conversation_id) FROM deliveries
			WHERE automation = 'always-trace' AND channel = 'email' AND state IN ('sent', 'delivered')`)
		if err != nil || n >= len(acked) || time.Now().After(until) || !bed.Wait(ctx, 50*time.Millisecond) {
			return n, err
		}
	}
}

// afterwards judges the run once the model is back.
func (t *trial) afterwards(ctx context.Context, b *bed.Bed, c *checker.Checker, acked []string, down time.Duration) error {
	most := t.patience(60*time.Second, 15*time.Second)
	took, left, err := c.Settle(ctx, most)
	if err != nil {
		return err
	}
	h, err := checker.ReadHistory(b.History)
	if err != nil {
		return err
	}
	t.exercised("down for", down.Round(100*time.Millisecond))
	t.breaker(h, down)
	t.want("backlog gone after the model was back", fmt.Sprintf("%s, left: %s", took.Round(100*time.Millisecond), left), fmt.Sprintf("none left within %s", most), left.Settled())
	for _, f := range []struct{ name, query string }{
		{"jobs discarded", `SELECT count(*) FROM river_job WHERE state IN ('discarded', 'cancelled')`},
		{"jobs that lost an attempt", `SELECT count(*) FROM river_job WHERE attempt > 1 OR coalesce(cardinality(errors), 0) > 0`},
	} {
		n, err := c.Count(ctx, f.query)
		if err != nil {
			return err
		}
		t.equal(f.name, n, 0)
	}
	onRecord, err := c.Count(ctx, `SELECT count(*) FROM interviews`)
	if err != nil {
		return err
	}
	t.atMost("model calls on record (bound: those that reached the model)", onRecord, len(h.Models()))
	l, err := c.Ledger(ctx, checker.Question{History: h, Acked: acked, Wanted: bed.Wanted()})
	if err != nil {
		return err
	}
	t.ledger(l)
	return t.audit(ctx, b)
}

// known is how long after the provider has cut a connection the product must know: it has two cores, and other things to do.
const known = 50 * time.Millisecond

// late counts the calls begun after ten failures were known. The plan's goal is an open circuit after 20 calls; but calls
// that have begun before anybody could know are no fault of the breaker's, and how many there are depends on how long the
// provider takes to fail, and on how many conversations were loaded together. Ten is what it takes to know: five failures
// that count, and five whose callers try once more.
func late(h checker.History, calls []checker.Entry) (n int) {
	const enough = 10
	if len(h.Cut) < enough {
		return 0
	}
	for _, e := range calls {
		if e.At.After(h.Cut[enough-1].Add(known)) {
			n++
		}
	}
	return n
}

// breaker looks at the calls that reached the model while it was down. The first probe cannot be due sooner than one
// interval after the first failure, so what came sooner are the calls before the circuit was open.
func (t *trial) breaker(h checker.History, down time.Duration) {
	probe := t.within(5*time.Second, time.Second)
	var calls []checker.Entry
	for _, e := range h.Models() {
		if e.Fault == "down" {
			calls = append(calls, e)
		}
	}
	if len(calls) == 0 {
		t.atLeast("calls that found the model down", 0, 1)
		return
	}
	first := 0
	for first < len(calls) && calls[first].At.Before(calls[0].At.Add(probe)) {
		first++
	}
	t.exercised("calls begun after the model went down, until the circuit was open", first)
	t.atMost("calls begun 50 ms after ten failures or later, until the circuit was open", late(h, calls[:first]), 10)
	probes := calls[first:]
	t.want("probes", len(probes), fmt.Sprintf("1 to %d", down/probe), len(probes) > 0 && len(probes) <= int(down/probe))
	shortest := time.Hour
	for i := 1; i < len(probes); i++ {
		shortest = min(shortest, probes[i].At.Sub(probes[i-1].At))
	}
	if len(probes) > 1 {
		t.want("shortest time between two probes", shortest.Round(time.Millisecond), fmt.Sprintf("at least %s", probe), shortest >= probe)
	}
}
