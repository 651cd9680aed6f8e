package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"aftercall/automation"
	"aftercall/internal/store"
)

// serve runs the product until a signal stops it.
func serve(ctx context.Context, c *console, args []string) error {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	only := flags.String("only", "", "web or worker")
	if err := flags.Parse(args); err != nil || flags.NArg() > 0 {
		return wrong("serve takes only --only web or --only worker")
	}
	r := role{web: *only != "worker", work: *only != "web"}
	if !r.web && !r.work || *only != "" && *only != "web" && *only != "worker" {
		return wrong("--only is web or worker, not %q", *only)
	}
	s, err := databaseSettings(c)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(c.err, nil))
	s.print(log, c.getenv)
	a, err := assemble(ctx, assembly{settings: s, role: r, getenv: c.getenv, log: log})
	if err != nil {
		return err
	}
	if s.Config != "" {
		// A folder with errors must not keep calls from being taken: the last good revision stays active.
		if err := activate(ctx, a.db, log, s.Config); err != nil {
			log.Error("the config folder was not activated; what was active stays", "error", err)
		}
	}
	if err := a.start(ctx); err != nil {
		return errors.Join(err, a.stop())
	}
	err = a.wait(ctx, s.Config)
	return errors.Join(err, a.stop())
}

// wait serves until ctx ends or a listener fails; SIGHUP reads the config folder again.
func (a *app) wait(ctx context.Context, dir string) error {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	for {
		select {
		case <-ctx.Done():
			a.log.Info("stopping")
			return nil
		case err := <-a.failed:
			return err
		case <-hup:
			if dir == "" {
				continue
			}
			if err := activate(ctx, a.db, a.log, dir); err != nil {
				a.log.Error("the config folder was not activated; what was active stays", "error", err)
			}
		}
	}
}

// activate checks every account's folder under dir and makes the good ones active. An account whose folder has an error
// keeps the revision it has; all problems are reported.
func activate(ctx context.Context, db *store.Store, log *slog.Logger, dir string) error {
	folders, err := automation.Read(dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, f := range folders {
		if err := activateOne(ctx, db, log, f); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func activateOne(ctx context.Context, db *store.Store, log *slog.Logger, f automation.Folder) error {
	rev, problems := automation.Compile(f.Files)
	for _, p := range problems {
		log.Warn("config", "folder", f.Path, "problem", p.String())
	}
	if rev == nil {
		return fmt.Errorf("%s has errors; run aftercall check %s", f.Path, f.Path)
	}
	id, err := db.SaveRevision(ctx, store.RevisionFiles{
		AccountID: rev.AccountID, Digest: rev.Digest, Format: automation.Format, Files: f.Files,
	}, "folder "+f.Path)
	if err != nil {
		return fmt.Errorf("store the revision of %s: %w", f.Path, err)
	}
	var sources []string
	for _, s := range rev.Sources {
		sources = append(sources, s.ID)
	}
	changed, err := db.Activate(ctx, rev.AccountID, id, "folder "+f.Path, sources)
	if err != nil {
		return fmt.Errorf("activate %s: %w", f.Path, err)
	}
	log.Info("config", "account", rev.AccountID, "revision_id", id, "digest", rev.Digest[:12], "changed", changed)
	return nil
}

// databaseSettings reads the settings and insists on a database.
func databaseSettings(c *console) (settings, error) {
	s, err := readSettings(c.getenv)
	if err != nil {
		return s, fmt.Errorf("the settings are not right:\n%w", err)
	}
	if s.DatabaseURL == "" {
		return s, errors.New("DATABASE_URL is not set: want postgres://user:password@host:port/database (`aftercall demo` brings its own)")
	}
	return s, nil
}

// openStore opens the database for a verb that only reads or writes a row.
func openStore(ctx context.Context, c *console) (*store.Store, error) {
	s, err := databaseSettings(c)
	if err != nil {
		return nil, err
	}
	return store.Open(ctx, string(s.DatabaseURL), store.Options{Pool: 2, Ingest: -1})
}
