package dashboard

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"aftercall/internal/store"
	"aftercall/people"
	"aftercall/tasks"
)

// taskPage is the view of task.html.
type taskPage struct {
	taskCard
	Description string
	Created     moment
	Assignees   []option // whom it can be given to; empty if the reader may not
	Priorities  []option
	History     []actView
}

// actView is one thing that somebody did.
type actView struct {
	Who, What string
	At        moment
}

// task is GET /tasks/{id}: one task, what can be done with it, and who did what.
func (d *Dashboard) task(r *http.Request) (answer, error) {
	reader, who := d.reader(r, people.Look), people.Of(r.Context())
	t, err := reader.Task(r.Context(), r.PathValue("id"))
	if err != nil {
		return answer{}, fmt.Errorf("load a task: %w", err)
	}
	acts, err := reader.ActsOn(r.Context(), t.AccountID, t.ID)
	if err != nil {
		return answer{}, fmt.Errorf("load a task: %w", err)
	}
	n := d.accountNames(t.AccountID)
	rows := []store.TaskRow{t}
	maskTasks(rows, who)
	view := taskPageOf(rows[0], acts, n, who, d.now())
	return answer{Template: "task", Title: view.Title, Section: "tasks", View: view}, nil
}

func taskPageOf(t store.TaskRow, acts []store.Act, n names, who people.Person, now time.Time) taskPage {
	p := taskPage{taskCard: taskCardOf(t, n, who, now, ""), Description: t.Description, Created: at(t.CreatedAt, n.zone())}
	p.DueAt, p.Changed = at(t.DueAt, n.zone()), at(t.UpdatedAt, n.zone())
	for _, a := range acts {
		p.History = append(p.History, actView{Who: a.By.Name, What: taskAct(a, n), At: at(a.At, n.zone())})
	}
	if !who.May(people.Operate, t.AccountID) {
		return p
	}
	p.Assignees = givable(t.Assignee, n, who)
	for _, pr := range tasks.Priorities() {
		p.Priorities = append(p.Priorities, option{string(pr), string(pr), pr == t.Priority})
	}
	return p
}

// givable is everybody a task can be given to: nobody, who stands in the account's config, whoever has it, and the reader.
func givable(has string, n names, who people.Person) []option {
	all := append([]option{{Value: "", Label: "Nobody yet"}}, directory(n)...)
	for _, key := range append(keysOf(n.rev, who.Name), has) {
		if !slices.ContainsFunc(all, func(o option) bool { return o.Value == key }) {
			all = append(all, option{Value: key, Label: n.assignee(key)})
		}
	}
	for i := range all {
		all[i].Chosen = all[i].Value == has
	}
	return all
}

// taskAct says what somebody did with a task.
func taskAct(a store.Act, n names) string {
	var done []string
	if s := a.Detail["state"]; s != "" {
		done = append(done, "moved it to "+words(s))
	}
	if s := a.Detail["assignee"]; s != "" {
		done = append(done, "gave it to "+n.assignee(s))
	}
	if s := a.Detail["priority"]; s != "" {
		done = append(done, "made it "+s)
	}
	switch len(done) {
	case 0:
		return words(string(a.What))
	case 1:
		return done[0]
	}
	return fmt.Sprintf("%s, %s", done[0], done[1])
}

// changeTask is POST /tasks/{id}: another state, another assignee, another priority; each if the form has it.
func (d *Dashboard) changeTask(r *http.Request) (answer, error) {
	form, err := posted(r)
	if err != nil {
		return answer{}, err
	}
	reader, who := d.reader(r, people.Operate), people.Of(r.Context())
	t, err := reader.Task(r.Context(), r.PathValue("id"))
	if err != nil {
		return answer{}, fmt.Errorf("change a task: %w", err)
	}
	n := d.accountNames(t.AccountID)
	c, err := taskChange(form, t, n, who)
	if err != nil {
		return answer{}, err
	}
	if err = d.store.SetTask(r.Context(), who.Actor(), t.AccountID, t.ID, c); errors.Is(err, store.ErrTaskChanged) {
		if t, err = reader.Task(r.Context(), t.ID); err == nil {
			err = changedMeanwhile(t, n)
		}
	}
	if err != nil {
		return answer{}, fmt.Errorf("change a task: %w", err)
	}
	return answer{Location: backTo(form, "/tasks/"+url.PathEscape(t.ID))}, nil
}

// taskChange reads what a form asks for, of a task as it stands.
func taskChange(form url.Values, t store.TaskRow, n names, who people.Person) (c store.TaskChange, err error) {
	if c.Version, err = strconv.Atoi(form.Get("version")); err != nil {
		return c, badTask("The form does not say which task it was made for.")
	}
	if c.Version != t.Version {
		return c, changedMeanwhile(t, n)
	}
	if form.Has("to") {
		if c.State = tasks.State(form.Get("to")); !tasks.MayMove(t.State, c.State) {
			return c, badTask("A task that is " + words(string(t.State)) + " does not go there.")
		}
	}
	if form.Has("priority") {
		p, ok := tasks.ParsePriority(form.Get("priority"))
		if !ok {
			return c, badTask("There is no such priority.")
		}
		if p != t.Priority {
			c.Priority = p
		}
	}
	if form.Has("assignee") {
		key := form.Get("assignee")
		if !slices.ContainsFunc(givable(t.Assignee, n, who), func(o option) bool { return o.Value == key }) {
			return c, badTask("Nobody with this key is in the account's config.")
		}
		if key != t.Assignee {
			c.Assignee = &key
		}
	}
	return c, nil
}

func badTask(sentence string) error {
	return &postedError{http.StatusBadRequest, sentence, "Open the task again and choose there."}
}

// changedMeanwhile says who was faster, and how the task stands now.
func changedMeanwhile(t store.TaskRow, n names) error {
	return &postedError{http.StatusConflict, fmt.Sprintf("%s changed this task at %s, after you saw it: it is %s now, %s priority, for %s. Nothing was changed.",
		or(t.ChangedBy, "Somebody"), shortly(t.UpdatedAt, n.zone()).Local, words(string(t.State)), t.Priority, n.assignee(t.Assignee)),
		"Open the task again, and decide on what stands there now."}
}
