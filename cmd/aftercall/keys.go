package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"slices"
	"strings"

	"aftercall/internal/store"
)

// keyPrefix marks our keys, so that a leaked one can be recognised by a scanner.
const keyPrefix = "ac_"

// keys makes an API key for an account. The key is printed once; only its hash is kept.
func keys(ctx context.Context, c *console, args []string) error {
	if len(args) < 2 || len(args) > 3 || args[0] != "add" {
		return wrong("keys add ACCOUNT [NAME]")
	}
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
	key := newKey()
	if err := addKey(ctx, db, args[1], name, key); err != nil {
		return err
	}
	fmt.Fprintln(c.out, key)
	fmt.Fprintf(c.err, "This is the only time the key is shown. Send it as: Authorization: Bearer %s…\n", key[:len(keyPrefix)+6])
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

// addKey keeps the hash of a key, and its beginning to recognise it by.
func addKey(ctx context.Context, db *store.Store, account, name, key string) error {
	hash := sha256.Sum256([]byte(key))
	if err := db.AddKey(ctx, account, name, key[:len(keyPrefix)+6], hash[:]); err != nil {
		return fmt.Errorf("add a key to account %s: %w", account, err)
	}
	return nil
}

// newKey makes 32 random bytes printable.
func newKey() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never fails
	return keyPrefix + base64.RawURLEncoding.EncodeToString(b[:])
}
