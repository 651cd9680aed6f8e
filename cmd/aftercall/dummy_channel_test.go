package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"aftercall/deliver"
	"aftercall/deliver/delivertest"
)

// paging is a local paging service with that wire format. It does what a situation says.
type paging struct {
	*httptest.Server
	in    delivertest.Situation
	ended chan struct{}

	mu  sync.Mutex
	had []delivertest.Copy // whole
}

const pagerKey = "key-of-the-pager"

func newPaging(t *testing.T, in delivertest.Situation) *paging {
	t.Helper()
	s := &paging{in: in, ended: make(chan struct{})}
	s.Server = httptest.NewServer(http.HandlerFunc(s.page))
	t.Cleanup(func() {
		close(s.ended)
		s.CloseClientConnections()
		s.Close()
	})
	return s
}

func (s *paging) page(w http.ResponseWriter, r *http.Request) {
	var asked struct{ To, Words, Ref string }
	body, err := io.ReadAll(r.Body)
	if err != nil || json.Unmarshal(body, &asked) != nil {
		return // the request never was complete
	}
	answer := map[delivertest.Situation]struct {
		status int
		body   string
	}{
		delivertest.RateLimited: {429, "canary"}, delivertest.Failing: {503, "canary"}, delivertest.Refuses: {400, "no pager " + asked.To},
		delivertest.HugeAnswer: {400, strings.Repeat("canary ", 1<<20)}, delivertest.EchoesInput: {400, string(body) + r.Header.Get("X-Key")},
	}[s.in]
	switch {
	case r.URL.Path != "/pages" || r.Method != http.MethodPost:
		answer.status = http.StatusNotFound
	case r.Header.Get("X-Key") != pagerKey:
		answer.status = http.StatusUnauthorized
	}
	if answer.status != 0 {
		w.WriteHeader(answer.status)
		_, _ = io.WriteString(w, answer.body)
		return
	}
	s.mu.Lock()
	s.had = append(s.had, delivertest.Copy{Delivery: asked.Ref, Key: asked.Ref, Text: asked.Words})
	s.mu.Unlock()
	switch s.in {
	case delivertest.Cut:
		panic(http.ErrAbortHandler)
	case delivertest.Silent, delivertest.LateAnswer: // the caller's patience ends long before
		select {
		case <-r.Context().Done():
		case <-s.ended:
		}
		return
	}
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, `{"page":"p-`+asked.Ref+`"}`)
}

func (s *paging) received() []delivertest.Copy {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.had)
}

// TestAddAChannel holds the dummy against what every channel is held against.
func TestAddAChannel(t *testing.T) {
	t.Parallel()
	delivertest.Run(t, func(t *testing.T, s delivertest.Situation) delivertest.Rig {
		service := newPaging(t, s)
		url, key := service.URL, pagerKey
		switch s {
		case delivertest.NoAccess:
			key = "another-key"
		case delivertest.Unreachable:
			gone := httptest.NewServer(http.NotFoundHandler())
			gone.Close()
			url = gone.URL
		}
		return delivertest.Rig{Channel: newPager(url, key), Received: service.received, Secrets: []string{pagerKey, "pager-7"}, Shape: func(m *deliver.Message) {
			m.Subject, m.HTML, m.CC, m.To = "", "", nil, []deliver.Address{{Name: "Pat Canary", Address: "pager-7"}}
		}}
	})
	r, err := newPager(newPaging(t, delivertest.Accepts).URL, pagerKey).Send(t.Context(), deliver.Message{DeliveryID: "d-1", To: []deliver.Address{{Address: "pager-7"}}, Text: "Dana Whitfield waits"})
	if want := (deliver.Receipt{Provider: "pager", ProviderID: "p-d-1"}); err != nil || r != want {
		t.Errorf("Send = %v, %v, want %v", r, err, want)
	}
}
