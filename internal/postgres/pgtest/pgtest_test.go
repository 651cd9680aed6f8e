package pgtest_test

import (
	"context"
	"net/url"
	"testing"

	"github.com/jackc/pgx/v5"

	"aftercall/internal/postgres/pgtest"
	"aftercall/migrations"
)

func TestEachTestHasItsOwnMigratedDatabase(t *testing.T) {
	t.Parallel()
	first, second := connect(t, pgtest.New(t)), connect(t, pgtest.New(t))
	if err := migrations.Ready(t.Context(), first); err != nil {
		t.Errorf("the database is not migrated: %v", err)
	}
	if _, err := first.Exec(t.Context(), "CREATE TABLE only_here ()"); err != nil {
		t.Fatal(err)
	}
	if exists(t, second, "SELECT to_regclass('only_here') IS NOT NULL") {
		t.Error("a table made in one database is in another")
	}
}

func TestEmptyHasNoTables(t *testing.T) {
	t.Parallel()
	conn := connect(t, pgtest.Empty(t))
	if exists(t, conn, "SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'public')") {
		t.Error("the empty database has tables")
	}
}

func TestDatabaseIsDroppedWithOpenConnections(t *testing.T) {
	t.Parallel()
	var name string
	t.Run("inner", func(t *testing.T) {
		u, err := url.Parse(pgtest.Empty(t))
		if err != nil {
			t.Fatal(err)
		}
		name = u.Path[1:]
		if _, err := pgx.Connect(t.Context(), u.String()); err != nil { // and never closed
			t.Fatal(err)
		}
	})
	outer := connect(t, pgtest.Empty(t))
	if exists(t, outer, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name) {
		t.Errorf("database %s outlived its test", name)
	}
}

func connect(t *testing.T, u string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), u)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func exists(t *testing.T, conn *pgx.Conn, query string, args ...any) (yes bool) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), query, args...).Scan(&yes); err != nil {
		t.Fatal(err)
	}
	return yes
}

// BenchmarkNew is what every test with a database pays: cloning it and dropping it.
func BenchmarkNew(b *testing.B) {
	pgtest.Empty(b) // the server's start is not measured
	for b.Loop() {
		pgtest.New(b)
	}
}
