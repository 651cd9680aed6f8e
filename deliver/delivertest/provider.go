package delivertest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// Fault is what a server does instead of accepting. The zero Fault accepts.
type Fault struct {
	Status int           // answer with this status (not SMTP); nothing is recorded
	Body   string        // its body
	Header http.Header   // and header
	Silent bool          // take and record the message, then never answer
	Cut    bool          // take and record the message, then hang up
	Late   time.Duration // take and record the message, and answer after this long
}

// refuses answers as the fault says, if that is to refuse.
func (f Fault) refuses(w http.ResponseWriter) bool {
	if f.Status == 0 {
		return false
	}
	for k, v := range f.Header {
		w.Header()[k] = v
	}
	w.WriteHeader(f.Status)
	_, _ = io.WriteString(w, f.Body)
	return true
}

// misbehaves keeps the sender waiting, at most until the server has ended, and reports whether it is to be cut off.
func (f Fault) misbehaves(r *http.Request, ended <-chan struct{}) bool {
	switch {
	case f.Silent:
		select {
		case <-r.Context().Done():
		case <-ended:
		}
		return true
	case f.Late > 0:
		select {
		case <-time.After(f.Late):
		case <-r.Context().Done():
		case <-ended:
		}
	}
	return f.Cut
}

// provider is what the servers that speak HTTP have in common: one takes messages of the type M, misbehaves as it is asked to,
// and keeps what came.
type provider[M any] struct {
	URL string

	server *httptest.Server
	ended  chan struct{}

	mu       sync.Mutex // of whatever changes, also in the server that embeds this
	fault    func(n int, m M) Fault
	requests int
	messages []M
}

// open starts the server. start is httptest.NewServer, or NewTLSServer.
func (p *provider[M]) open(start func(http.Handler) *httptest.Server, h http.Handler) {
	p.ended = make(chan struct{})
	p.server = start(h)
	p.URL = p.server.URL
}

// Close ends the server and every request that is still waiting.
func (p *provider[M]) Close() {
	close(p.ended)
	p.server.CloseClientConnections()
	p.server.Close()
}

// HangUpIdle closes the client's connections, as a server does that has waited long enough.
func (p *provider[M]) HangUpIdle() { p.server.CloseClientConnections() }

// Fail sets what is done to the n-th message that was asked for (from 1), m being what it carries; nil accepts everything.
func (p *provider[M]) Fail(f func(n int, m M) Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = f
}

// Requests counts the messages that were asked for, whatever became of them.
func (p *provider[M]) Requests() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.requests
}

// asked counts a message that is asked for, and gives its number.
func (p *provider[M]) asked() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests++
	return p.requests
}

// taken keeps the n-th message, and reports whether its request is to be answered as a success: a fault may have refused the
// message, or left its sender without an answer.
func (p *provider[M]) taken(w http.ResponseWriter, r *http.Request, n int, m M) bool {
	p.mu.Lock()
	fault := p.fault
	p.mu.Unlock()
	var f Fault
	if fault != nil {
		f = fault(n, m)
	}
	if f.refuses(w) {
		return false
	}
	p.mu.Lock()
	p.messages = append(p.messages, m)
	p.mu.Unlock()
	if f.misbehaves(r, p.ended) {
		panic(http.ErrAbortHandler)
	}
	return true
}

// all lists what was taken, in order.
func (p *provider[M]) all() []M {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]M(nil), p.messages...)
}

// Answers is the address of a server that gives one answer to everything.
func Answers(t *testing.T, status int, header map[string]string, body string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		for k, v := range header {
			w.Header().Set(k, v)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return s.URL
}
