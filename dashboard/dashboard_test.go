package dashboard_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"aftercall/conversation"
	"aftercall/dashboard"
	"aftercall/deliver"
	"aftercall/internal/postgres/pgtest"
	"aftercall/internal/store"
	"aftercall/interview"
	"aftercall/ops"
	"aftercall/reason"
	"aftercall/tasks"
	"aftercall/triggers"
	"aftercall/variables"
	"aftercall/worker"
)

var began = time.Date(2026, time.November, 20, 14, 2, 31, 0, time.UTC)

// house is the pages on a real database.
type house struct {
	t     *testing.T
	store *store.Store
	pages *dashboard.Dashboard
	url   string
	told  // of acme
}

// told is one conversation, told in full, and what else its account has.
type told struct{ account, conversation, delivery, captured, event, alone, call, key, task, alert, bulk, revision string }

func (x told) ids() []string {
	return []string{x.account, x.conversation, x.delivery, x.captured, x.event, x.alone, x.call, x.key, x.task, x.alert, x.bulk, x.revision}
}

func newHouse(t *testing.T, change ...func(*dashboard.Config)) *house {
	t.Helper()
	s, err := store.Open(t.Context(), pgtest.New(t), store.Options{Pool: 4, Ingest: -1, Pages: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	queue, err := river.NewClient(riverpgxv5.New(s.Pool()), &river.Config{})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	c := dashboard.Config{
		Store: s, River: queue, Revisions: worker.NewRevisions(s, log), Logger: log, Version: "v0.0.1", Simulated: true, Loopback: true,
	}
	for _, f := range change {
		f(&c)
	}
	if c.Ops, err = ops.New(ops.Config{Store: c.Store, River: queue, Revisions: c.Revisions, Logger: log}); err != nil {
		t.Fatal(err)
	}
	d, err := dashboard.New(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Stop)
	server := httptest.NewServer(d.Handler())
	t.Cleanup(server.Close)
	return &house{t: t, store: s, pages: d, url: server.URL}
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// accept stores a finished call and returns our id of it.
func (h *house) accept(account, revision, external string) string {
	return h.acceptOf(account, revision, external, "Dana Whitfield", "+447700900123")
}

// acceptOf stores a call of this customer.
func (h *house) acceptOf(account, revision, external, customer, number string) string {
	h.t.Helper()
	first, last, _ := strings.Cut(strings.ToLower(customer), " ")
	ingest := h.store.NewIngest(func(context.Context, pgx.Tx, []store.DecideJob) error { return nil })
	got, err := ingest.Accept(h.t.Context(), store.Arrival{
		Event: store.Event{AccountID: account, Source: "desk", Identity: external, Type: "conversation.ended", ContentType: "application/json",
			Body: []byte(`{"id":"` + external + `","from":"` + number + `","customer":{"name":"` + customer + `","email":"` + first + "@" + last + `.example"}}`), ReceivedAt: began.Add(5 * time.Minute)},
		Conversation: &conversation.Conversation{
			AccountID: account, Source: "desk", ExternalID: external, Agent: conversation.Agent{ID: "reception", Name: "Robin"},
			Channel: conversation.ChannelPhone, Direction: conversation.Inbound, Status: conversation.Completed,
			StartedAt: began, EndedAt: began.Add(245 * time.Second), Timezone: "Europe/London", FromNumber: number,
			Customer: conversation.Customer{Name: customer, Email: first + "@" + last + ".example"},
			Turns: []conversation.Turn{{Role: conversation.RoleAgent, Text: "Acme Clinic, how can I help?"},
				{Role: conversation.RoleCustomer, Text: "Could somebody call me back <b>today</b>?"}},
		},
		RevisionID: revision, DecideAt: began.Add(5 * time.Minute), Final: true,
	})
	h.must(err)
	return got.ConversationID
}

// tell fills the house with one conversation: one message captured, one refused by its provider, one held.
func (h *house) tell() {
	h.told = h.tellOf("acme", "desk", "call-1", "Dana Whitfield", "+447700900123")
}

// toldConfig is the config by which calls are told.
const toldConfig = `account: acme
name: Clinic
timezone: Europe/London
from: { email: "calls@acme.example", sms: "+442071838750" }
allow: { domains: [acme.example], contacts: true }
automations:
  - id: callback-requested
    when: { ask: "Did the customer ask to be called back?" }
    actions:
      - email: { to: [support@acme.example], subject: "Callback", body: "Call back" }
  - id: complaint
    when: { ask: "Did the customer complain?" }
    actions:
      - team_alert: { to: all, text: "A complaint" }
`

// tellOf does so for an account.
func (h *house) tellOf(account, source, external, customer, number string) (x told) {
	h.t.Helper()
	ctx := h.t.Context()
	x.account = account
	first, last, _ := strings.Cut(customer, " ")
	revision, err := h.store.SaveRevision(ctx, store.RevisionFiles{AccountID: account, Digest: strings.Repeat("ab", 32), Format: 1,
		Files: map[string][]byte{"account.yaml": []byte(strings.Replace(toldConfig, "acme", account, 1))}}, "test")
	h.must(err)
	_, err = h.store.Activate(ctx, store.Activation{AccountID: account, RevisionID: revision, By: "test", Sources: []string{source}})
	h.must(err)
	x.revision = revision
	x.conversation = h.acceptOf(account, revision, external, customer, number)
	_, err = h.store.NewIngest(func(context.Context, pgx.Tx, []store.DecideJob) error { return nil }).Accept(ctx, store.Arrival{About: external,
		Event: store.Event{AccountID: account, Source: source, Identity: "missed:" + external, Type: "call.missed", ContentType: "application/json",
			Body: []byte(`{"from": "` + number + `"}`), ReceivedAt: began}})
	h.must(err)
	missed, err := h.store.EventsAlone(ctx, account, "missed:"+external, "api")
	h.must(err)
	x.alone = missed[0].ID
	pinned, err := h.store.Load(ctx, x.conversation, 1)
	h.must(err)
	x.delivery = uuid.NewString()
	message := func(id, channel string, action int, state store.DeliveryState, code reason.Code) store.Delivery {
		return store.Delivery{ID: id, Automation: "callback-requested", Action: action, Channel: channel, Recipient: "email:support@acme.example",
			State: state, Reason: code, DueAt: began, DeadlineAt: time.Now().Add(time.Hour), Content: store.Content{
				Subject: "Callback", Text: "Call " + first + " back on " + number, HTML: "<p>Call <b>" + first + "</b> back</p>", To: []string{"email:support@acme.example"}}}
	}
	task := store.Task{ID: uuid.NewString(), Automation: "callback-requested", Action: 3,
		Task: tasks.Task{Title: "Call " + first + " back on " + number, Description: "or write to " + strings.ToLower(first) + "@" + strings.ToLower(last) + ".example", Priority: tasks.High, Assignee: "group:support", DueAt: began.Add(4 * time.Hour)}}
	written := message(task.ID, deliver.Task, 3, store.Sent, "")
	written.Recipient = "group:support"
	x.task = task.ID
	planner := h.store.NewPlanner(func(context.Context, pgx.Tx, []store.DeliverJob) error { return nil })
	_, err = planner.Save(ctx, &store.Plan{
		AccountID: account, ConversationID: x.conversation, RevisionID: revision, Run: 1, Version: pinned.Version, State: store.StateDecided,
		Decisions: []triggers.Decision{
			{Automation: "callback-requested", Verdict: triggers.Fires, Reason: reason.Fired, Evidence: []interview.Evidence{{Turn: 2, Quote: "Could somebody call me back"}}},
			{Automation: "complaint", Verdict: triggers.No, Reason: reason.ConditionNotMet},
		},
		Actions:   map[string]int{"callback-requested": 4},
		Values:    []variables.Value{{Name: "dyn_when", Type: variables.Text, Status: variables.Stated, Raw: "today", Value: "today", Evidence: interview.Evidence{Turn: 2, Quote: "call me back today"}}},
		Simulated: true,
		Deliveries: []store.Delivery{message(x.delivery, deliver.Email, 0, store.Planned, ""),
			message(uuid.NewString(), deliver.SMS, 1, store.Planned, ""),
			message(uuid.NewString(), deliver.Email, 2, store.Held, reason.VariableMissingForCustomer), written},
		Tasks: []store.Task{task},
	})
	h.must(err)
	h.send(x.conversation, deliver.Email, store.Outcome{State: store.Sent, Provider: "capture", Address: "support@acme.example"})
	h.send(x.conversation, deliver.SMS, store.Outcome{State: store.Failed, Class: "bad_request", Status: 400, Detail: "the number is not a mobile"})
	kept, _, err := h.store.CapturedMessages(ctx, account, "", "", 10)
	h.must(err)
	if len(kept) != 1 {
		h.t.Fatalf("captured messages: got %d, want 1", len(kept))
	}
	x.captured = kept[0].ID
	h.must(h.store.AddKey(ctx, account, customer, "ac_"+account, []byte(account), store.Actor{Name: "test"}))
	keys, err := h.store.Within(store.Only(account)).Keys(ctx)
	h.must(err)
	x.key = keys[0].ID
	h.must(h.store.PostAlert(ctx, deliver.Message{AccountID: account, DeliveryID: written.ID, Text: first + " waits for a call back"}))
	posted, _, err := h.store.Inbox(ctx, store.Teammate{}, account, "", 1)
	h.must(err)
	x.alert = posted[0].ID
	_, err = h.store.Record(ctx, interview.Call{ConversationID: x.conversation, AccountID: account, RevisionID: revision, Part: "all/0@0badcafe", Purpose: "interview",
		PromptHash: strings.Repeat("5b", 32), Valid: true, Answer: []byte(`{"summary":"` + customer + ` wants a call back on ` + number + `"}`), At: began.Add(5 * time.Minute)})
	h.must(err)
	story, err := h.store.Story(ctx, account, x.conversation)
	h.must(err)
	x.event, x.call = story.Events[0].ID, story.Calls[0].ID
	x.bulk, err = h.store.AskBulk(ctx, store.Actor{Name: "test"}, account, store.BulkRequest{Action: store.BulkReplaySame, Sandbox: true,
		Filter: store.BulkFilter{Since: time.Now().Add(-time.Hour), Until: time.Now().Add(time.Hour)}}, func(context.Context, pgx.Tx, string) error { return nil })
	h.must(err)
	return x
}

// send claims what is due on a channel and records the same outcome for all of it.
func (h *house) send(conversation, channel string, o store.Outcome) {
	h.t.Helper()
	ctx := h.t.Context()
	h.must(h.store.Beat(ctx, store.Worker{ID: "w1", Host: "here", Version: "v0", StartedAt: began}))
	claimed, err := h.store.Claim(ctx, conversation, channel, "w1", time.Now(), nil)
	h.must(err)
	for _, c := range claimed {
		if o.Provider == "capture" {
			h.must(h.store.Keep(ctx, deliver.Message{DeliveryID: c.ID, Attempt: c.Attempt, AccountID: c.AccountID, ConversationID: c.ExternalID,
				AutomationID: c.Automation, Channel: channel, To: []deliver.Address{{Address: "support@acme.example"}},
				Subject: c.Content.Subject, Text: c.Content.Text, HTML: c.Content.HTML}))
		}
		o.AccountID, o.DeliveryID, o.Attempt, o.WorkerID = c.AccountID, c.ID, c.Attempt, "w1"
		o.StartedAt, o.FinishedAt = began.Add(5*time.Minute), began.Add(5*time.Minute+time.Second)
		h.must(h.store.RecordOutcome(ctx, o))
	}
}

// get asks for a page and returns what came, redirects not followed.
func (h *house) get(method, path string, header ...string) (*http.Response, string) {
	h.t.Helper()
	return h.getWith(method, path, "", header...)
}

// getWith does so with a body.
func (h *house) getWith(method, path, body string, header ...string) (*http.Response, string) {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), method, h.url+path, strings.NewReader(body))
	h.must(err)
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
			continue
		}
		r.Header.Add(header[i], header[i+1])
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	h.must(err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	h.must(err)
	return answer, string(text)
}

func TestPagesOnAnEmptyDatabase(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for path, want := range map[string]struct {
		status int
		says   string
	}{
		"/":                       {200, "Overview"},
		"/conversations":          {200, "No conversations yet"},
		"/conversations?q=nobody": {200, "Nothing found"},
		"/conversations?q=" + url.QueryEscape(`"><script>`): {200, "&#34;&gt;&lt;script&gt;"},
		"/conversations?before=never-ours":                  {404, "Nothing stands under this address"},
		"/conversations/" + uuid.NewString():                {404, "Nothing stands under this address"},
		"/conversations/%00%ff":                             {404, "Nothing stands under this address"},
		"/captured":                                         {200, "Nothing captured here"},
		"/captured/" + uuid.NewString():                     {404, "Nothing stands under this address"},
		"/captured/..%2f..%2fadmin":                         {404, "Nothing stands under this address"},
		"/bulk":                                             {200, "No bulk jobs yet"},
		"/config":                                           {200, "No config yet"},
		"/queue":                                            {200, "not opened yet"},
		"/nowhere":                                          {404, "Nothing stands under this address"},
		"/assets/app.css":                                   {404, ""},
	} {
		answer, body := h.get("GET", path)
		if answer.StatusCode != want.status || !strings.Contains(body, want.says) {
			t.Errorf("%s: got %d, want %d and %q in:\n%s", path, answer.StatusCode, want.status, want.says, body)
		}
	}
}

func TestPagesTellTheStory(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.tell()
	for path, wants := range map[string][]string{
		"/conversations":                          {"Dana Whitfield", "1 failed", "1 held for a person", "1 captured", "1 task written", "simulated model", "/conversations/" + h.conversation + "#attention"},
		"/conversations?q=%2B447700900123":        {h.conversation},
		"/conversations?q=dana@whitfield.example": {h.conversation},
		"/conversations?q=callback-requested":     {h.conversation},
		"/conversations?account=acme&q=call-1":    {h.conversation, "All accounts"},
		"/conversations?account=other":            {"No conversations yet"},
		"/conversations/" + h.conversation: {
			"bad request 400: the number is not a mobile", "<mark>Could somebody call me back</mark>", "&lt;b&gt;", reason.ConditionNotMet.Sentence(),
			reason.VariableMissingForCustomer.Remedy(), "kept on this machine", "14:02:31 GMT", "2026-11-20 14:02:31 UTC", `href="#t2"`, "Call Dana back", "dyn_when",
			"/conversations/" + h.conversation + "/deliveries/" + h.delivery, "/conversations/" + h.conversation + "/calls/" + h.call,
			"/conversations/" + h.conversation + "/events/" + h.event, "Webhook conversation.ended", "None is kept any more",
		},
		"/conversations/" + h.conversation + "/calls/" + h.call: {"wants a call back on", "not known any more"},
		"/captured":                         {"Callback", "support@acme.example", "/captured/" + h.captured},
		"/captured?channel=email":           {"/captured/" + h.captured},
		"/captured?channel=sms":             {"Nothing captured here"},
		"/captured/" + h.captured:           {"Call Dana back", "/captured/" + h.captured + "/html", "/conversations/" + h.conversation},
		"/captured/" + h.captured + "/html": {"<p>Call <b>Dana</b> back</p>"},
		"/conversations/" + h.conversation + "/deliveries/" + h.delivery:           {"<p>Call <b>Dana</b> back</p>"},
		"/conversations/" + h.conversation + "/deliveries/" + h.delivery + "/text": {"Call Dana back"},
		"/conversations/" + h.conversation + "/events/" + h.event:                  {`"from":"+447700900123"`},
	} {
		answer, body := h.get("GET", path)
		if answer.StatusCode != http.StatusOK {
			t.Errorf("%s: got %d", path, answer.StatusCode)
		}
		for _, want := range wants {
			if !strings.Contains(body, want) {
				t.Errorf("%s does not say %q", path, want)
			}
		}
	}
	if answer, _ := h.get("GET", "/conversations/call-1"); answer.Header.Get("Location") != "/conversations/"+h.conversation {
		t.Errorf("the platform's id leads to %q", answer.Header.Get("Location"))
	}
	if answer, _ := h.get("GET", "/conversations/"+h.conversation+"/deliveries/"+uuid.NewString()); answer.StatusCode != http.StatusNotFound {
		t.Errorf("another delivery's HTML: got %d", answer.StatusCode)
	}
}

func TestPagesFollowTheCursor(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.tell()
	revisions, err := h.store.ActiveRevisions(t.Context())
	h.must(err)
	for range 60 {
		h.accept("acme", revisions[0].RevisionID, uuid.NewString())
	}
	seen, path := 0, "/conversations?account=acme"
	for pages := 0; path != ""; pages++ {
		if pages > 2 {
			t.Fatal("61 conversations take more than two pages")
		}
		_, body := h.get("GET", path)
		seen += strings.Count(body, "data-row")
		path = older(body)
	}
	if seen != 61 {
		t.Errorf("the pages show %d conversations, want 61", seen)
	}
}

// older finds the address of the next page.
func older(body string) string {
	_, rest, ok := strings.Cut(body, `rel="next" href="`)
	if !ok {
		return ""
	}
	address, _, _ := strings.Cut(rest, `"`)
	return strings.ReplaceAll(address, "&amp;", "&")
}

func TestNewsIsAskedForCheaply(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.tell()
	page, body := h.get("GET", "/conversations/"+h.conversation)
	head, empty := h.get("HEAD", "/conversations/"+h.conversation)
	version := page.Header.Get("Page-Version")
	if version == "" || head.Header.Get("Page-Version") != version || !strings.Contains(body, `data-version="`+version+`"`) || empty != "" {
		t.Errorf("GET says %q, HEAD says %q with a body of %d bytes", version, head.Header.Get("Page-Version"), len(empty))
	}
}

func TestEveryRouteIsGuarded(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.tell()
	for _, path := range []string{
		"/", "/conversations", "/conversations/" + h.conversation, "/captured", "/captured/" + h.captured, "/captured/" + h.captured + "/html", "/workbench", "/nowhere",
		"/assets/none", "/admin/river/", "/admin/river/jobs", "/admin/river/api/jobs", "/admin/river/api/states",
	} {
		answer, _ := h.get("GET", path)
		for _, header := range []string{"Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "X-Frame-Options", "Cache-Control"} {
			if answer.Header.Get(header) == "" {
				t.Errorf("%s has no %s", path, header)
			}
		}
		for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
			if answer, _ := h.get(method, path, "Sec-Fetch-Site", "cross-site", "Content-Type", "text/plain"); answer.StatusCode != http.StatusForbidden {
				t.Errorf("cross-site %s %s: got %d, want 403", method, path, answer.StatusCode)
			}
		}
	}
}

