package automation

import (
	"slices"
	"strings"
	"time"
)

// The format of an author's files is one table (table_*.go): every mapping with its keys, and what may stand under each.
// The checker reads from it which keys, words and bounds there are, the JSON Schema for editors is made from it, and so is
// the authors' reference, so that the three cannot drift apart. What needs more than one value to be judged is the
// checker's alone.

// mapping is one mapping of the format.
type mapping struct {
	name string // as messages call it: "an automation"
	path string // as the reference calls it: "automations[]"
	doc  string
	keys []key
	rest *rest      // keys that the author chooses; nil if there are only those above
	one  bool       // exactly one of the keys stands
	any  [][]string // of each set, at least one key stands
	not  [][]string // of each set, not all stand together
}

// key is one key of a mapping.
type key struct {
	name      string
	of        *kind
	required  bool
	otherwise any    // what holds when it is left out, if that is a value
	doc       string // one sentence
	example   string // as it is written
}

// rest is what keys of the author's own look like and hold.
type rest struct {
	names    string   // a pattern
	reserved []string // words that mean something else
	of       *kind
	doc      string
	example  string
}

// kind says what may stand as a value.
type kind struct {
	label   string // in the reference
	json    string // the JSON types that may stand: string, boolean, integer; "" for mapping, list and either
	words   []string
	pattern string
	low     int // of an integer
	high    int
	longest time.Duration
	inside  *mapping
	item    *kind // a list of these
	alone   bool  // one of them may stand without being a list
	least   int   // members of the list, or characters of the text
	most    int   // members of the list; 0: as many as you like
	either  []*kind
}

// names lists the keys a mapping knows.
func (m *mapping) names() []string {
	names := make([]string, 0, len(m.keys))
	for _, k := range m.keys {
		names = append(names, k.name)
	}
	return names
}

// mapping gives the mapping that may stand here; nil if none may.
func (k *kind) mapping() *mapping {
	if k == nil {
		return nil
	}
	for _, e := range k.either {
		if e.inside != nil {
			return e.inside
		}
	}
	return k.inside
}

// allowed lists the words that may stand here.
func (k *kind) allowed() []string {
	words := k.words
	for _, e := range k.either {
		words = slices.Concat(words, e.words)
	}
	return words
}

// under says what may stand under a key of a mapping here; nil if the format does not know the key.
func (k *kind) under(name string) *kind {
	m := k.mapping()
	if m == nil {
		return nil
	}
	if i := slices.IndexFunc(m.keys, func(k key) bool { return k.name == name }); i >= 0 {
		return m.keys[i].of
	}
	if m.rest != nil {
		return m.rest.of
	}
	return nil
}

// member says what a member of a list here may be. A single value that may stand without the list is one.
func (k *kind) member() *kind {
	if k == nil {
		return nil
	}
	if k.item != nil {
		return k.item
	}
	for _, e := range k.either {
		if e.item != nil {
			return e.item
		}
	}
	return k
}

// ---- the kinds of value ----

func textKind() *kind { return &kind{label: "text", json: "string"} }

// lineKind is a text of one line that is not empty.
func lineKind() *kind { return &kind{label: "one line of text", json: "string", pattern: onLine} }

// onLine is one line with something on it; white space around it is cut off.
const onLine = `^\s*\S[^\r\n]*\s*$`

// templateKind is a text that may hold {{…}}.
func templateKind() *kind { return &kind{label: "template", json: "string", pattern: `\S`} }

// headerKind is a template of one line.
func headerKind() *kind { return &kind{label: "template of one line", json: "string", pattern: onLine} }

// crmKind is an id of Salesforce, which begins with what it is the id of: 15 characters, or 18.
func crmKind(prefix string) *kind {
	return &kind{label: "id", json: "string", pattern: `^\s*` + prefix + `[A-Za-z0-9]{12}([A-Z0-5]{3})?\s*$`}
}

// idKind is a slug. One may be a number to YAML, such as 24 and 1e5, or true.
func idKind() *kind {
	return &kind{label: "slug", json: "string number boolean", pattern: slug.String()}
}

func wordKind(words ...string) *kind { return &kind{label: "word", json: "string", words: words} }

func booleanKind() *kind { return &kind{label: "true or false", json: "boolean"} }

func wholeKind(low, high int) *kind {
	return &kind{label: "whole number", json: "integer", low: low, high: high}
}

func durationKind(longest time.Duration) *kind {
	return &kind{label: "duration", json: "string", pattern: durationForm.String(), least: 1, longest: longest}
}

func hoursKind() *kind {
	form := strings.TrimPrefix(hoursForm.String(), "^")
	return &kind{label: "hours of the week", json: "string", pattern: `^\s*` + strings.TrimSuffix(form, "$") + `\s*$`}
}

// phoneKind is a number with its country code, whatever stands between the digits.
func phoneKind() *kind {
	return &kind{label: "phone number, quoted", json: "string", pattern: `^\s*[^A-Za-z\r\n]*[+＋][^A-Za-z\r\n]{6,}\s*$`}
}

// scalarKind is a single value of whatever type.
func scalarKind() *kind {
	return eitherKind(textKind(), &kind{label: "number", json: "number"}, booleanKind()).called("text, a number, true or false")
}

func insideKind(m *mapping) *kind { return &kind{label: "mapping", inside: m} }

// listKind is a list, or a single member of it.
func listKind(item *kind) *kind {
	return &kind{label: item.label + ", or a list of these", item: item, alone: true}
}

// rowsKind is a list of mappings.
func rowsKind(m *mapping) *kind { return &kind{label: "list of mappings", item: insideKind(m)} }

func eitherKind(kinds ...*kind) *kind { return &kind{either: kinds} }

// called gives a kind another name in the reference.
func (k *kind) called(label string) *kind {
	k.label = label
	return k
}

// filled asks for a list with at least one member.
func (k *kind) filled() *kind {
	k.least = 1
	return k
}
