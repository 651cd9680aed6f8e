package api_test

import (
	"bytes"
	"context"
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

	"aftercall/api"
	"aftercall/automation"
	"aftercall/conversation"
	"aftercall/deliver"
	"aftercall/deliver/capture"
	"aftercall/deliver/teamalert"
	"aftercall/internal/llm"
	"aftercall/internal/openapi"
	"aftercall/internal/openapi/openapitest"
	"aftercall/internal/postgres/pgtest"
	"aftercall/internal/signals"
	"aftercall/internal/store"
	"aftercall/interview"
	"aftercall/ops"
	"aftercall/people"
	"aftercall/worker"
)

// config leaves of each call one message sent, one of which nobody knows, one held for want of a value, an alert, a task and
// a decision that is unsure; and one more that only the first call of a day sends.
const config = `account: %s
name: Acme Clinic
timezone: Europe/London
from: { email: "calls@acme.example" }
allow: { domains: [acme.example], contacts: true }
people: { maria: { name: Maria Lopez, email: maria@acme.example } }
variables:
  dyn_when: { type: date, ask: "When the customer wants to be called back" }
automations:
  - id: every-call
    when: always
    actions:
      - email: { to: [log@acme.example], subject: "Call", body: "A call." }
      - email: { to: [lost@acme.example], subject: "Lost", body: "A call." }
      - task: { title: "Look at it", priority: high, due: { after: 4h }, assignee: maria }
      - team_alert: { to: all, text: "A call came in." }
  - id: confirm
    when: always
    actions:
      - email: { to: ["{{customer_email}}"], subject: "Your appointment", body: "We call you on {{dyn_when}}." }
  - id: callback
    when: { ask: "Did the customer ask to be called back?" }
    actions:
      - email: { to: [support@acme.example], subject: "Call back", body: "Call back." }
  - id: capped
    when: always
    limit: { per_day: 1 }
    actions:
      - email: { to: [support@acme.example], subject: "One a day", body: "A call." }
`

// doubting is a model that is sure of nothing.
type doubting struct{}

func (doubting) Complete(_ context.Context, q llm.Request) (llm.Reply, error) {
	var form struct {
		Properties struct {
			Automations struct{ Properties map[string]any }
		}
	}
	if err := json.Unmarshal(q.Schema, &form); err != nil {
		return llm.Reply{}, fmt.Errorf("read the form: %w", err)
	}
	verdicts := map[string]any{}
	for id := range form.Properties.Automations.Properties {
		verdicts[id] = map[string]any{"verdict": "unsure", "evidence": []any{}}
	}
	answer := map[string]any{"variables": []any{}}
	if len(verdicts) > 0 {
		answer["automations"] = verdicts
	}
	out, err := json.Marshal(answer)
	return llm.Reply{Content: string(out), Model: "doubting", TokensIn: 10, TokensOut: 10}, err
}

// provider takes everything, and never answers for one address.
type provider struct{}

func (provider) Send(_ context.Context, m deliver.Message) (deliver.Receipt, error) {
	if m.Subject == "Lost" {
		return deliver.Receipt{}, &deliver.Error{Verdict: deliver.Unknown, Class: "timeout", Detail: "it did not answer"}
	}
	return deliver.Receipt{Provider: "test", ProviderID: m.DeliveryID}, nil
}

