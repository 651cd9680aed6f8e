package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"golang.org/x/tools/txtar"

	"aftercall/deliver/delivertest"
	"aftercall/internal/postgres/pgtest"
	"aftercall/internal/store"
	"aftercall/people"
)

var update = flag.Bool("update", false, "rewrite what the scenarios want")

// TestScenarios runs each file of testdata/scenarios as a story: an account, a call posted to the webhook, a model's
// scripted answers, and what must come of it: what `why` prints and the exact mails on the wire.
//
//	account.yaml, *.yaml, *.hbs   the account's files
//	call.json                     the body posted to /v1/conversations
//	answer-1.json, …              what the model answers, in order; none means it must not be asked
//	why.txt                       wanted: the story as text, without ids and clock times of this run
//	mail.txt                      wanted: the mails that reached SendGrid's wire, in order of recipient
//	posts.txt                     wanted: the posts that reached Salesforce's, in order of where they stand; left out if there are none
func TestScenarios(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/scenarios/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			ar, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := playScenario(t, ar)
			if *update {
				for _, name := range slices.Sorted(maps.Keys(got)) {
					put(ar, name, got[name])
				}
				if err := os.WriteFile(file, txtar.Format(ar), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			for name, text := range got {
				if diff := cmp.Diff(string(member(ar, name)), text); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
			}
		})
	}
}

// playScenario runs one scenario through the whole process and gives what came of it.
func playScenario(t *testing.T, ar *txtar.Archive) map[string]string {
	t.Helper()
	h := newHouse(t, configOf(t, ar), scripted(t, ar))
	id := h.postCall(member(ar, "call.json"))
	story := h.final(id)
	var why bytes.Buffer
	if err := tell(&why, story, ""); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{"why.txt": scrub(why.String(), story), "mail.txt": mails(h.mail)}
	if posted := posts(h.posts); posted != "" || member(ar, "posts.txt") != nil {
		got["posts.txt"] = posted
	}
	return got
}

// scripted answers the scenario's model calls in order and fails the test if it is asked more often, or less.
func scripted(t *testing.T, ar *txtar.Archive) http.Handler {
	var mu sync.Mutex
	asked := 0
	t.Cleanup(func() {
		if member(ar, fmt.Sprintf("answer-%d.json", asked+1)) != nil {
			t.Errorf("the model was asked %d times; the scenario has more answers", asked)
		}
	})
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked++
		answer := member(ar, fmt.Sprintf("answer-%d.json", asked))
		if answer == nil {
			t.Errorf("the model was asked a %d. time; the scenario has no answer", asked)
			http.Error(w, "{}", http.StatusBadRequest)
			return
		}
		completion(w, string(bytes.TrimSpace(answer)))
	})
}

// completion writes a chat completion as an OpenAI-compatible server does.
func completion(w http.ResponseWriter, content string) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"id": "chatcmpl-scripted", "object": "chat.completion", "created": 1763650000, "model": "scripted",
		"choices": []any{map[string]any{"index": 0, "finish_reason": "stop", "message": map[string]any{"role": "assistant", "content": content}}},
		"usage":   map[string]any{"prompt_tokens": 1000, "completion_tokens": 50, "total_tokens": 1050},
	})
}

// house is the whole process under test, with everything outside it real but local: Postgres, an HTTP server with
// SendGrid's wire format, and a scripted model.
type house struct {
	t     *testing.T
	app   *app
	url   string // of the database
	key   string
	mail  *delivertest.SendGrid
	texts *delivertest.Twilio
	posts *delivertest.Salesforce
	model *httptest.Server
	log   *journal
	now   func() time.Time // the clock of everything under test
}

// sendGridKey is what the local SendGrid wants to see.
const sendGridKey = "SG.scenario"

// What the local Twilio wants to see, and how the outside would reach the house.
const (
	twilioAccount = "AC0123456789abcdef0123456789abcdef"
	twilioToken   = "12345"
	publicURL     = "https://calls.acme.example"
)

