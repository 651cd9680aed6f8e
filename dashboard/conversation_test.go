package dashboard_test

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/net/html"

	"aftercall/conversation"
	"aftercall/dashboard"
	"aftercall/deliver"
	"aftercall/internal/store"
	"aftercall/interview"
	"aftercall/reason"
	"aftercall/triggers"
	"aftercall/variables"
)

// asCalled is a call in which a caller, a platform and a model wrote one text wherever they can.
func (h *house) asCalled(external, text string) (conversationID string) {
	h.t.Helper()
	ctx := h.t.Context()
	revision, err := h.store.SaveRevision(ctx, store.RevisionFiles{AccountID: "acme", Digest: strings.Repeat("cd", 32), Format: 1,
		Files: map[string][]byte{"account.yaml": []byte("account: acme\n")}}, "test")
	h.must(err)
	c := &conversation.Conversation{
		AccountID: "acme", Source: "desk", ExternalID: external + text, Agent: conversation.Agent{ID: text, Name: text}, Channel: conversation.ChannelPhone,
		Direction: conversation.Inbound, Status: conversation.Completed, StartedAt: began, EndedAt: began.Add(time.Minute), FromNumber: text, ToNumber: text,
		Customer: conversation.Customer{Name: text, Email: text, Number: text, CRMRecordID: text}, Summary: text, URL: text, Queue: text, Note: text,
		Metadata: map[string]any{text: text},
		Turns:    []conversation.Turn{{Role: conversation.RoleCustomer, Text: text}, {Role: conversation.RoleTool, Text: text + ": " + text}},
	}
	got, err := h.store.NewIngest(func(context.Context, pgx.Tx, []store.DecideJob) error { return nil }).Accept(ctx, store.Arrival{
		Event:        store.Event{AccountID: "acme", Source: "desk", Identity: external + text, Type: text, ContentType: text, Body: []byte(text), ReceivedAt: began.Add(time.Minute)},
		Conversation: c, RevisionID: revision, DecideAt: began, Final: true,
	})
	h.must(err)
	said := []interview.Evidence{{Turn: 1, Quote: text}}
	pinned, err := h.store.Load(ctx, got.ConversationID, 1)
	h.must(err)
	_, err = h.store.NewPlanner(func(context.Context, pgx.Tx, []store.DeliverJob) error { return nil }).Save(ctx, &store.Plan{
		AccountID: "acme", ConversationID: got.ConversationID, RevisionID: revision, Run: 1, Version: pinned.Version, State: store.StateDecided, Summary: text,
		Decisions: []triggers.Decision{{Automation: "callback", Verdict: triggers.Fires, Reason: reason.Fired, Detail: text, Evidence: said},
			{Automation: "complaint", Verdict: triggers.No, Reason: reason.ConditionNotMet, Detail: text, Evidence: said}},
		Actions: map[string]int{"callback": 1},
		Values:  []variables.Value{{Name: "dyn_when", Type: variables.Text, Status: variables.Stated, Raw: text, Value: text, Problem: text, Evidence: said[0]}},
		Deliveries: []store.Delivery{{ID: uuid.NewString(), Automation: "callback", Channel: deliver.Email, Recipient: "email:" + text, State: store.Held,
			Reason: reason.VariableMissingForCustomer, Detail: text, Content: store.Content{Subject: text, Text: text, HTML: "<p>kept in its frame</p>",
				Fields: map[string]string{"topic": text}, From: deliver.Address{Name: text, Address: text}, To: []string{"email:" + text}}}},
	})
	h.must(err)
	_, err = h.store.Record(ctx, interview.Call{ConversationID: got.ConversationID, AccountID: "acme", RevisionID: revision, Part: "all/0@00000000",
		Valid: true, Answer: []byte(text), At: began})
	h.must(err)
	return got.ConversationID
}

