package automation

import (
	"fmt"
	"slices"

	"aftercall/interview"
	"aftercall/triggers"
	"aftercall/variables"
)

// Limits of one sheet: beyond them a model's answers get worse.
const (
	maxQuestions = 12
	maxBlanks    = 40
)

// WithSummary ends the key of a sheet that asks for the summary as well.
const WithSummary = "+s"

// Triggers lists the triggers of all automations, in file order.
func (r *Revision) Triggers() []triggers.Trigger {
	out := make([]triggers.Trigger, 0, len(r.Automations))
	for _, a := range r.Automations {
		out = append(out, a.Trigger)
	}
	return out
}

// Automation finds an automation by id; nil if there is none.
func (r *Revision) Automation(id string) *Automation {
	if i := slices.IndexFunc(r.Automations, func(a Automation) bool { return a.ID == id }); i >= 0 {
		return &r.Automations[i]
	}
	return nil
}

// Source finds a source by id; nil if there is none.
func (r *Revision) Source(id string) *Source {
	if i := slices.IndexFunc(r.Sources, func(s Source) bool { return s.ID == id }); i >= 0 {
		return &r.Sources[i]
	}
	return nil
}

// Sheets gives the sheets of an agent's form that due triggers need: those with a question, a route or a variable of a due
// automation. Which questions stand on which sheet follows from the revision and the agent alone, so that providers can
// cache the sheets: the agent's automations in file order, in shards of at most 12 questions and 40 variables, a variable
// on the first shard that needs it. Agents that no automation names share the sheets of "all".
//
// If wantSummary, and an automation of the agent uses the summary, the first sheet returned asks for it, and its key ends
// in "+s".
func (r *Revision) Sheets(agentID string, due []triggers.Trigger, wantSummary bool) []interview.Sheet {
	f := r.form(agentID)
	wanted := map[int]bool{}
	for _, t := range due {
		for _, shard := range f.shards[t.ID] {
			wanted[shard] = true
		}
	}
	var out []interview.Sheet
	for i, s := range f.sheets {
		if wanted[i] {
			out = append(out, s)
		}
	}
	if wantSummary && f.summary && len(out) > 0 {
		out[0].Summary = true
		out[0].Key += WithSummary
	}
	return out
}

// EverySheet gives all that a call of an agent's may have been asked on: each sheet, and each as the one that asks for the
// summary as well.
func (r *Revision) EverySheet(agentID string) []interview.Sheet {
	plain := r.Sheets(agentID, r.Triggers(), false)
	all := slices.Clone(plain)
	for _, s := range plain {
		s.Key, s.Summary = s.Key+WithSummary, true
		all = append(all, s)
	}
	return all
}

// form is everything an agent's conversations can be asked.
type form struct {
	sheets  []interview.Sheet
	shards  map[string][]int // by automation: the sheets it needs
	summary bool
	home    map[string]int // by variable: the sheet it stands on
}

func (r *Revision) form(agentID string) form {
	scope := "all"
	if slices.ContainsFunc(r.Automations, func(a Automation) bool { return a.asks() && slices.Contains(a.Trigger.Agents, agentID) }) {
		scope = "agent:" + agentID
	}
	f := form{shards: map[string][]int{}, home: map[string]int{}}
	for _, a := range r.Automations {
		if !a.asks() || len(a.Trigger.Agents) > 0 && !slices.Contains(a.Trigger.Agents, agentID) {
			continue
		}
		f.summary = f.summary || a.Summary
		f.add(r, a, scope)
	}
	return f
}

// asks reports whether the automation can put anything on a form.
func (a Automation) asks() bool { return a.Trigger.Enabled && a.Trigger.Event == "" }

// add puts an automation's question, choice and variables on the last sheet, or on a new one if they do not fit.
func (f *form) add(r *Revision, a Automation, scope string) {
	var fresh []string
	for _, name := range a.Dyn {
		if _, ok := f.home[name]; !ok {
			fresh = append(fresh, name)
		}
	}
	options := a.Route != nil && len(a.Route.Options) > 0
	if !a.Trigger.Always || options || len(fresh) > 0 {
		i := f.room(r, scope, count(!a.Trigger.Always)+count(options), len(fresh))
		s := &f.sheets[i]
		if !a.Trigger.Always {
			s.Questions = append(s.Questions, interview.Question{ID: a.ID, Ask: a.Trigger.Ask, SaidBy: a.Trigger.SaidBy, Absence: a.Trigger.Absence})
		}
		if options {
			s.Choices = append(s.Choices, interview.Choice{ID: a.ID, Options: slices.Clone(a.Route.Options)})
		}
		for _, name := range fresh {
			f.home[name] = i
			s.Blanks = append(s.Blanks, r.Blank(name))
		}
		f.need(a.ID, i)
	}
	for _, name := range a.Dyn {
		f.need(a.ID, f.home[name])
	}
}

// room gives the sheet to write on.
func (f *form) room(r *Revision, scope string, questions, blanks int) int {
	if i := len(f.sheets) - 1; i >= 0 {
		s := f.sheets[i]
		if len(s.Questions)+len(s.Choices)+questions <= maxQuestions && len(s.Blanks)+blanks <= maxBlanks {
			return i
		}
	}
	f.sheets = append(f.sheets, interview.Sheet{
		Key: fmt.Sprintf("%s/%d", scope, len(f.sheets)), Account: r.Name, Language: r.Language,
	})
	return len(f.sheets) - 1
}

func (f *form) need(id string, shard int) {
	if !slices.Contains(f.shards[id], shard) {
		f.shards[id] = append(f.shards[id], shard)
		f.sheets[shard].For = append(f.sheets[shard].For, id)
	}
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Blank is the question for one variable.
func (r *Revision) Blank(name string) interview.Blank {
	d := r.Declarations[name]
	if d.Type == variables.Text && d.Max == 0 {
		d.Max = variables.DefaultMax
	}
	return interview.Blank{Name: name, Type: string(d.Type), Ask: d.Ask, SaidBy: d.SaidBy, Values: slices.Clone(d.Values), Max: d.Max}
}
