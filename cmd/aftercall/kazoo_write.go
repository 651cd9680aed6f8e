package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"aftercall/recipients"
	"aftercall/templates"
)

// The two times at which Kazoo sends a notification.
const (
	kazooExec    = "callflow_exec"
	kazooDestroy = "channel_destroy"
)

// kazooMail is what one notification becomes.
type kazooMail struct {
	id, template, callflow    string
	now                       bool // during the call
	off                       bool // its template is switched off
	to, cc, replyTo           []string
	phones                    []string // people who can be sent a text
	subject, body, file, html string   // file is where html goes
}

// files are an account's part: people, automations and the bodies that are HTML.
func (k *kazooExport) files() map[string][]byte {
	out, ids, seen := map[string][]byte{}, idsTaken{}, map[string]bool{}
	people := &kazooPeople{keys: map[string]string{}, entries: map[string]string{}, taken: idsTaken{}}
	for _, word := range append(recipients.Reserved(), "null") { // a user called All is not everybody, and to YAML null is nothing
		people.taken[word] = true
	}
	var automations strings.Builder
	for _, n := range k.nodes {
		same := n.same()
		if seen[same] {
			k.warn("a notification by template %s stands twice; Kazoo sends it once, and so it is written once", textOf(n.data["template_id"]))
			continue
		}
		seen[same] = true
		m, ok := k.mail(n, people)
		if !ok {
			continue
		}
		if m.id = ids.take("kazoo-", "template", m.template); m.html != "" {
			m.file = m.id + ".html.hbs"
			out[m.file] = []byte(m.html)
		}
		automations.WriteString(m.yaml())
	}
	if k.written = len(ids); k.written == 0 {
		return nil
	}
	var b strings.Builder
	b.WriteString("# Imported from a Kazoo callflow. Whom it writes to must stand under allow in account.yaml.\n")
	if len(people.entries) > 0 {
		b.WriteString("people:\n")
		for _, key := range slices.Sorted(maps.Keys(people.entries)) {
			fmt.Fprintf(&b, "  %s: %s\n", key, people.entries[key])
		}
		b.WriteString("\n")
	}
	b.WriteString("automations:\n" + automations.String())
	out[kazooFile] = []byte(b.String())
	return out
}

// mail reads one notification as Kazoo would, and says where nothing would be sent.
func (k *kazooExport) mail(n kazooNode, people *kazooPeople) (m kazooMail, ok bool) {
	m.template, m.callflow = textOf(n.data["template_id"]), n.callflow
	at := textOf(n.data["send_at"])
	switch {
	case m.template == "":
		k.warn("a notification has no template_id: Kazoo sends nothing for it, and nothing is written")
		return m, false
	case at != "" && at != kazooExec && at != kazooDestroy:
		k.warn("template %s: send_at %s is neither %s nor %s: Kazoo sends nothing for it, and nothing is written", m.template, at, kazooExec, kazooDestroy)
		return m, false
	}
	m.now = at == kazooExec
	m.to = k.recipients(n, people, &m)
	k.template(&m, textOf(n.data["comments"]))
	if len(m.to) == 0 {
		k.warn("template %s: nobody is left to write to, and nothing is written; add the users of the callflow and the template to the file", m.template)
		return m, false
	}
	if !m.now && m.callflow == "" {
		k.warn("template %s: the file does not say which callflow it is in, so it fires for every call", m.template)
	}
	if !m.now && n.way.some && !k.always[n.same()] {
		k.warn("template %s: %s: Kazoo sends it only for calls that come by there; the automation fires for every call through the callflow, unless when.calls chooses among them",
			m.template, strings.Join(n.way.modules, ", "))
	}
	if !slices.Contains(textsOf(n.data["notification_media"]), "sms") {
		m.phones = nil
	} else if len(m.phones) == 0 {
		k.warn("template %s: texts are wanted, and none of its users has a phone number in the file", m.template)
	}
	return m, true
}

