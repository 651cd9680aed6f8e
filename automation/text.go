package automation

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"aftercall/conversation"
	"aftercall/templates"
	"aftercall/variables"
)

// must reads a text that has to be there.
func (r *rule) must(owner, v value, what string, f templates.Format) *templates.Text {
	if !v.present() {
		owner.fail(codeMissing, fmt.Sprintf("%s is missing", what), fmt.Sprintf("add  %s:  with the text", what))
		return nil
	}
	t := r.text(v, what, f)
	if t != nil && strings.TrimSpace(t.Source) == "" {
		v.fail(codeMissing, what+" is empty", "write the text")
	}
	return t
}

// field reads a text that only one channel has.
func (r *rule) field(a *Action, name string, v value, f templates.Format) {
	if !v.present() {
		return
	}
	if t := r.text(v, name, f); t != nil {
		if a.Fields == nil {
			a.Fields = map[string]*templates.Text{}
		}
		a.Fields[name] = t
	}
}

// text reads a template in YAML. What is wrong in it is reported where it stands in the file, whatever the style it is
// written in.
func (r *rule) text(v value, what string, f templates.Format) *templates.Text {
	s, ok := v.text(what)
	if !ok {
		return nil
	}
	if f == templates.Header {
		s = strings.TrimRight(s, "\r\n") // a block scalar ends with one; it is no line break in the header
	}
	t, problems := templates.Parse(s, f, r.c.names)
	for _, p := range problems {
		if r.c.undecided(s, p) {
			continue
		}
		line, col := v.doc.locate(v.node, p.Offset)
		v.doc.problem(line, col, r.length(s, p), Error, p.Code, p.Message, p.Help)
	}
	r.c.stated(t, s)
	r.uses(t, v.mention)
	return t
}

// stated notes the stated variables of a text that could not be read: they are not unused.
func (c *compiler) stated(t *templates.Text, s string) {
	if t == nil {
		for _, name := range statedName.FindAllString(s, -1) {
			c.unread[name] = true
		}
	}
}

// undecided reports a problem with a variable whose type a file may declare that could not be read.
func (c *compiler) undecided(s string, p templates.Problem) bool {
	from := min(max(p.Offset, 0), len(s))
	return c.partial && c.undeclared(s[from:min(from+max(p.Length, 0), len(s))])
}

var statedName = regexp.MustCompile(`\bdyn_[A-Za-z0-9_]+`)

// undeclared reports whether a text names a stated variable that no file read so far declares.
func (c *compiler) undeclared(s string) bool {
	return slices.ContainsFunc(statedName.FindAllString(s, -1), func(name string) bool {
		_, ok := c.declared[name]
		return !ok
	})
}

// length is how many characters of its first line a problem covers.
func (r *rule) length(s string, p templates.Problem) int {
	from := min(max(p.Offset, 0), len(s))
	part, _, _ := strings.Cut(s[from:min(from+max(p.Length, 0), len(s))], "\n")
	return max(1, len([]rune(part)))
}

// bodyFile reads the template an e-mail's body_file names, relative to the file that names it.
func (r *rule) bodyFile(v value) *templates.Text {
	s, ok := v.line("body_file")
	if !ok {
		return nil
	}
	name := path.Join(path.Dir(v.doc.path), s)
	format := templates.Markdown
	switch {
	case strings.HasSuffix(name, ".html.hbs"):
		format = templates.HTML
	case !strings.HasSuffix(name, ".md.hbs"):
		v.fail(codeBody, "a body file ends in .md.hbs for Markdown or .html.hbs for HTML", "rename it")
		return nil
	}
	if path.IsAbs(s) || strings.Contains(s, `\`) || strings.HasPrefix(name, "..") {
		v.fail(codeBody, "a body file lies in the account's folder", "name it relative to this file")
		return nil
	}
	d, ok := r.c.docs[name]
	if !ok {
		v.fail(codeBody, fmt.Sprintf("there is no file %s", name), r.c.proposeBody(name))
		return nil
	}
	r.c.bodies[name] = true
	t, problems := templates.Parse(d.src, format, r.c.names)
	for _, p := range problems {
		if r.c.undecided(d.src, p) {
			continue
		}
		line, col := d.place(p.Offset)
		d.problem(line, col, r.length(d.src, p), Error, p.Code, p.Message, p.Help)
	}
	length(t, func(offset int) (*document, int, int) {
		line, col := d.place(offset)
		return d, line, col
	})
	r.c.stated(t, d.src)
	r.uses(t, d.mention)
	return t
}

func (c *compiler) proposeBody(name string) string {
	var bodies []string
	for _, p := range c.paths() {
		if strings.HasSuffix(p, ".hbs") {
			bodies = append(bodies, p)
		}
	}
	if near := nearest(name, bodies); near != "" {
		return fmt.Sprintf("did you mean %s?", near)
	}
	return "add the file, or write the text under body"
}

// uses notes what a text needs, and where.
func (r *rule) uses(t *templates.Text, at where) {
	if t == nil {
		return
	}
	for _, name := range t.Names() {
		r.need(name, at)
		r.valueless(name, at)
		if name == "conversation_summary" {
			r.a.Summary = true
		}
	}
}

// valueless warns of a name that can have no value where it is used: a phone number where there is no phone, and what is
// known of a call only once it is over.
func (r *rule) valueless(name string, at where) {
	channels := r.a.Trigger.Gate.Channel
	silent := len(channels) > 0 && !slices.ContainsFunc(channels, func(c string) bool {
		return c != string(conversation.ChannelWeb) && c != string(conversation.ChannelChat)
	})
	switch {
	case silent && (name == "customer_number" || name == "to_number"):
		at(name).warn(codeNotYet, fmt.Sprintf("{{%s}} has no value here: no phone is involved in these conversations", name),
			"take it out, or add phone under when.calls.channel")
	case r.now && slices.Contains([]string{"conversation_summary", "conversation_transcript", "conversation_duration", "conversation_status"}, name):
		at(name).warn(codeNotYet, fmt.Sprintf("{{%s}} has no value while the call goes on", name), "take it out, or write  send: call_end")
	}
}

// condition reads if:.
func (r *rule) condition(v value) *variables.Condition {
	if !v.present() {
		return nil
	}
	s, ok := v.text("if")
	if !ok {
		return nil
	}
	cond, fault := variables.ParseCondition(s, r.c.rev.Declarations, r.c.system)
	if fault != nil && r.c.partial && r.c.undeclared(s) {
		return nil // its types are not known
	}
	if fault != nil {
		line, col := v.doc.locate(v.node, fault.Offset)
		v.doc.problem(line, col, 1, Error, codeCondition, fault.Message, fault.Help)
		return nil
	}
	for _, name := range cond.Names() {
		r.need(name, v.mention)
		if name == "conversation_summary" {
			r.a.Summary = true
		}
	}
	return cond
}

// name notes a variable named outside a text, and refuses one that nobody knows.
func (r *rule) name(name string, v value) {
	_, system := r.c.system[name]
	switch {
	case system:
	case !strings.HasPrefix(name, dynPrefix):
		known := make([]string, 0, len(r.c.names))
		for n := range r.c.names {
			known = append(known, n)
		}
		slices.Sort(known)
		v.unknown(codeVariable, "unknown variable", known)
	case !r.c.knows(name):
		v.fail(codeVariable, fmt.Sprintf("%s is not declared", name), r.c.proposal(name, nil))
	default:
		r.need(name, v.whole)
	}
}
