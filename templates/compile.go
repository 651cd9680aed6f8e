package templates

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aymerick/raymond"
)

// compile writes the text out again for the engine, and hands it over. Everything an author wrote in braces becomes an
// index into a table: the engine sees neither names nor strings of the author's, resolves no path, and escapes nothing.
// What is left to it is what it is good at: text, blocks, branches and white space.
func (t *Text) compile(src string, nodes []*node, names Names, places map[*node]place) error {
	c := &compiler{t: t, src: src, names: names, places: places}
	c.rewrite(nodes)
	c.b.WriteString(src[c.copied:])
	engine, err := raymond.Parse(c.b.String())
	if err != nil {
		return fmt.Errorf("parse rewritten text: %w", err)
	}
	engine.RegisterHelpers(engineHelpers())
	t.engine = engine
	return nil
}

// compiler copies the source and rewrites its tags.
type compiler struct {
	t      *Text
	src    string
	names  Names
	places map[*node]place
	b      strings.Builder
	copied int // the source is copied up to here
}

// tag replaces what stands between the braces of one tag; the braces and their ~ stay.
func (c *compiler) tag(at span, inside string) {
	c.b.WriteString(c.src[c.copied:at.start])
	open, end := "{{", "}}"
	if c.src[at.start+2] == '~' {
		open += "~"
	}
	if c.src[at.end-3] == '~' {
		end = "~" + end
	}
	c.b.WriteString(open + inside + end)
	c.copied = at.end
}

func (c *compiler) rewrite(nodes []*node) {
	for _, n := range nodes {
		switch n.kind {
		case outputNode:
			if n.value.kind == pathExpr { // by far the most: one call of the engine's in place of two
				c.tag(n.span, fmt.Sprintf("put %d %d", c.lookup(n.value), c.output(n)))
				continue
			}
			c.tag(n.span, fmt.Sprintf("say %s %d", c.expression(n.value), c.output(n)))
		case blockNode:
			c.block(n)
		}
	}
}

func (c *compiler) block(n *node) {
	for i, b := range n.branches {
		if b.test != nil {
			inside := b.word + " " + c.expression(b.test)
			if b.word == "each" {
				inside += fmt.Sprintf(" %d", c.loop(b))
			}
			if i == 0 {
				inside = "#" + inside
			} else {
				inside = "else " + inside
			}
			c.tag(b.tag, inside)
		}
		c.rewrite(b.body)
	}
}

// loop notes what one turn of a loop costs at most: the author's text in its body, and a step for every part of it.
func (c *compiler) loop(b branch) int {
	var work cost
	walk(b.body, func(n *node) {
		switch work.steps++; n.kind {
		case contentNode:
			work.bytes += n.length()
		case outputNode:
			work.steps += n.value.size()
		case blockNode:
			for _, b := range n.branches {
				work.steps += b.test.size()
			}
		}
	})
	c.t.loops = append(c.t.loops, work)
	return len(c.t.loops) - 1
}

func (c *compiler) output(n *node) int {
	o := output{label: n.value.name, place: c.places[n], url: kindOf(n.value, c.names) == KindURL}
	for _, p := range n.value.paths() {
		if p.kind == pathExpr {
			o.reads = append(o.reads, c.lookup(p))
			o.label = p.name
		}
	}
	c.t.outputs = append(c.t.outputs, o)
	return len(c.t.outputs) - 1
}

// expression writes an expression for the engine.
func (c *compiler) expression(e *expr) string {
	switch e.kind {
	case pathExpr:
		return fmt.Sprintf("(val %d)", c.lookup(e))
	case itemExpr:
		return fmt.Sprintf("(item this %d)", c.lookup(e))
	case dataExpr:
		return "@" + e.text
	case textExpr, wordExpr:
		c.t.literals = append(c.t.literals, e.text)
		return fmt.Sprintf("(lit %d)", len(c.t.literals)-1)
	}
	var b strings.Builder
	b.WriteString("(" + e.name)
	for _, a := range e.args {
		b.WriteString(" " + c.expression(a))
	}
	b.WriteString(")")
	return b.String()
}

// lookup gives the index of a name in the table of values.
func (c *compiler) lookup(e *expr) int {
	name := e.name
	if e.kind == itemExpr {
		name = "this." + strings.Join(e.parts, ".")
	}
	if i := slices.IndexFunc(c.t.values, func(l lookup) bool { return l.name == name && slices.Equal(l.path, e.parts) }); i >= 0 {
		return i
	}
	c.t.values = append(c.t.values, lookup{name: name, path: e.parts, kind: kindOf(e, c.names)})
	if e.kind == pathExpr {
		c.t.names = append(c.t.names, name)
	}
	return len(c.t.values) - 1
}

// checkOneLine refuses a header with a line break in the author's own text; one at the end does no harm.
func checkOneLine(src string, nodes []*node, p *problems) {
	end := len(strings.TrimRight(src, " \t\n"))
	walk(nodes, func(n *node) {
		if n.kind != contentNode {
			return
		}
		if i := strings.IndexByte(src[n.start:n.end], '\n'); i >= 0 && n.start+i < end && strings.TrimSpace(src[:n.start+i]) != "" {
			p.add(CodeLineBreak, n.start+i, 1, "a subject or title may not have a second line", "write it on one line")
		}
	})
}
