package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"aftercall/internal/store/db"
)

// Scope is something that a program may do with its key.
type Scope string

// The scopes.
const (
	ScopePost    Scope = "post"    // post calls and events
	ScopeRead    Scope = "read"    // read what the pages show, phone numbers and addresses unmasked
	ScopeTasks   Scope = "tasks"   // write tasks, and note that alerts are read
	ScopeOperate Scope = "operate" // put calls right: resend, settle, release, approve, replay, also in bulk; mute
	ScopeErase   Scope = "erase"   // erase calls, and customers
	ScopeCTI     Scope = "cti"     // be a softphone: take what is to pop up for an agent
)

// Scopes lists them.
func Scopes() []Scope {
	return []Scope{ScopePost, ScopeRead, ScopeTasks, ScopeOperate, ScopeErase, ScopeCTI}
}

// Key is an API key as it is listed. What it opens with is not kept.
type Key struct {
	ID, AccountID, Name string
	Prefix              string // how it begins
	Scopes              []Scope
	CreatedAt           time.Time
	RevokedAt           time.Time // zero while it counts
}

// May reports whether the key may be used for something.
func (k Key) May(s Scope) bool { return slices.Contains(k.Scopes, s) }

// mostKeys is how many keys a list shows.
const mostKeys = 500

// AddKey stores an API key's hash for an account. A key for which no scope is named may post.
func (s *Store) AddKey(ctx context.Context, accountID, name, prefix string, hash []byte, by Actor, scopes ...Scope) error {
	if len(scopes) == 0 {
		scopes = []Scope{ScopePost}
	}
	id, may := newID(), scopeWords(scopes)
	act := Act{AccountID: accountID, By: by, What: ActKeyAdded, Target: id, Detail: map[string]string{"begins": prefix, "may": strings.Join(may, ", ")}}
	err := s.change(ctx, act, func(q *db.Queries) error {
		if err := q.EnsureAccount(ctx, accountID); err != nil {
			return err
		}
		return q.InsertKey(ctx, db.InsertKeyParams{ID: id, AccountID: accountID, Name: clean(name), Prefix: clean(prefix), Hash: hash, Scopes: may})
	})
	if err != nil {
		return fmt.Errorf("add a key to account %s: %w", accountID, err)
	}
	return nil
}

// RevokeKey makes an account's key worth nothing, once and for all. ErrNotFound if it is not there, or revoked already.
func (s *Store) RevokeKey(ctx context.Context, k Key, by Actor) error {
	act := Act{AccountID: k.AccountID, By: by, What: ActKeyRevoked, Target: k.ID, Detail: map[string]string{"begins": k.Prefix}}
	err := s.change(ctx, act, func(q *db.Queries) error {
		n, err := q.RevokeKey(ctx, db.RevokeKeyParams{ID: k.ID, AccountID: k.AccountID})
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("revoke key %s: %w", k.ID, err)
	}
	return nil
}

// scopeWords are scopes as they are stored, each once.
func scopeWords(scopes []Scope) (words []string) {
	for _, known := range Scopes() {
		if slices.Contains(scopes, known) {
			words = append(words, string(known))
		}
	}
	return words
}

func scopesOf(words []string) (scopes []Scope) {
	for _, w := range words {
		scopes = append(scopes, Scope(w))
	}
	return scopes
}

// FindKey finds an API key by its hash; ErrNotFound for an unknown or revoked one. It asks on ingest's connections, because
// it stands in a webhook's way.
func (s *Store) FindKey(ctx context.Context, hash []byte) (Key, error) {
	row, err := db.New(s.ingest).FindKey(ctx, hash)
	if err != nil {
		return Key{}, fmt.Errorf("find the key's account: %w", found(err))
	}
	return Key{ID: row.ID, AccountID: row.AccountID, Name: row.Name, Prefix: row.Prefix, Scopes: scopesOf(row.Scopes)}, nil
}

// Keys lists the keys of the accounts that may be seen, those that count first.
func (r *Reader) Keys(ctx context.Context) (keys []Key, err error) {
	err = r.read(ctx, func(q *db.Queries) error {
		rows, err := q.ListKeys(ctx, db.ListKeysParams{Every: r.within.every, AccountIds: r.within.list(), Most: mostKeys})
		for _, row := range rows {
			keys = append(keys, Key{ID: row.ID, AccountID: row.AccountID, Name: row.Name, Prefix: row.Prefix, Scopes: scopesOf(row.Scopes),
				CreatedAt: row.CreatedAt, RevokedAt: zeroOr(row.RevokedAt)})
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	return keys, nil
}
