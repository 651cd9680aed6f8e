package main

import (
	"context"
	"fmt"
	"time"

	"aftercall/internal/chaos/bed"
	"aftercall/internal/chaos/checker"
)

// twoVersions is V1: the version before and this one work one database together, while it is rolled out and back.
func twoVersions() property {
	return property{
		id: "V1", title: "two versions side by side", try: tryTwoVersions,
		weak: []weakness{{"queues-renamed", "not final after the way back"}},
	}
}

// versionBefore is the commit of the version before: everything but what keeps the ledger standing through chaos.
const versionBefore = "23c95e3"

func tryTwoVersions(ctx context.Context, t *trial) error {
	var variants []string
	if !t.full {
		variants = []string{"fast-lease"}
	}
	before, err := t.builder.Earlier(ctx, versionBefore, variants...)
	if err != nil {
		return err
	}
	if before == "" {
		t.want("version before ("+versionBefore+")", "NOT RUN: its commit is not at hand", "run in a clone with its history", !t.full)
		return nil
	}
	b, c, err := t.bed(ctx, bed.Options{})
	if err != nil {
		return err
	}
	defer b.Close()
	defer c.Close()
	if err := b.Mail(ctx, usualMail()); err != nil {
		return err
	}
	r := &rollout{t: t, bed: b, checker: c, before: before, byWeb: map[string]int{}, ours: []string{}}
	if err := r.run(ctx); err != nil {
		return err
	}
	return r.judge(ctx)
}

// rollout brings this version in beside the one before, takes that out, and goes back.
type rollout struct {
	t       *trial
	bed     *bed.Bed
	checker *checker.Checker
	before  string // binary

	acked []string
	byWeb map[string]int // calls taken, by version
	ours  []string       // worker ids of this version
	left  int            // mails that this version left to be tried again
}

func (r *rollout) run(ctx context.Context) error {
	old, err := r.earlier(ctx)
	if err != nil {
		return err
	}
	if err := r.post(ctx, "before"); err != nil {
		return err
	}
	now, err := r.bed.Worker(ctx)
	if err != nil {
		return err
	}
	r.ours = append(r.ours, now.WorkerID)
	if err := r.post(ctx, "before"); err != nil { // both work
		return err
	}
	old.Terminate(40 * time.Second)
	if _, err := r.bed.WebProcess(ctx); err != nil {
		return err
	}
	if err := r.post(ctx, "now"); err != nil {
		return err
	}
	// And back: what this version took and planned, the one before finishes. The provider is busy, so that there is such.
	if _, err := r.earlier(ctx); err != nil {
		return err
	}
	if err := r.bed.Mail(ctx, bed.Conduct{LatencyMS: 100, JitterMS: 300, Faults: map[string]float64{"429": 0.6}, RetryAfter: 3}); err != nil {
		return err
	}
	if err := r.post(ctx, "before"); err != nil {
		return err
	}
	if err := r.bed.Mail(ctx, usualMail()); err != nil {
		return err
	}
	now.Terminate(40 * time.Second)
	r.left, err = r.checker.Count(ctx, `SELECT count(*) FROM deliveries WHERE state = 'retrying' AND worker_id = ANY($1)`, r.ours)
	return err
}

// usualMail is a provider that takes its time.
func usualMail() bed.Conduct { return bed.Conduct{LatencyMS: 100, JitterMS: 300} }

// earlier starts a worker and a web process of the version before. Its worker takes its lease before the next is started.
func (r *rollout) earlier(ctx context.Context) (*bed.Process, error) {
	w, err := r.bed.Serve(ctx, r.before, nil, "--only", "worker")
	if err != nil {
		return nil, err
	}
	web, err := r.bed.Serve(ctx, r.before, nil, "--only", "web")
	if err != nil {
		return nil, err
	}
	return w, r.bed.UseWeb(ctx, web)
}

func (r *rollout) post(ctx context.Context, version string) error {
	n := r.t.size(500, 60) / 4
	p, err := r.bed.Post(ctx, bed.Calls(fmt.Sprintf("v1-%d", len(r.acked)), n), bed.Posting{PerS: float64(r.t.size(10, 20))})
	r.acked = append(r.acked, p.Acked...)
	r.byWeb[version] += len(p.Acked)
	return err
}

func (r *rollout) judge(ctx context.Context) error {
	most := r.t.patience(90*time.Second, 20*time.Second) // a mail that was put off is tried again after ten
	took, left, err := r.checker.Settle(ctx, most)
	if err != nil {
		return err
	}
	h, err := checker.ReadHistory(r.bed.History)
	if err != nil {
		return err
	}
	l, err := r.checker.Ledger(ctx, checker.Question{History: h, Acked: r.acked, Wanted: bed.Wanted()})
	if err != nil {
		return err
	}
	ours, err := r.checker.Count(ctx, `SELECT count(*) FROM deliveries WHERE channel = 'email' AND worker_id = ANY($1)`, r.ours)
	if err != nil {
		return err
	}
	r.t.equal("calls accepted", len(r.acked), r.t.size(500, 60)/4*4)
	r.t.exercised("calls taken by version", r.byWeb)
	r.t.atLeast("mails by this version", ours, r.t.size(100, 10))
	r.t.atLeast("mails by the version before", l.Mails-ours, r.t.size(100, 10))
	r.t.atLeast("mails that this version left to be tried again", r.left, 1)
	r.t.ledger(l)
	r.t.want("not final after the way back", left, fmt.Sprintf("none within %s", most), left.Settled())
	r.t.exercised("final after the way back", took.Round(100*time.Millisecond))
	r.t.zero("in doubt", l.Unknown)
	return r.t.audit(ctx, r.bed)
}
