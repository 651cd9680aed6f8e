package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"aftercall/internal/chaos/bed"
	"aftercall/internal/chaos/checker"
)

// frozen is R3b: workers stop for longer than their lease, with claims in hand, and go on as if nothing had happened.
func frozen() property {
	return property{
		id: "R3b", title: "frozen for longer than the lease", try: tryFrozen,
		weak: []weakness{
			{"sends-what-was-given-up", lateCalls},
			{"doubts-are-sent-again", "doubled"},
		},
	}
}

const lateCalls = "mails handed to the provider after the ledger had given them up"

// gap is how long after a thaw a mail may still go out whose claim was read again just before the freeze: what ADR 3
// leaves open between that look and the call. A claim that was still waiting for its place is looked at after the thaw.
const gap = time.Second

// manyMails is an account with more mails for each call than a worker with few places can send at once.
func manyMails() (config map[string]string, wanted [][2]string) {
	var to []string
	for i := range 12 {
		address := fmt.Sprintf("desk-%02d@chaos.example", i)
		to, wanted = append(to, address), append(wanted, [2]string{"always-many", address})
	}
	return map[string]string{"account.yaml": `account: chaos
name: Chaos Ltd
timezone: Europe/London
language: en
missing: not stated
from: { email: "Chaos Ltd <calls@chaos.example>" }
allow: { domains: [chaos.example] }
automations:
  - id: always-many
    name: Many mails for every call
    when: always
    actions:
      - email: { to: [` + strings.Join(to, ", ") + `], subject: "Call {{conversation_uuid}}", body: "Status {{conversation_status}}" }
`}, wanted
}

func tryFrozen(ctx context.Context, t *trial) error {
	config, wanted := manyMails()
	b, c, err := t.bed(ctx, bed.Options{Config: config, Variants: []string{"few-places"}})
	if err != nil {
		return err
	}
	defer b.Close()
	defer c.Close()
	if err := watchDoubts(ctx, c); err != nil {
		return err
	}
	if err := b.Mail(ctx, bed.Conduct{LatencyMS: 200, JitterMS: t.size(600, 300)}); err != nil {
		return err
	}
	if _, err := b.WebProcess(ctx); err != nil {
		return err
	}
	f := &freezer{bed: b, checker: c, rand: rand.New(rand.NewPCG(t.seed, 3)), freezes: t.size(40, 3), atOnce: t.size(8, 3),
		freeze: t.within(20*time.Second, 4*time.Second), rest: t.within(1500*time.Millisecond, 300*time.Millisecond)}
	if err := f.hire(ctx, f.atOnce+1); err != nil {
		return err
	}
	n := t.size(300, 32)
	posted, err := b.Post(ctx, bed.Calls("r3b", n), bed.Posting{})
	if err != nil {
		return err
	}
	if err := f.run(ctx); err != nil {
		return err
	}
	most := t.patience(60*time.Second, 20*time.Second)
	took, left, err := c.Settle(ctx, most)
	if err != nil {
		return err
	}
	h, err := checker.ReadHistory(b.History)
	if err != nil {
		return err
	}
	l, err := c.Ledger(ctx, checker.Question{History: h, Acked: posted.Acked, Wanted: wanted})
	if err != nil {
		return err
	}
	t.equal("calls accepted", len(posted.Acked), n)
	if err := f.report(ctx, t, h); err != nil {
		return err
	}
	t.ledger(l)
	t.want("not final after the last thaw", left, fmt.Sprintf("none within %s", most), left.Settled())
	t.exercised("final after the last thaw", took.Round(100*time.Millisecond))
	t.exercised("still in doubt", fmt.Sprintf("%d, of which the provider took %d", l.Unknown.Count, l.UnknownTaken))
	return t.audit(ctx, b)
}

// watchDoubts has the database note when a delivery is given up: a later word of its worker takes that out of the ledger.
func watchDoubts(ctx context.Context, c *checker.Checker) error {
	_, err := c.Pool().Exec(ctx, `
		CREATE TABLE chaos_doubts (delivery_id text, attempt text, at timestamptz);
		CREATE FUNCTION chaos_doubt() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN INSERT INTO chaos_doubts VALUES (NEW.id, NEW.attempt, clock_timestamp()); RETURN NULL; END $$;
		CREATE TRIGGER chaos_doubt AFTER UPDATE ON deliveries FOR EACH ROW
		WHEN (OLD.state = 'sending' AND NEW.state = 'unknown') EXECUTE FUNCTION chaos_doubt()`)
	if err != nil {
		return fmt.Errorf("watch doubts: %w", err)
	}
	return nil
}

