package dashboard

import (
	"fmt"
	"time"

	"aftercall/internal/store"
	"aftercall/ops"
	"aftercall/people"
	"aftercall/tasks"
)

// The pages of tasks and alerts show what a story left behind, so their fixtures are made of a story.

func fixtureTasks(s store.Story) (rows []store.TaskRow) {
	for _, t := range s.Tasks {
		row := store.TaskRow{ID: t.ID, AccountID: s.AccountID, ConversationID: s.AccountID, Automation: t.Automation, Task: t.Task.Task, State: t.State,
			Version: 1, ChangedBy: t.Title, CreatedAt: began, UpdatedAt: began}
		if c := s.Conversation; c != nil {
			row.ConversationID, row.CustomerName, row.CustomerNumber = c.ID, c.Customer.Name, c.Customer.Number
		}
		rows = append(rows, row)
		row.State, row.DueAt, row.ID = tasks.Done, time.Time{}, row.ID+"b"
		rows = append(rows, row)
	}
	return rows
}

func fixtureAlerts(s store.Story) (rows []store.InboxAlert) {
	for i, d := range s.Deliveries {
		rows = append(rows, store.InboxAlert{Read: i%2 == 1, Alert: store.Alert{ID: d.ID, AccountID: s.AccountID, ConversationID: d.ID, Automation: d.Automation,
			Audience: d.Recipient, Text: d.Content.Text, CreatedAt: began}})
	}
	return rows
}

// fixtureReviews are the decisions that are unsure, and those with a message held.
func fixtureReviews(s store.Story) (rows []store.ToReview) {
	for _, d := range s.Decisions {
		v := store.ToReview{AccountID: s.AccountID, ConversationID: s.RevisionID, RevisionID: s.RevisionID, Run: d.Run, Decision: d.Decision, Unsure: d.Review,
			DecidedAt: d.DecidedAt, CustomerName: s.Digest, CustomerNumber: s.Digest, AgentName: s.Digest, StartedAt: began}
		for _, x := range s.Deliveries {
			if x.Automation == d.Automation && x.State == store.Held {
				v.Held = append(v.Held, x)
			}
		}
		rows = append(rows, v)
	}
	return append(rows, store.ToReview{})
}

// reviewPages lays out what waits for a person and what can be done about it.
func reviewPages(s store.Story, n names) map[string]answer {
	rows := fixtureReviews(s)
	list := reviewList(s.Digest, s.AccountID, rows, s.Digest, people.Machine(), true, func(string) names { return n })
	list.Older = address("/review", "before", s.Digest)
	page := func(template string, view any) answer {
		return answer{Template: template, Title: "Review", Section: "review", View: view}
	}
	l := ledger{names: n, zone: n.zone()}
	sure := confirmPage{reviewCard: reviewCardOf(rows[0], n, true, true), Title: "Approve and send", Action: "/review", Back: "/review", Goes: "1 message goes out", Button: "Send"}
	for _, d := range s.Deliveries {
		sure.Sends = append(sure.Sends, sendViewOf(l, d.Delivery, d.Address))
	}
	give := sure
	for i, told := range s.Values {
		v := told.Is
		sure.Fields = append(sure.Fields, fact{v.Name, v.Value})
		needed := ops.Needed{Name: v.Name, Type: v.Type, Ask: v.Raw, Value: v.Value, Problem: v.Problem, Required: true}
		if i%2 == 0 {
			needed.Options = []string{v.Value, v.Raw}
		}
		f := neededViewOf(needed, v.Raw)
		f.ID += fmt.Sprint(i)
		give.Needed = append(give.Needed, f)
	}
	give.Refused = s.Digest
	pages := map[string]answer{"review": page("review", list), "no reviews": page("review", reviewList("", "", nil, "", people.Machine(), true, nil)),
		"confirm": page("review_confirm", sure), "give a value": page("review_confirm", give)}
	if len(s.Decisions) > 0 {
		x := s.Decisions[0]
		x.Mark = &store.Marked{Wrong: true, By: s.Digest}
		c := caseOf(s, x, n, s.Digest)
		c.Mark = "/review"
		pages["case"] = page("review_case", c)
	}
	return pages
}

// deskPages lays out the pages on which people work.
func deskPages(s store.Story, n names) map[string]answer {
	of, who, now := func(string) names { return n }, people.Machine(), began.Add(time.Hour)
	asked := taskQuery{account: s.AccountID, assignee: s.Digest, priority: s.Digest}
	list := newTasksPage(asked, []store.Account{{ID: s.AccountID}}, of)
	board := newTasksPage(taskQuery{view: "board"}, nil, of)
	var one answer
	for _, row := range append(fixtureTasks(s), store.TaskRow{}) {
		card := taskCardOf(row, n, who, now, s.Digest)
		list.Columns = append(list.Columns, taskColumn{Title: "To do", Anchor: anchor("column", row.ID), Cards: []taskCard{card}})
		board.Columns = append(board.Columns, taskColumn{Title: "Open", Anchor: anchor("column", row.ID), Cards: []taskCard{card}, More: "/tasks"}, taskColumn{Title: "Done", Anchor: anchor("empty", row.ID)})
		acts := []store.Act{{By: store.Actor{Name: s.Digest}, What: store.ActTaskChanged, At: began, Detail: map[string]string{"state": s.Digest, "assignee": s.Digest, "priority": s.Digest}}}
		if one.Template == "" {
			one = answer{Template: "task", Title: "Task", Section: "tasks", View: taskPageOf(row, acts, n, who, now)}
		}
	}
	list.Older = asked.path(func(q *taskQuery) { q.after = s.Digest })
	alerts := alertList(s.AccountID, showOthers, true, fixtureAlerts(s), s.Digest, of)
	alerts.Push = pushView{Key: s.Digest, Worker: pushWorkerPath, Browsers: 2, Textless: true}
	alerts.Older = address("/alerts", "before", s.Digest)
	return map[string]answer{
		"tasks":     {Template: "tasks", Title: "Tasks", Section: "tasks", View: list},
		"board":     {Template: "tasks", Title: "Tasks", Section: "tasks", View: board},
		"task":      one,
		"alerts":    {Template: "alerts", Title: "Team alerts", Section: "alerts", View: alerts},
		"no alerts": {Template: "alerts", Title: "Team alerts", Section: "alerts", View: alertList("", showUnread, false, nil, "", of)},
	}
}
