// Package postgres runs a private PostgreSQL server from the binaries installed on this machine: for the demo, for
// working on an account's folder, and for the tests. Production connects to a server of its own and never comes here.
//
// It owns finding the binaries, making the data folder, starting, stopping and cleaning up.
//
// It promises that a server listens on a Unix socket only, in a folder nobody but its user can enter; that it runs as an
// unprivileged user when we are root, because PostgreSQL refuses root; that it ends when the process that started it
// ends, however that happens, also by kill -9 (keeper.go says how); that a temporary server leaves nothing behind; and
// that a lasting one never runs without fsync, is never opened by two owners at once and never by another major version.
//
// It never downloads anything, never touches a server it did not start, and knows none of our tables. It runs where
// there are Unix sockets: Linux and macOS.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Errors that callers tell apart. Each is wrapped with what to do about it.
var (
	ErrNotInstalled = errors.New("PostgreSQL 14 or newer is not installed") // the text goes on with what to type
	ErrInUse        = errors.New("another process runs a server on this data folder")
	ErrVersion      = errors.New("the data folder belongs to another major version of PostgreSQL")
)

// superuser is the one role of a private server. Who may enter the socket's folder is that role.
const superuser = "aftercall"

// Options of a private server.
type Options struct {
	// Dir keeps the data over restarts; it is made if missing. Empty: a temporary server, removed when it stops.
	Dir string
	// Durable makes a temporary server as careful as a lasting one: fsync, full pages, autovacuum. For measurements.
	Durable bool
	// Settings are further settings of the server, as name=value, such as what a measurement wants logged.
	Settings []string
	// Logger hears of starting, stopping and trouble. Nil: nobody does.
	Logger *slog.Logger
}

// hasty says that what the server is given may be lost at any moment.
func (o Options) hasty() bool { return o.Dir == "" && !o.Durable }

// Server is a running private server.
type Server struct {
	socket string // folder of the Unix socket
	logs   string // file the server logs to
	log    *slog.Logger
	keeper *keeper
}

// Installed says which version Start would use for a new server, such as "17.2"; ErrNotInstalled if there is none.
func Installed(ctx context.Context) (version string, err error) {
	bin, err := find(ctx, os.Getenv("PATH"), usual(), 0)
	return bin.version, err
}

// Tool gives the path of a program that came with the server Start would use, such as pg_dump. It is beside the server
// itself; in PATH there may be only links to some of them.
func Tool(ctx context.Context, name string) (path string, err error) {
	bin, err := find(ctx, os.Getenv("PATH"), usual(), 0)
	if err != nil {
		return "", err
	}
	server, err := filepath.EvalSymlinks(bin.tool("postgres"))
	if err != nil {
		return "", fmt.Errorf("look for %s: %w", name, err)
	}
	path = filepath.Join(filepath.Dir(server), name)
	if !exists(path) {
		return "", fmt.Errorf("%s is not installed beside PostgreSQL %s", name, bin.version)
	}
	return path, nil
}

// Start starts a private server and returns when it accepts connections. ctx bounds the start only.
// The error wraps ErrNotInstalled, ErrInUse or ErrVersion where one of these is why.
func Start(ctx context.Context, o Options) (*Server, error) {
	began := time.Now()
	log := o.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	who, err := runAs(o.Dir)
	if err != nil {
		return nil, err
	}
	place, err := prepare(ctx, o, who)
	if err != nil {
		return nil, err
	}
	s := &Server{socket: place.scratch, logs: place.logs, log: log}
	if s.keeper, err = keep(place, who, settings(place, o)); err != nil {
		place.abandon()
		return nil, fmt.Errorf("start the private PostgreSQL: %w", err)
	}
	if err := s.await(ctx); err != nil {
		s.Stop()
		return nil, err
	}
	log.Debug("private PostgreSQL runs", "version", place.bin.version, "data", place.data, "took", time.Since(began).Round(time.Millisecond))
	return s, nil
}

// URL gives the connection string of a database on this server.
func (s *Server) URL(db string) string {
	u := url.URL{Scheme: "postgres", User: url.User(superuser), Path: "/" + db}
	u.RawQuery = url.Values{"host": {s.socket}}.Encode()
	return u.String()
}

// CreateDatabase makes sure that a database exists.
func (s *Server) CreateDatabase(ctx context.Context, name string) error {
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return fmt.Errorf("create database %s: %w", name, err)
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
	var known *pgconn.PgError
	if errors.As(err, &known) && known.Code == pgerrcode.DuplicateDatabase {
		return nil
	}
	if err != nil {
		return fmt.Errorf("create database %s: %w", name, err)
	}
	return nil
}

// Done is closed when the server has ended, for whatever reason.
func (s *Server) Done() <-chan struct{} { return s.keeper.ended }

// Stop ends the server: its clients are cut off, a lasting one writes everything down, a temporary one is removed.
// It may be called more than once.
func (s *Server) Stop() {
	if err := s.keeper.stop(); err != nil {
		s.log.Error("stop the private PostgreSQL", "error", err)
	}
}

// await returns when the server answers, has ended or ctx is over.
func (s *Server) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := pgx.Connect(ctx, s.URL("postgres"))
		if err == nil {
			_ = conn.Close(ctx)
			return nil
		}
		select {
		case <-tick.C:
		case <-s.keeper.ended:
			return fmt.Errorf("the private PostgreSQL ended at once: %s", lastLines(s.logs))
		case <-ctx.Done():
			return fmt.Errorf("the private PostgreSQL does not answer: %w: %s", ctx.Err(), lastLines(s.logs))
		}
	}
}

// settings are the server's settings, given on its command line so that a lasting data folder never carries old ones.
func settings(p *place, o Options) []string {
	set := []string{
		"listen_addresses=", "unix_socket_directories=" + p.scratch, "unix_socket_permissions=0700",
		"max_connections=200", "shared_buffers=128MB", "max_wal_size=2GB", "jit=off",
		"timezone=UTC", "log_timezone=UTC",
		// A log may be read by more people than the data: no statements, no values of rows.
		"log_min_error_statement=panic", "log_error_verbosity=terse",
		// River's notices and the caches' LISTEN need no replication.
		"wal_level=minimal", "max_wal_senders=0",
	}
	if o.hasty() {
		// What is thrown away needs no care, and hundreds of short-lived databases would keep autovacuum busy for nothing.
		set = append(set, "fsync=off", "full_page_writes=off", "autovacuum=off", "checkpoint_timeout=1h",
			"max_wal_size=512MB") // it may be held in memory
	}
	set = append(set, o.Settings...)
	args := []string{"-D", p.data}
	for _, s := range set {
		args = append(args, "-c", s)
	}
	return args
}

// lastLines gives the end of the server's log: why it would not start.
func lastLines(path string) string {
	raw, err := os.ReadFile(path)
	if err != nil {
		return "no log in " + filepath.Base(path)
	}
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	return strings.Join(lines[max(0, len(lines)-3):], " | ")
}
