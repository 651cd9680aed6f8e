package dashboard

import (
	"context"
	"errors"
	"fmt"

	"aftercall/automation"
	"aftercall/conversation"
	"aftercall/internal/llm"
	"aftercall/internal/store"
	"aftercall/recipients"
	"aftercall/tasks"
	"aftercall/worker"
)

// tryView is what would become of a call under a draft. It is laid out by the code of a conversation's page.
type tryView struct {
	Trouble   *trouble // why there is nothing to show
	Heading   string
	Answered  string // by whom, and what it did cost
	Simulated bool
	Summary   string
	Fired     []automationView
	NotFired  []automationView
	Variables []valueView
	Tasks     []taskView
	Turns     []turnView
}

// trouble is why a try came to nothing, and what to do.
type trouble struct{ Sentence, Remedy string }

// tried rehearses the chosen call. What an author can mend is a view that says so; an error is ours.
func (b *workbench) tried(ctx context.Context, d draft, rev *automation.Revision) (*tryView, error) {
	switch {
	case rev == nil:
		return &tryView{Trouble: &trouble{"The config has errors, so nothing can be tried on it yet.", "Mend what the list of problems says."}}, nil
	case d.Call == "":
		return &tryView{Trouble: &trouble{"No call is chosen.", "Choose a stored call or a sample."}}, nil
	case b.trial.model == nil:
		return &tryView{Trouble: &trouble{"This process asks no model: it was started for webhooks and pages only.", "Start one without --only, or use `aftercall dev`."}}, nil
	case !b.tries.allow():
		return nil, tooFast()
	}
	c, err := b.call(ctx, d.Call)
	if err != nil {
		return nil, err
	}
	r, cost, err := b.trial.run(ctx, d.Session, c, rev)
	var model *llm.Error
	switch {
	case errors.As(err, &model):
		return &tryView{Trouble: &trouble{"The model cannot be asked now: " + words(string(model.Kind)) + ".", modelRemedy(model)}}, nil
	case err != nil:
		return nil, fmt.Errorf("try a draft: %w", err)
	}
	return layTry(rehearsedStory(r, c, rev), names{rev}, cost, b.letters.keep), nil
}

func modelRemedy(e *llm.Error) string {
	switch e.Kind {
	case llm.Quota, llm.Misconfigured:
		return "An operator must look at the model's key, name and address."
	case llm.Busy:
		return "Other calls of the account have reserved the rest of its budget for today; try again in a moment."
	}
	return "Try again in a moment."
}

// layTry lays out what would have become of a call. keep gives a rendered message's HTML an address.
func layTry(s store.Story, n names, cost spent, keep func(html string) string) *tryView {
	c := s.Conversation
	if c == nil {
		c = &conversation.Conversation{}
	}
	zone := c.Location(n.zone())
	l := ledger{story: s, names: n, zone: zone, turns: len(c.Turns)}
	v := &tryView{
		Heading: heading(c) + ", " + at(c.StartedAt, zone).Local, Answered: cost.words(), Simulated: s.Simulated, Summary: or(c.Summary, s.Summary),
		Variables: values(s.Values, len(c.Turns)), Tasks: l.tasks(), Turns: transcript(c, l.cited()),
	}
	v.Fired, v.NotFired, _ = l.automations()
	addresses := map[string]string{}
	for _, d := range s.Deliveries {
		addresses[anchor("delivery", d.ID)] = keep(d.Content.HTML)
	}
	for _, a := range v.Fired {
		for i := range a.Deliveries {
			would(&a.Deliveries[i], addresses)
		}
	}
	return v
}

// would words a delivery that nobody will send.
func would(d *deliveryView, addresses map[string]string) {
	d.Message.HTML = addresses[d.Anchor]
	d.See = ""
	switch d.State.Word {
	case string(store.Planned):
		d.State = badge{"would go out", "check", "good"}
	case "written", string(store.Sent):
		d.State = badge{"would be written", "check", "good"}
	default:
		return
	}
	if d.Code == "" {
		d.Why = why{}
	}
}

// words says who answered and what it did cost.
func (s spent) words() string {
	switch {
	case s.Asked == 0 && s.Remembered == 0:
		return "No model was needed."
	case s.Asked == 0:
		return fmt.Sprintf("Answered by %s before; nothing was asked again.", s.Model)
	}
	return fmt.Sprintf("Answered by %s: %s, %s tokens in, %s out.", s.Model, count(s.Asked, "call", "calls"), worker.Amount(s.In), worker.Amount(s.Out))
}

// rehearsedStory is a rehearsal as the story that the line would have written.
func rehearsedStory(r worker.Rehearsal, c *conversation.Conversation, rev *automation.Revision) store.Story {
	s := store.Story{
		AccountID: rev.AccountID, Conversation: c, Digest: rev.Digest, State: r.Plan.State, Summary: r.Plan.Summary,
		Simulated: r.Plan.Simulated, Values: r.Plan.Values,
	}
	for _, d := range r.Plan.Decisions {
		s.Decisions = append(s.Decisions, store.StoryDecision{Run: r.Plan.Run, Decision: d})
	}
	contact := recipients.ContactRecord{Name: c.Customer.Name, Email: c.Customer.Email, Number: c.CustomerNumber()}
	for i, d := range r.Plan.Deliveries {
		d.ID = fmt.Sprintf("%s-%d-%d", d.Automation, d.Action, i) // the same each time, so that the page does not jump
		told := store.StoryDelivery{Run: r.Plan.Run, Delivery: d}
		if len(d.Content.To) == 1 {
			if to, refused := rev.Directory.Address(d.Content.To[0], d.Channel, contact); refused == "" {
				told.Address = to.Address
			}
		}
		s.Deliveries = append(s.Deliveries, told)
	}
	for _, t := range r.Plan.Tasks {
		s.Tasks = append(s.Tasks, store.StoryTask{Task: t, State: tasks.Open})
	}
	return s
}
