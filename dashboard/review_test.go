package dashboard_test

import (
	"context"
	"html"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"aftercall/dashboard"
	"aftercall/deliver"
	"aftercall/internal/store"
	"aftercall/interview"
	"aftercall/ops"
	"aftercall/people"
	"aftercall/reason"
	"aftercall/rehearsal"
	"aftercall/triggers"
	"aftercall/variables"
	"aftercall/worker"
)

// clinic is an account in which a call back is wanted and a complaint may have been made; a confirmation to the customer needs
// a time.
const clinic = `account: acme
name: Acme Clinic
timezone: Europe/London
language: en
from: { email: "Acme Clinic <calls@acme.example>" }
allow: { domains: [acme.example], contacts: true }
variables:
  dyn_when: { type: text, ask: When does the customer want to be called back? }
automations:
  - id: complaint
    name: Complaint
    when: { ask: Does the customer complain? }
    actions: [ { email: { to: [support@acme.example], subject: "A complaint by {{customer_name}}", body: "Please look into it." } } ]
  - id: confirmation
    name: Confirmation
    when: always
    actions: [ { email: { to: ["{{customer_email}}"], subject: Your call back, body: "We call you {{dyn_when}}." } } ]
`

// reviews is a world in which a call has an unsure decision and a held message, and ops may act.
type reviews struct {
	*world
	held string
}

// actions are what people can do from the pages of a config.
func actions(t *testing.T, c *dashboard.Config) *ops.Ops {
	t.Helper()
	o, err := ops.New(ops.Config{Store: c.Store, River: c.River, Revisions: c.Revisions, Logger: c.Logger})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func newReviews(t *testing.T) *reviews {
	t.Helper()
	w := &world{people: map[string]string{}}
	var revisions *worker.Revisions
	w.house, _ = bench(t, func(c *dashboard.Config) {
		revisions, c.Loopback = c.Revisions, false
		c.SignIn = people.NewDesk(people.Config{Store: c.Store, Logger: slog.New(slog.DiscardHandler)})
		c.Ops = actions(t, c)
	})
	w.activate("acme", clinic)
	w.must(revisions.Refresh(t.Context()))
	for name, role := range map[string]string{"viewer": "viewer", "operator": "operator", "author": "author"} {
		id, err := w.store.AddPerson(t.Context(), store.Person{Email: name + "@acme.example", Roles: map[string]string{"acme": role}}, store.Actor{Name: "test"})
		w.must(err)
		w.people[name] = id
	}
	x := &reviews{world: w}
	x.decide()
	return x
}

// decide plans a call as the line would: the complaint unsure, the confirmation held for want of a time.
func (x *reviews) decide() {
	x.t.Helper()
	ctx := x.t.Context()
	active, err := x.store.ActiveRevisions(ctx)
	x.must(err)
	x.conversation = x.accept("acme", active[0].RevisionID, uuid.NewString())
	x.held = uuid.NewString()
	planner := x.store.NewPlanner(func(context.Context, pgx.Tx, []store.DeliverJob) error { return nil })
	saved, err := planner.Save(ctx, &store.Plan{
		AccountID: "acme", ConversationID: x.conversation, RevisionID: active[0].RevisionID, Run: 1, Version: 1, State: store.StateDecided,
		Decisions: []triggers.Decision{
			{Automation: "complaint", Verdict: triggers.Unsure, Reason: reason.Unsure, Review: true, Evidence: []interview.Evidence{{Turn: 2, Quote: "Could somebody call me back"}}},
			{Automation: "confirmation", Verdict: triggers.Fires, Reason: reason.Always},
		},
		Actions: map[string]int{"confirmation": 1},
		Values:  []variables.Value{{Name: "dyn_when", Type: variables.Text, Status: variables.NotStated}},
		Deliveries: []store.Delivery{{ID: x.held, Automation: "confirmation", Channel: deliver.Email, Recipient: "contact:customer_email", Customer: true,
			State: store.Held, Reason: reason.VariableMissingForCustomer, Detail: "dyn_when would print as “not stated”.", DueAt: began, DeadlineAt: time.Now().Add(time.Hour),
			Content: store.Content{Subject: "Your call back", Text: "We call you not stated.", To: []string{"contact:customer_email"}}}},
	})
	x.must(err)
	if !saved.OK {
		x.t.Fatal("the plan was not saved")
	}
}

func (x *reviews) story() store.Story {
	x.t.Helper()
	s, err := x.store.Story(x.t.Context(), "acme", x.conversation)
	x.must(err)
	return s
}

// path is where something is done about an automation.
func (x *reviews) path(automation, do string) string {
	return "/review/" + x.conversation + "/1/" + automation + "/" + do
}

// says fails the test unless an answer is 200 and says all of it.
func says(t *testing.T, got said, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if got.status != http.StatusOK || !strings.Contains(got.body, want) {
			t.Errorf("%d, does not say %q: %s", got.status, want, got.body)
		}
	}
}

