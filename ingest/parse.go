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
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	p := parser{tokens: d, mode: m}
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

// parser builds the tree of a body that is known to be valid JSON.
type parser struct {
	tokens *json.Decoder
	mode   mode
	values int   // so far
	path   []any // where it reads: names and positions; a pointer is made of it only if there is a fault
	faults []conversation.Fault
	broken bool // reading has to stop: the tokens are out of step
}

func (p *parser) fault(message string) {
	if len(p.faults) < maxFaults {
		p.faults = append(p.faults, conversation.Fault{Pointer: conversation.Pointer(p.path...), Message: message})
	}
}

// member reads a value one step further down.
func (p *parser) member(step any, depth int) any {
	p.path = append(p.path, step)
	v := p.value(depth)
	p.path = p.path[:len(p.path)-1]
	return v
}

func (p *parser) value(depth int) any {
	t, err := p.tokens.Token()
	if err != nil {
		p.broken = true
		p.fault("cannot be read")
		return nil
	}
	if p.values++; p.values > maxValues {
		p.broken = true
		p.fault("is one value more than the " + strconv.Itoa(maxValues) + " that are taken")
		return nil
	}
	switch t := t.(type) {
	case json.Delim:
		if depth >= maxDepth {
			p.broken = true
			p.fault("is nested more than " + strconv.Itoa(maxDepth) + " deep")
			return nil
		}
		if t == '{' {
			return p.object(depth)
		}
		return p.array(depth)
	case string:
		return p.text(t)
	default:
		return t
	}
}

// object reads members up to the closing brace.
func (p *parser) object(depth int) map[string]any {
	m := map[string]any{}
	for p.tokens.More() {
		t, err := p.tokens.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			p.broken = true
			p.fault("cannot be read")
			return m
		}
		name = p.text(name)
		if _, twice := m[name]; twice && p.mode == strict {
			p.path = append(p.path, name)
			p.fault("stands twice in the same object")
			p.path = p.path[:len(p.path)-1]
		}
		m[name] = p.member(name, depth+1)
		if p.broken {
			return m
		}
	}
	_, _ = p.tokens.Token() // the brace
	return m
}

func (p *parser) array(depth int) []any {
	list := []any{}
	for p.tokens.More() {
		list = append(list, p.member(len(list), depth+1))
		if p.broken {
			return list
		}
	}
	_, _ = p.tokens.Token() // the bracket
	return list
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
