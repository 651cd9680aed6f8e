package store_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercall/conversation"
	"aftercall/internal/store"
)

func TestAcceptKeepsEventConversationAndJob(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	got := h.accept(t, h.arrival(phoneCall("c1")))
	if want := (store.Accepted{ConversationID: got.ConversationID, New: true}); got != want || got.ConversationID == "" {
		t.Fatalf("accepted %+v", got)
	}
	story := h.story(t, got.ConversationID)
	want := phoneCall("c1")
	want.ID, want.AccountID, want.Source = got.ConversationID, "acme", "phone"
	if d := cmp.Diff(want, story.Conversation); d != "" {
		t.Error(d)
	}
	if len(story.Events) != 1 || story.Events[0].Bytes != len(`{"id":"c1"}`) || !story.Events[0].ReceivedAt.Equal(ended()) {
		t.Errorf("events %+v", story.Events)
	}
	decides, _ := h.asked()
	if d := cmp.Diff([]store.DecideJob{{AccountID: "acme", ConversationID: got.ConversationID, Run: 1, Backlog: 1}}, decides); d != "" {
		t.Error(d)
	}
	if n := h.count(t, "river_job"); n != 1 {
		t.Errorf("%d jobs", n)
	}
	pinned, err := h.Load(t.Context(), got.ConversationID, 1)
	if err != nil || pinned.RevisionID != h.revision || pinned.Version != 1 || pinned.State != store.StateAccepted {
		t.Errorf("loaded %+v, %v", pinned, err)
	}
	h.balanced(t)
}

func TestAcceptAgain(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*store.Arrival)
		want   store.Accepted
		rows   [3]int // events, conversations, conflicts
	}{
		"the same event with the same body":   {func(*store.Arrival) {}, store.Accepted{Duplicate: true}, [3]int{1, 1, 0}},
		"the same event with another body":    {func(a *store.Arrival) { a.Event.Body = []byte(`{"id":"c1","x":1}`) }, store.Accepted{Conflict: true}, [3]int{1, 1, 1}},
		"another event of the same call":      {func(a *store.Arrival) { a.Event.Identity = "other" }, store.Accepted{}, [3]int{2, 1, 0}},
		"the same identity at another source": {func(a *store.Arrival) { a.Event.Source = "chat" }, store.Accepted{New: true}, [3]int{2, 2, 0}},
		"an event without a conversation":     {func(a *store.Arrival) { a.Event.Identity, a.Conversation = "ping", nil }, store.Accepted{}, [3]int{2, 1, 0}},
		"the same event about another call":   {func(a *store.Arrival) { a.Conversation, a.Event.Body = phoneCall("c2"), []byte(`{}`) }, store.Accepted{Conflict: true}, [3]int{1, 1, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, store.Options{})
			first := h.accept(t, h.arrival(phoneCall("c1")))
			again := h.arrival(phoneCall("c1"))
			test.change(&again)
			got := h.accept(t, again)
			if !got.New && again.Conversation != nil && got.ConversationID != first.ConversationID {
				t.Errorf("answered for conversation %q, want %q", got.ConversationID, first.ConversationID)
			}
			got.ConversationID = ""
			if got != test.want {
				t.Errorf("accepted %+v, want %+v", got, test.want)
			}
			for range 2 { // a third and a fourth time change nothing more
				h.accept(t, again)
			}
			rows := [3]int{h.count(t, "events"), h.count(t, "conversations"), h.count(t, "event_conflicts")}
			if rows != test.rows {
				t.Errorf("events, conversations, conflicts %v, want %v", rows, test.rows)
			}
			if jobs := h.count(t, "river_job"); jobs != rows[1] {
				t.Errorf("%d jobs for %d conversations", jobs, rows[1])
			}
		})
	}
}

