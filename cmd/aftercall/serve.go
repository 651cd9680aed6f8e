package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"aftercall/automation"
	"aftercall/internal/store"
)

// serve runs the product, or the part of it that --only names.
func serve(flags *flag.FlagSet) action {
	only := flags.String("only", "", "the one `part` this process runs: web (webhooks, API, pages) or\nworker (decisions and deliveries)")
	return func(ctx context.Context, c *console, args []string) error {
		switch {
		case len(args) > 0:
			return wrong("serve takes only --only web or --only worker")
		case *only != "" && *only != "web" && *only != "worker":
			return wrong("--only is web or worker, not %q", *only)
		}
		return runRole(ctx, c, role{web: *only != "worker", work: *only != "web"})
	}
}

// runRole runs until a signal stops it.
func runRole(ctx context.Context, c *console, r role) error {
	s, err := checkedSettings(c, needs{database: true, model: r.work})
	if err != nil {
		return err
	}
	tuneMemory(ctx, c.getenv)
	log := slog.New(slog.NewJSONHandler(c.err, nil))
	s.print(log, c.getenv)
	a, err := assemble(ctx, assembly{settings: s, role: r, getenv: c.getenv, log: log})
	if err != nil {
		return err
	}
	a.configure(ctx, s.Config)
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
			a.configure(ctx, dir)
		}
	}
}

// configure activates the folder, if there is one, and says which secrets of the active sources are not set. A folder
// with errors must not keep calls from being taken: the last good revision stays active.
func (a *app) configure(ctx context.Context, dir string) {
	if dir != "" {
		if err := activate(ctx, a.db, a.log, dir); err != nil {
			a.log.Error("the config folder was not activated; what was active stays", "error", err)
		}
	}
	if err := a.missSecrets(ctx); err != nil {
		a.log.Error("look for secrets that are not set", "error", err)
	}
}

// missSecrets warns of every secret that an active source names and the environment does not hold: a platform that posts
// there gets 503. A process without webhooks needs none.
func (a *app) missSecrets(ctx context.Context) error {
	if a.intake == nil {
		return nil
	}
	active, err := a.db.ActiveRevisions(ctx)
	if err != nil {
		return err
	}
	for _, at := range active {
		rev, err := a.revisions.ByID(ctx, at.RevisionID)
		if err != nil {
			return err
		}
		for _, s := range rev.Sources {
			for _, ref := range s.Secrets {
				if name := envName(ref); a.getenv(name) == "" {
					a.log.Warn("the secret of a source is not set", "account", at.AccountID, "source", s.ID, "name", name)
				}
			}
		}
	}
	return nil
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
		AccountID: rev.AccountID, Digest: rev.Digest, Format: rev.Format, Files: f.Files,
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

// openStore opens the database for a verb that only reads or writes a row.
func openStore(ctx context.Context, c *console) (*store.Store, error) {
	s, err := checkedSettings(c, needs{database: true})
	if err != nil {
		return nil, err
	}
	return store.Open(ctx, string(s.DatabaseURL), store.Options{Pool: 2, Ingest: -1})
}
