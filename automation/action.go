package automation

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"aftercall/deliver"
	"aftercall/recipients"
	"aftercall/tasks"
	"aftercall/templates"
	"aftercall/triggers"
	"aftercall/variables"
)

// defaultBody is what an e-mail without a body says.
const defaultBody = "A telephone call has been made"

// actions reads the list of what an automation does.
func (r *rule) actions(v value) {
	if !v.present() {
		r.v.fail(codeMissing, "the automation has no actions", "write  actions:  with at least one of email, sms, chatter, cti, team_alert, task")
		return
	}
	list := v.items("actions")
	if len(list) == 0 && !v.quiet() && len(v.node.Content) == 0 {
		v.fail(codeMissing, "the automation has no actions", "add at least one")
	}
	for i, w := range list {
		if a, ok := r.action(i, w); ok {
			r.a.Actions = append(r.a.Actions, a)
		}
	}
}

// action reads one action: a mapping of one key, the channel.
func (r *rule) action(index int, v value) (Action, bool) {
	es := v.entries("an action")
	if len(es) != 1 {
		if v.isMapping() {
			v.fail(codeType, "an action is one of email, sms, chatter, cti, team_alert, task with its settings below it",
				"write  - email: { to: [support], subject: \"…\" }  and start each action with  - ")
		}
		return Action{}, false
	}
	channel, w := es[0].key, es[0].what
	if w.of == nil {
		es[0].at.unknown(codeUnknownKey, "unknown action", v.of.mapping().names())
		return Action{}, false
	}
	f := w.fields()
	if !w.isMapping() {
		return Action{}, false
	}
	a := Action{Index: index, Channel: channel, If: r.condition(f["if"]), Send: r.timing(f["send"], f["window"])}
	r.now = a.Send.Now
	switch channel {
	case deliver.Email:
		r.email(&a, w, f)
	case deliver.SMS:
		r.sms(&a, w, f)
	case deliver.Chatter:
		r.chatter(&a, w, f)
	case deliver.Task:
		r.task(&a, w, f)
	default:
		r.alert(&a, w, f)
	}
	return a, true
}

func (r *rule) email(a *Action, v value, f map[string]value) {
	r.c.canSend(v, a.Channel)
	a.To = r.recipients(v, f["to"], a.Channel)
	a.CC = r.recipients(value{}, f["cc"], a.Channel)
	a.ReplyTo = r.replyTo(f["reply_to"])
	a.Together = f["together"].boolean("together", len(a.CC) > 0)
	if !a.Together && len(a.CC) > 0 {
		f["together"].fail(codeValue, "with cc everybody gets the same message", "take out together: false, or cc")
	}
	a.Subject = r.must(v, f["subject"], "subject", templates.Header)
	switch {
	case f["body"].present() && f["body_file"].present():
		f["body_file"].fail(codeBody, "body and body_file are the same thing", "keep one of them")
	case f["body"].present():
		a.Body = r.text(f["body"], "body", templates.Markdown)
		f["body"].folding()
		length(a.Body, f["body"].at)
	case f["body_file"].present():
		a.Body = r.bodyFile(f["body_file"])
	default:
		a.Body, _ = templates.Parse(defaultBody, templates.Markdown, r.c.names)
	}
}

// replyTo reads the one place answers go to.
func (r *rule) replyTo(v value) []recipients.Target {
	ts := r.recipients(value{}, v, deliver.Email)
	if len(v.list()) > 1 {
		v.fail(codeValue, "answers can go to one place", "keep one entry")
	}
	for _, t := range ts {
		if t.Kind == recipients.Group || t.Kind == recipients.ByRoute {
			v.fail(codeTarget, "answers cannot go to a group or a route", "name a person or an address")
		}
	}
	return ts
}

func (r *rule) sms(a *Action, v value, f map[string]value) {
	a.To = r.recipients(v, f["to"], a.Channel)
	a.Body = r.must(v, f["body"], "body", templates.Plain)
	f["body"].texting(a.Body)
	if f["from"].present() {
		if n := phone(f["from"], "from"); n != "" {
			r.field(a, "from", f["from"], templates.Header)
			if !r.c.partial && !r.c.rev.Directory.Allow.MaySend(n) {
				f["from"].tighten(codeValue, "texts of this account do not come from this number", "add it under allow.senders, if it is the account's own")
			}
		}
	} else {
		r.c.canSend(v, a.Channel)
	}
	r.field(a, "topic", f["topic"], templates.Header)
}