// TestR8 is the small flood: 200 events posted up to 20 times each by 8 clients of two processes, 5 % with another body.
func TestR8(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	second, err := store.Open(t.Context(), h.url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	doors := []*store.Ingest{h.ingest, second.NewIngest(h.enqueueDecides)}

	const ids = 200
	random := rand.New(rand.NewPCG(8, 8))
	var posts []store.Arrival
	other := map[string]bool{}
	for len(posts) < 2000 {
		id := fmt.Sprintf("c%03d", len(posts)%ids)
		a := h.arrival(phoneCall(id))
		if len(posts) >= ids && random.Float64() < 0.05 {
			a.Event.Body = []byte(`{"id":"` + id + `","changed":true}`)
			other[id] = true
		}
		posts = append(posts, a)
	}
	random.Shuffle(len(posts)-ids, func(i, j int) { posts[ids+i], posts[ids+j] = posts[ids+j], posts[ids+i] })
	var isNew, duplicate, conflict atomic.Int64
	work := make(chan store.Arrival)
	var clients sync.WaitGroup
	for n := range 8 {
		clients.Go(func() {
			for a := range work {
				got, err := doors[n%2].Accept(t.Context(), a)
				if err != nil {
					t.Error(err)
					continue
				}
				switch {
				case got.New:
					isNew.Add(1)
				case got.Duplicate:
					duplicate.Add(1)
				case got.Conflict:
					conflict.Add(1)
				}
			}
		})
	}
	for _, a := range posts {
		work <- a
	}
	close(work)
	clients.Wait()
	if isNew.Load() != ids || isNew.Load()+duplicate.Load()+conflict.Load() != int64(len(posts)) || conflict.Load() == 0 {
		t.Errorf("new %d, duplicate %d, conflict %d of %d posts", isNew.Load(), duplicate.Load(), conflict.Load(), len(posts))
	}
	for table, want := range map[string]int{"conversations": ids, "events": ids, "river_job": ids, "event_conflicts": len(other)} {
		if n := h.count(t, table); n != want {
			t.Errorf("%d %s, want %d", n, table, want)
		}
	}
	h.balanced(t)
}

func TestAcceptMerges(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	started := phoneCall("c1")
	started.Turns, started.Customer.Email = nil, ""
	wait := h.arrival(started)
	wait.DecideAt, wait.Final = time.Now().Add(time.Hour), false
	first := h.accept(t, wait)
	decides, _ := h.asked()
	if len(decides) != 1 || !decides[0].At.Equal(wait.DecideAt) {
		t.Fatalf("asked for %+v, want one job in an hour", decides)
	}

	analysed := phoneCall("c1")
	analysed.Summary = "Ann wants a callback."
	final := h.arrival(analysed)
	final.Event.Identity, final.Event.Body = "analysed:c1", []byte(`{}`)
	got := h.accept(t, final)
	if want := (store.Accepted{ConversationID: first.ConversationID, Merged: true}); got != want {
		t.Fatalf("accepted %+v, want %+v", got, want)
	}
	decides, _ = h.asked()
	if len(decides) != 2 || !decides[1].At.IsZero() || decides[1].ConversationID != first.ConversationID {
		t.Errorf("asked for %+v, want a second job now", decides)
	}
	pinned, err := h.Load(t.Context(), first.ConversationID, 1)
	if err != nil || pinned.Version != 2 || len(pinned.Conversation.Turns) != 2 || pinned.Conversation.Summary == "" {
		t.Errorf("loaded %+v, %v", pinned, err)
	}
	if saved, err := h.planner.Save(t.Context(), h.plan(first.ConversationID, 1)); saved.OK || err != nil {
		t.Errorf("a plan for the version before was saved: %v, %v", saved, err)
	}
	rows, _, err := h.Conversations(t.Context(), store.ConversationQuery{AccountID: "acme", Search: "ANN@example.com"})
	if err != nil || len(rows) != 1 {
		t.Errorf("found %+v, %v by the e-mail that came later", rows, err)
	}
}

func TestAcceptAfterTheDecisionKeepsOnlyASummary(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	p := h.decided(t, "c1", 1)
	for n, test := range []struct {
		summary, kept string
		merged        bool
	}{{"", "", false}, {"The platform's.", "The platform's.", true}, {"Another.", "The platform's.", false}} {
		late := phoneCall("c1")
		late.Summary = test.summary
		late.Turns = append(late.Turns, conversation.Turn{Role: conversation.RoleCustomer, Text: "One more thing."})
		a := h.arrival(late)
		a.Event.Identity = fmt.Sprintf("late:%d", n)
		if got := h.accept(t, a); got.Merged != test.merged {
			t.Errorf("%q: merged %v, want %v", test.summary, got.Merged, test.merged)
		}
		story := h.story(t, p.ConversationID)
		if story.Summary != test.kept || len(story.Conversation.Turns) != 2 {
			t.Errorf("%q: summary %q, %d turns", test.summary, story.Summary, len(story.Conversation.Turns))
		}
	}
	if jobs := h.count(t, "river_job WHERE kind = 'conversation.decide'"); jobs != 1 {
		t.Errorf("%d decide jobs", jobs)
	}
}

func TestAcceptOneBadRowFailsAlone(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	const posts = 60
	errs := make([]error, posts)
	var all sync.WaitGroup
	for n := range posts {
		a := h.arrival(phoneCall(fmt.Sprintf("c%d", n)))
		if n%20 == 7 {
			a.RevisionID = "00000000-0000-7000-8000-000000000000" // there is none
		}
		all.Go(func() { _, errs[n] = h.ingest.Accept(t.Context(), a) })
	}
	all.Wait()
	for n, err := range errs {
		if bad := n%20 == 7; (err != nil) != bad || store.Away(err) {
			t.Errorf("post %d: %v", n, err)
		}
	}
	if n := h.count(t, "conversations"); n != posts-3 {
		t.Errorf("%d conversations, want %d", n, posts-3)
	}
	h.balanced(t)
}

func TestAcceptHostileText(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	c := phoneCall("c\x00\xff1")
	c.Customer.Name = "A\x00nn \xc3\x28"
	c.Turns[1].Text = "nul \x00 backslash \\u0000 \\\x00 end"
	c.Metadata = map[string]any{"k\x00": "v\x00"}
	a := h.arrival(c)
	a.Event.Identity = strings.Repeat("i", 100_000) + "\x00"
	got := h.accept(t, a)
	if again := h.accept(t, a); !again.Duplicate || again.ConversationID != got.ConversationID {
		t.Errorf("again: %+v", again)
	}
	story := h.story(t, got.ConversationID)
	if want := "nul \uFFFD backslash \\u0000 \\\uFFFD end"; story.Conversation.Turns[1].Text != want {
		t.Errorf("turn %q, want %q", story.Conversation.Turns[1].Text, want)
	}
	for name, id := range map[string]string{"no id": "", "a long id": strings.Repeat("x", 501)} {
		if _, err := h.ingest.Accept(t.Context(), h.arrival(phoneCall(id))); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

func TestAcceptWhileTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	h, line := openBehind(t)
	h.accept(t, h.arrival(phoneCall("c1")))
	line.cut()
	began := time.Now()
	if _, err := h.ingest.Accept(t.Context(), h.arrival(phoneCall("c2"))); !store.Away(err) {
		t.Errorf("error %v, want one that is Away", err)
	}
	if took := time.Since(began); took > 6*time.Second {
		t.Errorf("took %v", took)
	}
	line.mend()
	if got := h.accept(t, h.arrival(phoneCall("c2"))); !got.New {
		t.Errorf("afterwards: %+v", got)
	}
}
