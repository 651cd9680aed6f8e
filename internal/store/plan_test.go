package store_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"aftercall/deliver"
	"aftercall/internal/llm"
	"aftercall/internal/store"
	"aftercall/interview"
	"aftercall/reason"
	"aftercall/tasks"
	"aftercall/triggers"
	"aftercall/variables"
)

func TestSaveWritesThePlan(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	p := h.plan(h.accept(t, h.arrival(phoneCall("c1"))).ConversationID, 2)
	later := time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)
	p.Decisions[0].Evidence = []interview.Evidence{{Turn: 2, Quote: "call me back\x00"}}
	p.Values = []variables.Value{{Name: "dyn_when", Type: variables.Text, Status: variables.Stated, Raw: "tomorrow", Value: "tomorrow",
		Evidence: interview.Evidence{Turn: 2, Quote: "tomorrow"}}}
	p.Summary, p.Simulated = "Ann wants a callback.", true
	p.Actions["callback"] = 3
	p.Deliveries = append(p.Deliveries,
		store.Delivery{ID: uuid.NewString(), Automation: "callback", Action: 1, Channel: deliver.SMS, Recipient: "phone:+447700900123",
			State: store.Planned, Reason: reason.Waiting, DueAt: later, DeadlineAt: later.Add(time.Hour)},
		store.Delivery{ID: uuid.NewString(), Automation: "callback", Action: 2, Channel: deliver.Task, Recipient: "support", State: store.Sent})
	p.Tasks = []store.Task{{ID: uuid.NewString(), Automation: "callback", Action: 2,
		Task: tasks.Task{Title: "Call back", Priority: tasks.High, Assignee: "group:support", DueAt: later}}}
	h.save(t, p)

	story := h.story(t, p.ConversationID)
	if story.State != store.StateDecided || story.DecidedAt.IsZero() || story.Summary != p.Summary || !story.Simulated {
		t.Errorf("story %+v", story)
	}
	if got := story.Decisions[0]; got.Automation != "callback" || got.Reason != reason.Always || got.Evidence[0].Quote != "call me back\uFFFD" {
		t.Errorf("decision %+v", got)
	}
	if d := cmp.Diff([]store.StoryValue{{Run: 1, Is: p.Values[0]}}, story.Values); d != "" {
		t.Error(d)
	}
	if len(story.Deliveries) != 4 || !story.Deliveries[2].DueAt.Equal(later) || story.Deliveries[0].Content.Subject != "Callback" {
		t.Errorf("deliveries %+v", story.Deliveries)
	}
	if d := cmp.Diff([]store.StoryTask{{Run: 1, Task: p.Tasks[0], State: tasks.Open}}, story.Tasks); d != "" {
		t.Error(d)
	}
	_, delivers := h.asked()
	want := []store.DeliverJob{{AccountID: "acme", ConversationID: p.ConversationID, Channel: deliver.Email},
		{AccountID: "acme", ConversationID: p.ConversationID, Channel: deliver.SMS, At: later}}
	if d := cmp.Diff(want, delivers); d != "" {
		t.Error(d)
	}
	h.balanced(t)
}