// chatter reads a post. Its target is an address, so what was said can have no part in it.
func (r *rule) chatter(a *Action, v value, f map[string]value) {
	a.To = r.recipients(value{}, f["to"], a.Channel)
	target := f["target"].fields()
	switch {
	case len(target) != 1 && len(a.To) == 0:
		v.fail(codeNoTarget, "a Chatter post needs one target", `write  target: { record: "{{crm_record_id}}" }`)
	case len(target) > 0 && len(a.To) > 0:
		v.tighten(codeNoTarget, "a Chatter post goes to a target or to people, not both", "take out to, or target; mention: names people below the text")
	}
	for _, kind := range PostTargets() {
		r.target(a, kind, target[kind])
	}
	if f["mention"].present() {
		a.CC = r.recipients(value{}, f["mention"], a.Channel)
		r.c.rev.Format = max(r.c.rev.Format, 7)
	}
	if f["visibility"].word("visibility") != "" {
		r.field(a, "visibility", f["visibility"], templates.Header)
	}
	a.Body = r.must(v, f["message"], "message", templates.Plain)
}

// PostTargets are the fields that say where a Chatter post goes.
func PostTargets() []string { return []string{"record", "user", "user_id", "group", "group_id"} }

// target reads one way of saying where a post goes.
func (r *rule) target(a *Action, kind string, v value) {
	r.field(a, kind, v, templates.Header)
	text := a.Fields[kind]
	if text == nil {
		return
	}
	if what, ok := strings.CutSuffix(kind, "_id"); ok {
		r.c.rev.Format = max(r.c.rev.Format, 7)
		prefix := map[string]string{"user": "005", "group": "0F9"}[what]
		if !regexp.MustCompile(crmKind(prefix).pattern).MatchString(text.Source) {
			v.fail(codeValue, "this is not the id of a "+what, "it begins with "+prefix+" and has 15 or 18 letters and digits; a name stands under "+what)
		}
	}
	for _, name := range text.Names() {
		if name != "crm_record_id" {
			v.fail(codeUnavailable, fmt.Sprintf("{{%s}} cannot choose who reads a post", name), "write an id, or {{crm_record_id}}")
		}
	}
}

// alert reads a team alert or a pop-up: a text, to everybody unless somebody is named.
func (r *rule) alert(a *Action, v value, f map[string]value) {
	a.To = r.recipients(value{}, f["to"], a.Channel)
	if a.Channel == deliver.TeamAlert && !f["to"].present() {
		a.To = []recipients.Target{{Kind: recipients.All, Value: "all"}}
	}
	a.Body = r.must(v, f["text"], "text", templates.Plain)
}

func (r *rule) task(a *Action, v value, f map[string]value) {
	a.Subject = r.must(v, f["title"], "title", templates.Header)
	if f["description"].present() {
		a.Body = r.text(f["description"], "description", templates.Plain)
	}
	a.Task = &TaskAction{Priority: r.priority(f["priority"])}
	due := f["due"].fields()
	a.Task.Due.After = due["after"].duration("after")
	if s, ok := f["assignee"].line("assignee"); ok {
		t, p := r.c.rev.Directory.ParseTarget(s, "")
		switch {
		case p != nil && r.c.partial: // may stand where nothing could be read
		case p != nil:
			f["assignee"].fail(codeTarget, p.Message, r.c.meant(s, p.Help))
		case t.Kind != recipients.Person && t.Kind != recipients.Group:
			f["assignee"].fail(codeTarget, "a task is assigned to a person or a group", "write a key under people or groups")
		default:
			a.Task.Assignee = t.Key()
		}
	}
}

// levels are the words of a task's priority.
func levels() []string {
	return []string{string(tasks.Low), string(tasks.Medium), string(tasks.High), string(tasks.Urgent)}
}

// priority reads a level, or a mapping from a variable's values to levels.
func (r *rule) priority(v value) tasks.PriorityRule {
	if !v.isMapping() {
		return tasks.PriorityRule{Fixed: tasks.Priority(v.word("priority"))}
	}
	rule := tasks.PriorityRule{Map: map[string]tasks.Priority{}}
	for _, e := range v.entries("priority") {
		switch e.key {
		case "from":
			if s, ok := e.what.line("from"); ok {
				rule.From = s
				r.name(s, e.what)
			}
		case "else":
			rule.Else = tasks.Priority(e.what.word("else"))
		default:
			rule.Map[e.key] = tasks.Priority(e.what.word("priority"))
		}
	}
	if rule.From == "" && !v.quiet() {
		v.fail(codeMissing, "a priority by value needs from", "write  priority: { from: dyn_severity, critical: urgent, else: medium }")
	}
	d := r.c.rev.Declarations[rule.From]
	for _, e := range v.entries("priority") {
		keys := []string{"from", "else"}
		for _, o := range d.Values {
			keys = append(keys, o.Key)
		}
		if d.Type == variables.Enum && !slices.Contains(keys, e.key) {
			e.at.unknown(codeMember, rule.From+" has no value", keys[2:])
		}
	}
	return rule
}

