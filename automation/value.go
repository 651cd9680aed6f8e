package automation

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"aftercall/recipients"
)

// value is a node in its file. Reading it as what it should be reports what is wrong with it; a value that was reported
// reads as nothing, so that one mistake makes one problem. The zero value stands for a key that is not there.
type value struct {
	doc  *document
	node *yaml.Node
	key  *yaml.Node // the key it stands under, if any
	of   *kind      // what may stand here
}

// entry is one key of a mapping with its value.
type entry struct {
	key  string
	at   value // the key itself
	what value
}

func (v value) present() bool { return v.node != nil }

// fail reports an error at the value.
func (v value) fail(code, message, help string) {
	v.report(Error, code, message, help)
}

// tighten reports what an older version took and this one does not. Whoever reads v goes on with it as it stands, since a
// stored revision does.
func (v value) tighten(code, message, help string) {
	v.report(tightened, code, message, help)
}

func (v value) warn(code, message, help string) {
	v.report(Warning, code, message, help)
}

func (v value) report(s Severity, code, message, help string) {
	at := v.spot()
	v.doc.problem(at.line, at.col, at.length, s, code, message, help)
}

// spot is a place in a file.
type spot struct {
	doc               *document
	line, col, length int
}

func (s spot) warn(code, message, help string) {
	s.doc.problem(s.line, s.col, s.length, Warning, code, message, help)
}

// spot gives the place of the value: its key's, if nothing stands there, or if it only begins on a line below.
func (v value) spot() spot {
	n := v.node
	if v.key != nil && (n.Kind == yaml.ScalarNode && n.Value == "" && n.Style == 0 || n.Kind != yaml.ScalarNode && n.Line > v.key.Line) {
		n = v.key
	}
	return spot{v.doc, n.Line, n.Column, v.doc.width(n)}
}

// where gives the place of a name in something that was written.
type where func(name string) spot

// whole is the place of the value, whatever stands in it.
func (v value) whole(string) spot { return v.spot() }

// mention is where a text first names something.
func (v value) mention(name string) spot {
	at := mentioned(v.node.Value, name)
	if at < 0 {
		return v.spot()
	}
	line, col := v.doc.locate(v.node, at)
	return spot{v.doc, line, col, len(name)}
}

// mention is where a body file first names something.
func (d *document) mention(name string) spot {
	line, col := d.place(max(mentioned(d.src, name), 0))
	return spot{d, line, col, len(name)}
}

// mentioned gives the byte offset at which a name first stands alone, in braces if there are any; -1 if nowhere.
func mentioned(src, name string) int {
	for _, part := range append(braced.FindAllStringIndex(src, -1), []int{0, len(src)}) {
		for at := part[0]; at < part[1]; {
			i := strings.Index(src[at:part[1]], name)
			if i < 0 {
				break
			}
			from, to := at+i, at+i+len(name)
			if !strings.ContainsAny(src[max(from-1, 0):from], nameParts) && !strings.ContainsAny(src[to:min(to+1, len(src))], nameParts) {
				return from
			}
			at = to
		}
	}
	return -1
}

// nameParts are the characters of names, and the dot between them.
const nameParts = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_."

// place names where the value stands, for a message about two places.
func (v value) place() string { return fmt.Sprintf("%s:%d", v.doc.path, v.node.Line) }

// quiet reports whether there is nothing to read, or nothing worth reading.
func (v value) quiet() bool { return v.node == nil || v.doc.broken[v.node] }

// unread is a value that stands there and of which nothing more is to be said.
func (v value) unread() value {
	v.doc.broken[v.node] = true
	return v
}

func (v value) isMapping() bool { return !v.quiet() && v.node.Kind == yaml.MappingNode }

// child gives the node under a key of a mapping, without reporting anything; nil if there is none.
func (v value) child(key string) *yaml.Node {
	if !v.isMapping() {
		return nil
	}
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		if v.node.Content[i].Value == key {
			return v.node.Content[i+1]
		}
	}
	return nil
}

// entries reads a mapping with free keys, in file order.
func (v value) entries(what string) []entry {
	if v.quiet() {
		return nil
	}
	if v.node.Kind != yaml.MappingNode {
		v.fail(codeType, what+" must be a mapping", "write key: value pairs")
		return nil
	}
	var es []entry
	seen := map[string]bool{}
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		k, w := v.node.Content[i], v.node.Content[i+1]
		if k.Kind != yaml.ScalarNode || seen[k.Value] || k.ShortTag() == "!!merge" {
			continue // reported when the file was read
		}
		seen[k.Value] = true
		es = append(es, entry{key: k.Value, at: value{doc: v.doc, node: k}, what: value{v.doc, w, k, v.of.under(k.Value)}})
	}
	return es
}

// fields reads a mapping whose keys the format knows, and reports those that it does not.
func (v value) fields() map[string]value {
	out := map[string]value{}
	if v.quiet() {
		return out
	}
	m := v.of.mapping()
	known := m.names()
	for _, e := range v.entries(m.name) {
		if !slices.Contains(known, e.key) {
			if near := nearest(e.key, known); near == "secret" || near == "secrets" {
				e.what.hide()
			}
			e.at.unknown(codeUnknownKey, "unknown key", known)
			if near := nearest(e.key, known); near != "" && !out[near].present() {
				e.what.of = v.of.under(near)
				out[near] = e.what.unread() // the key is not missing: it is misspelt
			}
			continue
		}
		out[e.key] = e.what
	}
	return out
}

