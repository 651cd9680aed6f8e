package worker

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"aftercall/automation"
	"aftercall/conversation"
	"aftercall/deliver"
	"aftercall/deliver/cti"
	"aftercall/internal/store"
	"aftercall/interview"
	"aftercall/reason"
	"aftercall/recipients"
	"aftercall/tasks"
	"aftercall/templates"
	"aftercall/triggers"
	"aftercall/variables"
)

type contactRecord = recipients.ContactRecord

// Keys of deliveries that go to nobody in particular.
const (
	nobody   = "-"        // nobody was left to send to, or nothing was to be sent
	together = "together" // one message to several
)

// planner is what the planning of one conversation needs. It computes; it reads and writes nothing.
type planner struct {
	conv    *conversation.Conversation
	rev     *automation.Revision
	now     time.Time
	values  map[string]any // system and dyn_ values by name
	missing templates.Options
	said    interview.Said
	sandbox bool
	suspect func() (turn int) // see triggers.Suspicious
	plan    *store.Plan
}

// plan checks the stated values and lays out everything the decisions lead to.
func (m *matter) plan(decisions []triggers.Decision, said interview.Said, now time.Time) *store.Plan {
	return m.lay(decisions, said, variables.Resolve(declared(m.rev, decisions), said, m.conv, m.limits()), now)
}

// lay lays out what the decisions lead to with these values: deliveries, held ones and skipped ones included, and tasks.
func (m *matter) lay(decisions []triggers.Decision, said interview.Said, values []variables.Value, now time.Time) *store.Plan {
	c, rev := m.conv, m.rev
	p := planner{
		conv: c, rev: rev, now: now, said: said, sandbox: m.sandbox, suspect: m.suspect(),
		values:  data(c, rev, m.loc, said.Summary, values),
		missing: missing(rev),
		plan: &store.Plan{
			AccountID: c.AccountID, ConversationID: c.ID, RevisionID: rev.ID, State: store.StateDecided,
			Decisions: append(m.stopped, decisions...), Actions: map[string]int{}, Values: values,
			Summary: said.Summary, Simulated: said.Simulated,
			AddressOf: func(key, channel string) string {
				a, _ := rev.Directory.Address(key, channel, Contact(c))
				return a.Address
			},
		},
	}
	for _, a := range rev.Automations {
		p.plan.Automations = append(p.plan.Automations, a.ID)
	}
	for _, a := range firing(rev, decisions) {
		p.plan.Actions[a.ID] = len(a.Actions)
		for i := range a.Actions {
			p.action(a, &a.Actions[i], m.loc)
		}
	}
	return p.plan
}

// data joins system and stated values by name.
func data(c *conversation.Conversation, rev *automation.Revision, loc *time.Location, summary string, values []variables.Value) map[string]any {
	m := variables.System(c, variables.Context{AccountName: rev.Name, Location: loc, Summary: summary})
	for _, v := range values {
		if v.Present() {
			m[v.Name] = v.Value
		}
	}
	return m
}

// missing is what is printed for values that are not there.
func missing(rev *automation.Revision) templates.Options {
	o := templates.Options{Missing: rev.Missing, MissingFor: map[string]string{}}
	for name, d := range rev.Declarations {
		if d.Missing != "" {
			o.MissingFor[name] = d.Missing
		}
	}
	return o
}

// action plans one action: a reason why nothing goes out, or a delivery per recipient, or a task.
func (p *planner) action(a *automation.Automation, act *automation.Action, loc *time.Location) {
	if act.If != nil && !act.If.Eval(p.values) {
		p.skip(a, act, reason.ConditionFalse, "")
		return
	}
	content, gaps, err := p.render(act)
	if err != nil {
		// The guard makes this a bug of ours; the text of the error could quote the call, so only the fact is kept.
		p.add(a, act, store.Delivery{Recipient: nobody, State: store.Failed, Reason: reason.RenderFailed})
		return
	}
	base := store.Delivery{
		State: store.Planned, Content: content, Test: p.sandbox || p.conv.Channel == conversation.ChannelTest && !a.SendTests,
	}
	timed(&base, act, p.conv, p.now, loc)
	if names := p.absent(a.Require); len(names) > 0 {
		base.State, base.Reason, base.Detail = store.Held, reason.RequiredVariableMissing, "not stated: "+strings.Join(names, ", ")
	}
	if act.Channel == deliver.SMS && base.State == store.Planned {
		if n := deliver.SegmentsOf(content.Text).Count; n > deliver.MostSegments {
			base.State, base.Reason, base.Detail = store.Held, reason.TextTooLong, fmt.Sprintf("%d pieces; a text may have %d", n, deliver.MostSegments)
		}
	}
	if act.Channel == deliver.Task {
		p.task(a, act, base)
		return
	}
	for _, d := range p.address(a, act, base) {
		if d.State == store.Planned && d.EndOf == "" && act.Send.Theirs {
			onTheirClocks(&d, p.rev, act, p.conv, p.now, loc)
		}
		if d.State == store.Planned && d.Customer && len(gaps) > 0 {
			d.State, d.Reason, d.Detail = store.Held, reason.VariableMissingForCustomer, "not stated: "+strings.Join(gaps, ", ")
		}
		if d.State == store.Planned && d.Customer && heeds(a) {
			if turn := p.suspect(); turn > 0 {
				d.State, d.Reason, d.Detail = store.Held, reason.Suspicious, fmt.Sprintf("said in turn %d", turn)
			}
		}
		p.add(a, act, d)
	}
}

