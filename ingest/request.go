package ingest

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"aftercall/conversation"
	"aftercall/internal/signals"
	"aftercall/internal/store"
)

// post is one POST on its way through the handler, with what the log says of it at the end.
type post struct {
	w           http.ResponseWriter
	r           *http.Request
	contentType string
	body        []byte
	most        int64  // bytes that the body may have as it comes in
	leftOut     string // the member of the body whose text is not kept
	caller      caller
	form        bool // the body is no JSON
	ours        bool // our own API: a contradiction is an error, not a platform's habit

	kind, conversation, outcome string
}

// route answers posts of one kind and writes one line about each.
func (h *Handler) route(name string, serve func(*post) (accepted, *problem)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := h.now()
		ctx, span := h.signals.Receive(r.Context(), name, r.Header)
		p := &post{w: w, r: r.WithContext(ctx), ours: name != "hook"}
		a, no := serve(p)
		status := http.StatusOK
		if no == nil {
			writeJSON(w, status, "application/json", a)
		} else {
			status = no.status
			no.write(w)
		}
		took, outcome := h.now().Sub(began), became(p, a, no)
		h.signals.Webhook(name, outcome, took)
		span.Note(h.report(name, p, a, no, status, took)...)
		span.End(broken(no, outcome))
	})
}

// became is the word for what became of a post.
func became(p *post, a accepted, no *problem) string {
	switch {
	case no == nil && p.outcome == "" && a.Ignored:
		return signals.Ignored
	case no == nil || no.status == http.StatusConflict:
		return p.outcome
	case no.status == http.StatusUnauthorized:
		return signals.Unauthorized
	case no.status == http.StatusServiceUnavailable:
		return signals.Unavailable
	case no.status >= http.StatusInternalServerError:
		return signals.Failed
	}
	return signals.Refused
}

// broken is the word for a post that failed by our doing, "" for every other.
func broken(no *problem, outcome string) string {
	if no == nil || no.status < http.StatusInternalServerError {
		return ""
	}
	return outcome
}

// report writes the one line, and gives what it says: ids, sizes and outcome, never a word of the body.
func (h *Handler) report(name string, p *post, a accepted, no *problem, status int, took time.Duration) []slog.Attr {
	level, attrs := slog.LevelInfo, []slog.Attr{
		slog.String("route", name), slog.Int("status", status), slog.String("account_id", p.caller.account),
		slog.String("source", p.caller.name), slog.String("type", plainType(p.kind)), slog.String("conversation_id", p.conversation),
		slog.String("outcome", p.outcome), slog.Bool("ignored", a.Ignored), slog.Int("bytes", len(p.body)), slog.Duration("took", took),
	}
	if no != nil {
		attrs = append(attrs, slog.String("problem", no.detail), slog.Int("faults", len(no.faults)))
		if no.status >= 500 {
			level = slog.LevelError
		}
		if no.cause != nil {
			attrs = append(attrs, slog.String("error", no.cause.Error()))
		}
	}
	h.log.LogAttrs(p.r.Context(), level, "ingest", attrs...)
	return attrs
}

// plainType is an event's type as it may stand in a log: a platform's types are words, anything else is a stranger's text.
func plainType(kind string) string {
	for _, r := range kind {
		if r != '.' && r != '_' && r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
			return "other"
		}
	}
	if len(kind) > 100 {
		return "other"
	}
	return kind
}

// result notes what became of the arrival.
func (p *post) result(a store.Accepted) {
	p.conversation, p.outcome = a.ConversationID, "known"
	switch {
	case a.Erased:
		p.outcome = "erased"
	case a.Conflict:
		p.outcome = "conflict"
	case a.Duplicate:
		p.outcome = "duplicate"
	case a.New:
		p.outcome = "new"
	case a.Merged:
		p.outcome = "merged"
	case a.ConversationID == "":
		p.outcome = "event"
	}
}

// measure refuses a body by its announcement, before a byte of it is read. A platform may post a form.
func (h *Handler) measure(p *post) *problem {
	r := p.r
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset := strings.ToLower(params["charset"])
	p.form = kind == formType && !p.ours
	switch {
	case err != nil || kind != "application/json" && !p.form && (p.ours || kind != "application/jwt") || charset != "" && charset != "utf-8":
		return &problem{status: http.StatusUnsupportedMediaType, detail: "The body must be application/json in UTF-8."}
	case r.Header.Get("Content-Encoding") != "":
		return &problem{status: http.StatusUnsupportedMediaType, detail: "The body must not be compressed: the signature is over the bytes as sent."}
	case r.ContentLength > max(p.most, h.maxBody):
		return tooLarge(max(p.most, h.maxBody))
	}
	return nil
}

