package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"aftercall/deliver/push"
	"aftercall/internal/store"
	"aftercall/people"
)

// keys makes an API key for an account, which is printed once and only its hash is kept; or the installation's own for pushes,
// which is printed and kept nowhere.
func keys(flags *flag.FlagSet) action {
	list := flags.String("scope", string(store.ScopePost), "what the key may be used for: `LIST` of post, read, tasks, operate and erase, with\ncommas between them")
	return func(ctx context.Context, c *console, args []string) error {
		scopes, err := scopesOf(*list)
		switch {
		case err != nil:
			return err
		case len(args) == 1 && args[0] == "vapid":
			return makePushKey(c)
		case len(args) < 2 || len(args) > 3 || args[0] != "add":
			return wrong("keys add ACCOUNT [NAME] [--scope LIST] | keys vapid")
		}
		return makeKey(ctx, c, args, scopes)
	}
}

// makePushKey prints a key for pushes.
func makePushKey(c *console) error {
	key, err := push.NewKey()
	if err != nil {
		return err
	}
	fmt.Fprintln(c.out, key)
	fmt.Fprintln(c.err, "Set it as AFTERCALL_VAPID_KEY, with AFTERCALL_VAPID_SUBJECT, in every process. With another key every browser has to be asked again.")
	return nil
}

// scopesOf reads the list of a flag.
func scopesOf(list string) (scopes []store.Scope, err error) {
	for word := range strings.SplitSeq(list, ",") {
		s := store.Scope(strings.TrimSpace(word))
		if !slices.Contains(store.Scopes(), s) {
			return nil, wrong("--scope names post, read, tasks, operate, erase and cti, with commas between them")
		}
		scopes = append(scopes, s)
	}
	return scopes, nil
}

func makeKey(ctx context.Context, c *console, args []string, scopes []store.Scope) error {
	db, err := openStore(ctx, c)
	if err != nil {
		return err
	}
	defer db.Close()
	name := "key"
	if len(args) == 3 {
		name = args[2]
	}
	if err := warnUnconfigured(ctx, db, c.err, args[1]); err != nil {
		return err
	}
	key := people.NewKey()
	if err := db.AddKey(ctx, args[1], name, key.Prefix, key.Hash, store.Actor{Name: whoIsIt()}, scopes...); err != nil {
		return err
	}
	fmt.Fprintln(c.out, key.Text)
	fmt.Fprintf(c.err, "This is the only time the key is shown. Send it as: Authorization: Bearer %s…\n", key.Prefix)
	return nil
}

// warnUnconfigured says so if an account has no config yet. That is right before the first serve, and a slip of the
// fingers later.
func warnUnconfigured(ctx context.Context, db *store.Store, w io.Writer, account string) error {
	active, err := db.ActiveRevisions(ctx)
	if err != nil {
		return err
	}
	var names []string
	for _, a := range active {
		if a.AccountID == account {
			return nil
		}
		names = append(names, a.AccountID)
	}
	there := "there is no account with config"
	if len(names) > 0 {
		slices.Sort(names)
		there = "there are: " + strings.Join(names, ", ")
	}
	fmt.Fprintf(w, "account %s has no config yet; %s\n", account, there)
	return nil
}
