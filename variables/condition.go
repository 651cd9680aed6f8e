package variables

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Condition is a parsed if:.
type Condition struct {
	Source string

	test  func(values map[string]any) bool
	names []string
}

// Fault is what is wrong in a condition.
type Fault struct {
	Offset  int // byte offset in the source
	Message string
	Help    string
}

// Error gives the message, so that a Fault can be logged.
func (f *Fault) Error() string { return f.Message }

// Names lists the variables the condition reads, each once, in order of appearance.
func (c *Condition) Names() []string { return slices.Clone(c.names) }

// Eval evaluates over system and dyn_ values by name; an absent name is "" and false.
func (c *Condition) Eval(values map[string]any) bool { return c.test(values) }

// Limits on what an author can write.
const (
	maxCondition      = 4 << 10
	maxConditionDepth = 50
)

// ParseCondition parses an if: over typed variables: ==, !=, in, and, or, not, parentheses, a bare name (is stated; of a
// boolean: is true). A nil Fault means the condition is right. decls holds the declared types; a dyn_ name that is not in
// it is text. system are the system names. Text is compared without regard to case, numbers by their value.
func ParseCondition(src string, decls map[string]Declaration, system map[string]string) (*Condition, *Fault) {
	p := &conditionParser{src: src, decls: decls, system: system}
	c := &Condition{Source: src}
	if len(src) > maxCondition {
		return nil, &Fault{maxCondition, "the condition is longer than 4 KB", "split the action"}
	}
	if p.fault = p.scan(); p.fault != nil {
		return nil, p.fault
	}
	c.test = p.either(0)
	if p.fault == nil && p.peek().kind != endTerm {
		p.fail(p.peek().at, "this is not expected here", "join two conditions with and, or with or")
	}
	if p.fault != nil {
		return nil, p.fault
	}
	c.names = p.names
	return c, nil
}

type termKind int

const (
	endTerm termKind = iota
	nameTerm
	textTerm
	numberTerm
	signTerm // == != ( ) [ ] ,
)

type term struct {
	kind termKind
	at   int
	text string
}

// conditionParser reads a condition by recursive descent and stops at the first fault.
type conditionParser struct {
	src    string
	terms  []term
	next   int
	decls  map[string]Declaration
	system map[string]string
	names  []string
	fault  *Fault
}

type test = func(values map[string]any) bool

func never(map[string]any) bool { return false }

func (p *conditionParser) fail(at int, message, help string) test {
	if p.fault == nil {
		p.fault = &Fault{at, message, help}
	}
	return never
}

func (p *conditionParser) peek() term { return p.terms[p.next] }

func (p *conditionParser) take() term {
	t := p.terms[p.next]
	if t.kind != endTerm {
		p.next++
	}
	return t
}

// accept takes the next term if it is this word or sign.
func (p *conditionParser) accept(text string) bool {
	t := p.peek()
	if (t.kind == nameTerm || t.kind == signTerm) && t.text == text {
		p.next++
		return true
	}
	return false
}

func (p *conditionParser) either(depth int) test {
	left := p.both(depth)
	for p.fault == nil && p.accept("or") {
		a, b := left, p.both(depth)
		left = func(v map[string]any) bool { return a(v) || b(v) }
	}
	return left
}

func (p *conditionParser) both(depth int) test {
	left := p.negated(depth)
	for p.fault == nil && p.accept("and") {
		a, b := left, p.negated(depth)
		left = func(v map[string]any) bool { return a(v) && b(v) }
	}
	return left
}

func (p *conditionParser) negated(depth int) test {
	if depth > maxConditionDepth {
		return p.fail(p.peek().at, "the condition is nested too deep", "take parentheses out")
	}
	if p.accept("not") {
		inner := p.negated(depth + 1)
		return func(v map[string]any) bool { return !inner(v) }
	}
	if at := p.peek().at; p.accept("(") {
		inner := p.either(depth + 1)
		if p.fault == nil && !p.accept(")") {
			return p.fail(at, "this ( is never closed", "add )")
		}
		return inner
	}
	return p.comparison()
}

func (p *conditionParser) comparison() test {
	left, ok := p.operand()
	if !ok {
		return never
	}
	switch {
	case p.accept("=="):
		return p.compared(left, true)
	case p.accept("!="):
		return p.compared(left, false)
	case p.accept("in"):
		return p.member(left)
	}
	if at := p.next; p.accept("not") {
		if p.accept("in") {
			inner := p.member(left)
			return func(v map[string]any) bool { return !inner(v) }
		}
		p.next = at
	}
	if left.name == "" {
		return p.fail(left.at, "a fixed value alone is no condition", "compare it with a variable: name == \"value\"")
	}
	if left.kind == Boolean {
		return func(v map[string]any) bool { return left.of(v) == "true" }
	}
	return func(v map[string]any) bool { return left.of(v) != "" }
}

