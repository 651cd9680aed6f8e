package ingest_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercall/ingest"
)

func call(id, text string) []byte {
	return fmt.Appendf(nil, `{"id":%q,"agent":{"id":"reception","name":"Reception"},"channel":"phone","direction":"inbound","status":"completed",
		"started_at":"2026-03-02T09:30:00Z","ended_at":"2026-03-02T09:32:00Z","from_number":"+447700900123","to_number":"+442079460000",
		"customer":{"name":"Pat Canary","email":"pat.canary@example.com"},
		"turns":[{"role":"agent","text":"Hello"},{"role":"customer","text":%q,"at_ms":2500}]}`, id, text)
}

func TestAConversationIsAcceptedOnce(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	first := h.post(t, "/v1/conversations", bearer(apiKey), call("call-1", "Call me back"))
	if first.status != 200 || first.said.ID != "call-1" || first.said.ConversationID == "" || first.said.Duplicate {
		t.Fatalf("first: %d %s", first.status, first.raw)
	}
	again := h.post(t, "/v1/conversations", bearer(apiKey), call("call-1", "Call me back"))
	if again.status != 200 || !again.said.Duplicate || again.said.ConversationID != first.said.ConversationID {
		t.Errorf("again: %d %s", again.status, again.raw)
	}
	changed := h.post(t, "/v1/conversations", bearer(apiKey), call("call-1", "Never call me"))
	if changed.status != 409 || changed.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("another body: %d %s", changed.status, changed.raw)
	}
	h.wantRows(t, 1, 1, 1, 1)
	if log := h.log.String(); strings.Contains(strings.ToLower(log), "canary") || strings.Contains(log, "+44") || strings.Contains(log, "back") || strings.Contains(log, apiKey) {
		t.Errorf("the log repeats what was posted: %s", log)
	}
}

// What a caller chose may be an e-mail address or a number; none of it reaches the log, whatever the answer.
func TestTheLogQuotesNoCaller(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	const mark = "pat.canary@example.com"
	event := func(id, at string) []byte {
		return fmt.Appendf(nil, `{"id":%q,"type":"call.started","conversation":%q,"at":%q,"data":{"point":%q}}`, id, mark, at, mark)
	}
	for _, c := range []struct {
		path string
		body []byte
		want int
	}{
		{"/v1/conversations", call(mark, "Call me back"), 200},
		{"/v1/conversations", call(mark, "Never call me"), 409},
		{"/v1/events", event(mark, "2026-03-02T09:30:00Z"), 200},
		{"/v1/events", event(mark, "2026-03-02T09:31:00Z"), 409},
		{"/v1/conversations", fmt.Appendf(nil, `{"id":%q,%q:1,"customer":{%q:2},"channel":%q}`, mark, mark, mark, mark), 400},
		{"/v1/conversations", fmt.Appendf(nil, `{%q`, mark), 400},
		{"/v1/events", event(mark, mark), 400},
		{"/hooks/" + mark, event(mark, mark), 404},
		{"/" + mark, nil, 404},
	} {
		if a := h.post(t, c.path, bearer(apiKey), c.body); a.status != c.want {
			t.Errorf("%s %s: %d %s, want %d", c.path, c.body, a.status, a.raw, c.want)
		}
	}
	if log := h.log.String(); strings.Contains(log, "canary") || strings.Count(log, `"msg":"ingest"`) != 8 {
		t.Errorf("want a line for each post and no word of the caller's: %s", log)
	}
}

func TestAPanicIsAProblemAndQuotesNothing(t *testing.T) {
	t.Parallel()
	h := open(t, func(c *ingest.Config) {
		c.Getenv = func(string) string { panic("said by Pat Canary, +447700900123") }
	})
	a := h.post(t, "/hooks/acme-native", nil, call("call-1", "Call me back"))
	if a.status != 500 || a.header.Get("Content-Type") != "application/problem+json" || strings.Contains(a.raw, "Canary") {
		t.Errorf("%d %s, want a problem 500", a.status, a.raw)
	}
	log := h.log.String()
	if !strings.Contains(log, `"type":"string"`) || !strings.Contains(log, "openSeal") || strings.Contains(log, "Canary") || strings.Contains(log, "127.0.0.1") {
		t.Errorf("want the type and the stack, and neither value nor peer: %s", log)
	}
	h.wantRows(t, 0, 0, 0, 0)
}

