package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"time"

	"aftercall/internal/chaos/bed"
	"aftercall/internal/chaos/checker"
	"aftercall/internal/signals/collector"
)

// canaries is S10: what is secret or personal is told to the product in every way there is, everything that can fail
// fails, and then whatever the product has written is searched for it.
func canaries() property {
	return property{
		id: "S10", title: "secrets and callers' words nowhere", try: tryCanaries,
		weak: []weakness{
			{"callers-words-logged", "words, names, numbers and addresses in logs"},
			{"providers-words-logged", "secrets in logs"},
			{"callers-words-in-errors", "words, names, numbers and addresses in the queue's rows and the workers'"},
			{"callers-words-measured", "words, names, numbers and addresses in metrics"},
			{"callers-words-traced", "words, names, numbers and addresses in traces"},
		},
	}
}

// personal stands in every word, name and address of this run's callers, drama is how their numbers begin.
const (
	personal = "qxzpersonal"
	drama    = "7700900"
)

// webhookSecret is a source's, named in its config and set in the environment.
const webhookSecret = "whsec_cXh6c2VjcmV0LW9mLWEtc291cmNlLTQ3MTE="

func canaryConfig() map[string]string {
	all := bed.Account()
	all["account.yaml"] = strings.Replace(all["account.yaml"], "variables:\n", `sources:
  - { id: chaos-calls, type: native, secret: "${ENV:CHAOS_CALLS_SECRET}" }
variables:
`, 1)
	return all
}

// canaryCall is a call of which every field that a caller or a platform fills in is a canary.
func canaryCall(i int) bed.Call {
	id := fmt.Sprintf("s10-%d", i)
	mark := fmt.Sprintf("%s%d", personal, i)
	return bed.CallOf(id, []bed.Turn{
		{Role: "agent", Text: "Good morning, this is " + mark + "agent speaking."},
		{Role: "customer", Text: "I am " + mark + "word and I would like my " + mark + "matter seen to, ref-" + id},
		{Role: "agent", Text: "We will see to it."},
	}, map[string]any{
		"agent":    map[string]any{"id": "reception", "name": "Clara " + mark},
		"customer": map[string]any{"name": "Ana " + mark, "email": mark + "@chaos.example", "number": fmt.Sprintf("+44%s%03d", drama, i%1000)},
		"queue":    mark, "note": "A note of " + mark, "summary": "Summed up: " + mark, "from_number": fmt.Sprintf("+44%s%03d", drama, i%1000),
		"metadata": map[string]any{"key": mark},
	})
}

func tryCanaries(ctx context.Context, t *trial) error {
	traces := collector.New()
	defer traces.Close()
	b, c, err := t.bed(ctx, bed.Options{Config: canaryConfig(), Env: []string{"CHAOS_CALLS_SECRET=" + webhookSecret,
		"AFTERCALL_METRICS_LISTEN=127.0.0.1:0", "OTEL_EXPORTER_OTLP_ENDPOINT=" + traces.URL, "OTEL_BSP_SCHEDULE_DELAY=100"}})
	if err != nil {
		return err
	}
	defer b.Close()
	defer c.Close()
	web, err := b.WebProcess(ctx)
	if err != nil {
		return err
	}
	faults := map[string]float64{"429": 0.08, "500": 0.08, "400": 0.04, "cut": 0.05, "malformed": 0.05, "wrong_ids": 0.03}
	if err := b.Model(ctx, bed.Conduct{LatencyMS: 10, JitterMS: 50, Faults: faults, RetryAfter: 1, Echo: true}); err != nil {
		return err
	}
	faults = map[string]float64{"429": 0.08, "500": 0.08, "400": 0.06, "401": 0.02, "413": 0.03}
	if err := b.Mail(ctx, bed.Conduct{LatencyMS: 10, JitterMS: 50, Faults: faults, RetryAfter: 1, Echo: true}); err != nil {
		return err
	}
	s := &search{trial: t, bed: b}
	if err := t.unsettle(ctx, b, c, s.metrics); err != nil {
		return err
	}
	if err := s.traces(traces); err != nil {
		return err
	}
	if err := s.answers(ctx, web); err != nil {
		return err
	}
	if err := s.rows(ctx); err != nil {
		return err
	}
	return s.logs()
}

