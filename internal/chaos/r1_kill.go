package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"aftercall/internal/chaos/bed"
	"aftercall/internal/chaos/checker"
)

// killed is R1: workers die by kill -9 at random moments, and nothing is lost, doubled or left unexplained.
func killed() property {
	return property{
		id: "R1", title: "kill -9", try: tryKilled,
		weak: []weakness{
			{"doubts-are-sent-again", "doubled"},
			{"no-sweeper", "not final after the last kill"},
		},
	}
}

func tryKilled(ctx context.Context, t *trial) error {
	b, c, err := t.bed(ctx, bed.Options{})
	if err != nil {
		return err
	}
	defer b.Close()
	defer c.Close()
	if _, err := b.WebProcess(ctx); err != nil {
		return err
	}
	// A provider that takes its time, so that kills find mails on their way.
	if err := b.Mail(ctx, bed.Conduct{LatencyMS: 100, JitterMS: 300}); err != nil {
		return err
	}
	if err := b.Model(ctx, bed.Conduct{LatencyMS: 50, JitterMS: 200}); err != nil {
		return err
	}
	n, kills := t.size(2000, 60), t.size(50, 4)
	gap := t.within(2*time.Second, 700*time.Millisecond)
	nemesis := &killer{bed: b, checker: c, rand: rand.New(rand.NewPCG(t.seed, 1)), kills: kills, gap: gap}
	done := make(chan error, 1)
	go func() { done <- nemesis.run(ctx) }()
	posted, err := b.Post(ctx, bed.Calls("r1", n), bed.Posting{PerS: float64(n) / (float64(kills) * gap.Seconds())})
	if err != nil {
		return err
	}
	if err := <-done; err != nil {
		return err
	}
	took, left, err := c.Settle(ctx, t.patience(60*time.Second, 20*time.Second))
	if err != nil {
		return err
	}
	h, err := checker.ReadHistory(b.History)
	if err != nil {
		return err
	}
	l, err := c.Ledger(ctx, checker.Question{History: h, Acked: posted.Acked, Wanted: bed.Wanted()})
	if err != nil {
		return err
	}
	t.equal("calls accepted", len(posted.Acked), n)
	t.exercised("kills", fmt.Sprintf("%d, of which %d found a mail on its way and %d a model call", nemesis.done, nemesis.hitMail, nemesis.hitModel))
	t.ledger(l)
	t.want("not final after the last kill", left, fmt.Sprintf("none within %s", t.patience(60*time.Second, 20*time.Second)), left.Settled())
	t.exercised("final after the last kill", took.Round(100*time.Millisecond))
	t.atMost("in doubt (bound: deliveries on their way at the kills)", l.Unknown.Count, nemesis.inFlight)
	t.exercised("of those, mails", l.UnknownMails)
	t.equal("team alerts in doubt", l.Unknown.Count-l.UnknownMails, 0)
	t.exercised("of those mails, really taken", l.UnknownTaken)
	t.exercised("taken without a whole answer", l.Unanswered)
	t.zero("unanswered and not in doubt", l.UnansweredLost)
	return t.audit(ctx, b)
}

// killer keeps two workers running and kills one of them again and again.
type killer struct {
	bed     *bed.Bed
	checker *checker.Checker
	rand    *rand.Rand
	kills   int
	gap     time.Duration // on average

	done, hitMail, hitModel int
	inFlight                int // deliveries on their way under the killed at their death, summed up: the bound for doubts
}

func (k *killer) run(ctx context.Context) error {
	workers := make([]*bed.Process, 2)
	for i := range workers {
		w, err := k.bed.Worker(ctx)
		if err != nil {
			return err
		}
		workers[i] = w
	}
	for k.done < k.kills {
		if !bed.Wait(ctx, k.gap/2+time.Duration(k.rand.Int64N(int64(k.gap)))) {
			return ctx.Err()
		}
		s, err := k.bed.Stats(ctx)
		if err != nil {
			return err
		}
		i := k.rand.IntN(len(workers))
		workers[i].Kill()
		k.done++
		held, err := k.left(ctx, workers[i])
		if err != nil {
			return err
		}
		k.inFlight += held
		if s.InFlight["mail"] > 0 {
			k.hitMail++
		}
		if s.InFlight["model"] > 0 {
			k.hitModel++
		}
		if workers[i], err = k.bed.Worker(ctx); err != nil {
			return err
		}
	}
	return nil
}

// left counts the deliveries that the killed was at: those it had claimed, and what a peer had doubted before it could
// say more. What it asked of the database at the last moment may still be written, so its connections are waited for.
func (k *killer) left(ctx context.Context, killed *bed.Process) (int, error) {
	for {
		open, err := k.checker.Count(ctx, `SELECT count(*) FROM pg_stat_activity WHERE application_name = $1`, killed.Name)
		if err != nil {
			return 0, err
		}
		if open == 0 {
			break
		}
		if !bed.Wait(ctx, 5*time.Millisecond) {
			return 0, ctx.Err()
		}
	}
	return k.checker.Count(ctx, `SELECT count(*) FROM deliveries WHERE state IN ('sending', 'unknown') AND worker_id = $1`, killed.WorkerID)
}
