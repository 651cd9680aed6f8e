package templates

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	east "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"
)

// newMarkdown is Markdown as authors write it: CommonMark with tables and strikethrough. Raw HTML is left out, and bare
// addresses are not made into links, so that no value becomes one.
func newMarkdown() goldmark.Markdown {
	return goldmark.New(goldmark.WithExtensions(
		extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute)), extension.Strikethrough))
}

// markdownScanner finds the place of every variable by reading the author's Markdown with a mark in the place of every
// tag. Marks and tags have the same length, so that places in one are places in the other.
type markdownScanner struct {
	marked  []byte
	outputs []*node
	tags    []tagDepth
	names   Names
	p       *problems
	places  map[*node]place
}

// tagDepth is one tag of a block: how deep the text after it is nested, and how far the tag reaches out. An {{else}}
// closes a branch and opens another, so it reaches further out than it leaves.
type tagDepth struct {
	span
	lowest, after int
}

// scanMarkdown gives the places of the outputs.
func scanMarkdown(md goldmark.Markdown, src string, nodes []*node, names Names, p *problems) map[*node]place {
	s := &markdownScanner{marked: []byte(src), names: names, p: p, places: map[*node]place{}}
	s.hideAuthorMarks()
	s.mark(nodes, 0)
	for _, n := range s.outputs {
		s.places[n] = placeMarkdown
		// Handlebars takes one of two backslashes before {{ away; the other would undo the first escape of the value.
		if before := src[:n.start]; len(before) > 0 && before[len(before)-1] == '\\' && (len(before)-len(strings.TrimRight(before, `\`)))%2 == 0 {
			p.add(CodePlace, n.start, n.length(), "a backslash may not stand directly before a variable", "put a space between them")
		}
	}
	_ = ast.Walk(md.Parser().Parse(text.NewReader(s.marked)), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			s.visit(n)
		}
		return ast.WalkContinue, nil
	})
	return s.places
}

// hideAuthorMarks takes private-use characters of the author's own out of the marked copy.
func (s *markdownScanner) hideAuthorMarks() {
	for i := 0; i < len(s.marked); {
		r, width := utf8.DecodeRune(s.marked[i:])
		if r >= firstMark && r <= blockMark {
			copy(s.marked[i:], "xxx")
		}
		i += width
	}
}

func (s *markdownScanner) mark(nodes []*node, depth int) {
	for _, n := range nodes {
		switch n.kind {
		case commentNode:
			s.replace(n.span, blockMark)
		case outputNode:
			s.replace(n.span, firstMark+rune(len(s.outputs)))
			s.outputs = append(s.outputs, n)
		case blockNode:
			for _, b := range n.branches {
				s.replace(b.tag, blockMark)
				s.tags = append(s.tags, tagDepth{b.tag, depth, depth + 1})
				s.mark(b.body, depth+1)
			}
			s.replace(n.close, blockMark)
			s.tags = append(s.tags, tagDepth{n.close, depth, depth})
		}
	}
}

// replace puts one mark and filler in the place of a tag.
func (s *markdownScanner) replace(at span, mark rune) {
	if at.length() < utf8.RuneLen(mark) {
		return
	}
	for i := at.start; i < at.end; i++ {
		s.marked[i] = 'x'
	}
	utf8.EncodeRune(s.marked[at.start:at.end], mark)
}

// in lists the outputs marked in a piece of the marked copy, by number.
func (s *markdownScanner) in(piece []byte) []int {
	var found []int
	for _, r := range string(piece) {
		if i := int(r - firstMark); r >= firstMark && r < blockMark && i < len(s.outputs) {
			found = append(found, i)
		}
	}
	return found
}

// balanced reports whether the blocks that touch a range lie wholly inside it, so that the range is never half there.
func (s *markdownScanner) balanced(from, to int) bool {
	around := 0
	depth := 0
	for _, t := range s.tags {
		switch {
		case t.start < from:
			around, depth = t.after, t.after
		case t.start < to:
			if t.lowest < around {
				return false
			}
			depth = t.after
		}
	}
	return depth == around
}

func (s *markdownScanner) visit(n ast.Node) {
	switch n := n.(type) {
	case *ast.Text:
		s.text(n)
	case *ast.Link:
		s.link(n.Destination, n.Title, "the link leads", false)
	case *ast.Image:
		s.link(n.Destination, n.Title, "the image comes from", true)
	case *ast.AutoLink:
		s.link(n.URL(s.marked), nil, "the link leads", false)
	case *ast.RawHTML:
		for i := range n.Segments.Len() {
			segment := n.Segments.At(i)
			s.html(segment.Start, segment.Len())
			return
		}
	case *ast.HTMLBlock:
		if n.Lines().Len() > 0 {
			segment := n.Lines().At(0)
			s.html(segment.Start, len(bytes.TrimRight(segment.Value(s.marked), "\n")))
		}
	case *ast.FencedCodeBlock:
		s.fence(n)
	case *ast.CodeBlock:
		s.refuseCode(n.Lines(), "in an indented code block", "take the indentation away, or use a fenced block (```)")
	}
}

// text gives the place of outputs in running text.
func (s *markdownScanner) text(n *ast.Text) {
	where := placeMarkdown
	for up := n.Parent(); up != nil; up = up.Parent() {
		switch up.(type) {
		case *ast.CodeSpan:
			where = placeCode
		case *ast.Link, *ast.Image:
			where = max(where, placeMarkdownLabel)
		case *ast.Heading, *east.TableCell:
			where = max(where, placeMarkdownLine)
		}
		if where == placeCode {
			break
		}
	}
	for _, i := range s.in(n.Segment.Value(s.marked)) {
		o := s.outputs[i]
		s.places[o] = where
		if where == placeCode && !s.codeIsWhole(n) {
			s.p.add(CodePlace, o.start, o.length(), "this code span is only there in one branch of a block", "put the block around the whole span")
		}
	}
}

// codeIsWhole reports whether a code span lies in one branch.
func (s *markdownScanner) codeIsWhole(n *ast.Text) bool {
	parent := n.Parent()
	first, ok := parent.FirstChild().(*ast.Text)
	last, ok2 := parent.LastChild().(*ast.Text)
	return ok && ok2 && s.balanced(first.Segment.Start, last.Segment.Stop)
}

// link gives the place of outputs in the address and the title of a link or an image. A definition may serve many
// links; its outputs are looked at once.
func (s *markdownScanner) link(destination, title []byte, chooses string, image bool) {
	for _, i := range s.in(title) {
		s.places[s.outputs[i]] = placeMarkdownLabel
	}
	for _, i := range s.in(destination) {
		o := s.outputs[i]
		if s.places[o] != placeMarkdown {
			continue
		}
		prefix, _, _ := strings.Cut(string(destination), string(firstMark+rune(i)))
		where, ok := address(s.unfill(prefix), kindOf(o.value, s.names))
		if where == placeURL {
			where = placeMarkdownURL
		}
		if s.places[o] = where; !ok {
			s.places[o] = placeURLPart
		}
		switch {
		case image:
			s.p.add(CodeLink, o.start, o.length(), "a variable may not choose where an image comes from", "write a fixed address")
		case !ok:
			s.p.add(CodeLink, o.start, o.length(), "this variable would choose where "+chooses, addressHelp)
		}
	}
}

// unfill takes the filler out that follows each mark.
func (s *markdownScanner) unfill(prefix string) string {
	var b strings.Builder
	skip := 0
	for _, r := range prefix {
		if skip > 0 {
			skip--
			continue
		}
		b.WriteRune(r)
		if i := int(r - firstMark); r >= firstMark && i < len(s.outputs) {
			skip = s.outputs[i].length() - utf8.RuneLen(r)
		}
	}
	return b.String()
}

// fence gives the place of outputs in a fenced code block; only one that stands by itself keeps its lines together.
func (s *markdownScanner) fence(n *ast.FencedCodeBlock) {
	if n.Info != nil {
		for _, i := range s.in(n.Info.Segment.Value(s.marked)) {
			o := s.outputs[i]
			s.p.add(CodePlace, o.start, o.length(), "a variable may not name the language of a code block", "write it out, or move it")
		}
	}
	lines := n.Lines()
	if lines.Len() == 0 {
		return
	}
	if n.Parent().Kind() != ast.KindDocument || !s.balanced(lines.At(0).Start, lines.At(lines.Len()-1).Stop) {
		s.refuseCode(lines, "in a code block that is part of a list, a quotation or one branch of a block", "move the code block out")
		return
	}
	for i := range lines.Len() {
		segment := lines.At(i)
		for _, o := range s.in(segment.Value(s.marked)) {
			s.places[s.outputs[o]] = placeFence
		}
	}
}

func (s *markdownScanner) refuseCode(lines *text.Segments, where, help string) {
	for i := range lines.Len() {
		segment := lines.At(i)
		for _, n := range s.in(segment.Value(s.marked)) {
			o := s.outputs[n]
			s.p.add(CodePlace, o.start, o.length(), "a variable may not stand "+where, help)
		}
	}
}

func (s *markdownScanner) html(start, length int) {
	s.p.add(CodeMarkdownHTML, start, length, "HTML in a Markdown body is not shown", "write Markdown, or name the file .html.hbs")
}
