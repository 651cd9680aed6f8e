package automation

import (
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// locate maps a byte offset in a scalar's value to its place in the file.
//
// Folding, indentation, chomping and line continuation only ever change white space, and escapes stand for one character
// each. So the n-th character of the value that is not white space is the n-th such character of the source, once escapes
// are read as what they stand for. That holds for every style, where arithmetic on lines does not.
func (d *document) locate(n *yaml.Node, offset int) (line, col int) {
	value := n.Value[:min(max(offset, 0), len(n.Value))]
	want := 0
	for _, r := range value {
		if !isSpace(r) {
			want++
		}
	}
	next, _ := utf8.DecodeRuneInString(n.Value[len(value):])
	onSpace := len(value) == len(n.Value) || isSpace(next)
	if onSpace && want > 0 {
		want-- // count to the character before the space, then step over it
	}
	at, size := d.scan(n, want)
	if onSpace && len(value) > 0 {
		at += size
	}
	return d.place(at)
}

// scan gives the byte offset in the file, and the size there, of the want-th character (from 0) of the scalar that is not
// white space.
func (d *document) scan(n *yaml.Node, want int) (at, size int) {
	start := d.offset(n.Line, n.Column)
	at = start
	style := n.Style & (yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle)
	switch {
	case style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0: // the header's line holds no content
		i := strings.IndexByte(d.src[start:], '\n')
		if i < 0 {
			return start, 0
		}
		at += i + 1
	case style != 0:
		at++
	}
	for at < len(d.src) {
		space, size := step(d.src[at:], style)
		if !space {
			if want == 0 {
				return at, size
			}
			want--
		}
		at += size
	}
	return at, 0
}

// step reads one character of a scalar's source: whether it is white space in the value, and its size in the source.
func step(s string, style yaml.Style) (space bool, size int) {
	r, size := utf8.DecodeRuneInString(s)
	switch {
	case style == yaml.SingleQuotedStyle && strings.HasPrefix(s, "''"):
		return false, 2
	case style == yaml.DoubleQuotedStyle && r == '\\' && len(s) > 1:
		return escape(s)
	}
	return isSpace(r), size
}

// escape reads a \ escape of a double-quoted scalar. YAML 1.2, section 5.7.
func escape(s string) (space bool, size int) {
	switch s[1] {
	case 'x':
		size = 4
	case 'u':
		size = 6
	case 'U':
		size = 10
	case 't', 'n', 'r', ' ', '\t', '\n', '\r', 'N', 'L', 'P':
		return true, 2
	default:
		_, n := utf8.DecodeRuneInString(s[1:])
		return false, 1 + n
	}
	size = min(size, len(s))
	digits := strings.TrimLeft(s[2:size], "0")
	space = digits == "9" || strings.EqualFold(digits, "a") || strings.EqualFold(digits, "d") || digits == "20" ||
		digits == "85" || digits == "2028" || digits == "2029"
	return space, size
}

// isSpace reports what YAML folds, chomps or reads as a line break.
func isSpace(r rune) bool {
	switch r {
	case ' ', '\t', '\n', '\r', '\u0085', '\u2028', '\u2029':
		return true
	}
	return false
}

// width is how many characters a node takes on its first line.
func (d *document) width(n *yaml.Node) int {
	if n.Kind != yaml.ScalarNode || n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		return 1
	}
	rest := d.from(n.Line, n.Column)
	style := n.Style & (yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle)
	if style == 0 {
		first, _, _ := strings.Cut(n.Value, "\n")
		long := utf8.RuneCountInString(first)
		return min(long, utf8.RuneCountInString(rest[:min(len(rest), utf8.UTFMax*long)])) // not all of a line of a megabyte
	}
	quote, i := rest[:min(1, len(rest))], 1
	for i < len(rest) {
		if strings.HasPrefix(rest[i:], quote) && !strings.HasPrefix(rest[i:], "''") {
			return utf8.RuneCountInString(rest[:i+1])
		}
		_, size := step(rest[i:], style)
		i += size
	}
	return utf8.RuneCountInString(rest)
}
