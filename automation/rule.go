package automation

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"aftercall/interview"
	"aftercall/recipients"
	"aftercall/triggers"
)

// rule is one automation being composed.
type rule struct {
	c      *compiler
	a      *Automation
	v      value
	routed value // the route, and whether an action writes to it
	routes bool
	now    bool // the action being read goes out while the call goes on
}

// rule reads one automation. It is added even if something is wrong with it, so that the other checks see it.
func (c *compiler) rule(v value) {
	f := v.fields()
	if !v.isMapping() {
		return
	}
	a := Automation{File: v.doc.path, Line: v.node.Line, Col: v.node.Column, SendTests: f["send_tests"].boolean("send_tests", false)}
	r := &rule{c: c, a: &a, v: v, routed: f["route"]}
	r.identify(f)
	a.Trigger = triggers.Trigger{
		ID: a.ID, Enabled: f["enabled"].boolean("enabled", true), Agents: f["agents"].lines("an agent"),
		SaidBy: interview.Anyone, OnUnsure: triggers.Review,
	}
	r.event(f["on"], f["attempts"])
	r.when(f["when"])
	if w := f["on_unsure"].word("on_unsure"); w != "" {
		a.Trigger.OnUnsure = triggers.OnUnsure(w)
	}
	r.route(f["route"])
	r.actions(f["actions"])
	r.require(f["require"])
	r.limit(f["limit"])
	r.finish()
	c.rev.Automations = append(c.rev.Automations, a)
}

// mostFires is more than any automation fires in a day; a longer number is a slip.
const mostFires = 1_000_000_000

// limit reads how often the automation may fire. A version that does not know the key would send without it, so it leaves
// such a revision to those that do.
func (r *rule) limit(v value) {
	if !v.present() {
		return
	}
	r.c.rev.Format = max(r.c.rev.Format, 5)
	if t := v.fields()["per_day"]; t.present() {
		r.a.PerDay = t.integer("per_day")
	} else if v.isMapping() {
		v.fail(codeMissing, "the limit has no per_day", "write  limit: { per_day: 200 }")
	}
}

func (r *rule) identify(f map[string]value) {
	if !f["id"].present() {
		r.v.fail(codeMissing, "an automation needs an id", "write  id: callback-requested; decisions are kept under it")
	} else if id, ok := f["id"].id("an automation's id"); ok {
		r.a.ID = id
		r.c.once("automation", id, f["id"])
	}
	r.a.Name = r.a.ID
	if s, ok := f["name"].line("name"); ok {
		r.a.Name = s
	}
}

// event reads on: the type of the event an automation waits for instead of a finished conversation, and for which
// attempts of the call it fires, as counted upstream.
func (r *rule) event(on, attempts value) {
	if s, ok := on.line("on"); ok {
		r.c.rev.Format = max(r.c.rev.Format, 8) // an older version would take an event for a call that is over
		r.a.Trigger.Event = s
		r.a.Trigger.Attempts = triggers.FirstAttempt
	}
	if !attempts.present() {
		return
	}
	if !on.present() {
		attempts.fail(codeValue, "attempts are counted for events only", "take it out, or add  on:  with the event")
	}
	if w := attempts.word("attempts"); w != "" {
		r.a.Trigger.Attempts = triggers.Attempts(w)
	}
}

// when reads the gate and the question.
func (r *rule) when(v value) {
	t := &r.a.Trigger
	switch {
	case !v.present() && t.Event != "":
		t.Always = true
		return
	case !v.present():
		r.v.fail(codeMissing, "an automation needs when", "write  when: { ask: \"Did the customer …?\" }  or  when: always")
		return
	case v.node.Value == "always":
		t.Always = true
		return
	case !v.isMapping():
		if !v.quiet() {
			v.fail(codeType, "when must be always, or a mapping with ask", "write  when: { ask: \"Did the customer …?\" }")
		}
		return
	}
	f := v.fields()
	r.gate(f["calls"])
	r.point(f["point"])
	t.Always = f["always"].boolean("always", false)
	r.count(f)
	r.question(v, f)
}