func TestWhatWaitsIsShownWithItsCauseAndRemedy(t *testing.T) {
	t.Parallel()
	x := newReviews(t)
	all := x.ask("GET", "/review", "operator")
	says(t, all, "Complaint", "Confirmation", "Could somebody call me back", reason.Unsure.Sentence(), reason.VariableMissingForCustomer.Remedy(),
		"We call you not stated.", "/conversations/"+x.conversation+"#t2", x.path("complaint", "approve"), x.path("confirmation", "fix"), x.path("complaint", "case"))
	if strings.Contains(all.body, x.path("confirmation", "release")) || strings.Contains(all.body, x.path("complaint", "fix")) {
		t.Error("a button leads to what would be refused")
	}
	if got := x.ask("GET", "/review?show=held", "operator"); strings.Contains(got.body, x.path("complaint", "")) && !strings.Contains(got.body, "Confirmation") {
		t.Error(got.body)
	}
	viewer := x.ask("GET", "/review", "viewer")
	says(t, viewer, "Complaint")
	if strings.Contains(viewer.body, "<button type=\"submit\" data-key") || strings.Contains(viewer.body, "Test case") {
		t.Error("a viewer has buttons that do nothing for them")
	}
	for _, path := range []string{"/review", "/conversations", "/tasks", "/conversations/" + x.conversation} {
		if got := x.ask("GET", path, "viewer"); !strings.Contains(got.body, `<a href="/review" data-go="r"`) || !strings.Contains(got.body, `<span id="to-review"> <b class="count">2</b><span class="hide"> waiting</span></span>`) {
			t.Errorf("%s does not say how much waits", path)
		}
	}
	if got := x.ask("GET", "/review?account=umbra", "operator"); !strings.Contains(got.body, "Nothing waits for a review") {
		t.Error("another account's")
	}
}

func TestAnUnsureDecisionIsApproved(t *testing.T) {
	t.Parallel()
	x := newReviews(t)
	path := x.path("complaint", "approve")
	says(t, x.ask("GET", path+"?back=/review%3Fshow%3Dunsure", "operator"), "1 message goes out", "support@acme.example", "A complaint by Dana Whitfield", "Send 1 message", "/review?show=unsure")
	if len(x.story().Deliveries) != 1 {
		t.Error("looking at it sends it")
	}
	got := x.does(path, "operator", "back", "/review?show=unsure", "next", "review-x")
	if got.status != http.StatusSeeOther || got.header.Get("Location") != "/review?show=unsure#review-x" {
		t.Fatalf("%d %s", got.status, got.header.Get("Location"))
	}
	sent := slices.DeleteFunc(x.story().Deliveries, func(d store.StoryDelivery) bool { return d.Run != 2 })
	if len(sent) != 1 || sent[0].State != store.Planned || sent[0].Content.Subject != "A complaint by Dana Whitfield" {
		t.Errorf("%+v", sent)
	}
	if got := x.ask("GET", "/review", "operator"); strings.Contains(got.body, path) {
		t.Error("it waits still")
	}
	if got := x.ask("GET", path, "operator"); got.status != http.StatusConflict || !strings.Contains(got.body, "waits for a person any more") {
		t.Errorf("again: %d", got.status)
	}
	for _, who := range []string{"viewer", "author"} {
		if got := x.does(x.path("confirmation", "dismiss"), who); got.status != http.StatusForbidden {
			t.Errorf("%s: %d", who, got.status)
		}
	}
}

func TestAMissingValueIsGivenAndSent(t *testing.T) {
	t.Parallel()
	x := newReviews(t)
	path := x.path("confirmation", "fix")
	says(t, x.ask("GET", path, "operator"), "dyn_when", "When does the customer want to be called back?", "See what goes out")
	if got := x.does(path, "operator", "back", "/review"); !strings.Contains(got.body, "Give at least one value") {
		t.Errorf("nothing given: %d %s", got.status, got.body)
	}
	says(t, x.does(path, "operator", "back", "/review", "value.dyn_when", "on Friday at ten"), "1 message goes out", "We call you on Friday at ten", `name="value.dyn_when" value="on Friday at ten"`)
	if len(x.story().Deliveries) != 1 {
		t.Error("looking at it sends it")
	}
	if got := x.does(path, "operator", "back", "/review", "value.dyn_when", "on Friday at ten", "seen", "1"); got.status != http.StatusSeeOther {
		t.Fatalf("%d %s", got.status, got.body)
	}
	states := map[store.DeliveryState]int{}
	for _, d := range x.story().Deliveries {
		states[d.State]++
	}
	if states[store.Cancelled] != 1 || states[store.Planned] != 1 {
		t.Errorf("%v", states)
	}
}