// salesforceSecret is what the local Salesforce does, and who it knows.
const salesforceSecret = "secret-of-the-app"

func salesforceNames() map[string][]string {
	return map[string][]string{"group:Front desk": {"0F9B000000000W2KAI"}, "user:Sam Poe": {"005D00000016QxqIAE", "005D00000016QxrIAE"}}
}

// houseSecret is the secret of every source of an account under test.
const houseSecret = "whsec_c2VjcmV0LW9mLXRoZS1ob3VzZS11bmRlci10ZXN0LTE="

// at is the clock of a scenario: shortly after its call ended.
var at = time.Date(2026, 11, 20, 15, 0, 0, 0, time.UTC)

// newHouse starts the process at the scenarios' time, which stands still.
func newHouse(t *testing.T, config string, model http.Handler) *house {
	t.Helper()
	return newHouseAt(t, config, model, func() time.Time { return at })
}

func newHouseAt(t *testing.T, config string, model http.Handler, now func() time.Time, change ...func(*settings)) *house {
	t.Helper()
	h := &house{t: t, now: now, mail: delivertest.NewSendGrid(sendGridKey), model: httptest.NewServer(model), log: &journal{}}
	t.Cleanup(h.model.Close)
	t.Cleanup(h.mail.Close)
	h.texts = delivertest.NewTwilio(twilioAccount, twilioToken)
	t.Cleanup(h.texts.Close)
	h.posts = delivertest.NewSalesforce("app", salesforceSecret, salesforceNames())
	t.Cleanup(h.posts.Close)
	h.url = pgtest.New(t)
	s := settings{
		TwilioAccount: twilioAccount, TwilioToken: twilioToken, TwilioBaseURL: h.texts.URL, PublicURL: publicURL,
		DatabaseURL: secret(h.url), Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0", MetricsListen: "127.0.0.1:0",
		OpenAIBaseURL: h.model.URL + "/v1", Model: "scripted", SendGridKey: sendGridKey, SendGridBaseURL: h.mail.URL,
		Softphone: true, Salesforce: salesforce{ClientID: "app", Secret: salesforceSecret, LoginURL: h.posts.URL, InstanceURL: h.posts.URL},
	}
	for _, f := range change {
		f(&s)
	}
	ctx := context.Background()
	var err error
	log := slog.New(slog.NewTextHandler(h.log, nil))
	if h.app, err = assemble(ctx, assembly{
		settings: s, role: role{web: true, work: true}, getenv: func(string) string { return houseSecret }, log: log,
		now: h.now, open: true,
	}); err != nil {
		t.Fatal(err)
	}
	if err := activate(ctx, h.app.db, log, config); err != nil {
		t.Fatal(err)
	}
	if h.key, err = addKey(ctx, h.app.db, "acme"); err != nil {
		t.Fatal(err)
	}
	if err := h.app.start(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		h.balanced()
		if err := h.app.stop(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// addKey makes a key for an account.
func addKey(ctx context.Context, db *store.Store, account string) (string, error) {
	key := people.NewKey()
	return key.Text, db.AddKey(ctx, account, "test", key.Prefix, key.Hash, store.Actor{Name: "test"})
}

// drained waits until no job is left to do.
func (h *house) drained() { h.drainedUpTo(time.Now().AddDate(1, 0, 0)) }

// drainedUpTo waits until no job is left that is due before a time.
func (h *house) drainedUpTo(due time.Time) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	open := river.NewJobListParams().First(1).States(rivertype.JobStateAvailable, rivertype.JobStateRunning, rivertype.JobStateRetryable, rivertype.JobStateScheduled).
		OrderBy(river.JobListOrderByScheduledAt, river.SortOrderAsc)
	for {
		left, err := h.app.worker.Client().JobList(ctx, open)
		if err != nil {
			h.t.Fatalf("the queue does not drain: %v", err)
		}
		if len(left.Jobs) == 0 || left.Jobs[0].ScheduledAt.After(due) {
			return
		}
	}
}

// balanced fails the test if the ledger does not balance.
func (h *house) balanced() {
	var out bytes.Buffer
	if ok, err := balance(context.Background(), &out, h.app.db); err != nil || !ok {
		h.t.Errorf("the ledger: %v %s", err, out.String())
	}
}

// postCall posts a native body and gives our id of the conversation.
func (h *house) postCall(body []byte) string {
	h.t.Helper()
	p := parcel{url: h.app.address("webhooks") + "/v1/conversations", key: h.key, body: body}
	answer, err := p.post(context.Background())
	if err != nil {
		h.t.Fatal(err)
	}
	var a struct {
		ConversationID string `json:"conversation_id"`
	}
	if err := json.Unmarshal(answer, &a); err != nil {
		h.t.Fatal(err)
	}
	return a.ConversationID
}

// final waits until the conversation is decided and nothing that is due is open.
func (h *house) final(id string) store.Story {
	h.t.Helper()
	return h.until(id, func(s store.Story) bool { return s.State == store.StateDecided && !open(s, h.now()) })
}

// until waits for a state of the conversation; it polls, because the database is where the state is.
func (h *house) until(id string, done func(store.Story) bool) store.Story {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		s, err := h.app.db.Story(ctx, "acme", id)
		if err != nil {
			h.t.Fatal(err)
		}
		if done(s) {
			return s
		}
		select {
		case <-ctx.Done():
			var b bytes.Buffer
			_ = tell(&b, s, "")
			h.t.Fatalf("the conversation does not get there:\n%s", b.String())
		case <-tick.C:
		}
	}
}

// mails prints what reached SendGrid's wire.
func mails(s *delivertest.SendGrid) string {
	var all []string
	for _, m := range s.Mails() {
		var b strings.Builder
		fmt.Fprintf(&b, "To: %s\n", strings.Join(m.To, ", "))
		if len(m.CC) > 0 {
			fmt.Fprintf(&b, "Cc: %s\n", strings.Join(m.CC, ", "))
		}
		fmt.Fprintf(&b, "From: %s\nSubject: %s\nAutomation: %s\n\n%s\n", m.From, m.Subject, m.Args["automation_id"], strings.TrimSpace(m.Text))
		all = append(all, b.String())
	}
	slices.Sort(all)
	return strings.Join(all, "-----\n")
}

// posts prints what reached Salesforce's wire.
func posts(s *delivertest.Salesforce) string {
	var all []string
	for _, p := range s.Posts() {
		all = append(all, fmt.Sprintf("On: %s\nVisibility: %s\n\n%s\n", p.Subject, p.Visibility, p.Text))
	}
	slices.Sort(all)
	return strings.Join(all, "-----\n")
}

var digest = regexp.MustCompile(`revision [0-9a-f]{12}`)

// scrub takes out what differs between runs.
func scrub(s string, story store.Story) string {
	s = strings.ReplaceAll(s, story.Conversation.ID, "ID")
	return digest.ReplaceAllString(s, "revision DIGEST")
}

// configOf writes the scenario's account folder and gives its path.
func configOf(t *testing.T, ar *txtar.Archive) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range ar.Files {
		if ext := filepath.Ext(f.Name); ext != ".yaml" && ext != ".hbs" {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func member(ar *txtar.Archive, name string) []byte {
	for _, f := range ar.Files {
		if f.Name == name {
			return f.Data
		}
	}
	return nil
}

func put(ar *txtar.Archive, name, text string) {
	for i := range ar.Files {
		if ar.Files[i].Name == name {
			ar.Files[i].Data = []byte(text)
			return
		}
	}
	ar.Files = append(ar.Files, txtar.File{Name: name, Data: []byte(text)})
}