// count reads at_least, within and by: an automation that fires once several have come.
func (r *rule) count(f map[string]value) {
	least, within, by := f["at_least"], f["within"], f["by"]
	if !least.present() {
		for _, v := range []value{within, by} {
			if v.present() {
				v.fail(codeMissing, "within and by belong to at_least", "write  at_least: 10  beside it")
				return
			}
		}
		return
	}
	r.c.rev.Format = max(r.c.rev.Format, 8) // an older version would fire for each
	n := &triggers.Count{AtLeast: least.integer("at_least"), Within: within.duration("within")}
	r.a.Trigger.Count = n
	switch {
	case !within.present():
		least.fail(codeMissing, "at_least needs within", "write  within: 5m")
	case !within.quiet() && n.Within == 0:
		within.fail(codeValue, "within no time nothing can come together", "write  within: 5m")
	}
	for _, v := range by.list() {
		s, ok := v.line("by")
		if key, found := strings.CutPrefix(s, triggers.ByMetadata); ok && !slices.Contains(triggers.CountedBy(), s) && (!found || key == "") {
			v.unknown(codeValue, "nothing is counted by", append(triggers.CountedBy(), triggers.ByMetadata+"KEY"))
		} else if ok {
			n.By = append(n.By, s)
		}
	}
	if f["ask"].present() {
		f["ask"].fail(codeValue, "what is counted is counted before anything is read", "take out ask, or at_least")
	}
}

// What at_least and within may say: beyond it, a spike is a habit.
const (
	mostCounted = 1000
	maxWithin   = 24 * time.Hour
)

func (r *rule) question(v value, f map[string]value) {
	t := &r.a.Trigger
	if w := f["said_by"].word("said_by"); w != "" {
		t.SaidBy = interview.Speaker(w)
	}
	if f["evidence"].present() {
		t.Absence = f["evidence"].word("evidence") == "none"
	}
	if t.Absence && t.SaidBy != interview.Anyone {
		f["said_by"].fail(codeValue, "nobody can say what did not happen", "take out said_by, or evidence: none")
	}
	ask := f["ask"]
	switch {
	case ask.present() && t.Always:
		ask.fail(codeValue, "an automation either asks a question or always fires", "take out ask, or always")
	case ask.present() && t.Event != "":
		ask.fail(codeNow, "there is no transcript yet when an event comes in", "take out ask, or on")
	case ask.present():
		r.ask(ask)
	case t.Event != "":
		t.Always = true
	case t.Count != nil:
		t.Always = true
	case !t.Always:
		v.fail(codeMissing, "when needs a question", "write  ask: \"Did the customer …?\", or  always: true")
	}
}

// maxAsk is the longest question in characters: it stands in the prompt of every call.
const maxAsk = 1000

func (r *rule) ask(v value) {
	s, ok := v.text("ask")
	if !ok {
		return
	}
	r.a.Trigger.Ask = oneLine(s)
	switch {
	case strings.TrimSpace(s) == "":
		v.fail(codeMissing, "the question is empty", "ask what was said, such as \"Did the customer ask to be called back?\"")
	case len([]rune(s)) > maxAsk:
		v.fail(codeValue, fmt.Sprintf("the question is longer than %d characters", maxAsk), "ask for one thing")
	case strings.Contains(s, "{{"):
		v.fail(codeValue, "a question is not a template", "write it out; the model reads the whole transcript anyway")
	case r.c.english() && !foreignLetters(s):
		v.wording(s)
	}
}

