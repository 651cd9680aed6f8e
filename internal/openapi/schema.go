package openapi

import (
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// maker turns Go types into schemas. A struct becomes a component of its own name.
type maker struct {
	words   map[string][]string
	written object          // components of the frame
	made    map[string]made // components made of types
}

type made struct {
	of     reflect.Type
	schema object
}

// schema is that of a body: a Ref's, or that of a value's type.
func (m *maker) schema(body any) (object, error) {
	if ref, ok := body.(Ref); ok {
		return m.refWritten(string(ref))
	}
	return m.of(reflect.TypeOf(body))
}

func (m *maker) refWritten(name string) (object, error) {
	if _, ok := m.written[name]; !ok {
		return nil, fmt.Errorf("there is no component %s", name)
	}
	return refTo(name), nil
}

func refTo(name string) object { return object{"$ref": "#/components/schemas/" + name} }

func (m *maker) of(t reflect.Type) (object, error) {
	if t == reflect.TypeFor[time.Time]() {
		return object{"type": "string", "format": "date-time"}, nil
	}
	switch t.Kind() {
	case reflect.Pointer:
		return m.of(t.Elem())
	case reflect.Struct:
		return m.component(t)
	case reflect.Slice:
		items, err := m.of(t.Elem())
		return object{"type": "array", "items": items}, err
	case reflect.Map:
		values, err := m.of(t.Elem())
		return object{"type": "object", "additionalProperties": values}, err
	case reflect.String:
		return object{"type": "string"}, nil
	case reflect.Bool:
		return object{"type": "boolean"}, nil
	case reflect.Int, reflect.Int32, reflect.Int64:
		return object{"type": "integer"}, nil
	case reflect.Interface:
		return object{}, nil
	}
	return nil, fmt.Errorf("there is no schema for a %s", t)
}

// component makes a struct's schema once and refers to it.
func (m *maker) component(t reflect.Type) (object, error) {
	name := componentName(t)
	if _, taken := m.written[name]; taken || name == "" {
		return nil, fmt.Errorf("the type %s would be the component %q, which the frame has", t, name)
	}
	if there, ok := m.made[name]; ok {
		if there.of != t {
			return nil, fmt.Errorf("%s and %s would both be the component %s", t, there.of, name)
		}
		return refTo(name), nil
	}
	s := object{"type": "object", "additionalProperties": false}
	m.made[name] = made{t, s} // before its members: one may lead back to it
	properties, required := object{}, []string{}
	for f := range t.Fields() {
		member, optional, err := m.member(f)
		if err != nil {
			return nil, fmt.Errorf("%s.%s: %w", t, f.Name, err)
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if properties[name] = member; !optional {
			required = append(required, name)
		}
	}
	s["properties"] = properties
	if len(required) > 0 {
		s["required"] = required
	}
	return refTo(name), nil
}

// member is the schema of a struct's field. Its tags: json as ever; doc, a sentence; words, the list of what may stand there;
// ref, a component of the frame, in place of the field's type.
func (m *maker) member(f reflect.StructField) (schema object, optional bool, err error) {
	name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
	if name == "" || name == "-" || f.Anonymous {
		return nil, false, fmt.Errorf("a member of a body needs a name in a json tag")
	}
	optional = strings.Contains(options, "omitempty") || strings.Contains(options, "omitzero")
	if ref := f.Tag.Get("ref"); ref != "" {
		schema, err = m.refWritten(ref)
	} else {
		schema, err = m.of(f.Type)
	}
	if err != nil {
		return nil, false, err
	}
	if list := f.Tag.Get("words"); list != "" {
		words, ok := m.words[list]
		if !ok {
			return nil, false, fmt.Errorf("there is no list of words %q", list)
		}
		if items, isList := schema["items"].(object); isList {
			items["enum"] = words
		} else {
			schema["enum"] = words
		}
	}
	if doc := f.Tag.Get("doc"); doc != "" {
		schema["description"] = doc // beside a $ref, too: 3.1 reads it there
	}
	return schema, optional, nil
}

// componentName is a type's name with its first letter upper.
func componentName(t reflect.Type) string {
	first, n := utf8.DecodeRuneInString(t.Name())
	if n == 0 {
		return ""
	}
	return string(unicode.ToUpper(first)) + t.Name()[n:]
}
