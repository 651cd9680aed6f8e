// Command chaos tries whether the ledger holds. It builds the product, runs it as real processes beside fake providers
// and a PostgreSQL of its own, kills, freezes, floods and lies to them, and lets a checker, which shares no code with
// the product, say what became of every call.
//
//	go run ./internal/chaos                         every property, with the sizes of the test plan
//	go run ./internal/chaos -short                  runs of seconds
//	go run ./internal/chaos -only R1,S6 -seed 42    some properties, one seed
//	go run ./internal/chaos -data DIR               with third-party corpora, read in place
//	go run ./internal/chaos -report FILE            writes the report
//
// Each property is one file (r1_kill.go …) that sets the stage, does its worst and lists its figures. After a property
// has held, it is tried once more for each of its weaknesses: a build with the protection taken out, made by the
// overlays of package bed. There a named figure must miss its goal, else the property proves nothing.
//
// Every run prints its seed. One that fails is noted in testdata/seeds.txt, and is run again, before the new seed, from
// then on. The exit code is 0 only if every figure met its goal and every weakness was seen.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"aftercall/internal/chaos/bed"
	"aftercall/internal/chaos/corpus"
)

func main() {
	var o options
	flag.BoolVar(&o.short, "short", false, "runs of seconds instead of the full sizes")
	flag.StringVar(&o.only, "only", "", "ids of the properties to try, with commas between")
	flag.Uint64Var(&o.seed, "seed", 0, "seed of all runs; 0 draws one")
	flag.StringVar(&o.data, "data", "", "folder with data/ and fixtures/ of third parties, read in place")
	flag.StringVar(&o.report, "report", "", "file to write the report to")
	flag.StringVar(&o.keep, "keep", "", "folder for logs and histories; they stay there (default: a scratch folder, kept if something fails)")
	flag.BoolVar(&o.strong, "no-weak", false, "do not try the builds without protections")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

type options struct {
	short, strong            bool
	only, data, report, keep string
	seed                     uint64
}

// errRed is the end of a run in which something did not hold; the report has said what.
var errRed = errors.New("not everything held")

func run(ctx context.Context, o options) error {
	chosen, err := choose(o.only)
	if err != nil {
		return err
	}
	dir, err := bed.Scratch(o.keep, "chaos-")
	if err != nil {
		return err
	}
	builder, err := bed.NewBuilder(ctx, filepath.Join(dir, "build"))
	if err != nil {
		return err
	}
	if o.seed == 0 {
		o.seed = rand.Uint64N(1_000_000)
	}
	known, err := knownSeeds(builder.Root)
	if err != nil {
		return err
	}
	r := report{options: o, began: time.Now()}
	for _, p := range chosen {
		r.proofs = append(r.proofs, proof{property: p, runs: prove(ctx, p, o, builder, dir, known[p.id])})
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if !o.strong {
		weaken(ctx, r.proofs, trial{builder: builder, seed: o.seed, shared: corpus.Folder(o.data), dir: dir})
	}
	for _, p := range r.proofs {
		if err := noteSeed(builder.Root, p.id, p.failedSeed()); err != nil {
			return err
		}
	}
	r.took = time.Since(r.began)
	if o.report != "" {
		if err := r.write(ctx, o.report, builder.Root); err != nil {
			return err
		}
	}
	if !r.held() {
		fmt.Printf("logs and histories: %s\n", dir)
		return errRed
	}
	if o.keep == "" {
		_ = os.RemoveAll(dir)
	}
	fmt.Printf("chaos: %d properties held, seed %d, %s\n", len(r.proofs), o.seed, r.took.Round(time.Second))
	return nil
}

func choose(only string) ([]property, error) {
	all := properties()
	if only == "" {
		return all, nil
	}
	var chosen []property
	for _, id := range strings.Split(only, ",") {
		i := slices.IndexFunc(all, func(p property) bool { return strings.EqualFold(p.id, strings.TrimSpace(id)) })
		if i < 0 {
			return nil, fmt.Errorf("there is no property %q", id)
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// prove tries a property with its known seeds and the new one.
func prove(ctx context.Context, p property, o options, builder *bed.Builder, dir string, seeds []uint64) (runs []outcome) {
	if !slices.Contains(seeds, o.seed) {
		seeds = append(slices.Clone(seeds), o.seed)
	}
	for _, seed := range seeds {
		fmt.Printf("%s %s, seed %d\n", p.id, p.title, seed)
		runs = append(runs, try(ctx, p, trial{builder: builder, seed: seed, full: !o.short, shared: corpus.Folder(o.data), dir: dir}, os.Stdout))
	}
	return runs
}

// weakAtOnce is how many builds without protections are tried side by side: their runs are short and mostly wait.
const weakAtOnce = 4

// weaken tries every property once more for each build without one of its protections. The removal of a protection shows
// in a short run as well as in a full one.
func weaken(ctx context.Context, proofs []proof, t trial) {
	places := make(chan struct{}, weakAtOnce)
	var all sync.WaitGroup
	var printing sync.Mutex
	for n := range proofs {
		p := &proofs[n]
		p.weak = make([]weakRun, len(p.property.weak))
		for i, w := range p.property.weak {
			if slices.IndexFunc(p.property.weak, func(x weakness) bool { return x.variant == w.variant }) < i {
				continue // one build, several figures
			}
			places <- struct{}{}
			all.Go(func() {
				defer func() { <-places }()
				said := p.without(ctx, w.variant, t)
				printing.Lock()
				defer printing.Unlock()
				_, _ = said.WriteTo(os.Stdout)
			})
		}
	}
	all.Wait()
}

// without tries the property on one build without a protection, and says what happened.
func (p *proof) without(ctx context.Context, variant string, t trial) *bytes.Buffer {
	said := &bytes.Buffer{}
	if t.weak = variant; variant == "" {
		t.weak = "-"
	}
	fmt.Fprintf(said, "%s without its protection: %s\n", p.id, t.weak)
	ended := try(ctx, p.property, t, said)
	for i, w := range p.property.weak {
		if w.variant == variant {
			p.weak[i] = weakRun{weakness: w, outcome: ended}
		}
	}
	return said
}

// try runs one trial and prints its figures to w.
func try(ctx context.Context, p property, t trial, w io.Writer) outcome {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Minute)
	defer cancel()
	t.say = func(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
	began := time.Now()
	err := p.try(ctx, &t)
	out := outcome{seed: t.seed, figures: t.figures, took: time.Since(began), err: err}
	for _, f := range out.figures {
		mark := "  "
		if !f.ok {
			mark = "X "
		}
		goal := ""
		if f.want != "" {
			goal = " (want " + f.want + ")"
		}
		fmt.Fprintf(w, "  %s%s: %s%s\n", mark, f.name, f.got, goal)
	}
	if err != nil {
		fmt.Fprintf(w, "  X the run broke off: %v\n", err)
	}
	fmt.Fprintf(w, "  took %s\n", out.took.Round(100*time.Millisecond))
	return out
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}
