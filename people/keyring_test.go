package people_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"aftercall/internal/store"
	"aftercall/people"
)

// TestAKeyIsRememberedForAMoment: a revoked key works for half a minute more and no longer, and an unknown one is asked for
// again soon, since it may just have been made.
func TestAKeyIsRememberedForAMoment(t *testing.T) {
	t.Parallel()
	now, asked := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC), 0
	made := people.NewKey()
	known := map[string]store.Key{string(made.Hash): {ID: "1", AccountID: "acme", Scopes: []store.Scope{store.ScopeRead}}}
	ring := people.NewKeyring(func(_ context.Context, hash []byte) (store.Key, error) {
		asked++
		if bytes.Contains(hash, []byte(made.Text)) {
			t.Error("the key itself was asked for")
		}
		if k, ok := known[string(hash)]; ok {
			return k, nil
		}
		return store.Key{}, store.ErrNotFound
	}, func() time.Time { return now })
	for _, step := range []struct {
		name, header string
		pass         time.Duration
		revoke       bool
		err          error
		asked        int
	}{
		{name: "nothing", header: "", err: people.ErrNoKey},
		{name: "another scheme", header: "Basic " + made.Text, err: people.ErrNoKey},
		{name: "no key", header: "Bearer ", err: people.ErrNoKey},
		{name: "too long", header: "Bearer " + strings.Repeat("x", 600), err: people.ErrNoKey},
		{name: "unknown", header: "Bearer ac_other", err: store.ErrNotFound, asked: 1},
		{name: "unknown, at once", header: "Bearer ac_other", err: store.ErrNotFound, asked: 1},
		{name: "unknown, later", header: "Bearer ac_other", pass: 3 * time.Second, err: store.ErrNotFound, asked: 2},
		{name: "known", header: "bearer " + made.Text, asked: 3},
		{name: "remembered", header: "Bearer  " + made.Text + " ", pass: 29 * time.Second, revoke: true, asked: 3},
		{name: "revoked", header: "Bearer " + made.Text, pass: 2 * time.Second, err: store.ErrNotFound, asked: 4},
	} {
		now = now.Add(step.pass)
		if step.revoke {
			clear(known)
		}
		k, err := ring.Bearer(t.Context(), step.header)
		if !errors.Is(err, step.err) || asked != step.asked || err == nil && k.AccountID != "acme" {
			t.Errorf("%s: %+v, %v, asked %d times; want %v and %d", step.name, k, err, asked, step.err, step.asked)
		}
	}
}
