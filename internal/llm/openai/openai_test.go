package openai_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercall/internal/llm"
	"aftercall/internal/llm/openai"
)

// secret stands for everything that must not get into an error.
const secret = "sk-tell-nobody"

// answer is a chat completion as OpenAI sends it, with the parts that tests vary.
func answer(content, refusal, finish string) string {
	null := func(s string) string {
		if s == "" {
			return "null"
		}
		b, _ := json.Marshal(s)
		return string(b)
	}
	return `{"id": "chatcmpl-ABfvbtVnTu5DeC4EFnRYj8mtfOM99", "object": "chat.completion", "created": 1727346143,
	 "model": "gpt-4o-2024-08-06", "choices": [{"index": 0, "message": {"role": "assistant", "content": ` + null(content) + `,
	 "refusal": ` + null(refusal) + `}, "logprobs": null, "finish_reason": "` + finish + `"}], "usage": {"prompt_tokens": 2079,
	 "completion_tokens": 14, "total_tokens": 2093, "completion_tokens_details": {"reasoning_tokens": 0},
	 "prompt_tokens_details": {"cached_tokens": 1920, "audio_tokens": 0}}, "system_fingerprint": "fp_5050236cbd"}`
}

// server answers with its steps in order, then with its last for ever, and keeps what it was sent.
type server struct {
	*httptest.Server
	mu    sync.Mutex
	got   []map[string]any
	steps []step
}

type step struct {
	status int
	header map[string]string
	body   string
	hang   bool // answer only when the client has gone
	cut    bool // break the connection in the middle of the body
}

func serve(t *testing.T, steps ...step) *server {
	t.Helper()
	s := &server{steps: steps}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var q map[string]any
	_ = json.Unmarshal(body, &q) // what is no JSON shows up as an empty request
	s.mu.Lock()
	s.got = append(s.got, q)
	now := s.steps[0]
	if len(s.steps) > 1 {
		s.steps = s.steps[1:]
	}
	s.mu.Unlock()
	if now.hang {
		<-r.Context().Done()
		return
	}
	for k, v := range now.header {
		w.Header().Set(k, v)
	}
	if now.cut {
		w.Header().Set("Content-Length", "100000")
	}
	w.WriteHeader(now.status)
	_, _ = io.WriteString(w, now.body)
}

// requests are what the server was sent so far.
func (s *server) requests() []map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}

func (s *server) model(t *testing.T, change ...func(*openai.Config)) (*openai.Model, *[]time.Duration) {
	t.Helper()
	var slept []time.Duration
	c := openai.Config{BaseURL: s.URL + "/v1", Key: secret, Model: "gpt-4o", Sleep: func(_ context.Context, d time.Duration) error {
		slept = append(slept, d)
		return nil
	}}
	for _, f := range change {
		f(&c)
	}
	m, err := openai.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return m, &slept
}

func question() llm.Request {
	return llm.Request{
		Messages:   []llm.Message{{Role: "system", Content: "Rules."}, {Role: "user", Content: "Transcript of " + secret}},
		SchemaName: "interview", Schema: json.RawMessage(`{"type":"object","properties":{}}`), MaxTokens: 100, CacheKey: "acme/1/all",
	}
}