// heeds reports whether what was said decides that an automation fires, or stands in its texts as the model read it. What only repeats
// the transcript, or says the same to everybody, cannot be talked into anything.
func heeds(a *automation.Automation) bool {
	return !a.Trigger.Always || a.Trigger.NeedsValues || a.Summary
}

// absent lists the required names without a value.
func (p *planner) absent(names []string) (absent []string) {
	for _, n := range names {
		if v, ok := p.values[n]; !ok || v == "" {
			absent = append(absent, n)
		}
	}
	return absent
}

// render fills in every text of an action. gaps are the names that would have printed without a value.
func (p *planner) render(act *automation.Action) (c store.Content, gaps []string, err error) {
	c = store.Content{From: p.rev.Sender(p.conv.Source), Fields: map[string]string{}}
	if act.Channel == deliver.SMS {
		c.From = deliver.Address{Address: p.rev.FromNumber}
	}
	if act.Subject != nil {
		r, err := act.Subject.Render(p.values, p.missing)
		if err != nil {
			return c, nil, err
		}
		c.Subject, gaps = r.Text, append(gaps, r.Missing...)
	}
	if act.Body != nil {
		r, err := act.Body.Render(p.values, p.missing)
		if err != nil {
			return c, nil, err
		}
		c.Text, c.HTML, gaps = r.Text, r.HTML, append(gaps, r.Missing...)
	}
	for name, t := range act.Fields {
		r, err := t.Render(p.values, p.missing)
		if err != nil {
			return c, nil, err
		}
		c.Fields[name], gaps = r.Text, append(gaps, r.Missing...)
		if act.Channel == deliver.Chatter && len(r.Missing) > 0 {
			c.Fields[name] = "" // what is printed for a value that is missing is no record
		}
	}
	if chosen, no := recipients.Phone(c.Fields["from"], p.rev.Directory.Region); act.Channel == deliver.SMS && no == nil {
		c.From.Address = chosen
	}
	return c, unique(gaps), nil
}

// task writes a task beside its line in the ledger: both are made by the plan's transaction, so it is done at once.
func (p *planner) task(a *automation.Automation, act *automation.Action, base store.Delivery) {
	base.Recipient = nobody
	if act.Task.Assignee != "" {
		base.Recipient = act.Task.Assignee
	}
	switch {
	case base.Test:
		base.State, base.Reason = store.Skipped, reason.TestCall // a test must not leave work for people
	case base.State == store.Planned:
		base.State, base.Reason, base.Detail, base.EndOf = store.Sent, "", "", ""
		p.plan.Tasks = append(p.plan.Tasks, store.Task{
			ID: newID(), Automation: a.ID, Action: act.Index,
			Task: tasks.Task{
				Title: base.Content.Subject, Description: base.Content.Text, Priority: act.Task.Priority.For(p.values),
				Assignee: act.Task.Assignee, DueAt: act.Task.Due.At(p.conv.EndedAt),
			},
		})
	}
	p.add(a, act, base)
}

