package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
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
	out, people, ids, seen := map[string][]byte{}, map[string]string{}, map[string]bool{}, map[string]bool{}
	var automations strings.Builder
	for _, n := range k.nodes {
		same := fmt.Sprint(n)
		if seen[same] {
			k.warn("a notification by template %s stands twice; Kazoo sends it once, and so it is written once", textOf(n.data["template_id"]))
			continue
		}
		seen[same] = true
		m, ok := k.mail(n, people)
		if !ok {
			continue
		}
		for ids[m.id] {
			m.id += "-again"
		}
		if ids[m.id] = true; m.html != "" {
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
	if len(people) > 0 {
		b.WriteString("people:\n")
		for _, key := range slices.Sorted(maps.Keys(people)) {
			fmt.Fprintf(&b, "  %s: %s\n", key, people[key])
		}
		b.WriteString("\n")
	}
	b.WriteString("automations:\n" + automations.String())
	out[kazooFile] = []byte(b.String())
	return out
}

// mail reads one notification as Kazoo would, and says where nothing would be sent.
func (k *kazooExport) mail(n kazooNode, people map[string]string) (m kazooMail, ok bool) {
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
	m.now, m.id = at == kazooExec, "kazoo-"+slug(m.template)
	m.to = k.recipients(n, people, &m)
	k.template(&m, textOf(n.data["comments"]))
	if len(m.to) == 0 {
		k.warn("template %s: nobody is left to write to, and nothing is written; add the users of the callflow and the template to the file", m.template)
		return m, false
	}
	if !m.now && m.callflow == "" {
		k.warn("template %s: the file does not say which callflow it is in, so it fires for every call", m.template)
	}
	if !slices.Contains(textsOf(n.data["notification_media"]), "sms") {
		m.phones = nil
	} else if len(m.phones) == 0 {
		k.warn("template %s: texts are wanted, and none of its users has a phone number in the file", m.template)
	}
	return m, true
}

// recipients are addresses, and people for users whose document is in the file.
func (k *kazooExport) recipients(n kazooNode, people map[string]string, m *kazooMail) (to []string) {
	list, _ := n.data["recipients"].([]any)
	for _, one := range list {
		r, _ := one.(map[string]any)
		for _, id := range textsOf(r["id"]) {
			switch {
			case textOf(r["type"]) == "email" && strings.Count(id, "@") == 1:
				to = append(to, id)
			case textOf(r["type"]) == "user" && k.users[id] != nil:
				key := k.person(id, people, m)
				to = append(to, key)
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

// person puts a user under people, as whom the address is looked up when a message is sent.
func (k *kazooExport) person(id string, people map[string]string, m *kazooMail) string {
	u := k.users[id]
	name := strings.TrimSpace(textOf(u["first_name"]) + " " + textOf(u["last_name"]))
	key := slug(first(name, textOf(u["username"]), id))
	line := fmt.Sprintf("{ name: %s, email: %s", quoted(first(name, key)), quoted(textOf(u["email"])))
	if phone := first(textOf(u["mobile"]), textOf(u["phone"])); strings.HasPrefix(phone, "+") {
		line += ", phone: " + quoted(phone)
		m.phones = append(m.phones, key)
	}
	people[key] = line + " }"
	return key
}

// template takes over what the template says of addresses and texts.
func (k *kazooExport) template(m *kazooMail, comments string) {
	t := k.templates[m.template]
	if t == nil {
		k.warn("template %s is not in the file: subject and text are made up", m.template)
		m.subject, m.body = m.template, first(comments, "A telephone call has been made.")
		return
	}
	m.off = t["enabled"] == false
	if set := k.addresses(m, t, "to"); len(set) > 0 && (kind(t, "to") == "specified" || len(m.to) == 0) {
		m.to = set
	}
	m.cc = k.addresses(m, t, "cc")
	if s := textOf(t["reply_to"]); strings.Count(s, "@") == 1 {
		m.replyTo = []string{s}
	}
	if len(k.addresses(m, t, "bcc")) > 0 {
		k.warn("template %s: nobody gets a hidden copy here; bcc is left out", m.template)
	}
	if from := textOf(t["from"]); from != "" {
		k.warn("template %s is sent from %s; here every e-mail comes from the account's own address (from in account.yaml)", m.template, from)
	}
	m.subject = k.translated(m.template, textOf(t["subject"]), comments)
	if m.html = textOf(t["html"]); m.html != "" {
		m.html = k.translated(m.template, m.html, comments) + "\n"
		return
	}
	m.body = k.translated(m.template, first(textOf(t["text"]), textOf(t["plain"])), comments)
}

// addresses are those of a field of a template, unless they are asked of the account's admins.
func (k *kazooExport) addresses(m *kazooMail, t map[string]any, field string) []string {
	f, _ := t[field].(map[string]any)
	if kind(t, field) == "admins" {
		k.warn("template %s: %s are the account's admins, whom nobody knows here; name them", m.template, field)
		return nil
	}
	out := textsOf(f["email_addresses"])
	slices.Sort(out)
	return slices.Compact(out)
}

func kind(t map[string]any, field string) string {
	f, _ := t[field].(map[string]any)
	return textOf(f["type"])
}

// yaml is the automation.
func (m kazooMail) yaml() string {
	var b strings.Builder
	fmt.Fprintf(&b, "  - id: %s\n    name: %s\n", m.id, quoted("Kazoo: "+m.template))
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
	fmt.Fprintf(&b, "          subject: %s\n", quoted(first(m.subject, m.template)))
	switch {
	case m.file != "":
		fmt.Fprintf(&b, "          body_file: %s\n", m.file)
	case m.body != "":
		fmt.Fprintf(&b, "          body: %s\n", quoted(m.body))
	}
	if len(m.phones) > 0 {
		fmt.Fprintf(&b, "      - sms:\n%s          to: %s\n          body: %s\n", send, list(m.phones), quoted(first(m.subject, m.template)))
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
