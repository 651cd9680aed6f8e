package automation

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"aftercall/internal/webaddress"
	"aftercall/interview"
	"aftercall/recipients"
	"aftercall/templates"
	"aftercall/variables"
)

const dynPrefix = "dyn_"

var dynName = regexp.MustCompile(`^dyn_[A-Za-z0-9_]{1,60}$`)

// types are the types an author can declare.
func types() []string {
	return []string{"text", "enum", "date", "time", "number", "money", "phone", "email", "url", "boolean"}
}

// speakers are the words of said_by.
func speakers() []string {
	return []string{string(interview.Anyone), string(interview.Customer), string(interview.Agent)}
}

// declarations reads a file's variables. One that is declared in several files in the same words is one variable, so that
// a starter can be copied twice; versions that do not know that leave such a revision to those that do.
func (c *compiler) declarations(v value) {
	if !v.present() {
		return
	}
	for _, e := range v.entries(v.of.mapping().name) {
		first, again := c.declared[e.key]
		switch {
		case !again:
			c.declared[e.key] = e.what
			c.declare(e)
		case equal(first.node, e.what.node):
			c.rev.Format = max(c.rev.Format, 4)
		default:
			e.at.fail(codeSameID, fmt.Sprintf("the variable %s is declared in two ways: %s and %s", e.key, first.place(), e.at.place()),
				"say the same in both places, keep one of them, or give one of the two another name")
		}
	}
}

// declare reads one entry under variables.
func (c *compiler) declare(e entry) {
	if !dynName.MatchString(e.key) {
		help := "write " + dynPrefix + e.key
		if strings.HasPrefix(e.key, dynPrefix) {
			help = "use letters, digits and _, at most 60 after dyn_"
		}
		e.at.fail(codeID, fmt.Sprintf("%s is not the name of a stated variable", e.key), help)
		return
	}
	f := e.what.fields()
	d := variables.Declaration{Name: e.key, Type: variables.Text, Ask: variables.Describe(e.key), SaidBy: interview.Anyone}
	if w := f["type"].word("type"); w != "" {
		d.Type = variables.Type(w)
	}
	if s, ok := f["ask"].text("ask"); ok {
		d.Ask = oneLine(s)
	}
	if w := f["said_by"].word("said_by"); w != "" {
		d.SaidBy = interview.Speaker(w)
	}
	d.Missing, _ = f["missing"].line("missing")
	d.Values = c.values(e, f["values"], d.Type)
	d.Default = c.standIn(f["default"], d)
	if f["max"].present() {
		d.Max = f["max"].integer("max")
		f["max"].onlyFor(d.Type, variables.Text)
	}
	if f["hosts"].present() {
		d.Hosts = f["hosts"].lines("a host")
		f["hosts"].onlyFor(d.Type, variables.URL)
	}
	c.rev.Declarations[e.key] = d
}

func (v value) onlyFor(have, want variables.Type) {
	if have != want {
		v.fail(codeValue, fmt.Sprintf("this is only for variables of type %s", want), "take it out, or change the type")
	}
}

func (c *compiler) values(e entry, v value, t variables.Type) []interview.Option {
	if t != variables.Enum {
		if v.present() {
			v.onlyFor(t, variables.Enum)
		}
		return nil
	}
	var out []interview.Option
	for _, m := range v.entries("values") {
		if s, ok := m.what.text("what the value means"); ok {
			out = append(out, interview.Option{Key: m.key, When: oneLine(s)})
		}
	}
	if len(out) == 0 && !v.present() {
		e.at.fail(codeMissing, "an enum needs values", `write  values: { high: "when it applies", low: "everything else" }`)
	}
	return out
}

// standIn checks a default against its type as far as that needs no conversation.
func (c *compiler) standIn(v value, d variables.Declaration) string {
	s, ok := v.scalar("default")
	if !ok {
		return ""
	}
	if !fits(s, d) {
		v.tighten(codeMember, fmt.Sprintf("the default %s does not fit the type %s", s, d.Type), "write a value the variable can have")
	}
	return s
}

// amount is how money is kept.
var amount = regexp.MustCompile(`^-?\d+(?:\.\d\d)? [A-Z]{3}$`)

// fits reports whether a value is as the type's values are kept.
func fits(s string, d variables.Declaration) bool {
	var err error
	switch d.Type {
	case variables.Enum:
		return slices.ContainsFunc(d.Values, func(o interview.Option) bool { return o.Key == s })
	case variables.Boolean:
		return s == "true" || s == "false"
	case variables.Number:
		_, err = strconv.ParseFloat(s, 64)
	case variables.Date:
		_, err = time.Parse(time.DateOnly, s)
	case variables.Time:
		_, err = time.Parse("15:04", s)
	case variables.Money:
		return amount.MatchString(s)
	case variables.Phone:
		_, p := recipients.Phone(s, "")
		return p == nil
	case variables.Email:
		_, p := recipients.Email(s)
		return p == nil
	case variables.URL:
		_, ok := webaddress.Parse(s)
		return ok
	}
	return err == nil
}

// variables adds the declared names to those a text may use.
func (c *compiler) variables() {
	for name, d := range c.rev.Declarations {
		c.names[name] = kindOf(d.Type)
	}
}

func kindOf(t variables.Type) templates.Kind {
	switch t {
	case variables.Date:
		return templates.KindDate
	case variables.Time:
		return templates.KindTime
	case variables.Number:
		return templates.KindNumber
	case variables.URL:
		return templates.KindURL
	case variables.Boolean:
		return templates.KindBoolean
	}
	return templates.KindText
}

// use notes that a dyn_ name is needed, and where it was first.
func (c *compiler) use(name string, at where) {
	if _, ok := c.used[name]; !ok {
		c.used[name] = at(name)
	}
}

// declareUsed gives every used but undeclared name its declaration: text, described by its own words.
func (c *compiler) declareUsed() {
	declared := slices.Sorted(maps.Keys(c.rev.Declarations))
	for _, name := range slices.Sorted(maps.Keys(c.used)) {
		if _, ok := c.declared[name]; ok {
			continue
		}
		if near := nearest(name, declared); near != "" && distance(name, near) <= 2 && !c.partial {
			c.used[name].warn(codeLookalike, fmt.Sprintf("%s is not declared, but %s is", name, near),
				fmt.Sprintf("did you mean %s? If not, declare it", near))
		}
		c.rev.Declarations[name] = variables.Declaration{Name: name, Type: variables.Text, Ask: variables.Describe(name), SaidBy: interview.Anyone}
	}
}

// oneLine folds a text's white space: a question reads the same however its YAML was wrapped.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// knows reports whether a variable is declared, be it well or badly, or may be in a file that could not be read.
func (c *compiler) knows(name string) bool {
	_, ok := c.declared[name]
	return ok || c.partial
}

// proposal is the help for a variable that nobody knows.
func (c *compiler) proposal(name string, used []string) string {
	if near := nearest(name, slices.Concat(slices.Sorted(maps.Keys(c.declared)), used)); near != "" {
		return fmt.Sprintf("did you mean %s?", near)
	}
	return "declare it under variables"
}