// address gives one delivery per recipient, or one for all of a kind where the author wants a message together; and one
// for everybody who is left out, with the reason.
func (p *planner) address(a *automation.Automation, act *automation.Action, base store.Delivery) []store.Delivery {
	resolve := func(ts []recipients.Target) ([]recipients.Recipient, []recipients.Rejection) {
		if len(ts) == 0 {
			return nil, nil
		}
		return p.rev.Directory.Resolve(ts, p.routed(a), act.Channel, Contact(p.conv))
	}
	to, left := resolve(act.To)
	cc, lost := resolve(act.CC)
	left = append(left, lost...)
	if reply, _ := resolve(act.ReplyTo); len(reply) > 0 {
		base.Content.ReplyTo = keys(reply)
	}
	if act.Channel == deliver.Chatter && len(cc) > 0 {
		base.Content.CC, cc = keys(cc), nil // who is mentioned: the post is one person's all the same
	}
	cc = without(cc, to)
	var out []store.Delivery
	switch {
	case len(act.To) == 0:
		out = append(out, p.atTarget(act, base))
	case act.Together || len(cc) > 0:
		out = p.together(to, cc, base)
	default:
		for _, r := range to {
			d := base
			d.Recipient, d.Customer, d.Content.To = r.Key, r.Customer, []string{r.Key}
			out = append(out, d)
		}
	}
	for _, l := range left {
		if l.Key != nobody || len(out) == 0 {
			out = append(out, store.Delivery{Recipient: l.Key, State: store.Skipped, Reason: l.Reason})
		}
	}
	return out
}

// atTarget is the one delivery of a post that says itself where it goes, or of a pop-up for whoever has or had the call.
func (p *planner) atTarget(act *automation.Action, base store.Delivery) store.Delivery {
	base.Recipient = act.Channel
	somewhere := slices.ContainsFunc(automation.PostTargets(), func(kind string) bool { return base.Content.Fields[kind] != "" })
	if act.Channel == deliver.CTI {
		somewhere = p.conv.Agent.ID != ""
		base.Content.Fields[cti.FieldAgent] = p.conv.Agent.ID
	}
	if !somewhere && (act.Channel == deliver.Chatter || act.Channel == deliver.CTI) {
		base.State, base.Reason = store.Skipped, reason.RecipientsEmpty // a call without a record, or without an agent
	}
	return base
}

// together splits a mixed list into a message to the customer and one to colleagues, so that neither sees the other.
// Copies go with the customer's message if there is one: that is what an author who copies the team in wants to see.
func (p *planner) together(to, cc []recipients.Recipient, base store.Delivery) []store.Delivery {
	var out []store.Delivery
	for _, customer := range []bool{true, false} {
		var some []recipients.Recipient
		for _, r := range to {
			if r.Customer == customer {
				some = append(some, r)
			}
		}
		if len(some) == 0 {
			continue
		}
		d := base
		d.Recipient, d.Customer, d.Content.To, d.Content.CC = together, customer, keys(some), keys(cc)
		for _, r := range cc {
			d.Customer = d.Customer || r.Customer
		}
		if customer {
			d.Recipient = "contact:" + together
		}
		cc = nil
		out = append(out, d)
	}
	return out
}

// routed are the targets the automation's route chooses for this conversation.
func (p *planner) routed(a *automation.Automation) []recipients.Target {
	if a.Route == nil {
		return nil
	}
	value := p.said.Routes[a.ID]
	if a.Route.On != "" {
		value, _ = p.values[a.Route.On].(string)
	}
	_, targets := a.Route.Pick(value)
	return targets
}

func (p *planner) skip(a *automation.Automation, act *automation.Action, why reason.Code, detail string) {
	p.add(a, act, store.Delivery{Recipient: nobody, State: store.Skipped, Reason: why, Detail: detail})
}

func (p *planner) add(a *automation.Automation, act *automation.Action, d store.Delivery) {
	d.ID, d.Automation, d.Action, d.Channel = newID(), a.ID, act.Index, act.Channel
	if d.DueAt.IsZero() {
		d.DueAt, d.DeadlineAt = p.now, p.now.Add(LifetimeOn(d.Channel))
	}
	if d.Test && d.Reason == "" {
		d.Reason = reason.TestCall
	}
	p.plan.Deliveries = append(p.plan.Deliveries, d)
}

// without leaves out who is addressed anyway.
func without(cc, to []recipients.Recipient) (out []recipients.Recipient) {
	addressed := map[string]bool{}
	for _, r := range to {
		addressed[r.Key] = true
	}
	for _, r := range cc {
		if !addressed[r.Key] {
			out = append(out, r)
		}
	}
	return out
}

// newID is a time-ordered UUID: new rows land beside each other in the index.
func newID() string { return uuid.Must(uuid.NewV7()).String() }

func keys(rs []recipients.Recipient) []string {
	out := make([]string, len(rs))
	for i, r := range rs {
		out[i] = r.Key
	}
	return out
}

func unique(names []string) (out []string) {
	seen := map[string]bool{}
	for _, n := range names {
		if !seen[n] {
			seen[n] = true
			out = append(out, n)
		}
	}
	return out
}
