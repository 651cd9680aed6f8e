package automation

import (
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// document is one file: its lines, and for YAML its nodes.
type document struct {
	path   string
	src    string
	lines  []string
	starts []int         // byte offset of each line
	chars  map[int][]int // of long lines: byte offset of each character, and of the end
	root   *yaml.Node
	unread bool                // an error hides part of the file: what it would have declared is not known
	broken map[*yaml.Node]bool // already reported; whatever reads them stays silent
	secret map[int]bool        // lines that hold a secret written out, never to be shown
	report func(Problem)
}

func newDocument(name string, src []byte, report func(Problem)) *document {
	// YAML ends a line at CR, LF and both; so do editors. One of them makes places mean the same everywhere.
	text := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.TrimPrefix(string(src), "\ufeff"))
	d := &document{path: name, src: text, lines: strings.Split(text, "\n"), report: report,
		chars: map[int][]int{}, broken: map[*yaml.Node]bool{}, secret: map[int]bool{}}
	at := 0
	for _, line := range d.lines {
		d.starts = append(d.starts, at)
		at += len(line) + 1
	}
	return d
}

// problem reports something at a place of the file.
func (d *document) problem(line, col, length int, s Severity, code, message, help string) {
	d.report(Problem{File: d.path, Line: max(line, 1), Col: max(col, 1), Length: max(length, 1), Severity: s, Code: code,
		Message: message, Help: help})
}

func (d *document) fail(line, col int, code, message, help string) {
	d.problem(line, col, 1, Error, code, message, help)
}

// parse reads the file's one YAML document and refuses what the format has no use for. It reports whether there is a
// mapping to walk, and notes in unread if a mistake hides what stands in the file.
func (d *document) parse() bool {
	d.unread = true
	if !utf8.ValidString(d.src) || strings.ContainsRune(d.src, 0) {
		d.fail(1, 1, codeFile, "the file is not UTF-8 text", "save it as UTF-8")
		return false
	}
	if i := strings.IndexAny(d.src, "\u0085\u2028\u2029"); i >= 0 {
		line, col := d.place(i)
		d.fail(line, col, codeFile, "an invisible line separator stands here", "delete it; a line ends with an ordinary line break")
		return false
	}
	dec := yaml.NewDecoder(strings.NewReader(d.src))
	var n yaml.Node
	switch err := dec.Decode(&n); {
	case errors.Is(err, io.EOF):
		d.unread = false // an empty file, or one of comments only, adds nothing
		return false
	case err != nil:
		d.syntax(err)
		return false
	}
	var second yaml.Node
	switch err := dec.Decode(&second); {
	case errors.Is(err, io.EOF):
		d.unread = false
	case err == nil:
		d.fail(second.Line, second.Column, codeDocuments, "a file holds one document", "put what follows --- into a file of its own")
	default:
		d.syntax(err)
	}
	if n.Kind != yaml.DocumentNode || len(n.Content) != 1 {
		return false
	}
	d.root = n.Content[0]
	d.inspect(d.root, 0)
	if d.root.Kind != yaml.MappingNode {
		d.fail(d.root.Line, d.root.Column, codeType, "the file must be a mapping of keys", "start with a key, such as automations:")
		d.unread = true
		return false
	}
	if d.broken[d.root] {
		d.unread = true
	}
	return !d.broken[d.root]
}

// braces finds a value that starts with {{ outside quotes.
var braces = regexp.MustCompile(`(?:^|[:\-,\[{]\s+)(\{\{)`)

// syntax reports the one error at which the parser stopped.
func (d *document) syntax(err error) {
	line, col, message := 1, 1, "the file is not YAML"
	var le *yaml.LoadError
	if errors.As(err, &le) {
		message = le.Message
		if le.Mark.Line > 0 {
			line, col = le.Mark.Line, max(le.Mark.Column, 1)
		}
		if c := le.ContextMark; c.Line > 0 && (line > len(d.lines) || strings.TrimSpace(d.lines[line-1]) == "") {
			line, col, message = c.Line, max(c.Column, 1), message+", for what begins here" // it ended too early
		}
	}
	line = min(line, len(d.lines))
	for l := line; l >= max(1, line-1); l-- {
		if m := braces.FindStringSubmatchIndex(d.lines[l-1]); m != nil {
			d.unquoted(l, utf8.RuneCountInString(d.lines[l-1][:m[2]])+1)
			return
		}
	}
	if text := d.lines[line-1]; strings.HasPrefix(strings.TrimLeft(text, " "), "\t") {
		d.fail(line, len(text)-len(strings.TrimLeft(text, " "))+1, codeTab, "a tab cannot indent YAML", "use spaces")
		return
	}
	col = min(col, utf8.RuneCountInString(d.lines[line-1])+1)
	d.fail(line, col, codeYAML, message, "check indentation and quotes on this line and the one before")
}

func (d *document) unquoted(line, col int) {
	d.problem(line, col, 2, Error, codeBraces, "a value that starts with {{ must be quoted", `write it as  "{{customer_number}} wants a call back"`)
}