func TestAReviewIsDismissed(t *testing.T) {
	t.Parallel()
	x := newReviews(t)
	for _, automation := range []string{"confirmation", "complaint"} {
		if got := x.does(x.path(automation, "dismiss"), "operator"); got.status != http.StatusSeeOther || got.header.Get("Location") != "/review" {
			t.Errorf("%s: %d %s", automation, got.status, got.body)
		}
	}
	says(t, x.ask("GET", "/review", "operator"), "Nothing waits for a review", `<span id="to-review"></span>`)
	if d := x.story().Deliveries[0]; d.State != store.Cancelled {
		t.Errorf("%+v", d)
	}
	acts, _, err := x.store.Acts(t.Context(), "acme", "", 5)
	if err != nil || len(acts) != 2 || acts[0].What != store.ActDismissed || acts[0].By.PersonID != x.people["operator"] {
		t.Errorf("%+v, %v", acts, err)
	}
}

func TestAReviewIsATestCase(t *testing.T) {
	t.Parallel()
	x := newReviews(t)
	says(t, x.ask("GET", x.path("complaint", "case"), "author"), "It should not fire", `fires: [&#34;confirmation&#34;, &#34;complaint&#34;]`, "Keep the call")
	got := x.ask("GET", x.path("complaint", "case")+"/case.test.yaml?should=not", "author")
	if got.status != http.StatusOK || !strings.Contains(got.body, `fires: ["confirmation"]`) || !strings.Contains(got.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("%d %s", got.status, got.body)
	}
	call := x.ask("GET", x.path("complaint", "case")+"/call.json", "author")
	if c, err := rehearsal.DecodeCall([]byte(call.body)); err != nil || len(c.Turns) != 2 {
		t.Errorf("%v: %s", err, call.body)
	}
	if got := x.ask("GET", x.path("complaint", "case"), "viewer"); got.status != http.StatusForbidden {
		t.Errorf("a viewer: %d", got.status)
	}
	for _, path := range []string{x.path("nothing", "case"), "/review/" + x.conversation + "/x/complaint/case", x.path("complaint", "case") + "/passwd", "/review/" + uuid.NewString() + "/1/complaint/approve"} {
		if got := x.ask("GET", path, "operator"); got.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	x.does(x.path("complaint", "mark"), "operator", "was", "wrong")
	says(t, x.ask("GET", x.path("complaint", "case"), "operator"), "operator@acme.example said that it was wrong")
}

// TestSuspiciousMessagesHaveAListOfTheirOwn, from which one is let go.
func TestSuspiciousMessagesHaveAListOfTheirOwn(t *testing.T) {
	t.Parallel()
	x := newReviews(t)
	ctx, other := t.Context(), x.path("confirmation", "fix")
	says(t, x.ask("GET", "/review?show=suspicious", "operator"), "Nothing waits for a review")
	active, err := x.store.ActiveRevisions(ctx)
	x.must(err)
	x.conversation, x.held = x.accept("acme", active[0].RevisionID, uuid.NewString()), uuid.NewString()
	_, err = x.store.NewPlanner(func(context.Context, pgx.Tx, []store.DeliverJob) error { return nil }).Save(ctx, &store.Plan{
		AccountID: "acme", ConversationID: x.conversation, RevisionID: active[0].RevisionID, Run: 1, Version: 1, State: store.StateDecided,
		Decisions: []triggers.Decision{{Automation: "confirmation", Verdict: triggers.Fires, Reason: reason.Always}}, Actions: map[string]int{"confirmation": 1},
		Deliveries: []store.Delivery{{ID: x.held, Automation: "confirmation", Channel: deliver.Email, Recipient: "contact:customer_email", Customer: true,
			State: store.Held, Reason: reason.Suspicious, Detail: "said in turn 2", DueAt: time.Now(), DeadlineAt: time.Now().Add(time.Hour),
			Content: store.Content{Subject: "Your call back", Text: "We call you at ten.", To: []string{"contact:customer_email"}}}},
	})
	x.must(err)
	list := x.ask("GET", "/review?show=suspicious", "operator")
	says(t, list, html.EscapeString(reason.Suspicious.Sentence()), reason.Suspicious.Remedy(), "said in turn 2", "We call you at ten.", `href="/review?show=suspicious" aria-current="true"`,
		x.path("confirmation", "release"))
	if strings.Contains(list.body, other) {
		t.Error("what is held for something else stands there, too")
	}
	says(t, x.ask("GET", "/conversations/"+x.conversation, "operator"), html.EscapeString(reason.Suspicious.Sentence()))
	if got := x.does(x.path("confirmation", "release"), "operator", "back", "/review?show=suspicious"); got.status != http.StatusSeeOther {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if d := x.story().Deliveries; len(d) != 1 || d[0].State != store.Planned {
		t.Errorf("%+v", d)
	}
	says(t, x.ask("GET", "/review?show=suspicious", "operator"), "Nothing waits for a review")
}
