package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"aftercall/automation"
	"aftercall/internal/store"
)

// revisions lists an account's revisions, or every account's: the newest first, the active one marked.
func revisions(flags *flag.FlagSet) action {
	most := flags.Int("most", 20, "how many of an account, at most 200")
	return func(ctx context.Context, c *console, args []string) error {
		if len(args) > 1 {
			return wrong("name one account, or none for all")
		}
		db, err := openStore(ctx, c)
		if err != nil {
			return err
		}
		defer db.Close()
		accounts, err := accountsOf(ctx, db, append(args, "")[0])
		if err != nil {
			return err
		}
		for _, a := range accounts {
			list, _, err := db.Revisions(ctx, a.ID, "", *most)
			if err != nil {
				return err
			}
			printRevisions(c.out, a, list)
		}
		return nil
	}
}

// accountsOf gives one account, or all; it is an error if there is none.
func accountsOf(ctx context.Context, db *store.Store, account string) ([]store.Account, error) {
	accounts, err := db.Accounts(ctx, account)
	switch {
	case err != nil:
		return nil, err
	case len(accounts) == 0 && account != "":
		return nil, fmt.Errorf("there is no account %s", account)
	case len(accounts) == 0:
		return nil, errors.New("there is no account yet; aftercall apply DIR makes one")
	}
	return accounts, nil
}

func printRevisions(w io.Writer, a store.Account, list []store.RevisionRow) {
	fmt.Fprintf(w, "%s: %s\n", a.ID, doorWords(a))
	for _, r := range list {
		mark := " "
		if r.Active {
			mark = "*"
		}
		fmt.Fprintf(w, "%s %.12s  %s  %s", mark, r.Digest, stamp(r.CreatedAt), plain(r.CreatedBy))
		if r.GitSHA != "" {
			fmt.Fprintf(w, "  git %s", shortSHA(r.GitSHA))
		}
		if r.Message != "" {
			fmt.Fprintf(w, "  %s", plain(r.Message))
		}
		if !r.ActivatedAt.IsZero() && r.ActivatedAt.Sub(r.CreatedAt).Abs().Minutes() >= 1 {
			fmt.Fprintf(w, "\n    made active again %s by %s", stamp(r.ActivatedAt), plain(r.ActivatedBy))
			if r.ActivationMessage != "" {
				fmt.Fprintf(w, ": %s", plain(r.ActivationMessage))
			}
		}
		fmt.Fprintln(w)
	}
	if len(list) == 0 {
		fmt.Fprintln(w, "  no revision yet")
	}
}

// shortSHA is the beginning of a commit's name, with its mark if the folder held something else.
func shortSHA(sha string) string {
	name, dirty := strings.CutSuffix(plain(sha), "-dirty")
	name = name[:min(len(name), 10)]
	if dirty {
		name += "-dirty"
	}
	return name
}

// doorWords says by which door an account's config may change.
func doorWords(a store.Account) string {
	since := fmt.Sprintf(" (since %s, by %s)", stamp(a.At), plain(a.By))
	switch a.Authority {
	case store.ByFiles:
		return "config from a watched folder" + since
	case store.ByCLI:
		return "config by aftercall apply" + since
	}
	return "no door has been used yet: the first that is, a watched folder or aftercall apply, becomes the one that counts"
}

// authority says, or sets, by which door an account's config may change.
func authority(ctx context.Context, c *console, args []string) error {
	if len(args) > 2 || len(args) == 2 && args[1] != string(store.ByFiles) && args[1] != string(store.ByCLI) {
		return wrong("name an account, and files or cli to set it")
	}
	db, err := openStore(ctx, c)
	if err != nil {
		return err
	}
	defer db.Close()
	account := append(args, "")[0]
	if _, err := accountsOf(ctx, db, account); err != nil {
		return err
	}
	if len(args) == 2 {
		if err := db.SetAuthority(ctx, account, store.Origin(args[1]), whoIsIt()); err != nil {
			return err
		}
	}
	accounts, err := db.Accounts(ctx, account)
	for _, a := range accounts {
		fmt.Fprintf(c.out, "%s: %s\n", a.ID, doorWords(a))
	}
	return err
}

