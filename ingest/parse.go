package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"aftercall/conversation"
)

// mode says how a body is read: strict for our own API, where every oddity is told to the author of the client; lenient
// for platforms, which cannot be taught and switch a webhook off that answers 400 too often.
type mode bool

const (
	strict  mode = true
	lenient mode = false
)

// maxDepth bounds nesting; real payloads have a depth of ten or so.
const maxDepth = 64

// maxValues bounds how many values a body has. A tree of them takes twenty times the memory of the body, and the longest
// call that is taken has fewer.
const maxValues = 200_000

// parse reads a JSON object (RFC 8259). In strict mode a name that stands twice in one object, and the character U+0000
// (for which the database has no word), are faults; in lenient mode the last one counts, and U+0000 becomes U+FFFD.
// Numbers stay as they were written.
func parse(body []byte, m mode) (map[string]any, []conversation.Fault) {
	if !utf8.Valid(body) {
		return nil, at("", "the body is not valid UTF-8")
	}
	if !json.Valid(body) {
		return nil, at("", "the body is not valid JSON"+position(body))
	}
	p := parser{body: body, mode: m}
	v := p.value(0)
	if len(p.faults) > 0 {
		return nil, p.faults
	}
	doc, ok := v.(map[string]any)
	if !ok {
		return nil, at("", "the body is not a JSON object")
	}
	return doc, nil
}

func at(pointer, message string) []conversation.Fault {
	return []conversation.Fault{{Pointer: pointer, Message: message}}
}

// position says where the JSON breaks off, if that is known.
func position(body []byte) string {
	var v any
	var e *json.SyntaxError
	if errors.As(json.Unmarshal(body, &v), &e) {
		line := 1 + bytes.Count(body[:min(int(e.Offset), len(body))], []byte("\n"))
		return ": it breaks off at byte " + strconv.FormatInt(e.Offset, 10) + ", line " + strconv.Itoa(line)
	}
	return ""
}

// parser builds the tree of a body that is known to be valid JSON. It reads the bytes themselves: a decoder's tokens take
// three times as long.
type parser struct {
	body   []byte
	at     int // it reads here
	mode   mode
	values int    // so far
	path   []step // where it reads; a pointer is made of it only if there is a fault
	faults []conversation.Fault
	broken bool // reading has to stop
}

// step leads to a member by its name, or to an element by its position.
type step struct {
	name     string
	position int
	element  bool
}

func (p *parser) fault(message string) {
	if len(p.faults) >= maxFaults {
		return
	}
	tokens := make([]any, len(p.path))
	for i, s := range p.path {
		tokens[i] = s.name
		if s.element {
			tokens[i] = s.position
		}
	}
	p.faults = append(p.faults, conversation.Fault{Pointer: conversation.Pointer(tokens...), Message: message})
}

// stop ends the reading with a fault.
func (p *parser) stop(message string) any {
	p.broken = true
	p.fault(message)
	return nil
}

// member reads a value one step further down.
func (p *parser) member(s step, depth int) any {
	p.path = append(p.path, s)
	v := p.value(depth)
	p.path = p.path[:len(p.path)-1]
	return v
}

// next is the byte with which the next part of the document begins; 0 after the end.
func (p *parser) next() byte {
	for ; p.at < len(p.body); p.at++ {
		if c := p.body[p.at]; c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c
		}
	}
	return 0
}

func (p *parser) value(depth int) any {
	if p.values++; p.values > maxValues {
		return p.stop("is one value more than the " + strconv.Itoa(maxValues) + " that are taken")
	}
	switch c := p.next(); c {
	case '{', '[':
		if depth >= maxDepth {
			return p.stop("is nested more than " + strconv.Itoa(maxDepth) + " deep")
		}
		p.at++
		if c == '{' {
			return p.object(depth)
		}
		return p.array(depth)
	case '"':
		return p.text(p.quoted())
	}
	word := p.body[p.at:]
	if end := bytes.IndexAny(word, ",]} \n\t\r"); end >= 0 {
		word = word[:end]
	}
	p.at += len(word)
	switch string(word) {
	case "":
		return p.stop("cannot be read")
	case "true":
		return true
	case "false":
		return false
	case "null":
		return nil
	}
	return json.Number(word)
}

// object reads members up to the closing brace.
func (p *parser) object(depth int) map[string]any {
	m := map[string]any{}
	for c := p.next(); c != '}'; c = p.next() {
		if c == ',' {
			p.at++
			c = p.next()
		}
		if c != '"' {
			p.stop("cannot be read")
			return m
		}
		name := p.text(p.quoted())
		if _, twice := m[name]; twice && p.mode == strict {
			p.path = append(p.path, step{name: name})
			p.fault("stands twice in the same object")
			p.path = p.path[:len(p.path)-1]
		}
		if p.next() == ':' {
			p.at++
		}
		if m[name] = p.member(step{name: name}, depth+1); p.broken {
			return m
		}
	}
	p.at++
	return m
}

func (p *parser) array(depth int) []any {
	list := []any{}
	for c := p.next(); c != ']'; c = p.next() {
		if c == ',' {
			p.at++
		}
		if list = append(list, p.member(step{position: len(list), element: true}, depth+1)); p.broken {
			return list
		}
	}
	p.at++
	return list
}

// quoted reads a string. One with escapes is left to encoding/json.
func (p *parser) quoted() string {
	from := p.at + 1
	end := bytes.IndexByte(p.body[from:], '"')
	if end >= 0 && bytes.IndexByte(p.body[from:from+end], '\\') < 0 {
		p.at = from + end + 1
		return string(p.body[from : from+end])
	}
	for p.at = from; p.at < len(p.body) && p.body[p.at] != '"'; p.at++ {
		if p.body[p.at] == '\\' {
			p.at++
		}
	}
	p.at = min(p.at+1, len(p.body))
	var s string
	if json.Unmarshal(p.body[from-1:p.at], &s) != nil {
		p.stop("cannot be read")
	}
	return s
}

func (p *parser) text(s string) string {
	if strings.IndexByte(s, 0) < 0 {
		return s
	}
	if p.mode == strict {
		p.fault("contains the character U+0000")
	}
	return strings.ReplaceAll(s, "\x00", "\uFFFD")
}

// plain turns the numbers of a tree into Go's, for metadata: whole ones exactly, others as floating point. What is
// beyond either becomes text; nothing is lost, and the database takes it.
func plain(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		if f, err := v.Float64(); err == nil && !math.IsInf(f, 0) && strings.ContainsAny(v.String(), ".eE") {
			return f
		}
		return v.String()
	case map[string]any:
		for key, inner := range v {
			v[key] = plain(inner)
		}
		return v
	case []any:
		for i, inner := range v {
			v[i] = plain(inner)
		}
		return v
	default:
		return v
	}
}