func TestFaultsAreNamedAllAtOnce(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	a := h.post(t, "/v1/conversations", bearer(apiKey), []byte(`{"id":"x","agent":{"id":"a"},"chanel":"phone","status":"gone","started_at":"2026-03-02T09:30:00Z","ended_at":"2026-03-02T09:29:00Z","turns":[{"role":"bot"}]}`))
	var got []string
	for _, e := range a.said.Errors {
		got = append(got, e.Pointer)
	}
	if want := "/chanel /channel /status /ended_at /turns/0/role"; a.status != 400 || strings.Join(got, " ") != want {
		t.Errorf("%d %v, want 400 %s", a.status, got, want)
	}
	h.wantRows(t, 0, 0, 0, 0)
}

func TestWhoMayPost(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	body := call("call-1", "Call me back")
	tests := map[string]struct {
		path   string
		header http.Header
		want   int
	}{
		"no key":                        {"/v1/conversations", nil, 401},
		"unknown key":                   {"/v1/conversations", bearer("ac_guess"), 401},
		"empty key":                     {"/v1/conversations", bearer(""), 401},
		"basic":                         {"/v1/conversations", http.Header{"Authorization": {"Basic YTpi"}}, 401},
		"signature without source":      {"/v1/conversations", h.signed(t, "native", secretNew, body), 401},
		"source without signature":      {"/v1/conversations?source=acme-native", nil, 401},
		"unknown source":                {"/v1/conversations?source=nobody", h.signed(t, "native", secretNew, body), 404},
		"a platform's source on /v1":    {"/v1/conversations?source=acme-itellico", addAll(h.signed(t, "native", secretNew, body), h.signed(t, "itellico", secretNew, body)), 404},
		"another account's secret":      {"/v1/conversations?source=acme-native", h.signed(t, "native", secretOther, body), 401},
		"unknown hook":                  {"/hooks/nobody", h.signed(t, "native", secretNew, body), 404},
		"hook without signature":        {"/hooks/acme-native", nil, 401},
		"hook, another's secret":        {"/hooks/acme-native", h.signed(t, "native", secretOther, body), 401},
		"hook, another scheme":          {"/hooks/acme-native", h.signed(t, "itellico", secretNew, body), 401},
		"hook, another body's":          {"/hooks/acme-native", h.signed(t, "native", secretNew, []byte(`{}`)), 401},
		"an API key on a hook":          {"/hooks/acme-native", bearer(apiKey), 401},
		"hook whose secret is not set":  {"/hooks/acme-unset", h.signed(t, "itellico", secretNew, body), 503},
		"an event without a key":        {"/v1/events", nil, 401},
		"an event of another's account": {"/v1/events?source=other-native", h.signed(t, "native", secretNew, body), 401},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			a := h.post(t, tt.path, tt.header, body)
			if a.status != tt.want || a.said.Status != tt.want || a.header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%d %s, want a problem %d", a.status, a.raw, tt.want)
			}
			if tt.want == 503 && a.header.Get("Retry-After") == "" {
				t.Error("503 without Retry-After")
			}
			if tt.want == 401 && a.header.Get("WWW-Authenticate") == "" {
				t.Error("401 without WWW-Authenticate")
			}
		})
	}
	h.wantRows(t, 0, 0, 0, 0)
}

func addAll(a, b http.Header) http.Header {
	for k, v := range b {
		a[k] = v
	}
	return a
}

func TestSignaturesExpireAndSecretsRotate(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	body := call("call-1", "Call me back")
	for i, secret := range []string{secretOld, secretNew} {
		a := h.post(t, "/v1/conversations?source=acme-native", h.signed(t, "native", secret, body), body)
		if a.status != 200 || a.said.Duplicate != (i > 0) {
			t.Errorf("secret %d: %d %s", i, a.status, a.raw)
		}
	}
	header := h.signed(t, "native", secretNew, body)
	h.pass(5*time.Minute + 2*time.Second)
	if a := h.post(t, "/hooks/acme-native", header, body); a.status != 401 {
		t.Errorf("an old signature: %d %s", a.status, a.raw)
	}
	h.pass(-11 * time.Minute)
	if a := h.post(t, "/hooks/acme-native", header, body); a.status != 401 {
		t.Errorf("a signature from the future: %d %s", a.status, a.raw)
	}
	h.wantRows(t, 1, 1, 1, 0)
}

