// Package dashboard is where ops look: for any call, what was sent, what was not, and why.
//
// It owns the pages of the admin listener: the overview, the lists of conversations and of deliveries, one conversation with its decisions, quotes,
// messages and model calls, the captured messages, bulk jobs, the revisions of a config, the workbench, the settings, the queue and
// River's own page for it. One file per page,
// each with the view it computes from the store's types and nothing else; templates only lay out what a view already says.
//
// It promises that whatever a caller, a platform or a model put into a conversation comes out as text; that a message's
// HTML is only ever shown in a sandbox with a policy of its own; that no page can be framed, forged from another site or
// reached under a foreign host name; that nobody sees a page that no role of theirs allows, nor on it a row of an account that
// is not theirs; and that a page is complete or an error, never half written. What it changes it changes by POST, with a line
// in the audit log; the workbench gives files away and keeps none. Without people who sign in it refuses to run beyond loopback.
package dashboard

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"aftercall/automation"
	"aftercall/deliver"
	"aftercall/internal/llm"
	"aftercall/internal/store"
	"aftercall/ops"
	"aftercall/people"
	"aftercall/worker"
)

// queryTime bounds what one page may ask of the database, so that abandoned pages never pile up behind each other.
const queryTime = 5 * time.Second

// Config is what the pages are built on. Store, River, Revisions and Logger are required.
type Config struct {
	Store     *store.Store
	River     *river.Client[pgx.Tx] // may be one that only inserts
	Revisions *worker.Revisions
	Ops       *ops.Ops // what people do about a call; nil: nothing can be done from these pages
	Logger    *slog.Logger
	Version   string    // of this binary, shown at the foot of every page
	Simulated bool      // the simulated model answers here: every page says so
	Model     llm.Model // answers on the workbench; nil: this process asks none
	Dev       bool      // open pages are told when Changed is called, and load again

	// Channels are the ways out of this process, for test messages. What has none is captured.
	Channels     map[string]deliver.Channel
	Prices       Prices           // what models cost; the zero value: only tokens are shown
	TokensPerDay int              // the operator's limit for every account, to say which are stopped; 0: none
	Now          func() time.Time // the clock; default time.Now

	// SignIn is where people sign in. Without it whoever reaches the listener owns the machine, so New refuses to build
	// pages unless Loopback says that the listener was checked with RefuseUnlessLoopback.
	SignIn   *people.Desk
	Loopback bool
	// URL is how people reach the pages, beside localhost and loopback addresses; "" if there is no other way. A request
	// under any other host name is refused: it may come from a rebound DNS name.
	URL     string
	Proxies people.Proxies // before the pages
}

// Dashboard is the admin listener's handler with what it runs in the background.
type Dashboard struct {
	store     *store.Store
	revisions *worker.Revisions
	log       *slog.Logger
	pages     *pages
	door      *door
	table     routes
	river     *river.Client[pgx.Tx]
	queue     *queuePage
	bench     *workbench
	live      *live
	handler   http.Handler

	channels     map[string]deliver.Channel
	tokensPerDay int
	prices       Prices
	ops          *ops.Ops // nil: nothing can be done from these pages
	now          func() time.Time
}

