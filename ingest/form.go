package ingest

import (
	"net/url"
	"strings"
	"unicode/utf8"

	"aftercall/conversation"
)

// formType is the media type of a body that a browser would post.
const formType = "application/x-www-form-urlencoded"

// parseForm reads a form into the tree that JSON would have given, with texts as its only values. Names nest as PHP and Kazoo
// write it: a[b]=1 is a member, a[]=1 an element. What stands between two & and is empty, or has no name, says nothing; of a name that stands
// twice the last counts.
func parseForm(body []byte) (map[string]any, []conversation.Fault) {
	f, count := &branch{members: map[string]any{}}, 0
	for part := range strings.SplitSeq(string(body), "&") {
		if part == "" {
			continue
		}
		if count++; count > maxValues {
			return nil, at("", "the form has too many values")
		}
		name, value, _ := strings.Cut(part, "=")
		name, badName := url.QueryUnescape(name)
		value, badValue := url.QueryUnescape(value)
		switch {
		case badName != nil || badValue != nil:
			return nil, at("", "the body is not a form: a percent sign stands before what is no code")
		case !utf8.ValidString(name) || !utf8.ValidString(value):
			return nil, at("", "the body is not valid UTF-8")
		case strings.Count(name, "[") > maxDepth:
			return nil, at("", "a name is nested more than 64 deep")
		}
		if name == "" {
			continue
		}
		f.put(path(name), strings.ReplaceAll(value, "\x00", "\uFFFD"))
	}
	doc, _ := f.value().(map[string]any)
	return doc, nil
}

// path takes a[b][] apart into a, b and "" for an element. A name with brackets that do not close is taken as it stands.
func path(name string) []string {
	name = strings.ReplaceAll(name, "\x00", "\uFFFD")
	head, rest, nested := strings.Cut(name, "[")
	if !nested || head == "" || !strings.HasSuffix(rest, "]") {
		return []string{name}
	}
	return append([]string{head}, strings.Split(strings.TrimSuffix(rest, "]"), "][")...)
}

// branch is an object, a list or a text of a form as it grows: a list can only be told from what comes.
type branch struct {
	members  map[string]any // of *branch
	elements []any          // of *branch
	text     string
}

func (b *branch) put(path []string, value string) {
	if len(path) == 0 {
		*b = branch{text: value}
		return
	}
	next := &branch{}
	if path[0] == "" {
		b.members, b.elements = nil, append(b.elements, next)
	} else {
		if b.members == nil {
			b.members, b.elements = map[string]any{}, nil
		}
		if there, ok := b.members[path[0]].(*branch); ok {
			next = there
		}
		b.members[path[0]] = next
	}
	next.put(path[1:], value)
}

// value is the finished tree.
func (b *branch) value() any {
	switch {
	case b.members != nil:
		for name, inner := range b.members {
			b.members[name] = inner.(*branch).value()
		}
		return b.members
	case b.elements != nil:
		for i, inner := range b.elements {
			b.elements[i] = inner.(*branch).value()
		}
		return b.elements
	}
	return b.text
}
