package change

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"aftercall/automation"
	"aftercall/deliver"
	"aftercall/internal/store"
	"aftercall/reason"
	"aftercall/recipients"
	"aftercall/triggers"
)

// The kinds of effect.
const (
	Fires      = "fires"      // newly
	Stops      = "stops"      // firing
	Review     = "review"     // newly waits for a person
	Recipients = "recipients" // others
	Outcome    = "outcome"    // held, skipped, sent or sent later where it was not
	Text       = "text"       // says something else, or comes from or is answered to somebody else
)

// Effect is one difference on one call. Before and After are in words for a person; of a text they are the whole of it.
type Effect struct {
	Call         string    `json:"call"` // the platform's id
	Conversation string    `json:"conversation"`
	AcceptedAt   time.Time `json:"accepted_at"`
	Automation   string    `json:"automation"`
	Kind         string    `json:"kind"`
	What         string    `json:"what"` // the action and its part: "email 1 subject"; "" for the automation as a whole
	Before       string    `json:"before"`
	After        string    `json:"after"`
}

// outcome is what one revision would make of a call.
type outcome struct {
	rev           *automation.Revision
	plan          *store.Plan
	unknown       gaps
	tokens, spent int
}

// comparison is what differs between two outcomes of one call.
type comparison struct {
	effects              []Effect
	unjudged             []string // automations
	before, after, spent int      // tokens
}

// weigh compares what two revisions would make of a call, automation by automation.
func weigh(c store.StoredCall, was, is outcome, automations []string) comparison {
	found := comparison{before: was.tokens, after: is.tokens, spent: was.spent + is.spent}
	for _, id := range automations {
		old, now := was.verdict(id), is.verdict(id)
		effects, judged := compareVerdicts(old, now), old.known && now.known
		if judged && old.Verdict == triggers.Fires && now.Verdict == triggers.Fires {
			if judged = was.filled(id) && is.filled(id); judged {
				effects = append(effects, compareMessages(was.messages(id), is.messages(id))...)
			}
		}
		if !judged {
			found.unjudged = append(found.unjudged, id)
			continue
		}
		for _, e := range effects {
			if e.Kind == Fires && is.filled(id) {
				e.After += is.led(id)
			}
			e.Call, e.Conversation, e.AcceptedAt, e.Automation = c.Conversation.ExternalID, c.Conversation.ID, c.AcceptedAt, id
			found.effects = append(found.effects, e)
		}
	}
	return found
}

// verdict is a decision, and whether it rests on answers that are known.
type verdict struct {
	triggers.Decision
	known bool
}

// verdict gives the decision about an automation; one that the revision does not have does not fire.
func (o outcome) verdict(id string) verdict {
	at := slices.IndexFunc(o.plan.Decisions, func(d triggers.Decision) bool { return d.Automation == id })
	if at < 0 {
		return verdict{known: true}
	}
	d := o.plan.Decisions[at]
	why, _ := reason.Of(d.Reason)
	free := d.Reason == reason.Always || why.Stage == reason.StageGate
	return verdict{d, free || !o.unknown.all && !o.unknown.questions[id]}
}

// filled reports whether everything is known that the messages of an automation that fires are made of.
func (o outcome) filled(id string) bool {
	a := o.rev.Automation(id)
	if !a.Trigger.NeedsValues && !a.Summary {
		return true
	}
	unknown := o.unknown.all || o.unknown.choices[id] || a.Summary && o.unknown.summary ||
		slices.ContainsFunc(a.Dyn, func(name string) bool { return o.unknown.values[name] })
	return !unknown
}

// compareVerdicts says what differs about the automation as a whole.
func compareVerdicts(old, now verdict) []Effect {
	fired, fires := old.Verdict == triggers.Fires, now.Verdict == triggers.Fires
	e := Effect{Before: old.words(), After: now.words()}
	switch {
	case fires && !fired:
		e.Kind = Fires
	case fired && !fires:
		e.Kind = Stops
	case now.Review && !old.Review:
		e.Kind = Review
	default:
		return nil
	}
	return []Effect{e}
}

// words say what was decided, on which words if any were quoted.
func (v verdict) words() string {
	if v.Automation == "" {
		return "not there"
	}
	s := string(v.Verdict) + " (" + string(v.Reason) + ")"
	for _, e := range v.Evidence {
		s += fmt.Sprintf(" turn %d: “%s”", e.Turn, e.Quote)
	}
	return s
}

// message is what one action comes to.
type message struct {
	name    string // the channel, and its turn among the automation's actions of it: what an author compares
	to      []string
	outcome []string // what would become of it, where that is not simply to be sent
	parts   map[string]string
}