// New builds the pages. It touches neither the network nor the database.
func New(c Config) (*Dashboard, error) {
	switch {
	case c.Store == nil || c.River == nil || c.Revisions == nil || c.Logger == nil:
		return nil, errors.New("dashboard needs a store, a queue client, revisions and a logger")
	case c.SignIn == nil && !c.Loopback:
		return nil, errors.New("dashboard without sign-in is only served on a loopback address")
	}
	home, err := url.Parse(c.URL)
	if err != nil {
		return nil, fmt.Errorf("read the address of the pages: %w", err)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	ps, err := newPages(site{Release: c.Version, Simulated: c.Simulated})
	if err != nil {
		return nil, err
	}
	bench, err := newWorkbench(c)
	if err != nil {
		return nil, err
	}
	q, err := newQueuePage(c.River, c.Logger, c.Store.LogAct)
	if err != nil {
		return nil, err
	}
	d := &Dashboard{store: c.Store, revisions: c.Revisions, log: c.Logger, pages: ps, river: c.River, queue: q, bench: bench,
		live: newLive(c.Store, ps, c.Dev), channels: c.Channels, tokensPerDay: c.TokensPerDay, prices: c.Prices, ops: c.Ops, now: c.Now}
	d.door = &door{desk: c.SignIn, proxies: c.Proxies, secure: home.Scheme == "https", streams: streamTime, pages: ps, fail: d.fail}
	d.live.fail, d.live.mate, d.queue.fail = d.fail, d.teammate, d.fail
	d.table = d.routes()
	d.handler = guard(whole(d.table.mux(d.door.gate), ps, c.Logger), ps.refuse, []string{home.Hostname()})
	return d, nil
}

// Handler serves the pages, guarded.
func (d *Dashboard) Handler() http.Handler { return d.handler }

// Start runs what the queue's page needs in the background, until ctx ends or Stop is called.
func (d *Dashboard) Start(ctx context.Context) error { return d.queue.start(ctx) }

// Stop ends what Start began. It does not wait for requests; the server's Shutdown does.
func (d *Dashboard) Stop() { d.queue.stop() }

// Changed tells open pages, in dev, that they are no longer the newest.
func (d *Dashboard) Changed() { d.live.spread() }

// EndStreams lets go of the pages that wait to hear of changes. A server's Shutdown would wait for them.
func (d *Dashboard) EndStreams() { d.live.end() }

func (d *Dashboard) routes() (rs routes) {
	d.overviewRoutes(&rs)
	d.conversationRoutes(&rs)
	d.deliveryRoutes(&rs)
	rs.add("GET /conversations/{id}", people.Look, d.page(d.conversation))
	rs.add("POST /conversations/{id}/reveal", people.Look, d.page(d.revealConversation))
	d.callRoutes(&rs)
	d.eventRoutes(&rs)
	d.actionRoutes(&rs)
	rs.add("GET /captured", people.Look, d.page(d.capturedList))
	rs.add("GET /captured/{id}", people.Look, d.page(d.captured))
	rs.add("POST /captured/{id}/reveal", people.Look, d.page(d.revealCaptured))
	rs.add("GET /captured/{id}/html", people.Look, d.page(d.capturedHTML))
	d.bench.routes(&rs, d.pageWithin)
	d.deskRoutes(&rs)
	d.pushRoutes(&rs)
	d.reviewRoutes(&rs)
	d.door.routes(&rs, d.page)
	d.settingsRoutes(&rs)
	d.automationRoutes(&rs)
	d.bulkRoutes(&rs)
	d.configRoutes(&rs)
	d.queueRoutes(&rs)
	rs.add("GET /assets/{name}", anybody, d.pages.assets)
	rs.add(queuePrefix+"/", people.Run, d.queue)
	rs.add("/", people.Look, d.page(func(*http.Request) (answer, error) { return answer{}, store.ErrNotFound }))
	return rs
}

// computes is what a page is before it is rendered.
type computes func(*http.Request) (answer, error)

// page turns a function that computes an answer into a handler: compute, render to a buffer, then write. It reads no more
// of what is posted than a form holds.
func (d *Dashboard) page(compute computes) http.Handler {
	return d.pageWithin(queryTime, func(r *http.Request) (answer, error) {
		r.Body = http.MaxBytesReader(nil, r.Body, formSize)
		return compute(r)
	})
}

// pageWithin is page for what may take longer than a look into the database.
func (d *Dashboard) pageWithin(longest time.Duration, compute computes) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), longest)
		defer cancel()
		if longest > queryTime {
			// The server's own deadline for reading would end the request's context first, once it has passed.
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(longest)) // where it cannot be moved, that stands
		}
		a, err := compute(r.WithContext(ctx))
		if err == nil {
			a.counts = d.counts(r.WithContext(ctx), a)
			err = d.pages.write(w, r, a)
		}
		if err == nil || r.Context().Err() != nil { // nobody waits for this page any more
			return
		}
		d.fail(w, r, err)
	})
}

// fail answers with a page that says what went wrong.
func (d *Dashboard) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err)
	if p.Status >= http.StatusInternalServerError {
		d.log.ErrorContext(r.Context(), "page failed", "route", r.Pattern, "status", p.Status, "error", err)
	}
	d.pages.problem(w, r, p)
}

// reader reads for whoever asks, where they have the right.
func (d *Dashboard) reader(r *http.Request, right people.Right) *store.Reader {
	return d.store.Within(people.Of(r.Context()).Accounts(right))
}

// cursorOf takes the cursor of a page out of its address. One that was never ours stands for no page.
func cursorOf(r *http.Request) (string, error) { return cursorNamed(r, "before") }

func cursorNamed(r *http.Request, name string) (string, error) {
	cursor := r.URL.Query().Get(name)
	if cursor == "" {
		return "", nil
	}
	if _, err := uuid.Parse(cursor); err != nil {
		return "", fmt.Errorf("read cursor: %w", store.ErrNotFound)
	}
	return cursor, nil
}

// names gives the words of the revision a conversation was decided under. A revision this binary cannot compile (a newer
// peer's) costs the names, not the page.
func (d *Dashboard) names(ctx context.Context, revisionID string) names {
	rev, err := d.revisions.ByID(ctx, revisionID)
	if err != nil {
		d.log.WarnContext(ctx, "page without names", "revision_id", revisionID, "error", err)
		return names{}
	}
	return names{rev}
}

// accountNames gives the words of an account's active revision.
func (d *Dashboard) accountNames(accountID string) names {
	rev, ok := d.revisions.Active(accountID)
	if !ok {
		return names{}
	}
	return names{rev}
}

// find turns an id of ours, or the platform's, into an account and an id of ours.
func (d *Dashboard) find(r *http.Request) (account, id string, err error) {
	asked := r.PathValue("id")
	account, id, err = d.reader(r, people.Look).FindConversation(r.Context(), r.URL.Query().Get("account"), asked)
	if err != nil {
		return "", "", fmt.Errorf("find conversation: %w", err)
	}
	return account, id, nil
}

// names is what a revision calls things; the zero names calls them by their ids.
type names struct{ rev *automation.Revision }

// zone is where the account's times are shown.
func (n names) zone() *time.Location {
	if n.rev == nil || n.rev.Location == nil {
		return time.UTC
	}
	return n.rev.Location
}

func (n names) account(id string) string {
	if n.rev == nil || n.rev.Name == "" {
		return id
	}
	return n.rev.Name
}

// automation gives an automation's name and where it stands in the author's files.
func (n names) automation(id string) (name, place string) {
	if n.rev == nil {
		return id, ""
	}
	for _, a := range n.rev.Automations {
		if a.ID != id {
			continue
		}
		if name = a.Name; name == "" {
			name = id
		}
		if a.File != "" {
			place = fmt.Sprintf("%s:%d", a.File, a.Line)
		}
		return name, place
	}
	return id, ""
}
