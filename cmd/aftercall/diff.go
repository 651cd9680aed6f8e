package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"

	"aftercall/automation"
	"aftercall/change"
	"aftercall/internal/llm"
	"aftercall/internal/store"
	"aftercall/worker"
)

// mostCalls is how many stored calls one diff looks at.
const mostCalls = 5_000

// errChanges ends diff where there is something to apply: exit code 2, with everything said. Whatever is wrong ends it with 1.
var errChanges = ending{2, errQuiet}

// comparing is one run of diff.
type comparing struct {
	*console
	calls  int
	asJSON bool
	asks   bool
	keep   string // file to keep the diff in
	store  *store.Store
	model  llm.Model
}

// diff says what a folder would change against what is active: field by field, and on the calls that are stored. It
// writes nothing to the database, which is told to refuse it.
func diff(flags *flag.FlagSet) action {
	var d comparing
	flags.IntVar(&d.calls, "calls", 100, "look at the last `N` stored calls; 0 for none")
	flags.BoolVar(&d.asJSON, "json", false, "print the whole report as JSON")
	flags.BoolVar(&d.asks, "ask", false, "ask the model about what nobody has asked yet (costs tokens; keeps no answer)")
	flags.StringVar(&d.keep, "out", "", "keep the diff in a `FILE`, for apply")
	return func(ctx context.Context, c *console, args []string) error {
		switch {
		case len(args) > 1:
			return wrong("name one folder, or none for this one")
		case d.calls < 0 || d.calls > mostCalls:
			return wrong("--calls is from 0 to %d", mostCalls)
		}
		d.console = c
		return d.run(ctx, append(args, ".")[0])
	}
}

func (d *comparing) run(ctx context.Context, dir string) error {
	folders, revisions, err := compiled(d.console, dir)
	if err != nil {
		return err
	}
	if d.keep != "" && len(folders) > 1 {
		return wrong("--out keeps the diff of one account; name its folder")
	}
	s, err := checkedSettings(d.console, needs{database: true, model: d.asks})
	if err != nil {
		return err
	}
	if d.asks {
		if d.model, err = buildModel(s, false, nil); err != nil {
			return err
		}
	}
	if d.store, err = store.Open(ctx, string(s.DatabaseURL), store.Options{Pool: 4, Ingest: -1, ReadOnly: true}); err != nil {
		return err
	}
	defer d.store.Close()
	reports, changes := []change.Report{}, false
	for n, f := range folders {
		r, err := d.report(ctx, f, revisions[n])
		if err != nil {
			return err
		}
		reports, changes = append(reports, r), changes || !r.Same
	}
	if err := d.print(dir, reports); err != nil || !changes {
		return err
	}
	return errChanges
}

// compiled reads and compiles every account's folder under dir. Errors are printed, warnings too.
func compiled(c *console, dir string) (folders []automation.Folder, revisions []*automation.Revision, err error) {
	if folders, err = automation.Read(dir); err != nil {
		return nil, nil, err
	}
	for _, f := range folders {
		rev, problems := automation.Compile(f.Files)
		for _, p := range problems {
			p.File = f.Path + "/" + p.File
			fmt.Fprintln(c.err, p.String())
		}
		if rev == nil {
			err = errors.Join(err, fmt.Errorf("%s has errors", f.Path))
		}
		revisions = append(revisions, rev)
	}
	return folders, revisions, err
}

// report compares one account's folder, and keeps the diff if that is wanted.
func (d *comparing) report(ctx context.Context, f automation.Folder, rev *automation.Revision) (change.Report, error) {
	quiet := slog.New(slog.DiscardHandler)
	r, err := change.Of(ctx, change.Question{Store: d.store, Revisions: worker.NewRevisions(d.store, quiet), Candidate: rev,
		Calls: d.calls, Model: d.model})
	if err != nil || d.keep == "" {
		return r, err
	}
	k := keptDiff{Format: 1, Account: rev.AccountID, Digest: rev.Digest, Files: f.Files}
	if r.Base != nil {
		k.Base, k.BaseDigest = r.Base.ID, r.Base.Digest
	}
	raw, err := json.MarshalIndent(k, "", "  ")
	if err != nil {
		return r, fmt.Errorf("keep the diff: %w", err)
	}
	return r, os.WriteFile(d.keep, append(raw, '\n'), 0o600)
}

// print writes the reports.
func (d *comparing) print(dir string, reports []change.Report) error {
	if d.asJSON {
		e := json.NewEncoder(d.out)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(reports)
	}
	for _, r := range reports {
		t := changes{w: d.out, r: r, asked: d.asks}
		t.print()
		switch {
		case r.Same:
		case d.keep != "":
			fmt.Fprintf(d.out, "\nNothing was sent or stored. To make it active: aftercall apply %s\n", d.keep)
		case len(reports) > 1:
			fmt.Fprintf(d.out, "\nNothing was sent or stored. To make it active: aftercall apply DIR --base %s, with its folder\n", t.base())
		default:
			fmt.Fprintf(d.out, "\nNothing was sent or stored. To make it active: aftercall apply %s --base %s\n", dir, t.base())
		}
	}
	return nil
}

// keptDiff is what diff --out keeps: the files as they were looked at, and what they were compared with.
type keptDiff struct {
	Format     int              `json:"aftercall_diff"`
	Account    string           `json:"account"`
	Base       string           `json:"base"` // the id of the revision that was active; "" if none was
	BaseDigest string           `json:"base_digest"`
	Digest     string           `json:"digest"` // of the files
	Files      automation.Files `json:"files"`  // path → contents, base64
}

// readDiff reads a file that diff --out wrote.
func readDiff(file string) (k keptDiff, err error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return k, err
	}
	if err := json.Unmarshal(raw, &k); err != nil || k.Format == 0 {
		return k, fmt.Errorf("%s is no diff that aftercall diff --out kept", file)
	}
	switch {
	case k.Format > 1:
		return k, fmt.Errorf("%s was kept by a newer version", file)
	case k.Files.Digest() != k.Digest:
		return k, fmt.Errorf("%s was changed since it was kept: its files are not those that were looked at", file)
	}
	return k, nil
}