// messages are an automation's, by name.
func (o outcome) messages(id string) map[string]message {
	all, names := map[string]message{}, map[int]string{}
	of := map[string]int{}
	for _, act := range o.rev.Automation(id).Actions {
		of[act.Channel]++
		names[act.Index] = fmt.Sprintf("%s %d", act.Channel, of[act.Channel])
	}
	for _, d := range o.plan.Deliveries {
		if d.Automation != id {
			continue
		}
		m, ok := all[names[d.Action]]
		if !ok {
			m = message{name: names[d.Action], parts: map[string]string{}}
		}
		m.add(d, o.rev)
		all[m.name] = m
	}
	for _, task := range o.plan.Tasks {
		if m, ok := all[names[task.Action]]; ok && task.Automation == id {
			m.parts["priority"] = string(task.Priority)
			if !task.DueAt.IsZero() {
				m.parts["due"] = task.DueAt.UTC().Format(time.RFC3339)
			}
		}
	}
	return all
}

// add takes in one delivery of the action.
func (m *message) add(d store.Delivery, rev *automation.Revision) {
	switch {
	case d.State == store.Skipped || d.State == store.Failed:
		m.note(fmt.Sprintf("%s (%s)", d.State, d.Reason))
		return // nothing of it would be seen
	case d.State == store.Held:
		m.note(fmt.Sprintf("%s (%s)", d.State, d.Reason))
	case d.Reason == reason.Waiting || d.Reason == reason.OutsideWindow:
		m.note(fmt.Sprintf("sent at %s (%s)", d.DueAt.UTC().Format("2006-01-02 15:04 MST"), d.Reason))
	}
	if d.Test {
		m.note("captured (" + string(reason.TestCall) + ")")
	}
	to := d.Content.To
	if len(to) == 0 && d.Recipient != "-" {
		to = []string{d.Recipient}
	}
	m.to = append(m.to, whom(to, d.Channel, rev)...)
	for _, who := range whom(d.Content.CC, d.Channel, rev) {
		m.to = append(m.to, "cc "+who)
	}
	slices.Sort(m.to)
	m.parts["subject"], m.parts["text"] = d.Content.Subject, d.Content.Text
	if d.Channel == deliver.Email {
		m.parts["html"] = d.Content.HTML
	}
	if d.Channel == deliver.Email || d.Channel == deliver.SMS {
		m.parts["from"] = strings.TrimSpace(d.Content.From.Name + " <" + d.Content.From.Address + ">")
		m.parts["reply to"] = strings.Join(whom(d.Content.ReplyTo, d.Channel, rev), ", ")
	}
	for name, value := range d.Content.Fields {
		m.parts[name] = value
	}
}

// whom names recipients. Behind a person's key stands the address that it leads to, which is looked up at the send: another
// address is another recipient, though the key is the same.
func whom(keys []string, channel string, rev *automation.Revision) []string {
	names := slices.Clone(keys)
	for n, key := range keys {
		if !strings.HasPrefix(key, string(recipients.Person)+":") {
			continue
		}
		at, refused := rev.Directory.Address(key, channel, recipients.ContactRecord{})
		names[n] += " (" + cmp.Or(at.Address, string(refused)) + ")"
	}
	return names
}

func (m *message) note(outcome string) {
	if !slices.Contains(m.outcome, outcome) {
		m.outcome = append(m.outcome, outcome)
		slices.Sort(m.outcome)
	}
}

// led says what an automation that fires leads to.
func (o outcome) led(id string) string {
	all := o.messages(id)
	var words []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		m := all[name]
		words = append(words, name+" to "+some(m.to, "nobody")+strings.Repeat(", "+some(m.outcome, ""), min(len(m.outcome), 1)))
	}
	return ": " + strings.Join(words, "; ")
}

// compareMessages says what differs between an automation's messages.
func compareMessages(old, now map[string]message) (effects []Effect) {
	names := slices.Concat(slices.Collect(maps.Keys(old)), slices.Collect(maps.Keys(now)))
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		was, is := old[name], now[name]
		if !slices.Equal(was.to, is.to) {
			effects = append(effects, Effect{Kind: Recipients, What: name, Before: some(was.to, "nobody"), After: some(is.to, "nobody")})
		}
		if !slices.Equal(was.outcome, is.outcome) {
			effects = append(effects, Effect{Kind: Outcome, What: name, Before: some(was.outcome, "sent"), After: some(is.outcome, "sent")})
		}
		if len(was.parts) == 0 || len(is.parts) == 0 {
			continue // there is nothing to compare; who would get it says so
		}
		effects = append(effects, compareParts(name, was.parts, is.parts)...)
	}
	return effects
}

// compareParts says which texts differ. HTML is made from the same words as the text, so it is named only alone.
func compareParts(name string, was, is map[string]string) (effects []Effect) {
	parts := slices.Concat(slices.Collect(maps.Keys(was)), slices.Collect(maps.Keys(is)))
	slices.Sort(parts)
	for _, part := range slices.Compact(parts) {
		if was[part] != is[part] && (part != "html" || was["text"] == is["text"]) {
			effects = append(effects, Effect{Kind: Text, What: name + " " + part, Before: was[part], After: is[part]})
		}
	}
	return effects
}

func some(words []string, none string) string {
	if len(words) == 0 {
		return none
	}
	return strings.Join(words, ", ")
}
