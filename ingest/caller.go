package ingest

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"aftercall/automation"
	"aftercall/internal/store"
)

// caller is who posts, as far as the header says; proves checks a signature once the body is there.
type caller struct {
	account  string
	name     string // of the source
	revision string // active now
	source   *automation.Source

	scheme  *scheme // nil: vouched for by an API key
	secrets []string
	seal    seal
}

// proves checks the signature over the raw body.
func (c *caller) proves(body []byte) *problem {
	if c.scheme == nil || c.scheme.matches(c.secrets, c.seal, body) {
		return nil
	}
	return unauthorized("The signature does not fit the body.")
}

// admit finds out who posts to our own API: by API key, else by a Standard Webhooks signature of the native source named
// in ?source=.
func (h *Handler) admit(p *post) *problem {
	if no := h.measure(p.r); no != nil {
		return no
	}
	if p.r.Header.Get("Authorization") != "" {
		return h.admitKey(p)
	}
	id := p.r.URL.Query().Get("source")
	if id == "" || p.r.Header.Get(headerID) == "" {
		return unauthorized("Send an API key as Authorization: Bearer KEY, or a Standard Webhooks signature and ?source=ID.")
	}
	platform, no := h.admitSource(p, id)
	if no != nil {
		return no
	}
	if _, ok := platform.(native); !ok {
		return &problem{status: http.StatusNotFound, detail: "The source is not of type native; it posts to /hooks/{source}."}
	}
	return nil
}

// keyPatience is how long the database may take to say whose key it is, which is asked for every half minute. A platform
// must have its answer in time where the line to the database stands still, too: to come back.
const keyPatience = time.Second

func (h *Handler) admitKey(p *post) *problem {
	kind, key, _ := strings.Cut(p.r.Header.Get("Authorization"), " ")
	key = strings.TrimSpace(key)
	if !strings.EqualFold(kind, "Bearer") || key == "" || len(key) > 512 {
		return unauthorized("The Authorization header is not Bearer and an API key.")
	}
	ctx, cancel := context.WithTimeout(p.r.Context(), keyPatience)
	defer cancel()
	account, err := h.keys.account(ctx, key)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return unauthorized("The API key is not known.")
	case err != nil:
		return unstored(p.r.Context(), err)
	}
	p.caller = caller{account: account, name: automation.SourceAPI}
	rev, ok := h.revisions.Active(account)
	if !ok {
		return &problem{status: http.StatusNotFound, detail: "The account of this key has no active configuration."}
	}
	p.caller.revision = rev.ID
	return nil
}

// admitSource finds the source, and refuses by its header what cannot be genuine, before the body is read.
func (h *Handler) admitSource(p *post, id string) (adapter, *problem) {
	if no := h.measure(p.r); no != nil {
		return nil, no
	}
	rev, src, ok := h.revisions.Source(id)
	if !ok {
		return nil, &problem{status: http.StatusNotFound, detail: "There is no such source."}
	}
	p.caller = caller{account: rev.AccountID, name: src.ID, revision: rev.ID, source: src}
	platform, ok := adapters[src.Type]
	if !ok {
		return nil, &problem{status: http.StatusNotFound, detail: "The source's type is not one this version knows."}
	}
	return platform, h.openSeal(p, schemeOf(platform, src))
}

// openSeal reads the signature headers.
func (h *Handler) openSeal(p *post, name string) *problem {
	s, ok := schemes[name]
	if !ok {
		return &problem{status: http.StatusServiceUnavailable, detail: "The source's signature scheme is not one this version knows.", after: 60}
	}
	for _, ref := range p.caller.source.Secrets {
		if secret := h.getenv(environmentName(ref)); secret != "" {
			p.caller.secrets = append(p.caller.secrets, secret)
		}
	}
	if len(p.caller.secrets) == 0 {
		// The sender can do nothing about it, and must try again once the operator has.
		return &problem{status: http.StatusServiceUnavailable, detail: "The secret of this source is not set here.", after: 60}
	}
	var why string
	if p.caller.seal, why = s.open(p.r.Header, p.caller.source.Settings); why != "" {
		return unauthorized(why)
	}
	if off := h.now().Sub(p.caller.seal.at); off > tolerance || off < -tolerance {
		return unauthorized("The signature's time is more than five minutes off.")
	}
	p.caller.scheme = s
	return nil
}

// environmentName is NAME of "${ENV:NAME}".
func environmentName(ref string) string {
	name, ok := strings.CutPrefix(ref, "${ENV:")
	if !ok || !strings.HasSuffix(name, "}") {
		return ""
	}
	return strings.TrimSuffix(name, "}")
}

// How long a key's answer is believed, and how many are kept. A revoked key works for half a minute more; an unknown one
// is asked for again soon, since it may just have been made.
const (
	keyKnown   = 30 * time.Second
	keyUnknown = 2 * time.Second
	keysKept   = 10_000
)

// keyring remembers for a moment whose key is whose. It holds hashes, never keys.
type keyring struct {
	find func(ctx context.Context, hash []byte) (string, error)
	now  func() time.Time

	mu   sync.Mutex
	kept map[[sha256.Size]byte]keyAnswer
}

type keyAnswer struct {
	account string // "" for an unknown key
	until   time.Time
}

func newKeyring(find func(context.Context, []byte) (string, error), now func() time.Time) *keyring {
	return &keyring{find: find, now: now, kept: map[[sha256.Size]byte]keyAnswer{}}
}

// account gives the account of a key; store.ErrNotFound for an unknown one.
func (k *keyring) account(ctx context.Context, key string) (string, error) {
	hash := sha256.Sum256([]byte(key))
	k.mu.Lock()
	a, ok := k.kept[hash]
	k.mu.Unlock()
	if !ok || !k.now().Before(a.until) {
		account, err := k.find(ctx, hash[:])
		switch {
		case errors.Is(err, store.ErrNotFound):
			a = keyAnswer{until: k.now().Add(keyUnknown)}
		case err != nil:
			return "", err
		default:
			a = keyAnswer{account: account, until: k.now().Add(keyKnown)}
		}
		k.keep(hash, a)
	}
	if a.account == "" {
		return "", store.ErrNotFound
	}
	return a.account, nil
}

// keep remembers an answer. A stranger who tries keys by the thousand only makes the memory start afresh.
func (k *keyring) keep(hash [sha256.Size]byte, a keyAnswer) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.kept) >= keysKept {
		clear(k.kept)
	}
	k.kept[hash] = a
}
