package templates

import (
	"slices"

	"github.com/aymerick/raymond"
	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
)

// Text is one parsed, guarded template. It is immutable and safe for concurrent use.
type Text struct {
	Source string // as the author wrote it
	Format Format

	names    []string
	engine   *raymond.Template
	values   []lookup // what (val n) and (item this n) stand for
	literals []string // what (lit n) stands for
	outputs  []output // what (say … n) prints
	loops    []cost   // what one turn of each … n costs
	hosts    map[string]bool
	markdown goldmark.Markdown  // of a Markdown body
	policy   *bluemonday.Policy // of a Markdown body
}

// lookup is one name a text reads.
type lookup struct {
	name string   // as written
	path []string // from the values, or from the item
	kind Kind
}

// output is one {{…}} that prints.
type output struct {
	reads []int // the variables in it, as indices into values; items are not among them
	label string
	place place
	url   bool // a value that is a web address may be a link
}

// cost is what one turn of a loop adds to a message: bytes of the author's and steps of work.
type cost struct{ bytes, steps int }

// Parse parses and guards a text. The Text is nil if there are problems; problems come all at once, in order of
// appearance, with offsets in src.
func Parse(src string, f Format, names Names) (*Text, []Problem) {
	s := normalise(src)
	p := &problems{}
	if len(src) > maxSource {
		s.text = src
		s.dropped = nil
	}
	if !checkSource(s.text, p) {
		return nil, p.located(s)
	}
	nodes := read(s.text, names, p)
	t := &Text{Source: src, Format: f, hosts: writtenHosts(s.text)}
	places := t.scan(s.text, nodes, names, p)
	if len(p.list) > 0 {
		return nil, p.located(s)
	}
	if err := t.compile(s.text, nodes, names, places); err != nil {
		p.add(CodeSyntax, 0, 1, "the template engine does not accept this text", "simplify it; the part at fault is not known")
		return nil, p.located(s)
	}
	if _, err := t.Render(Values{}, Options{}); err != nil {
		p.add(CodeTooLarge, 0, 1, "this text cannot be rendered: "+err.Error(), "simplify it")
		return nil, p.located(s)
	}
	return t, nil
}

// scan finds the place of every output by the rules of the format.
func (t *Text) scan(src string, nodes []*node, names Names, p *problems) map[*node]place {
	places := map[*node]place{}
	switch t.Format {
	case HTML:
		s := &htmlScanner{src: src, p: p, names: names, places: places}
		s.scan(nodes)
		s.finish(len(src))
	case Markdown:
		t.markdown, t.policy = newMarkdown(), newPolicy()
		return scanMarkdown(t.markdown, src, nodes, names, p)
	default:
		walk(nodes, func(n *node) {
			if n.kind == outputNode {
				places[n] = placePlain
			}
			if t.Format == Header {
				places[n] = placeLine
			}
		})
	}
	if t.Format == Header {
		checkOneLine(src, nodes, p)
	}
	return places
}

// Names lists every variable the text uses, each once, in order of appearance, as written: a path below metadata with
// its path. What stands for an item of a list (this) is not among them.
func (t *Text) Names() []string { return slices.Clone(t.names) }