// findRevision finds a revision by what a person calls it.
func findRevision(ctx context.Context, db *store.Store, account, ref string) (in, id string, err error) {
	in, id, err = db.FindRevision(ctx, account, ref)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return "", "", fmt.Errorf("there is no revision %q; aftercall revisions lists them, and six characters of a name are enough", ref)
	case errors.Is(err, store.ErrAmbiguous):
		return "", "", fmt.Errorf("several revisions are called %q: write more of it, or name the account with --account", ref)
	}
	return in, id, err
}

// rollback makes an earlier revision active again: a new activation of what is stored, by the door cli.
func rollback(flags *flag.FlagSet) action {
	account := flags.String("account", "", "the `account`, where several have such a revision")
	message := flags.String("message", "", "why, for those who read the list of revisions")
	return func(ctx context.Context, c *console, args []string) error {
		if len(args) != 1 {
			return wrong("name one revision")
		}
		db, err := openStore(ctx, c)
		if err != nil {
			return err
		}
		defer db.Close()
		in, id, err := findRevision(ctx, db, *account, args[0])
		if err != nil {
			return err
		}
		stored, err := db.Revision(ctx, id)
		if err != nil {
			return err
		}
		rev, problems := automation.Restore(stored.Files)
		switch {
		case stored.Format > automation.Format:
			return fmt.Errorf("a newer version took revision %.12s, and this one does not know all that is in it; use that version", stored.Digest)
		case rev == nil:
			return fmt.Errorf("this version finds %d problems in revision %.12s; use the version that took it, or export and mend it", len(problems), stored.Digest)
		}
		changed, err := db.Activate(ctx, store.Activation{AccountID: in, RevisionID: id, Sources: sourcesOf(rev), By: whoIsIt(),
			Message: *message, Origin: store.ByCLI})
		if err != nil {
			return refused(err)
		}
		word := "is active again"
		if !changed {
			word = "is active already; nothing has changed"
		}
		fmt.Fprintf(c.out, "%s: revision %.12s %s\n", in, stored.Digest, word)
		return nil
	}
}

// export writes a revision's files back, byte for byte. It never writes over a file unless it is told to.
func export(flags *flag.FlagSet) action {
	force := flags.Bool("force", false, "write over files that are there")
	account := flags.String("account", "", "the `account`, where several have such a revision")
	return func(ctx context.Context, c *console, args []string) error {
		if len(args) < 1 || len(args) > 2 {
			return wrong("name a revision, or an account for its active one, and a folder if it is not to be called like the account")
		}
		db, err := openStore(ctx, c)
		if err != nil {
			return err
		}
		defer db.Close()
		stored, err := revisionCalled(ctx, db, *account, args[0])
		if err != nil {
			return err
		}
		dir := append(args, stored.AccountID)[1]
		if err := writeFiles(dir, stored.Files, *force); err != nil {
			return err
		}
		fmt.Fprintf(c.out, "%s: %d %s of revision %.12s written to %s\n", stored.AccountID, len(stored.Files), plural(len(stored.Files), "file"), stored.Digest, dir)
		return nil
	}
}

// revisionCalled loads a revision by its name, or an account's active one.
func revisionCalled(ctx context.Context, db *store.Store, account, called string) (store.RevisionFiles, error) {
	active, err := db.ActiveRevisions(ctx)
	if err != nil {
		return store.RevisionFiles{}, err
	}
	for _, a := range active {
		if a.AccountID == called {
			return db.Revision(ctx, a.RevisionID)
		}
	}
	_, id, err := findRevision(ctx, db, account, called)
	if err != nil {
		return store.RevisionFiles{}, err
	}
	return db.Revision(ctx, id)
}

// writeFiles writes files below a folder, all of them or, if one is there already and may not be written over, none.
func writeFiles(dir string, files map[string][]byte, force bool) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir) // no name in a revision leads out of it, but who knows who wrote the row
	if err != nil {
		return err
	}
	defer root.Close()
	var there []string
	for name := range files {
		if _, err := root.Lstat(name); err == nil {
			there = append(there, filepath.Join(dir, name))
		}
	}
	if len(there) > 0 && !force {
		slices.Sort(there)
		return fmt.Errorf("%s: there already, and not written over; choose another folder, or --force", strings.Join(there, ", "))
	}
	for name, contents := range files {
		if in := filepath.Dir(name); in != "." {
			if err := root.MkdirAll(in, 0o755); err != nil {
				return err
			}
		}
		if err := root.WriteFile(name, contents, 0o644); err != nil {
			return err
		}
	}
	return nil
}
