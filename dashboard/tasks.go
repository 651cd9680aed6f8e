package dashboard

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"aftercall/internal/store"
	"aftercall/people"
	"aftercall/tasks"
)

// How many tasks a page, and a column of the board, has.
const (
	taskLimit  = 50
	boardLimit = 20
)

// tasksPage is the view of tasks.html.
type tasksPage struct {
	Tabs       []tab
	Filter     taskFilter
	Everywhere string // the same list without the account, if it has one
	Plain      string // the list without filters, if it has any
	Columns    []taskColumn
	Board      bool
	Paged      bool
	Newest     string // the first page
	Older      string // the next page
	Empty      string // what to say of a list without tasks
}

// taskColumn is one list of tasks, alone or beside others.
type taskColumn struct {
	Title, Anchor string
	Cards         []taskCard
	More          string // where the rest of it is, if it has more
}

// taskFilter is the form above the list, as it was sent.
type taskFilter struct {
	State, View, Account string
	Priorities           []option
	Due                  []option
	Assignees            []option
}

// option is one choice of a field.
type option struct {
	Value, Label string
	Chosen       bool
}

// taskCard is one task in a list.
type taskCard struct {
	ID, Path, Title      string
	Account, Automation  string
	Customer, Call       string
	Priority, State, Due badge
	DueAt, Changed       moment
	Assignee, ChangedBy  string
	Version              int
	Moves                []move // what the reader may do with it here
	Take                 string // the key under which the reader takes it; "" if they cannot, or have it
	Back                 string
}

// move is a state that a task can go to, as a button says it.
type move struct{ To, Label string }

// tasks is GET /tasks: what is to be done, the soonest due first; what is finished; or the board of both. The address holds
// the whole state: view, state, priority, assignee, due, account and after.
func (d *Dashboard) tasks(r *http.Request) (answer, error) {
	asked := tasksAsked(r.URL.Query())
	view, err := d.tasksPage(r, asked)
	if err != nil {
		return answer{}, err
	}
	return answer{Template: "tasks", Title: "Tasks", Section: "tasks", View: view}, nil
}

// taskQuery is what the address of the list asks for.
type taskQuery struct{ view, state, priority, assignee, due, account, after string }

func tasksAsked(in url.Values) taskQuery {
	return taskQuery{view: in.Get("view"), state: in.Get("state"), priority: in.Get("priority"), assignee: in.Get("assignee"), due: in.Get("due"),
		account: in.Get("account"), after: in.Get("after")}
}

// path is the address of the list with some of it changed.
func (q taskQuery) path(change ...func(*taskQuery)) string {
	q.after = ""
	for _, f := range change {
		f(&q)
	}
	return address("/tasks", "view", q.view, "state", q.state, "priority", q.priority, "assignee", q.assignee, "due", q.due, "account", q.account, "after", q.after)
}

func (q taskQuery) filtered() bool { return q.priority+q.assignee+q.due != "" }

// me and nobody stand for keys in the address of a list.
const (
	me     = "me"
	nobody = "nobody"
)

// query is what the store is asked for, but for states.
func (q taskQuery) query(who people.Person, keys []string, now time.Time) store.TaskQuery {
	s := store.TaskQuery{AccountID: q.account, After: q.after, Limit: taskLimit}
	if p, ok := tasks.ParsePriority(q.priority); ok {
		s.Priorities = []tasks.Priority{p}
	}
	switch q.assignee {
	case "":
	case me:
		s.Assignees = append([]string{}, keys...)
	case nobody:
		s.Assignees = []string{""}
	default:
		s.Assignees = []string{q.assignee}
	}
	if q.due == "overdue" {
		s.DueBefore = now
	}
	return s
}

