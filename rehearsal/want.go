package rehearsal

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"aftercall/automation"
	"aftercall/deliver"
	"aftercall/interview"
)

// Want is what a case expects. What it does not speak of is not looked at, with one exception: an automation that is unsure
// is not silent, so where Fires is said and Unsure is not, nothing may be unsure.
type Want struct {
	Fires, Unsure *[]string // automations: exactly these
	Holds         *[]string // automations of which something is held for a person
	Variables     []wantedValue
	Routes        map[string]string // by automation: the branch taken
	Actions       []wantedAction
	Silent        []string // channels on which nothing goes out and nothing is held
	NeverTo       []string // patterns of addresses that nothing may go to, now or after a hold
}

type wantedValue struct {
	name string
	is   match
}

// wantedAction is an action that must be among those of the automations that fire.
type wantedAction struct {
	channel, of string
	to, held    *[]string
	texts       []wantedText
}

type wantedText struct {
	field string
	is    match
}

// match says how a text is compared: it is one of several, or contains and lacks parts, or is not there at all.
type match struct {
	absent          bool
	any             []string
	contains, lacks []string
}

// fits reports whether a text is what is wanted; there is false for a value that is not stated.
func (m match) fits(text string, there bool) bool {
	switch {
	case m.absent:
		return !there
	case !there || len(m.any) > 0 && !slices.Contains(m.any, text):
		return false
	}
	return !slices.ContainsFunc(m.contains, func(s string) bool { return !strings.Contains(text, s) }) &&
		!slices.ContainsFunc(m.lacks, func(s string) bool { return strings.Contains(text, s) })
}

// String says what is wanted.
func (m match) String() string {
	var parts []string
	if m.absent {
		parts = append(parts, "not stated")
	}
	if len(m.any) > 0 {
		parts = append(parts, strings.Join(quoted(m.any), " or "))
	}
	if len(m.contains) > 0 {
		parts = append(parts, "contains "+strings.Join(quoted(m.contains), " and "))
	}
	if len(m.lacks) > 0 {
		parts = append(parts, "lacks "+strings.Join(quoted(m.lacks), " and "))
	}
	return strings.Join(parts, ", ")
}

func quoted(all []string) []string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = fmt.Sprintf("%q", s)
	}
	return out
}

// texts are the texts that a case can speak of, by channel.
func texts() map[string][]string {
	return map[string][]string{
		deliver.Email:     {"subject", "text", "html", "cc", "reply_to"},
		deliver.SMS:       {"text"},
		deliver.Chatter:   {"text", "mention"},
		deliver.CTI:       {"text"},
		deliver.TeamAlert: {"text"},
		deliver.Task:      {"title", "description", "priority"},
	}
}

func (r *reader) want(v node) Want {
	channels := slices.Sorted(maps.Keys(texts()))
	f := v.fields("expect", slices.Concat([]string{"fires", "unsure", "holds", "variables", "route", "never_to"}, channels)...)
	if v.n.Kind == yaml.MappingNode && len(v.n.Content) == 0 {
		v.fail(codeMissing, "nothing is expected, so the case would pass whatever comes", "write  expect: { fires: [] }  if nothing is to fire")
	}
	w := Want{Fires: r.automations(f["fires"]), Unsure: r.automations(f["unsure"]), Holds: r.automations(f["holds"])}
	if w.Unsure == nil && w.Fires != nil {
		w.Unsure = &[]string{}
	}
	for _, e := range f["variables"].entries("variables") {
		if !e.at.among(slices.Sorted(maps.Keys(r.suite.Account.Declarations)), "the account has no variable") {
			continue
		}
		w.Variables = append(w.Variables, wantedValue{e.key, r.match(e.what)})
	}
	w.Routes = r.routes(f["route"], w.Fires)
	for _, channel := range channels {
		v := f[channel]
		if v.present() && len(v.list()) == 0 {
			w.Silent = append(w.Silent, channel)
		}
		for _, one := range v.list() {
			w.Actions = append(w.Actions, r.action(channel, one))
		}
	}
	for _, p := range f["never_to"].list() {
		s, ok := p.text("a pattern")
		if _, err := path.Match(s, ""); err != nil {
			p.fail(codeValue, "this is no pattern of addresses", `write "*@evil.example"`)
		} else if ok {
			w.NeverTo = append(w.NeverTo, strings.ToLower(s))
		}
	}
	return w
}