// unknown reports a word that is not one of those known here.
func (v value) unknown(code, what string, known []string) {
	help := "known here: " + strings.Join(known, ", ")
	if near := nearest(v.node.Value, known); near != "" {
		help = fmt.Sprintf("did you mean %s?", near)
	}
	v.fail(code, fmt.Sprintf("%s %s", what, v.node.Value), help)
}

// list reads a list; a single value counts as a list of one.
func (v value) list() []value {
	if v.quiet() {
		return nil
	}
	member := v.of.member()
	if v.node.Kind != yaml.SequenceNode {
		return []value{{v.doc, v.node, v.key, member}}
	}
	out := make([]value, 0, len(v.node.Content))
	for _, n := range v.node.Content {
		out = append(out, value{v.doc, n, nil, member})
	}
	return out
}

// scalar reads a single value of whatever type.
func (v value) scalar(what string) (string, bool) {
	switch {
	case v.quiet():
		return "", false
	case v.node.Kind != yaml.ScalarNode:
		v.fail(codeType, what+" must be a single value", "write one value, without brackets, dashes or keys")
		return "", false
	case v.node.ShortTag() == "!!null":
		v.fail(codeMissing, what+" has no value", "write one, or leave the key out")
		return "", false
	}
	return v.node.Value, true
}

// unquotedPhone is a phone number that YAML reads as a number, and in which it may lose the plus or the zeros.
var unquotedPhone = regexp.MustCompile(`^(\+|00)[0-9_]{5,}$`)

// text reads text. A number or a date must be quoted to be text.
func (v value) text(what string) (string, bool) {
	s, ok := v.scalar(what)
	if !ok {
		return "", false
	}
	if v.node.ShortTag() == "!!str" {
		return s, true
	}
	if unquotedPhone.MatchString(s) {
		number := s
		if rest, ok := strings.CutPrefix(s, "00"); ok {
			number = "+" + rest
		}
		v.fail(codePhone, "this phone number is not quoted, so YAML reads it as a number", fmt.Sprintf("write %q", number))
		return "", false
	}
	v.fail(codeType, what+" must be text", fmt.Sprintf("write %q", s))
	return "", false
}

// line reads one line of text that is not empty.
func (v value) line(what string) (string, bool) {
	s, ok := v.text(what)
	switch {
	case !ok:
		return "", false
	case strings.TrimSpace(s) == "":
		v.fail(codeValue, what+" is empty", "write something, or leave the key out")
		return "", false
	case strings.ContainsAny(strings.TrimSpace(s), "\r\n"):
		v.fail(codeValue, what+" must be on one line", "take out the line breaks")
		return "", false
	}
	return strings.TrimSpace(s), true
}

// lines reads a list of texts.
func (v value) lines(what string) []string {
	var out []string
	for _, w := range v.list() {
		if s, ok := w.line(what); ok {
			out = append(out, s)
		}
	}
	return out
}

// boolean reads true or false.
func (v value) boolean(what string, otherwise bool) bool {
	s, ok := v.scalar(what)
	if !ok {
		return otherwise
	}
	if v.node.ShortTag() != "!!bool" {
		v.fail(codeType, what+" must be true or false", "write one of these two words, without quotes")
		return otherwise
	}
	return strings.EqualFold(s, "true")
}

// integer reads a whole number within the bounds of the format.
func (v value) integer(what string) int {
	s, ok := v.scalar(what)
	if !ok {
		return 0
	}
	low, high := v.of.low, v.of.high
	n, err := strconv.Atoi(s)
	if err != nil || v.node.ShortTag() != "!!int" || n < low || n > high {
		v.fail(codeType, fmt.Sprintf("%s must be a whole number from %d to %d", what, low, high), "write it in digits, without quotes")
		return 0
	}
	return n
}

// word reads one of the words the format allows here.
func (v value) word(what string) string {
	s, ok := v.scalar(what)
	if !ok {
		return ""
	}
	if allowed := v.of.allowed(); !slices.Contains(allowed, s) {
		v.unknown(codeMember, what+" cannot be", allowed)
		return ""
	}
	return s
}

// words reads a list of the words allowed.
func (v value) words(what string) []string {
	var out []string
	for _, w := range v.list() {
		if s := w.word(what); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// slug is what ids and keys look like: they are printed, stored and compared, and shown to the model.
var slug = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

// id reads a slug.
func (v value) id(what string) (string, bool) {
	s, ok := v.scalar(what)
	if ok && !slug.MatchString(s) {
		v.fail(codeID, fmt.Sprintf("%s %q is not a slug", what, s), "use small letters, digits, - and _, at most 64")
		return "", false
	}
	return s, ok
}

// duration reads a length of time such as 10m, 4h or 2d.
func (v value) duration(what string) time.Duration {
	s, ok := v.scalar(what)
	if !ok {
		return 0
	}
	longest := v.of.longest
	d, ok := parseDuration(s)
	if !ok || d > longest {
		v.fail(codeValue, fmt.Sprintf("%s must be a time such as 10m, 4h or 2d, at most %s", what, spell(longest)),
			"write digits and a unit: d, h, m or s")
		return 0
	}
	return d
}

// refuse reports what recipients found wrong with an address or target.
func (v value) refuse(code string, p *recipients.Problem) { v.fail(code, p.Message, p.Help) }

// plain reads a scalar as JSON would have it: text, a number as float64, true or false.
func (v value) plain() (any, bool) {
	s, ok := v.scalar("a value")
	if !ok {
		return nil, false
	}
	switch v.node.ShortTag() {
	case "!!bool":
		return strings.EqualFold(s, "true"), true
	case "!!int", "!!float":
		var n float64
		if v.node.Decode(&n) == nil { // as YAML has it: 1_000 and 0x1F are numbers
			return n, true
		}
	}
	return s, true
}
