package dashboard

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"aftercall/internal/store"
	"aftercall/triggers"
)

// markForm asks whether a decision was right.
type markForm struct{ Wrong, Note string }

// decisionAct is what can be done about a decision. What sends something is done on the pages of the review.
type decisionAct struct {
	name, label string
	review      bool // its page is one of the review's
	can         func(l ledger, d store.StoryDecision) bool
}

func decisionActs() []decisionAct {
	open := func(d store.StoryDecision) bool { return d.Settled == nil && d.Verdict == triggers.Unsure }
	return []decisionAct{
		{"approve", "It fires: send", true, func(_ ledger, d store.StoryDecision) bool { return open(d) }},
		{"fix", "Give what is missing", true, func(l ledger, d store.StoryDecision) bool { return d.Verdict == triggers.Fires && l.holds(d) }},
		{"dismiss", "Send nothing", false, func(l ledger, d store.StoryDecision) bool { return open(d) || l.holds(d) }},
		{"mark", "Right or wrong?", false, func(ledger, store.StoryDecision) bool { return true }},
	}
}

// holds reports whether a decision has messages that wait for a person.
func (l ledger) holds(d store.StoryDecision) bool {
	return slices.ContainsFunc(l.story.Deliveries, func(s store.StoryDelivery) bool {
		return s.Run == d.Run && s.Automation == d.Automation && s.State == store.Held
	})
}

// doorsTo are the doors to what can be done about a decision. In a sandbox nothing is to be put right.
func (l ledger) doorsTo(d store.StoryDecision) (doors []doorView) {
	for _, a := range decisionActs() {
		if !l.acts || l.sandbox(d.Run) || !a.can(l, d) {
			continue
		}
		path := "/" + strconv.Itoa(d.Run) + "/" + url.PathEscape(d.Automation) + "/" + a.name
		if a.review {
			call := conversationPath(l.story.Conversation.ID)
			path = address("/review/"+url.PathEscape(l.story.Conversation.ID)+path, "back", call+"#"+l.anchor(d.Automation, d.Run))
		} else {
			path = conversationPath(l.story.Conversation.ID) + "/decisions" + path
		}
		doors = append(doors, doorView{a.label, path})
	}
	return doors
}

// decisionAct is GET and POST /conversations/{id}/decisions/{run}/{automation}/{act}.
func (d *Dashboard) decisionAct(r *http.Request) (answer, error) {
	x, err := d.toActOn(r)
	if err != nil {
		return answer{}, err
	}
	run, automation := runAndAutomation(r)
	i := slices.IndexFunc(x.story.Decisions, func(s store.StoryDecision) bool { return s.Run == run && s.Automation == automation })
	n := slices.IndexFunc(decisionActs(), func(a decisionAct) bool { return !a.review && a.name == r.PathValue("act") })
	if i < 0 || n < 0 {
		return answer{}, fmt.Errorf("act on a decision: %w", store.ErrNotFound)
	}
	decision, act := x.story.Decisions[i], decisionActs()[n]
	if r.Method == http.MethodPost {
		return x.onCall(x.l.anchor(automation, run)), refusedAct(d.actOnDecision(r, x, decision, act.name))
	}
	if !act.can(x.l, decision) || x.l.sandbox(run) {
		return answer{}, shut()
	}
	p := x.page(r, "Send nothing?", "The review is closed: nothing of this automation goes out, and what is held is called off.")
	p.Buttons = []buttonView{{"do", "dismiss", "Send nothing"}}
	if act.name == "mark" {
		p = x.page(r, "Was this decision right?", "It changes nothing that was sent. Marks count towards the automation's precision, and a wrong one makes a good test.")
		p.Mark, p.Buttons = markOf(decision), []buttonView{{"do", "mark", "Mark it"}}
	}
	p.Automation, _ = x.l.of(run).automation(automation)
	return p.answer(), nil
}

// markOf is the form with what was said before.
func markOf(d store.StoryDecision) *markForm {
	if d.Mark == nil {
		return &markForm{}
	}
	return &markForm{strconv.FormatBool(d.Mark.Wrong), d.Mark.Note}
}

// actOnDecision takes the action.
func (d *Dashboard) actOnDecision(r *http.Request, x doing, s store.StoryDecision, act string) error {
	if act == "dismiss" {
		return d.ops.Dismiss(r.Context(), x.by, x.account, x.id, s.Run, s.Automation)
	}
	wrong, err := strconv.ParseBool(field(r, "wrong"))
	if err != nil {
		return refused("Say whether the decision was right or wrong.")
	}
	return d.ops.Mark(r.Context(), x.by, x.account, x.id, s.Run, s.Automation, wrong, field(r, "note"))
}