// recipients are addresses, and people for users whose document is in the file.
func (k *kazooExport) recipients(n kazooNode, people *kazooPeople, m *kazooMail) (to []string) {
	list, _ := n.data["recipients"].([]any)
	for _, one := range list {
		r, _ := one.(map[string]any)
		for _, id := range textsOf(r["id"]) {
			switch {
			case textOf(r["type"]) == "email" && isKazooAddress(id):
				to = append(to, id)
			case textOf(r["type"]) == "user" && k.users[id] != nil:
				if key := k.person(id, people, m); key != "" {
					to = append(to, key)
				}
			case textOf(r["type"]) == "user":
				k.warn("template %s: user %s is not in the file; add the person under people and to the automation", m.template, id)
			default:
				k.warn("template %s: recipient %s of type %q is no address Kazoo would write to", m.template, id, textOf(r["type"]))
			}
		}
	}
	slices.Sort(to)
	return slices.Compact(to)
}

// kazooPeople are the users who are written to.
type kazooPeople struct {
	keys    map[string]string // by the user's id
	entries map[string]string // what is written of them, by key
	taken   idsTaken
}

// idsTaken are the ids and keys that something has.
type idsTaken map[string]bool

// take gives the first of the names that makes an id which nobody has. Where each is taken, or makes none because it is written
// in another script, it is numbered; otherwise stands for a name then.
func (taken idsTaken) take(prefix, otherwise string, names ...string) string {
	base := ""
	for _, name := range names {
		s := slug(name)
		if id := prefix + s; s != "" && !taken[id] {
			taken[id] = true
			return id
		}
		base = first(base, s)
	}
	base = prefix + first(base, otherwise)
	id := base
	for n := 2; taken[id]; n++ {
		id = fmt.Sprintf("%s-%d", base, n)
	}
	taken[id] = true
	return id
}

// person puts a user under people, as whom the address is looked up when a message is sent, and gives the key: one for each user,
// also where several have the same name. It is "" for a user without an address, whom Kazoo writes to no more than we do.
func (k *kazooExport) person(id string, people *kazooPeople, m *kazooMail) string {
	u := k.users[id]
	if email := textOf(u["email"]); !isKazooAddress(email) {
		k.warn("template %s: user %s has no e-mail address in the file and is left out", m.template, id)
		return ""
	}
	phone := ""
	if s := first(textOf(u["mobile"]), textOf(u["phone"])); strings.HasPrefix(s, "+") {
		number, problem := recipients.Phone(s, "")
		if problem != nil {
			k.warn("template %s: the phone number of user %s is left out: %s", m.template, id, problem.Message)
		}
		phone = number
	}
	key, ok := people.keys[id]
	if !ok {
		name := strings.Join(strings.Fields(textOf(u["first_name"])+" "+textOf(u["last_name"])), " ")
		key = people.taken.take("", "user", name, textOf(u["username"]), id)
		people.keys[id] = key
		line := fmt.Sprintf("{ name: %s, email: %s", quoted(first(name, key)), quoted(textOf(u["email"])))
		if phone != "" {
			line += ", phone: " + quoted(phone)
		}
		people.entries[key] = line + " }"
	}
	if phone != "" && !slices.Contains(m.phones, key) {
		m.phones = append(m.phones, key)
	}
	return key
}

// template takes over what the template says of addresses and texts.
func (k *kazooExport) template(m *kazooMail, comments string) {
	m.subject = asTemplate(m.template, templates.Header) // unless the template has one
	t := k.templates[m.template]
	if t == nil {
		k.warn("template %s is not in the file: subject and text are made up", m.template)
		m.body = asTemplate(first(comments, "A telephone call has been made."), templates.Markdown)
		return
	}
	m.off = t["enabled"] == false
	if set := k.addresses(m, t, "to"); len(set) > 0 && (kind(t, "to") == "specified" || len(m.to) == 0) {
		m.to = set
	}
	m.cc = k.addresses(m, t, "cc")
	m.replyTo = k.onlyAddresses(m, "reply_to", textsOf(t["reply_to"]))
	if len(k.addresses(m, t, "bcc")) > 0 {
		k.warn("template %s: nobody gets a hidden copy here; bcc is left out", m.template)
	}
	if from := textOf(t["from"]); from != "" {
		k.warn("template %s is sent from %s; here every e-mail comes from the account's own address (from in account.yaml)", m.template, from)
	}
	if s := k.translated(m.template, textOf(t["subject"]), comments, templates.Header); s != "" {
		m.subject = s
	}
	if m.html = k.translated(m.template, textOf(t["html"]), comments, templates.HTML); m.html != "" {
		m.html += "\n"
		return
	}
	m.body = k.translated(m.template, first(textOf(t["text"]), textOf(t["plain"])), comments, templates.Markdown)
}

