package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"aftercall/internal/store/db"
	"aftercall/tasks"
)

// TaskRow is a task as people work on it, with whose call it is about.
type TaskRow struct {
	ID, AccountID, ConversationID, Automation string
	tasks.Task
	State                        tasks.State
	Version                      int    // counts changes
	ChangedBy                    string // who changed it last, as they were known then; "" for nobody yet
	CreatedAt, UpdatedAt         time.Time
	CustomerName, CustomerNumber string
	Event                        string // its type, if it is of an event
}

// TaskQuery asks for a page of tasks: of those to be done, the soonest due first, or of those that are finished, the last
// one first.
type TaskQuery struct {
	AccountID  string // "" for all that may be seen
	Finished   bool
	States     []tasks.State    // of those to be done, or of those finished; nil for both
	Priorities []tasks.Priority // nil for all
	Assignees  []string         // keys; "" for nobody; nil for whoever
	DueBefore  time.Time        // of those to be done; zero for whenever
	After      string           // cursor from the page before; "" for the first page
	Limit      int              // default 50, at most 200
}

// farthest is later than any task is due.
func farthest() time.Time { return time.Date(9999, 12, 31, 12, 0, 0, 0, time.UTC) }

// ErrTaskChanged is returned to somebody who changes a task that is not as they saw it any more.
var ErrTaskChanged = errors.New("the task was changed meanwhile")

