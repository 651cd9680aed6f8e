package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercall/deliver/delivertest"
	"aftercall/internal/postgres/pgtest"
	"aftercall/internal/signals"
	"aftercall/internal/signals/collector"
	"aftercall/internal/store"
	"aftercall/people"
)

// mark stands in every name, word and id that somebody else chooses in these tests.
const mark = "qxzcanary"

// hostileConfig is an account whose names are marks, as far as an author may choose them.
func hostileConfig(n int) string {
	return fmt.Sprintf(`account: %[1]s-%[2]d
name: %[1]s account %[2]d
timezone: Europe/London
from: { email: "calls@acme.example" }
allow: { domains: [acme.example] }
automations:
  - id: %[1]s-always-%[2]d
    when: always
    actions:
      - team_alert: { to: all, text: "%[1]s alert" }
      - task: { title: "%[1]s task" }
  - id: callback
    when: { ask: "Did the customer ask to be called back?" }
    actions: [ { email: { to: [support@acme.example], subject: "%[1]s", body: "{{customer_name}} {{conversation_summary}}" } } ]
`, mark, n)
}

func hostileCall(n int) []byte {
	return fmt.Appendf(nil, `{"id": "%[1]s-call-%[2]d", "agent": {"id": "%[1]s-agent-%[2]d", "name": "%[1]s agent"}, "channel": "phone", "direction": "inbound",
		"status": "completed", "started_at": "2026-11-20T14:30:00Z", "ended_at": "2026-11-20T14:31:00Z", "from_number": "+447700900456",
		"to_number": "+442071838750", "customer": {"name": "%[1]s {job=\"x\"} 1 %[1]s_total 5", "email": "%[1]s%[2]d@chaos.example"},
		"queue": "%[1]s-queue-%[2]d", "metadata": {"%[1]s-key": "%[1]s value"},
		"turns": [{"role": "customer", "text": "Please call me back tomorrow.", "at_ms": 0}, {"role": "agent", "text": "%[1]s words", "at_ms": 10}]}`, mark, n)
}

var seriesLine = regexp.MustCompile(`(?m)^(aftercall_[a-z_]+?)(?:_bucket|_sum|_count)?(?:\{(.*)\})? \S+$`)
var labelPair = regexp.MustCompile(`([a-z_]+)="([^"]*)"`)

// TestHostileCallsOfManyAccountsMakeNoSeries: whoever calls, and however many accounts there are, each value of a label is a
// word that was there before, and nobody's words are among them, nor in the log.
func TestHostileCallsOfManyAccountsMakeNoSeries(t *testing.T) {
	t.Parallel()
	const accounts = 30
	h := hostileHouse(t, accounts)
	for n := range accounts {
		key, err := addKey(t.Context(), h.app.db, fmt.Sprintf("%s-%d", mark, n))
		if err != nil {
			t.Fatal(err)
		}
		h.hostile(key, n)
	}
	program := people.NewKey()
	if err := h.app.db.AddKey(t.Context(), mark+"-0", "test", program.Prefix, program.Hash, store.Actor{}, store.ScopeRead); err != nil {
		t.Fatal(err)
	}
	if status, _, _ := h.door(nil, "GET", "/v1/tasks?state="+mark, program.Text, "", ""); status != http.StatusBadRequest {
		t.Fatalf("tasks in no state there is: %d", status)
	}
	h.drained()
	text := h.fetch("metrics", "/metrics", http.StatusOK)
	onlyKnownWords(t, text, h.app.signals.Catalogue())
	for _, want := range []string{
		`aftercall_webhooks_total{outcome="new",route="conversation"} 30`, `aftercall_webhooks_total{outcome="duplicate",route="conversation"} 30`,
		`aftercall_webhooks_total{outcome="conflict",route="conversation"} 30`, `aftercall_webhooks_total{outcome="event",route="event"} 30`,
		`aftercall_webhooks_total{outcome="unauthorized",route="conversation"} 30`, `aftercall_webhooks_total{outcome="refused",route="hook"} 30`,
		`aftercall_webhooks_total{outcome="refused",route="conversation"} 30`,
		`aftercall_decisions_total{reason="fired",result="fires"} 30`, `aftercall_decisions_total{reason="always",result="fires"} 30`,
		`aftercall_deliveries_total{channel="email",state="sent"} 30`, `aftercall_deliveries_total{channel="team_alert",state="sent"} 30`,
		`aftercall_deliveries_total{channel="task",state="sent"} 30`, `aftercall_model_calls_total{outcome="valid",purpose="interview"} 30`,
		`aftercall_model_tokens_total{kind="in"} 30000`, `aftercall_interview_seconds_count{outcome="filled"} 30`,
		`aftercall_send_seconds_count{channel="email"} 30`, `aftercall_sent_late_seconds_count{channel="email"} 30`,
		`aftercall_decided_after_seconds_count 30`, `aftercall_accounts{config="active"} 30`, "aftercall_workers 1\n", "aftercall_ready 1\n",
		`aftercall_undecided_conversations{state="waiting"} 0`, `aftercall_model_circuit_open{model="first"} 0`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not shown", want)
		}
	}
	for name := range measured() { // what rules and panels may ask for
		if name != "up" && !strings.Contains(text, "\n"+name) {
			t.Errorf("%s is not shown at all", name)
		}
	}
	for _, where := range []struct{ name, text string }{{"metrics", text}, {"log", strings.Join(h.log.lines(""), "")}} {
		for line := range strings.Lines(strings.ToLower(where.text)) {
			if strings.Contains(withoutIDs.Replace(line), mark) || strings.Contains(line, "+44") {
				t.Errorf("the %s quotes somebody: %s", where.name, line)
			}
		}
	}
}