func (d *Dashboard) tasksPage(r *http.Request, asked taskQuery) (tasksPage, error) {
	of := knownNames(d.accountNames)
	reader, who := d.reader(r, people.Look), people.Of(r.Context())
	accounts, err := reader.Accounts(r.Context(), asked.account)
	if err != nil {
		return tasksPage{}, fmt.Errorf("list tasks: %w", err)
	}
	var keys []string
	for _, a := range accounts {
		keys = append(keys, keysOf(of(a.ID).rev, who.Name)...)
	}
	slices.Sort(keys)
	base := asked.query(who, slices.Compact(keys), d.now())
	p := newTasksPage(asked, accounts, of)
	for _, want := range shownColumns(asked) {
		q := base
		q.Finished, q.States, q.Limit = want.finished, want.states, want.limit
		rows, next, err := reader.Tasks(r.Context(), q)
		if err != nil {
			return tasksPage{}, fmt.Errorf("list tasks: %w", err)
		}
		maskTasks(rows, who)
		c := taskColumn{Title: want.title, Anchor: anchor("column", want.state)}
		for _, row := range rows {
			c.Cards = append(c.Cards, taskCardOf(row, of(row.AccountID), who, d.now(), r.URL.RequestURI()))
		}
		if next != "" && p.Board {
			c.More = asked.path(func(q *taskQuery) { q.view, q.state = "", want.state })
		} else if next != "" {
			p.Older = asked.path(func(q *taskQuery) { q.after = next })
		}
		p.Columns = append(p.Columns, c)
	}
	return p, nil
}

// wantedColumn is a list that the page shows.
type wantedColumn struct {
	state, title string
	states       []tasks.State
	finished     bool
	limit        int
}

func shownColumns(asked taskQuery) []wantedColumn {
	if asked.view == "board" {
		var all []wantedColumn
		for _, s := range tasks.States() {
			all = append(all, wantedColumn{string(s), stateTitle(s), []tasks.State{s}, s.Finished(), boardLimit})
		}
		return all
	}
	one := wantedColumn{state: asked.state, title: "To do", limit: taskLimit}
	for _, s := range tasks.States() {
		if asked.state == string(s) {
			one = wantedColumn{asked.state, stateTitle(s), []tasks.State{s}, s.Finished(), taskLimit}
		}
	}
	return []wantedColumn{one}
}

func stateTitle(s tasks.State) string {
	switch s {
	case tasks.Open:
		return "Open"
	case tasks.InProgress:
		return "In progress"
	case tasks.Done:
		return "Done"
	}
	return "Dismissed"
}

func newTasksPage(asked taskQuery, accounts []store.Account, of func(string) names) tasksPage {
	p := tasksPage{Board: asked.view == "board", Paged: asked.after != "", Newest: asked.path(), Empty: "Nothing is to be done here"}
	for _, t := range []struct{ label, view, state string }{
		{"To do", "", ""}, {"Open", "", "open"}, {"In progress", "", "in_progress"}, {"Done", "", "done"}, {"Dismissed", "", "dismissed"}, {"Board", "board", ""},
	} {
		current := asked.view == t.view && (asked.state == t.state || t.view != "")
		p.Tabs = append(p.Tabs, tab{t.label, asked.path(func(q *taskQuery) { q.view, q.state = t.view, t.state }), current})
	}
	if asked.account != "" {
		p.Everywhere = asked.path(func(q *taskQuery) { q.account = "" })
	}
	if asked.filtered() {
		p.Empty = "Nothing fits"
		p.Plain = asked.path(func(q *taskQuery) { q.priority, q.assignee, q.due = "", "", "" })
	} else if asked.state == "done" || asked.state == "dismissed" {
		p.Empty = "Nothing stands here"
	}
	p.Filter = taskFilter{State: asked.state, View: asked.view, Account: asked.account, Assignees: assignees(asked.assignee, accounts, of),
		Due: []option{{"", "Whenever", asked.due == ""}, {"overdue", "Overdue", asked.due == "overdue"}}}
	p.Filter.Priorities = []option{{"", "Any", asked.priority == ""}}
	for _, pr := range tasks.Priorities() {
		p.Filter.Priorities = append(p.Filter.Priorities, option{string(pr), string(pr), asked.priority == string(pr)})
	}
	return p
}

// mostAssignees bounds the choice of whom to look for.
const mostAssignees = 200

