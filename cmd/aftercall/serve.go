package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"aftercall/automation"
	"aftercall/internal/signals"
	"aftercall/internal/store"
)

// serve runs the product, or the part of it that --only names.
func serve(flags *flag.FlagSet) action {
	only := flags.String("only", "", "the one `part` this process runs: web (webhooks, API, pages) or\nworker (decisions and deliveries)")
	config := flags.String("config", "", "watch this `DIR` of automations (default AFTERCALL_CONFIG)")
	return func(ctx context.Context, c *console, args []string) error {
		switch {
		case len(args) > 0:
			return wrong("serve takes only --only web or --only worker, and --config DIR")
		case *only != "" && *only != "web" && *only != "worker":
			return wrong("--only is web or worker, not %q", *only)
		}
		if *config != "" {
			if err := isFolder(*config); err != nil {
				return fmt.Errorf("--config: %w", err)
			}
		}
		return runRole(ctx, c, role{web: *only != "worker", work: *only != "web"}, *config)
	}
}

// runRole runs until a signal stops it.
func runRole(ctx context.Context, c *console, r role, config string) error {
	s, err := checkedSettings(c, needs{database: true, model: r.work})
	if err != nil {
		return err
	}
	if config != "" {
		s.Config = config
	}
	tuneMemory(ctx, c.getenv)
	log := slog.New(signals.Traced(slog.NewJSONHandler(c.err, nil)))
	s.print(log, c.getenv)
	a, err := assemble(ctx, assembly{settings: s, role: r, getenv: c.getenv, environ: c.getenv, log: log})
	if err != nil {
		return err
	}
	w := a.configure(ctx, s.Config)
	defer w.close()
	if err := a.start(ctx); err != nil {
		return errors.Join(err, a.stop())
	}
	err = a.wait(ctx, w)
	return errors.Join(err, a.stop())
}

// wait serves until ctx ends or a listener fails, and watches the config folder meanwhile; SIGHUP reads it again.
func (a *app) wait(ctx context.Context, w *watcher) error {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	watching, stop := context.WithCancel(ctx)
	var follower sync.WaitGroup
	follower.Go(func() { w.follow(watching) })
	defer func() {
		stop()
		follower.Wait()
	}()
	for {
		select {
		case <-ctx.Done():
			a.log.Info("stopping")
			return nil
		case err := <-a.failed:
			return err
		case <-hup:
			if w == nil {
				a.sayMissingSecrets(ctx)
			}
			w.reread()
		}
	}
}

// configure activates the folder, if there is one, and says which secrets of the active sources are not set. A folder
// with errors must not keep calls from being taken: the last good revision stays active. The watcher, nil without a
// folder, goes on from there.
func (a *app) configure(ctx context.Context, dir string) *watcher {
	if dir == "" {
		a.sayMissingSecrets(ctx)
		return nil
	}
	w := newWatcher(a.db, a.log, dir)
	w.took = a.sayMissingSecrets
	w.look(ctx, true)
	return w
}

func (a *app) sayMissingSecrets(ctx context.Context) {
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

// activate checks every account's folder under dir and makes the good ones active, once and by no door in particular. An
// account whose folder has an error keeps the revision it has; all problems are reported.
func activate(ctx context.Context, db *store.Store, log *slog.Logger, dir string) error {
	folders, err := automation.Read(dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, f := range folders {
		rev, _ := checkFolder(log, f)
		if rev == nil {
			errs = append(errs, invalid(f))
			continue
		}
		_, err := applyRevision(ctx, db, log, f, rev, "")
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// openStore opens the database for a verb that only reads or writes a row.
func openStore(ctx context.Context, c *console) (*store.Store, error) {
	s, err := checkedSettings(c, needs{database: true})
	if err != nil {
		return nil, err
	}
	return store.Open(ctx, string(s.DatabaseURL), store.Options{Pool: 2, Ingest: -1})
}
