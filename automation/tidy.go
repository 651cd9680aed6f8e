package automation

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// errNotTidied is what Tidy says of a file that it leaves alone.
var errNotTidied = errors.New("this file is written in a way that cannot be laid out without changing what it says")

// Tidy lays a YAML file out in one way: two spaces a level, a list that much below its key, one space where one will do, no
// two blank lines together, nothing at the end of a line. It only changes white space, so comments, quotes and the lines of
// texts stay as they are, and what YAML reads is the same, and so is what it gives for what it gave; where that cannot be kept, it
// gives an error and no file. A file whose last line has no end gets one.
func Tidy(name string, src []byte) ([]byte, error) {
	once, err := layOut(name, src)
	if err != nil {
		return nil, err
	}
	if twice, err := layOut(name, once); err != nil || !bytes.Equal(twice, once) {
		return nil, errNotTidied
	}
	return once, nil
}

func layOut(name string, src []byte) ([]byte, error) {
	if len(src) > 0 && !bytes.HasSuffix(src, []byte("\n")) {
		src = append(bytes.Clone(src), '\n')
	}
	d, err := readable(name, src)
	if err != nil {
		return nil, err
	}
	l := &layout{d: d, line: 1}
	if d.root != nil {
		l.mapping(d.root, 0, false)
	}
	l.before(len(d.lines)+1, level{})
	out := l.b.String()
	if l.lost || squeeze(out) != squeeze(d.src) {
		return nil, errNotTidied
	}
	again, err := readable(name, []byte(out))
	if err != nil || !equal(again.root, d.root) {
		return nil, errNotTidied
	}
	return []byte(out), nil
}

// readable parses a file, and refuses one with anything that would have to be mended first.
func readable(name string, src []byte) (*document, error) {
	var found []Problem
	d := newDocument(name, src, func(p Problem) { found = append(found, p) })
	if !d.parse() {
		d.root = nil
	}
	if len(found) > 0 {
		return nil, fmt.Errorf("line %d: %s", found[0].Line, found[0].Message)
	}
	return d, nil
}

// squeeze takes all white space out.
func squeeze(s string) string { return strings.Join(strings.Fields(s), "") }

// equal reports whether two nodes mean the same.
func equal(a, b *yaml.Node) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Kind == b.Kind && a.Value == b.Value && a.ShortTag() == b.ShortTag() && slices.EqualFunc(a.Content, b.Content, equal)
}

// level is a depth of the file: the column things had, from 0, and the one they get.
type level struct{ was, is int }

// layout writes a file anew, in the order of its lines.
type layout struct {
	d      *document
	b      strings.Builder
	line   int     // the first line that is not written yet
	levels []level // of the blocks around this place, and of those that just ended; outermost first
	lost   bool    // something stood where nothing is known to stand
}

func (l *layout) write(parts ...string) {
	for _, p := range parts {
		l.b.WriteString(p)
	}
}

func spaces(n int) string { return strings.Repeat(" ", n) }

// enter notes the level of what is written next, and forgets deeper ones.
func (l *layout) enter(at level) {
	l.levels = slices.DeleteFunc(l.levels, func(other level) bool { return other.was >= at.was })
	l.levels = append(l.levels, at)
}

// before writes the comments before a line, one blank line for many, and enters the level of what follows. A comment
// belongs to the deepest level that does not stand to its right.
func (l *layout) before(line int, next level) {
	blank := false
	for ; l.line < line; l.line++ {
		source := l.d.lines[l.line-1]
		text := strings.TrimSpace(source)
		if text == "" {
			blank = true
			continue
		}
		l.gap(blank)
		blank = false
		l.write(spaces(l.indent(len(source)-len(strings.TrimLeft(source, " \t")), next)), text, "\n")
	}
	if line <= len(l.d.lines) {
		l.gap(blank)
		l.enter(next)
	}
}

// indent says where a comment goes that began at a column, before something of a level.
func (l *layout) indent(was int, next level) int {
	if was == next.was {
		return next.is
	}
	is := 0
	for _, at := range append(slices.Clone(l.levels), next) {
		if at.was <= was {
			is = max(is, at.is)
		}
	}
	return is
}

func (l *layout) gap(blank bool) {
	if blank && l.b.Len() > 0 {
		l.write("\n")
	}
}

