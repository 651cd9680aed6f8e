package dashboard

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aftercall/automation"
	"aftercall/conversation"
	"aftercall/deliver"
	"aftercall/deliver/capture"
	"aftercall/internal/llm"
	"aftercall/internal/postgres/pgtest"
	"aftercall/internal/store"
	"aftercall/interview"
	"aftercall/ops"
	"aftercall/worker"
)

// lineConfig has an automation of each kind that people put right: one that always fires, one whose value is missing, one that
// the model is unsure of, and one that is switched off until the config is changed.
const lineConfig = `account: acme
name: Acme Clinic
timezone: Europe/London
from: { email: "calls@acme.example" }
allow: { domains: [acme.example], contacts: true }
variables:
  dyn_when: { type: date, ask: "When the customer wants to be called back" }
automations:
  - id: minutes
    name: Minutes
    when: always
    actions:
      - email: { to: [support@acme.example], subject: "Minutes of a call", body: "Somebody called." }
  - id: callback
    name: Callback requested
    when: { ask: "Did the customer ask to be called back?" }
    require: [dyn_when]
    actions:
      - email: { to: [desk@acme.example], subject: "Call back on {{dyn_when}}", body: "Call back on {{dyn_when}}." }
  - id: complaint
    name: Complaint
    when: { ask: "Did the customer complain?" }
    actions:
      - email: { to: [boss@acme.example], subject: "A complaint", body: "Somebody complained." }
  - id: survey
    name: Survey
    enabled: false
    when: always
    actions:
      - email: { to: [survey@acme.example], subject: "A survey", body: "How was it?" }
`

// oracle is a model that gives each question of lineConfig its answer, and knows no value.
type oracle struct{}

func (oracle) Complete(_ context.Context, q llm.Request) (llm.Reply, error) {
	answer := `{"variables":[]}`
	if strings.Contains(string(q.Schema), `"automations"`) {
		answer = `{"automations":{"callback":{"evidence":[{"turn":1,"quote":"Please call me back"}],"verdict":"yes"},"complaint":{"evidence":[],"verdict":"unsure"}},"variables":[]}`
	}
	return llm.Reply{Content: answer, Model: "oracle", TokensIn: 100, TokensOut: 20}, nil
}

// postman is an e-mail provider that refuses everything until it is told to take it.
type postman struct {
	takes atomic.Bool
	mu    sync.Mutex
	taken []string // subjects
}

func (p *postman) Send(_ context.Context, m deliver.Message) (deliver.Receipt, error) {
	if !p.takes.Load() {
		return deliver.Receipt{}, &deliver.Error{Verdict: deliver.Refused, Class: "auth", Status: 401, Detail: "the key is not right"}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken = append(p.taken, m.Subject)
	return deliver.Receipt{Provider: "postman", ProviderID: m.DeliveryID}, nil
}

func (p *postman) subjects() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.taken, ", ")
}

// line is the product at work behind its pages: a worker, a model and a provider, with one call.
type line struct {
	*testing.T
	store     *store.Store
	revisions *worker.Revisions
	mail      *postman
	url, call string
}

func newLine(t *testing.T) *line {
	t.Helper()
	l := &line{T: t, mail: &postman{}}
	db, err := store.Open(t.Context(), pgtest.New(t), store.Options{})
	l.must(err)
	t.Cleanup(db.Close)
	log := slog.New(slog.DiscardHandler)
	l.store, l.revisions = db, worker.NewRevisions(db, log)
	revision := l.activate(lineConfig)
	jobs, err := worker.NewInserter(db)
	l.must(err)
	asks := interview.NewInterviewer(oracle{}, db, interview.Limits{})
	act, err := ops.New(ops.Config{Store: db, River: jobs, Revisions: l.revisions, Interviewer: asks, Logger: log})
	l.must(err)
	work, err := worker.New(worker.Config{Store: db, Revisions: l.revisions, Interviewer: asks, Logger: log, Bulk: act.Work,
		Channels: map[string]deliver.Channel{deliver.Email: l.mail}, Capture: capture.New(db)})
	l.must(err)
	l.must(work.Start(t.Context()))
	t.Cleanup(func() { l.must(work.Stop(context.Background())) })
	d, err := New(Config{Store: db, River: jobs, Revisions: l.revisions, Ops: act, Logger: log, Version: "v0.0.1", Loopback: true})
	l.must(err)
	server := httptest.NewServer(d.Handler())
	t.Cleanup(func() {
		d.EndStreams()
		server.Close()
	})
	l.url = server.URL
	ended := time.Now().Add(-time.Minute)
	a, err := db.NewIngest(worker.EnqueueDecides(jobs)).Accept(t.Context(), store.Arrival{
		Event: store.Event{AccountID: "acme", Source: "api", Identity: "c1", Type: "conversation", Body: []byte("{}"), ReceivedAt: time.Now()},
		Conversation: &conversation.Conversation{ExternalID: "c1", Channel: conversation.ChannelPhone, Direction: conversation.Inbound, Status: conversation.Completed,
			StartedAt: ended.Add(-time.Minute), EndedAt: ended, FromNumber: "+447700900123", Customer: conversation.Customer{Name: "Dana Whitfield"},
			Turns: []conversation.Turn{{Role: conversation.RoleCustomer, Text: "Please call me back."}}},
		RevisionID: revision, DecideAt: time.Now(), Final: true,
	})
	l.must(err)
	l.call = a.ConversationID
	l.until(func(s store.Story) bool { return of(s, 1, "minutes").State == store.Failed })
	return l
}