func tooLarge(most int64) *problem {
	return &problem{status: http.StatusRequestEntityTooLarge, detail: "The body is larger than " + strconv.FormatInt(most, 10) + " bytes."}
}

// read takes the body as it is, within size and time.
func (h *Handler) read(p *post) *problem {
	p.contentType = p.r.Header.Get("Content-Type")
	c := http.NewResponseController(p.w)
	_ = c.SetReadDeadline(time.Now().Add(h.bodyTimeout)) // a recorder in a test has no connection to set it on
	body, err := h.receive(p)
	var large *http.MaxBytesError
	switch {
	case err == nil:
		_ = c.SetReadDeadline(time.Time{})
		p.body = body
		return nil
	case errors.As(err, &large):
		return tooLarge(large.Limit)
	case errors.Is(err, os.ErrDeadlineExceeded):
		p.w.Header().Set("Connection", "close")
		return &problem{status: http.StatusRequestTimeout, detail: "The body did not arrive in time."}
	}
	return &problem{status: http.StatusBadRequest, detail: "The body ended early."}
}

// receive takes a body whole, unless it may be larger than what is kept of it.
func (h *Handler) receive(p *post) ([]byte, error) {
	if announced := p.r.ContentLength; p.most <= h.maxBody || p.form || announced >= 0 && announced <= h.maxBody {
		return h.take(http.MaxBytesReader(p.w, p.r.Body, h.maxBody), announced)
	}
	return h.takeLight(p, http.MaxBytesReader(p.w, p.r.Body, p.most))
}

// usualBody is the size up to which an announced length is believed, and the piece in which everything else is read: a post
// must come before it takes memory.
const usualBody = 256 << 10

type piece [usualBody]byte

// take reads a body. A large one, and one that does not say how large it is, comes in pieces that the next one uses again:
// a crowd of bodies that are refused in the end leaves nothing behind.
func (h *Handler) take(r io.Reader, announced int64) ([]byte, error) {
	if announced >= 0 && announced <= usualBody {
		body := make([]byte, announced)
		_, err := io.ReadFull(r, body)
		return body, err
	}
	var read [][]byte
	for {
		p := h.pieces.Get().(*piece)
		defer h.pieces.Put(p)
		n, err := fill(p[:], r)
		read = append(read, p[:n])
		switch {
		case errors.Is(err, io.EOF):
			return bytes.Join(read, nil), nil
		case err != nil:
			return nil, err
		}
	}
}

// fill reads until p is full or r ends. io.ReadFull would call an orderly end in between unexpected, as a cut one is.
func fill(p []byte, r io.Reader) (n int, err error) {
	for n < len(p) && err == nil {
		var more int
		more, err = r.Read(p[n:])
		n += more
	}
	return n, err
}

// document checks the signature of the body that was read, if there is one, and only then looks into it.
func (h *Handler) document(p *post, m mode) (map[string]any, *problem) {
	if no := h.read(p); no != nil {
		return nil, no
	}
	if no := p.caller.proves(p.body); no != nil {
		return nil, no
	}
	if p.leftOut != "" && !p.form {
		p.body = lighten(p.body, p.leftOut)
	}
	doc, faults := p.parse(m)
	if len(faults) > 0 {
		return nil, faulty(faults)
	}
	return doc, nil
}

// parse reads the body that was proven.
func (p *post) parse(m mode) (map[string]any, []conversation.Fault) {
	if p.form {
		return parseForm(p.body)
	}
	if m == lenient {
		return parse(claims(p.body), m)
	}
	return parse(p.body, m)
}

// nowhere answers what has no route, in the same form as everything else.
func (h *Handler) nowhere(w http.ResponseWriter, r *http.Request) {
	if allowed := h.allowed(r); len(allowed) > 0 {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		(&problem{status: http.StatusMethodNotAllowed, detail: "Only " + strings.Join(allowed, " and ") + " is answered here."}).write(w)
		return
	}
	(&problem{status: http.StatusNotFound, detail: "There is nothing here. The interface is described at /openapi.json."}).write(w)
}

// allowed are the methods that something answers at the request's address.
func (h *Handler) allowed(r *http.Request) (methods []string) {
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPatch} {
		probe := *r
		probe.Method = method
		if _, pattern := h.mux.Handler(&probe); pattern != "/" && pattern != "" {
			methods = append(methods, method)
		}
	}
	return methods
}
