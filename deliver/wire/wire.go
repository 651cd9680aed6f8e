// Package wire is how a channel puts one request to a provider over HTTP, and how it knows how far the request came.
//
// It owns the client that channels share the making of, what a request without an answer means, and when a provider asks
// to be tried again.
//
// It promises that a request is sent once and goes nowhere but to the address it is for: no redirect is followed, and what
// was written to one connection is never written to another. It promises that an answer is read whole or not at all, so that
// what happens to a connection after the status is known cannot make a send uncertain. It knows no provider.
package wire

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"sync/atomic"
	"time"

	"aftercall/deliver"
)

// Classes of a request that brought no answer, as recorded and grouped.
const (
	ClassConnection = "connection"
	ClassTimeout    = "timeout"
	ClassCancelled  = "cancelled"
)

const (
	// maxAnswer bounds what is read of an answer, maxHeader its header. Most have no body or a few hundred bytes; Salesforce
	// gives back what was posted, several times over.
	maxAnswer = 1 << 20
	maxHeader = 64 << 10
	// longest is how long a message waits at most, whatever a provider asks for.
	longest = time.Hour
)

// Client returns a client that keeps up to so many connections to its provider.
func Client(connections int) *http.Client {
	return &http.Client{
		Transport: bounded{transport(connections)},
		// A redirect would post the message, and the key, to another address.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// transport keeps connections open between sends; the default keeps two. HTTP/1.1 only: there net/http resends a POST on
// another connection only where not one byte was written (transport.go, shouldRetryRequest), and httptrace tells exactly
// how far a request came.
func transport(connections int) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxIdleConns:           connections,
		MaxIdleConnsPerHost:    connections,
		MaxConnsPerHost:        connections,
		IdleConnTimeout:        60 * time.Second,
		MaxResponseHeaderBytes: maxHeader,
		Protocols:              protocols,
	}
}

// bounded reads an answer's body, up to maxAnswer, before it hands the answer on.
type bounded struct{ next http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, _ := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	_ = res.Body.Close()
	res.Body = io.NopCloser(bytes.NewReader(body))
	return res, nil
}

// Progress follows how far one request came.
type Progress struct{ connected, unwritten atomic.Bool }

// Trace is the context with which the request is made.
func (p *Progress) Trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		// A second connection is only taken if nothing was written to the first.
		GotConn: func(httptrace.GotConnInfo) {
			p.connected.Store(true)
			p.unwritten.Store(false)
		},
		WroteRequest: func(i httptrace.WroteRequestInfo) { p.unwritten.Store(i.Err != nil) },
	})
}

// Verdict judges a request without an answer. Without a connection (dial, DNS, TLS) nothing was sent; nor was it if
// writing the request broke off, since an incomplete request is never acted on. In every other case, also where the
// context ended while the request was being written, nobody can know.
func (p *Progress) Verdict(ctx context.Context, err error) *deliver.Error {
	e := &deliver.Error{Verdict: deliver.Unknown, Class: ClassConnection, Detail: "the request went out and no answer came back"}
	if !p.connected.Load() || p.unwritten.Load() {
		e.Verdict, e.Detail = deliver.Retry, "no complete request went out"
	}
	var netErr net.Error
	switch {
	case ctx.Err() != nil:
		e.Class = ClassOf(ctx.Err())
	case errors.As(err, &netErr) && netErr.Timeout():
		e.Class = ClassTimeout
	}
	return e
}

// ClassOf tells a context that ran out from one that was cancelled.
func ClassOf(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return ClassTimeout
	}
	return ClassCancelled
}

// After reads when to try again, in seconds or as a date; 0 if the provider did not say.
func After(h http.Header, now time.Time) time.Duration {
	if n, err := strconv.Atoi(h.Get("Retry-After")); err == nil {
		return Within(time.Duration(min(n, int(longest/time.Second))) * time.Second)
	}
	if at, err := http.ParseTime(h.Get("Retry-After")); err == nil {
		return Within(at.Sub(now))
	}
	return 0
}

// Within keeps a wait that a provider asks for within reason.
func Within(d time.Duration) time.Duration { return min(max(d, 0), longest) }