// recipients reads to: or cc: and checks that each entry can be reached on the channel. owner is where to report that
// there is nobody; the zero owner does not mind.
func (r *rule) recipients(owner, v value, channel string) []recipients.Target {
	if !v.present() {
		if owner.present() {
			owner.fail(codeEmpty, "nobody would receive this", "write  to:  with people, groups or addresses")
		}
		return nil
	}
	if owner.present() && !v.quiet() && len(v.list()) == 0 {
		v.fail(codeEmpty, "nobody would receive this", "name a person, a group or an address")
	}
	ts := r.c.targets(v, channel)
	for _, t := range ts {
		switch {
		case t.Kind == recipients.Contact && r.a.Trigger.Absence:
			v.fail(codeAbsence, "a trigger without evidence may reach internal recipients only", "take out {{"+t.Value+"}}, or evidence: none")
		case t.Kind == recipients.ByRoute:
			r.routes = true
			r.reach(v, channel)
		}
	}
	return ts
}

// reach checks that every branch of the route can be reached on the channel of an action that writes to it.
func (r *rule) reach(v value, channel string) {
	route := r.a.Route
	if route == nil {
		if !r.routed.present() {
			v.fail(codeRoute, "the automation has no route", "add  route:  to it, or name recipients here")
		}
		return
	}
	branches := map[string][]recipients.Target{"otherwise": route.Otherwise}
	for key, ts := range route.To {
		branches[key] = ts
	}
	var lost []string
	for key, ts := range branches {
		reachable := slices.ContainsFunc(ts, func(t recipients.Target) bool { return r.c.rev.Directory.Reach(t, channel) == nil })
		if len(ts) > 0 && !reachable && !r.c.partial {
			lost = append(lost, key)
		}
		if r.a.Trigger.Absence && slices.ContainsFunc(ts, func(t recipients.Target) bool { return t.Kind == recipients.Contact }) {
			r.routed.fail(codeAbsence, "a trigger without evidence may reach internal recipients only", "take the customer out of the route, or evidence: none")
		}
	}
	if len(lost) > 0 {
		slices.Sort(lost)
		v.fail(codeTarget, fmt.Sprintf("nobody in the route's branch %s can be reached by %s", strings.Join(lost, ", "), channel),
			"add somebody who can to the branch, or name recipients here")
	}
}

// timing reads send: and window:.
func (r *rule) timing(send, window value) Timing {
	var t Timing
	t.Window, t.Zone, t.Theirs = r.window(window)
	if !send.present() {
		return t
	}
	if send.isMapping() {
		t.After = send.fields()["after"].duration("after")
		return t
	}
	word := send.word("send")
	t.Now, t.AtEnd = word == "now", word == "call_end" && r.a.Trigger.Event != ""
	if t.Now && r.a.Trigger.Event == "" {
		send.fail(codeNow, "now is while the call goes on, but this automation waits for its end", "write  send: call_end, or add  on:  with the event")
	}
	if t.Now && window.present() {
		window.fail(codeValue, "now cannot wait for a window", "take out send: now, or window")
	}
	return t
}

// window reads window: hours of the week, or those with a zone of their own.
func (r *rule) window(v value) (spans []triggers.Hours, of *time.Location, theirs bool) {
	if !v.isMapping() {
		return hours(v, "window"), nil, false
	}
	f := v.fields()
	if !f["hours"].present() {
		v.fail(codeMissing, "a window needs hours", `write  window: { hours: "Mon-Sat 08:00-20:00", timezone: Europe/Berlin }`)
	}
	r.c.rev.Format = max(r.c.rev.Format, 3) // older versions refuse a window that is a mapping, whatever is in it
	if name, _ := f["timezone"].line("timezone"); name == recipientsZone {
		r.c.rev.Format = max(r.c.rev.Format, 8)
		return hours(f["hours"], "hours"), nil, true
	}
	return hours(f["hours"], "hours"), zone(f["timezone"]), false
}

// recipientsZone is what a window's timezone says for the recipient's own.
const recipientsZone = "recipient"
