package api_test

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aftercall/api"
	"aftercall/internal/store"
)

// TestPagesGoOn: read one by one, each list gives what it gives at once, in the same order, and ends.
func TestPagesGoOn(t *testing.T) {
	t.Parallel()
	h := open(t)
	for _, id := range []string{"call-1", "call-2", "call-3"} {
		h.call(id, h.key)
	}
	h.call("call-u", h.other)
	for range 3 {
		h.neverWorkedOn("acme")
		h.erased("acme")
	}
	for _, name := range []string{"Acme", "The Clinic"} {
		h.activate("acme", strings.Replace(config, "Acme Clinic", name, 1))
	}
	for _, list := range []struct{ path, cursor string }{
		{"/v1/conversations?since=2026-01-01T00:00:00Z", "before"}, {"/v1/deliveries?channel=email", "before"}, {"/v1/deliveries?state=unknown", "before"},
		{"/v1/reviews?kind=held", "before"}, {"/v1/reviews?", "before"}, {"/v1/tasks?", "after"}, {"/v1/alerts?", "before"}, {"/v1/revisions?", "before"},
		{"/v1/bulk?", "before"}, {"/v1/erasures?", "before"},
	} {
		all := h.ask("GET", list.path, h.key, nil).want(200)
		var read []any
		for next, pages := "", 0; ; pages++ {
			path := list.path + "&limit=1"
			if next != "" {
				path += "&" + list.cursor + "=" + next
			}
			page := h.ask("GET", path, h.key, nil).want(200)
			read = append(read, page.items()...)
			if next = page.text("next"); next == "" {
				break
			}
			if pages > 100 {
				t.Fatalf("%s does not end", list.path)
			}
		}
		if got, want := ids(read), ids(all.items()); len(want) < 3 || !slices.Equal(got, want) {
			t.Errorf("%s one by one:\n%v, at once:\n%v", list.path, got, want)
		}
	}
	h.ask("GET", "/v1/conversations?limit=100000", h.key, nil).want(200)
}

// ids tell the items of a list apart.
func ids(items []any) (all []string) {
	for _, item := range items {
		one := item.(map[string]any)
		id, _ := one["id"].(string)
		if d, ok := one["decision"].(map[string]any); ok {
			id = one["conversation_id"].(string) + " " + d["automation"].(string)
		}
		all = append(all, id)
	}
	return all
}

// hear opens a stream of alerts.
func (h *house) hear(ctx context.Context, header ...string) (*http.Response, *bufio.Scanner) {
	h.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.url+"/v1/alerts/stream", nil)
	h.must(err)
	req.Header.Set("Authorization", "Bearer "+h.key)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	h.must(err)
	h.Cleanup(func() { _ = res.Body.Close() })
	return res, bufio.NewScanner(res.Body)
}

// TestAStreamGoesOnWhereItEnded: whoever comes back hears what came meanwhile, the oldest first, and of another account nothing.
func TestAStreamGoesOnWhereItEnded(t *testing.T) {
	t.Parallel()
	h := open(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	h.call("call-1", h.key)
	last := h.ask("GET", "/v1/alerts", h.key, nil).text("items", "0", "id")
	h.call("call-u", h.other)
	h.call("call-2", h.key)
	h.call("call-3", h.key)
	newest := ids(h.ask("GET", "/v1/alerts", h.key, nil).items())
	_, lines := h.hear(ctx, "Last-Event-ID", last)
	var heard []string
	for len(heard) < 2 && lines.Scan() {
		if id, ok := strings.CutPrefix(lines.Text(), "id: "); ok {
			heard = append(heard, id)
		}
	}
	if want := []string{newest[1], newest[0]}; !slices.Equal(heard, want) {
		t.Errorf("heard %v, want %v", heard, want)
	}
	if res, _ := h.hear(ctx, "Last-Event-ID", "yesterday"); res.StatusCode != http.StatusBadRequest {
		t.Errorf("a Last-Event-ID that is none: %d", res.StatusCode)
	}
	for range 11 { // with the one above a dozen
		if res, _ := h.hear(ctx); res.StatusCode != http.StatusOK {
			t.Fatalf("one of twelve streams: %d", res.StatusCode)
		}
	}
	if res, _ := h.hear(ctx); res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Retry-After") == "" {
		t.Errorf("one stream more: %d, Retry-After %q", res.StatusCode, res.Header.Get("Retry-After"))
	}
}

