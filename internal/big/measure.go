package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"aftercall/internal/chaos/bed"
	"aftercall/internal/chaos/checker"
)

// measured is what the pages took on one database.
type measured struct {
	calls, deliveries int
	size              int64         // of the database, in bytes
	filled            time.Duration // 0: it was there already
	pages             []timing
}

// timing is what one page took.
type timing struct {
	page
	took      []time.Duration // of each view, in order of length
	failed    int             // views that were answered with an error, which count with the time that took
	bytes     int             // of the longest answer
	explained int             // views under which the server explained what it did
	plans     []bed.Plan
}

const (
	warmth    = 5  // views that do not count
	explained = 10 // views under which the server explains
)

// measure fills a database with so many calls, unless that was done before, and looks at each page.
func (h *house) measure(ctx context.Context, calls int, pages []page) (m measured, err error) {
	name := fmt.Sprintf("big%d", calls)
	if err := h.Database.Create(ctx, name); err != nil {
		return m, err
	}
	o, began := h.options, time.Now()
	o.conversations = calls
	switch err := fill(ctx, h.Database.Direct(name), o); {
	case errors.Is(err, errFull):
		fmt.Printf("%d calls are there already\n", calls)
	case err != nil:
		return m, fmt.Errorf("fill a database with %d calls: %w", calls, err)
	default:
		m.filled = time.Since(began)
		fmt.Printf("%d calls written in %s\n", calls, m.filled.Round(time.Second))
	}
	c, err := checker.Open(ctx, h.Database.Direct(name))
	if err != nil {
		return m, err
	}
	defer c.Close()
	if err := m.count(ctx, c); err != nil {
		return m, err
	}
	some, err := sample(ctx, c, rand.New(rand.NewPCG(h.seed, 0)), calls, h.views+explained+warmth)
	if err != nil {
		return m, err
	}
	if m.pages, err = h.timed(ctx, name, pages, some); err != nil {
		return m, err
	}
	return m, h.explainAll(ctx, c, name, m.pages, some[h.views+warmth:])
}

func (m *measured) count(ctx context.Context, c *checker.Checker) error {
	err := c.Pool().QueryRow(ctx, `SELECT (SELECT count(*) FROM conversations), (SELECT count(*) FROM deliveries), pg_database_size(current_database())`).
		Scan(&m.calls, &m.deliveries, &m.size)
	if err != nil {
		return fmt.Errorf("count what was written: %w", err)
	}
	return nil
}

// sample picks calls at random, of those that left a captured message.
func sample(ctx context.Context, c *checker.Checker, dice *rand.Rand, calls, n int) ([]call, error) {
	names := make([]string, 20*n)
	for k := range names {
		names[k] = externalID(dice.IntN(calls))
	}
	rows, err := c.Pool().Query(ctx, `
		SELECT DISTINCT ON (c.id) c.id::text, c.account_id, c.external_id, c.customer_number, c.customer_email, m.id::text
		FROM conversations AS c JOIN captured AS m ON m.conversation_id = c.id
		WHERE c.external_id = ANY($1) AND c.customer_email <> ''`, names)
	if err != nil {
		return nil, fmt.Errorf("pick calls: %w", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (call, error) {
		var c call
		err := row.Scan(&c.id, &c.account, &c.external, &c.number, &c.email, &c.captured)
		return c, err
	})
	if err != nil || len(all) == 0 {
		return nil, fmt.Errorf("pick calls: %d found: %w", len(all), err)
	}
	dice.Shuffle(len(all), func(i, k int) { all[i], all[k] = all[k], all[i] })
	for len(all) < n { // of few calls some are looked at twice
		all = append(all, all[:min(len(all), n-len(all))]...)
	}
	return all, nil
}

// timed looks at each page, one view after the other.
func (h *house) timed(ctx context.Context, name string, pages []page, some []call) (all []timing, err error) {
	v, err := h.visit(ctx, name)
	if err != nil {
		return nil, err
	}
	defer v.process.Terminate(time.Minute)
	for _, p := range pages {
		t := timing{page: p}
		for n, c := range some[:warmth+h.views] {
			a, err := v.get(ctx, p.path(c))
			if err != nil {
				return nil, err
			}
			if n < warmth {
				continue
			}
			t.took, t.bytes = append(t.took, a.took), max(t.bytes, a.bytes)
			if a.status != http.StatusOK {
				t.failed++
			}
		}
		slices.Sort(t.took)
		all = append(all, t)
	}
	return all, nil
}

// explainAll looks at each page again while the server explains what it does.
func (h *house) explainAll(ctx context.Context, c *checker.Checker, name string, all []timing, some []call) error {
	if err := c.Explain(ctx, true); err != nil {
		return err
	}
	defer func() { _ = c.Explain(context.WithoutCancel(ctx), false) }()
	v, err := h.visit(ctx, name)
	if err != nil {
		return err
	}
	defer v.process.Terminate(time.Minute)
	for n := range all {
		info, err := os.Stat(h.Database.LogPath())
		if err != nil {
			return fmt.Errorf("find the server's log: %w", err)
		}
		for _, c := range some[:explained] {
			if _, err := v.get(ctx, all[n].path(c)); err != nil {
				return err
			}
		}
		all[n].explained = explained
		if all[n].plans, err = bed.ReadPlans(h.Database.LogPath(), info.Size()); err != nil {
			return err
		}
	}
	return nil
}

// visitor is somebody who is signed in to the pages of a process.
type visitor struct {
	process *bed.Process
	pages   string // their address
	session *http.Cookie
}

func (h *house) visit(ctx context.Context, name string) (v visitor, err error) {
	env := []string{"DATABASE_URL=" + h.Database.Direct(name)}
	if v.process, err = h.Serve(ctx, h.Binary, env, "--only", "web"); err != nil {
		return v, err
	}
	if v.pages, err = v.process.Pages(ctx); err == nil {
		v.session, err = h.SignIn(ctx, v.pages, env...)
	}
	if err != nil {
		v.process.Kill()
		return v, fmt.Errorf("visit the pages: %w", err)
	}
	return v, nil
}

// answer is what came of asking for a page.
type answer struct {
	took          time.Duration
	status, bytes int
}

// get asks for a page and reads all of it. That there is no such page is an error; that it takes too long for the server is
// what is to be found out.
func (v visitor) get(ctx context.Context, path string) (a answer, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, v.pages+path, nil)
	if err != nil {
		return a, fmt.Errorf("look at %s: %w", path, err)
	}
	r.AddCookie(v.session)
	began := time.Now()
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return a, fmt.Errorf("look at %s: %w", path, err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	a = answer{time.Since(began), res.StatusCode, len(body)}
	if err == nil && a.status != http.StatusOK && a.status < http.StatusInternalServerError {
		err = fmt.Errorf("status %d", a.status)
	}
	if err != nil {
		return a, fmt.Errorf("look at %s: %w", path, err)
	}
	return a, nil
}