// gate reads when.calls, the free part of a trigger.
func (r *rule) gate(v value) {
	f := v.fields()
	g := &r.a.Trigger.Gate
	g.Status = f["status"].words("status")
	g.Direction = f["direction"].words("direction")
	g.Channel = f["channel"].words("channel")
	g.MinTurns = f["min_turns"].integer("min_turns")
	g.MinSeconds = f["min_seconds"].integer("min_seconds")
	g.MaxSeconds = f["max_seconds"].integer("max_seconds")
	if g.MaxSeconds > 0 && g.MaxSeconds < g.MinSeconds {
		f["max_seconds"].fail(codeValue, "max_seconds is below min_seconds, so no call can pass", "swap them")
	}
	g.Between = hours(f["between"], "between")
	for _, e := range f["metadata"].entries("metadata") {
		if wanted := scalars(e.what); wanted != nil {
			if g.Metadata == nil {
				g.Metadata = map[string]any{}
			}
			g.Metadata[e.key] = wanted
		}
	}
}

// point reads the point of a call.reached event. It is part of the event's data, so the gate compares it as such.
func (r *rule) point(v value) {
	s, ok := v.line("point")
	switch {
	case !ok:
	case r.a.Trigger.Event == "":
		v.fail(codeValue, "point belongs to an event", "add  on: call.reached  to the automation")
	default:
		if r.a.Trigger.Gate.Metadata == nil {
			r.a.Trigger.Gate.Metadata = map[string]any{}
		}
		r.a.Trigger.Gate.Metadata["point"] = s
	}
}

func hours(v value, what string) []triggers.Hours {
	var out []triggers.Hours
	for _, s := range v.list() {
		text, ok := s.line(what)
		if !ok {
			continue
		}
		h, ok := parseHours(text)
		if !ok {
			s.fail(codeValue, what+" must be hours of the week", `write "Mon-Fri 08:00-18:00", or "08:00-18:00" for every day`)
			continue
		}
		if h.From == h.To {
			s.warn(codeWindow, text+" begins and ends at the same minute, so it is the whole day", "write two times that differ, or 00:00-24:00")
		}
		out = append(out, h)
	}
	return out
}

// scalars reads a wanted metadata value: a scalar, or a list of them.
func scalars(v value) any {
	if v.quiet() {
		return nil
	}
	var list []any
	for _, w := range v.list() {
		if s, ok := w.plain(); ok {
			list = append(list, s)
		}
	}
	if len(list) == 1 {
		return list[0]
	}
	if len(list) == 0 {
		return nil
	}
	return list
}

// route reads route: the recipients by content.
func (r *rule) route(v value) {
	f := v.fields()
	if !v.isMapping() {
		return
	}
	route := &recipients.Route{To: map[string][]recipients.Target{}}
	r.a.Route = route
	switch {
	case f["on"].present() == f["options"].present():
		v.fail(codeRoute, "a route is either on a variable or among options", "write  on: dyn_severity  with to, or options")
	case f["on"].present():
		r.routeOn(f, route)
	default:
		r.routeOptions(f["options"], route)
	}
	if !f["otherwise"].present() {
		v.fail(codeOtherwise, "route has no otherwise; a call that matches no option would reach no one", "add  otherwise: [support]")
		return
	}
	route.Otherwise = r.branch(f["otherwise"])
	if r.pointless(route) {
		v.warn(codeSameBranch, "whatever was said, this route leads to the same recipients", "name them under to: in the action, or let a branch lead elsewhere")
	}
}

// pointless reports whether every branch leads where otherwise does.
func (r *rule) pointless(route *recipients.Route) bool {
	for _, ts := range route.To {
		if !slices.Equal(ts, route.Otherwise) {
			return false
		}
	}
	return len(route.To) > 0 && len(route.Otherwise) > 0 && !r.c.partial
}

