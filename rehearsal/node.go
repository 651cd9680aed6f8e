package rehearsal

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"aftercall/automation"
)

// The codes of what is wrong in a test file, or in one of answers.
const (
	codeYAML    = "AC601" // not YAML
	codeKey     = "AC602" // a key that is not known here, or stands twice
	codeValue   = "AC603" // not the kind of value that belongs here
	codeMissing = "AC604" // a key that must be there
	codeName    = "AC605" // an automation, variable, recipient or route that the config does not have
	codeFile    = "AC606" // a file that cannot be read, or a call that would not be taken
	codeTwice   = "AC607" // two cases with one name, or two answers about one call
	codeConfig  = "AC608" // the account that the test is for cannot be found
)

// document is a YAML file being read, and what was found wrong in it.
type document struct {
	path     string
	lines    []string
	problems []automation.Problem
}

// node is a value in a document. Reading it as what it should be reports what is wrong with it. The zero node stands for a
// key that is not there.
type node struct {
	doc *document
	n   *yaml.Node
}

// entry is one key of a mapping with its value.
type entry struct {
	key      string
	at, what node
}

// parse reads a file's one YAML document. The result is the zero node if there is nothing to walk.
func parse(path string, src []byte) (*document, node) {
	text := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.TrimPrefix(string(src), "\ufeff"))
	d := &document{path: path, lines: strings.Split(text, "\n")}
	if !utf8.ValidString(text) {
		d.report(1, 1, 1, codeYAML, "the file is not UTF-8 text", "save it as UTF-8")
		return d, node{}
	}
	var n yaml.Node
	switch err := yaml.NewDecoder(strings.NewReader(text)).Decode(&n); {
	case errors.Is(err, io.EOF):
		return d, node{}
	case err != nil:
		d.syntax(err)
		return d, node{}
	}
	if n.Kind != yaml.DocumentNode || len(n.Content) != 1 {
		return d, node{}
	}
	return d, node{d, n.Content[0]}
}

func (d *document) syntax(err error) {
	line, col, message := 1, 1, "the file is not YAML"
	var e *yaml.LoadError
	if errors.As(err, &e) {
		message = e.Message
		if e.Mark.Line > 0 {
			line, col = e.Mark.Line, e.Mark.Column
		}
		if c := e.ContextMark; c.Line > 0 && (line > len(d.lines) || strings.TrimSpace(d.lines[line-1]) == "") {
			line, col, message = c.Line, c.Column, message+", for what begins here" // it ended too early
		}
	}
	d.report(min(line, len(d.lines)), col, 1, codeYAML, message, "check indentation and quotes on this line and the one before")
}

func (d *document) report(line, col, length int, code, message, help string) {
	p := automation.Problem{File: d.path, Line: max(line, 1), Col: max(col, 1), Length: max(length, 1), Severity: automation.Error,
		Code: code, Message: message, Help: help}
	if p.Line <= len(d.lines) {
		p.Excerpt = d.lines[p.Line-1]
	}
	d.problems = append(d.problems, p)
}

func (v node) present() bool { return v.n != nil }

// fail reports an error at the value.
func (v node) fail(code, message, help string) {
	length := 1
	if v.n.Kind == yaml.ScalarNode && v.n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 {
		first, _, _ := strings.Cut(v.n.Value, "\n")
		length = utf8.RuneCountInString(first)
		if v.n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
			length += 2
		}
	}
	v.doc.report(v.n.Line, v.n.Column, length, code, message, help)
}

// unknown reports a word that is not one of those known here.
func (v node) unknown(code, what string, known []string) {
	help := "known here: " + strings.Join(known, ", ")
	if len(known) == 0 {
		help = "there is none here"
	}
	if near := automation.Nearest(v.n.Value, known); near != "" {
		help = fmt.Sprintf("did you mean %s?", near)
	}
	v.fail(code, fmt.Sprintf("%s %s", what, v.n.Value), help)
}

// among reports whether the value is one of those known here, and says so if not.
func (v node) among(known []string, what string) bool {
	if slices.Contains(known, v.n.Value) {
		return true
	}
	v.unknown(codeName, what, known)
	return false
}

// entries reads a mapping with free keys, in file order.
func (v node) entries(what string) []entry {
	if !v.present() {
		return nil
	}
	if v.n.Kind != yaml.MappingNode {
		v.fail(codeValue, what+" must be a mapping", "write key: value pairs")
		return nil
	}
	var es []entry
	for i := 0; i+1 < len(v.n.Content); i += 2 {
		at, what := node{v.doc, v.n.Content[i]}, node{v.doc, v.n.Content[i+1]}
		switch {
		case at.n.Kind != yaml.ScalarNode:
			at.fail(codeKey, "a key must be a word", "")
		case slices.ContainsFunc(es, func(e entry) bool { return e.key == at.n.Value }):
			at.fail(codeKey, "the key "+at.n.Value+" stands here twice", "keep one of them")
		default:
			es = append(es, entry{at.n.Value, at, what})
		}
	}
	return es
}

// fields reads a mapping whose keys are known, and reports those that are not.
func (v node) fields(what string, known ...string) map[string]node {
	out := map[string]node{}
	for _, e := range v.entries(what) {
		if !slices.Contains(known, e.key) {
			e.at.unknown(codeKey, "unknown key", known)
			continue
		}
		out[e.key] = e.what
	}
	return out
}

// list reads a list; a single value counts as a list of one.
func (v node) list() []node {
	if !v.present() || v.null() {
		return nil
	}
	if v.n.Kind != yaml.SequenceNode {
		return []node{v}
	}
	out := make([]node, 0, len(v.n.Content))
	for _, n := range v.n.Content {
		out = append(out, node{v.doc, n})
	}
	return out
}

// null reports whether the value is written as null, or as nothing.
func (v node) null() bool { return v.n.Kind == yaml.ScalarNode && v.n.ShortTag() == "!!null" }

// text reads a single value as it is written: a date or a number need not be quoted here.
func (v node) text(what string) (string, bool) {
	switch {
	case !v.present():
		return "", false
	case v.n.Kind != yaml.ScalarNode:
		v.fail(codeValue, what+" must be a single value", "")
		return "", false
	case v.null():
		v.fail(codeValue, what+" has no value", "write one, or leave the key out")
		return "", false
	}
	return v.n.Value, true
}

// texts reads a list of single values.
func (v node) texts(what string) []string {
	var out []string
	for _, w := range v.list() {
		if s, ok := w.text(what); ok {
			out = append(out, s)
		}
	}
	return out
}

// whole reads a whole number within bounds.
func (v node) whole(what string, low, high int) int {
	s, ok := v.text(what)
	if !ok {
		return low
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < low || n > high {
		v.fail(codeValue, fmt.Sprintf("%s must be a whole number from %d to %d", what, low, high), "")
		return low
	}
	return n
}
