package api

import (
	"errors"
	"strings"
	"unicode/utf8"

	"aftercall/internal/store"
	"aftercall/tasks"
)

// The longest texts of a task, in characters.
const (
	longestTitle       = 200
	longestDescription = 5000
)

func listTasks(x *exchange) (any, error) {
	in := x.query
	q := store.TaskQuery{AccountID: x.account(), DueBefore: x.moment("due_before"), After: in.Get("after"), Limit: x.number("limit")}
	if s := tasks.State(in.Get("state")); s != "" {
		q.States, q.Finished = []tasks.State{s}, s.Finished()
	}
	if p := tasks.Priority(in.Get("priority")); p != "" {
		q.Priorities = []tasks.Priority{p}
	}
	switch a := in.Get("assignee"); a {
	case "":
	case "nobody":
		q.Assignees = []string{""}
	default:
		q.Assignees = []string{a}
	}
	rows, next, err := x.reader().Tasks(x.Context(), q)
	if errors.Is(err, store.ErrNotFound) {
		return nil, lost("after")
	}
	if err != nil {
		return nil, err
	}
	p := taskPage{Items: make([]task, len(rows)), Next: next}
	for i, r := range rows {
		p.Items[i] = taskOf(r)
	}
	return p, nil
}

func taskOf(r store.TaskRow) task {
	return task{ID: r.ID, ConversationID: r.ConversationID, Automation: r.Automation, Title: r.Title, Description: r.Description, Priority: r.Priority,
		Assignee: r.Assignee, DueAt: r.DueAt, State: r.State, Version: r.Version, ChangedBy: r.ChangedBy, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
		CustomerName: r.CustomerName, CustomerNumber: r.CustomerNumber}
}

func oneTask(x *exchange) (any, error) {
	r, err := x.reader().Task(x.Context(), x.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return taskOf(r), nil
}

func addTask(x *exchange) (any, error) {
	var wish taskWish
	if err := x.decode(&wish); err != nil {
		return nil, err
	}
	if wish.Priority == "" {
		wish.Priority = tasks.Medium
	}
	if err := x.check(wish); err != nil {
		return nil, err
	}
	_, call, err := x.reader().FindConversation(x.Context(), x.account(), wish.ConversationID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, invalid(fault{"/conversation_id", "There is no such call in the account of this key."})
	}
	if err != nil {
		return nil, err
	}
	id, err := x.api.store.AddTask(x.Context(), x.by, x.account(), call, tasks.Task{Title: wish.Title, Description: wish.Description, Priority: wish.Priority,
		Assignee: wish.Assignee, DueAt: wish.DueAt})
	return taskMade{TaskID: id, Version: 1}, err
}

// check says what is wrong with a task that is to be added.
func (x *exchange) check(wish taskWish) error {
	var faults []fault
	say := func(pointer, detail string) { faults = append(faults, fault{pointer, detail}) }
	if wish.ConversationID == "" {
		say("/conversation_id", "A task is about a call.")
	}
	if n := utf8.RuneCountInString(wish.Title); strings.TrimSpace(wish.Title) == "" || n > longestTitle {
		say("/title", "A task has a title of at most 200 characters.")
	}
	if utf8.RuneCountInString(wish.Description) > longestDescription {
		say("/description", "It has at most 5000 characters.")
	}
	if _, ok := tasks.ParsePriority(string(wish.Priority)); !ok {
		say("/priority", "There is no such priority.")
	}
	if !x.api.knows(x.account(), wish.Assignee) {
		say("/assignee", "Nobody with this key is in the account's config.")
	}
	return invalid(faults...)
}

// knows reports whether a task can be given to somebody: nobody, or who stands in the account's active config.
func (a *API) knows(account, assignee string) bool {
	if assignee == "" {
		return true
	}
	rev, ok := a.revisions.Active(account)
	if !ok {
		return false
	}
	kind, key, _ := strings.Cut(assignee, ":")
	_, person := rev.Directory.People[key]
	_, group := rev.Directory.Groups[key]
	return kind == "person" && person || kind == "group" && group
}

func changeTask(x *exchange) (any, error) {
	var wish taskChange
	if err := x.decode(&wish); err != nil {
		return nil, err
	}
	r, err := x.reader().Task(x.Context(), x.PathValue("id"))
	if err != nil {
		return nil, err
	}
	if wish.Version != r.Version {
		return nil, store.ErrTaskChanged
	}
	var faults []fault
	if wish.State != "" && !tasks.MayMove(r.State, wish.State) {
		faults = append(faults, fault{"/state", "A task that is " + string(r.State) + " does not go there."})
	}
	if _, ok := tasks.ParsePriority(string(wish.Priority)); wish.Priority != "" && !ok {
		faults = append(faults, fault{"/priority", "There is no such priority."})
	}
	if wish.Assignee != nil && *wish.Assignee != r.Assignee && !x.api.knows(x.account(), *wish.Assignee) {
		faults = append(faults, fault{"/assignee", "Nobody with this key is in the account's config."})
	}
	if wish.State == "" && wish.Priority == "" && wish.Assignee == nil {
		faults = append(faults, fault{"", "Say what is to change: state, priority or assignee."})
	}
	if err := invalid(faults...); err != nil {
		return nil, err
	}
	return x.set(r, store.TaskChange{Version: wish.Version, State: wish.State, Priority: wish.Priority, Assignee: wish.Assignee})
}

func completeTask(x *exchange) (any, error) {
	r, err := x.reader().Task(x.Context(), x.PathValue("id"))
	switch {
	case err != nil:
		return nil, err
	case r.State == tasks.Done:
		return taskMade{TaskID: r.ID, Version: r.Version}, nil
	case !tasks.MayMove(r.State, tasks.Done):
		return nil, &store.Refused{Sentence: "The task is " + string(r.State) + "; open it again first."}
	}
	return x.set(r, store.TaskChange{Version: r.Version, State: tasks.Done})
}

// set changes a task as it was read.
func (x *exchange) set(r store.TaskRow, c store.TaskChange) (any, error) {
	err := x.api.store.SetTask(x.Context(), x.by, x.account(), r.ID, c)
	return taskMade{TaskID: r.ID, Version: c.Version + 1}, err
}
