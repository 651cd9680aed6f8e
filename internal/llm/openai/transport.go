package openai

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	goopenai "github.com/sashabaranov/go-openai"
)

// largestBody bounds an answer. go-openai reads whatever comes; our longest answers have some ten thousand bytes.
const largestBody = 8 << 20

// client wraps the given client's transport, or a pooled one that keeps enough connections for many hundred calls at
// once (the standard one keeps two per host and dials anew for the rest).
func client(given *http.Client) *http.Client {
	c := &http.Client{}
	if given != nil {
		*c = *given
	}
	next := c.Transport
	if next == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxIdleConns, t.MaxIdleConnsPerHost, t.IdleConnTimeout = 1024, 1024, 90*time.Second
		t.WriteBufferSize = 16 << 10 // a prompt in one piece
		next = t
	}
	c.Transport = bounded{next}
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c
}

var errRedirect = errors.New("the server answered with a redirect")

// bounded limits answers and turns redirects, which go-openai takes for success, into an error.
type bounded struct{ next http.RoundTripper }

// RoundTrip makes the call.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if res.StatusCode >= 300 && res.StatusCode < 400 {
		_ = res.Body.Close() // nothing in it is of use
		return nil, errRedirect
	}
	res.Body = limited{io.LimitReader(res.Body, largestBody), res.Body}
	return res, nil
}

type limited struct {
	io.Reader
	io.Closer
}

// poster sends the body that the context carries in place of go-openai's own.
type poster struct{ *http.Client }

type bodyKey struct{}

// written writes a request, to be sent by poster, and takes out of it what is long. go-openai has each message written by
// itself, and that JSON read again byte by byte; of a call with a transcript this was a third of the work.
func written(ctx context.Context, q *goopenai.ChatCompletionRequest) context.Context {
	type message struct {
		Role    string `json:"role"`
		Content string `json:"content,omitempty"`
	}
	all := make([]message, len(q.Messages))
	for i, m := range q.Messages {
		all[i] = message{m.Role, m.Content}
	}
	body, err := json.Marshal(struct {
		goopenai.ChatCompletionRequest
		Messages []message `json:"messages"`
	}{*q, all})
	if err != nil {
		return ctx // go-openai runs into the same, and says so
	}
	q.Messages, q.ResponseFormat = nil, nil
	return context.WithValue(ctx, bodyKey{}, body)
}

// Do sends a request.
func (p poster) Do(r *http.Request) (*http.Response, error) {
	if body, ok := r.Context().Value(bodyKey{}).([]byte); ok {
		whole, err := http.NewRequestWithContext(r.Context(), r.Method, r.URL.String(), bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		whole.Header = r.Header
		r = whole
	}
	return p.Client.Do(r)
}

// digest makes a short opaque key, so that account names do not leave the house in it.
func digest(key string) string {
	if key == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:12])
}