func (r *rule) routeOn(f map[string]value, route *recipients.Route) {
	on, ok := f["on"].line("on")
	if !ok {
		return
	}
	route.On = on
	d, declared := r.c.rev.Declarations[on]
	var keys []string
	for _, o := range d.Values {
		keys = append(keys, o.Key)
	}
	if !declared && !r.c.knows(on) || declared && len(keys) == 0 && d.Type != "enum" {
		f["on"].fail(codeRoute, fmt.Sprintf("%s is not declared as an enum, so no value of it can name a branch", on),
			"declare it under variables with type: enum and values")
	} else {
		r.need(on, f["on"].whole)
	}
	if !f["to"].present() {
		f["on"].fail(codeMissing, "a route on a variable needs to", "write  to: { high: [support] }")
	}
	for _, e := range f["to"].entries("to") {
		if len(keys) > 0 && !slices.Contains(keys, e.key) {
			e.at.unknown(codeRoute, on+" has no value", keys)
		}
		route.To[e.key] = r.branch(e.what)
	}
}

func (r *rule) routeOptions(v value, route *recipients.Route) {
	for _, e := range v.entries("options") {
		f := e.what.fields()
		e.at.id("an option")
		if e.key == interview.Otherwise {
			e.at.fail(codeID, "an option cannot be called otherwise", "otherwise stands beside options")
		}
		if e.what.isMapping() && (!f["when"].present() || !f["to"].present()) {
			e.at.fail(codeMissing, "an option needs when and to", `write  billing: { when: "money, invoices", to: [billing] }`)
		}
		when, _ := f["when"].text("when")
		route.Options = append(route.Options, interview.Option{Key: e.key, When: oneLine(when)})
		route.To[e.key] = r.branch(f["to"])
	}
}

// branch reads the recipients of one branch of a route. The channels they are for are known once the actions are.
func (r *rule) branch(v value) []recipients.Target {
	if !v.present() {
		return nil
	}
	ts := slices.DeleteFunc(r.c.targets(v, ""), func(t recipients.Target) bool {
		if t.Kind == recipients.ByRoute || t.Kind == recipients.All {
			v.fail(codeTarget, "a branch of a route names people, groups and addresses", "take out route and all, which belong under to: in an action")
			return true
		}
		return false
	})
	if len(ts) == 0 && len(v.list()) == 0 && !v.quiet() {
		v.fail(codeEmpty, "this branch reaches no one", "name a person, a group or an address")
	}
	return ts
}

// require reads the variables without which no action goes out.
func (r *rule) require(v value) {
	for _, w := range v.list() {
		s, ok := w.line("a variable")
		switch {
		case !ok:
		case !strings.HasPrefix(s, dynPrefix):
			w.fail(codeVariable, s+" is not a stated variable", "require is for names that start with dyn_")
		case !r.c.knows(s) && !slices.Contains(r.a.Dyn, s):
			w.fail(codeVariable, fmt.Sprintf("%s is neither declared nor used by this automation", s), r.c.proposal(s, r.a.Dyn))
		default:
			r.a.Require = append(r.a.Require, s)
			r.need(s, w.whole)
		}
	}
}

// finish draws what follows from the parts.
func (r *rule) finish() {
	a := r.a
	a.Trigger.NeedsValues = len(a.Dyn) > 0 || a.Route != nil && len(a.Route.Options) > 0
	if a.Trigger.Event != "" && a.Trigger.NeedsValues {
		r.v.fail(codeNow, "nothing has been said yet when an event comes in, so stated variables and options have no value",
			"use system variables and metadata, or take out on")
	}
	if a.Trigger.Event == "" && a.Trigger.Count != nil && a.Trigger.NeedsValues {
		r.v.fail(codeValue, "what is counted is counted before anything is read, so stated variables and options have no value",
			"use system variables and metadata, or take out at_least")
	}
	if a.Route != nil && !r.routes {
		r.routed.warn(codeUnused, "no action writes to the route", "add  to: [route]  to an action")
	}
}

// need notes that the automation needs a stated variable.
func (r *rule) need(name string, at where) {
	if !strings.HasPrefix(name, dynPrefix) {
		return
	}
	r.c.use(name, at)
	if !slices.Contains(r.a.Dyn, name) {
		r.a.Dyn = append(r.a.Dyn, name)
	}
}

// maxDelay is the longest an action can wait after a conversation, and a task can be due.
const maxDelay = 90 * 24 * time.Hour
