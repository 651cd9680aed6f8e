package migrations_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"aftercall/internal/postgres/pgtest"
	"aftercall/migrations"
)

// grow are the tables that calls fill and that were there before step 10.
const grow = `conversations|events|event_conflicts|interviews|decisions|variable_values|deliveries|attempts|tasks|alerts|captured`

// TestNobodyWaitsForAnIndex: a table that was there before the step, and may have millions of rows, is written to meanwhile.
// The steps up to 9 were taken when there were none.
func TestNobodyWaitsForAnIndex(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.sql")
	if err != nil {
		t.Fatal(err)
	}
	index := regexp.MustCompile(`(?m)^\s*CREATE (?:UNIQUE )?INDEX (CONCURRENTLY )?(?:IF NOT EXISTS )?(\w+) ON (\w+)`)
	checked := regexp.MustCompile(`(?is)ALTER TABLE (?:` + grow + `)\b[^;]*\bCHECK\b[^;]*`)
	built := 0
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		up, _, _ := strings.Cut(string(raw), "-- +goose Down")
		if name < "00010" {
			continue
		}
		for _, m := range index.FindAllStringSubmatch(up, -1) {
			fresh := strings.Contains(up, "CREATE TABLE "+m[3]+" (")
			if fresh == (m[1] != "") {
				t.Errorf("%s: %s on %s: concurrently %v, on a table of the same step %v", name, m[2], m[3], m[1] != "", fresh)
			}
			built++
		}
		for _, c := range checked.FindAllString(up, -1) {
			if !strings.Contains(c, "NOT VALID") {
				t.Errorf("%s looks at every row, and nobody may write to the table meanwhile: %s", name, c)
			}
		}
	}
	if built < 20 {
		t.Errorf("%d indexes found", built)
	}
}

// withoutIndexes is a database to which the step that builds indexes is still to come.
func withoutIndexes(t *testing.T) (url string) {
	t.Helper()
	url = pgtest.Empty(t)
	if err := migrations.Up(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	all := steps()
	for n := len(all) - 1; all[n] >= 20; n-- {
		if err := migrations.DownOne(t.Context(), url); err != nil {
			t.Fatal(err)
		}
	}
	return url
}

// write is one more event.
const write = `INSERT INTO events (id, account_id, source, identity, type, content_type, body, digest, received_at)
	VALUES (gen_random_uuid(), 'a', 's', gen_random_uuid()::text, '', '', '', '', now())`

// TestAnIndexIsBuiltBesideTheWork: the step waits for a transaction that has written to a table, and others write on.
func TestAnIndexIsBuiltBesideTheWork(t *testing.T) {
	t.Parallel()
	url := withoutIndexes(t)
	open, err := connect(t, url).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := open.Exec(t.Context(), write); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- migrations.Up(context.WithoutCancel(t.Context()), url) }()
	other := connect(t, url)
	if _, err := other.Exec(t.Context(), "SET lock_timeout = '5s'"); err != nil {
		t.Fatal(err)
	}
	for waits := false; !waits; {
		select {
		case err := <-done:
			t.Fatalf("it has not waited: %v", err)
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		case <-time.After(10 * time.Millisecond):
		}
		err := other.QueryRow(t.Context(), `SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database()
			AND query LIKE '%CREATE INDEX CONCURRENTLY%' AND wait_event_type = 'Lock')`).Scan(&waits)
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := other.Exec(t.Context(), write); err != nil {
		t.Errorf("somebody else cannot write: %v", err)
	}
	if err := open.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestABrokenOffIndexIsBuiltAnew.
func TestABrokenOffIndexIsBuiltAnew(t *testing.T) {
	t.Parallel()
	url := withoutIndexes(t)
	c, ctx := connect(t, url), t.Context()
	for range 2 {
		if _, err := c.Exec(ctx, write); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Exec(ctx, "CREATE UNIQUE INDEX CONCURRENTLY events_alone ON events (account_id)"); err == nil {
		t.Fatal("two of one are unique")
	}
	if err := migrations.Up(ctx, url); err != nil {
		t.Fatal(err)
	}
	var broken int
	var alone string
	err := c.QueryRow(ctx, `SELECT (SELECT count(*) FROM pg_index WHERE NOT indisvalid), pg_get_indexdef('events_alone'::regclass)`).Scan(&broken, &alone)
	if err != nil || broken != 0 || !strings.Contains(alone, "(account_id, id) WHERE") {
		t.Errorf("%d indexes are good for nothing, one is %s, %v", broken, alone, err)
	}
}
