package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"aftercall/internal/chaos/bed"
	"aftercall/internal/chaos/checker"
)

// databaseGone is R3: Postgres crashes three times and then stays away, while calls come in and mails go out. The
// workers live, so they know what they sent: nothing may be in doubt.
func databaseGone() property {
	return property{
		id: "R3", title: "Postgres crashes and stays away", try: tryDatabaseGone,
		weak: []weakness{{"receipts-are-tried-once", "in doubt"}},
	}
}

func tryDatabaseGone(ctx context.Context, t *trial) error {
	b, c, err := t.bed(ctx, bed.Options{})
	if err != nil {
		return err
	}
	defer b.Close()
	c.Close() // it would not outlive the crashes
	if _, err := b.WebProcess(ctx); err != nil {
		return err
	}
	workers := make([]*bed.Process, 2)
	for i := range workers {
		if workers[i], err = b.Worker(ctx); err != nil {
			return err
		}
	}
	// Slow enough that every crash finds mails on their way.
	if err := b.Mail(ctx, bed.Conduct{LatencyMS: 300, JitterMS: 500}); err != nil {
		return err
	}
	n := t.size(1500, 48)
	out := &outages{bed: b, crashes: 3, gap: t.within(6*time.Second, 500*time.Millisecond), away: t.within(time.Minute, 3*time.Second)}
	done := make(chan error, 1)
	go func() { done <- out.run(ctx) }()
	// The last calls come when the database is away: what is posted then is posted again until it is taken.
	posted, err := b.Post(ctx, bed.Calls("r3", n), bed.Posting{
		Clients: 16, PerS: float64(n) / (6 * out.gap.Seconds()), Hurry: t.within(0, 500*time.Millisecond)})
	if err != nil {
		return err
	}
	if err := <-done; err != nil {
		return err
	}
	return t.judgeOutages(ctx, b, n, posted, out, workers)
}

// judgeOutages waits for rest and draws the figures.
func (t *trial) judgeOutages(ctx context.Context, b *bed.Bed, n int, posted bed.Posted, out *outages, workers []*bed.Process) error {
	c, err := checker.Open(ctx, b.Database.Direct("chaos"))
	if err != nil {
		return err
	}
	defer c.Close()
	most := t.patience(time.Minute, 30*time.Second)
	took, left, err := c.Settle(ctx, most)
	if err != nil {
		return err
	}
	alive := 0
	for _, w := range workers {
		if w.Alive() {
			alive++
		}
	}
	if !left.Settled() {
		if err := relieve(ctx, b, c, workers); err != nil {
			return err
		}
	}
	h, err := checker.ReadHistory(b.History)
	if err != nil {
		return err
	}
	l, err := c.Ledger(ctx, checker.Question{History: h, Acked: posted.Acked, Wanted: bed.Wanted()})
	if err != nil {
		return err
	}
	t.exercised("crashes of the database", fmt.Sprintf("%d; mails on their way at each: %v", len(out.hit), out.hit))
	t.exercised("away", out.away)
	t.equal("calls accepted", len(posted.Acked), n)
	t.equal("conversations, for as many 200s", l.Conversations, len(posted.Acked))
	t.exercised("answers by status (0: none)", posted.Statuses)
	t.atLeast("answers 503", posted.Statuses[http.StatusServiceUnavailable], 3)
	t.equal("of those, without Retry-After", posted.Unhinted, 0)
	t.equal("answers that are neither 200 nor 503", len(posted.Took)-posted.Statuses[http.StatusOK]-posted.Statuses[http.StatusServiceUnavailable], 0)
	t.exercised("slowest answer", posted.Percentile(1).Round(time.Millisecond))
	t.equal("workers that lived through it", alive, len(workers))
	t.ledger(l)
	t.want("not final after the database is back", left, fmt.Sprintf("none within %s", most), left.Settled())
	t.exercised("final after the database is back", took.Round(100*time.Millisecond))
	t.zero("in doubt", l.Unknown)
	return t.audit(ctx, b)
}

// relieve puts a fresh worker in the place of those that left something open, so that it shows what they left.
func relieve(ctx context.Context, b *bed.Bed, c *checker.Checker, workers []*bed.Process) error {
	for _, w := range workers {
		w.Terminate(30 * time.Second)
	}
	if _, err := b.Worker(ctx); err != nil {
		return err
	}
	_, _, err := c.Settle(ctx, 10*time.Second)
	return err
}

// outages crashes the database again and again, starts it at once, and at last leaves it away for a while.
type outages struct {
	bed     *bed.Bed
	crashes int
	gap     time.Duration
	away    time.Duration

	hit []int // mails on their way at each crash
}

func (o *outages) run(ctx context.Context) error {
	for i := range o.crashes + 1 {
		if !bed.Wait(ctx, o.gap) {
			return ctx.Err()
		}
		flying, err := o.mailsOnTheirWay(ctx)
		if err != nil {
			return err
		}
		if err := o.bed.Database.Crash(); err != nil {
			return err
		}
		o.hit = append(o.hit, flying)
		if i == o.crashes && !bed.Wait(ctx, o.away) {
			return ctx.Err()
		}
		if err := o.bed.Database.Start(ctx); err != nil {
			return err
		}
	}
	return nil
}

// mailsOnTheirWay waits a while for some, so that the crash hits them, and says how many there are.
func (o *outages) mailsOnTheirWay(ctx context.Context) (int, error) {
	for began := time.Now(); ; {
		s, err := o.bed.Stats(ctx)
		if err != nil || s.InFlight["mail"] > 3 || time.Since(began) > 2*o.gap {
			return s.InFlight["mail"], err
		}
		if !bed.Wait(ctx, 20*time.Millisecond) {
			return 0, ctx.Err()
		}
	}
}