func TestAnswer(t *testing.T) {
	t.Parallel()
	s := serve(t, step{200, map[string]string{"X-Request-Id": "req_1"}, answer(`{"a":1}`, "", "stop"), false, false})
	m, _ := s.model(t)
	got, err := m.Complete(t.Context(), question())
	if err != nil {
		t.Fatal(err)
	}
	got.Latency = 0
	want := llm.Reply{Content: `{"a":1}`, Model: "gpt-4o-2024-08-06", Endpoint: strings.TrimPrefix(s.URL, "http://"), TokensIn: 2079,
		TokensCached: 1920, TokensOut: 14, FinishReason: "stop", RequestID: "req_1", Fingerprint: "fp_5050236cbd"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	q := s.requests()[0]
	format, _ := json.Marshal(q["response_format"])
	if want := `{"json_schema":{"name":"interview","schema":{"properties":{},"type":"object"},"strict":true},"type":"json_schema"}`; string(format) != want {
		t.Errorf("response_format %s", format)
	}
	if q["max_completion_tokens"] != 100.0 || q["temperature"] == nil || q["seed"] != 1.0 {
		t.Errorf("parameters %v", q)
	}
	if u, _ := q["user"].(string); u == "" || strings.Contains(u, "acme") {
		t.Errorf("cache key %q should be there, and opaque", u)
	}
}

func TestSimulatedSaysSo(t *testing.T) {
	t.Parallel()
	byName := strings.Replace(answer("{}", "", "stop"), "gpt-4o-2024-08-06", "simulated-lexical-1", 1)
	for name, st := range map[string]step{
		"header": {200, map[string]string{"X-Aftercall-Simulated": "true"}, answer("{}", "", "stop"), false, false},
		"model":  {200, nil, byName, false, false},
	} {
		m, _ := serve(t, st).model(t)
		if r, err := m.Complete(t.Context(), question()); err != nil || !r.Simulated {
			t.Errorf("%s: simulated %v, %v", name, r.Simulated, err)
		}
	}
}

func apiError(message, kind, param, code string) string {
	q := func(s string) string {
		if s == "" {
			return "null"
		}
		b, _ := json.Marshal(s)
		return string(b)
	}
	return `{"error":{"message":` + q(message) + `,"type":` + q(kind) + `,"param":` + q(param) + `,"code":` + q(code) + `}}`
}

func TestFailures(t *testing.T) {
	t.Parallel()
	limit := "Rate limit reached for o4-mini in organization org-1 on tokens per min (TPM): Limit 200000. Please try again in 31.574s."
	cases := []struct {
		name  string
		step  step
		kind  llm.Kind
		after time.Duration
		calls int
	}{
		{"rate limit in milliseconds and seconds", step{429, map[string]string{"retry-after": "3", "retry-after-ms": "2574"}, apiError(limit, "tokens", "", "rate_limit_exceeded"), false, false}, llm.RateLimited, 3 * time.Second, 1},
		{"rate limit in words", step{429, nil, apiError(limit, "tokens", "", "rate_limit_exceeded"), false, false}, llm.RateLimited, 31574 * time.Millisecond, 1},
		{"rate limit in minutes", step{429, nil, apiError("try again in 6m0s", "requests", "", "rate_limit_exceeded"), false, false}, llm.RateLimited, 6 * time.Minute, 1},
		{"rate limit by reset header", step{429, map[string]string{"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "1m2s"}, apiError("slow down", "tokens", "", ""), false, false}, llm.RateLimited, 62 * time.Second, 1},
		{"rate limit of a year is capped", step{429, map[string]string{"retry-after": "31536000"}, "{}", false, false}, llm.RateLimited, time.Hour, 1},
		{"rate limit with nonsense", step{429, map[string]string{"retry-after": "NaN"}, "{}", false, false}, llm.RateLimited, 0, 3},
		{"quota by code", step{429, map[string]string{"retry-after": "1"}, apiError("You exceeded your current quota", "insufficient_quota", "", "insufficient_quota"), false, false}, llm.Quota, 0, 1},
		{"quota by type only", step{429, nil, apiError("You exceeded your current quota", "insufficient_quota", "", ""), false, false}, llm.Quota, 0, 1},
		{"invalid key", step{401, nil, apiError("Incorrect API key provided: "+secret, "invalid_request_error", "", "invalid_api_key"), false, false}, llm.Misconfigured, 0, 1},
		{"forbidden", step{403, nil, "<html>no</html>", false, false}, llm.Misconfigured, 0, 1},
		{"no such model", step{404, nil, apiError("The model does not exist", "invalid_request_error", "", "model_not_found"), false, false}, llm.Misconfigured, 0, 1},
		{"redirect", step{302, map[string]string{"Location": "https://elsewhere.example/"}, "", false, false}, llm.Misconfigured, 0, 1},
		{"context length", step{400, nil, apiError("This model's maximum context length is 8192 tokens.", "invalid_request_error", "messages", "context_length_exceeded"), false, false}, llm.TooLong, 0, 1},
		{"context length, other envelope", step{400, nil, `{"object":"error","message":"This model's maximum context length is 4096 tokens.","type":"BadRequestError","param":null,"code":400}`, false, false}, llm.TooLong, 0, 1},
		{"content filter of the prompt", step{400, nil, apiError("filtered", "", "prompt", "content_filter"), false, false}, llm.Refused, 0, 1},
		{"invalid schema is no reason to give up schemas", step{400, nil, apiError("Invalid schema for response_format 'default'", "invalid_request_error", "response_format", ""), false, false}, llm.BadRequest, 0, 1},
		{"numeric code", step{400, nil, `{"error":{"message":"Provider returned error","code":400}}`, false, false}, llm.BadRequest, 0, 1},
		{"string error", step{400, nil, `{"error":"boom"}`, false, false}, llm.BadRequest, 0, 1},
		{"server error", step{500, nil, apiError("The server had an error", "server_error", "", ""), false, false}, llm.Unavailable, 0, 3},
		{"HTML from a gateway", step{502, nil, "<html><center>cloudflare</center></html>", false, false}, llm.Unavailable, 0, 3},
		{"overloaded, come back later", step{503, map[string]string{"Retry-After": "20"}, apiError("overloaded", "server_error", "", ""), false, false}, llm.Unavailable, 20 * time.Second, 1},
		{"told not to retry", step{500, map[string]string{"x-should-retry": "false"}, "{}", false, false}, llm.Unavailable, 0, 1},
		{"cut connection", step{200, nil, `{"id":"x","choi`, false, true}, llm.Unavailable, 0, 3},
		{"no choices", step{200, nil, `{"id":"x","choices":[]}`, false, false}, llm.BadReply, 0, 1},
		{"error in a 200", step{200, nil, apiError("boom", "", "", ""), false, false}, llm.BadReply, 0, 1},
		{"HTML in a 200", step{200, nil, "<html>", false, false}, llm.BadReply, 0, 1},
		{"nothing in a 200", step{200, nil, "", false, false}, llm.BadReply, 0, 1},
		{"refusal", step{200, nil, answer("", "I'm very sorry, but I can't assist with that.", "stop"), false, false}, llm.Refused, 0, 1},
		{"content filter", step{200, nil, answer("", "", "content_filter"), false, false}, llm.Refused, 0, 1},
		{"truncated", step{200, nil, answer(`{"`, "", "length"), false, false}, llm.Truncated, 0, 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, c.step)
			m, _ := s.model(t)
			_, err := m.Complete(t.Context(), question())
			e, ok := err.(*llm.Error)
			if !ok {
				t.Fatalf("got %v, want an *llm.Error", err)
			}
			if e.Kind != c.kind || e.After != c.after || len(s.requests()) != c.calls {
				t.Errorf("got %s after %v in %d calls, want %s after %v in %d", e.Kind, e.After, len(s.requests()), c.kind, c.after, c.calls)
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the error tells a secret: %v", err)
			}
		})
	}
}

// TestAnEmptyAnswerIsAnAnswer: whoever asked sees that it does not fit, and asks again or gives up. Waiting would help nobody.
func TestAnEmptyAnswerIsAnAnswer(t *testing.T) {
	t.Parallel()
	m, _ := serve(t, step{200, nil, answer("", "", "stop"), false, false}).model(t)
	if reply, err := m.Complete(t.Context(), question()); err != nil || reply.Content != "" {
		t.Errorf("got %q, %v", reply.Content, err)
	}
}

func TestRetryAfterAsDate(t *testing.T) {
	t.Parallel()
	at := time.Now().Add(time.Minute).UTC().Format(http.TimeFormat)
	m, _ := serve(t, step{429, map[string]string{"Retry-After": at}, "{}", false, false}).model(t)
	_, err := m.Complete(t.Context(), question())
	if e := llm.AsError(err); e.After < 50*time.Second || e.After > time.Minute {
		t.Errorf("waits %v for a date a minute ahead", e.After)
	}
}

func TestShortTroubleIsRetriedHere(t *testing.T) {
	t.Parallel()
	s := serve(t,
		step{429, map[string]string{"Retry-After": "1"}, "{}", false, false},
		step{503, nil, "", false, false},
		step{200, nil, answer("{}", "", "stop"), false, false})
	m, slept := s.model(t)
	if _, err := m.Complete(t.Context(), question()); err != nil {
		t.Fatal(err)
	}
	if len(*slept) != 2 || (*slept)[0] < time.Second || (*slept)[0] > 2*time.Second || (*slept)[1] > time.Second {
		t.Errorf("slept %v; the first wait was asked for as 1 s", *slept)
	}
}

func TestRetriesStayWithinTheBudget(t *testing.T) {
	t.Parallel()
	s := serve(t, step{500, nil, "", false, false})
	m, _ := s.model(t)
	for range 20 {
		_, _ = m.Complete(t.Context(), question())
	}
	if len(s.requests()) != 25 {
		t.Errorf("20 questions to a server that is down made %d calls, want 20 and 5 retries", len(s.requests()))
	}
}

// TestRetriesEndWhenNotWanted: the wait of a retry is long enough for others to find out that the server is down.
func TestRetriesEndWhenNotWanted(t *testing.T) {
	t.Parallel()
	for wanted, most := range map[int]int{0: 1, 1: 1, 2: 2} {
		s := serve(t, step{status: 503})
		m, _ := s.model(t)
		q, asked := question(), 0
		q.Retry = func() bool { asked++; return asked <= wanted }
		if _, err := m.Complete(t.Context(), q); err == nil || len(s.requests()) != most {
			t.Errorf("retries wanted %d times: %d requests, want %d (%v)", wanted, len(s.requests()), most, err)
		}
	}
}

func TestTimeoutAndCancellation(t *testing.T) {
	t.Parallel()
	s := serve(t, step{hang: true})
	m, slept := s.model(t, func(c *openai.Config) { c.Timeout = 20 * time.Millisecond })
	_, err := m.Complete(t.Context(), question())
	if e, ok := err.(*llm.Error); !ok || e.Kind != llm.Unavailable || len(*slept) != 0 {
		t.Errorf("a slow server gave %v, then waits of %v", err, *slept)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.Complete(ctx, question()); err != context.Canceled {
		t.Errorf("a cancelled caller got %v", err)
	}
}

func TestServerGone(t *testing.T) {
	t.Parallel()
	s := serve(t, step{status: 200})
	m, _ := s.model(t)
	s.Close()
	_, err := m.Complete(t.Context(), question())
	if e, ok := err.(*llm.Error); !ok || e.Kind != llm.Unavailable {
		t.Errorf("got %v", err)
	}
}

func TestLearnsWhatAServerLacks(t *testing.T) {
	t.Parallel()
	bad := func(param, message string) step {
		return step{400, nil, apiError(message, "invalid_request_error", param, "unsupported_parameter"), false, false}
	}
	s := serve(t,
		bad("response_format", "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model."),
		bad("max_completion_tokens", "Unrecognized request argument supplied: max_completion_tokens"),
		bad("temperature", "Unsupported value: 'temperature' does not support 0 with this model."),
		step{422, nil, `{"detail":[{"type":"extra_forbidden","loc":["body","seed"]}]}`, false, false},
		bad("user", "Unknown parameter: 'user'."),
		step{200, nil, answer("{}", "", "stop"), false, false})
	m, slept := s.model(t)
	for range 2 {
		if _, err := m.Complete(t.Context(), question()); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.requests()) != 7 || len(*slept) != 0 {
		t.Fatalf("%d calls, slept %v; want five lessons and two answers", len(s.requests()), *slept)
	}
	last := s.requests()[6]
	for _, k := range []string{"max_completion_tokens", "temperature", "seed", "user"} {
		if _, there := last[k]; there {
			t.Errorf("%s is sent again", k)
		}
	}
	if f, _ := last["response_format"].(map[string]any); f["type"] != "json_object" || last["max_tokens"] != 100.0 {
		t.Errorf("last request %v", last)
	}
	first := last["messages"].([]any)[0].(map[string]any)["content"].(string)
	if !strings.HasPrefix(first, "Rules.") || !strings.Contains(first, `"properties"`) {
		t.Errorf("the schema is not in the system message: %q", first)
	}
}

func TestReasoningModelsGetNoTemperature(t *testing.T) {
	t.Parallel()
	s := serve(t, step{200, nil, answer("{}", "", "stop"), false, false})
	m, _ := s.model(t, func(c *openai.Config) { c.Model = "gpt-5-mini" })
	if _, err := m.Complete(t.Context(), question()); err != nil {
		t.Fatal(err)
	}
	if _, there := s.requests()[0]["temperature"]; there {
		t.Error("temperature was sent")
	}
}

func TestManyCallsReuseConnections(t *testing.T) {
	t.Parallel()
	const callers = 200
	var opened atomic.Int64
	var all sync.WaitGroup
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		all.Done()
		all.Wait() // every caller of the round holds a connection now
		_, _ = io.WriteString(w, answer("{}", "", "stop"))
	}))
	s.Config.ConnState = func(_ net.Conn, st http.ConnState) {
		if st == http.StateNew {
			opened.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	m, err := openai.New(openai.Config{BaseURL: s.URL, Model: "m"})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		all.Add(callers)
		var callersDone sync.WaitGroup
		for range callers {
			callersDone.Go(func() {
				if _, err := m.Complete(t.Context(), question()); err != nil {
					t.Error(err)
				}
			})
		}
		callersDone.Wait()
	}
	if n := opened.Load(); n > callers*3/2 {
		t.Errorf("three rounds of %d calls opened %d connections", callers, n)
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]openai.Config{
		"no model":   {},
		"no scheme":  {Model: "m", BaseURL: "localhost/v1"},
		"ftp":        {Model: "m", BaseURL: "ftp://host/v1"},
		"not an URL": {Model: "m", BaseURL: "http://" + secret + ":x:y%zz"},
	} {
		if _, err := openai.New(c); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := openai.New(openai.Config{Model: "m"}); err != nil {
		t.Error(err)
	}
}
