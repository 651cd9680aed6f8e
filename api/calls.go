package api

import (
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"aftercall/internal/store"
	"aftercall/ops"
)

// usualWindow is how far back a list of what grows looks where nobody says.
const usualWindow = 24 * time.Hour

// since is how far back a list looks.
func (x *exchange) since(searched bool) time.Time {
	since := x.moment("since")
	if since.IsZero() && !searched {
		since = x.api.now().Add(-usualWindow)
	}
	return since.UTC()
}

// cursor is where a page begins, of a list by id.
func (x *exchange) cursor() (string, error) {
	before := x.query.Get("before")
	if before == "" {
		return "", nil
	}
	if _, err := uuid.Parse(before); err != nil {
		return "", lost("before")
	}
	return before, nil
}

// lost is the answer to a cursor that is none of ours.
func lost(name string) error {
	return invalid(fault{"?" + name, "It is the next of the page before, as it was given."})
}

// call finds the call in the path.
func (x *exchange) call() (id string, err error) {
	_, id, err = x.reader().FindConversation(x.Context(), x.account(), x.PathValue("id"))
	return id, err
}

func (x *exchange) story() (store.Story, error) {
	id, err := x.call()
	if err != nil {
		return store.Story{}, err
	}
	return x.reader().Story(x.Context(), x.account(), id)
}

func listCalls(x *exchange) (any, error) {
	before, err := x.cursor()
	if err != nil {
		return nil, err
	}
	in := x.query
	q := store.ConversationQuery{AccountID: x.account(), Search: in.Get("search"), Regions: x.api.regions(x.account()), Automation: in.Get("automation"),
		Outcome: store.ConversationOutcome(in.Get("outcome")), State: store.ConversationState(in.Get("state")), Agent: in.Get("agent"), Channel: in.Get("channel"),
		Since: x.since(in.Get("search") != ""), Until: x.moment("until"), Before: before, Limit: x.number("limit")}
	rows, next, err := x.reader().Conversations(x.Context(), q)
	if err != nil {
		return nil, err
	}
	p := callPage{Items: make([]call, len(rows)), Next: next, Since: q.Since}
	for i, r := range rows {
		p.Items[i] = callOf(r)
	}
	return p, nil
}

// regions are where a number without its country may be from.
func (a *API) regions(account string) []string {
	if rev, ok := a.revisions.Active(account); ok && rev.Directory.Region != "" {
		return []string{rev.Directory.Region}
	}
	return nil
}

func callOf(r store.ConversationRow) call {
	o := r.Outcomes
	return call{ID: r.ID, ExternalID: r.ExternalID, State: r.State, Agent: r.AgentName, Channel: r.Channel, Direction: r.Direction, Status: r.Status,
		CustomerName: r.CustomerName, CustomerNumber: r.CustomerNumber, StartedAt: r.StartedAt, AcceptedAt: r.AcceptedAt, Seconds: int(r.Duration.Seconds()),
		Fired: r.Fired, Unsure: r.Unsure, Test: r.Test, Simulated: r.Simulated,
		Deliveries: outcomes{Sent: o.Sent, Captured: o.Captured, Tasks: o.Tasks, Alerts: o.Alerts, Open: o.Open, Held: o.Held, Failed: o.Failed, Unknown: o.Unknown}}
}

func oneCall(x *exchange) (any, error) {
	s, err := x.story()
	if err != nil {
		return nil, err
	}
	c := callStory{ID: s.Conversation.ID, State: s.State, RevisionID: s.RevisionID, AcceptedAt: s.AcceptedAt, DecidedAt: s.DecidedAt, Summary: s.Summary,
		Simulated: s.Simulated, Conversation: s.Conversation, Decisions: decisionsOf(s), Values: []value{}, Deliveries: []delivery{}, Tasks: []storyTask{},
		Runs: []run{}, Cut: s.Cut}
	for _, v := range s.Values {
		c.Values = append(c.Values, value{Run: v.Run, Name: v.Is.Name, Type: string(v.Is.Type), Status: string(v.Is.Status), Value: v.Is.Value, Problem: v.Is.Problem})
	}
	for _, d := range s.Deliveries {
		c.Deliveries = append(c.Deliveries, deliveryOfStory(c.ID, d))
	}
	for _, t := range s.Tasks {
		c.Tasks = append(c.Tasks, storyTask{Run: t.Run, ID: t.ID, Automation: t.Automation, Title: t.Title, Priority: t.Priority, Assignee: t.Assignee,
			DueAt: t.DueAt, State: t.State})
	}
	for _, r := range s.Runs {
		c.Runs = append(c.Runs, run{Run: r.Run, Cause: r.Cause, OfRun: r.OfRun, Automation: r.Automation, Sandbox: r.Sandbox, RevisionID: r.RevisionID,
			State: r.State, Problem: r.Problem, By: r.By, AskedAt: r.AskedAt, DoneAt: r.DoneAt})
	}
	return c, nil
}

func callDecisions(x *exchange) (any, error) {
	s, err := x.story()
	if err != nil {
		return nil, err
	}
	return decisionList{Items: decisionsOf(s)}, nil
}

