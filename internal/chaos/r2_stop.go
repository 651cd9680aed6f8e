package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"aftercall/internal/chaos/bed"
	"aftercall/internal/chaos/checker"
)

// stopped is R2: workers are stopped in order and started again under load, as a rolling update does. Nothing may be in
// doubt then: what is on its way comes to its end.
func stopped() property {
	return property{
		id: "R2", title: "rolling SIGTERM", try: tryStopped,
		weak: []weakness{{"stops-at-once", "in doubt"}, {"sends-on-while-stopping", "in doubt"}},
	}
}

// mixedMails is the bed's account with one automation more, of many mails: a job of sixteen that finds every place taken
// sends one after another, and would take longer than a stopping worker waits.
func mixedMails() (config map[string]string, wanted [][2]string) {
	config, wanted = manyMails()
	_, many, _ := strings.Cut(config["account.yaml"], "automations:\n")
	config = bed.Account()
	config["account.yaml"] += many
	return config, append(bed.Wanted(), wanted...)
}

// exitWithin is what an orchestrator has to wait: the twenty seconds that jobs may go on, and some for the rest.
const exitWithin = 25 * time.Second

// tryStopped is one list of steps and figures, which is why it is left whole.
func tryStopped(ctx context.Context, t *trial) error {
	var variants []string
	if !t.full {
		variants = []string{"short-stop", "few-places"}
	}
	config, wanted := mixedMails()
	b, c, err := t.bed(ctx, bed.Options{Variants: variants, Config: config})
	if err != nil {
		return err
	}
	defer b.Close()
	defer c.Close()
	if _, err := b.WebProcess(ctx); err != nil {
		return err
	}
	if err := b.Mail(ctx, bed.Conduct{JitterMS: t.size(4000, 600)}); err != nil { // up to 4 s a mail
		return err
	}
	r := &rolling{bed: b, rest: t.within(1500*time.Millisecond, 500*time.Millisecond)}
	for range 2 {
		w, err := b.Worker(ctx)
		if err != nil {
			return err
		}
		r.workers = append(r.workers, w)
	}
	load := r.post(ctx, "r2", t.size(200, 12), float64(t.size(4, 8)))
	if err := r.update(ctx, t.size(8, 1)); err != nil {
		return err
	}
	// Now a model that takes longer than a stopping worker waits: these jobs are stopped, and must go on elsewhere.
	if err := b.Model(ctx, bed.Conduct{LatencyMS: t.size(24_000, 3_000)}); err != nil {
		return err
	}
	more := r.post(ctx, "r2-slow", t.size(100, 3), 0)
	if err := r.update(ctx, t.size(2, 1)); err != nil {
		return err
	}
	if err := b.Model(ctx, bed.Conduct{}); err != nil {
		return err
	}
	n := t.size(300, 15)
	acked, err := both(load, more)
	if err != nil {
		return err
	}
	most := t.patience(90*time.Second, 20*time.Second)
	took, left, err := c.Settle(ctx, most)
	if err != nil {
		return err
	}
	h, err := checker.ReadHistory(b.History)
	if err != nil {
		return err
	}
	l, err := c.Ledger(ctx, checker.Question{History: h, Acked: acked, Wanted: wanted})
	if err != nil {
		return err
	}
	t.equal("calls accepted", len(acked), n)
	if err := r.report(ctx, t, c, h); err != nil {
		return err
	}
	t.equal("in doubt", l.Unknown.Count, 0)
	t.ledger(l)
	t.want("not final after the last stop", left, fmt.Sprintf("none within %s", most), left.Settled())
	t.exercised("final after the last stop", took.Round(100*time.Millisecond))
	return t.audit(ctx, b)
}

// rolling stops workers and starts others in their place.
type rolling struct {
	bed     *bed.Bed
	rest    time.Duration // between a start and the next stop
	workers []*bed.Process

	mu                       sync.Mutex
	stops, hitMail, hitModel int
	badExits                 checker.Finding
	longest                  time.Duration
}

// postings is what a posting in the background came to.
type postings struct {
	posted bed.Posted
	err    error
}

func (r *rolling) post(ctx context.Context, prefix string, n int, perS float64) <-chan postings {
	done := make(chan postings, 1)
	go func() {
		p, err := r.bed.Post(ctx, bed.Calls(prefix, n), bed.Posting{PerS: perS})
		done <- postings{p, err}
	}()
	return done
}

func both(one, other <-chan postings) (acked []string, err error) {
	a, b := <-one, <-other
	return append(a.posted.Acked, b.posted.Acked...), errors.Join(a.err, b.err)
}

// update replaces each worker so often, the two of them side by side.
func (r *rolling) update(ctx context.Context, times int) error {
	errs := make(chan error, len(r.workers))
	for i := range r.workers {
		go func() {
			var err error
			for n := 0; n < times && err == nil; n++ {
				err = r.replace(ctx, i)
			}
			errs <- err
		}()
	}
	var first error
	for range r.workers {
		if err := <-errs; first == nil {
			first = err
		}
	}
	return first
}

func (r *rolling) replace(ctx context.Context, i int) error {
	if !bed.Wait(ctx, r.rest) {
		return ctx.Err()
	}
	s, err := r.bed.Stats(ctx)
	if err != nil {
		return err
	}
	old := r.workers[i]
	code, took := old.Terminate(exitWithin + 10*time.Second)
	r.note(s, old, code, took)
	r.workers[i], err = r.bed.Worker(ctx)
	return err
}

func (r *rolling) note(s bed.Stats, p *bed.Process, code int, took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stops++
	r.longest = max(r.longest, took)
	if s.InFlight["mail"] > 0 {
		r.hitMail++
	}
	if s.InFlight["model"] > 0 {
		r.hitModel++
	}
	if code != 0 {
		r.badExits.Count++
		r.badExits.IDs = append(r.badExits.IDs, fmt.Sprintf("%s: %d", p.Name, code))
	}
}

func (r *rolling) report(ctx context.Context, t *trial, c *checker.Checker, h checker.History) error {
	t.exercised("stops", fmt.Sprintf("%d, of which %d found a mail on its way and %d a model call", r.stops, r.hitMail, r.hitModel))
	t.zero("exits other than 0", r.badExits)
	t.want("longest exit", r.longest.Round(10*time.Millisecond), "at most "+exitWithin.String(), r.longest <= exitWithin)
	counted, err := c.Count(ctx, `SELECT count(*) FROM river_job WHERE attempt > 1`)
	if err != nil {
		return err
	}
	failed, err := c.Count(ctx, `SELECT count(*) FROM river_job WHERE cardinality(errors) > 0`)
	if err != nil {
		return err
	}
	t.equal("jobs with a counted second attempt", counted, 0)
	t.equal("jobs with an error", failed, 0)
	kept, err := c.Count(ctx, `SELECT count(*) FROM interviews`)
	if err != nil {
		return err
	}
	back, err := c.Count(ctx, `SELECT count(*) FROM attempts WHERE class = 'stopping'`)
	if err != nil {
		return err
	}
	t.exercised("claims that a stopping worker gave back", back)
	t.atLeast("model calls that a stop cut off", len(h.Models())-kept, 1)
	return nil
}