func TestSaveIsFencedByVersion(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	id := h.accept(t, h.arrival(phoneCall("c1"))).ConversationID
	var saved [8]store.Saved
	var all sync.WaitGroup
	for n := range saved {
		all.Go(func() {
			var err error
			if saved[n], err = h.planner.Save(t.Context(), h.plan(id, 3)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	times := 0
	for _, s := range saved {
		if s.OK {
			times++
		}
	}
	if times != 1 || h.count(t, "deliveries") != 3 || h.count(t, "river_job WHERE kind = 'delivery.send'") != 1 {
		t.Errorf("saved %d times, %d deliveries", times, h.count(t, "deliveries"))
	}
	if _, err := h.planner.Save(t.Context(), h.plan(uuid.NewString(), 1)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a plan for nothing: %v", err)
	}
	foreign := h.plan(id, 1)
	foreign.AccountID, foreign.Version = "other", 2
	if _, err := h.planner.Save(t.Context(), foreign); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a plan of another account: %v", err)
	}
	h.balanced(t)
}

func TestSaveWritesOverWhatWaits(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	p := h.plan(h.accept(t, h.arrival(phoneCall("c1"))).ConversationID, 1)
	p.State = store.StateWaiting
	p.Decisions[1] = triggers.Decision{Automation: "complaint", Verdict: triggers.Waiting, Reason: reason.ModelUnavailable}
	h.save(t, p)
	h.balanced(t)
	pinned, err := h.Load(t.Context(), p.ConversationID, 1)
	if err != nil || pinned.State != store.StateWaiting || pinned.Version != 2 || !cmp.Equal(pinned.Decided, map[string]bool{"callback": true}) {
		t.Fatalf("loaded %+v, %v", pinned, err)
	}
	again := h.plan(p.ConversationID, 1) // plans the same message once more
	again.Version = 2
	again.Decisions = []triggers.Decision{
		{Automation: "callback", Verdict: triggers.No, Reason: reason.ConditionNotMet},
		{Automation: "complaint", Verdict: triggers.No, Reason: reason.ConditionNotMet}}
	h.save(t, again)
	story := h.story(t, p.ConversationID)
	if story.Decisions[0].Verdict != triggers.Fires || story.Decisions[1].Verdict != triggers.No {
		t.Errorf("decisions %+v", story.Decisions)
	}
	if len(story.Deliveries) != 1 || story.Deliveries[0].ID != p.Deliveries[0].ID {
		t.Errorf("deliveries %+v", story.Deliveries)
	}
	h.balanced(t)
}

func TestSaveOneBadPlanFailsAlone(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	const plans = 40
	errs := make([]error, plans)
	var all sync.WaitGroup
	for n := range plans {
		p := h.plan(h.accept(t, h.arrival(phoneCall(fmt.Sprintf("c%d", n)))).ConversationID, 1)
		switch n % 10 {
		case 3:
			p.Values = []variables.Value{{Name: "dyn_when", Status: "perhaps"}}
		case 7:
			p.Decisions[0].Reason = "because"
		}
		all.Go(func() { _, errs[n] = h.planner.Save(t.Context(), p) })
	}
	all.Wait()
	for n, err := range errs {
		if bad := n%10 == 3 || n%10 == 7; (err != nil) != bad {
			t.Errorf("plan %d: %v", n, err)
		}
	}
	if n := h.count(t, "deliveries"); n != plans*8/10 {
		t.Errorf("%d deliveries", n)
	}
	if n := h.count(t, "river_job WHERE kind = 'delivery.send'"); n != plans*8/10 {
		t.Errorf("%d jobs", n)
	}
	h.balanced(t)
}

// TestSaveClaimsForItsSender: what a plan's worker sends at once is claimed as the queue would claim it, and has no job.
func TestSaveClaimsForItsSender(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	queued := h.decided(t, "queued", 2)
	p := h.plan(h.accept(t, h.arrival(phoneCall("c1"))).ConversationID, 2)
	p.Deliveries[1].Content.Text = "NUL \x00, half a rune \xff"
	later, other, held := p.Deliveries[0], p.Deliveries[0], p.Deliveries[0]
	later.ID, later.Recipient, later.DueAt = uuid.NewString(), "email:later@acme.example", time.Now().Add(time.Hour)
	other.ID, other.Channel = uuid.NewString(), deliver.SMS
	other.Action = 1
	held.ID, held.Recipient, held.State = uuid.NewString(), "email:held@acme.example", store.Held
	p.Deliveries = append(p.Deliveries, later, other, held)
	pinned, err := h.Load(t.Context(), p.ConversationID, 1)
	if err != nil {
		t.Fatal(err)
	}
	p.Actions["callback"] = 2
	p.Sender = store.Sender{WorkerID: "w1", Channels: map[string]bool{deliver.Email: true}, ExternalID: "c1",
		Contact: h.claim(t, queued.ConversationID, "w0")[0].Contact}
	saved, err := h.planner.Save(t.Context(), p)
	if err != nil || !saved.OK || len(saved.Claimed) != 2 {
		t.Fatalf("loaded %+v, saved %+v, %v", pinned, saved, err)
	}
	_, delivers := h.asked()
	want := []store.DeliverJob{{AccountID: "acme", ConversationID: p.ConversationID, Channel: deliver.Email, At: later.DueAt},
		{AccountID: "acme", ConversationID: p.ConversationID, Channel: deliver.SMS}}
	if d := cmp.Diff(want, delivers[1:]); d != "" {
		t.Error(d)
	}
	for n, c := range saved.Claimed {
		if holds, err := h.Holds(t.Context(), c.ID, 1, "w1"); err != nil || !holds || c.ID != p.Deliveries[n].ID {
			t.Errorf("w1 does not hold %+v: %v", c, err)
		}
		h.record(t, outcome(c, "w1", store.Retrying))
	}
	if d := cmp.Diff(saved.Claimed, h.claim(t, p.ConversationID, "w1"), cmpopts.IgnoreFields(store.Claimed{}, "Attempt", "ClaimedAt", "DeadlineAt"), cmpopts.EquateEmpty(),
		cmpopts.SortSlices(func(a, b store.Claimed) bool { return a.ID < b.ID })); d != "" {
		t.Errorf("the plan's claim and the queue's (-plan +queue):\n%s", d)
	}
	again := h.plan(p.ConversationID, 2)
	again.Version, again.Sender = 2, p.Sender
	if saved, err := h.planner.Save(t.Context(), again); err != nil || !saved.OK || len(saved.Claimed) != 0 {
		t.Errorf("what was planned before was claimed again: %+v, %v", saved, err)
	}
}

func TestReasonsAreTheClosedList(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	for _, r := range reason.All() {
		if h.count(t, "known_reason($1) AS known WHERE known", string(r.Code)) != 1 {
			t.Errorf("the database does not know %s", r.Code)
		}
	}
	var source string
	if err := h.Pool().QueryRow(t.Context(), "SELECT prosrc FROM pg_proc WHERE proname = 'known_reason'").Scan(&source); err != nil {
		t.Fatal(err)
	}
	quotes := 0
	for _, c := range source {
		if c == '\'' {
			quotes++
		}
	}
	if quotes != 2*len(reason.All()) {
		t.Errorf("the database knows %d reasons, package reason %d", quotes/2, len(reason.All()))
	}
}

func TestTheFirstValidAnswerIsUsed(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	id := h.accept(t, h.arrival(phoneCall("c1"))).ConversationID
	call := func(part, answer string, valid bool) interview.Call {
		c := interview.Call{ConversationID: id, AccountID: "acme", RevisionID: h.revision, Part: part, Purpose: "interview",
			Valid: valid, At: ended(), Reply: llm.Reply{Model: "m", TokensIn: 10, Latency: time.Second}}
		if answer != "" {
			c.Answer = []byte(answer)
		}
		return c
	}
	if got, err := h.Record(t.Context(), call("all/0", "", false)); err != nil || got != nil {
		t.Fatalf("an invalid call: %q, %v", got, err)
	}
	var answers [12]string
	var all sync.WaitGroup
	for n := range answers {
		all.Go(func() {
			got, err := h.Record(t.Context(), call("all/0", fmt.Sprintf(`{"b":%d, "a":1}`, n), true))
			if err != nil {
				t.Error(err)
			}
			answers[n] = string(got)
		})
	}
	all.Wait()
	recalled, err := h.Recall(t.Context(), id, h.revision)
	if err != nil || len(recalled) != 1 {
		t.Fatalf("recalled %q, %v", recalled, err)
	}
	for n, a := range answers {
		if a != string(recalled["all/0"]) || a == "" {
			t.Errorf("call %d was told to use %q, recalled is %q", n, a, recalled["all/0"])
		}
	}
	if got, err := h.Record(t.Context(), call("all/0", "", false)); err != nil || string(got) != answers[0] {
		t.Errorf("an invalid call after a valid one: %q, %v", got, err)
	}
	if calls := h.story(t, id).Calls; len(calls) != 14 || calls[0].Reply.Latency != time.Second || calls[0].Answer != nil {
		t.Errorf("%d calls told, first %+v", len(calls), calls[0])
	}
}
