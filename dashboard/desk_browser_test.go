package dashboard

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"aftercall/deliver"
	"aftercall/internal/store"
	"aftercall/interview"
	"aftercall/reason"
	"aftercall/tasks"
	"aftercall/triggers"
	"aftercall/variables"
)

// deskWalk is somebody at work on what calls left behind, with a browser on the whole thing.
func deskWalk(t *testing.T, b browser) {
	url, d := wholeServer(t, false)
	b.url = url
	desk := &desk{t: t, d: d}
	t.Run("completes a task", func(t *testing.T) { completesATask(t, b, desk) })
	t.Run("hears an alert in a second tab", func(t *testing.T) { hearsAnAlert(t, b, desk) })
	t.Run("has alerts pushed", func(t *testing.T) { hasAlertsPushed(t, b, desk) })
	t.Run("is a softphone", func(t *testing.T) { isASoftphone(t, b, desk) })
	t.Run("sees the list change", func(t *testing.T) { seesTheListChange(t, b, desk) })
	review := "/review/" + desk.held("Lena Vogt")
	paths := []string{"/review", review + "/1/visit-confirmation/fix", review + "/1/customer-complaint/approve", review + "/1/customer-complaint/case",
		"/tasks", "/tasks?view=board", "/tasks/" + desk.call("Hanna Weber").task, "/alerts", popsUpFor("reception")}
	for _, s := range []screen{{"light", 1280, true}, {"dark", 1280, true}, {"light", 375, true}, {"dark", 375, false}} {
		b.fits(t, s, paths, func(tab *window, path string) { tab.run(chromedp.Navigate(b.url + path)) })
	}
}

// desk has calls written behind the pages.
type desk struct {
	t *testing.T
	d *Dashboard
}

// left is what a call left behind.
type left struct{ conversation, task, alert string }

// call stores a call of a customer with a task, and an alert that is not posted yet.
func (k *desk) call(customer string) left {
	x := left{task: uuid.NewString(), alert: uuid.NewString()}
	line := func(id, channel string, action int) store.Delivery {
		return store.Delivery{ID: id, Automation: "callback-requested", Action: action, Channel: channel, Recipient: "all", State: store.Sent,
			Content: store.Content{Text: customer + " waits for a call back"}}
	}
	x.conversation = k.plan(customer, &store.Plan{Actions: map[string]int{"callback-requested": 2},
		Decisions:  []triggers.Decision{{Automation: "callback-requested", Verdict: triggers.Fires, Reason: reason.Fired}},
		Deliveries: []store.Delivery{line(x.task, deliver.Task, 0), line(x.alert, deliver.TeamAlert, 1)},
		Tasks: []store.Task{{ID: x.task, Automation: "callback-requested", Action: 0, Task: tasks.Task{Title: "Call " + customer + " back",
			Description: "When: today, after five\nNumber: +44 7700 900123", Priority: tasks.High, Assignee: "group:support", DueAt: time.Now().Add(-time.Hour)}}}})
	return x
}

// held stores a call whose confirmation to the customer lacks a time, and of which a complaint is unsure.
func (k *desk) held(customer string) (conversation string) {
	return k.plan(customer, &store.Plan{Actions: map[string]int{"visit-confirmation": 1},
		Decisions: []triggers.Decision{{Automation: "visit-confirmation", Verdict: triggers.Fires, Reason: reason.Fired, Evidence: []interview.Evidence{{Turn: 4, Quote: "Thursday the twenty-sixth"}}},
			{Automation: "customer-complaint", Verdict: triggers.Unsure, Reason: reason.Unsure, Review: true, Evidence: []interview.Evidence{{Turn: 7, Quote: "last week you promised and nobody rang me"}}}},
		Values: []variables.Value{{Name: "dyn_appointment_date", Type: variables.Date, Status: variables.Stated, Value: "2026-11-26", Raw: "Thursday the twenty-sixth"},
			{Name: "dyn_appointment_time", Type: variables.Time, Status: variables.NotStated}},
		Deliveries: []store.Delivery{{ID: uuid.Must(uuid.NewV7()).String(), Automation: "visit-confirmation", Channel: deliver.Email, Recipient: "contact:customer_email", Customer: true,
			State: store.Held, Reason: reason.VariableMissingForCustomer, Detail: "dyn_appointment_time is not stated.", DueAt: time.Now(), DeadlineAt: time.Now().Add(time.Hour),
			Content: store.Content{Subject: "Your visit on Thu 26 Nov", Text: "Your visit is on 26 November at not stated.", To: []string{"contact:customer_email"}}}}})
}