func (l *line) must(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

// activate makes a config the active one.
func (l *line) activate(yaml string) string {
	l.Helper()
	files := automation.Files{"account.yaml": []byte(yaml)}
	rev, problems := automation.Compile(files)
	if rev == nil {
		l.Fatal(problems)
	}
	id, err := l.store.SaveRevision(l.Context(), store.RevisionFiles{AccountID: "acme", Digest: rev.Digest, Format: automation.Format, Files: files}, "test")
	l.must(err)
	_, err = l.store.Activate(l.Context(), store.Activation{AccountID: "acme", RevisionID: id, By: "test"})
	l.must(err)
	l.must(l.revisions.Refresh(l.Context()))
	return id
}

// active is the revision that is.
func (l *line) active() string {
	l.Helper()
	active, err := l.store.ActiveRevisions(l.Context())
	l.must(err)
	return active[0].RevisionID
}

// until waits for the story to come to a point.
func (l *line) until(done func(store.Story) bool) store.Story {
	l.Helper()
	ctx, cancel := context.WithTimeout(l.Context(), time.Minute)
	defer cancel()
	for last := (store.Story{}); ; {
		s, err := l.store.Story(ctx, "acme", l.call)
		if err != nil {
			l.Fatalf("the call does not get there: %v; runs %+v, deliveries %+v", err, last.Runs, last.Deliveries)
		}
		if last = s; done(s) {
			return s
		}
	}
}

// of is the last delivery of an automation in a run.
func of(s store.Story, run int, automation string) (found store.StoryDelivery) {
	for _, d := range s.Deliveries {
		if d.Run == run && d.Automation == automation {
			found = d
		}
	}
	return found
}

func (l *line) path() string { return conversationPath(l.call) }

// get and post ask for a page as a form does, redirects not followed.
func (l *line) get(path string) (int, string) { return l.ask(http.MethodGet, path, nil) }

func (l *line) post(path string, fields ...string) (int, string) {
	form := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return l.ask(http.MethodPost, path, form)
}

func (l *line) ask(method, path string, form url.Values) (status int, told string) {
	l.Helper()
	r, err := http.NewRequestWithContext(l.Context(), method, l.url+path, strings.NewReader(form.Encode()))
	l.must(err)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	l.must(err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	l.must(err)
	if to := answer.Header.Get("Location"); to != "" {
		return answer.StatusCode, to
	}
	return answer.StatusCode, string(body)
}

// says checks a page for words.
func (l *line) says(path string, words ...string) {
	l.Helper()
	status, body := l.get(path)
	for _, w := range words {
		if status != http.StatusOK || !strings.Contains(body, w) {
			l.Errorf("%s (%d) does not say %q:\n%s", path, status, w, body)
		}
	}
}

// acts counts what is in the audit log.
func (l *line) acts(what store.Deed) (n int) {
	l.Helper()
	acts, _, err := l.store.Acts(l.Context(), "acme", "", 100)
	l.must(err)
	for _, a := range acts {
		if a.What == what {
			n++
		}
	}
	return n
}

func (l *line) doorTo(run int, automation, page string) string {
	return fmt.Sprintf("/review/%s/%d/%s/%s", l.call, run, automation, page)
}
