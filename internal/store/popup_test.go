package store_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"aftercall/deliver"
	"aftercall/internal/store"
	"aftercall/reason"
)

// popping accepts a call that leads to one pop-up, and claims it.
func (h *house) popping(t *testing.T, call string, deadline time.Time) store.Claimed {
	t.Helper()
	p := h.plan(h.accept(t, h.arrival(phoneCall(call))).ConversationID, 0)
	p.Deliveries = []store.Delivery{{ID: uuid.NewString(), Automation: "callback", Channel: deliver.CTI, Recipient: deliver.CTI, State: store.Planned,
		DueAt: ended(), DeadlineAt: deadline, Content: store.Content{Text: "About " + call}}}
	h.save(t, p)
	return h.claimOn(t, p.ConversationID, deliver.CTI, "w")[0]
}

func (h *house) post(t *testing.T, c store.Claimed, agent string) (until time.Time, taken bool) {
	t.Helper()
	until, taken, err := h.PostPopUp(t.Context(), deliver.Message{AccountID: c.AccountID, DeliveryID: c.ID}, agent, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return until, taken
}

// shown takes what an agent's softphone sees after one pop-up.
func (h *house) shown(t *testing.T, agent string, after int64, now time.Time) (texts []string, last int64) {
	t.Helper()
	all, err := h.Within(store.Only("acme")).PopUps(t.Context(), "acme", agent, after, now)
	if err == nil {
		err = h.TakePopUps(t.Context(), "acme", agent, all, now)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		texts, last = append(texts, p.Text), p.Seq
	}
	return texts, last
}

// TestAPopUpIsSentWhenASoftphoneHasIt: one that listens while it is posted, and one that comes while the delivery waits.
func TestAPopUpIsSentWhenASoftphoneHasIt(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	now, deadline := time.Now(), time.Now().Add(time.Minute)
	prompt, waiting := h.popping(t, "call-1", deadline), h.popping(t, "call-2", deadline)
	if until, taken := h.post(t, prompt, "reception"); taken || until.Sub(deadline).Abs() > time.Millisecond {
		t.Errorf("posted until %s, taken %t", until, taken)
	}
	first, last := h.shown(t, "reception", 0, now)
	if _, taken := h.post(t, prompt, "reception"); !taken { // its worker looks, and sends the receipt
		t.Error("it is not taken")
	}
	h.record(t, outcome(prompt, "w", store.Sent))

	h.post(t, waiting, "reception")
	o := outcome(waiting, "w", store.Retrying)
	o.DueAt = deadline
	h.record(t, o)
	second, last := h.shown(t, "reception", last, now)
	third, _ := h.shown(t, "reception", last, now)
	another, _ := h.shown(t, "reception", 0, now)
	if got, want := fmt.Sprint(first, second, third, another), "[About call-1] [About call-2] [] [About call-1 About call-2]"; got != want {
		t.Errorf("shown %s, want %s", got, want)
	}
	for _, c := range []store.Claimed{prompt, waiting} {
		if s := h.story(t, c.ConversationID); s.Deliveries[0].State != store.Sent {
			t.Errorf("%s is %s", s.Conversation.ExternalID, s.Deliveries[0].State)
		}
	}
	h.balanced(t)
}

// TestATakenPopUpIsSent: whenever a softphone took it after its worker's last look, and whatever that worker says, if it still does.
func TestATakenPopUpIsSent(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	deadline := time.Now().Add(time.Minute)
	receipt := func(c store.Claimed, due time.Time) {
		o := outcome(c, "w", store.Retrying)
		o.Class, o.Status, o.Detail, o.DueAt = "nobody_listens", 0, "no softphone of the agent has taken it", due
		if due.After(deadline) {
			o.State, o.Reason, o.DueAt = store.Failed, reason.TooLate, time.Time{}
		}
		if err := h.RecordOutcome(t.Context(), o); err != nil {
			t.Error(err)
		}
	}
	take := func(c store.Claimed) {
		if err := h.TakePopUps(t.Context(), "acme", "reception", []store.PopUp{{DeliveryID: c.ID}}, time.Now()); err != nil {
			t.Error(err)
		}
	}
	lose := func() {
		h.kill(t, "w")
		h.sweep(t)
	}
	// meet stops one in the middle, since it waits for what is held, and begins the other then.
	meet := func(held string, one, other func()) {
		release, begun, done := h.hold(t, held), make(chan struct{}), make(chan struct{})
		go func() { defer close(begun); one() }()
		h.waitingForLocks(t, 1, begun)
		go func() { defer close(done); other() }()
		h.waitingForLocks(t, 2, done)
		release()
		<-begun
		<-done
	}
	for _, x := range []struct {
		name    string
		happens func(store.Claimed)
	}{
		{"before the receipt", func(c store.Claimed) { take(c); receipt(c, deadline) }},
		{"after the receipt", func(c store.Claimed) { receipt(c, deadline); take(c) }},
		{"before a receipt at its end", func(c store.Claimed) { take(c); receipt(c, deadline.Add(time.Second)) }},
		{"while the receipt waits for it", func(c store.Claimed) {
			meet(fmt.Sprintf("SELECT 1 FROM popups WHERE delivery_id = '%s' FOR UPDATE", c.ID), func() { take(c) }, func() { receipt(c, deadline) })
		}},
		{"while it waits for the receipt", func(c store.Claimed) {
			meet(fmt.Sprintf(`INSERT INTO attempts (delivery_id, attempt, account_id, worker_id, state, class, status, detail, provider, provider_id, started_at, finished_at)
				VALUES ('%s', 1, 'acme', '', 'sent', '', 0, '', '', '', now(), now())`, c.ID), func() { receipt(c, deadline) }, func() { take(c) })
		}},
		{"in its second attempt", func(c store.Claimed) {
			receipt(c, time.Now())
			again := h.claimOn(t, c.ConversationID, deliver.CTI, "w")[0]
			take(again)
			receipt(again, deadline)
		}},
		{"before its worker was given up", func(c store.Claimed) { take(c); lose() }},
		{"after its worker was given up", func(c store.Claimed) { lose(); take(c) }},
	} {
		c := h.popping(t, x.name, deadline)
		h.post(t, c, "reception")
		x.happens(c)
		d := h.story(t, c.ConversationID).Deliveries[0]
		if last := d.Attempts[len(d.Attempts)-1]; d.State != store.Sent || d.Reason != "" || d.Detail != "" || d.Provider != "softphone" || last.State != store.Sent ||
			last.Class == "nobody_listens" {
			t.Errorf("taken %s: %s, %q, %q by %q, %+v", x.name, d.State, d.Reason, d.Detail, d.Provider, last)
		}
	}
	h.balanced(t)
}

// TestAPopUpThatIsOfNoUseAnyMore is shown to nobody: another agent's, another account's, one whose time is over, one that was called off.
func TestAPopUpThatIsOfNoUseAnyMore(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	deadline := time.Now().Add(time.Minute)
	c := h.popping(t, "call-1", deadline)
	h.post(t, c, "reception")
	for name, got := range map[string]func() ([]string, int64){
		"another agent's": func() ([]string, int64) { return h.shown(t, "sales", 0, time.Now()) },
		"too late":        func() ([]string, int64) { return h.shown(t, "reception", 0, deadline) },
	} {
		if texts, _ := got(); len(texts) > 0 {
			t.Errorf("%s: %v", name, texts)
		}
	}
	if _, err := h.Within(store.Only("umbra")).PopUps(t.Context(), "acme", "reception", 0, time.Now()); err == nil {
		t.Error("another account's are shown")
	}
	o := outcome(c, "w", store.Retrying)
	o.DueAt = deadline
	h.record(t, o)
	if err := h.CancelDelivery(t.Context(), store.Actor{Name: "test"}, "acme", c.ID); err != nil {
		t.Fatal(err)
	}
	if texts, _ := h.shown(t, "reception", 0, time.Now()); len(texts) > 0 {
		t.Errorf("called off: %v", texts)
	}
	if err := h.TakePopUps(t.Context(), "acme", "reception", []store.PopUp{{DeliveryID: c.ID}}, time.Now()); err != nil {
		t.Fatal(err)
	}
	if s := h.story(t, c.ConversationID); s.Deliveries[0].State != store.Cancelled {
		t.Errorf("it is %s", s.Deliveries[0].State)
	}
	h.balanced(t)
}

// TestAPopUpWhoseWorkerDiesIsInNoDoubt: posted again it is the same one, so it goes on as if nothing had been; one that a softphone has was
// sent, however late that is found out.
func TestAPopUpWhoseWorkerDiesIsInNoDoubt(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	now, deadline := time.Now(), time.Now().Add(time.Minute)
	unposted, waiting, taken := h.popping(t, "call-1", deadline), h.popping(t, "call-2", deadline), h.popping(t, "call-3", deadline)
	h.post(t, taken, "reception")
	h.shown(t, "reception", 0, now)
	h.post(t, waiting, "reception")
	captured, test := h.popping(t, "call-4", deadline), h.popping(t, "call-5", deadline)
	if err := h.Keep(t.Context(), deliver.Message{AccountID: "acme", DeliveryID: captured.ID, Attempt: 1}); err != nil {
		t.Fatal(err)
	}
	h.exec(t, "UPDATE deliveries SET test = true WHERE id = $1", test.ID)
	h.exec(t, "UPDATE deliveries SET deadline_at = now() - interval '1 second' WHERE id = $1", taken.ID)
	h.kill(t, "w")
	if swept := h.sweep(t); swept.Unknown != 2 || swept.TooLate != 0 {
		t.Errorf("swept %+v, want only what was or may have been captured in doubt, and nothing too late", swept)
	}
	for c, want := range map[*store.Claimed]store.DeliveryState{&unposted: store.Retrying, &waiting: store.Retrying, &taken: store.Sent, &captured: store.Unknown, &test: store.Unknown} {
		d := h.story(t, c.ConversationID).Deliveries[0]
		if d.State != want || len(d.Attempts) != 1 || d.Attempts[0].State != want || (want == store.Sent) != (d.Provider == "softphone") {
			t.Errorf("a pop-up %+v, want it %s", d, want)
		}
	}
	if err := h.RecordOutcome(t.Context(), outcome(unposted, "w", store.Sent)); !errors.Is(err, store.ErrFenced) {
		t.Errorf("the worker that lost it may still settle it: %v", err)
	}
	h.balanced(t)

	again := h.claimOn(t, unposted.ConversationID, deliver.CTI, "alive")
	if len(again) != 1 || again[0].Attempt != 2 {
		t.Fatalf("claimed again: %+v", again)
	}
	h.post(t, again[0], "reception")
	h.post(t, again[0], "reception")
	if texts, _ := h.shown(t, "reception", 1, now); fmt.Sprint(texts) != "[About call-2 About call-1]" { // the first one was taken before
		t.Errorf("shown %v", texts)
	}
	if _, is := h.post(t, again[0], "reception"); !is {
		t.Error("it is not taken")
	}
	h.record(t, outcome(again[0], "alive", store.Sent))
	for _, c := range []store.Claimed{unposted, waiting, taken} {
		if d := h.story(t, c.ConversationID).Deliveries[0]; d.State != store.Sent {
			t.Errorf("%s is %s", c.ExternalID, d.State)
		}
	}
	h.balanced(t)
}

// TestOnlyAnAgentsSoftphoneHears of a pop-up.
func TestOnlyAnAgentsSoftphoneHears(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	listen := func(agent string) *store.Line {
		l, err := h.Listen(store.Teammate{ID: agent, Keys: map[string][]string{"acme": {store.AgentAudience(agent)}}}, store.Only("acme"), store.TopicPopUps)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(l.Close)
		return l
	}
	mine, other := listen("reception"), listen("sales")
	<-mine.Changed() // the connection stands: whatever is told from now on is heard
	mine.Take()
	other.Take()
	c := h.popping(t, "call-1", time.Now().Add(time.Minute))
	h.post(t, c, "reception")
	<-mine.Changed()
	if heard := mine.Take(); !slices.ContainsFunc(heard, func(x store.Change) bool { return x.ID == c.ID }) {
		t.Errorf("heard %+v", heard)
	}
	if heard := other.Take(); len(heard) > 0 {
		t.Errorf("another agent's heard %+v", heard)
	}
}