// TestNothingIsSentTwice: many at once, with and without a name for the request, send a message again once.
func TestNothingIsSentTwice(t *testing.T) {
	t.Parallel()
	h := open(t)
	id := h.call("call-1", h.key)
	told := h.ask("GET", "/v1/conversations/"+id, h.key, nil)
	at := func(automation string) string { return "/v1/deliveries/" + told.in(automation, "email", "sent") }
	together := func(path string, header ...string) (made []string) {
		var all sync.WaitGroup
		answers := make([]answer, 8)
		for n := range answers {
			all.Go(func() { answers[n] = h.ask("POST", path, h.key, nil, header...) })
		}
		all.Wait()
		for _, a := range answers {
			switch a.status {
			case http.StatusCreated:
				made = append(made, a.text("delivery_id"))
			case http.StatusConflict:
			default:
				t.Errorf("%s: %d %s", path, a.status, a.raw)
			}
		}
		slices.Sort(made)
		return slices.Compact(made)
	}
	if made := together(at("every-call")+"/resend", "Idempotency-Key", "again"); len(made) != 1 {
		t.Errorf("under one Idempotency-Key %v were made", made)
	}
	if made := together(at("capped") + "/resend"); len(made) != 1 {
		t.Errorf("at once %v were made", made)
	}
	h.ask("POST", "/v1/conversations/"+id+"/replays", h.key, map[string]any{"revision": "same"}, "Idempotency-Key", "anew").want(202)
	run := h.ask("POST", "/v1/conversations/"+id+"/replays", h.key, map[string]any{"revision": "same"}, "Idempotency-Key", "anew").want(202)
	h.ask("POST", "/v1/conversations/"+id+"/replays", h.key, map[string]any{"revision": "active"}, "Idempotency-Key", "anew").want(409)
	after := h.settled(id, h.key)
	if runs := after.said["runs"].([]any); len(runs) != 1 || run.said["run"] != runs[0].(map[string]any)["run"] {
		t.Errorf("runs: %v, want %s", runs, run.raw)
	}
	sent := 0
	for _, d := range after.said["deliveries"].([]any) {
		if one := d.(map[string]any); one["channel"] == "email" && one["state"] == "sent" {
			sent++
		}
	}
	if sent != 4 { // two of the call, each again once, and nothing by the replay
		t.Errorf("%d messages were sent: %s", sent, after.raw)
	}
}

// TestAKeyMaySayTheSameWordAsAnother: an Idempotency-Key counts for the key that sent it.
func TestAKeyMaySayTheSameWordAsAnother(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.call("call-1", h.key)
	wish := map[string]any{"conversation_id": "call-1", "title": "Ring back"}
	first := h.ask("POST", "/v1/tasks", h.key, wish, "Idempotency-Key", "one").want(201)
	second := h.ask("POST", "/v1/tasks", h.newKey("acme", store.ScopeTasks), wish, "Idempotency-Key", "one").want(201)
	if first.text("task_id") == second.text("task_id") || second.header.Get("Idempotency-Replayed") != "" {
		t.Errorf("another key was answered with %s, the first with %s", second.raw, first.raw)
	}
}

// TestAKeyThatAsksTooOftenWaits: over the limit of one key the answer says how long, and another key is answered.
func TestAKeyThatAsksTooOftenWaits(t *testing.T) {
	t.Parallel()
	h := open(t)
	now := time.Now()
	slow, err := api.New(api.Config{Store: h.store, Ops: h.desk, Revisions: h.revisions, Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return now }})
	h.must(err)
	h.url = h.served(slow)
	for range 200 {
		h.ask("GET", "/v1/tasks/nothing", h.key, nil).want(404)
	}
	if a := h.ask("GET", "/v1/tasks/nothing", h.key, nil).want(429); a.header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After is %q", a.header.Get("Retry-After"))
	}
	h.ask("GET", "/v1/tasks", h.newKey("acme", store.ScopeRead), nil).want(200)
}

// TestAnotherSiteGetsNothing: a browser that another site leads here has no key to show, and is told of nothing that it may do.
func TestAnotherSiteGetsNothing(t *testing.T) {
	t.Parallel()
	h := open(t)
	for _, r := range h.api.Routes() {
		path := strings.NewReplacer("{id}", "x", "{run}", "1", "{automation}", "x").Replace(r.Path)
		h.ask(r.Method, path, "", nil, "Origin", "https://elsewhere.example", "Sec-Fetch-Site", "cross-site", "Cookie", "session="+h.key).want(401)
		preflight, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, h.url+path, nil)
		h.must(err)
		preflight.Header.Set("Origin", "https://elsewhere.example")
		preflight.Header.Set("Access-Control-Request-Method", r.Method)
		preflight.Header.Set("Access-Control-Request-Headers", "authorization")
		res, err := http.DefaultClient.Do(preflight)
		h.must(err)
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		if res.StatusCode < 400 || res.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: a browser that asks whether it may is answered %d, %v", path, res.StatusCode, res.Header)
		}
	}
}

// TestRequestsAreCountedByOperation, whoever sends them, and by nothing that a program chooses; how long a stream is listened to is
// not a time that anybody waited.
func TestRequestsAreCountedByOperation(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.ask("GET", "/v1/tasks", h.key, nil).want(200)
	h.ask("GET", "/v1/tasks?canary=1", h.key, nil).want(400)
	h.ask("GET", "/v1/tasks/canary", "", nil).want(401)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, lines := h.hear(ctx)
	lines.Scan()
	h.api.End()
	for lines.Scan() { // it ends
	}
	w := httptest.NewRecorder()
	for counted := false; !counted; { // the stream's line is written when it has ended for whoever heard it
		w = httptest.NewRecorder()
		h.signals.Handler().ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/metrics", nil))
		counted = strings.Contains(w.Body.String(), `aftercall_api_requests_total{class="2xx",route="streamAlerts"} 1`) || ctx.Err() != nil
	}
	for _, want := range []string{
		`aftercall_api_requests_total{class="2xx",route="listTasks"} 1`, `aftercall_api_requests_total{class="4xx",route="listTasks"} 1`,
		`aftercall_api_requests_total{class="4xx",route="readTask"} 1`, `aftercall_api_requests_total{class="2xx",route="streamAlerts"} 1`,
		`aftercall_api_request_seconds_count{route="listTasks"} 2`,
	} {
		if !strings.Contains(w.Body.String(), want+"\n") {
			t.Errorf("%s is not shown", want)
		}
	}
	for _, never := range []string{"canary", `aftercall_api_request_seconds_count{route="streamAlerts"}`} {
		if strings.Contains(w.Body.String(), never) {
			t.Errorf("%s is shown", never)
		}
	}
}