// mapping writes a block mapping; open means that its first key goes on a line already begun.
func (l *layout) mapping(n *yaml.Node, indent int, open bool) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		at := level{key.Column - 1, indent}
		if i > 0 || !open {
			l.before(key.Line, at)
			l.write(spaces(indent))
		} else {
			l.enter(at)
		}
		from, to := l.d.offset(key.Line, key.Column), l.d.end(key)
		colon := strings.IndexByte(l.d.src[to:], ':')
		if key.Kind != yaml.ScalarNode || colon < 0 || strings.TrimSpace(l.d.src[to:to+colon]) != "" {
			l.lost = true
			return
		}
		l.write(l.d.src[from:to], ":")
		l.value(value, key.Line, to+colon+1, indent)
	}
}

// value writes what stands behind a colon or a dash at the given place of the source, to the end of its last line.
func (l *layout) value(n *yaml.Node, line, behind, indent int) {
	switch {
	case nothing(n):
		l.end(behind)
		return
	case n.Line == line:
		l.write(" ")
	default:
		l.end(behind)
		if !block(n) {
			l.before(n.Line, level{n.Column - 1, indent + 2})
			l.write(spaces(indent + 2))
		}
	}
	switch {
	case n.Kind == yaml.ScalarNode:
		l.scalar(n, indent)
	case !block(n):
		l.flow(n)
	case n.Kind == yaml.MappingNode:
		l.mapping(n, indent+2, n.Line == line)
	default:
		l.sequence(n, indent+2, n.Line == line)
	}
}

// nothing reports a value that was left out.
func nothing(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Style == 0 && n.Value == "" }

// block reports a mapping or list without brackets.
func block(n *yaml.Node) bool { return n.Kind != yaml.ScalarNode && n.Style&yaml.FlowStyle == 0 }

func (l *layout) sequence(n *yaml.Node, indent int, open bool) {
	for i, item := range n.Content {
		line := n.Line
		at := level{n.Column - 1, indent}
		if i > 0 || !open {
			line = l.nextContent()
			l.before(line, at)
			l.write(spaces(indent))
		} else {
			l.enter(at)
		}
		l.write("-")
		dash := l.d.offset(line, n.Column)
		if !strings.HasPrefix(l.d.src[dash:], "-") {
			l.lost = true
			return
		}
		l.value(item, line, dash+1, indent)
	}
}

// nextContent is the first line not written yet that holds more than a comment.
func (l *layout) nextContent() int {
	for line := l.line; line <= len(l.d.lines); line++ {
		if text := strings.TrimSpace(l.d.lines[line-1]); text != "" && text[0] != '#' {
			return line
		}
	}
	return len(l.d.lines)
}

// end writes the comment behind a place, if there is one, and ends the line.
func (l *layout) end(at int) {
	line, _ := l.d.place(at)
	rest, _, _ := strings.Cut(l.d.src[at:], "\n")
	text := strings.TrimSpace(rest)
	switch {
	case strings.HasPrefix(text, "#"):
		gap := len(rest) - len(strings.TrimLeft(rest, " \t"))
		l.write(spaces(max(gap, 1)), text)
	case text != "":
		l.lost = true
	}
	l.write("\n")
	l.line = line + 1
}

// scalar writes a text as it stands. The lines of one that goes on are moved; their white space at the front means nothing.
func (l *layout) scalar(n *yaml.Node, indent int) {
	if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		l.lines(n, indent)
		return
	}
	to := l.d.end(n)
	for i, line := range strings.Split(l.d.src[l.d.offset(n.Line, n.Column):to], "\n") {
		if n.Style&yaml.DoubleQuotedStyle == 0 { // in which white space at the end can be escaped
			line = strings.TrimRight(line, " \t")
		}
		if i > 0 {
			if line = strings.TrimLeft(line, " \t"); line != "" {
				line = spaces(indent+2) + line
			}
			l.write("\n")
		}
		l.write(line)
	}
	l.end(to)
}

// blockHeader is the beginning of a block scalar, with the digit that says how deep its lines are.
var blockHeader = regexp.MustCompile(`^[|>][-+]?([1-9]?)([-+]?)`)