// addresses are those of a field of a template, unless they are asked of the account's admins.
func (k *kazooExport) addresses(m *kazooMail, t map[string]any, field string) []string {
	f, _ := t[field].(map[string]any)
	if kind(t, field) == "admins" {
		k.warn("template %s: %s are the account's admins, whom nobody knows here; name them", m.template, field)
		return nil
	}
	return k.onlyAddresses(m, field, textsOf(f["email_addresses"]))
}

// onlyAddresses are those of the texts that are addresses. Another would name somebody here: a person, a route, the customer.
func (k *kazooExport) onlyAddresses(m *kazooMail, field string, texts []string) (addresses []string) {
	for _, s := range texts {
		if isKazooAddress(s) {
			addresses = append(addresses, s)
			continue
		}
		k.warn("template %s: %s %s is no address Kazoo would write to", m.template, field, s)
	}
	slices.Sort(addresses)
	return slices.Compact(addresses)
}

// isKazooAddress is Kazoo's own check, and that nothing is put in its place.
func isKazooAddress(s string) bool { return strings.Count(s, "@") == 1 && !strings.Contains(s, "{{") }

func kind(t map[string]any, field string) string {
	f, _ := t[field].(map[string]any)
	return textOf(f["type"])
}

// yaml is the automation.
func (m kazooMail) yaml() string {
	var b strings.Builder
	fmt.Fprintf(&b, "  - id: %s\n    name: %s\n", m.id, quoted("Kazoo: "+strings.Join(strings.Fields(m.template), " ")))
	if m.off {
		b.WriteString("    enabled: false # its template was\n")
	}
	send := ""
	switch {
	case m.now:
		fmt.Fprintf(&b, "    on: kazoo.notification\n    when: { always: true, calls: { metadata: { template_id: %s, send_at: %s } } }\n", quoted(m.template), kazooExec)
		send = "          send: now\n"
	case m.callflow != "":
		fmt.Fprintf(&b, "    when: { always: true, calls: { metadata: { callflow_id: %s } } }\n", quoted(m.callflow))
	default:
		b.WriteString("    when: always\n")
	}
	fmt.Fprintf(&b, "    actions:\n      - email:\n%s          to: %s\n", send, list(m.to))
	if len(m.cc) > 0 {
		fmt.Fprintf(&b, "          cc: %s\n", list(m.cc))
	}
	if len(m.replyTo) > 0 {
		fmt.Fprintf(&b, "          reply_to: %s\n", quoted(m.replyTo[0]))
	}
	fmt.Fprintf(&b, "          subject: %s\n", quoted(m.subject))
	switch {
	case m.file != "":
		fmt.Fprintf(&b, "          body_file: %s\n", m.file)
	case m.body != "":
		fmt.Fprintf(&b, "          body: %s\n", quoted(m.body))
	}
	if len(m.phones) > 0 {
		fmt.Fprintf(&b, "      - sms:\n%s          to: %s\n          body: %s\n", send, list(m.phones), quoted(m.subject))
	}
	return b.String()
}

func list(names []string) string {
	var out []string
	for _, n := range names {
		out = append(out, quoted(n))
	}
	return "[" + strings.Join(out, ", ") + "]"
}

func first(texts ...string) string {
	for _, s := range texts {
		if s != "" {
			return s
		}
	}
	return ""
}
