package templates

import (
	"fmt"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// textPart makes the plain part of a mail from its HTML part, so that the two never say different things: lists with
// dashes, links as "text (address)", table rows as "one | two".
func textPart(page string) (string, error) {
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		return "", fmt.Errorf("read the HTML part: %w", err)
	}
	w := &textWriter{}
	w.node(root)
	return strings.TrimSpace(w.b.String()), nil
}

// textWriter writes text with line breaks that wait until there is something to write after them.
type textWriter struct {
	b       strings.Builder
	breaks  int    // line breaks wanted before the next word
	space   bool   // a space is wanted before the next word
	prefix  string // of every line
	fresh   bool   // a bullet or a quotation mark was just written: no line breaks before the next word
	pre     bool
	counter []int // of the lists around this place; 0 for those without numbers
}

func (w *textWriter) node(n *html.Node) {
	switch n.Type {
	case html.TextNode:
		w.text(n.Data)
	case html.ElementNode:
		w.element(n)
	case html.DocumentNode:
		w.children(n)
	}
}

func (w *textWriter) children(n *html.Node) {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		w.node(c)
	}
}

func (w *textWriter) element(n *html.Node) {
	switch n.DataAtom {
	case atom.Head, atom.Style, atom.Script, atom.Title:
	case atom.Br:
		w.breaks++
	case atom.Hr:
		w.block(2, func() { w.text("---") })
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Table:
		w.block(2, func() { w.children(n) })
	case atom.Div, atom.Section, atom.Article, atom.Header, atom.Footer, atom.Main, atom.Center, atom.Dt, atom.Dd, atom.Address:
		w.block(1, func() { w.children(n) })
	case atom.Ul, atom.Ol:
		w.list(n)
	case atom.Li:
		w.item(n)
	case atom.Blockquote:
		w.block(2, func() { w.indented("> ", n) })
	case atom.Pre:
		w.block(2, func() {
			w.pre = true
			w.children(n)
			w.pre = false
		})
	case atom.Tr:
		w.block(1, func() { w.row(n) })
	case atom.A:
		w.link(n)
	case atom.Img:
		w.text(attribute(n, "alt"))
	default:
		w.children(n)
	}
}

// block writes something that stands on lines of its own.
func (w *textWriter) block(breaks int, inside func()) {
	w.breaks = max(w.breaks, breaks)
	inside()
	w.breaks = max(w.breaks, breaks)
	w.space = false
}

func (w *textWriter) indented(prefix string, n *html.Node) {
	w.flush()
	before := w.prefix
	w.b.WriteString(prefix)
	w.fresh = true
	w.prefix += prefix
	w.children(n)
	w.prefix = before
}

func (w *textWriter) list(n *html.Node) {
	first := 0
	if n.DataAtom == atom.Ol {
		first = 1
		_, _ = fmt.Sscanf(attribute(n, "start"), "%d", &first)
	}
	breaks := 2
	if len(w.counter) > 0 {
		breaks = 1
	}
	w.counter = append(w.counter, first)
	w.block(breaks, func() { w.children(n) })
	w.counter = w.counter[:len(w.counter)-1]
}

func (w *textWriter) item(n *html.Node) {
	w.breaks = max(w.breaks, 1)
	w.flush()
	bullet := "- "
	if last := len(w.counter) - 1; last >= 0 && w.counter[last] > 0 {
		bullet = fmt.Sprintf("%d. ", w.counter[last])
		w.counter[last]++
	}
	w.b.WriteString(bullet)
	w.fresh = true
	before := w.prefix
	w.prefix += strings.Repeat(" ", len(bullet))
	w.children(n)
	w.prefix, w.breaks, w.space = before, 1, false
}

// row writes the cells of a table row that have something in them.
func (w *textWriter) row(n *html.Node) {
	written := false
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.DataAtom != atom.Td && c.DataAtom != atom.Th || strings.TrimSpace(inside(c)) == "" {
			continue
		}
		if written {
			w.text(" | ")
		}
		written = true
		w.children(c)
	}
}

// link writes where a link leads unless its text says so already.
func (w *textWriter) link(n *html.Node) {
	w.children(n)
	href := strings.TrimSpace(attribute(n, "href"))
	shown := strings.TrimPrefix(strings.TrimPrefix(href, "mailto:"), "tel:")
	if href == "" || strings.HasPrefix(href, "#") || oneLine(inside(n)) == shown {
		return
	}
	w.text(" (" + shown + ")")
}

// text writes words; white space is one space, or as it is inside <pre>.
func (w *textWriter) text(s string) {
	if w.pre {
		for i, line := range strings.Split(strings.TrimSuffix(s, "\n"), "\n") {
			if i > 0 {
				w.breaks++
			}
			w.flush()
			w.b.WriteString(line)
		}
		return
	}
	words := strings.Fields(s)
	if len(words) == 0 {
		w.space = w.space || s != ""
		return
	}
	fresh := w.breaks > 0 || w.fresh || w.b.Len() == 0
	leading := w.space || strings.TrimLeft(s, " \t\n") != s
	w.flush()
	if written := w.b.String(); leading && !fresh && !strings.HasSuffix(written, " ") {
		w.b.WriteByte(' ')
	}
	w.b.WriteString(strings.Join(words, " "))
	w.space = strings.TrimRight(s, " \t\n") != s
}

// flush writes the line breaks that are wanted, two at most in a row, and the prefix of the new line.
func (w *textWriter) flush() {
	if w.fresh {
		w.breaks, w.fresh = 0, false
	}
	if w.breaks == 0 {
		return
	}
	if w.b.Len() > 0 {
		limit := 2
		if w.pre {
			limit = w.breaks
		}
		for range min(w.breaks, limit) - 1 {
			w.b.WriteString("\n" + strings.TrimRight(w.prefix, " "))
		}
		w.b.WriteString("\n" + w.prefix)
	}
	w.breaks, w.space = 0, false
}

func inside(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
		if d.DataAtom == atom.Img {
			b.WriteString(attribute(d, "alt"))
		}
	}
	return b.String()
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}