// lines writes a block scalar: its first line as it is, the others moved together.
func (l *layout) lines(n *yaml.Node, indent int) {
	header := l.d.from(n.Line, n.Column)
	l.write(strings.TrimRight(header, " \t"), "\n")
	mark := blockHeader.FindStringSubmatch(header)
	if mark == nil {
		l.lost = true
		return
	}
	all := l.d.lines[n.Line:]
	if len(all) > 0 && all[len(all)-1] == "" {
		all = all[:len(all)-1] // what follows the last line break is no line
	}
	depth, moved := contentDepth(all), indent+2
	if mark[1] != "" {
		digit := int(mark[1][0] - '0')
		depth, moved = l.levels[len(l.levels)-1].was+digit, indent+digit
	}
	last := 0
	for i, line := range all {
		if len(line)-len(strings.TrimLeft(line, " ")) >= depth && len(line) > depth {
			last = i + 1
		} else if strings.Trim(line, " ") != "" {
			break
		} else if strings.Contains(mark[0], "+") {
			last = i + 1 // blank lines at the end are kept
		}
	}
	for _, line := range all[:last] {
		if len(line) <= depth {
			line = ""
		} else {
			line = spaces(moved) + line[depth:]
		}
		l.write(line, "\n")
	}
	l.line = n.Line + last + 1
}

// contentDepth is how far the lines of a block scalar are indented: as far as the first that is not blank.
func contentDepth(all []string) int {
	depth := 0
	for _, line := range all {
		text := strings.TrimLeft(line, " ")
		if text != "" {
			return len(line) - len(text)
		}
		depth = max(depth, len(line))
	}
	return depth
}

// flow writes a mapping or list in brackets: on one line with one kind of spacing, on several as they are, moved together.
func (l *layout) flow(n *yaml.Node) {
	from, to := l.d.offset(n.Line, n.Column), l.flowEnd(n)
	source := l.d.src[from:to]
	if text := l.spaced(n); !strings.Contains(source, "\n") && squeeze(text) == squeeze(source) {
		l.write(text)
		l.end(to)
		return
	}
	around := l.levels[len(l.levels)-1]
	for i, line := range strings.Split(source, "\n") {
		text := strings.TrimLeft(line, " \t")
		if i > 0 {
			l.write("\n")
			if text != "" {
				l.write(spaces(max(len(line)-len(text)+around.is-around.was, 0)))
			}
			line = text
		}
		l.write(strings.TrimRight(line, " \t"))
	}
	l.end(to)
}

// spaced writes a node in brackets on one line.
func (l *layout) spaced(n *yaml.Node) string {
	var parts []string
	switch n.Kind {
	case yaml.SequenceNode:
		for _, c := range n.Content {
			parts = append(parts, l.spaced(c))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			pair := l.spaced(n.Content[i])
			if !nothing(n.Content[i+1]) {
				pair += ": " + l.spaced(n.Content[i+1])
			}
			parts = append(parts, pair)
		}
		text := strings.Join(parts, ", ")
		switch {
		case l.d.src[l.d.offset(n.Line, n.Column)] != '{': // one pair of a list, without brackets
			return text
		case text == "":
			return "{}"
		}
		return "{ " + text + " }"
	}
	return l.d.src[l.d.offset(n.Line, n.Column):l.d.end(n)]
}

// flowEnd gives the byte offset behind a node in brackets.
func (l *layout) flowEnd(n *yaml.Node) int {
	if n.Kind == yaml.ScalarNode {
		return l.d.end(n)
	}
	at := l.d.offset(n.Line, n.Column)
	if c := l.d.src[at]; c == '[' || c == '{' {
		at++
	}
	bare := at == l.d.offset(n.Line, n.Column) // one pair of a list, without brackets
	for _, c := range n.Content {
		if !nothing(c) {
			at = max(at, l.flowEnd(c))
		}
	}
	for !bare && at < len(l.d.src) {
		switch l.d.src[at] {
		case ']', '}':
			return at + 1
		case '#':
			rest, _, _ := strings.Cut(l.d.src[at:], "\n")
			at += len(rest)
		default:
			at++
		}
	}
	return at
}

// end gives the byte offset behind a scalar that is no block.
func (d *document) end(n *yaml.Node) int {
	at := d.offset(n.Line, n.Column)
	style := n.Style & (yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle)
	if style == 0 {
		printed := 0
		for _, r := range n.Value {
			if !isSpace(r) {
				printed++
			}
		}
		if printed == 0 {
			return at
		}
		last, size := d.scan(n, printed-1)
		return last + size
	}
	quote := d.src[at]
	for at++; at < len(d.src); {
		if d.src[at] == quote && !strings.HasPrefix(d.src[at:], "''") {
			return at + 1
		}
		_, size := step(d.src[at:], style)
		at += size
	}
	return at
}
