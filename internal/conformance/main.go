// Command conformance tries the product on data that nobody here wrote: real conversations, test suites of formats,
// recorded signatures, lists of hostile strings. It builds the product, runs it as a real process beside a PostgreSQL of
// its own, a mail provider that keeps what it is given and the simulated model, and judges each row of each corpus by
// what the corpus says.
//
//	go run ./internal/conformance -data DIR                  everything
//	go run ./internal/conformance -data DIR -only blns,isemail
//	go run ./internal/conformance -data DIR -report FILE     writes the report
//
// Each corpus is a suite with a line in table.go and, mostly, a file. A row holds, or deviates from what its corpus says.
// Deviations that we chose stand in choices/, row by row with their reason; one that stands there and no longer deviates
// as it says is a failure, so the lists cannot rot. Crashes and answers 5xx are never a choice.
//
// The data is read in place, and rows are named by their ids: no text of it is written into the report. The exit code is
// 0 only if every row of every corpus holds or is a choice, and every folder of the data has a suite, if only to say why
// it is not applicable yet.
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
	"aftercall/internal/chaos/corpus"
)

func main() {
	var o options
	flag.StringVar(&o.data, "data", "", "folder with data/ and fixtures/ of third parties, read in place")
	flag.StringVar(&o.only, "only", "", "names of the corpora to try, with commas between")
	flag.StringVar(&o.report, "report", "", "file to write the report to")
	flag.StringVar(&o.keep, "keep", "", "folder for logs and histories; they stay there (default: a scratch folder, kept if something fails)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(1)
	}
}

type options struct{ data, only, report, keep string }

// errRed is the end of a run in which something did not hold; the lines above have said what.
var errRed = errors.New("not everything held")

func run(ctx context.Context, o options) error {
	if _, err := os.Stat(filepath.Join(o.data, "data")); o.data == "" || err != nil {
		return errors.New("name the folder with the third-party data: make conformance DATA=../shared")
	}
	chosen, err := choose(suites(), o.only)
	if err != nil {
		return err
	}
	dir, err := bed.Scratch(o.keep, "conformance-")
	if err != nil {
		return err
	}
	builder, err := bed.NewBuilder(ctx, filepath.Join(dir, "build"))
	if err != nil {
		return err
	}
	r := report{options: o, began: time.Now(), forgotten: forgotten(o.data)}
	if r.results, err = tryAll(ctx, chosen, corpus.Folder(o.data), builder, dir); err != nil {
		return err
	}
	for _, name := range r.forgotten {
		fmt.Printf("%-18s X nobody reads this folder\n", name)
	}
	r.took = time.Since(r.began)
	if o.report != "" {
		if err := r.write(ctx, builder.Root); err != nil {
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
	fmt.Printf("conformance: %d corpora, %s\n", len(r.results), r.took.Round(time.Second))
	return nil
}

func choose(all []suite, only string) (chosen []suite, err error) {
	if only == "" {
		return all, nil
	}
	for _, name := range strings.Split(only, ",") {
		i := slices.IndexFunc(all, func(s suite) bool { return s.name == strings.TrimSpace(name) })
		if i < 0 {
			return nil, fmt.Errorf("there is no corpus %q", name)
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// forgotten are the folders of the data that no suite is named after.
func forgotten(data string) (names []string) {
	folders, err := os.ReadDir(filepath.Join(data, "data"))
	if err != nil {
		return []string{err.Error()}
	}
	for _, f := range folders {
		if f.IsDir() && !slices.ContainsFunc(suites(), func(s suite) bool { return s.name == f.Name() }) {
			names = append(names, f.Name())
		}
	}
	return names
}

// tryAll tries the suites one after another, in one hall.
func tryAll(ctx context.Context, chosen []suite, data corpus.Folder, builder *bed.Builder, dir string) (all []result, err error) {
	lists := map[string]map[string]choice{}
	for _, s := range chosen {
		if lists[s.name], err = choicesOf(s.name); err != nil {
			return nil, err
		}
	}
	run := filepath.Join(dir, "run-"+time.Now().UTC().Format("20060102-150405")) // a kept folder has those of other runs, too
	if err := os.Mkdir(run, 0o755); err != nil {
		return nil, fmt.Errorf("make a folder for the run: %w", err)
	}
	h, err := openHall(ctx, data, builder, run)
	if err != nil {
		return nil, err
	}
	defer h.close()
	for _, s := range chosen {
		began := time.Now()
		r := result{suite: s}
		if s.absent == "" {
			r.outcome, r.err = s.try(ctx, h)
			if r.err == nil && !h.server.Alive() {
				r.err = errors.New("the server ended")
			}
			r.sort(lists[s.name])
		}
		r.took = time.Since(began)
		r.print(os.Stdout)
		if all = append(all, r); ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return all, nil
}
