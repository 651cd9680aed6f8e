// Package api is the pages for programs: whoever has an API key reads what became of calls, puts them right and works on
// tasks, over HTTP and JSON.
//
// It owns the routes under /v1 but for those where calls are posted, what their bodies look like, and what is the same for
// all of them: who may ask for what (scopes), how much, and how one asks again for what one did not hear the answer to
// (Idempotency-Key). What is done is done by package ops and the store; a page and a program get the same.
//
// It promises that a key sees and changes one account, its own, and that nobody can tell what another has from what it has
// not; that what was asked for once under an Idempotency-Key is done once; that every answer is what the description says,
// since both are made from one table; and that a failure is a problem (RFC 9457) which says what to do. It logs ids, never
// what was said or an address.
package api

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"aftercall/internal/openapi"
	"aftercall/internal/signals"
	"aftercall/internal/store"
	"aftercall/ops"
	"aftercall/people"
	"aftercall/worker"
)

// Config is what an API is built from.
type Config struct {
	Store     *store.Store
	Ops       *ops.Ops
	Revisions *worker.Revisions
	Logger    *slog.Logger
	Signals   *signals.Signals // nil: nothing is measured
	Now       func() time.Time // default time.Now
	Heartbeat time.Duration    // how often a stream says that it is still there, and looks by itself; default 15 s
}

// API answers programs. It is safe for concurrent use.
type API struct {
	store     *store.Store
	ops       *ops.Ops
	revisions *worker.Revisions
	keys      *people.Keyring
	limits    *limits
	log       *slog.Logger
	signals   *signals.Signals
	now       func() time.Time
	heartbeat time.Duration

	ended chan struct{} // closed when streams are to end
	once  sync.Once
}

// New builds an API.
func New(c Config) (*API, error) {
	if c.Store == nil || c.Ops == nil || c.Revisions == nil || c.Logger == nil {
		return nil, errors.New("api: a store, people's actions, the revisions and a log are needed")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Heartbeat == 0 {
		c.Heartbeat = heartbeat
	}
	return &API{store: c.Store, ops: c.Ops, revisions: c.Revisions, keys: people.NewKeyring(c.Store.FindKey, c.Now), limits: newLimits(c.Now), log: c.Logger,
		signals: c.Signals, now: c.Now, heartbeat: c.Heartbeat, ended: make(chan struct{})}, nil
}

// End lets everybody go who hears a stream, for good.
func (a *API) End() { a.once.Do(func() { close(a.ended) }) }

// Routes is everything that is answered here, with how it is described.
func (a *API) Routes() (all []openapi.Route) {
	for _, r := range routes() {
		all = append(all, a.described(r))
	}
	return all
}

// Operations are the ids of everything that is answered here.
func Operations() (ids []string) {
	for _, r := range routes() {
		ids = append(ids, r.ID)
	}
	return ids
}

// described adds to a route what is the same for all of them.
func (a *API) described(r route) openapi.Route {
	o := r.Route
	o.Security, o.Handler = []string{"apiKey"}, a.handle(r)
	scope := fmt.Sprintf("Needs a key with the scope %s.", r.scope)
	if o.Description != "" {
		o.Description += " "
	}
	o.Description += scope
	o.Fails = append([]int{400, 401, 403, 405, 429, 500, 503}, o.Fails...)
	if r.changes() {
		o.Answer.Header, o.Answer.Means = againHeader, "true: it was done before, and this is what was answered then."
		o.Params = append(o.Params, openapi.Param{Name: onceHeader, In: "header",
			Says: "What the program calls this request, at most 200 characters. Sent again within a day it is not done again, and answered as before."})
	}
	if r.writes() {
		o.Fails = append(o.Fails, 409, 413)
		if o.Body != nil {
			o.Fails = append(o.Fails, 415)
		}
	}
	return o
}
