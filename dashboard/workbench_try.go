package dashboard

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"aftercall/automation"
	"aftercall/conversation"
	"aftercall/internal/llm"
	"aftercall/internal/store"
	"aftercall/people"
	"aftercall/worker"
)

// tryView is what would become of a call under a draft. It is laid out by the code of a conversation's page.
type tryView struct {
	Trouble   *trouble // why there is nothing to show
	Heading   string
	Told      string // in one line, for those who hear the page as well
	Answered  string // by whom, and what it did cost
	Simulated bool
	Summary   string
	Fired     []automationView
	NotFired  []automationView
	Variables []valueView
	Tasks     []taskView
	Turns     []turnView
}

// sampleView is what an automation would send if it fired, with values that are made up.
type sampleView struct {
	Anchor     string
	Values     []fact // what is made up, by name
	Deliveries []deliveryView
}

// mostSamples bounds how many automations of one try are laid out as if they fired.
const mostSamples = 20

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
	who := people.Of(ctx)
	if _, installed := b.revisions.Active(rev.AccountID); installed && !who.May(people.Try, rev.AccountID) {
		return &tryView{Trouble: &trouble{"The account this draft names is not one of yours.", "Name an account in which you are an author."}}, nil
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
	keep := func(html string) string { return b.letters.keep(who.ID, html) }
	v := layTry(r.Story(c, rev), names{rev}, cost, keep)
	v.sample(c, rev, keep)
	return v, nil
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
	l := ledger{story: s, names: n, zone: c.Location(n.zone()), turns: len(c.Turns)}
	v := &tryView{
		Heading: heading(c) + ", " + at(c.StartedAt, l.zone).Local, Answered: cost.words(), Simulated: s.Simulated, Summary: or(c.Summary, s.Summary),
		Variables: l.values(), Tasks: l.tasks(), Turns: transcript(c, l.cited()),
	}
	v.Fired, v.NotFired, _ = l.automations()
	letters := lettersOf(s, keep)
	for _, list := range [][]automationView{v.Fired, v.NotFired} {
		for i := range list {
			list[i].Verdict = wouldDecide(list[i].Verdict)
			for j := range list[i].Deliveries {
				wouldGo(&list[i].Deliveries[j], letters)
				list[i].Deliveries[j].Message.Unfolded = true
			}
		}
	}
	v.Told = told(v.Fired)
	return v
}

// sample adds what the automations without deliveries would send if they fired.
func (v *tryView) sample(c *conversation.Conversation, rev *automation.Revision, keep func(html string) string) {
	left := mostSamples
	for _, list := range [][]automationView{v.Fired, v.NotFired} {
		for i := range list {
			if len(list[i].Deliveries) > 0 || left == 0 {
				continue
			}
			left--
			list[i].Sample = sampled(c, rev, list[i].ID, keep)
		}
	}
}

func sampled(c *conversation.Conversation, rev *automation.Revision, id string, keep func(html string) string) *sampleView {
	plan, values := worker.Sampled(c, rev, id, c.EndedAt)
	s := worker.Rehearsal{Plan: plan}.Story(c, rev)
	l := ledger{story: s, names: names{rev}, zone: c.Location(rev.Location), turns: len(c.Turns)}
	v := &sampleView{Anchor: anchor("sample", id)}
	for _, value := range values {
		v.Values = append(v.Values, fact{value.Name, value.Value})
	}
	if plan.Summary != "" {
		v.Values = append(v.Values, fact{"conversation_summary", plan.Summary})
	}
	if r := rev.Automation(id).Route; r != nil && len(r.Options) > 0 {
		v.Values = append(v.Values, fact{"the route's answer", r.Options[0].Key})
	}
	letters := lettersOf(s, keep)
	for _, d := range s.Deliveries {
		view := l.delivery(d)
		wouldGo(&view, letters)
		v.Deliveries = append(v.Deliveries, view)
	}
	return v
}

// lettersOf gives each delivery's HTML an address, by the delivery's anchor.
func lettersOf(s store.Story, keep func(html string) string) map[string]string {
	addresses := map[string]string{}
	for _, d := range s.Deliveries {
		addresses[anchor("delivery", d.ID)] = keep(d.Content.HTML)
	}
	return addresses
}

// wouldDecide words a verdict that nobody has acted on.
func wouldDecide(b badge) badge {
	switch b.Word {
	case "fired":
		b.Word = "would fire"
	case "did not fire":
		b.Word = "would not fire"
	}
	return b
}

// The words for deliveries that nobody will send.
const (
	wouldGoOut     = "would go out"
	wouldBeWritten = "would be written"
	wouldBeHeld    = "would be held"
)

// wouldGo words a delivery that nobody will send.
func wouldGo(d *deliveryView, letters map[string]string) {
	d.Message.HTML = letters[d.Anchor]
	d.See = ""
	switch d.State.Word {
	case string(store.Planned):
		d.State = badge{wouldGoOut, "check", "good"}
	case "written", string(store.Sent):
		d.State = badge{wouldBeWritten, "check", "good"}
	case string(store.Held):
		d.State.Word = wouldBeHeld
		return
	default:
		return
	}
	if d.Code == "" { // it goes out at once, for no reason but the decision
		d.Why, d.Waits = why{}, false
	}
}

// told sums up what would happen.
func told(fired []automationView) string {
	fires, of := 0, map[string]int{}
	for _, a := range fired {
		if a.Verdict.Word == "would fire" {
			fires++
		}
		for _, d := range a.Deliveries {
			of[d.State.Word]++
		}
	}
	if fires == 0 {
		return "No automation would fire."
	}
	parts := []string{count(fires, "automation", "automations") + " would fire"}
	if n := of[wouldGoOut]; n > 0 {
		parts = append(parts, count(n, "message", "messages")+" would go out")
	}
	if n := of[wouldBeWritten]; n > 0 {
		parts = append(parts, count(n, "task", "tasks")+" would be written")
	}
	if n := of[wouldBeHeld]; n > 0 {
		parts = append(parts, fmt.Sprintf("%d would be held for a person", n))
	}
	return strings.Join(parts, ", ") + "."
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