func (p *conditionParser) compared(left operand, wanted bool) test {
	right, ok := p.operand()
	if !ok || !p.comparable(left, right) {
		return never
	}
	return func(v map[string]any) bool { return same(left, right, v) == wanted }
}

func (p *conditionParser) member(left operand) test {
	end := "]"
	if !p.accept("[") {
		if end = ")"; !p.accept("(") {
			return p.fail(p.peek().at, "in needs a list", `write in ["a", "b"]`)
		}
	}
	var members []operand
	for {
		m, ok := p.operand()
		if !ok || !p.comparable(left, m) {
			return never
		}
		members = append(members, m)
		if p.accept(end) {
			break
		}
		if !p.accept(",") {
			return p.fail(p.peek().at, "the list is not closed here", "put a comma between values and "+end+" at the end")
		}
	}
	return func(v map[string]any) bool {
		return slices.ContainsFunc(members, func(m operand) bool { return same(left, m, v) })
	}
}

// operand is one side of a comparison: a variable, or a fixed value.
type operand struct {
	at     int
	name   string // of a variable
	path   []string
	kind   Type
	values []string // members of an enum
	fixed  string
	quoted bool
}

func (o operand) of(values map[string]any) string {
	if o.name == "" {
		return o.fixed
	}
	v := values[o.path[0]]
	for _, key := range o.path[1:] {
		m, _ := v.(map[string]any)
		v = m[key]
	}
	switch v := v.(type) {
	case string:
		return strings.TrimSpace(v)
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case int, int64:
		return fmt.Sprint(v)
	case []any:
		return strings.Repeat("x", min(len(v), 1)) // a list can only be there or not
	case map[string]any:
		return strings.Repeat("x", min(len(v), 1))
	}
	return ""
}

func same(a, b operand, values map[string]any) bool {
	x, y := a.of(values), b.of(values)
	if m, ok := amount(x); ok && (a.kind == Number || b.kind == Number) {
		if n, ok := amount(y); ok {
			return m == n
		}
	}
	return strings.EqualFold(x, y)
}

// amount reads a plain number so that 5, 5.0 and 05.00 are equal.
func amount(s string) (string, bool) {
	digits, negative := strings.CutPrefix(s, "-")
	if digits == "" || strings.Trim(digits, "0123456789.") != "" || strings.Count(digits, ".") > 1 || !isDigit(digits[0]) {
		return "", false
	}
	value := canonical(digits)
	if negative && value != "0" {
		value = "-" + value
	}
	return value, true
}

// operand reads a variable or a fixed value.
func (p *conditionParser) operand() (operand, bool) {
	t := p.take()
	switch {
	case t.kind == textTerm:
		return operand{at: t.at, fixed: t.text, quoted: true}, true
	case t.kind == numberTerm:
		return operand{at: t.at, fixed: t.text, kind: Number}, true
	case t.kind == nameTerm && (t.text == "true" || t.text == "false"):
		return operand{at: t.at, fixed: t.text, kind: Boolean}, true
	case t.kind == nameTerm && !slices.Contains([]string{"and", "or", "not", "in"}, t.text):
		return p.variable(t)
	case t.kind == endTerm:
		p.fail(t.at, "the condition ends too early", "write a variable or a value")
	default:
		p.fail(t.at, fmt.Sprintf("%q may not stand here", t.text), `write a condition such as dyn_severity == "critical"`)
	}
	return operand{}, false
}

// variable finds a name and its type.
func (p *conditionParser) variable(t term) (operand, bool) {
	o := operand{at: t.at, name: t.text, path: strings.Split(t.text, "."), kind: Text}
	first := o.path[0]
	d, declared := p.decls[first]
	kind, isSystem := p.system[first]
	switch {
	case slices.Contains(o.path, ""), len(o.path) > 1 && kind != "open":
		p.fail(t.at, fmt.Sprintf("%s is not a variable", t.text), p.suggest(first))
		return o, false
	case declared:
		if o.kind = d.Type; o.kind == "" {
			o.kind = Text
		}
		for _, m := range d.Values {
			o.values = append(o.values, m.Key)
		}
	case isSystem, strings.HasPrefix(first, "dyn_") && len(first) > len("dyn_"):
	default:
		p.fail(t.at, "unknown variable "+t.text, p.suggest(first))
		return o, false
	}
	if !slices.Contains(p.names, t.text) {
		p.names = append(p.names, t.text)
	}
	return o, true
}

func (p *conditionParser) suggest(name string) string {
	known := slices.Sorted(maps.Keys(p.system))
	known = append(known, slices.Sorted(maps.Keys(p.decls))...)
	if near := nearest(name, known); near != "" {
		return "did you mean " + near + "?"
	}
	return `put texts in quotes; variables are system names, metadata.… and dyn_ names`
}