func decisionsOf(s store.Story) []decision {
	all := []decision{}
	for _, d := range s.Decisions {
		one := decisionOf(d.Run, d.Decision, d.DecidedAt)
		if d.Settled != nil {
			one.Settled = &settled{As: d.Settled.As, Run: d.Settled.Run, By: d.Settled.By, At: d.Settled.At}
		}
		if d.Mark != nil {
			one.Mark = &marked{Wrong: d.Mark.Wrong, Note: d.Mark.Note, By: d.Mark.By, At: d.Mark.At}
		}
		all = append(all, one)
	}
	return all
}

// replayed reads what is wished of a replay.
func (x *exchange) replayed() (id string, wish replayWish, err error) {
	if err = x.decode(&wish); err != nil {
		return "", wish, err
	}
	if wish.Revision != ops.Same && wish.Revision != ops.Active {
		return "", wish, invalid(fault{"/revision", "It is same or active."})
	}
	id, err = x.call()
	return id, wish, err
}

func replay(x *exchange) (any, error) {
	id, wish, err := x.replayed()
	if err != nil {
		return nil, err
	}
	n, err := x.api.ops.Replay(x.Context(), x.by, x.account(), id, wish.Revision, wish.Sandbox)
	return runMade{ConversationID: id, Run: n}, err
}

func cancelCall(x *exchange) (any, error) {
	id, err := x.call()
	if err != nil {
		return nil, err
	}
	cancelled, more, err := x.api.ops.CancelCall(x.Context(), x.by, x.account(), id)
	return callCancelled{ConversationID: id, Cancelled: len(cancelled), More: more}, err
}

func rehearse(x *exchange) (any, error) {
	id, wish, err := x.replayed()
	if err != nil {
		return nil, err
	}
	p, err := x.api.ops.Rehearse(x.Context(), x.account(), id, wish.Revision, wish.Sandbox)
	if err != nil {
		return nil, err
	}
	return rehearsalOf(p), nil
}

// decided is the decision in the path.
func (x *exchange) decided() (id string, run int, automation string, err error) {
	if run, err = strconv.Atoi(x.PathValue("run")); err != nil || run < 1 || run > 1<<30 {
		return "", 0, "", fmt.Errorf("read the number of a run: %w", store.ErrNotFound)
	}
	id, err = x.call()
	return id, run, x.PathValue("automation"), err
}

func approve(x *exchange) (any, error) {
	id, run, automation, err := x.decided()
	if err != nil {
		return nil, err
	}
	n, err := x.api.ops.Approve(x.Context(), x.by, x.account(), id, run, automation)
	return runMade{ConversationID: id, Run: n}, err
}

// fixed is the decision in the path, with the values in the body.
func (x *exchange) fixed() (id string, run int, automation string, wish fixWish, err error) {
	if err = x.decode(&wish); err == nil {
		id, run, automation, err = x.decided()
	}
	return id, run, automation, wish, err
}

func fix(x *exchange) (any, error) {
	id, run, automation, wish, err := x.fixed()
	if err != nil {
		return nil, err
	}
	n, err := x.api.ops.Fix(x.Context(), x.by, x.account(), id, run, automation, wish.Values)
	return runMade{ConversationID: id, Run: n}, err
}

func dismiss(x *exchange) (any, error) {
	id, run, automation, err := x.decided()
	if err != nil {
		return nil, err
	}
	return done{true}, x.api.ops.Dismiss(x.Context(), x.by, x.account(), id, run, automation)
}

func mark(x *exchange) (any, error) {
	var wish markWish
	if err := x.decode(&wish); err != nil {
		return nil, err
	}
	id, run, automation, err := x.decided()
	if err != nil {
		return nil, err
	}
	return done{true}, x.api.ops.Mark(x.Context(), x.by, x.account(), id, run, automation, wish.Wrong, wish.Note)
}

func reviewKinds() []string { return []string{"unsure", "held", "suspicious"} }

func listReviews(x *exchange) (any, error) {
	before, err := x.cursor()
	if err != nil {
		return nil, err
	}
	kind := x.query.Get("kind")
	rows, next, err := x.reader().Reviews(x.Context(), store.ReviewQuery{AccountID: x.account(), Unsure: kind == "" || kind == "unsure",
		Held: kind == "" || kind == "held", Suspicious: kind == "suspicious", Before: before, Limit: x.number("limit")})
	if err != nil {
		return nil, err
	}
	p := reviewPage{Items: make([]review, len(rows)), Next: next}
	for i, r := range rows {
		p.Items[i] = review{ConversationID: r.ConversationID, Decision: decisionOf(r.Run, r.Decision, r.DecidedAt), Unsure: r.Unsure, Held: []delivery{},
			CustomerName: r.CustomerName, CustomerNumber: r.CustomerNumber, StartedAt: r.StartedAt}
		for _, d := range r.Held {
			p.Items[i].Held = append(p.Items[i].Held, deliveryOfStory(r.ConversationID, d))
		}
	}
	return p, nil
}