func TestPlatformEventsMakeOneConversation(t *testing.T) {
	t.Parallel()
	ended := `{"event_id":"e-1","event_type":"conversation.ended","data":{"conversation_uuid":"c-1","agent_uuid":"a-1","agent_name":"Reception","channel":"phone","status":"completed",
		"started_at":"2026-03-02T09:30:00Z","ended_at":"2026-03-02T09:32:00Z","direction":"inbound","messages":[{"role":"user","message":"Call me back","timestamp":"2026-03-02T09:30:05Z"}]}}`
	analysis := `{"event_id":"e-2","event_type":"conversation.analysis.completed","data":{"conversation_uuid":"c-1","summary":"Wants a call."}}`
	started := `{"event_id":"e-0","event_type":"conversation.started","data":{"conversation_uuid":"c-1"}}`
	for name, order := range map[string][]string{"in order": {started, ended, analysis}, "the analysis first": {analysis, started, ended}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, nil)
			var ids []string
			for _, body := range order {
				a := h.post(t, "/hooks/acme-itellico", h.signed(t, "itellico", secretNew, []byte(body)), []byte(body))
				if a.status != 200 || a.said.Ignored != (body == started) {
					t.Fatalf("%d %s", a.status, a.raw)
				}
				if !a.said.Ignored {
					ids = append(ids, a.said.ConversationID)
				}
			}
			if len(ids) != 2 || ids[0] != ids[1] || ids[0] == "" {
				t.Errorf("conversations %v, want one", ids)
			}
			var summary, agent string
			err := h.store.Pool().QueryRow(t.Context(), `SELECT summary, content->'agent'->>'name' FROM conversations`).Scan(&summary, &agent)
			if err != nil || summary != "Wants a call." || agent != "Reception" {
				t.Errorf("merged into summary %q, agent %q (%v)", summary, agent, err)
			}
			if events, conversations, _, _ := h.rows(t); events != 2 || conversations != 1 {
				t.Errorf("%d events, %d conversations; want 2, 1", events, conversations)
			}
		})
	}
}

func TestAPlatformThatContradictsItselfIsNotToldSo(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	for i, text := range []string{"one", "two"} {
		body := fmt.Appendf(nil, `{"type":"post_call_transcription","event_timestamp":1772443925,"data":{"agent_id":"a","conversation_id":"c","status":"done",
			"transcript":[{"role":"user","message":%q}],"metadata":{"start_time_unix_secs":1772443800,"call_duration_secs":20}}}`, text)
		a := h.post(t, "/hooks/acme-eleven", h.signed(t, "elevenlabs", secretNew, body), body)
		if a.status != 200 || a.said.Duplicate != (i == 1) {
			t.Errorf("%s: %d %s", text, a.status, a.raw)
		}
	}
	h.wantRows(t, 1, 1, 1, 1)
}

func TestEventsAreStored(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	body := []byte(`{"type":"call.reached","conversation":"c-1","data":{"point":"menu"},"at":"2026-03-02T09:30:00Z"}`)
	for i := range 2 {
		a := h.post(t, "/v1/events", bearer(apiKey), body)
		if a.status != 200 || !a.said.Ignored || a.said.Duplicate != (i == 1) || a.said.ConversationID != "" {
			t.Errorf("%d %s", a.status, a.raw)
		}
	}
	h.wantRows(t, 1, 0, 0, 0)
}

// Two things that happen in one second are two, though nothing in them says whose they are; sent again, each is a repeat.
func TestEventsThatNothingNames(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	bodies := []string{
		`{"type":"spike","data":{"queue":"sales"},"at":"2026-03-02T09:30:00Z"}`,
		`{"type":"spike","data":{"queue":"support"},"at":"2026-03-02T09:30:00Z"}`,
		`{"type":"call.reached","data":{"point":"menu","from":"1"},"at":"2026-03-02T09:30:00Z"}`,
		`{"type":"call.reached","data":{"point":"menu","from":"2"},"at":"2026-03-02T09:30:00Z"}`,
	}
	for i := range 2 * len(bodies) {
		a := h.post(t, "/v1/events", bearer(apiKey), []byte(bodies[i%len(bodies)]))
		if a.status != 200 || a.said.Duplicate != (i >= len(bodies)) {
			t.Errorf("post %d: %d %s", i, a.status, a.raw)
		}
	}
	named := `{"type":"call.started","conversation":"c-1","data":{"from":"%d"},"at":"2026-03-02T09:30:00Z"}`
	for i, want := range []int{200, 409} {
		if a := h.post(t, "/v1/events", bearer(apiKey), fmt.Appendf(nil, named, i)); a.status != want {
			t.Errorf("an event of one conversation, body %d: %d %s, want %d", i, a.status, a.raw, want)
		}
	}
	h.wantRows(t, len(bodies)+1, 0, 0, 1)
}