// automations reads a list of automations' ids; nil if the key is not there.
func (r *reader) automations(v node) *[]string {
	if !v.present() {
		return nil
	}
	ids := []string{}
	for _, w := range v.list() {
		if id, ok := w.text("an automation"); ok && r.known(w) {
			ids = append(ids, id)
		}
	}
	return &ids
}

// known reports whether the account has an automation, and says so if not.
func (r *reader) known(v node) bool {
	return v.among(idsOf(r.suite.Account), "the account has no automation")
}

// idsOf are the automations of an account, in file order.
func idsOf(account *automation.Revision) (all []string) {
	for _, a := range account.Automations {
		all = append(all, a.ID)
	}
	return all
}

// routes reads which branch is taken: by automation, or one word for the only automation that fires.
func (r *reader) routes(v node, fires *[]string) map[string]string {
	if !v.present() {
		return nil
	}
	wanted := map[string]string{}
	if v.n.Kind == yaml.ScalarNode {
		key, ok := v.text("route")
		if ok && (fires == nil || len(*fires) != 1) {
			v.fail(codeValue, "it is not clear which automation's route this is", "write  route: { AUTOMATION: "+key+" }")
		} else if ok && r.branch(v, (*fires)[0], key) {
			wanted[(*fires)[0]] = key
		}
		return wanted
	}
	for _, e := range v.entries("route") {
		if key, ok := e.what.text("a branch"); ok && r.known(e.at) && r.branch(e.what, e.key, key) {
			wanted[e.key] = key
		}
	}
	return wanted
}

// branch reports whether an automation's route has a branch, and says so if not.
func (r *reader) branch(v node, id, key string) bool {
	route := r.suite.Account.Automation(id).Route
	if route == nil {
		v.fail(codeName, id+" has no route", "take this out, or give the automation a route")
		return false
	}
	branches := append(slices.Sorted(maps.Keys(route.To)), interview.Otherwise)
	if !slices.Contains(branches, key) {
		v.unknown(codeName, "the route has no branch", branches)
		return false
	}
	return true
}

func (r *reader) action(channel string, v node) wantedAction {
	fields := texts()[channel]
	f := v.fields(channel, slices.Concat([]string{"of", "to", "held"}, fields)...)
	a := wantedAction{channel: channel, to: r.whom(f["to"]), held: r.whom(f["held"])}
	if id, ok := f["of"].text("an automation"); ok && r.known(f["of"]) {
		a.of = id
	}
	for _, name := range fields {
		if f[name].present() {
			a.texts = append(a.texts, wantedText{name, r.match(f[name])})
		}
	}
	return a
}

// whom reads a list of recipients, as they would stand under to: in the config, or as addresses; nil if the key is not there.
func (r *reader) whom(v node) *[]string {
	if !v.present() {
		return nil
	}
	all := []string{}
	dir := r.suite.Account.Directory
	for _, w := range v.list() {
		s, ok := w.text("a recipient")
		_, person := dir.People[s]
		_, group := dir.Groups[s]
		switch {
		case !ok:
		case person, group, s == "all", strings.ContainsAny(s, "@+"), strings.HasPrefix(s, "{{"):
			all = append(all, s)
		default:
			known := append(slices.Collect(maps.Keys(dir.People)), slices.Collect(maps.Keys(dir.Groups))...)
			slices.Sort(known)
			w.unknown(codeName, "there is no person, no group and no address", known)
		}
	}
	return &all
}

// match reads what a text must be: itself, one of a list, null, or a mapping of contains and lacks.
func (r *reader) match(v node) match {
	switch {
	case v.null():
		return match{absent: true}
	case v.n.Kind == yaml.MappingNode && len(v.n.Content) > 0:
		f := v.fields("a text", "contains", "lacks")
		return match{contains: f["contains"].texts("a part"), lacks: f["lacks"].texts("a part")}
	case len(v.n.Content) == 0 && v.n.Kind != yaml.ScalarNode:
		v.fail(codeMissing, "nothing is expected of this text", "write it, or null if it is not to be there")
		return match{}
	}
	return match{any: v.texts("a text")}
}
