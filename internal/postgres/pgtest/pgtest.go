// Package pgtest gives every test a PostgreSQL database of its own.
//
// It owns the template: a database migrated once per server, from which each test's database is cloned, which takes a
// fraction of the time of migrating. The server is the one in AFTERCALL_TEST_DATABASE_URL (a database whose role may
// create others; the command withpg sets it for a whole `go test ./...`), else a private one that is started when a test
// process first asks and ends with that process.
//
// It promises that a test never sees another's rows, that test processes may run side by side on one server, and that a
// template made from other migrations than this tree's is never used. It is imported by tests only.
package pgtest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"aftercall/internal/postgres"
	"aftercall/migrations"
)

// Variable names the environment variable with the server that tests share.
const Variable = "AFTERCALL_TEST_DATABASE_URL"

// patience bounds every statement of ours; making a template under the race detector takes a second or two.
const patience = time.Minute

// lockKey is the advisory lock under which one process makes the template while the others wait.
const lockKey = 0x7067746573740a

// What a test process finds out once: its server, how that copies fastest, and the template on it. Nothing stops the
// server: it ends with the process.
var (
	server   = sync.OnceValues(findServer)
	strategy = sync.OnceValue(findStrategy)
	template = sync.OnceValues(findTemplate)
)

// New returns the URL of a fresh, migrated database, dropped when the test ends.
func New(t testing.TB) string {
	t.Helper()
	from, err := template()
	if err != nil {
		t.Fatalf("prepare the template database: %v", err)
	}
	return create(t, from)
}

// Empty returns the URL of a fresh database without any of our tables, dropped when the test ends.
func Empty(t testing.TB) string {
	t.Helper()
	return create(t, "template0")
}

// create clones a database and drops it at the end of the test.
func create(t testing.TB, from string) string {
	t.Helper()
	name := "test_" + strings.ToLower(rand.Text())
	if err := exec("CREATE DATABASE " + name + " TEMPLATE " + from + strategy()); err != nil {
		t.Fatalf("clone a test database: %v", err)
	}
	t.Cleanup(func() {
		if err := exec("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)"); err != nil {
			t.Errorf("drop the test database: %v", err)
		}
	})
	u, err := database(name)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// findServer returns the URL of the server's own database.
func findServer() (string, error) {
	if u := os.Getenv(Variable); u != "" {
		return u, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s, err := postgres.Start(ctx, postgres.Options{})
	if err != nil {
		return "", fmt.Errorf("start a private server: %w", err)
	}
	return s.URL("postgres"), nil
}

// findStrategy gives the clause that copies the template's files instead of logging every page of them: 20 ms instead
// of 60. Before version 15 that is the only way, and there is no clause.
func findStrategy() string {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := connect(ctx)
	if err != nil {
		return "" // the statement that follows meets the same trouble, and says so
	}
	defer func() { _ = conn.Close(ctx) }()
	var version int
	if err := conn.QueryRow(ctx, "SELECT current_setting('server_version_num')::int").Scan(&version); err != nil || version < 150000 {
		return ""
	}
	return " STRATEGY FILE_COPY"
}

// database gives the URL of another database on the server.
func database(name string) (string, error) {
	raw, err := server()
	if err != nil {
		return "", err
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme == "" {
		return "", errors.New(Variable + " must be a URL such as postgres://user@host/postgres")
	}
	u.Path = "/" + name
	return u.String(), nil
}

// connect opens a connection to the server's own database.
func connect(ctx context.Context) (*pgx.Conn, error) {
	u, err := server()
	if err != nil {
		return nil, err
	}
	return pgx.Connect(ctx, u)
}

// exec runs statements on a connection of their own; the one after a failed one is not run.
func exec(statements ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := connect(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	for _, s := range statements {
		if _, err := conn.Exec(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// findTemplate returns the name of the template, after making it if this process is the first to need it.
func findTemplate() (string, error) {
	digest, err := digest()
	if err != nil {
		return "", err
	}
	name := "template_" + digest
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := connect(ctx)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close(ctx) }() // which also lets go of the lock
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", int64(lockKey)); err != nil {
		return "", fmt.Errorf("wait for the template's lock: %w", err)
	}
	var ready bool
	if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&ready); err != nil {
		return "", fmt.Errorf("look for the template: %w", err)
	}
	if ready {
		return name, nil
	}
	return name, makeTemplate(ctx, name)
}

// makeTemplate migrates a database and gives it its name last, so that a template that exists is whole. Nobody may
// connect to it any more: a clone fails while somebody is.
func makeTemplate(ctx context.Context, name string) error {
	unfinished := name + "_unfinished"
	if err := exec("DROP DATABASE IF EXISTS "+unfinished+" WITH (FORCE)", "CREATE DATABASE "+unfinished+" TEMPLATE template0"); err != nil {
		return fmt.Errorf("make the template: %w", err)
	}
	u, err := database(unfinished)
	if err != nil {
		return err
	}
	if err := migrations.Up(ctx, u); err != nil {
		return err
	}
	if err := exec("ALTER DATABASE "+unfinished+" ALLOW_CONNECTIONS false", "ALTER DATABASE "+unfinished+" RENAME TO "+name); err != nil {
		return fmt.Errorf("finish the template: %w", err)
	}
	return nil
}

// digest is a fingerprint of the migrations: ours, as they are in this tree, and the module versions, for the queue's.
func digest() (string, error) {
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	files, err := fs.Glob(os.DirFS(root), "migrations/*")
	if err != nil {
		return "", fmt.Errorf("list the migrations: %w", err)
	}
	for _, name := range append(files, "go.mod") {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		raw, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return "", fmt.Errorf("read the migrations: %w", err)
		}
		fmt.Fprintf(sum, "%s %d\n%s", name, len(raw), raw)
	}
	return hex.EncodeToString(sum.Sum(nil))[:16], nil
}

// moduleRoot finds the tree from the folder a test runs in, which is its package's.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("find the module: no go.mod above the test's folder")
		}
		dir = filepath.Dir(dir)
	}
}