// The pair of River and its page is pinned by version; this fails when they no longer fit.
func TestTheQueueHasItsPage(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	answer, body := h.get("GET", "/admin/river/")
	policy := answer.Header.Get("Content-Security-Policy")
	if answer.StatusCode != 200 || !strings.Contains(body, `id="root"`) || !strings.Contains(policy, "style-src 'self' 'unsafe-inline'") || strings.Contains(policy, "script-src 'self' 'unsafe") {
		t.Errorf("got %d under %q: %s", answer.StatusCode, policy, body)
	}
	queue, err := river.NewClient(riverpgxv5.New(h.store.Pool()), &river.Config{})
	h.must(err)
	_, err = queue.Insert(t.Context(), worker.DecideArgs{ConversationID: uuid.NewString(), Run: 1}, nil)
	h.must(err)
	answer, body = h.get("GET", "/admin/river/api/jobs?state=available")
	var jobs struct {
		Data []struct {
			ID   json.Number `json:"id"`
			Kind string      `json:"kind"`
		} `json:"data"`
	}
	if err := json.Unmarshal([]byte(body), &jobs); err != nil || answer.StatusCode != 200 || len(jobs.Data) != 1 || jobs.Data[0].Kind != "conversation.decide" {
		t.Errorf("got %d %v: %s", answer.StatusCode, err, body)
	}
}

