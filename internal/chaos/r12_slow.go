package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"aftercall/internal/chaos/bed"
	"aftercall/internal/chaos/checker"
)

// slowDatabase is R12: a small pool and a long line to the database, on which at last nothing moves for a while. It gets
// slow, but nothing waits for ever.
func slowDatabase() property {
	return property{
		id: "R12", title: "a slow database and a small pool", try: trySlowDatabase,
		weak: []weakness{
			{"decisions-hold-a-connection", "not final when the line is quick again"},
			{"webhooks-wait-for-ever", "posts on a line that stands still without an answer within 6 s"},
		},
	}
}

const (
	slowPool  = 4
	slowTrip  = 200 * time.Millisecond // added to every round trip
	stillTrip = 7 * time.Second        // added while the line stands still
)

func trySlowDatabase(ctx context.Context, t *trial) error {
	b, c, err := t.bed(ctx, bed.Options{Env: []string{fmt.Sprintf("AFTERCALL_POOL=%d", slowPool)}})
	if err != nil {
		return err
	}
	defer b.Close()
	defer c.Close()
	if _, err := b.WebProcess(ctx); err != nil {
		return err
	}
	if _, err := b.Worker(ctx); err != nil {
		return err
	}
	if err := b.Mail(ctx, bed.Conduct{LatencyMS: 50, JitterMS: 100}); err != nil {
		return err
	}
	// A house that was already at work, its connections made.
	warm, err := b.Post(ctx, bed.Calls("r12-warm", 16), bed.Posting{PerS: 16})
	if err != nil {
		return err
	}
	if _, _, err := c.Settle(ctx, 5*time.Second); err != nil {
		return err
	}
	began := time.Now()
	b.Database.Slow(slowTrip)
	n := t.size(400, 20)
	posted, err := b.Post(ctx, bed.Calls("r12", n), bed.Posting{Clients: 16, PerS: 4, Hurry: t.within(0, time.Second)})
	if err != nil {
		return err
	}
	if _, _, err := c.Settle(ctx, t.within(40*time.Second, 6*time.Second)); err != nil { // the backlog, still slow
		return err
	}
	slow := time.Since(began)
	h, err := checker.ReadHistory(b.History)
	if err != nil {
		return err
	}
	still, err := standStill(ctx, b)
	if err != nil {
		return err
	}
	b.Database.Slow(0)
	// What was posted when the line stood still is posted again, as a platform does.
	again, err := b.Post(ctx, stillCalls(), bed.Posting{Hurry: 500 * time.Millisecond, Patience: 30 * time.Second})
	if err != nil {
		return err
	}
	t.judgeSlow(n, posted, h, began, slow)
	t.exercised("posts on a line that stands still, by answer (0: none)", still.Statuses)
	t.equal("posts on a line that stands still without an answer within 6 s", still.Statuses[0], 0)
	t.equal("and accepted once it moves again", len(again.Acked), len(stillCalls()))
	posted.Acked = append(append(posted.Acked, again.Acked...), warm.Acked...)
	return t.settleSlow(ctx, b, c, posted)
}

// standStill posts while nothing moves on the line to the database. A caller waits for 6 s and posts once.
func standStill(ctx context.Context, b *bed.Bed) (bed.Posted, error) {
	b.Database.Slow(stillTrip)
	return b.Post(ctx, stillCalls(), bed.Posting{Patience: time.Nanosecond, Timeout: 6 * time.Second})
}

func stillCalls() []bed.Call { return bed.Calls("r12-still", 8) }

// judgeSlow draws the figures of the slow stretch.
func (t *trial) judgeSlow(n int, p bed.Posted, h checker.History, began time.Time, took time.Duration) {
	sent := 0
	for _, m := range h.Mails() {
		if m.Accepted && m.At.After(began) {
			sent++
		}
	}
	t.exercised("added to each round trip", slowTrip)
	t.exercised("connections", fmt.Sprintf("%d, and ingest's own", slowPool))
	t.exercised("slow for", took.Round(100*time.Millisecond))
	t.equal("calls accepted on the slow line", len(p.Acked), n)
	t.exercised("answers by status (0: none)", p.Statuses)
	t.equal("answers that are neither 200 nor 503", len(p.Took)-p.Statuses[http.StatusOK]-p.Statuses[http.StatusServiceUnavailable], 0)
	t.equal("answers 503 without Retry-After", p.Unhinted, 0)
	p99 := p.Served[min(len(p.Served)*99/100, len(p.Served)-1)]
	t.exercised("median of the answers 200", p.Served[len(p.Served)/2].Round(time.Millisecond))
	t.measured("99 % of the answers 200 within", p99.Round(time.Millisecond), "at most 2 s", p99 <= 2*time.Second)
	perS := float64(sent) / took.Seconds() / slowPool
	t.measured("mails a second and connection of the pool", fmt.Sprintf("%.1f", perS), "at least 1", perS >= 1)
}

// settleSlow waits until all is final and draws the ledger's figures.
func (t *trial) settleSlow(ctx context.Context, b *bed.Bed, c *checker.Checker, p bed.Posted) error {
	most := t.patience(time.Minute, 10*time.Second)
	took, left, err := c.Settle(ctx, most)
	if err != nil {
		return err
	}
	h, err := checker.ReadHistory(b.History)
	if err != nil {
		return err
	}
	l, err := c.Ledger(ctx, checker.Question{History: h, Acked: p.Acked, Wanted: bed.Wanted()})
	if err != nil {
		return err
	}
	t.want("not final when the line is quick again", left, fmt.Sprintf("none within %s", most), left.Settled())
	t.exercised("final when the line is quick again", took.Round(100*time.Millisecond))
	t.ledger(l)
	t.zero("in doubt", l.Unknown)
	return t.audit(ctx, b)
}
