package ingest_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"aftercall/automation"
	"aftercall/ingest"
	"aftercall/internal/postgres/pgtest"
	"aftercall/internal/store"
	"aftercall/worker"
)

const (
	secretOld   = "whsec_b2xkLW9sZC1vbGQtb2xkLW9sZC1vbGQtb2xk"
	secretNew   = "whsec_bmV3LW5ldy1uZXctbmV3LW5ldy1uZXctbmV3"
	secretOther = "whsec_b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3Ro"
	apiKey      = "ac_test-key"
)

const acme = `account: acme
name: Acme
timezone: Europe/London
sources:
  - { id: acme-native, type: native, secrets: ["${ENV:SECRET_OLD}", "${ENV:SECRET_NEW}"] }
  - { id: acme-itellico, type: itellico, secret: "${ENV:SECRET_NEW}", wait_for_analysis: 2m }
  - { id: acme-eleven, type: elevenlabs, secret: "${ENV:SECRET_NEW}" }
  - { id: acme-unset, type: itellico, secret: "${ENV:SECRET_UNSET}" }
`

const other = `account: other
name: Other
timezone: Europe/London
sources:
  - { id: other-native, type: native, secret: "${ENV:SECRET_OTHER}" }
`

// everyPlatform is an account with a source of each type, called hook-TYPE.
func everyPlatform() string {
	var b strings.Builder
	b.WriteString("account: platforms\nname: Platforms\ntimezone: Europe/London\nsources:\n")
	for _, t := range automation.SourceTypes() {
		fmt.Fprintf(&b, "  - { id: hook-%s, type: %s, secret: \"${ENV:SECRET_NEW}\" }\n", t.Name, t.Name)
	}
	return b.String()
}

// house is the handler behind a real server, on a database of its own with two accounts.
type house struct {
	url    string
	client *http.Client
	store  *store.Store
	log    *safeBuffer

	mu  sync.Mutex
	now time.Time
}

func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *house) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// safeBuffer is a log that may be written from many requests.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func open(t testing.TB, change func(*ingest.Config)) *house {
	t.Helper()
	s, err := store.Open(t.Context(), pgtest.New(t), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	h := &house{store: s, log: &safeBuffer{}, now: time.Now()}
	for id, file := range map[string]string{"acme": acme, "other": other, "platforms": everyPlatform()} {
		h.activate(t, id, file)
	}
	hash := sha256.Sum256([]byte(apiKey))
	if err := s.AddKey(t.Context(), "acme", "test", "ac_test", hash[:], store.Actor{}); err != nil {
		t.Fatal(err)
	}
	logger := slog.New(slog.NewJSONHandler(h.log, nil))
	revisions := worker.NewRevisions(s, logger)
	if err := revisions.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	jobs, err := worker.NewInserter(s)
	if err != nil {
		t.Fatal(err)
	}
	c := ingest.Config{Store: s, River: jobs, Revisions: revisions, Getenv: environment, Logger: logger, Now: h.clock}
	if change != nil {
		change(&c)
	}
	handler, err := ingest.New(c)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	h.url, h.client = server.URL, server.Client()
	h.client.Transport.(*http.Transport).MaxIdleConnsPerHost = 64
	return h
}

func environment(name string) string {
	return map[string]string{"SECRET_OLD": secretOld, "SECRET_NEW": secretNew, "SECRET_OTHER": secretOther}[name]
}

func (h *house) activate(t testing.TB, account, file string) {
	t.Helper()
	files := automation.Files{"account.yaml": []byte(file)}
	rev, problems := automation.Compile(files)
	if rev == nil {
		t.Fatalf("compile %s: %+v", account, problems)
	}
	var sources []string
	for _, s := range rev.Sources {
		sources = append(sources, s.ID)
	}
	id, err := h.store.SaveRevision(t.Context(), store.RevisionFiles{AccountID: account, Digest: rev.Digest, Format: automation.Format, Files: files}, "test")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.store.Activate(t.Context(), store.Activation{AccountID: account, RevisionID: id, By: "test", Sources: sources}); err != nil {
		t.Fatal(err)
	}
}

// answer is what the server said.
type answer struct {
	status int
	header http.Header
	raw    string
	said   struct {
		ID             string `json:"id"`
		ConversationID string `json:"conversation_id"`
		Duplicate      bool   `json:"duplicate"`
		Ignored        bool   `json:"ignored"`
		Status         int    `json:"status"`
		Detail         string `json:"detail"`
		Errors         []struct{ Pointer, Detail string }
	}
}

// post sends a body; header is added to Content-Type: application/json.
func (h *house) post(t testing.TB, path string, header http.Header, body []byte) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for k, v := range header {
		req.Header[k] = v
	}
	return h.do(t, req)
}

func (h *house) do(t testing.TB, req *http.Request) (a answer) {
	t.Helper()
	res, err := h.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	a.status, a.header, a.raw = res.StatusCode, res.Header, string(raw)
	if err := json.Unmarshal(raw, &a.said); err != nil {
		t.Fatalf("the answer %d is no JSON: %s", a.status, raw)
	}
	return a
}

func bearer(key string) http.Header { return http.Header{"Authorization": {"Bearer " + key}} }

// signed signs as the platform does.
func (h *house) signed(t testing.TB, kind, secret string, body []byte) http.Header {
	t.Helper()
	r := http.Request{Header: http.Header{}}
	if err := ingest.Sign(&r, kind, secret, h.clock(), body); err != nil {
		t.Fatal(err)
	}
	return r.Header
}

// rows counts what is stored.
func (h *house) rows(t testing.TB) (events, conversations, jobs, conflicts int) {
	t.Helper()
	err := h.store.Pool().QueryRow(t.Context(), `SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM conversations),
		(SELECT count(*) FROM river_job WHERE kind = 'conversation.decide'), (SELECT count(*) FROM event_conflicts)`).
		Scan(&events, &conversations, &jobs, &conflicts)
	if err != nil {
		t.Fatal(err)
	}
	return events, conversations, jobs, conflicts
}

func (h *house) wantRows(t testing.TB, events, conversations, jobs, conflicts int) {
	t.Helper()
	e, c, j, x := h.rows(t)
	if e != events || c != conversations || j != jobs || x != conflicts {
		t.Errorf("%d events, %d conversations, %d jobs, %d conflicts; want %d, %d, %d, %d", e, c, j, x, events, conversations, jobs, conflicts)
	}
}
