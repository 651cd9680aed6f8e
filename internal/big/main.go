// Command big fills a database with a million calls and three million deliveries, and measures how long each page takes on it:
//
//	go run ./internal/big                            everything; the database is gone afterwards
//	go run ./internal/big -conversations 20000       fewer calls: does it work, not how fast
//	go run ./internal/big -data DIR                  the database stays in DIR, and is used again next time
//	go run ./internal/big -only search               the pages whose names have that in them
//	go run ./internal/big -report FILE               writes the figures into FILE, between its two marks
//	go run ./internal/big -explain DIR               the slowest plan of each statement, a file for each page
//
// It owns the spread (spread.go): twelve accounts of different size, ninety days with their rhythm, customers who call once or
// often, automations that fire as often as they would; the rows that the product would have written of it (rows.go), which it
// copies into the tables in bulk (copy.go); which pages there are to look at (pages.go), and how they are timed (measure.go).
//
// It promises that one seed gives the same calls, that `aftercall audit` balances on them, that nothing in them is to be decided
// or sent, and that the pages it times are those of `aftercall serve`, asked for over HTTP by somebody who signed in. Numbers and
// addresses are in ranges that reach nobody. A figure decides nothing: this is a measurement, not a test.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"aftercall/internal/chaos/bed"
	"aftercall/internal/store"
	"aftercall/migrations"
)

type options struct {
	conversations, views        int
	seed                        uint64
	data, only, report, explain string
	until                       time.Time // the last call came in a moment before
}

func main() {
	o := options{until: time.Now()}
	flag.IntVar(&o.conversations, "conversations", 1_000_000, "how many; there are three times as many deliveries")
	flag.IntVar(&o.views, "views", 100, "how often each page is looked at")
	flag.Uint64Var(&o.seed, "seed", 1, "of the random numbers")
	flag.StringVar(&o.data, "data", "", "folder in which the database stays, to be used again")
	flag.StringVar(&o.only, "only", "", "the pages whose names have this in them")
	flag.StringVar(&o.report, "report", "", "file to write the figures to, between its two marks")
	flag.StringVar(&o.explain, "explain", "", "folder for the slowest plan of each statement")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "big:", err)
		os.Exit(1)
	}
}

// fewer is how many times fewer calls the database has that the full one is held against.
const fewer = 20

func run(ctx context.Context, o options) error {
	pages, err := chosen(o.only)
	if err != nil {
		return err
	}
	dir, err := bed.Scratch("", "big-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	builder, err := bed.NewReleaseBuilder(ctx, filepath.Join(dir, "build"))
	if err != nil {
		return err
	}
	began := time.Now()
	before := load()
	h, err := open(ctx, o, dir, builder)
	if err != nil {
		return err
	}
	defer h.Close()
	r := report{options: o, at: began, load: before}
	for _, size := range []int{max(o.conversations/fewer, 1), o.conversations} {
		m, err := h.measure(ctx, size, pages)
		if err != nil {
			return err
		}
		r.sizes = append(r.sizes, m)
	}
	r.took = time.Since(began)
	return r.end(ctx, builder.Root)
}

// house is the bed on which the databases lie, and the product runs.
type house struct {
	options
	*bed.Bed
}

func open(ctx context.Context, o options, dir string, builder *bed.Builder) (*house, error) {
	files := map[string]string{}
	for _, a := range accounts() {
		files[a.id+"/account.yaml"] = config(a)
	}
	b, err := bed.Open(ctx, bed.Options{Dir: dir, Data: o.data, Builder: builder, Config: files, Measure: true,
		Postgres: []string{"max_wal_size=8GB", "maintenance_work_mem=256MB"}})
	if err != nil {
		return nil, fmt.Errorf("open the bed: %w", err)
	}
	return &house{o, b}, nil
}

// errFull says that there are calls already.
var errFull = errors.New("the database has calls already")

// fill migrates a database, gives it the accounts, and copies the calls in.
func fill(ctx context.Context, url string, o options) error {
	if err := migrations.Up(ctx, url); err != nil {
		return err
	}
	w, err := connect(ctx, url)
	if err != nil {
		return err
	}
	defer w.Close()
	if err := w.empty(ctx); err != nil {
		return err
	}
	db, err := store.Open(ctx, url, store.Options{Pool: 4, Ingest: -1})
	if err != nil {
		return err
	}
	defer db.Close()
	all, err := settle(ctx, db)
	if err != nil {
		return err
	}
	if err := w.copyAll(ctx, newQuarter(o, all)); err != nil {
		return err
	}
	return w.tidy(ctx)
}
