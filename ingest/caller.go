package ingest

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"aftercall/automation"
	"aftercall/internal/store"
	"aftercall/people"
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
	if no := h.measure(p); no != nil {
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
	ctx, cancel := context.WithTimeout(p.r.Context(), keyPatience)
	defer cancel()
	key, err := h.keys.Bearer(ctx, p.r.Header.Get("Authorization"))
	switch {
	case errors.Is(err, people.ErrNoKey):
		return unauthorized("The Authorization header is not Bearer and an API key.")
	case errors.Is(err, store.ErrNotFound):
		return unauthorized("The API key is not known.")
	case err != nil:
		return unstored(p.r.Context(), err)
	}
	p.caller = caller{account: key.AccountID, name: automation.SourceAPI}
	if !key.May(store.ScopePost) {
		return &problem{status: http.StatusForbidden, detail: "This API key may not post calls: its scopes do not name post."}
	}
	rev, ok := h.revisions.Active(key.AccountID)
	if !ok {
		return &problem{status: http.StatusNotFound, detail: "The account of this key has no active configuration."}
	}
	p.caller.revision = rev.ID
	return nil
}

// admitSource finds the source, and refuses by its header what cannot be genuine, before the body is read.
func (h *Handler) admitSource(p *post, id string) (adapter, *problem) {
	rev, src, found := h.revisions.Source(id)
	var platform adapter
	if found {
		platform = adapters[src.Type]
		p.lightens(platform, src)
	}
	if no := h.measure(p); no != nil {
		return nil, no
	}
	if !found {
		return nil, &problem{status: http.StatusNotFound, detail: "There is no such source."}
	}
	p.caller = caller{account: rev.AccountID, name: src.ID, revision: rev.ID, source: src}
	if platform == nil {
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
	if p.caller.seal, why = s.read(envelopeOf(p.r, p.caller.source.Settings, h.public)); why != "" {
		return unauthorized(why)
	}
	if p.caller.seal.stale(h.now()) {
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
