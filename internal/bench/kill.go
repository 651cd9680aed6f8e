package main

import (
	"context"
	"fmt"
	"time"

	"aftercall/internal/chaos/bed"
	"aftercall/internal/chaos/checker"
)

// kill ends the product by kill -9 in the middle of its work, as it was done to the peers: 200 calls, 16 senders who post
// again what got no answer, a model of 800 ms, the kill when 300 of 1,000 mails were seen, the restart a second later.
// Here the providers keep their history on disk, and the checker of the chaos runs holds the ledger against it.
func kill() measurement {
	return measurement{id: "kill", title: "kill -9 in the middle of 200 calls, restart after a second", take: takeKill}
}

func takeKill(ctx context.Context, b *bench) error {
	for range b.size(2, 1) {
		if err := takeOneKill(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

func takeOneKill(ctx context.Context, b *bench) error {
	var o bed.Options
	if b.short { // the product's own lease is most of a short run
		o.Variants = []string{"fast"}
	}
	s, err := b.stage(ctx, o)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Model(ctx, bed.Conduct{LatencyMS: 800}); err != nil {
		return err
	}
	if err := s.start(ctx); err != nil {
		return err
	}
	before, err := s.Stats(ctx)
	if err != nil {
		return err
	}
	n := b.size(200, 40)
	type answer struct {
		posted bed.Posted
		err    error
	}
	answered := make(chan answer, 1)
	go func() {
		p, err := s.Post(ctx, bed.Calls("kill", n), bed.Posting{Account: usual, Clients: atOnce, Hurry: time.Second})
		answered <- answer{p, err}
	}()
	if err := s.untilMails(ctx, before.Counts["mail"]+n*mails*3/10); err != nil {
		return err
	}
	s.product.Kill()
	flying, err := s.checker.Count(ctx, `SELECT count(*) FROM deliveries WHERE state = 'sending'`)
	if err != nil {
		return err
	}
	bed.Wait(ctx, time.Second)
	if err := s.start(ctx); err != nil {
		return err
	}
	took, left, err := s.checker.Settle(ctx, time.Minute)
	if err != nil {
		return err
	}
	a := <-answered
	if a.err != nil {
		return a.err
	}
	return s.afterKill(ctx, a.posted, n, flying, took, left)
}

// untilMails waits until the provider was called so often.
func (s *stage) untilMails(ctx context.Context, n int) error {
	for until := time.Now().Add(time.Minute); time.Now().Before(until); bed.Wait(ctx, 5*time.Millisecond) {
		st, err := s.Stats(ctx)
		if err != nil {
			return err
		}
		if st.Counts["mail"] >= n {
			return nil
		}
	}
	return fmt.Errorf("%d mails were not seen within a minute", n)
}

// afterKill holds the ledger against the providers' history.
func (s *stage) afterKill(ctx context.Context, p bed.Posted, n, flying int, took time.Duration, left checker.Rest) error {
	history, err := checker.ReadHistory(s.History)
	if err != nil {
		return err
	}
	history.Entries = only(history.Entries, "kill-")
	var wanted [][2]string
	for i := range mails {
		wanted = append(wanted, [2]string{automation(i), "desk@northwind.example"})
	}
	l, err := s.checker.Ledger(ctx, checker.Question{History: history, Acked: p.Acked, Wanted: wanted})
	if err != nil {
		return err
	}
	b := s.bench
	b.add("calls accepted", "", float64(len(p.Acked)), atLeast(float64(n)))
	b.add("not final a minute after the restart", "", float64(left.Undecided+left.Open+left.Sending), law)
	b.add("final after the restart", "s", took.Seconds(), atMost(60))
	b.add("mails lost", "", float64(l.Lost.Count+l.Missing.Count), law)
	b.add("mails doubled", "", float64(l.Doubled.Count+l.Resent.Count), law)
	b.add("mails in flight at the kill", "", float64(flying))
	b.add("mails unknown", "", float64(l.UnknownMails))
	b.add("mails unknown beyond those in flight", "", float64(max(l.UnknownMails-flying, 0)), law)
	b.add("unknown mails that were really taken", "", float64(l.UnknownTaken))
	b.add("taken without an answer, and neither sent nor unknown", "", float64(l.UnansweredLost.Count+l.Unexplained.Count), law)
	b.say("%d mails in flight, %d unknown, of which %d were taken; final after %.1f s", flying, l.UnknownMails, l.UnknownTaken, took.Seconds())
	return s.audit(ctx)
}

// only keeps the entries about calls whose id begins so: the old calls were mails, too.
func only(all []checker.Entry, prefix string) (kept []checker.Entry) {
	for _, e := range all {
		if len(e.About) >= len(prefix) && e.About[:len(prefix)] == prefix {
			kept = append(kept, e)
		}
	}
	return kept
}