// TestWhatACallerSaysIsTextOnThePage stores payloads in every field that a caller, a platform or a model fills in, and looks
// for anything that came of them on the page of the call and on the page of its model call.
func TestWhatACallerSaysIsTextOnThePage(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	pages := func(id string) (shapes []string) {
		story, err := h.store.Story(t.Context(), "acme", id)
		h.must(err)
		for _, path := range []string{"/conversations/" + id, "/conversations/" + id + "/calls/" + story.Calls[0].ID} {
			answer, body := h.get("GET", path)
			page, err := html.Parse(strings.NewReader(body))
			if err != nil || answer.StatusCode != http.StatusOK {
				t.Fatalf("%s: %d, %v", path, answer.StatusCode, err)
			}
			for _, leak := range dashboard.Leaks(page) {
				t.Errorf("%s: %s", path, leak)
			}
			shapes = append(shapes, dashboard.Shape(page))
		}
		return shapes
	}
	harmless := pages(h.asCalled("harmless", "harmless"))
	for i, payload := range dashboard.Payloads() {
		if diff := cmp.Diff(harmless, pages(h.asCalled(fmt.Sprint("c", i), payload))); diff != "" {
			t.Errorf("%s made elements or attributes:\n%s", payload, diff)
		}
	}
}

// asked counts the statements that a page takes.
type asked struct{ statements atomic.Int32 }

func (a *asked) TraceQueryStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	if strings.HasPrefix(d.SQL, "-- name:") {
		a.statements.Add(1)
	}
	return ctx
}

func (a *asked) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TestALongCallIsOneBoundedPage: a call of an hour with a hundred messages, each of which quotes all of it, takes as many
// statements as a short one, and a page that loads.
func TestALongCallIsOneBoundedPage(t *testing.T) {
	t.Parallel()
	count := &asked{}
	h := newHouse(t, func(c *dashboard.Config) {
		traced, err := store.Open(t.Context(), c.Store.Pool().Config().ConnString(), store.Options{Pool: 2, Ingest: -1, Pages: 1, Tracer: count})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(traced.Close)
		c.Store = traced
	})
	h.tell()
	long := h.long(1362, 100)
	statements := func(id string) (n int32, body string) {
		before := count.statements.Load()
		answer, body := h.get("GET", "/conversations/"+id)
		if answer.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d", id, answer.StatusCode)
		}
		return count.statements.Load() - before, body
	}
	statements(h.conversation) // the first one loads the revision, too
	few, _ := statements(h.conversation)
	many, body := statements(long)
	if few != many || few > 16 {
		t.Errorf("a short call takes %d statements, a long one %d", few, many)
	}
	if turns, links := strings.Count(body, `<li class="turn`), strings.Count(body, "Download it whole"); turns != 1362 || links != 100 {
		t.Errorf("%d turns, %d messages that are cut", turns, links)
	}
	if len(body) > 3<<20 {
		t.Errorf("the page has %d bytes", len(body))
	}
	whole := regexp.MustCompile(`href="(/conversations/[^"]+/text)"`).FindStringSubmatch(body)
	if whole == nil {
		t.Fatal("no link to a whole text")
	}
	if _, text := h.get("GET", whole[1]); len(text) < 100_000 || !strings.Contains(text, "turn 1362") {
		t.Errorf("the whole text has %d bytes", len(text))
	}
}

