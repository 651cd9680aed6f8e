package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"aftercall/internal/store"
	"aftercall/tasks"
)

// task plans a call with a task.
func (h *house) task(t testing.TB, task tasks.Task) (id, conversation string) {
	t.Helper()
	id = uuid.NewString()
	p := h.plan(h.accept(t, h.arrival(phoneCall(id))).ConversationID, 0)
	p.Tasks = []store.Task{{ID: id, Automation: "callback", Action: 0, Task: task}}
	p.Deliveries = []store.Delivery{{ID: id, Automation: "callback", Channel: "task", Recipient: "-", State: store.Sent}}
	h.save(t, p)
	return id, p.ConversationID
}

// titles lists every page of a list of tasks, two to a page.
func titles(t *testing.T, r *store.Reader, q store.TaskQuery) (all []string) {
	t.Helper()
	q.Limit = 2
	for {
		rows, next, err := r.Tasks(t.Context(), q)
		if err != nil || len(rows) > 2 {
			t.Fatalf("%d rows, %v", len(rows), err)
		}
		for _, row := range rows {
			all = append(all, row.Title)
		}
		if q.After = next; next == "" {
			return all
		}
	}
}

func TestTasksAreListedByWhenTheyAreDue(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	now := time.Now()
	ids := map[string]string{}
	for _, task := range []tasks.Task{
		{Title: "later", Priority: tasks.Low, DueAt: now.Add(3 * time.Hour), Assignee: "group:support"},
		{Title: "never", Priority: tasks.Urgent},
		{Title: "soon", Priority: tasks.High, DueAt: now.Add(time.Hour), Assignee: "person:maria"},
		{Title: "overdue", Priority: tasks.Medium, DueAt: now.Add(-time.Hour), Assignee: "group:support"},
		{Title: "also never", Priority: tasks.Low, Assignee: "person:maria"},
	} {
		ids[task.Title], _ = h.task(t, task)
	}
	within := h.Within(store.Only("acme"))
	never := []string{"never", "also never"}
	slices.SortFunc(never, func(a, b string) int { return strings.Compare(ids[a], ids[b]) })
	for name, tt := range map[string]struct {
		query store.TaskQuery
		want  []string
	}{
		"all":           {store.TaskQuery{}, append([]string{"overdue", "soon", "later"}, never...)},
		"overdue":       {store.TaskQuery{DueBefore: now}, []string{"overdue"}},
		"some":          {store.TaskQuery{Priorities: []tasks.Priority{tasks.High, tasks.Low}, Assignees: []string{"person:maria"}}, []string{"soon", "also never"}},
		"nobody's":      {store.TaskQuery{Assignees: []string{""}}, []string{"never"}},
		"of no key":     {store.TaskQuery{Assignees: []string{}}, nil},
		"in progress":   {store.TaskQuery{States: []tasks.State{tasks.InProgress}}, nil},
		"finished":      {store.TaskQuery{Finished: true}, nil},
		"of nobody":     {store.TaskQuery{AccountID: "umbra"}, nil},
		"of an account": {store.TaskQuery{AccountID: "acme", Assignees: []string{"group:support"}}, []string{"overdue", "later"}},
	} {
		if d := cmp.Diff(tt.want, titles(t, within, tt.query)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	for _, title := range []string{"soon", "never", "later"} {
		if err := h.SetTask(t.Context(), store.Actor{Name: "ann"}, "acme", ids[title], store.TaskChange{Version: 1, State: tasks.Done}); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff([]string{"later", "never", "soon"}, titles(t, within, store.TaskQuery{Finished: true})); d != "" {
		t.Errorf("finished, the last one first: %s", d)
	}
	if d := cmp.Diff([]string{"soon"}, titles(t, within, store.TaskQuery{Finished: true, Assignees: []string{"person:maria"}})); d != "" {
		t.Error(d)
	}
	for _, after := range []string{"x", "1", "1.x", "-1." + uuid.NewString(), "999999999999999999." + uuid.NewString()} {
		if _, _, err := within.Tasks(t.Context(), store.TaskQuery{After: after}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the cursor %q: %v", after, err)
		}
	}
}

func TestOfTwoWhoChangeATaskTheSecondIsTold(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	id, conversation := h.task(t, tasks.Task{Title: "Call back", Priority: tasks.High})
	ann, bob := store.Actor{PersonID: uuid.NewString(), Name: "ann@acme.example", Address: "192.0.2.1"}, store.Actor{Name: "bob@acme.example"}
	maria := "person:maria"
	change := store.TaskChange{Version: 1, State: tasks.InProgress, Assignee: &maria}
	if err := h.SetTask(t.Context(), ann, "acme", id, change); err != nil {
		t.Fatal(err)
	}
	if err := h.SetTask(t.Context(), bob, "acme", id, store.TaskChange{Version: 1, State: tasks.Done}); !errors.Is(err, store.ErrTaskChanged) {
		t.Errorf("the second: %v", err)
	}
	if err := h.SetTask(t.Context(), bob, "umbra", id, store.TaskChange{Version: 2, State: tasks.Done}); !errors.Is(err, store.ErrTaskChanged) {
		t.Errorf("in another account: %v", err)
	}
	got, err := h.Within(store.Only("acme")).Task(t.Context(), id)
	if err != nil || got.State != tasks.InProgress || got.Version != 2 || got.ChangedBy != ann.Name || got.Assignee != maria || got.Priority != tasks.High ||
		got.ConversationID != conversation || got.CustomerName != "Ann Example" {
		t.Errorf("%+v, %v", got, err)
	}
	acts, err := h.Within(store.Only("acme")).ActsOn(t.Context(), "acme", id)
	if err != nil || len(acts) != 1 || acts[0].By != ann || acts[0].What != store.ActTaskChanged ||
		!cmp.Equal(acts[0].Detail, map[string]string{"state": "in_progress", "assignee": maria}) {
		t.Errorf("%+v, %v", acts, err)
	}
	address := "email:ann@acme.example"
	if err := h.SetTask(t.Context(), ann, "acme", id, store.TaskChange{Version: 2, Assignee: &address}); err != nil {
		t.Fatal(err)
	}
	if acts, err = h.ActsOn(t.Context(), "acme", id); err != nil || len(acts) != 2 || strings.Contains(fmt.Sprint(acts[0].Detail), "@") {
		t.Errorf("an address stands in the log: %+v, %v", acts, err)
	}
	for _, r := range []*store.Reader{h.Within(store.Only("umbra")), h.Within(store.Accounts{})} {
		if _, err := r.Task(t.Context(), id); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("in another account: %v", err)
		}
		if _, err := r.ActsOn(t.Context(), "acme", id); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("in another account: %v", err)
		}
	}
	h.balanced(t)
}

func TestAProgramAddsTasks(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	_, call := h.task(t, tasks.Task{Title: "From the call", Priority: tasks.Low})
	by := store.Actor{Name: "API key ac_1234 (desk)"}
	due := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	for _, title := range []string{"First", "Second"} {
		id, err := h.AddTask(t.Context(), by, "acme", call, tasks.Task{Title: title, Priority: tasks.High, Assignee: "person:maria", DueAt: due})
		if err != nil {
			t.Fatal(err)
		}
		row, err := h.Within(store.Only("acme")).Task(t.Context(), id)
		if err != nil || row.Title != title || row.State != tasks.Open || row.Automation != "" || !row.DueAt.Equal(due) || row.ChangedBy != by.Name || row.ConversationID != call {
			t.Errorf("%+v, %v", row, err)
		}
	}
	for name, at := range map[string][2]string{"another account": {"umbra", call}, "no such call": {"acme", oldID}, "no id": {"acme", "call-1"}} {
		if _, err := h.AddTask(t.Context(), by, at[0], at[1], tasks.Task{Title: "x", Priority: tasks.Low}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	h.balanced(t)
}

// desk makes every query of the pages where people work on tasks and alerts pass once.
func (h *house) desk(t *testing.T) {
	t.Helper()
	l := listen(t, h, store.Every(), store.TopicTasks)
	h.deskReads(t, h.Reader)
	if err := h.SetTask(t.Context(), store.Actor{}, "acme", oldID, store.TaskChange{Version: 1, Priority: tasks.High}); err != nil {
		t.Fatal(err)
	}
	hears(t, l, store.TopicTasks)
	if _, err := h.AddTask(t.Context(), store.Actor{}, "acme", oldID, tasks.Task{Title: "Call back", Priority: tasks.Low}); err != nil {
		t.Fatal(err)
	}
	if err := h.ReadAlert(t.Context(), store.Actor{}, "acme", oldID); err != nil {
		t.Fatal(err)
	}
	if err := h.ReadAlerts(t.Context(), store.Actor{}, store.Every(), oldID); err != nil {
		t.Fatal(err)
	}
}

// oldID is of a row in each table that the filler fills.
const oldID = "0192f3a4-0000-7000-8000-000000000008"

// deskReads asks what those pages ask.
func (h *house) deskReads(t *testing.T, r *store.Reader) {
	t.Helper()
	ctx := t.Context()
	for _, finished := range []bool{false, true} {
		for _, of := range [][]string{nil, {"", "person:maria"}} {
			if rows, _, err := r.Tasks(ctx, store.TaskQuery{Finished: finished, Assignees: of}); err != nil || len(rows) == 0 {
				t.Errorf("finished %v, of %v: %d tasks, %v", finished, of, len(rows), err)
			}
		}
	}
	_, _, err := r.Reviews(ctx, store.ReviewQuery{Unsure: true, Held: true})
	if err == nil {
		_, err = r.ReviewsOf(ctx, oldID)
	}
	if err != nil {
		t.Error(err)
	}
	_, err = r.Task(ctx, oldID)
	_, _, inboxErr := r.Inbox(ctx, store.Teammate{ID: "a"}, "", "", 10)
	_, unreadErr := r.Unread(ctx, store.Teammate{ID: "a"}, "", "", 10)
	_, countErr := r.CountUnread(ctx, store.Teammate{ID: "a"})
	_, reviewErr := r.CountReviews(ctx)
	_, alertErr := r.Alert(ctx, store.Teammate{}, oldID)
	_, actsErr := r.ActsOn(ctx, "acme", oldID)
	if err := errors.Join(err, inboxErr, unreadErr, countErr, reviewErr, alertErr, actsErr); err != nil {
		t.Error(err)
	}
}
