package automation

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// SchemaFile is where the schema lies in an account's folder. Hidden folders are no config, so it changes no revision.
const SchemaFile = ".aftercall/schema.json"

// Modeline is the first line of a YAML file by which an editor finds the schema; depth is how many folders below the
// account's the file lies.
func Modeline(depth int) string {
	return "# yaml-language-server: $schema=" + strings.Repeat("../", depth) + SchemaFile
}

// Schema is the JSON Schema (draft-07, which the editors' language server understands) of an account's YAML files.
func Schema() []byte {
	top := fileTable().schema()
	top["$schema"] = "http://json-schema.org/draft-07/schema#"
	top["title"] = "Aftercall: the config of an account"
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(top); err != nil {
		panic(err) // maps, lists, texts and numbers can always be written
	}
	return b.Bytes()
}

func (m *mapping) schema() map[string]any {
	properties := map[string]any{}
	var required []string
	for _, k := range m.keys {
		properties[k.name] = k.schema()
		if k.required {
			required = append(required, k.name)
		}
	}
	s := map[string]any{"type": "object", "description": m.doc, "properties": properties, "additionalProperties": false}
	if required != nil {
		s["required"] = required
	}
	if m.one {
		s["minProperties"], s["maxProperties"] = 1, 1
	}
	if m.rest != nil {
		s["additionalProperties"] = described(m.rest.of.schema(), m.rest.doc, "")
		s["propertyNames"] = m.rest.schema()
	}
	if all := m.together(); all != nil {
		s["allOf"] = all
	}
	return s
}

func (k key) schema() map[string]any {
	s := described(k.of.schema(), k.doc, k.name+": "+k.example)
	if k.otherwise != nil {
		s["default"] = k.otherwise
	}
	return s
}

// described adds what an editor shows beside a key. The words of a key go before those of the mapping under it.
func described(s map[string]any, doc, example string) map[string]any {
	if example != "" {
		doc += "\n\n" + example
	}
	s["description"] = doc
	return s
}

func (r *rest) schema() map[string]any {
	s := map[string]any{"pattern": r.names}
	if r.reserved != nil {
		s["not"] = map[string]any{"enum": r.reserved}
	}
	return s
}

// together says which keys must and may not stand beside each other.
func (m *mapping) together() []any {
	var all []any
	for _, set := range m.any {
		var one []any
		for _, name := range set {
			one = append(one, map[string]any{"required": []string{name}})
		}
		all = append(all, map[string]any{"anyOf": one})
	}
	for _, set := range m.not {
		all = append(all, map[string]any{"not": map[string]any{"required": set}})
	}
	return all
}

func (k *kind) schema() map[string]any {
	switch {
	case k.inside != nil:
		return k.inside.schema()
	case k.item != nil:
		return k.listSchema()
	case k.either != nil:
		var of []any
		for _, e := range k.either {
			of = append(of, e.schema())
		}
		return map[string]any{"anyOf": of}
	}
	s := map[string]any{}
	if types := strings.Fields(k.json); len(types) == 1 {
		s["type"] = types[0]
	} else {
		s["type"] = types
	}
	if k.words != nil {
		s["enum"] = k.words
	}
	if k.pattern != "" {
		s["pattern"] = k.pattern
	}
	if k.least > 0 {
		s["minLength"] = k.least
	}
	if k.json == "integer" {
		s["minimum"], s["maximum"] = k.low, k.high
	}
	return s
}

func (k *kind) listSchema() map[string]any {
	list := map[string]any{"type": "array", "items": k.item.schema()}
	if k.least > 0 {
		list["minItems"] = k.least
	}
	if k.most > 0 {
		list["maxItems"] = k.most
	}
	if k.alone {
		return map[string]any{"anyOf": []any{k.item.schema(), list}}
	}
	return list
}

// Reference is the authors' reference of the format, in Markdown: every mapping with its keys.
func Reference() string {
	var b strings.Builder
	b.WriteString("# The format, key by key\n\nMade from the table that `aftercall check` and the schema are made from: `aftercall schema --reference`.\n" +
		"`automations[]` is a member of a list, `people.*` is what stands under a key of your own.\n")
	fileTable().reference(&b)
	return b.String()
}

func (m *mapping) reference(b *strings.Builder) {
	fmt.Fprintf(b, "\n## %s\n\n%s\n", m.path, m.doc)
	for _, set := range m.any {
		fmt.Fprintf(b, "It needs %s.\n", spoken(set, "or"))
	}
	for _, set := range m.not {
		fmt.Fprintf(b, "It cannot have both %s.\n", spoken(set, "and"))
	}
	if m.one {
		b.WriteString("It has exactly one of these keys.\n")
	}
	b.WriteString("\n| key | holds | left out | |\n|---|---|---|---|\n")
	for _, k := range m.keys {
		fmt.Fprintf(b, "| `%s` | %s | %s | %s `%s: %s` |\n", k.name, k.of.holds(), k.leftOut(), cell(k.doc), k.name, cell(k.example))
	}
	if m.rest != nil {
		fmt.Fprintf(b, "| a key of your own | %s | | %s `%s` |\n", m.rest.of.holds(), cell(m.rest.doc), m.rest.example)
	}
	for _, k := range m.keys {
		k.of.reference(b)
	}
	if m.rest != nil {
		m.rest.of.reference(b)
	}
}

// reference goes on with the mapping that a value may be. What every action has is described with the first.
func (k *kind) reference(b *strings.Builder) {
	inside := k.mapping()
	if inside == nil {
		inside = k.member().mapping()
	}
	if inside != nil && !strings.Contains(b.String(), "\n## "+inside.path+"\n") {
		inside.reference(b)
	}
}

// holds says what a value may be.
func (k *kind) holds() string {
	if words := k.member().allowed(); len(words) > 0 && k.mapping() == nil {
		list := ""
		if k.item != nil {
			list = ", or a list of these"
		}
		return spoken(words, "or") + list
	}
	if k.json == "integer" {
		return fmt.Sprintf("%s from %d to %d", k.label, k.low, k.high)
	}
	if k.longest > 0 {
		return fmt.Sprintf("%s, at most %s", k.label, spell(k.longest))
	}
	return cell(k.label)
}

func (k key) leftOut() string {
	switch {
	case k.required:
		return "**needed**"
	case k.otherwise != nil:
		return fmt.Sprintf("`%v`", k.otherwise)
	}
	return ""
}

// spoken lists words as a sentence does.
func spoken(words []string, last string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = "`" + w + "`"
	}
	if len(quoted) < 2 {
		return strings.Join(quoted, "")
	}
	return strings.Join(quoted[:len(quoted)-1], ", ") + " " + last + " " + quoted[len(quoted)-1]
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