// plan stores a call of a customer with what its decision leads to.
func (k *desk) plan(customer string, p *store.Plan) (conversation string) {
	k.t.Helper()
	must := func(err error) {
		k.t.Helper()
		if err != nil {
			k.t.Fatal(err)
		}
	}
	ctx, s := context.Background(), k.d.store
	active, err := s.ActiveRevisions(ctx)
	must(err)
	c := fixtureConversation(plain)
	c.ExternalID, c.Customer.Name, c.Source = uuid.NewString(), customer, "acme-calls"
	ingest := s.NewIngest(func(context.Context, pgx.Tx, []store.DecideJob) error { return nil })
	got, err := ingest.Accept(ctx, store.Arrival{RevisionID: active[0].RevisionID, Conversation: c, DecideAt: time.Now(), Final: true,
		Event: store.Event{AccountID: "acme", Source: "acme-calls", Identity: c.ExternalID, Type: "conversation.ended", ContentType: "application/json", Body: []byte("{}"), ReceivedAt: time.Now()}})
	must(err)
	p.AccountID, p.ConversationID, p.RevisionID, p.Run, p.Version, p.State = "acme", got.ConversationID, active[0].RevisionID, 1, 1, store.StateDecided
	planner := s.NewPlanner(func(context.Context, pgx.Tx, []store.DeliverJob) error { return nil })
	saved, err := planner.Save(ctx, p)
	if err == nil && !saved.OK {
		err = store.ErrNotFound
	}
	must(err)
	return got.ConversationID
}

// post posts the alert of a call.
func (k *desk) post(x left, text string) {
	k.t.Helper()
	if err := k.d.store.PostAlert(context.Background(), deliver.Message{AccountID: "acme", DeliveryID: x.alert, Text: text}); err != nil {
		k.t.Fatal(err)
	}
}

// settles is until for what a form or a link leads to: the page that is asked may be on its way out.
func settles(w *window, expression string) {
	w.t.Helper()
	w.Until(expression)
}

// completesATask goes from the list to the task and back, with the keyboard alone.
func completesATask(t *testing.T, b browser, k *desk) {
	x := k.call("Dana Whitfield")
	tab := b.open(t, "light", 1280)
	tab.run(chromedp.Navigate(b.url+"/tasks"), chromedp.KeyEvent("j"), chromedp.KeyEvent(kb.Enter))
	settles(tab, `location.pathname === "/tasks/`+x.task+`"`)
	tabTo(tab, `button[value="in_progress"]`)
	tab.run(chromedp.KeyEvent(kb.Enter))
	settles(tab, `document.querySelector(".marks")?.innerText.includes("in progress") && document.querySelector('button[value="done"]')`)
	tabTo(tab, `button[value="done"]`)
	tab.run(chromedp.KeyEvent(kb.Enter))
	settles(tab, `document.querySelector(".marks")?.innerText.includes("done")`)
	if got := evaluate[string](tab, `document.querySelector("#history-h").parentElement.innerText`); !strings.Contains(got, "this machine moved it to done") {
		t.Errorf("the page does not say who did it: %s", got)
	}
	tab.run(chromedp.Navigate(b.url + "/tasks?state=done"))
	settles(tab, `document.body?.innerText.includes("Call Dana Whitfield back")`)
	for _, c := range tab.complaints() {
		t.Error(c)
	}
}

// hearsAnAlert works in one tab while an alert comes in, and sees it in another.
func hearsAnAlert(t *testing.T, b browser, k *desk) {
	x := k.call("Priya Nair")
	first, second := b.open(t, "light", 1280), b.open(t, "light", 1280)
	for _, tab := range []*window{first, second} {
		tab.run(chromedp.Navigate(b.url + "/conversations"))
		until(tab, `document.visibilityState === "visible"`)
		tab.run(chromedp.KeyEvent("/"))
	}
	k.post(x, "Priya Nair waits for a call back")
	until(second, `document.querySelector(".pops [data-alert]")?.innerText.includes("Priya Nair waits")`)
	if got := evaluate[string](second, `document.activeElement.id + document.querySelector("#unread").innerText.trim()`); !strings.HasPrefix(got, "q1") {
		t.Errorf("the focus and the count are %q", got)
	}
	until(first, `document.querySelector(".pops [data-alert]")?.innerText.includes("Priya Nair waits")`)
	evaluate[bool](second, `document.querySelector(".pops button[type=submit]").click() ?? true`)
	until(second, `!document.querySelector(".pops [data-alert]") && document.querySelector("#unread").innerText.trim() === ""`)
	until(first, `document.querySelector("#unread").innerText.trim() === ""`)
	for _, c := range append(first.complaints(), second.complaints()...) {
		t.Error(c)
	}
}

// seesTheListChange has the list open while something is written; where somebody is at work in it, it is only offered.
func seesTheListChange(t *testing.T, b browser, k *desk) {
	tab := b.open(t, "light", 1280)
	tab.run(chromedp.Navigate(b.url + "/tasks"))
	k.call("Jonas Weber")
	until(tab, `document.querySelector("#live").innerText.includes("Call Jonas Weber back")`)
	tab.run(chromedp.KeyEvent("j"))
	k.call("Ada Quinn")
	until(tab, `document.querySelector(".news button")`)
	if evaluate[bool](tab, `document.querySelector("#live").innerText.includes("Ada Quinn") || !document.querySelector("#live").contains(document.activeElement)`) {
		t.Error("the list moved under somebody's hands")
	}
	for _, c := range tab.complaints() {
		t.Error(c)
	}
}
