package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"aftercall/automation"
)

// dev runs the whole product on an author's folder: webhooks, worker, pages with the workbench, and the capture sink, in one
// process on loopback addresses. Each save is checked; what is right becomes active, and open pages load again.
func dev(flags *flag.FlagSet) action {
	config := flags.String("config", ".", "the account's `folder`, or one that holds several")
	model := flags.String("model", "", "ask this `model`, with OPENAI_API_KEY and OPENAI_BASE_URL; without it the simulated model answers")
	return func(ctx context.Context, c *console, args []string) error {
		if len(args) > 0 {
			return wrong("dev takes only --config DIR and --model NAME")
		}
		if err := isFolder(*config); err != nil {
			return fmt.Errorf("--config: %w", err)
		}
		s, err := devSettings(c, *model)
		if err != nil {
			return err
		}
		tuneMemory(ctx, c.getenv)
		log := slog.New(devLog{slog.NewTextHandler(c.err, &slog.HandlerOptions{Level: slog.LevelWarn}), c.out})
		d := &development{premises: newPremises(c, log), dir: *config}
		d.lent = c.getenv // so that a real platform can post here; no setting of the process can be named (AC109)
		defer d.close()
		return d.run(ctx, s)
	}
}

// devSettings are those of the model that is named, or none for the simulated one.
func devSettings(c *console, model string) (settings, error) {
	if model == "" || model == "simulated" {
		return settings{}, nil
	}
	s, err := checkedSettings(c, needs{model: true})
	s.Model = model
	return s, err
}

// development is a folder with the product around it.
type development struct {
	*premises
	dir string
}

// saved is how long a folder must be quiet before it is read: editors write in several steps.
const saved = 150 * time.Millisecond

func (d *development) run(ctx context.Context, s settings) error {
	model := "the SIMULATED model (plain lexical rules, no language model)"
	if s.Model != "" {
		model = "the model " + s.Model
	}
	fmt.Fprintf(d.out, "Aftercall dev: %s, private Postgres, %s, capture sink. No message leaves this machine.\n", d.dir, model)
	if err := d.open(ctx, s, true); err != nil {
		return err
	}
	w := newWatcher(d.app.db, d.log, d.dir)
	defer w.close()
	w.settle = saved
	w.took = d.took
	w.look(ctx, true)
	if err := d.app.start(ctx); err != nil {
		return err
	}
	d.invite()
	return d.app.wait(ctx, w)
}

// took tells open pages of what became active, once the pages know it themselves.
func (d *development) took(ctx context.Context) {
	if err := d.app.revisions.Refresh(ctx); err != nil {
		if !errors.Is(err, context.Canceled) {
			d.log.Error("read what is active", "error", err)
		}
		return
	}
	d.app.pages.Changed()
}

// invite says where everything is.
func (d *development) invite() {
	pages, hooks := d.app.address("pages"), d.app.address("webhooks")
	fmt.Fprintf(d.out, "\nWorkbench %s/workbench\nPages     %s\nWebhooks  %s\n", pages, pages, hooks)
	folders, err := automation.Read(d.dir)
	if err != nil {
		folders = nil // said already
	}
	for _, f := range folders {
		rev, ok := d.app.revisions.Active(automation.AccountOf(f.Files))
		if !ok {
			continue
		}
		i := slices.IndexFunc(rev.Sources, func(s automation.Source) bool { return s.Type == "native" && len(s.Secrets) > 0 })
		if i < 0 {
			continue
		}
		s := rev.Sources[i]
		fmt.Fprintf(d.out, "\nPost a call to %s from a second terminal:\n\n  AFTERCALL_SECRET=%s aftercall send --url %s --source %s CALL.json\n",
			rev.AccountID, d.shown(envName(s.Secrets[0])), hooks, s.ID)
	}
	fmt.Fprint(d.out, "\nSave a file and it is checked. Stop with Ctrl-C.\n")
}

// shown is a secret as a shell takes it. One that was lent is somebody's own, and is not printed.
func (d *development) shown(name string) string {
	if d.lent(name) != "" {
		return `"$` + name + `"`
	}
	return "'" + d.secret(name) + "'"
}

// devLog prints what the check finds as `aftercall check` does, and of everything else what needs a look.
type devLog struct {
	slog.Handler
	out io.Writer
}

// Enabled lets the watcher's word through that a config became active.
func (l devLog) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

// Handle writes one record.
func (l devLog) Handle(ctx context.Context, r slog.Record) error {
	if r.Message != "config" {
		if !l.Handler.Enabled(ctx, r.Level) {
			return nil
		}
		return l.Handler.Handle(ctx, r)
	}
	said := map[string]string{}
	r.Attrs(func(a slog.Attr) bool {
		said[a.Key] = a.Value.String()
		return true
	})
	if said["problem"] != "" {
		_, err := fmt.Fprintf(l.out, "%s/%s\n", said["folder"], said["problem"])
		return err
	}
	now := "is active"
	if said["changed"] != "true" {
		now = "is as it was and stays active"
	}
	_, err := fmt.Fprintf(l.out, "%s %s: %s\n", said["account"], now, said["digest"])
	return err
}

// WithAttrs keeps the way of writing.
func (l devLog) WithAttrs(as []slog.Attr) slog.Handler { return devLog{l.Handler.WithAttrs(as), l.out} }

// WithGroup keeps the way of writing.
func (l devLog) WithGroup(name string) slog.Handler { return devLog{l.Handler.WithGroup(name), l.out} }
