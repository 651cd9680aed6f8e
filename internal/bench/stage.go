package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"aftercall/internal/chaos/bed"
	"aftercall/internal/chaos/checker"
)

// The accounts of a stage, each with its automations and a source of the same name.
const (
	usual  = "bench" // five automations
	one    = "bench-one"
	twelve = "bench-twelve"
)

// mails is what every call of the usual account leads to.
const mails = 5

// turns is the length of a transcript.
const turns = 20

// oldCalls lie in the tables before anything is measured: on empty ones Postgres makes plans that nobody ever sees again.
const oldCalls = 10_000

// stage is what measurements stand on: a bed, and the product running on it.
type stage struct {
	*bed.Bed
	bench   *bench
	checker *checker.Checker
	product *bed.Process
	env     []string // of the product, where it works on another database
	name    string   // of the database: what the names of this stage's runs begin with
	model   string   // id of the call of which old and waiting ones are copies
	runs    int
}

// usualStage is the stage of all measurements that need nothing of their own: to open one takes seconds.
type usualStage struct{ stage *stage }

func (u *usualStage) close() {
	if u.stage != nil {
		u.stage.Close()
	}
}

// common is that stage, opened when the first asks for it.
func (b *bench) common(ctx context.Context) (*stage, error) {
	if b.usual.stage == nil {
		s, err := b.stage(ctx, bed.Options{Measure: true})
		if err != nil {
			return nil, err
		}
		b.usual.stage = s
	}
	s := b.usual.stage
	if s.bench = b; s.product.Alive() { // the measurement before broke off
		s.product.Kill()
	}
	return s, nil
}

// stage opens a bed. Nothing of the product runs yet; its tables hold some old calls.
func (b *bench) stage(ctx context.Context, o bed.Options) (*stage, error) {
	dir, err := os.MkdirTemp(b.dir, "bed-")
	if err == nil {
		err = os.Chmod(dir, 0o755) // the database's user must get through
	}
	if err != nil {
		return nil, fmt.Errorf("make the bed's folder: %w", err)
	}
	o.Dir, o.Builder = dir, b.builder
	o.Config = map[string]string{
		usual + "/account.yaml":  account(usual, mails),
		one + "/account.yaml":    account(one, 1),
		twelve + "/account.yaml": account(twelve, 12),
		ways + "/account.yaml":   waysAccount,
	}
	o.Env = append(o.Env, "BENCH_SECRET="+secret)
	if b.profile != "" {
		o.Variants, o.Env = append(o.Variants, "profiled"), append(o.Env, "AFTERCALL_PROFILE="+b.profile)
	}
	if b.statements {
		o.Postgres = append(o.Postgres, "shared_preload_libraries=pg_stat_statements")
	}
	opened, err := bed.Open(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("open the bed: %w", err)
	}
	s := &stage{Bed: opened, bench: b, name: "chaos"}
	if s.checker, err = checker.Open(ctx, opened.Database.Direct(s.name)); err == nil {
		err = s.furnish(ctx, b.size(oldCalls, 200))
	}
	if err != nil {
		opened.Close()
		return nil, err
	}
	return s, nil
}

// beside opens another database on the same server, with so many old calls. It is gone with its bed.
func (s *stage) beside(ctx context.Context, name string, old int) (*stage, error) {
	if err := s.Database.Create(ctx, name); err != nil {
		return nil, err
	}
	other := &stage{Bed: s.Bed, bench: s.bench, name: name, env: []string{"DATABASE_URL=" + s.Database.Direct(name)}}
	if err := s.Must(ctx, other.env, "migrate"); err != nil {
		return nil, err
	}
	if err := s.RememberHours(ctx, name); err != nil {
		return nil, err
	}
	var err error
	if other.checker, err = checker.Open(ctx, s.Database.Direct(name)); err != nil {
		return nil, err
	}
	return other, other.furnish(ctx, old)
}

// furnish fills in old calls. The config is activated on the way, when the product starts for the first time.
func (s *stage) furnish(ctx context.Context, old int) error {
	if s.bench.statements {
		if _, err := s.checker.Pool().Exec(ctx, `CREATE EXTENSION IF NOT EXISTS pg_stat_statements`); err != nil {
			s.bench.note("pg_stat_statements is not to be had here: %v", err)
			s.bench.statements = false
		}
	}
	return s.remember(ctx, old)
}

// Close ends everything.
func (s *stage) Close() {
	s.checker.Close()
	s.Bed.Close() // cuts the connections of other stages on it
}

