// Package migrations is the database's schema as numbered steps, each of which goes up and comes down again.
//
// It owns the .sql files beside it (embedded, run by goose), runs River's own migrations together with them, and says what
// the pages' role may read. It promises that two processes which migrate at once do not meet, that a step is taken whole or
// not at all (one that builds indexes keeps those it has built), that nobody waits while an index is built on a table that calls
// fill, and that a database newer than this binary is accepted: during a roll-out both versions work on it. It never touches
// rows for any other reason.
package migrations

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib" // the database/sql driver goose speaks through
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

//go:embed *.sql
var files embed.FS

// lockKey is the advisory lock held while migrating; any number will do, as long as it is always the same.
const lockKey = 0x6166746572 // "after"

// lockTime is how long a step waits for a table. Whoever wants the table after it waits as well, webhooks among them, so
// behind a backup or a transaction that somebody left open it gives up.
const lockTime = "3s"

// lockPause is how long whoever waits for another migration does so before it asks again.
const lockPause = 100 * time.Millisecond

// ErrBusy is returned for a step that could not have a table to itself. It has changed nothing; one of indexes has perhaps
// built some of them, and goes on from there.
var ErrBusy = errors.New("a table is in use, by a backup or an open transaction; the schema is as it was: run aftercall migrate again when that is over")

// Version is one step of the schema.
type Version struct {
	Number    int64
	Name      string
	Applied   bool
	AppliedAt time.Time // zero unless applied
}

// Up takes every step that is missing: ours, then River's. Then it lets the pages read.
func Up(ctx context.Context, databaseURL string) error {
	return locked(ctx, databaseURL, func(p *goose.Provider) error {
		if _, err := p.Up(ctx); err != nil {
			return fmt.Errorf("migrate up: %w", busy(err))
		}
		if err := riverUp(ctx, databaseURL); err != nil {
			return err
		}
		return letPagesRead(ctx, databaseURL)
	})
}

// DownOne takes the newest of our steps back. It is an error if none is left. River's tables stay.
func DownOne(ctx context.Context, databaseURL string) error {
	return locked(ctx, databaseURL, func(p *goose.Provider) error {
		if _, err := p.Down(ctx); err != nil {
			return fmt.Errorf("migrate down one: %w", busy(err))
		}
		return nil
	})
}

// Status lists our steps in order and says which the database has taken.
func Status(ctx context.Context, databaseURL string) ([]Version, error) {
	var versions []Version
	err := withProvider(databaseURL, func(p *goose.Provider) error {
		steps, err := p.Status(ctx)
		if err != nil {
			return fmt.Errorf("migration status: %w", err)
		}
		for _, s := range steps {
			versions = append(versions, Version{
				Number: s.Source.Version, Name: s.Source.Path,
				Applied: s.State == goose.StateApplied, AppliedAt: s.AppliedAt,
			})
		}
		return nil
	})
	return versions, err
}

// Querier is what Ready asks: a pool, a connection or a transaction.
type Querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Ready reports an error unless the database has taken every step this binary knows. A newer database is ready.
func Ready(ctx context.Context, q Querier) error {
	want, err := newest()
	if err != nil {
		return err
	}
	var exists bool
	if err := q.QueryRow(ctx, `SELECT to_regclass('goose_db_version') IS NOT NULL
		AND to_regclass('river_migration') IS NOT NULL`).Scan(&exists); err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	if !exists {
		return fmt.Errorf("the database has no schema yet: run aftercall migrate")
	}
	var have, haveRiver int64
	if err := q.QueryRow(ctx, `SELECT (SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied),
		(SELECT coalesce(max(version), 0) FROM river_migration WHERE line = 'main')`).Scan(&have, &haveRiver); err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	wantRiver, err := newestRiver()
	if err != nil {
		return err
	}
	if have < want || haveRiver < wantRiver {
		return fmt.Errorf("the schema is at version %d (queue %d), this binary needs %d (queue %d): run aftercall migrate",
			have, haveRiver, want, wantRiver)
	}
	return nil
}

func newest() (int64, error) {
	entries, err := files.ReadDir(".")
	if err != nil {
		return 0, fmt.Errorf("read embedded migrations: %w", err)
	}
	var highest int64
	for _, e := range entries {
		n, err := goose.NumericComponent(e.Name())
		if err != nil {
			return 0, fmt.Errorf("migration %s: %w", e.Name(), err)
		}
		highest = max(highest, n)
	}
	return highest, nil
}

func newestRiver() (int64, error) {
	m, err := rivermigrate.New(riverpgxv5.New(nil), nil)
	if err != nil {
		return 0, fmt.Errorf("read the queue's migrations: %w", err)
	}
	all := m.AllVersions()
	return int64(all[len(all)-1].Version), nil
}

// locked holds an advisory lock on a connection of its own, because goose and River each use theirs. Whoever has to wait asks
// again and again: an index that is built beside the work waits for every statement that is under way, and would wait for one
// that waits for the lock.
func locked(ctx context.Context, databaseURL string, migrate func(*goose.Provider) error) (err error) {
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return fmt.Errorf("connect to migrate: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // closing it gives the lock back
	for {
		var mine bool
		if err := conn.QueryRow(ctx, `SELECT pg_try_advisory_lock($1)`, int64(lockKey)).Scan(&mine); err != nil {
			return fmt.Errorf("wait for another migration: %w", err)
		}
		if mine {
			return withProvider(databaseURL, migrate)
		}
		select {
		case <-time.After(lockPause):
		case <-ctx.Done():
			return fmt.Errorf("wait for another migration: %w", context.Cause(ctx))
		}
	}
}

func withProvider(databaseURL string, use func(*goose.Provider) error) error {
	c, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		return fmt.Errorf("connect to migrate: %w", err)
	}
	c.RuntimeParams["lock_timeout"] = lockTime
	database := stdlib.OpenDB(*c)
	defer func() { _ = database.Close() }()
	p, err := goose.NewProvider(goose.DialectPostgres, database, files)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	return use(p)
}

// busy says so if a step waited for a table for too long.
func busy(err error) error {
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == "55P03" { // lock_not_available
		return fmt.Errorf("%w (%w)", ErrBusy, err)
	}
	return err
}

func riverUp(ctx context.Context, databaseURL string) error {
	pool, err := pgxpool.New(ctx, databaseURL)
	if err != nil {
		return fmt.Errorf("connect to migrate the queue: %w", err)
	}
	defer pool.Close()
	m, err := rivermigrate.New(riverpgxv5.New(pool), nil)
	if err != nil {
		return fmt.Errorf("read the queue's migrations: %w", err)
	}
	if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("migrate the queue: %w", err)
	}
	return nil
}