// hostileHouse is a house of many accounts whose authors, and whose model, use the mark wherever they can.
func hostileHouse(t *testing.T, accounts int) *house {
	t.Helper()
	dir := t.TempDir()
	for n := range accounts {
		folder := filepath.Join(dir, fmt.Sprint(n))
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "account.yaml"), []byte(hostileConfig(n)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return newHouse(t, dir, http.HandlerFunc(wantsACall))
}

// wantsACall answers as a model that found what callback asks for.
func wantsACall(w http.ResponseWriter, _ *http.Request) {
	completion(w, `{"automations":{"callback":{"evidence":[{"turn":1,"quote":"Please call me back tomorrow."}],"verdict":"yes"}},"summary":"`+mark+` wants a call."}`)
}

// onlyKnownWords fails the test for a series that the catalogue does not know, and for more of them than it allows.
func onlyKnownWords(t *testing.T, text string, catalogue []signals.Metric) {
	t.Helper()
	words, most := map[string]bool{}, 0
	for _, m := range catalogue {
		most += m.Series
		for _, l := range m.Labels {
			words[m.Name+" "+l.Name+" other"] = true
			for _, word := range l.Words {
				words[m.Name+" "+l.Name+" "+word] = true
			}
		}
	}
	series := seriesLine.FindAllStringSubmatch(text, -1)
	if len(series) < 100 || len(series) > most {
		t.Errorf("%d series, the catalogue allows %d", len(series), most)
	}
	t.Logf("%d series of at most %d", len(series), most)
	for _, s := range series {
		for _, l := range labelPair.FindAllStringSubmatch(s[2], -1) {
			if l[1] != "le" && !words[s[1]+" "+l[1]+" "+l[2]] {
				t.Errorf("%s: %s is no word of its list", s[0], l[2])
			}
		}
	}
}

// withoutIDs takes out of a line what an author has called an account or an automation, and a platform a type of event: those
// are ids, and no caller's.
var withoutIDs = strings.NewReplacer("account_id="+mark, "", "account="+mark, "", "automation="+mark, "", "type="+mark, "")

// hostile posts what one account's callers, and strangers in its name, may post.
func (h *house) hostile(key string, n int) {
	h.t.Helper()
	post := func(path, key string, body []byte, want int) {
		h.t.Helper()
		req, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, h.app.address("webhooks")+path, bytes.NewReader(body))
		if err != nil {
			h.t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("User-Agent", mark)
		if key != "" {
			req.Header.Set("Authorization", "Bearer "+key)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			h.t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != want {
			h.t.Fatalf("%s: %d, want %d", path, res.StatusCode, want)
		}
	}
	call := hostileCall(n)
	post("/v1/conversations", key, call, 200)
	post("/v1/conversations", key, call, 200)
	post("/v1/conversations", key, bytes.Replace(call, []byte("tomorrow"), []byte("today"), 1), 409)
	post("/v1/conversations", key, call[:len(call)/2], 400)
	post("/v1/conversations", "", call, 401)
	post("/v1/events", key, fmt.Appendf(nil, `{"id": "%[1]s-%[2]d", "type": "%[1]s.type-%[2]d", "at": "2026-11-20T14:30:00Z", "data": {"%[1]s": 1}}`, mark, n), 200)
	post(fmt.Sprintf("/hooks/%s-%d", mark, n), "", call, 404)
}

// fetch asks one of the process's listeners for a page.
func (h *house) fetch(listener, path string, want int) string {
	h.t.Helper()
	res, err := http.Get(h.app.address(listener) + path)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != want {
		h.t.Fatalf("%s: %d, want %d: %s (%v)", path, res.StatusCode, want, body, err)
	}
	return string(body)
}

// TestReadyzNamesWhatIsMissing, from before the start to after the stop.
func TestReadyzNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	model := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(model.Close)
	a, err := assemble(t.Context(), assembly{
		settings: settings{DatabaseURL: secret(pgtest.New(t)), Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0", MetricsListen: "127.0.0.1:0",
			OpenAIBaseURL: model.URL + "/v1", Model: "none"},
		role: role{web: true, work: true}, getenv: func(string) string { return "" }, log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	missing := func(when string, want ...string) {
		t.Helper()
		var got []string
		for _, c := range a.ready.Missing(context.Background()) {
			got = append(got, c.Name)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
	}
	schema := func(applied bool) {
		t.Helper()
		if _, err := a.db.Pool().Exec(t.Context(), "UPDATE goose_db_version SET is_applied = $1 WHERE version_id = (SELECT max(version_id) FROM goose_db_version)", applied); err != nil {
			t.Fatal(err)
		}
	}
	missing("before the start", "config", "queue")
	if err := a.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	missing("at work")
	h := &house{t: t, app: a}
	for _, listener := range []string{"webhooks", "metrics"} {
		h.fetch(listener, "/readyz", http.StatusOK)
		h.fetch(listener, "/healthz", http.StatusOK)
	}
	schema(false)
	missing("on an old schema", "schema")
	for _, listener := range []string{"webhooks", "metrics"} {
		if said := h.fetch(listener, "/readyz", http.StatusServiceUnavailable); !strings.Contains(said, `"missing":["schema"]`) || !strings.Contains(said, "aftercall migrate") {
			t.Errorf("%s: %s", listener, said)
		}
	}
	if text := h.fetch("metrics", "/metrics", http.StatusOK); !strings.Contains(text, "aftercall_ready 0\n") || !strings.Contains(text, "aftercall_database_up 1\n") {
		t.Error("metrics do not say that the process is not ready")
	}
	schema(true)
	missing("on the schema again")
	if err := a.stop(); err != nil {
		t.Error(err)
	}
	missing("stopped", "process")
}

// TestReadyzWithoutADatabase: that it is away is said once, and not taken for an old schema.
func TestReadyzWithoutADatabase(t *testing.T) {
	t.Parallel()
	a, err := assemble(t.Context(), assembly{
		settings: settings{DatabaseURL: secret(pgtest.New(t)), Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0"},
		role:     role{web: true}, getenv: func(string) string { return "" }, log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.stop() }) // its store is closed
	if missing := a.ready.Missing(t.Context()); len(missing) != 0 {
		t.Errorf("missing %v: a web process needs no queue", missing)
	}
	a.db.Close()
	if missing := a.ready.Missing(t.Context()); len(missing) != 1 || missing[0].Name != "database" {
		t.Errorf("missing %v, want the database alone", missing)
	}
}

const followedConfig = `account: acme
name: Acme Clinic
timezone: Europe/London
from: { email: "calls@acme.example" }
allow: { domains: [acme.example] }
automations:
  - id: callback
    when: { ask: "Did the customer ask to be called back?" }
    actions:
      - email: { to: [support@acme.example], subject: "Call back", body: "{{customer_name}} {{conversation_summary}}" }
      - team_alert: { send: { after: 6s }, to: all, text: "{{conversation_summary}}" }
`

// TestATraceGoesFromTheWebhookToTheProvider: one process takes the call in, another decides and sends, and a collector has
// it as one trace, without a word of the call.
func TestATraceGoesFromTheWebhookToTheProvider(t *testing.T) {
	t.Parallel()
	c := collector.New()
	t.Cleanup(c.Close)
	h := followed(t, c)
	work := h.app
	web := h.process(role{web: true}, c)
	h.app = web
	now := time.Now().UTC() // the alert has a job of its own, since it is not due when the plan is saved
	call := bytes.Replace(hostileCall(1), []byte("2026-11-20T14:30:00Z"), []byte(now.Add(-time.Minute).Format(time.RFC3339)), 1)
	call = bytes.Replace(call, []byte("2026-11-20T14:31:00Z"), []byte(now.Format(time.RFC3339)), 1)
	id := h.postCall(call)
	h.app = work
	h.until(id, func(s store.Story) bool {
		return s.State == store.StateDecided && len(s.Deliveries) == 2 && s.Deliveries[0].State == store.Sent && s.Deliveries[1].State == store.Sent
	})
	for _, a := range []*app{work, web} { // stopping sends what is left
		if err := a.stop(); err != nil {
			t.Error(err)
		}
	}
	spans := map[string]collector.Span{}
	for _, s := range c.Spans() {
		if s.Name == "send" {
			s.Name += " " + s.Attributes["channel"]
		}
		spans[s.Name] = s
	}
	first := spans["conversation"]
	for name, parent := range map[string]string{
		"conversation": "", "decide": "conversation", "load": "decide", "interview": "decide", "model": "interview", "plan": "decide",
		"send email": "decide", "deliver": "decide", "send team_alert": "deliver",
	} {
		s, ok := spans[name]
		if !ok || s.Trace != first.Trace || s.Parent != spans[parent].ID || s.Failed != "" {
			t.Errorf("%s below %s: %+v", name, parent, s)
		}
	}
	if len(spans) != 9 {
		t.Errorf("%d kinds of spans: %v", len(spans), spans)
	}
	if first.Attributes["conversation_id"] != id || spans["decide"].Attributes["conversation_id"] != id || spans["send email"].Attributes["delivery_id"] == "" {
		t.Errorf("spans without their ids: %+v, %+v, %+v", first, spans["decide"], spans["send email"])
	}
	if raw := strings.ToLower(c.Raw()); strings.Contains(raw, mark) || strings.Contains(raw, "call me back") || strings.Contains(raw, "+44") || strings.Contains(raw, "acme.example") {
		t.Error("the trace quotes the call, or an address")
	}
	for _, line := range []string{"msg=ingest", "msg=decide", "msg=delivery"} {
		if found := h.log.lines(line); len(found) == 0 || !strings.Contains(found[0], "trace_id="+first.Trace) {
			t.Errorf("%s does not name its trace: %q", line, found)
		}
	}
}

// followed is a house of which only the worker runs, and sends its spans to a collector.
func followed(t *testing.T, c *collector.Collector) *house {
	t.Helper()
	h := &house{t: t, mail: delivertest.NewSendGrid(sendGridKey), model: httptest.NewServer(http.HandlerFunc(wantsACall)), log: &journal{},
		url: pgtest.New(t)}
	t.Cleanup(h.model.Close)
	t.Cleanup(h.mail.Close)
	h.app = h.process(role{work: true}, c)
	if err := activate(t.Context(), h.app.db, h.app.log, writeAccount(t, followedConfig)); err != nil {
		t.Fatal(err)
	}
	var err error
	if h.key, err = addKey(t.Context(), h.app.db, "acme"); err != nil {
		t.Fatal(err)
	}
	if err := h.app.revisions.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	return h
}

// process starts one more process on the house's database.
func (h *house) process(r role, c *collector.Collector) *app {
	h.t.Helper()
	a, err := assemble(h.t.Context(), assembly{
		settings: settings{
			DatabaseURL: secret(h.url), Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0", MetricsListen: "127.0.0.1:0",
			OpenAIBaseURL: h.model.URL + "/v1", Model: "scripted", SendGridKey: sendGridKey, SendGridBaseURL: h.mail.URL,
		},
		role: r, getenv: func(string) string { return houseSecret }, log: slog.New(signals.Traced(slog.NewTextHandler(h.log, nil))),
		environ: env(map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL}),
	})
	if err != nil {
		h.t.Fatal(err)
	}
	if err := a.start(context.Background()); err != nil {
		h.t.Fatal(err)
	}
	return a
}
