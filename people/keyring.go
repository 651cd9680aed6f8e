package people

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"sync"
	"time"

	"aftercall/internal/store"
)

// How long a key's answer is believed, and how many are kept. A revoked key works for half a minute more; an unknown one
// is asked for again soon, since it may just have been made.
const (
	keyKnown   = 30 * time.Second
	keyUnknown = 2 * time.Second
	keysKept   = 10_000
	longestKey = 512
)

// ErrNoKey is returned for an Authorization header that has no API key in it.
var ErrNoKey = errors.New("the Authorization header is not Bearer and an API key")

// Keyring remembers for a moment what a key opens. It holds hashes, never keys, and is safe for concurrent use.
type Keyring struct {
	find func(ctx context.Context, hash []byte) (store.Key, error)
	now  func() time.Time

	mu   sync.Mutex
	kept map[[sha256.Size]byte]keyAnswer
}

type keyAnswer struct {
	key   store.Key // without an account for an unknown one
	until time.Time
}

// NewKeyring makes a keyring that asks find for what it does not remember.
func NewKeyring(find func(ctx context.Context, hash []byte) (store.Key, error), now func() time.Time) *Keyring {
	return &Keyring{find: find, now: now, kept: map[[sha256.Size]byte]keyAnswer{}}
}

// Bearer gives the key that an Authorization header shows: ErrNoKey if it shows none, store.ErrNotFound for an unknown one.
func (k *Keyring) Bearer(ctx context.Context, header string) (store.Key, error) {
	kind, text, _ := strings.Cut(header, " ")
	text = strings.TrimSpace(text)
	if !strings.EqualFold(kind, "Bearer") || text == "" || len(text) > longestKey {
		return store.Key{}, ErrNoKey
	}
	hash := sha256.Sum256([]byte(text))
	k.mu.Lock()
	a, ok := k.kept[hash]
	k.mu.Unlock()
	if !ok || !k.now().Before(a.until) {
		key, err := k.find(ctx, hash[:])
		switch {
		case errors.Is(err, store.ErrNotFound):
			a = keyAnswer{until: k.now().Add(keyUnknown)}
		case err != nil:
			return store.Key{}, err
		default:
			a = keyAnswer{key: key, until: k.now().Add(keyKnown)}
		}
		k.keep(hash, a)
	}
	if a.key.AccountID == "" {
		return store.Key{}, store.ErrNotFound
	}
	return a.key, nil
}

// keep remembers an answer. A stranger who tries keys by the thousand only makes the memory start afresh.
func (k *Keyring) keep(hash [sha256.Size]byte, a keyAnswer) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.kept) >= keysKept {
		clear(k.kept)
	}
	k.kept[hash] = a
}
