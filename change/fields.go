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
	"aftercall/interview"
	"aftercall/recipients"
	"aftercall/templates"
	"aftercall/triggers"
	"aftercall/variables"
)

// thing is one named part of a config with all that an author can say of it, in the words and the order of the files.
type thing struct {
	kind, id string
	fields   []field
}

type field struct{ name, value string }

// say adds a field, unless nothing was said.
func (t *thing) say(name, value string) {
	if value != "" {
		t.fields = append(t.fields, field{name, value})
	}
}

// list adds a field of several values.
func (t *thing) list(name string, values []string) { t.say(name, strings.Join(values, ", ")) }

func (t *thing) number(name string, n int) {
	if n != 0 {
		t.say(name, fmt.Sprint(n))
	}
}

func (t *thing) flag(name string, is bool) {
	if is {
		t.say(name, "true")
	}
}

func (t *thing) text(name string, text *templates.Text) {
	if text != nil {
		t.say(name, text.Source)
	}
}

func (t *thing) targets(name string, ts []recipients.Target) {
	values := make([]string, len(ts))
	for n, target := range ts {
		if values[n] = target.Value; target.Kind == recipients.ByRoute {
			values[n] = string(target.Kind)
		}
		if target.Kind == recipients.Contact {
			values[n] = "{{" + target.Value + "}}"
		}
	}
	t.list(name, values)
}

// things lists the parts of a revision: settings, people, groups, variables, sources and automations.
func things(r *automation.Revision) []thing {
	all := []thing{settings(r)}
	for _, key := range slices.Sorted(maps.Keys(r.Directory.People)) {
		p := r.Directory.People[key]
		t := thing{kind: "person", id: key}
		for _, f := range []field{{"name", p.Name}, {"email", p.Email}, {"phone", p.Phone}, {"role", p.Role}, {"user", p.User}} {
			t.say(f.name, f.value)
		}
		all = append(all, t)
	}
	for _, key := range slices.Sorted(maps.Keys(r.Directory.Groups)) {
		t := thing{kind: "group", id: key}
		t.targets("members", r.Directory.Groups[key])
		all = append(all, t)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Declarations)) {
		all = append(all, variable(r.Declarations[name]))
	}
	for _, s := range r.Sources {
		all = append(all, source(s))
	}
	for _, a := range r.Automations {
		all = append(all, rule(a))
	}
	return all
}

func settings(r *automation.Revision) thing {
	t := thing{kind: "settings"}
	t.say("name", r.Name)
	if r.Location != nil {
		t.say("timezone", r.Location.String())
	}
	t.say("language", r.Language)
	t.say("missing", r.Missing)
	t.sender(r.From)
	t.say("from.sms", r.FromNumber)
	if r.Directory.Region != recipients.RegionOf(r.FromNumber) {
		t.say("region", r.Directory.Region)
	}
	t.number("budget.tokens_per_day", r.TokensPerDay)
	t.number("retention.days", r.KeepDays)
	t.list("allow.domains", r.Directory.Allow.Domains)
	t.list("allow.addresses", r.Directory.Allow.Addresses)
	t.list("allow.senders", slices.DeleteFunc(slices.Clone(r.Directory.Allow.Senders), func(n string) bool { return n == r.FromNumber }))
	t.flag("allow.contacts", r.Directory.Allow.Contacts)
	return t
}

func variable(d variables.Declaration) thing {
	t := thing{kind: "variable", id: d.Name}
	t.say("type", string(d.Type))
	t.say("ask", d.Ask)
	t.options("values", d.Values)
	t.number("max", d.Max)
	t.say("default", d.Default)
	t.say("missing", d.Missing)
	t.speaker("said_by", d.SaidBy)
	t.list("hosts", d.Hosts)
	return t
}

func (t *thing) options(name string, os []interview.Option) {
	for _, o := range os {
		t.say(name+"."+o.Key, cmp.Or(o.When, "yes"))
	}
}

// speaker adds whose words count, unless it is anybody's.
func (t *thing) speaker(name string, s interview.Speaker) {
	if s != interview.Anyone {
		t.say(name, string(s))
	}
}

func source(s automation.Source) thing {
	t := thing{kind: "source", id: s.ID}
	t.say("type", s.Type)
	t.list("secrets", s.Secrets) // the names of them; values are never in a config
	t.duration("wait_for_analysis", s.WaitForAnalysis)
	t.list("events", s.Events)
	t.sender(s.From)
	for _, key := range slices.Sorted(maps.Keys(s.Settings)) {
		t.say("settings."+key, s.Settings[key])
	}
	return t
}

// sender adds who e-mails come from, if it is said.
func (t *thing) sender(a deliver.Address) {
	if a.Address != "" {
		t.say("from.email", strings.TrimSpace(a.Name+" <"+a.Address+">"))
	}
}