// long is a call of many turns with many messages that quote all of them.
func (h *house) long(turns, messages int) string {
	h.t.Helper()
	ctx := h.t.Context()
	active, err := h.store.ActiveRevisions(ctx)
	h.must(err)
	c := &conversation.Conversation{AccountID: "acme", Source: "desk", ExternalID: "long", Agent: conversation.Agent{ID: "reception", Name: "Robin"},
		Channel: conversation.ChannelPhone, Direction: conversation.Inbound, Status: conversation.Completed, StartedAt: began, EndedAt: began.Add(time.Hour)}
	var all strings.Builder
	for i := range turns {
		said := fmt.Sprintf("This is turn %d of a long call, and much of it is about nothing in particular.", i+1)
		c.Turns = append(c.Turns, conversation.Turn{Role: conversation.RoleCustomer, Text: said, AtMS: int64(i) * 2600})
		all.WriteString(said + "\n")
	}
	got, err := h.store.NewIngest(func(context.Context, pgx.Tx, []store.DecideJob) error { return nil }).Accept(ctx, store.Arrival{
		Event:        store.Event{AccountID: "acme", Source: "desk", Identity: "long", Type: "conversation.ended", Body: []byte(all.String()), ReceivedAt: began.Add(time.Hour)},
		Conversation: c, RevisionID: active[0].RevisionID, DecideAt: began, Final: true})
	h.must(err)
	pinned, err := h.store.Load(ctx, got.ConversationID, 1)
	h.must(err)
	plan := &store.Plan{AccountID: "acme", ConversationID: got.ConversationID, RevisionID: active[0].RevisionID, Run: 1, Version: pinned.Version,
		State: store.StateDecided, Decisions: []triggers.Decision{{Automation: "minutes", Verdict: triggers.Fires, Reason: reason.Always}}, Actions: map[string]int{"minutes": 1}}
	for i := range messages {
		plan.Deliveries = append(plan.Deliveries, store.Delivery{ID: uuid.NewString(), Automation: "minutes", Channel: deliver.Email,
			Recipient: fmt.Sprintf("email:p%d@acme.example", i), State: store.Planned, DueAt: began, DeadlineAt: time.Now().Add(time.Hour),
			Content: store.Content{Subject: "Minutes", Text: all.String(), HTML: "<pre>" + all.String() + "</pre>"}})
	}
	_, err = h.store.NewPlanner(func(context.Context, pgx.Tx, []store.DeliverJob) error { return nil }).Save(ctx, plan)
	h.must(err)
	return got.ConversationID
}

// TestARunHasAPageOfItsOwn: what a later run decided stands first, and each run can be looked at alone.
func TestARunHasAPageOfItsOwn(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.tell()
	ctx := t.Context()
	changed, err := h.store.SaveRevision(ctx, store.RevisionFiles{AccountID: "acme", Digest: strings.Repeat("ef", 32), Format: 1,
		Files: map[string][]byte{"account.yaml": []byte("account: acme\n")}}, "test")
	h.must(err)
	pinned, err := h.store.Load(ctx, h.conversation, 2)
	h.must(err)
	_, err = h.store.NewPlanner(func(context.Context, pgx.Tx, []store.DeliverJob) error { return nil }).Save(ctx, &store.Plan{
		AccountID: "acme", ConversationID: h.conversation, RevisionID: changed, Run: 2, Version: pinned.Version, State: store.StateDecided,
		Decisions: []triggers.Decision{{Automation: "complaint", Verdict: triggers.Unsure, Reason: reason.Unsure, Review: true}},
	})
	h.must(err)
	path := "/conversations/" + h.conversation
	for query, want := range map[string][2][]string{
		"":       {{"Run 1, the first decision", "Run 2", "1 of 2 automations fired, 1 unsure", `id="automation-complaint-2"`, `id="automation-complaint-1"`}, nil},
		"?run=1": {{"1 of 2 automations fired", reason.ConditionNotMet.Sentence(), "Call Dana back"}, {reason.Unsure.Sentence()}},
		"?run=2": {{"0 of 1 automation fired, 1 unsure", reason.Unsure.Sentence()}, {"Call Dana back", reason.ConditionNotMet.Sentence()}},
	} {
		answer, body := h.get("GET", path+query)
		for _, says := range want[0] {
			if answer.StatusCode != http.StatusOK || !strings.Contains(body, says) {
				t.Errorf("%s does not say %q: %d", query, says, answer.StatusCode)
			}
		}
		for _, not := range want[1] {
			if strings.Contains(body, not) {
				t.Errorf("%s says %q", query, not)
			}
		}
	}
	for _, query := range []string{"?run=3", "?run=0", "?run=x", "?run=-1"} {
		if answer, _ := h.get("GET", path+query); answer.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", query, answer.StatusCode)
		}
	}
}
