package rehearsal

import (
	"slices"
	"strings"

	"aftercall/automation"
	"aftercall/conversation"
	"aftercall/deliver"
	"aftercall/internal/store"
	"aftercall/recipients"
	"aftercall/triggers"
	"aftercall/worker"
)

// outcome is a rehearsal as an author sees it: by action, with addresses in place of keys.
type outcome struct {
	worker.Rehearsal
	account *automation.Revision
	contact recipients.ContactRecord
	actions []action
}

// nobody is the recipient of what goes to nobody in particular.
const nobody = "-"

// action is one action of an automation that fired: where it goes, and what it says.
type action struct {
	automation, channel string
	index               int
	to, held            []string          // addresses; of a task, its assignee
	left                []string          // who is left out, each with the reason
	texts               map[string]string // by the names of texts()
}

func outcomeOf(r worker.Rehearsal, c *conversation.Conversation, account *automation.Revision) *outcome {
	o := &outcome{Rehearsal: r, account: account,
		contact: recipients.ContactRecord{Name: c.Customer.Name, Email: c.Customer.Email, Number: c.CustomerNumber()}}
	for _, d := range r.Plan.Deliveries {
		o.add(d)
	}
	return o
}

// add puts a delivery to its action.
func (o *outcome) add(d store.Delivery) {
	n := slices.IndexFunc(o.actions, func(a action) bool { return a.automation == d.Automation && a.index == d.Action })
	if n < 0 {
		n = len(o.actions)
		o.actions = append(o.actions, action{automation: d.Automation, channel: d.Channel, index: d.Action, texts: map[string]string{}})
	}
	a := &o.actions[n]
	whom := o.addresses(d)
	switch d.State {
	case store.Held:
		a.held = append(a.held, whom...)
	case store.Skipped, store.Failed:
		a.left = append(a.left, strings.TrimPrefix(d.Recipient+": ", nobody+": ")+string(d.Reason))
	default:
		a.to = append(a.to, whom...)
	}
	o.say(a, d)
}

// say takes over what a delivery says.
func (o *outcome) say(a *action, d store.Delivery) {
	c := d.Content
	if c.Subject == "" && c.Text == "" && c.HTML == "" {
		return // nobody was left to write to, or its if: was false
	}
	if d.Channel == deliver.Task {
		a.texts["title"], a.texts["description"] = c.Subject, c.Text
		for _, t := range o.Plan.Tasks {
			if t.Automation == d.Automation && t.Action == d.Action {
				a.texts["priority"] = string(t.Priority)
			}
		}
		return
	}
	a.texts["subject"], a.texts["text"], a.texts["html"] = c.Subject, c.Text, c.HTML
	a.texts["reply_to"] = strings.Join(o.look(c.ReplyTo, d.Channel), ", ")
	if len(c.CC) > 0 { // of one list for a customer and colleagues, the copies go with one of the two messages
		name := "cc"
		if d.Channel == deliver.Chatter {
			name = "mention"
		}
		a.texts[name] = strings.Join(o.look(c.CC, d.Channel), ", ")
	}
}

// addresses are where a delivery goes, copies not counted.
func (o *outcome) addresses(d store.Delivery) []string {
	if d.Channel == deliver.Task { // for a person or a group, as the author writes it
		if _, assignee, ok := strings.Cut(d.Recipient, ":"); ok {
			return []string{assignee}
		}
	}
	if d.Channel == deliver.Task || len(d.Content.To) == 0 {
		return []string{d.Recipient}
	}
	return o.look(d.Content.To, d.Channel)
}

// look looks recipients' keys up, as the sender will.
func (o *outcome) look(keys []string, channel string) []string {
	all := make([]string, 0, len(keys))
	for _, key := range keys {
		at, why := o.account.Directory.Address(key, channel, o.contact)
		if why != "" {
			at.Address = key
		}
		all = append(all, at.Address)
	}
	return all
}

// reach is where something goes that a test names as it would stand under to: in the config, or as an address.
func (o *outcome) reach(names []string, channel string) []string {
	all := []string{}
	for _, name := range names {
		t, problem := o.account.Directory.ParseTarget(name, "")
		if channel == deliver.Task || problem != nil || t.Kind == recipients.Fixed {
			all = append(all, name) // an address that is not allowed can still be named: as one that nothing goes to
			continue
		}
		to, _ := o.account.Directory.Resolve([]recipients.Target{t}, nil, channel, o.contact)
		for _, r := range to {
			all = append(all, r.Address)
		}
	}
	return all
}

// everybody is every address that something goes to, now or once it is released, copies included.
func (o *outcome) everybody() []string {
	var all []string
	for _, d := range o.Plan.Deliveries {
		if d.State == store.Skipped || d.State == store.Failed {
			continue
		}
		all = append(all, o.addresses(d)...)
		all = append(all, o.look(d.Content.CC, d.Channel)...)
	}
	return unique(all)
}

// verdicts lists the automations with a verdict, in file order.
func (o *outcome) verdicts(v triggers.Verdict) []string {
	ids := []string{}
	for _, a := range o.account.Automations {
		if o.decision(a.ID).Verdict == v {
			ids = append(ids, a.ID)
		}
	}
	return ids
}

func (o *outcome) decision(id string) triggers.Decision {
	for _, d := range o.Plan.Decisions {
		if d.Automation == id {
			return d
		}
	}
	return triggers.Decision{Automation: id}
}

// holding lists the automations of which something is held.
func (o *outcome) holding() []string {
	ids := []string{}
	for _, a := range o.actions {
		if len(a.held) > 0 {
			ids = append(ids, a.automation)
		}
	}
	return unique(ids)
}

// value is a stated value, or a default; false if there is none.
func (o *outcome) value(name string) (string, bool) {
	for _, v := range o.Plan.Values {
		if v.Name == name {
			return v.Value, v.Present()
		}
	}
	return "", false
}

// branch is the branch that an automation's route takes.
func (o *outcome) branch(id string) string {
	if v := o.decision(id).Verdict; v != triggers.Fires {
		return "none: " + id + " does not fire"
	}
	route := o.account.Automation(id).Route
	value := o.Said.Routes[id]
	if route.On != "" {
		value, _ = o.value(route.On)
	}
	key, _ := route.Pick(value)
	return key
}

func unique(all []string) []string {
	out := make([]string, 0, len(all))
	for _, s := range all {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