// assignees are whom tasks can be looked for: the reader, nobody, and who stands in the accounts' configs.
func assignees(chosen string, accounts []store.Account, of func(string) names) []option {
	all := []option{{"", "Anybody", chosen == ""}, {me, "Me", chosen == me}, {nobody, "Nobody yet", chosen == nobody}}
	known := map[string]string{}
	for _, a := range accounts {
		for _, o := range directory(of(a.ID)) {
			known[o.Value] = o.Label
		}
	}
	if _, ok := known[chosen]; !ok && chosen != "" && chosen != me && chosen != nobody {
		known[chosen] = recipientWord(chosen)
	}
	var more []option
	for key, label := range known {
		more = append(more, option{key, label, key == chosen})
	}
	sortOptions(more)
	return append(all, more[:min(len(more), mostAssignees)]...)
}

// directory is everybody in an account's config that a task can be for.
func directory(n names) (all []option) {
	if n.rev == nil {
		return nil
	}
	for key := range n.rev.Directory.People {
		all = append(all, option{Value: "person:" + key, Label: n.assignee("person:" + key)})
	}
	for key := range n.rev.Directory.Groups {
		all = append(all, option{Value: "group:" + key, Label: "Group " + key})
	}
	sortOptions(all)
	return all
}

func sortOptions(all []option) {
	slices.SortFunc(all, func(a, b option) int { return strings.Compare(a.Label+a.Value, b.Label+b.Value) })
}

// maskTasks masks those rows whose accounts the reader may not see in full.
func maskTasks(rows []store.TaskRow, who people.Person) {
	for i := range rows {
		t := &rows[i]
		if !who.May(people.Addresses, t.AccountID) {
			maskTexts(&t.Title, &t.Description, &t.Assignee, &t.CustomerName)
			maskWhole(&t.CustomerNumber)
		}
	}
}

func taskCardOf(t store.TaskRow, n names, who people.Person, now time.Time, back string) taskCard {
	name, _ := n.automation(t.Automation)
	c := taskCard{
		ID: t.ID, Path: "/tasks/" + url.PathEscape(t.ID), Title: or(t.Title, "Task without a title"), Account: n.account(t.AccountID), Automation: name,
		Customer: or(t.CustomerName, or(t.CustomerNumber, or(t.Event, "Unknown caller"))), Call: conversationPath(t.ConversationID),
		Priority: priorityBadge(t.Priority), State: taskBadge(t.State), Due: dueBadge(t, now), DueAt: shortly(t.DueAt, n.zone()), Changed: shortly(t.UpdatedAt, n.zone()),
		Assignee: n.assignee(t.Assignee), ChangedBy: t.ChangedBy, Version: t.Version, Back: back,
	}
	if !who.May(people.Operate, t.AccountID) {
		return c
	}
	for _, to := range t.State.Next() {
		c.Moves = append(c.Moves, move{string(to), moveLabel(t.State, to)})
	}
	if keys := keysOf(n.rev, who.Name); len(keys) > 0 && !t.State.Finished() && !slices.Contains(keys, t.Assignee) {
		c.Take = keys[0]
	}
	return c
}

func moveLabel(from, to tasks.State) string {
	switch {
	case to == tasks.InProgress:
		return "Start"
	case to == tasks.Done:
		return "Done"
	case to == tasks.Dismissed:
		return "Dismiss"
	case from == tasks.InProgress:
		return "Put back"
	}
	return "Open again"
}

func priorityBadge(p tasks.Priority) badge {
	switch p {
	case tasks.Urgent:
		return badge{"urgent", "up", "bad"}
	case tasks.High:
		return badge{"high", "up", "warn"}
	case tasks.Low:
		return badge{"low", "down", "quiet"}
	}
	return badge{string(p), "dash", "quiet"}
}

func taskBadge(s tasks.State) badge {
	switch s {
	case tasks.Done:
		return badge{"done", "check", "good"}
	case tasks.InProgress:
		return badge{"in progress", "again", "info"}
	case tasks.Dismissed:
		return badge{"dismissed", "dash", "quiet"}
	}
	return badge{"open", "clock", "info"}
}

// dueBadge says how a task stands to its time, in words.
func dueBadge(t store.TaskRow, now time.Time) badge {
	left := t.DueAt.Sub(now)
	switch {
	case t.State.Finished() || t.DueAt.IsZero():
		return badge{}
	case left < 0:
		return badge{"overdue by " + span(-left), "clock", "bad"}
	case left < 2*time.Hour:
		return badge{"due in " + span(left), "clock", "warn"}
	}
	return badge{"due in " + span(left), "clock", "quiet"}
}
