// Package ingest is the door: it takes webhooks and API posts, proves who sent them, decodes them and stores them.
//
// It owns the HTTP interface to the outside (POST /v1/conversations, POST /v1/events, POST /hooks/{source}, health and
// the OpenAPI description, in which the routes stand that are given to it beside its own), the signature schemes, and one
// adapter per call platform that turns its payload into a conversation. A new platform is one file and one line in adapters.go.
//
// It promises the order: size and type, raw bytes, signature over those bytes, only then decoding; and it answers exactly
// 200 after event, conversation and queue job are committed, and nothing but a problem (RFC 9457) otherwise. The account
// comes from the API key or from the source in the path, never from a body. It logs ids and sizes, never what a body says.
package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"aftercall/automation"
	"aftercall/internal/openapi"
	"aftercall/internal/signals"
	"aftercall/internal/store"
	"aftercall/people"
	"aftercall/worker"
)

// Config is what a Handler is built from. A zero number means its default.
type Config struct {
	Store     *store.Store
	River     *river.Client[pgx.Tx] // inserts decide jobs
	Revisions *worker.Revisions
	Getenv    func(string) string // reads the secrets that sources name
	Logger    *slog.Logger
	Now       func() time.Time    // default time.Now
	Door      *worker.Door        // told of each webhook while it is stored; default one of its own, which nobody asks
	Ready     http.Handler        // answers /readyz; default: whether the database answers
	Signals   *signals.Signals    // what is measured and followed; nil: nothing
	Beside    []openapi.Route     // answered and described with these
	Words     map[string][]string // of the types of their bodies

	PublicURL string // how platforms reach the handler: some sign the address; default: as the request says

	MaxBody     int64         // bytes of one body as it is kept; default 5 MB
	BodyTimeout time.Duration // for a body to arrive; default 10 s
}

// Handler is the HTTP interface to the outside. It is safe for concurrent use.
type Handler struct {
	intake    *store.Ingest
	revisions *worker.Revisions
	keys      *people.Keyring
	getenv    func(string) string
	log       *slog.Logger
	now       func() time.Time
	door      *worker.Door
	signals   *signals.Signals
	ready     http.Handler
	described []byte // the OpenAPI description
	public    string // as in Config.PublicURL

	maxBody     int64
	bodyTimeout time.Duration
	pieces      sync.Pool // of *piece, for large bodies on their way in
	mux         *http.ServeMux
}

// New builds the handler.
func New(c Config) (*Handler, error) {
	if c.Store == nil || c.River == nil || c.Revisions == nil || c.Getenv == nil || c.Logger == nil {
		return nil, errors.New("ingest: store, queue, revisions, environment and logger are needed")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Door == nil {
		c.Door = &worker.Door{}
	}
	if c.Ready == nil {
		c.Ready = signals.NewReadiness(c.Logger, signals.Check{Name: "database", Says: "The database does not answer.", Look: c.Store.Answers})
	}
	if c.MaxBody <= 0 {
		c.MaxBody = 5 << 20
	}
	if c.BodyTimeout <= 0 {
		c.BodyTimeout = 10 * time.Second
	}
	h := &Handler{
		intake: c.Store.NewIngest(worker.EnqueueDecides(c.River)), revisions: c.Revisions,
		keys: people.NewKeyring(c.Store.FindKey, c.Now), getenv: c.Getenv, log: c.Logger, now: c.Now, door: c.Door,
		signals: c.Signals, ready: c.Ready, public: c.PublicURL, maxBody: c.MaxBody, bodyTimeout: c.BodyTimeout, mux: http.NewServeMux(),
		pieces: sync.Pool{New: func() any { return new(piece) }},
	}
	all := append(h.routes(), c.Beside...)
	for _, r := range all {
		h.mux.Handle(r.Pattern(), r.Handler)
	}
	h.mux.HandleFunc("/", h.nowhere)
	var err error
	if h.described, err = openapi.Document(all, c.Words); err != nil {
		return nil, fmt.Errorf("ingest: %w", err)
	}
	return h, nil
}

// ServeHTTP answers one request, with a 500 if what serves it panics. Left alone, net/http would log the panic's value,
// which could quote a call, and cut the connection.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer func() {
		if p := recover(); p != nil {
			h.log.ErrorContext(r.Context(), "panic in a request", "route", r.Pattern, "type", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
			(&problem{status: http.StatusInternalServerError, detail: "Something went wrong here; post it again."}).write(w)
			h.signals.Webhook("", signals.Failed, 0) // whatever it was, and however long it took
		}
	}()
	setHeaders(w.Header())
	h.mux.ServeHTTP(w, r)
}