// start starts the product.
func (s *stage) start(ctx context.Context) (err error) {
	s.product, err = s.Whole(ctx, s.env...)
	return err
}

// stop ends it in order.
func (s *stage) stop() { s.product.Terminate(time.Minute) }

// ready starts the product afresh on tables that Postgres knows, warm, with the model answering after latency.
func (s *stage) ready(ctx context.Context, latency time.Duration) error {
	if err := s.tidy(ctx); err != nil {
		return err
	}
	if err := s.Model(ctx, bed.Conduct{}); err != nil {
		return err
	}
	if err := s.start(ctx); err != nil {
		return err
	}
	warm := s.newRun("warm")
	newSender(s.Bed, usual).closed(ctx, calls(warm, 30, turns), 4)
	if _, err := s.Await(ctx, warm, 30*mails, time.Minute); err != nil {
		return err
	}
	return s.Model(ctx, bed.Conduct{LatencyMS: int(latency.Milliseconds())})
}

// tidy lets Postgres look at its tables and write everything down, so that it does not do so while we measure.
func (s *stage) tidy(ctx context.Context) error {
	for _, what := range []string{"VACUUM (ANALYZE)", "CHECKPOINT"} {
		if _, err := s.checker.Pool().Exec(ctx, what); err != nil {
			return fmt.Errorf("tidy the database: %w", err)
		}
	}
	return nil
}

// newRun names a run: what the ids of its calls begin with.
func (s *stage) newRun(of string) string {
	s.runs++
	return fmt.Sprintf("%s-%s-%d", s.name, of, s.runs)
}

// seen is what came of a load.
type seen struct {
	*posted
	endToEnd          []time.Duration // of each call with all its mails: from the begin of its post to its last mail
	wall              time.Duration   // from the first post to the last mail
	product, database time.Duration   // processor time
	peak              int64           // most resident memory of the product, in bytes
	full              int             // calls with all their mails
	lost, doubled     int             // mails
}

// rate is calls a second, from the first post to the last mail.
func (s seen) rate() float64 { return float64(s.full) / s.wall.Seconds() }

// perCall is a processor time in ms a call.
func (s seen) perCall(d time.Duration) float64 { return ms(d) / float64(max(s.full, 1)) }

// patience is how long the mails of a load may take.
const patience = 5 * time.Minute

// under loads the product with post and sees what comes of it. Every call is to make so many mails.
func (s *stage) under(ctx context.Context, run string, mails int, post func() *posted) (out seen, err error) {
	product, database := s.product.Processor(), s.Database.Processor()
	out.posted = post()
	if _, err := s.Await(ctx, run, mails*len(out.accepted), patience); err != nil {
		return out, err
	}
	bed.Wait(ctx, 500*time.Millisecond) // for jobs to be completed, and for mails that come twice
	out.product, out.database = s.product.Processor()-product, s.Database.Processor()-database
	out.peak = s.product.Peak()
	t, err := s.Tallied(ctx, run)
	if err != nil {
		return out, err
	}
	out.count(t, mails)
	return out, ctx.Err()
}

// count holds what the mail provider took against what was accepted: every call is to have made so many mails.
func (out *seen) count(t bed.Tally, mails int) {
	last := out.first
	for id, begun := range out.accepted {
		c := t.Calls[id]
		out.lost += max(mails-len(c.By), 0)
		out.doubled += c.Mails - len(c.By)
		if len(c.By) == mails {
			out.full++
			out.endToEnd = append(out.endToEnd, c.Last().Sub(begun))
		}
		if c.Mails > 0 && c.Last().After(last) {
			last = c.Last()
		}
	}
	slices.Sort(out.endToEnd)
	out.wall = last.Sub(out.first)
}

// accounts reports what must be nought in every load: calls refused, mails lost or doubled.
func (s *stage) accounts(what string, l seen) {
	s.bench.add("calls not taken, "+what, "", float64(l.refused), law)
	s.bench.add("mails lost, "+what, "", float64(l.lost), law)
	s.bench.add("mails doubled, "+what, "", float64(l.doubled), law)
}

// audit runs the product's own audit.
func (s *stage) audit(ctx context.Context) error {
	out, code, err := s.RunWith(ctx, s.env, "audit")
	if err != nil {
		return err
	}
	line, _, _ := strings.Cut(out, "\n")
	s.bench.note("audit: %s", line)
	s.bench.add("rules of the ledger that do not hold", "", float64(code), law)
	return nil
}

// share is checker.Share in ms.
func share(times []time.Duration, of float64) float64 { return ms(checker.Share(times, of)) }
