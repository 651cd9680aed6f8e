package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strings"
	"time"

	"aftercall/automation"
	"aftercall/internal/store"
)

// noBase is the word for the base of a first revision.
const noBase = "none"

// applying is one run of apply.
type applying struct {
	*console
	message, base, by, sha string
}

// apply makes a folder, or a diff that was kept, the active config: checked, stored and activated in one transaction, by
// the door cli.
func apply(flags *flag.FlagSet) action {
	var a applying
	flags.StringVar(&a.message, "message", "", "why, for those who read the list of revisions")
	flags.StringVar(&a.base, "base", "", "refuse (exit 3) unless this `REV` is active: the one diff compared with; none for the first")
	flags.StringVar(&a.by, "by", "", "who applies it (default: the user and the machine)")
	flags.StringVar(&a.sha, "git-sha", "", "the commit it comes from (default: that of DIR, if it is in git)")
	return func(ctx context.Context, c *console, args []string) error {
		if len(args) > 1 {
			return wrong("name one folder or one file, or none for this folder")
		}
		a.console = c
		return a.run(ctx, append(args, ".")[0])
	}
}

func (a *applying) run(ctx context.Context, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if a.by == "" {
		a.by = whoIsIt()
	}
	if !info.IsDir() {
		return a.kept(ctx, path)
	}
	folders, revisions, err := compiled(a.console, path)
	if err != nil {
		return err
	}
	if a.base != "" && len(folders) > 1 {
		return wrong("--base is the revision of one account; name its folder")
	}
	db, err := openStore(ctx, a.console)
	if err != nil {
		return err
	}
	defer db.Close()
	var errs []error
	for n, f := range folders {
		base, err := a.baseOf(ctx, db, revisions[n].AccountID)
		if err == nil {
			sha := a.sha
			if sha == "" {
				sha = commitOf(ctx, f.Path)
			}
			err = a.one(ctx, db, revisions[n], f.Files, base, sha)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// kept applies a diff that was kept, against the revision that it was made against.
func (a *applying) kept(ctx context.Context, file string) error {
	if a.base != "" {
		return wrong("the diff in %s says what it was made against; leave out --base", file)
	}
	k, err := readDiff(file)
	if err != nil {
		return err
	}
	rev, problems := automation.Compile(k.Files)
	for _, p := range problems {
		fmt.Fprintln(a.err, p.String())
	}
	if rev == nil {
		return fmt.Errorf("%s has errors", file)
	}
	db, err := openStore(ctx, a.console)
	if err != nil {
		return err
	}
	defer db.Close()
	return a.one(ctx, db, rev, k.Files, &k.Base, a.sha)
}

// baseOf turns --base into a revision's id. Without it the change is made against what is active now.
func (a *applying) baseOf(ctx context.Context, db *store.Store, account string) (*string, error) {
	switch a.base {
	case "":
		return nil, nil
	case noBase:
		none := ""
		return &none, nil
	}
	_, id, err := findRevision(ctx, db, account, a.base)
	return &id, err
}

// one applies one account's files.
func (a *applying) one(ctx context.Context, db *store.Store, rev *automation.Revision, files automation.Files, base *string, sha string) error {
	_, changed, err := db.Apply(ctx, revisionFiles(rev, files, sha), store.Activation{
		Sources: sourcesOf(rev), By: a.by, Message: a.message, Origin: store.ByCLI, Base: base,
	})
	if err != nil {
		return refused(err)
	}
	if !changed {
		fmt.Fprintf(a.out, "%s: revision %.12s is active already; nothing has changed\n", rev.AccountID, rev.Digest)
		return nil
	}
	fmt.Fprintf(a.out, "%s: revision %.12s is active now, with %d %s\n", rev.AccountID, rev.Digest, len(rev.Automations), plural(len(rev.Automations), "automation"))
	return nil
}

// revisionFiles is a compiled folder as it is stored.
func revisionFiles(rev *automation.Revision, files automation.Files, sha string) store.RevisionFiles {
	return store.RevisionFiles{AccountID: rev.AccountID, Digest: rev.Digest, Format: rev.Format, Files: files, GitSHA: sha}
}

func sourcesOf(rev *automation.Revision) []string {
	ids := make([]string, len(rev.Sources))
	for n, s := range rev.Sources {
		ids[n] = s.ID
	}
	return ids
}

// refused says what to do about a change that was not taken.
func refused(err error) error {
	var moved *store.Moved
	var governed *store.Governed
	switch {
	case errors.As(err, &moved) && moved.Active.RevisionID == "":
		return ending{3, errors.New("nothing is active, but the change was made against a revision; run aftercall diff again")}
	case errors.As(err, &moved):
		return ending{3, fmt.Errorf("the change was made against another revision: %.12s has been active since %s, by %s; run aftercall diff again and look at what it says now",
			moved.Active.Digest, stamp(moved.Active.ActivatedAt), plain(moved.Active.ActivatedBy))}
	case errors.As(err, &governed) && governed.Authority == store.ByFiles:
		return fmt.Errorf("the config of account %s comes from a watched folder (%s, since %s): change it there, or run `aftercall authority %s cli` first and the folder is not read any more",
			governed.ID, plain(governed.By), stamp(governed.At), governed.ID)
	case errors.As(err, &governed):
		return fmt.Errorf("the config of account %s comes from aftercall apply (%s, since %s), so the folder is not read: apply it, or run `aftercall authority %s files`",
			governed.ID, plain(governed.By), stamp(governed.At), governed.ID)
	}
	return err
}

// whoIsIt names the user and the machine.
func whoIsIt() string {
	name := "somebody"
	if u, err := user.Current(); err == nil && u.Username != "" {
		name = u.Username
	}
	if host, err := os.Hostname(); err == nil {
		name += "@" + host
	}
	return name
}

// gitTime bounds what git may take to say where it stands.
const gitTime = 5 * time.Second

// commitOf names the commit that a folder stands at, with -dirty if it holds something else; "" if it is not in git.
func commitOf(ctx context.Context, dir string) string {
	ctx, cancel := context.WithTimeout(ctx, gitTime)
	defer cancel()
	git := func(args ...string) (string, error) {
		out, err := exec.CommandContext(ctx, "git", append([]string{"-C", dir, "-c", "core.fsmonitor=false"}, args...)...).Output()
		return strings.TrimSpace(string(out)), err
	}
	sha, err := git("rev-parse", "--verify", "HEAD")
	if err != nil {
		return ""
	}
	if status, err := git("status", "--porcelain", "--", "."); err != nil || status != "" {
		sha += "-dirty"
	}
	return sha
}