// freezer stops several workers at once, again and again.
type freezer struct {
	bed                     *bed.Bed
	checker                 *checker.Checker
	rand                    *rand.Rand
	freezes, atOnce         int
	freeze, rest            time.Duration
	workers                 []*bed.Process
	done, holding, inFlight int
	claims                  int // that the frozen held, summed up
	thaws                   []time.Time
}

func (f *freezer) hire(ctx context.Context, n int) error {
	for range n {
		w, err := f.bed.Worker(ctx)
		if err != nil {
			return err
		}
		f.workers = append(f.workers, w)
	}
	return nil
}

func (f *freezer) run(ctx context.Context) error {
	for f.done < f.freezes {
		if !bed.Wait(ctx, f.rest+time.Duration(f.rand.Int64N(int64(f.rest)/2))) {
			return ctx.Err()
		}
		if err := f.wave(ctx, min(f.atOnce, f.freezes-f.done)); err != nil {
			return err
		}
	}
	return nil
}

func (f *freezer) wave(ctx context.Context, n int) error {
	s, err := f.bed.Stats(ctx)
	if err != nil {
		return err
	}
	var some []*bed.Process
	for _, i := range f.rand.Perm(len(f.workers))[:n] {
		some = append(some, f.workers[i])
		f.workers[i].Freeze()
	}
	f.inFlight += s.InFlight["mail"]
	for _, w := range some {
		held, err := f.checker.Count(ctx, `SELECT count(*) FROM deliveries WHERE state = 'sending' AND worker_id = $1`, w.WorkerID)
		if err != nil {
			return err
		}
		f.done++
		f.claims += held
		if held > 0 {
			f.holding++
		}
	}
	ok := bed.Wait(ctx, f.freeze)
	f.thaws = append(f.thaws, time.Now())
	for _, w := range some {
		w.Thaw()
	}
	if !ok {
		return ctx.Err()
	}
	return nil
}

func (f *freezer) report(ctx context.Context, t *trial, h checker.History) error {
	late, atThaw, err := f.late(ctx, h)
	if err != nil {
		return err
	}
	given, err := f.checker.Count(ctx, `SELECT count(*) FROM chaos_doubts`)
	if err != nil {
		return err
	}
	reread, err := f.checker.Count(ctx, `SELECT count(*) FROM attempts WHERE class = 'claim_lost'`)
	if err != nil {
		return err
	}
	ended := 0
	for _, w := range f.workers {
		if !w.Alive() {
			ended++
		}
	}
	t.equal(fmt.Sprintf("freezes of %s, %d workers at once", f.freeze, f.atOnce), f.done, f.freezes)
	t.atLeast("of them, of workers that held claims", f.holding, f.freezes/2)
	t.exercised("claims in frozen hands", fmt.Sprintf("%d, with %d calls on their way", f.claims, f.inFlight))
	t.atLeast("claims given up while frozen", given, 1)
	t.atLeast("claims read again, found lost, and not sent", reread, 1)
	t.zero(lateCalls, late)
	t.atMost("of the gap between that look and the call, right at a thaw (bound: one for each freeze)", atThaw.Count, f.freezes)
	t.equal("workers that ended", ended, 0)
	return nil
}

// late finds the mails that reached the provider after their claim had been given up: later than the gap after a thaw,
// and within it.
func (f *freezer) late(ctx context.Context, h checker.History) (late, atThaw checker.Finding, err error) {
	rows, err := f.checker.Pool().Query(ctx, `SELECT delivery_id, attempt, min(at) FROM chaos_doubts GROUP BY 1, 2`)
	if err != nil {
		return late, atThaw, fmt.Errorf("read when claims were given up: %w", err)
	}
	given := map[[2]string]time.Time{}
	var id, attempt string
	var at time.Time
	if _, err := pgx.ForEachRow(rows, []any{&id, &attempt, &at}, func() error {
		given[[2]string{id, attempt}] = at
		return nil
	}); err != nil {
		return late, atThaw, fmt.Errorf("read when claims were given up: %w", err)
	}
	for _, m := range h.Mails() {
		at, ok := given[[2]string{m.Delivery, m.Attempt}]
		if !ok || m.At.Before(at) {
			continue
		}
		to := &late
		for _, thaw := range f.thaws {
			if m.At.After(thaw) && m.At.Sub(thaw) < gap {
				to = &atThaw
			}
		}
		to.Count++
		to.IDs = append(to.IDs, m.Delivery)
	}
	late.IDs = late.IDs[:min(len(late.IDs), 5)]
	return late, atThaw, nil
}
