package store_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercall/deliver"
	"aftercall/internal/store"
	"aftercall/tasks"
	"aftercall/triggers"
)

// hears waits until a line hears of a topic.
func hears(t *testing.T, l *store.Line, topic store.Topic) store.Change {
	t.Helper()
	late := time.After(time.Minute)
	for {
		select {
		case <-l.Changed():
		case <-late:
			t.Fatalf("nothing was heard of %s", topic)
		}
		for _, c := range l.Take() {
			if c.Topic == topic {
				return c
			}
		}
	}
}

// listen opens a line that hears already.
func listen(t *testing.T, h *house, within store.Accounts, topics ...store.Topic) *store.Line {
	t.Helper()
	l, err := h.Listen(store.Teammate{ID: "ann"}, within, topics...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	if c := hears(t, l, topics[0]); c.ID != "" { // the connection stands, and anything may have changed before
		t.Errorf("the first thing heard is %+v", c)
	}
	return l
}

// peer is another process on the same database.
func peer(t *testing.T, h *house) *house { return peerAt(t, h, h.url) }

func peerAt(t *testing.T, h *house, url string) *house {
	t.Helper()
	s, err := store.Open(t.Context(), url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	p := &house{Store: s, url: url, revision: h.revision}
	p.ingest, p.planner = s.NewIngest(p.enqueueDecides), s.NewPlanner(p.enqueueDelivers)
	return p
}

// alert posts an alert for a delivery of acme's.
func (h *house) alert(t testing.TB, deliveryID, text string) {
	t.Helper()
	if err := h.PostAlert(t.Context(), deliver.Message{AccountID: "acme", DeliveryID: deliveryID, Text: text}); err != nil {
		t.Fatal(err)
	}
}

func TestWhatChangesIsHeardInEveryProcess(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	l := listen(t, h, store.Only("acme"), store.TopicConversations, store.TopicDeliveries, store.TopicReview, store.TopicTasks, store.TopicAlerts)
	other := peer(t, h)

	p := other.plan(other.accept(t, other.arrival(phoneCall("c1"))).ConversationID, 1)
	p.Decisions[1].Verdict, p.Decisions[1].Review = triggers.Unsure, true
	task := store.Task{ID: p.Deliveries[0].ID, Automation: "callback", Action: 1, Task: tasks.Task{Title: "Call back", Priority: tasks.High}}
	p.Tasks = []store.Task{task}
	other.save(t, p)
	var heard []store.Topic
	for len(heard) < 3 {
		<-l.Changed()
		for _, c := range l.Take() {
			if c.AccountID != "acme" || c.ID != p.ConversationID && c.ID != task.ID {
				t.Errorf("heard %+v", c)
			}
			heard = append(heard, c.Topic)
		}
	}
	slices.Sort(heard)
	if d := cmp.Diff([]store.Topic{store.TopicConversations, store.TopicReview, store.TopicTasks}, heard); d != "" {
		t.Error(d)
	}
	c := other.claim(t, p.ConversationID, "w1")[0]
	other.record(t, outcome(c, "w1", store.Sent))
	if got := hears(t, l, store.TopicDeliveries); got.ID != c.ID {
		t.Errorf("heard %+v, want delivery %s", got, c.ID)
	}
	other.alert(t, c.ID, "Ann waits.")
	if got := hears(t, l, store.TopicAlerts); got.ID == "" {
		t.Errorf("heard %+v", got)
	}
}

// TestAnotherConfigIsHeardOf, in whichever way it was made active.
func TestAnotherConfigIsHeardOf(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	l, first := listen(t, h, store.Only("acme"), store.TopicConfig), h.revision
	other := peer(t, h)
	hearsOf := func(revision string, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		for hears(t, l, store.TopicConfig).ID != revision { // what was made active before may be heard of late
		}
	}
	second, _, err := other.apply(t, "d2", store.Activation{By: "bob"})
	hearsOf(second, err)
	_, err = other.Rollback(t.Context(), store.Actor{Name: "ann"}, store.Activation{AccountID: "acme", RevisionID: first})
	hearsOf(first, err)
	_, err = other.Activate(t.Context(), store.Activation{AccountID: "acme", RevisionID: second, By: "bob"})
	hearsOf(second, err)
}

// TestNobodyHearsOfAnotherAccount: of two changes the first is another account's, and the second is what is heard first.
func TestNobodyHearsOfAnotherAccount(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	l := listen(t, h, store.Only("umbra"), store.Topics()...)
	h.decided(t, "ours", 1)
	a := h.arrival(phoneCall("theirs"))
	a.Event.AccountID, a.RevisionID = "umbra", h.account(t, "umbra")
	p := h.plan(h.accept(t, a).ConversationID, 0)
	p.AccountID, p.RevisionID = "umbra", a.RevisionID
	h.save(t, p)
	if got, want := hears(t, l, store.TopicConversations), (store.Change{Topic: store.TopicConversations, AccountID: "umbra", ID: p.ConversationID}); got != want {
		t.Errorf("heard %+v, want %+v", got, want)
	}
}

// TestNobodyHearsOfAnAlertToOthers: of three alerts the first is another's, and the last is what is heard by whom it is for.
func TestNobodyHearsOfAnAlertToOthers(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	tom, err := h.Listen(store.Teammate{ID: "tom", Keys: map[string][]string{"acme": {"person:tom"}}}, store.Only("acme"), store.TopicAlerts)
	if err != nil {
		t.Fatal(err)
	}
	hears(t, tom, store.TopicAlerts) // the connection stands
	maria, err := h.Listen(store.Teammate{ID: "maria", Keys: map[string][]string{"acme": {"person:maria"}}}, store.Only("acme"), store.TopicAlerts)
	if err != nil {
		t.Fatal(err)
	}
	other, ids := peer(t, h), h.decided(t, "c1", 3).Deliveries
	for n, to := range []string{"maria", "tom"} {
		m := deliver.Message{AccountID: "acme", DeliveryID: ids[n].ID, Text: "to " + to, To: []deliver.Address{{Address: to}}}
		if err := other.PostAlert(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	for line, want := range map[*store.Line]string{tom: "person:tom", maria: "person:maria"} {
		if got := hears(t, line, store.TopicAlerts); got.Audience != want {
			t.Errorf("heard %+v, want what is to %s", got, want)
		}
	}
	other.alert(t, ids[2].ID, "to everybody")
	for _, line := range []*store.Line{tom, maria} {
		if got := hears(t, line, store.TopicAlerts); got.Audience != "all" {
			t.Errorf("heard %+v", got)
		}
	}
}

// TestWhoeverIsSlowHearsOnce of what changed often, and nothing of what they did not ask for.
func TestWhoeverIsSlowHearsOnce(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	slow := listen(t, h, store.Every(), store.TopicDeliveries)
	quick, err := h.Listen(store.Teammate{ID: "bob"}, store.Every(), store.TopicConversations) // it hears at once: the connection stands already
	if err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		c := h.claim(t, h.decided(t, fmt.Sprint(n), 1).ConversationID, "w1")[0]
		h.record(t, outcome(c, "w1", store.Sent))
		hears(t, quick, store.TopicConversations)
	}
	last := h.decided(t, "last", 0).ConversationID
	for hears(t, quick, store.TopicConversations).ID != last {
	}
	if got := slow.Take(); len(got) != 1 || got[0].Topic != store.TopicDeliveries {
		t.Errorf("took %+v", got)
	}
	if got := slow.Take(); got != nil {
		t.Errorf("took %+v again", got)
	}
}

func TestALostLineIsFoundAgain(t *testing.T) {
	t.Parallel()
	h, wire := openBehind(t)
	l := listen(t, h, store.Only("acme"), store.TopicAlerts)
	direct := peerAt(t, h, wire.direct)
	id := direct.decided(t, "c1", 1).Deliveries[0].ID
	wire.cut()
	direct.alert(t, id, "Said while nobody listened.")
	wire.mend()
	if got := hears(t, l, store.TopicAlerts); got.ID != "" {
		t.Errorf("heard %+v of what was said while the line was down", got)
	}
	direct.alert(t, direct.decided(t, "c2", 1).Deliveries[0].ID, "Said again.")
	if got := hears(t, l, store.TopicAlerts); got.ID == "" {
		t.Errorf("heard %+v", got)
	}
}

func TestNobodyHasTooManyLines(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	var lines []*store.Line
	var err error
	for err == nil && len(lines) < 100 {
		var l *store.Line
		if l, err = h.Listen(store.Teammate{ID: "ann"}, store.Every(), store.TopicTasks); err == nil {
			lines = append(lines, l)
		}
	}
	if !errors.Is(err, store.ErrTooManyLines) || len(lines) < 5 {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	bob, err := h.Listen(store.Teammate{ID: "bob"}, store.Every(), store.TopicTasks)
	if err != nil {
		t.Errorf("somebody else: %v", err)
	}
	bob.Close()
	lines[0].Close()
	lines[0].Close() // twice is once
	if _, err := h.Listen(store.Teammate{ID: "ann"}, store.Every(), store.TopicTasks); err != nil {
		t.Errorf("after one was closed: %v", err)
	}
	if _, err := h.Listen(store.Teammate{ID: "ann"}, store.Every(), store.TopicTasks); !errors.Is(err, store.ErrTooManyLines) {
		t.Errorf("one more: %v", err)
	}
}
