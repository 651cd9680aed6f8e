// Command bench measures how fast the product is and what it costs, beside what the machine can do at all. It builds the
// product as `make build` does, runs it as a process of its own beside a PostgreSQL that writes as carefully as one in
// production and fake providers in a process of theirs, posts signed calls to its webhook, and prints what it saw with
// the goals beside it.
//
//	go run ./internal/bench                          everything, some twenty-five minutes
//	go run ./internal/bench -short                   every measurement in a small size: does it work, not how fast
//	go run ./internal/bench -only throughput,kill    some measurements (table.go lists them)
//	go run ./internal/bench -data DIR                beside the hand-written worker whose source lies in DIR/bench
//	go run ./internal/bench -report FILE             writes the figures into FILE, between its two marks
//	go run ./internal/bench -profile DIR             a processor profile of each process of the product, in DIR
//	go run ./internal/bench -explain FILE            the slowest plan of each statement under load, in FILE
//
// One file per measurement. Each is taken several times over; what is printed is the median with the least and the most,
// so that one can see what is noise. Goals are printed as met or missed and decide nothing: this is a measurement, not a
// test. The exit code is 1 only if something was lost or doubled, or the ledger did not balance.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"aftercall/internal/chaos/bed"
)

func main() {
	var o options
	flag.BoolVar(&o.short, "short", false, "small sizes, one round")
	flag.StringVar(&o.only, "only", "", "ids of the measurements to take, with commas between")
	flag.StringVar(&o.at, "at", "", "of throughput only this size: latency of the model and calls, such as 0s:5000")
	flag.IntVar(&o.rounds, "rounds", 0, "how often each is taken (default 3, with -short 1)")
	flag.IntVar(&o.history, "history", 1_000_000, "old calls in the tables of the measurement history")
	flag.StringVar(&o.data, "data", "", "folder in which bench/ holds the rivals' source, read in place")
	flag.StringVar(&o.report, "report", "", "file to write the figures to, between its two marks")
	flag.StringVar(&o.json, "json", "", "file to write the figures to as JSON")
	flag.StringVar(&o.against, "against", "", "JSON of an earlier run: say which figures agree with it")
	flag.StringVar(&o.profile, "profile", "", "folder for profiles of the product's processes")
	flag.StringVar(&o.explain, "explain", "", "file for the slowest plan of each statement")
	flag.BoolVar(&o.statements, "postgres-statements", false, "print what pg_stat_statements counted in each round")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type options struct {
	short, statements                                   bool
	only, data, report, json, against, profile, explain string
	at                                                  string
	rounds, history                                     int
}

// size is what a full run uses, or what a short one does.
func (o options) size(full, short int) int {
	if o.short {
		return short
	}
	return full
}

// errWrong is the end of a run in which the ledger did not hold; the figures have said where.
var errWrong = errors.New("calls were lost or doubled, or the ledger does not balance")

func run(ctx context.Context, o options) error {
	o = o.withDefaults()
	chosen, err := choose(o)
	if err != nil {
		return err
	}
	if o.profile != "" {
		if o.profile, err = bed.Scratch(o.profile, ""); err != nil {
			return err
		}
	}
	dir, err := bed.Scratch("", "bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	builder, err := bed.NewReleaseBuilder(ctx, filepath.Join(dir, "build"))
	if err != nil {
		return err
	}
	usual := &usualStage{}
	defer usual.close()
	r := &report{options: o, root: builder.Root, began: time.Now()}
	for _, m := range chosen {
		fmt.Printf("\n%s: %s\n", m.id, m.title)
		b := &bench{options: o, builder: builder, dir: dir, usual: usual}
		began := time.Now()
		b.pace()
		err := m.take(ctx, b)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		b.pace()
		if err != nil { // the others are worth having all the same
			b.note("**broke off:** %v", err)
			r.broken = append(r.broken, m.id)
		}
		fmt.Printf("  took %s\n", time.Since(began).Round(time.Second))
		r.parts = append(r.parts, part{m.id, m.title, b.figures, b.notes, b.plans})
	}
	r.took = time.Since(r.began)
	if err := r.end(ctx); err != nil {
		return err
	}
	if r.wrong() {
		return errWrong
	}
	if len(r.broken) > 0 {
		return fmt.Errorf("broke off: %s", strings.Join(r.broken, ", "))
	}
	return nil
}

func (o options) withDefaults() options {
	if o.rounds == 0 {
		o.rounds = o.size(3, 1)
	}
	if o.short {
		o.history = min(o.history, 5000)
	}
	return o
}

// choose picks the measurements. Those that need something that is not here are left out, unless they are asked for.
func choose(o options) ([]measurement, error) {
	all := measurements()
	if o.only == "" {
		return slices.DeleteFunc(all, func(m measurement) bool { return m.wants != nil && !m.wants(o) }), nil
	}
	var chosen []measurement
	for id := range strings.SplitSeq(o.only, ",") {
		i := slices.IndexFunc(all, func(m measurement) bool { return m.id == strings.TrimSpace(id) })
		if i < 0 {
			return nil, fmt.Errorf("there is no measurement %q", id)
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}