// maxDepth is how deep a file may nest; the format needs eight levels.
const maxDepth = 32

// inspect walks the whole tree for what is refused wherever it stands.
func (d *document) inspect(n *yaml.Node, depth int) {
	switch {
	case depth > maxDepth:
		d.broken[n] = true
		d.fail(n.Line, n.Column, codeYAML, "nested too deeply", "the format needs far fewer levels")
		return
	case n.Kind == yaml.AliasNode:
		d.broken[n] = true
		d.fail(n.Line, n.Column, codeAnchor, "aliases are not used here", "write the value out")
		return
	case n.Kind == yaml.MappingNode && strings.HasPrefix(d.from(n.Line, n.Column), "{{"):
		d.broken[n] = true
		d.unquoted(n.Line, n.Column)
		return
	}
	if n.Anchor != "" {
		d.fail(n.Line, n.Column, codeAnchor, "anchors are not used here", "leave out &"+n.Anchor)
	}
	if strings.HasPrefix(d.from(n.Line, n.Column), "!") {
		d.broken[n] = true
		d.fail(n.Line, n.Column, codeTag, "tags are not used here", "leave out what begins with !, and quote the value if it is text")
	}
	if n.Kind == yaml.MappingNode {
		d.keys(n)
	}
	for _, c := range n.Content {
		d.inspect(c, depth+1)
	}
}

// keys refuses keys that stand twice in a mapping, and keys that are not words.
func (d *document) keys(n *yaml.Node) {
	first := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		switch {
		case k.Kind != yaml.ScalarNode:
			if !strings.HasPrefix(d.from(k.Line, k.Column), "{{") {
				d.fail(k.Line, k.Column, codeType, "a key must be a word", "write it without brackets")
			}
		case k.ShortTag() == "!!merge":
			d.fail(k.Line, k.Column, codeAnchor, "merge keys are not used here", "write the keys out")
		case first[k.Value] != nil:
			d.problem(k.Line, k.Column, utf8.RuneCountInString(k.Value), Error, codeDuplicate, "the key "+k.Value+" stands here twice",
				"it is also on line "+strconv.Itoa(first[k.Value].Line)+"; keep one of them")
		default:
			first[k.Value] = k
		}
	}
}

// from gives the rest of a line from a column on.
func (d *document) from(line, col int) string {
	if line < 1 || line > len(d.lines) {
		return ""
	}
	text := d.lines[line-1]
	if len(text) > longLine {
		at := d.characters(line)
		return text[at[min(max(col, 1), len(at))-1]:]
	}
	for range col - 1 {
		_, size := utf8.DecodeRuneInString(text)
		text = text[size:]
	}
	return text
}

// longLine is from how many bytes on a line's characters are counted once instead of each time one is looked for: a file
// may be one line of a megabyte, with a hundred thousand values on it.
const longLine = 4 << 10

// characters gives the byte offset of each character of a line, and of its end.
func (d *document) characters(line int) []int {
	if at := d.chars[line]; at != nil {
		return at
	}
	text := d.lines[line-1]
	at := make([]int, 0, len(text)+1)
	for i := range text {
		at = append(at, i)
	}
	at = append(at, len(text))
	d.chars[line] = at
	return at
}

// secretKey finds the value of a secret: or secrets: key wherever it stands on a line; named is a value that only names
// secrets, up to the end of the value.
var (
	secretKey = regexp.MustCompile(`(?i)(["']?secrets?["']?\s*:\s*)(.*)`)
	named     = regexp.MustCompile(`^\[?\s*(?:["']?\$\{ENV:\w+\}["']?[\s,]*)+(?:$|[\]}#]|\w+:)`)
)

// maxShown is the longest line in bytes that a report repeats. Nobody reads a longer one, and there may be many reports.
const maxShown = 10_000

// excerpt gives a source line for a report, without anything that may be a secret.
func (d *document) excerpt(line int) string {
	if line < 1 || line > len(d.lines) || d.secret[line] || len(d.lines[line-1]) > maxShown {
		return ""
	}
	text := visible(d.lines[line-1])
	m := secretKey.FindStringSubmatchIndex(text)
	if m == nil || m[4] == m[5] || named.MatchString(text[m[4]:]) {
		return text
	}
	return text[:m[4]] + "…"
}

// place gives line and column, from 1, of a byte offset in the file.
func (d *document) place(offset int) (line, col int) {
	offset = min(max(offset, 0), len(d.src))
	line, found := slices.BinarySearch(d.starts, offset)
	if found {
		line++
	}
	if len(d.lines[line-1]) > longLine {
		before, _ := slices.BinarySearch(d.characters(line), offset-d.starts[line-1])
		return line, 1 + before
	}
	return line, 1 + utf8.RuneCountInString(d.src[d.starts[line-1]:offset])
}

// offset gives the byte offset of a line and column.
func (d *document) offset(line, col int) int {
	if line > len(d.lines) {
		return len(d.src)
	}
	return d.starts[line-1] + len(d.lines[line-1]) - len(d.from(line, col))
}