// Tasks lists tasks; next is the cursor of the next page, "" if there is none.
func (r *Reader) Tasks(ctx context.Context, q TaskQuery) (rows []TaskRow, next string, err error) {
	p, err := r.taskParams(q)
	if err != nil {
		return nil, "", fmt.Errorf("list tasks: %w", err)
	}
	limit := pageSize(q.Limit)
	p.Most = int32(limit + 1)
	err = r.read(ctx, func(d *db.Queries) error {
		found, err := shelves(ctx, d, q, p)
		for _, row := range found {
			rows = append(rows, taskRow(row))
		}
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("list tasks: %w", err)
	}
	if len(rows) > limit {
		rows = rows[:limit]
		next = rows[limit-1].cursor()
	}
	return rows, next, nil
}

// taskParams are the parameters that all lists of tasks have.
func (r *Reader) taskParams(q TaskQuery) (p db.TasksToDoOfParams, err error) {
	within := r.within.Narrow(q.AccountID)
	p = db.TasksToDoOfParams{Every: within.every, AccountIds: within.list(), Assignees: append([]string{}, q.Assignees...), DueBefore: farthest()}
	if !q.DueBefore.IsZero() {
		p.DueBefore = q.DueBefore
	}
	states := []tasks.State{tasks.Open, tasks.InProgress}
	if q.Finished {
		states = []tasks.State{tasks.Done, tasks.Dismissed}
	}
	for _, s := range states {
		if q.States == nil || slices.Contains(q.States, s) {
			p.States = append(p.States, string(s))
		}
	}
	for _, priority := range tasks.Priorities() {
		if q.Priorities == nil || slices.Contains(q.Priorities, priority) {
			p.Priorities = append(p.Priorities, string(priority))
		}
	}
	p.AfterAt, p.AfterID, err = taskCursor(q.After, q.Finished)
	return p, err
}

// shelves asks the one of four statements that has an index for what is asked.
func shelves(ctx context.Context, d *db.Queries, q TaskQuery, p db.TasksToDoOfParams) (rows []db.FindTaskRow, err error) {
	switch {
	case q.Finished && q.Assignees != nil:
		found, err := d.FinishedTasksOf(ctx, db.FinishedTasksOfParams{States: p.States, Priorities: p.Priorities, Assignees: p.Assignees,
			AfterAt: p.AfterAt, AfterID: p.AfterID, Most: p.Most, Every: p.Every, AccountIds: p.AccountIds})
		return asTasks(found, func(r db.FinishedTasksOfRow) db.FindTaskRow { return db.FindTaskRow(r) }), err
	case q.Finished:
		found, err := d.FinishedTasks(ctx, db.FinishedTasksParams{States: p.States, Priorities: p.Priorities,
			AfterAt: p.AfterAt, AfterID: p.AfterID, Most: p.Most, Every: p.Every, AccountIds: p.AccountIds})
		return asTasks(found, func(r db.FinishedTasksRow) db.FindTaskRow { return db.FindTaskRow(r) }), err
	case q.Assignees != nil:
		found, err := d.TasksToDoOf(ctx, p)
		return asTasks(found, func(r db.TasksToDoOfRow) db.FindTaskRow { return db.FindTaskRow(r) }), err
	}
	found, err := d.TasksToDo(ctx, db.TasksToDoParams{States: p.States, Priorities: p.Priorities, AfterAt: p.AfterAt, AfterID: p.AfterID,
		DueBefore: p.DueBefore, Most: p.Most, Every: p.Every, AccountIds: p.AccountIds})
	return asTasks(found, func(r db.TasksToDoRow) db.FindTaskRow { return db.FindTaskRow(r) }), err
}

func asTasks[T any](found []T, as func(T) db.FindTaskRow) (rows []db.FindTaskRow) {
	for _, r := range found {
		rows = append(rows, as(r))
	}
	return rows
}

// Task finds one.
func (r *Reader) Task(ctx context.Context, id string) (t TaskRow, err error) {
	if !isID(id) {
		return TaskRow{}, fmt.Errorf("find a task: %w", ErrNotFound)
	}
	err = r.read(ctx, func(q *db.Queries) error {
		row, err := q.FindTask(ctx, db.FindTaskParams{ID: id, Every: r.within.every, AccountIds: r.within.list()})
		t = taskRow(row)
		return found(err)
	})
	if err != nil {
		return TaskRow{}, fmt.Errorf("find task %s: %w", id, err)
	}
	return t, nil
}

func taskRow(r db.FindTaskRow) TaskRow {
	return TaskRow{ID: r.ID, AccountID: r.AccountID, ConversationID: r.ConversationID, Automation: r.Automation,
		Task:  tasks.Task{Title: r.Title, Description: r.Description, Priority: tasks.Priority(r.Priority), Assignee: r.Assignee, DueAt: zeroOr(r.DueAt)},
		State: tasks.State(r.State), Version: int(r.Version), ChangedBy: r.ChangedBy, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
		CustomerName: r.CustomerName, CustomerNumber: r.CustomerNumber, Event: r.Event}
}

// cursor is where the task stands in its list, as task_order has it.
func (t TaskRow) cursor() string {
	place := t.UpdatedAt
	if !t.State.Finished() {
		if place = t.DueAt; place.IsZero() {
			place = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
		}
	}
	return strconv.FormatInt(place.UnixMicro(), 10) + "." + t.ID
}

// taskCursor is where a page begins: after the task that ended the page before, or at an end of the list.
func taskCursor(after string, down bool) (at time.Time, id string, err error) {
	switch {
	case after == "" && down:
		return farthest(), uuid.Max.String(), nil
	case after == "":
		return time.Unix(0, 0), uuid.Nil.String(), nil
	}
	micros, id, _ := strings.Cut(after, ".")
	n, err := strconv.ParseInt(micros, 10, 64)
	if err != nil || !isID(id) || n < 0 || n > farthest().UnixMicro() {
		return time.Time{}, "", fmt.Errorf("the cursor is not one of ours: %w", ErrNotFound)
	}
	return time.UnixMicro(n).UTC(), id, nil
}

// TaskChange is what somebody does with a task.
type TaskChange struct {
	Version  int            // as they saw it
	State    tasks.State    // "" leaves it
	Priority tasks.Priority // "" leaves it
	Assignee *string        // nil leaves it
}

// detail is what the log tells of a change. An assignee may be an address, which it does not hold.
func (c TaskChange) detail() map[string]string {
	told := map[string]string{}
	if c.State != "" {
		told["state"] = string(c.State)
	}
	if c.Priority != "" {
		told["priority"] = string(c.Priority)
	}
	if c.Assignee != nil {
		switch kind, _, _ := strings.Cut(*c.Assignee, ":"); kind {
		case "":
			told["assignee"] = "nobody"
		case "person", "group":
			told["assignee"] = *c.Assignee
		default:
			told["assignee"] = "an address"
		}
	}
	return told
}

// AddTask writes a task about a call that no automation wrote, and gives its id. ErrNotFound if there is no such call.
func (s *Store) AddTask(ctx context.Context, by Actor, accountID, conversationID string, t tasks.Task) (id string, err error) {
	if !isID(conversationID) {
		return "", fmt.Errorf("add a task: %w", ErrNotFound)
	}
	id = newID()
	act := Act{AccountID: accountID, By: by, What: ActTaskAdded, Target: id, Detail: map[string]string{"conversation": conversationID}}
	err = s.change(ctx, act, func(q *db.Queries) error {
		locked, err := q.LockConversation(ctx, db.LockConversationParams{ID: conversationID, AccountID: accountID})
		if err == nil && len(locked) == 0 {
			err = ErrNotFound
		}
		if err != nil {
			return err
		}
		p := db.InsertOwnTaskParams{ID: id, AccountID: accountID, ConversationID: conversationID, Title: clean(t.Title), Description: clean(t.Description),
			Priority: string(t.Priority), Assignee: clean(t.Assignee), ChangedBy: clean(by.Name)}
		if !t.DueAt.IsZero() {
			p.DueAt = &t.DueAt
		}
		return q.InsertOwnTask(ctx, p)
	})
	if err != nil {
		return "", fmt.Errorf("add a task to conversation %s: %w", conversationID, err)
	}
	return id, nil
}

// SetTask changes a task, if it is still as whoever changes it saw it: ErrTaskChanged.
func (s *Store) SetTask(ctx context.Context, by Actor, accountID, id string, c TaskChange) error {
	act := Act{AccountID: accountID, By: by, What: ActTaskChanged, Target: id, Detail: c.detail()}
	err := s.change(ctx, act, func(q *db.Queries) error {
		p := db.SetTaskParams{ID: id, AccountID: accountID, Version: int32(c.Version), State: string(c.State), Priority: string(c.Priority),
			ChangedBy: clean(by.Name)}
		if c.Assignee != nil {
			p.Assigns, p.Assignee = true, clean(*c.Assignee)
		}
		n, err := q.SetTask(ctx, p)
		if err == nil && n == 0 {
			err = ErrTaskChanged
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("change task %s: %w", id, err)
	}
	return nil
}
