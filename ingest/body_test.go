package ingest_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"aftercall/ingest"
)

func TestWhatIsNoBody(t *testing.T) {
	t.Parallel()
	h := open(t, func(c *ingest.Config) { c.MaxBody = 2000 })
	tests := map[string]struct {
		header http.Header
		body   string
		want   int
	}{
		"a form":                  {http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, "a=b", 415},
		"no type":                 {http.Header{"Content-Type": nil}, "{}", 415},
		"another charset":         {http.Header{"Content-Type": {"application/json; charset=latin1"}}, "{}", 415},
		"utf-8, said so":          {http.Header{"Content-Type": {"application/json; charset=UTF-8"}}, string(call("call-1", "x")), 200},
		"compressed":              {http.Header{"Content-Encoding": {"gzip"}}, "{}", 415},
		"too large":               {nil, string(call("call-2", strings.Repeat("x", 3000))), 413},
		"not JSON":                {nil, "{", 400},
		"not UTF-8":               {nil, "{\"id\":\"\xff\"}", 400},
		"nothing":                 {nil, "", 400},
		"nested too deep":         {nil, strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100), 400},
		"a list":                  {nil, "[]", 400},
		"a metadata key too long": {nil, strings.Replace(string(call("call-5", "x")), "{", `{"metadata":{"`+strings.Repeat("k", 201)+`":{"a":1}},`, 1), 400},
		"twice the id":            {nil, strings.Replace(string(call("call-3", "x")), "{", `{"id":"call-4",`, 1), 400},
		"a NUL":                   {nil, string(bytes.Replace(call("call-5", "x"), []byte(`"x"`), []byte(`"a\u0000b"`), 1)), 400},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			a := h.post(t, "/v1/conversations", addAll(bearer(apiKey), tt.header), []byte(tt.body))
			if a.status != tt.want {
				t.Errorf("%d %s, want %d", a.status, a.raw, tt.want)
			}
		})
	}
	h.wantRows(t, 1, 1, 1, 0)
}

// chunked is a body of unknown length that never ends by itself.
type chunked struct{ left int }

func (c *chunked) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, io.EOF
	}
	n := min(len(p), c.left)
	for i := range n {
		p[i] = ' '
	}
	c.left -= n
	return n, nil
}

func TestABodyOfUnknownLengthIsCutOff(t *testing.T) {
	t.Parallel()
	h := open(t, func(c *ingest.Config) { c.MaxBody = 100_000 })
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url+"/v1/conversations", &chunked{left: 400_000})
	if err != nil {
		t.Fatal(err)
	}
	req.Header = addAll(bearer(apiKey), http.Header{"Content-Type": {"application/json"}})
	if a := h.do(t, req); a.status != 413 {
		t.Errorf("%d %s, want 413", a.status, a.raw)
	}
}

// TestBodiesOfUnknownLengthStayApart: they are read into pieces that are used again, and each must be stored as it came.
func TestBodiesOfUnknownLengthStayApart(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	const n = 8
	var posts sync.WaitGroup
	for i := range n {
		posts.Go(func() {
			text := strings.Repeat(string(rune('a'+i)), 100_000)
			body := call(fmt.Sprintf("call-%d", i), text)
			if i%2 == 0 { // of several pieces
				more := fmt.Sprintf(`{"role":"customer","text":%q},`, text)
				body = bytes.Replace(body, []byte(`"turns":[`), []byte(`"turns":[`+strings.Repeat(more, i)), 1)
			}
			if a := h.postWhole(t, body, true); a.status != 200 {
				t.Errorf("call %d: %d %s", i, a.status, a.raw)
				return
			}
			if a := h.postWhole(t, body, false); a.status != 200 || !a.said.Duplicate {
				t.Errorf("call %d, once more with its length: %d %s, want a duplicate", i, a.status, a.raw)
			}
		})
	}
	posts.Wait()
	h.wantRows(t, n, n, n, 0)
}

// postWhole posts a body, with or without its length, until the house has time for it: a crowded machine answers 503.
func (h *house) postWhole(t *testing.T, body []byte, chunked bool) (a answer) {
	for range 20 {
		var r io.Reader = bytes.NewReader(body)
		if chunked {
			r = io.MultiReader(r) // which does not tell its length
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url+"/v1/conversations", r)
		if err != nil {
			t.Error(err)
			return a
		}
		req.Header = addAll(bearer(apiKey), http.Header{"Content-Type": {"application/json"}})
		if a = h.do(t, req); a.status != http.StatusServiceUnavailable {
			return a
		}
	}
	return a
}

func TestASlowBodyIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	h := open(t, func(c *ingest.Config) { c.BodyTimeout = 100 * time.Millisecond })
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(h.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	fmt.Fprintf(conn, "POST /v1/conversations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{", apiKey)
	_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
	said, _ := io.ReadAll(conn)
	if !strings.HasPrefix(string(said), "HTTP/1.1 408 ") {
		t.Errorf("the server says %.100q, want 408", said)
	}
	h.wantRows(t, 0, 0, 0, 0)
}