func TestWithoutADatabase(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	if a := get(t, h.url+"/readyz"); a.status != 200 {
		t.Errorf("readyz: %d", a.status)
	}
	h.post(t, "/v1/conversations", bearer(apiKey), call("call-0", "x")) // the key is known now
	h.store.Close()
	for path, header := range map[string]http.Header{"/v1/conversations": bearer(apiKey), "/hooks/acme-native": h.signed(t, "native", secretNew, call("call-1", "x"))} {
		a := h.post(t, path, header, call("call-1", "x"))
		if a.status != 503 || a.header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %s, want 503 with Retry-After", path, a.status, a.raw)
		}
	}
	if a := h.post(t, "/v1/conversations", bearer("ac_another"), call("call-1", "x")); a.status != 503 {
		t.Errorf("a key that cannot be looked up: %d, want 503", a.status)
	}
	if a := get(t, h.url+"/readyz"); a.status != 503 {
		t.Errorf("readyz: %d, want 503", a.status)
	}
	if a := get(t, h.url+"/healthz"); a.status != 200 {
		t.Errorf("healthz: %d", a.status)
	}
}

// get asks for a page and throws its body away.
func get(t *testing.T, url string) (a answer) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	a.status, a.header = res.StatusCode, res.Header
	return a
}

func TestOtherRequests(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	for path, want := range map[string]int{"/": 404, "/v1/conversations": 405, "/v1/events": 405, "/hooks/acme-native": 405, "/openapi.json": 200} {
		if a := get(t, h.url+path); a.status != want || a.header.Get("X-Content-Type-Options") != "nosniff" ||
			!strings.HasPrefix(a.header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("GET %s: %d, want %d", path, a.status, want)
		}
	}
}

// r8IDs is how many calls TestManyCopiesOfFewCalls posts ten and a half times each: 2,000 for the figures of the plan.
var r8IDs = flag.Int("r8.ids", 200, "calls in TestManyCopiesOfFewCalls")

// TestManyCopiesOfFewCalls (R8): from 1 to 20 copies of each call from eight clients at once, one post in twenty with
// another body. Every call is there once, copies are told so, contradictions are refused; also after the queue's own rows
// are gone.
func TestManyCopiesOfFewCalls(t *testing.T) {
	t.Parallel()
	const clients = 8
	ids := *r8IDs
	h := open(t, nil)
	var mu sync.Mutex
	count := map[string]int{}
	post := func(id int, text string) {
		a := h.post(t, "/v1/conversations", bearer(apiKey), call(fmt.Sprintf("call-%05d", id), text))
		mu.Lock()
		defer mu.Unlock()
		count[fmt.Sprintf("%d other=%t duplicate=%t", a.status, text != "Call me back", a.said.Duplicate)]++
	}
	once := func(id int) { post(id, "Call me back") }
	atOnce(clients, 0, ids, once) // the true body of each call comes first, so that the counts are exact
	var copies []int
	for id := range ids {
		copies = append(copies, slices.Repeat([]int{id}, id%20)...)
	}
	order := rand.New(rand.NewPCG(8, 8))
	order.Shuffle(len(copies), func(i, j int) { copies[i], copies[j] = copies[j], copies[i] })
	atOnce(clients, 0, len(copies), func(n int) {
		text := "Call me back"
		if n%20 == 7 {
			text = "Never call me"
		}
		post(copies[n], text)
	})
	others := (len(copies) + 12) / 20
	want := map[string]int{"200 other=false duplicate=false": ids, "200 other=false duplicate=true": len(copies) - others, "409 other=true duplicate=false": others}
	if diff := cmp.Diff(want, count); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	if _, err := h.store.Pool().Exec(t.Context(), "DELETE FROM river_job"); err != nil {
		t.Fatal(err)
	}
	atOnce(clients, 0, ids, once)
	if got := count["200 other=false duplicate=false"]; got != ids {
		t.Errorf("%d calls were taken for new after the queue was cleaned", got-ids)
	}
	events, conversations, jobs, _ := h.rows(t)
	if events != ids || conversations != ids || jobs != 0 {
		t.Errorf("%d events, %d conversations, %d jobs; want %d, %d and none", events, conversations, jobs, ids, ids)
	}
}

// atOnce does from, from+1, … to-1, several at a time.
func atOnce(several, from, to int, do func(n int)) {
	work := make(chan int)
	var all sync.WaitGroup
	for range several {
		all.Go(func() {
			for n := range work {
				do(n)
			}
		})
	}
	for n := from; n < to; n++ {
		work <- n
	}
	close(work)
	all.Wait()
}

func BenchmarkPost(b *testing.B) {
	h := open(b, nil)
	var mu sync.Mutex
	n := 0
	b.ReportAllocs()
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			mu.Lock()
			n++
			id := fmt.Sprintf("call-%d", n)
			mu.Unlock()
			if a := h.post(b, "/v1/conversations", bearer(apiKey), call(id, "Call me back")); a.status != 200 {
				b.Errorf("%d %s", a.status, a.raw)
			}
		}
	})
}