func (t *thing) duration(name string, d time.Duration) {
	if d != 0 {
		t.say(name, d.String())
	}
}

func rule(a automation.Automation) thing {
	t := thing{kind: "automation", id: a.ID}
	t.say("name", a.Name)
	if !a.Trigger.Enabled {
		t.say("enabled", "false")
	}
	t.list("agents", a.Trigger.Agents)
	t.say("on", a.Trigger.Event)
	t.say("attempts", string(a.Trigger.Attempts))
	t.when(a.Trigger)
	t.list("require", a.Require)
	if a.Route != nil {
		t.say("route.on", a.Route.On)
		t.options("route.options", a.Route.Options)
		for _, key := range slices.Sorted(maps.Keys(a.Route.To)) {
			t.targets("route.to."+key, a.Route.To[key])
		}
		t.targets("route.otherwise", a.Route.Otherwise)
	}
	t.flag("send_tests", a.SendTests)
	t.number("limit.per_day", a.PerDay)
	of := map[string]int{}
	for _, act := range a.Actions {
		of[act.Channel]++
		t.action(fmt.Sprintf("%s %d.", act.Channel, of[act.Channel]), act)
	}
	return t
}

// when adds the trigger: its gate, then its question.
func (t *thing) when(w triggers.Trigger) {
	g := w.Gate
	t.list("when.calls.status", g.Status)
	t.list("when.calls.direction", g.Direction)
	t.list("when.calls.channel", g.Channel)
	t.number("when.calls.min_turns", g.MinTurns)
	t.number("when.calls.min_seconds", g.MinSeconds)
	t.number("when.calls.max_seconds", g.MaxSeconds)
	t.hours("when.calls.between", g.Between)
	for _, key := range slices.Sorted(maps.Keys(g.Metadata)) {
		t.say("when.calls.metadata."+key, fmt.Sprint(g.Metadata[key]))
	}
	if w.Always {
		t.say("when", "always")
	}
	if n := w.Count; n != nil {
		t.number("when.at_least", n.AtLeast)
		t.duration("when.within", n.Within)
		t.list("when.by", n.By)
	}
	t.say("when.ask", w.Ask)
	t.speaker("when.said_by", w.SaidBy)
	if w.Absence {
		t.say("when.evidence", "none")
	}
	if w.OnUnsure != triggers.Review {
		t.say("on_unsure", string(w.OnUnsure))
	}
}

// hours adds spans of the week as an author writes them.
func (t *thing) hours(name string, spans []triggers.Hours) {
	var all []string
	for _, h := range spans {
		var days []string
		for d := time.Sunday; d <= time.Saturday; d++ {
			if h.Days[d] {
				days = append(days, d.String()[:3])
			}
		}
		clock := fmt.Sprintf("%02d:%02d-%02d:%02d", h.From/60, h.From%60, h.To/60, h.To%60)
		if len(days) > 0 && len(days) < 7 {
			clock = strings.Join(days, ",") + " " + clock
		}
		all = append(all, clock)
	}
	t.list(name, all)
}

// action adds one action's fields under its name. An action is known by its channel and its turn among those of it.
func (t *thing) action(at string, a automation.Action) {
	if a.If != nil {
		t.say(at+"if", a.If.Source)
	}
	switch {
	case a.Send.Now:
		t.say(at+"send", "now")
	case a.Send.AtEnd:
		t.say(at+"send", "call_end")
	}
	t.duration(at+"send.after", a.Send.After)
	t.hours(at+"window", a.Send.Window)
	switch {
	case a.Send.Theirs:
		t.say(at+"window.timezone", "recipient")
	case a.Send.Zone != nil:
		t.say(at+"window.timezone", a.Send.Zone.String())
	}
	t.targets(at+"to", a.To)
	t.targets(at+map[bool]string{false: "cc", true: "mention"}[a.Channel == deliver.Chatter], a.CC)
	t.targets(at+"reply_to", a.ReplyTo)
	t.flag(at+"together", a.Together)
	t.text(at+"subject", a.Subject)
	t.text(at+"body", a.Body)
	for _, key := range slices.Sorted(maps.Keys(a.Fields)) {
		t.text(at+key, a.Fields[key])
	}
	if task := a.Task; task != nil {
		_, assignee, _ := strings.Cut(task.Assignee, ":") // as the author writes it
		t.say(at+"assignee", assignee)
		t.duration(at+"due.after", task.Due.After)
		t.say(at+"priority", string(task.Priority.Fixed))
		t.say(at+"priority.from", task.Priority.From)
		for _, key := range slices.Sorted(maps.Keys(task.Priority.Map)) {
			t.say(at+"priority."+key, string(task.Priority.Map[key]))
		}
		t.say(at+"priority.else", string(task.Priority.Else))
	}
}