// setHeaders is for whoever opens an answer in a browser: it is data, whatever stands in it. Nothing in it is loaded or run,
// no other page shows it in a frame, and it is not guessed to be anything but what it says it is.
func setHeaders(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// conversation takes a finished conversation in our own format.
func (h *Handler) conversation(p *post) (accepted, *problem) {
	if no := h.admit(p); no != nil {
		return accepted{}, no
	}
	doc, no := h.document(p, strict)
	if no != nil {
		return accepted{}, no
	}
	d, faults := native{}.decode(doc, p.caller.source, h.now())
	if len(faults) > 0 {
		return accepted{}, faulty(faults)
	}
	p.kind = d.kind
	if p.caller.seal.id != "" {
		d.identity = p.caller.seal.id
	}
	return h.accept(p, d)
}

// event takes something that happened during or beside a conversation. It is decided if an automation waits for its type, and
// else only stored.
func (h *Handler) event(p *post) (accepted, *problem) {
	if no := h.admit(p); no != nil {
		return accepted{}, no
	}
	doc, no := h.document(p, strict)
	if no != nil {
		return accepted{}, no
	}
	e, faults := decodeEvent(doc, p.body)
	if len(faults) > 0 {
		return accepted{}, faulty(faults)
	}
	p.kind = e.kind
	if p.caller.seal.id != "" {
		e.identity = p.caller.seal.id
	}
	rev, no := h.revision(p)
	if no != nil {
		return accepted{}, no
	}
	d := decoded{identity: e.identity, kind: e.kind, about: e.call, ignored: !awaited(rev, e.kind)}
	if !d.ignored {
		d.conversation = e.conversation()
	}
	a, no := h.accept(p, d)
	a.ID, a.Ignored = d.identity, d.ignored
	return a, no
}

// revision is the one that was active when the post came in.
func (h *Handler) revision(p *post) (*automation.Revision, *problem) {
	rev, err := h.revisions.ByID(p.r.Context(), p.caller.revision)
	if err != nil {
		return nil, unstored(p.r.Context(), err)
	}
	return rev, nil
}

// hook takes a platform's own payload.
func (h *Handler) hook(p *post) (accepted, *problem) {
	platform, no := h.admitSource(p, p.r.PathValue("source"))
	if no != nil {
		return accepted{}, no
	}
	if token := greeting(p.caller.source, p.r.Header); token != "" {
		if no := p.caller.proves(nil); no != nil {
			return accepted{}, no
		}
		p.w.Header().Set(validationToken, token)
		return accepted{Ignored: true}, nil
	}
	doc, no := h.document(p, lenient)
	if no != nil {
		return accepted{}, no
	}
	d, faults := platform.decode(doc, p.caller.source, h.now())
	if len(faults) > 0 {
		return accepted{}, faulty(faults)
	}
	p.kind = d.kind
	if d.identity == identityOf("", d.kind) {
		d.identity = identityOfBody(d.identity, p.body)
	}
	posted := d.identity
	if p.caller.seal.id != "" {
		d.identity = p.caller.seal.id
	}
	if d.conversation == nil {
		rev, no := h.revision(p)
		if no != nil {
			return accepted{}, no
		}
		if !d.second && awaited(rev, d.kind) {
			d.conversation, d.ignored = d.event(doc, h.now()), false
		}
	}
	if d.ignored {
		return accepted{ID: posted, Ignored: true}, nil
	}
	return h.accept(p, d)
}

// patienceForAnalysis is how long a conversation waits whose analysis came before the conversation itself.
const patienceForAnalysis = 2 * time.Minute

// accept stores what was decoded and says what became of it.
func (h *Handler) accept(p *post, d decoded) (accepted, *problem) {
	defer h.door.Enter()()
	now := h.now()
	wait := time.Duration(0)
	if p.caller.source != nil && d.awaits {
		wait = p.caller.source.WaitForAnalysis
	}
	if d.partial {
		wait = max(wait, patienceForAnalysis)
	}
	kept, err := h.intake.Accept(p.r.Context(), store.Arrival{
		Event: store.Event{
			AccountID: p.caller.account, Source: p.caller.name, Identity: d.identity, Type: d.kind,
			ContentType: p.contentType, Body: p.body, ReceivedAt: now,
		},
		Conversation: d.conversation, About: d.about, RevisionID: p.caller.revision, DecideAt: now.Add(wait), Final: wait == 0,
		Trace: signals.Carry(p.r.Context()),
	})
	if err != nil {
		return accepted{}, unstored(p.r.Context(), err)
	}
	p.result(kept)
	a := accepted{ID: d.identity, ConversationID: kept.ConversationID, Duplicate: kept.Duplicate || kept.Erased}
	if d.conversation != nil && d.conversation.Event == nil {
		a.ID = d.conversation.ExternalID
	}
	if kept.Conflict {
		if p.ours {
			return accepted{}, conflict()
		}
		a.Duplicate = true
	}
	return a, nil
}

// unstored judges an error of the store: it is away, or something is wrong here. The sender is asked to come back in
// both cases: what was stored all the same is known when it comes again.
func unstored(ctx context.Context, err error) *problem {
	if errors.Is(ctx.Err(), context.Canceled) {
		return &problem{status: http.StatusServiceUnavailable, detail: "The request ended before it was stored.", after: 1, cause: err}
	}
	if store.Away(err) {
		return &problem{status: http.StatusServiceUnavailable, detail: "The database is away or slow; post this again.", after: 5, cause: err}
	}
	return &problem{status: http.StatusInternalServerError, detail: "Something went wrong here; nothing was stored.", cause: fmt.Errorf("accept: %w", err)}
}