// unsettle posts the calls while workers are killed, has a look at those that are left, and lets a last one die with its
// stacks printed.
func (t *trial) unsettle(ctx context.Context, b *bed.Bed, c *checker.Checker, look func(context.Context) error) error {
	n, kills := t.size(600, 30), t.size(12, 2)
	calls := make([]bed.Call, n)
	for i := range calls {
		calls[i] = canaryCall(i)
	}
	nemesis := &killer{bed: b, checker: c, rand: rand.New(rand.NewPCG(t.seed, 10)), kills: kills, gap: t.within(3*time.Second, 700*time.Millisecond)}
	done := make(chan error, 1)
	go func() { done <- nemesis.run(ctx) }()
	posted, err := b.Post(ctx, calls, bed.Posting{PerS: t.perS(n)})
	if err != nil {
		return err
	}
	if err := <-done; err != nil {
		return err
	}
	for range t.size(10, 3) { // connections are cut under whatever is at work, so that jobs fail
		if _, err := c.Pool().Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = current_database() AND application_name <> 'checker'`); err != nil {
			return fmt.Errorf("cut the connections: %w", err)
		}
		if !bed.Wait(ctx, 300*time.Millisecond) {
			return ctx.Err()
		}
	}
	// Some mails wait ten minutes for an operator to mend the key, so that this run does not come to rest.
	if _, _, err := c.Settle(ctx, t.within(45*time.Second, 2*time.Second)); err != nil {
		return err
	}
	if err := look(ctx); err != nil {
		return err
	}
	w, err := b.Worker(ctx)
	if err != nil {
		return err
	}
	w.Dump()
	stats, err := b.Stats(ctx)
	if err != nil {
		return err
	}
	t.equal("calls accepted", len(posted.Acked), n)
	t.exercised("canaries in each call", "9: words of both sides, names, number, address, queue, note, summary, metadata")
	t.exercised("secrets", "5: model key, mail key, API key, a source's secret from the environment, and parts of them")
	t.exercised("kills, and one crash with all stacks printed", nemesis.done)
	t.exercised("providers' calls and faults, the refusals repeating request and key", fmt.Sprint(stats.Counts))
	return nil
}

func (t *trial) perS(n int) float64 {
	return float64(n) / t.within(36*time.Second, 1500*time.Millisecond).Seconds()
}

// search looks for canaries in what it is given.
type search struct {
	*trial
	bed   *bed.Bed
	bytes int
}

func (s *search) secret(text string) bool {
	s.bytes += len(text)
	key := s.bed.Keys["chaos"]
	for _, c := range []string{"chaos-canary", bed.ModelKey[len(bed.ModelKey)-8:], bed.MailKey[len(bed.MailKey)-8:], key, key[len(key)-12:], webhookSecret[6:], webhookSecret[6:22]} {
		if strings.Contains(text, c) {
			return true
		}
	}
	return false
}

func (s *search) private(text string) bool {
	return strings.Contains(text, personal) || strings.Contains(text, drama)
}

// answers makes the listeners refuse things, the database away included, and reads what they say.
func (s *search) answers(ctx context.Context, web *bed.Process) error {
	pages, err := web.Pages(ctx)
	if err != nil {
		return err
	}
	session, err := s.bed.SignIn(ctx, pages)
	if err != nil {
		return err
	}
	asked := refusals(s.bed, pages, session)
	got := map[int]int{}
	var secrets, private checker.Finding
	ask := func() error {
		for _, r := range asked() {
			status, text, err := answer(r.WithContext(ctx))
			if err != nil {
				return err
			}
			got[status]++
			where := fmt.Sprintf("%s %s %d", r.Method, r.URL.Path, status)
			if s.secret(text) {
				secrets.Note(where)
			}
			if status >= 400 && s.private(text) {
				private.Note(where)
			}
		}
		return nil
	}
	if err := ask(); err != nil {
		return err
	}
	jobs, _, err := s.queuePage(ctx, pages, session)
	if err != nil {
		return err
	}
	if err := s.bed.Database.Crash(); err != nil {
		return err
	}
	if err := ask(); err != nil {
		return err
	}
	if err := s.bed.Database.Start(ctx); err != nil {
		return err
	}
	s.exercised("answers read, with and without a database, by status", fmt.Sprint(got))
	s.zero("secrets in answers and pages", secrets)
	s.zero("words, names, numbers and addresses in errors", private)
	s.zero("words, names, numbers and addresses in the queue's page", jobs)
	return nil
}

// metrics reads what the living processes show of themselves.
func (s *search) metrics(ctx context.Context) error {
	var secrets, private checker.Finding
	lines := 0
	alive := s.bed.Serving()
	for _, p := range alive {
		url, err := p.Metrics(ctx)
		if err != nil {
			return err
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/metrics", nil)
		if err != nil {
			return fmt.Errorf("ask for metrics: %w", err)
		}
		status, text, err := answer(r)
		if err != nil {
			return err
		}
		if status != http.StatusOK {
			return fmt.Errorf("the metrics of %s answer %d", p.Name, status)
		}
		for line := range strings.Lines(text) {
			lines++
			if s.secret(line) {
				secrets.Note(line[:min(len(line), 120)])
			}
			if s.private(line) {
				private.Note(line[:min(len(line), 120)])
			}
		}
	}
	if lines == 0 {
		return errors.New("no process that could be watched was left")
	}
	s.exercised("lines of metrics searched", fmt.Sprintf("%d of %d processes", lines, len(alive)))
	s.zero("secrets in metrics", secrets)
	s.zero("words, names, numbers and addresses in metrics", private)
	return nil
}

// traces searches what was sent to the collector.
func (s *search) traces(c *collector.Collector) error {
	var secrets, private checker.Finding
	raw := c.Raw()
	if s.secret(raw) {
		secrets.Note("a span")
	}
	for _, span := range c.Spans() {
		if s.private(fmt.Sprint(span)) {
			private.Note(span.Name[:min(len(span.Name), 120)])
		}
	}
	if s.private(raw) && private.Count == 0 {
		private.Note("beside the spans")
	}
	if raw == "" {
		return errors.New("no span came")
	}
	s.exercised("spans searched", fmt.Sprintf("%d, %d bytes", len(c.Spans()), len(raw)))
	s.zero("secrets in traces", secrets)
	s.zero("words, names, numbers and addresses in traces", private)
	return nil
}

// queuePage reads what River's page says of the jobs.
func (s *search) queuePage(ctx context.Context, pages string, session *http.Cookie) (private checker.Finding, n int, err error) {
	for _, state := range []string{"completed", "retryable", "scheduled", "discarded", "cancelled", "available", "running"} {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, pages+"/admin/river/api/jobs?limit=500&state="+state, nil)
		if err != nil {
			return private, n, fmt.Errorf("ask for the jobs: %w", err)
		}
		r.AddCookie(session)
		status, text, err := answer(r)
		if err != nil {
			return private, n, err
		}
		if status != http.StatusOK {
			return private, n, fmt.Errorf("the queue's page answers %d", status)
		}
		n += len(text)
		if s.private(text) || s.secret(text) {
			private.Note(state)
		}
	}
	s.exercised("bytes of the queue's page", n)
	return private, n, nil
}

// refusals are requests that cannot be served, each with canaries in it. They are made afresh each time. Pages are asked for
// with and without a session.
func refusals(b *bed.Bed, pages string, session *http.Cookie) func() []*http.Request {
	good := string(canaryCall(7).Body)
	return func() []*http.Request {
		var all []*http.Request
		add := func(method, url, key, body string) {
			r, err := http.NewRequest(method, url, strings.NewReader(body))
			if err != nil {
				panic(err) // the addresses are the bed's
			}
			r.Header.Set("Content-Type", "application/json")
			if key != "" {
				r.Header.Set("Authorization", "Bearer "+key)
			}
			all = append(all, r)
			if strings.HasPrefix(url, pages) {
				known := r.Clone(r.Context())
				known.Body = io.NopCloser(strings.NewReader(body))
				known.AddCookie(session)
				all = append(all, known)
			}
		}
		key, post := b.Keys["chaos"], b.Web+"/v1/conversations"
		add("POST", post, "", good)
		add("POST", post, key+"x", good)
		add("POST", post, key, good[:len(good)/2])
		add("POST", post, key, strings.Replace(good, `"completed"`, `"`+personal+`"`, 1))
		add("POST", post, key, strings.Replace(good, `"inbound"`, `7`, 1))
		add("POST", post, key, strings.Replace(good, `2026-11-20T09:12:00Z`, personal, 1))
		add("POST", post, key, strings.Replace(good, `"queue":"`, `"queue":"`+strings.Repeat(personal, 40), 1))
		add("POST", post, key, strings.Replace(good, `see to it`, `not see to it`, 1)) // the same id, another body
		add("POST", post, key, "["+good+"]")
		add("POST", b.Web+"/hooks/chaos-calls", "", good)
		add("POST", b.Web+"/hooks/"+personal, "", good)
		add("GET", b.Web+"/metrics", key, "")
		add("GET", b.Web+"/"+personal, key, "")
		add("GET", pages+"/metrics", "", "")
		add("GET", pages+"/conversations", "", "")
		add("GET", pages+"/conversations/"+personal, "", "")
		add("GET", pages+"/conversations/00000000-0000-0000-0000-000000000000", "", "")
		add("GET", pages+"/captured/"+personal, "", "")
		add("GET", pages+"/"+personal, "", "")
		add("POST", pages+"/admin/river/api/jobs/delete", "", good)
		return all
	}
}

func answer(r *http.Request) (status int, text string, err error) {
	res, err := (&http.Client{Timeout: 20 * time.Second}).Do(r)
	if err != nil {
		return 0, "", fmt.Errorf("ask for an answer: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	var head bytes.Buffer
	_ = res.Header.Write(&head)
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, "", fmt.Errorf("read an answer: %w", err)
	}
	return res.StatusCode, head.String() + string(body), nil
}

// rows searches every table for secrets, and the queue's and the workers' for what is personal.
func (s *search) rows(ctx context.Context) error {
	c, err := checker.Open(ctx, s.bed.Database.Direct("chaos")) // the server has been started anew
	if err != nil {
		return err
	}
	defer c.Close()
	tables, err := c.Tables(ctx, "%")
	if err != nil {
		return err
	}
	var secrets, private checker.Finding
	rows, queue := 0, 0
	for _, t := range tables {
		for _, row := range t.Rows {
			rows++
			if s.secret(row) {
				secrets.Note(t.Name)
			}
			if strings.HasPrefix(t.Name, "river_") || t.Name == "workers" {
				queue++
				if s.private(row) {
					private.Note(t.Name)
				}
			}
		}
	}
	failed, err := c.Count(ctx, `SELECT count(*) FROM river_job WHERE errors IS NOT NULL`)
	if err != nil {
		return err
	}
	s.exercised("rows searched", fmt.Sprintf("%d of %d tables; %d of the queue and the workers, %d jobs with errors", rows, len(tables), queue, failed))
	s.zero("secrets in the database", secrets)
	s.zero("words, names, numbers and addresses in the queue's rows and the workers'", private)
	return nil
}

// logs searches what every process has written, panics included.
func (s *search) logs() error {
	paths, err := s.bed.Logs()
	if err != nil {
		return err
	}
	var secrets, private checker.Finding
	lines, errs, stacks := 0, 0, 0
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("read a log: %w", err)
		}
		for line := range strings.Lines(string(raw)) {
			lines++
			if strings.Contains(line, `"level":"WARN"`) || strings.Contains(line, `"level":"ERROR"`) {
				errs++
			}
			if strings.HasPrefix(line, "goroutine ") {
				stacks++
			}
			if s.secret(line) {
				secrets.Note(line[:min(len(line), 120)])
			}
			if s.private(line) {
				private.Note(line[:min(len(line), 120)])
			}
		}
	}
	if stacks == 0 {
		return errors.New("the crash printed no stacks")
	}
	s.exercised("log lines searched", fmt.Sprintf("%d in %d files, of which %d warnings and errors and %d goroutines' stacks", lines, len(paths), errs, stacks))
	s.exercised("bytes searched in all", s.bytes)
	s.zero("secrets in logs", secrets)
	s.zero("words, names, numbers and addresses in logs", private)
	return nil
}
