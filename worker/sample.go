package worker

import (
	"slices"
	"strings"
	"time"

	"aftercall/automation"
	"aftercall/conversation"
	"aftercall/internal/store"
	"aftercall/interview"
	"aftercall/reason"
	"aftercall/triggers"
	"aftercall/variables"
)

// Sampled plans what an automation would send about a call if it fired and everything it asks for had been stated. Nobody
// is asked and no gate is applied. The values are made up, by type; they are given beside the plan, so that whoever shows it
// can say so.
func Sampled(c *conversation.Conversation, rev *automation.Revision, id string, now time.Time) (*store.Plan, []variables.Value) {
	a := rev.Automation(id)
	var values []variables.Value
	for _, name := range a.Dyn {
		values = append(values, sample(rev.Declarations[name], c, rev))
	}
	said := interview.Said{Routes: map[string]string{}}
	if a.Summary && c.Summary == "" {
		said.Summary = "A sample of a summary: what the call was about, and how it ended."
	}
	if a.Route != nil && len(a.Route.Options) > 0 {
		said.Routes[id] = a.Route.Options[0].Key
	}
	told, by := named(c, rev)
	m := &matter{conv: told, rev: by, loc: c.Location(rev.Location)}
	return m.lay([]triggers.Decision{{Automation: id, Verdict: triggers.Fires, Reason: reason.Fired}}, said, values, now), values
}

// sample makes a value up that is easily seen to be none of the call's.
func sample(d variables.Declaration, c *conversation.Conversation, rev *automation.Revision) variables.Value {
	v := variables.Value{Name: d.Name, Type: d.Type, Status: variables.Stated}
	switch d.Type {
	case variables.Enum:
		if len(d.Values) > 0 {
			v.Value = d.Values[0].Key
		}
	case variables.Date:
		v.Value = c.StartedAt.In(c.Location(rev.Location)).AddDate(0, 0, 4).Format(time.DateOnly)
	case variables.Time:
		v.Value = "14:30"
	case variables.Number:
		v.Value = "3"
	case variables.Money:
		v.Value = "129.50 EUR"
	case variables.Phone:
		v.Value = "+447700900999" // a range set aside for fiction
	case variables.Email:
		v.Value = "sample@customer.example"
	case variables.URL:
		v.Value = "https://" + host(slices.Concat(d.Hosts, rev.Directory.Allow.Domains)) + "/sample"
	case variables.Boolean:
		v.Value = "true"
	default:
		v.Value = "sample of " + strings.ReplaceAll(strings.TrimPrefix(d.Name, "dyn_"), "_", " ")
	}
	return v
}

// host is one that links may lead to.
func host(allowed []string) string {
	if len(allowed) == 0 {
		return "link.example"
	}
	return strings.TrimPrefix(allowed[0], "*.")
}