func TestWithoutADatabaseThePageSaysSo(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.store.Close()
	answer, body := h.get("GET", "/conversations")
	if answer.StatusCode != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") == "" || !strings.Contains(body, "<h1>") || strings.Contains(body, "pool") {
		t.Errorf("got %d: %s", answer.StatusCode, body)
	}
}

func TestAPanicIsAPageAndQuotesNothing(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	h := newHouse(t, func(c *dashboard.Config) {
		c.Logger = slog.New(slog.NewJSONHandler(&log, nil))
		c.Now = func() time.Time { panic("said by Pat Canary, +447700900123") }
	})
	answer, body := h.get("GET", "/conversations")
	if answer.StatusCode != 500 || !strings.Contains(body, "This page could not be shown") || strings.Contains(body, "Canary") || answer.Header.Get("Content-Security-Policy") == "" {
		t.Errorf("got %d, want a page 500 under a policy: %s", answer.StatusCode, body)
	}
	if log := log.String(); !strings.Contains(log, `"type":"string"`) || !strings.Contains(log, "conversations.go") || strings.Contains(log, "Canary") || strings.Contains(log, "127.0.0.1") {
		t.Errorf("want the type and the stack, and neither value nor peer: %s", log)
	}
}

func TestWithoutSignInThereIsOnlyLoopback(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), pgtest.New(t), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	queue, err := river.NewClient(riverpgxv5.New(s.Pool()), &river.Config{})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	if _, err := dashboard.New(dashboard.Config{Store: s, River: queue, Revisions: worker.NewRevisions(s, log), Logger: log}); err == nil {
		t.Error("pages without sign-in were built for a listener that was not checked")
	}
}