// house is the whole line behind a real server: two accounts, and keys for them.
type house struct {
	*testing.T
	store     *store.Store
	worker    *worker.Worker
	posted    *store.Ingest
	active    map[string]string // revisions, by account
	api       *api.API
	desk      *ops.Ops
	revisions *worker.Revisions
	signals   *signals.Signals
	url       string
	key       string // of acme, with every scope
	other     string // of umbra, likewise
	log       *safeBuffer

	described *openapitest.Description
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

func open(t *testing.T) *house {
	t.Helper()
	h := &house{T: t, log: &safeBuffer{}, active: map[string]string{}}
	db, err := store.Open(t.Context(), pgtest.New(t), store.Options{})
	h.must(err)
	t.Cleanup(db.Close)
	h.store = db
	log := slog.New(slog.NewJSONHandler(h.log, nil))
	h.revisions = worker.NewRevisions(db, log)
	for _, account := range []string{"acme", "umbra"} {
		h.activate(account, config)
	}
	h.must(h.revisions.Refresh(t.Context()))
	jobs, err := worker.NewInserter(db)
	h.must(err)
	interviewer := interview.NewInterviewer(doubting{}, db, interview.Limits{})
	h.desk, err = ops.New(ops.Config{Store: db, River: jobs, Revisions: h.revisions, Interviewer: interviewer, Logger: log})
	h.must(err)
	h.worker, err = worker.New(worker.Config{Store: db, Revisions: h.revisions, Interviewer: interviewer, Logger: log, Bulk: h.desk.Work, Erase: h.desk.WorkErasure,
		Channels: map[string]deliver.Channel{deliver.Email: provider{}, deliver.TeamAlert: teamalert.New(db)}, Capture: capture.New(db)})
	h.must(err)
	h.signals = signals.New(signals.Words{Routes: api.Operations()}, log)
	h.api, err = api.New(api.Config{Store: db, Ops: h.desk, Revisions: h.revisions, Logger: log, Signals: h.signals})
	h.must(err)
	h.posted = db.NewIngest(worker.EnqueueDecides(jobs))
	h.url = h.served(h.api)
	h.key, h.other = h.newKey("acme", store.Scopes()...), h.newKey("umbra", store.Scopes()...)
	raw, err := openapi.Document(h.api.Routes(), api.Words())
	h.must(err)
	h.described = openapitest.Read(t, raw)
	h.must(h.worker.Start(t.Context()))
	t.Cleanup(func() { h.must(h.worker.Stop(context.Background())) })
	return h
}

// served is the address of an API on a server of its own.
func (h *house) served(a *api.API) (url string) {
	mux := http.NewServeMux()
	for _, r := range a.Routes() {
		mux.Handle(r.Pattern(), r.Handler)
	}
	server := httptest.NewServer(mux)
	h.Cleanup(server.Close)
	h.Cleanup(a.End)
	return server.URL
}

func (h *house) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

func (h *house) activate(account, config string) {
	h.Helper()
	files := automation.Files{"account.yaml": fmt.Appendf(nil, config, account)}
	rev, problems := automation.Compile(files)
	if rev == nil {
		h.Fatal(problems)
	}
	id, err := h.store.SaveRevision(h.Context(), store.RevisionFiles{AccountID: account, Digest: rev.Digest, Format: automation.Format, Files: files}, "test")
	h.must(err)
	_, err = h.store.Activate(h.Context(), store.Activation{AccountID: account, RevisionID: id, By: "test"})
	h.must(err)
	h.active[account] = id
}

func (h *house) newKey(account string, scopes ...store.Scope) string {
	h.Helper()
	key := people.NewKey()
	h.must(h.store.AddKey(h.Context(), account, "test", key.Prefix, key.Hash, store.Actor{Name: "test"}, scopes...))
	return key.Text
}

// answer is what the server said.
type answer struct {
	*house
	status int
	header http.Header
	raw    string
	said   map[string]any
}

// text is a member of an answer that is a text.
func (a answer) text(names ...string) string {
	a.Helper()
	var at any = a.said
	for _, name := range names {
		if list, ok := at.([]any); ok && name == "0" && len(list) > 0 {
			at = list[0]
			continue
		}
		object, _ := at.(map[string]any)
		at = object[name]
	}
	s, _ := at.(string)
	return s
}

// items are those of a list.
func (a answer) items(names ...string) []any {
	a.Helper()
	var at any = a.said
	for _, name := range append(names, "items") {
		object, _ := at.(map[string]any)
		at = object[name]
	}
	list, _ := at.([]any)
	return list
}

// want fails the test unless the answer has a status.
func (a answer) want(status int) answer {
	a.Helper()
	if a.status != status {
		a.Fatalf("%d %s, want %d", a.status, a.raw, status)
	}
	return a
}

// ask sends a request and holds the answer against its description.
func (h *house) ask(method, path, key string, body any, header ...string) answer {
	h.Helper()
	var sent io.Reader
	switch b := body.(type) {
	case nil:
	case string: // as it is
		sent = strings.NewReader(b)
	default:
		raw, err := json.Marshal(b)
		h.must(err)
		sent = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(h.Context(), method, h.url+path, sent)
	h.must(err)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	h.must(err)
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	h.must(err)
	a := answer{house: h, status: res.StatusCode, header: res.Header, raw: string(raw)}
	if err := json.Unmarshal(raw, &a.said); err != nil {
		h.Fatalf("%s %s: the answer %d is no JSON: %s", method, path, a.status, raw)
	}
	h.described.Hold(h.T, req, res, raw)
	if remedy, _ := a.said["remedy"].(string); a.status >= 400 && remedy == "" {
		h.Errorf("%s %s: %d says not what to do: %s", method, path, a.status, a.raw)
	}
	return a
}

// account is the one that a key belongs to.
func (h *house) account(key string) string {
	if key == h.other {
		return "umbra"
	}
	return "acme"
}

// call stores a call as a platform posts it, and waits until it is decided and nothing of it is under way.
func (h *house) call(id, key string) (ours string) {
	h.Helper()
	return h.callSaying(id, key, "Could you ring me back?")
}

// callSaying is a call in which the customer says this.
func (h *house) callSaying(id, key, text string) (ours string) {
	h.Helper()
	now, account := time.Now(), h.account(key)
	kept, err := h.posted.Accept(h.Context(), store.Arrival{
		Event: store.Event{AccountID: account, Source: automation.SourceAPI, Identity: id, Type: "conversation", Body: []byte("{}"), ReceivedAt: now},
		Conversation: &conversation.Conversation{
			ExternalID: id, Agent: conversation.Agent{ID: "reception", Name: "Reception"}, Channel: conversation.ChannelPhone,
			Direction: conversation.Inbound, Status: conversation.Completed, StartedAt: now.Add(-time.Minute), EndedAt: now,
			FromNumber: "+447700900123", ToNumber: "+442079460000", Customer: conversation.Customer{Name: "Pat Canary", Email: "pat.canary@example.com"},
			Turns: []conversation.Turn{{Role: conversation.RoleAgent, Text: "Hello"}, {Role: conversation.RoleCustomer, Text: text, AtMS: 2500}},
		},
		RevisionID: h.active[account], DecideAt: now, Final: true,
	})
	h.must(err)
	h.settled(kept.ConversationID, key)
	return kept.ConversationID
}

// settled waits until a call is decided, its runs are done and nothing of it is under way, and reads it.
func (h *house) settled(ours, key string) answer {
	h.Helper()
	ctx, cancel := context.WithTimeout(h.Context(), 60*time.Second)
	defer cancel()
	for {
		s, err := h.store.Story(ctx, h.account(key), ours)
		if err != nil {
			h.Fatalf("the call does not get there: %v", err)
		}
		if still(s) {
			return h.ask("GET", "/v1/conversations/"+ours, key, nil).want(200)
		}
	}
}

// still reports whether nothing of a call is under way.
func still(s store.Story) bool {
	for _, r := range s.Runs {
		if r.State == store.RunAsked {
			return false
		}
	}
	for _, d := range s.Deliveries {
		if d.State == store.Planned || d.State == store.Sending || d.State == store.Retrying {
			return false
		}
	}
	return s.State == store.StateDecided
}

// in finds the delivery of a call that is in a state, by its automation and channel.
func (a answer) in(automation, channel, state string) string {
	a.Helper()
	list, _ := a.said["deliveries"].([]any)
	for _, d := range list {
		one := d.(map[string]any)
		if one["automation"] == automation && one["channel"] == channel && one["state"] == state {
			return one["id"].(string)
		}
	}
	a.Fatalf("no %s of %s is %s: %s", channel, automation, state, a.raw)
	return ""
}
