package interview

import (
	"encoding/json"
	"strconv"
)

// Schema is the strict JSON schema of the sheet's answer: no unions, no optional properties. It is written by hand,
// because its order matters: models answer in it, so evidence stands before its verdict and verdicts before values.
//
//	automations  one required key per question: {evidence: [{turn, quote}], verdict: yes|no|unsure}
//	routes       one required key per choice: an option's key or "otherwise"
//	variables    a list of those that were stated: {name, turn, quote, weekday_said, value}
//	summary      text
//
// A part is left out of the schema when the sheet has nothing to ask in it; weekday_said, when no blank is a date.
func (s Sheet) Schema() json.RawMessage {
	var top object
	if len(s.Questions) > 0 {
		var each object
		for _, q := range s.Questions {
			each.add(q.ID, verdictSchema)
		}
		top.add("automations", each.schema())
	}
	if len(s.Choices) > 0 {
		var each object
		for _, c := range s.Choices {
			keys := make([]string, 0, len(c.Options)+1)
			for _, o := range c.Options {
				if o.Key != Otherwise {
					keys = append(keys, o.Key)
				}
			}
			each.add(c.ID, enum(append(keys, Otherwise)))
		}
		top.add("routes", each.schema())
	}
	if len(s.Blanks) > 0 {
		top.add("variables", `{"type":"array","items":`+s.statedSchema()+`}`)
	}
	if s.Summary {
		top.add("summary", textSchema)
	}
	return json.RawMessage(top.schema())
}

const (
	textSchema    = `{"type":"string"}`
	turnSchema    = `{"type":"integer"}`
	verdictSchema = `{"type":"object","properties":{"evidence":{"type":"array","items":{"type":"object","properties":` +
		`{"turn":{"type":"integer"},"quote":{"type":"string"}},"required":["turn","quote"],"additionalProperties":false}},` +
		`"verdict":{"type":"string","enum":["yes","no","unsure"]}},"required":["evidence","verdict"],"additionalProperties":false}`
)

// statedSchema is the schema of one member of the list of variables.
func (s Sheet) statedSchema() string {
	names := make([]string, 0, len(s.Blanks))
	for _, b := range s.Blanks {
		names = append(names, b.Name)
	}
	var o object
	o.add("name", enum(names))
	o.add("turn", turnSchema)
	o.add("quote", textSchema)
	if s.dated() {
		o.add("weekday_said", enum([]string{"none", "mon", "tue", "wed", "thu", "fri", "sat", "sun"}))
	}
	o.add("value", textSchema)
	return o.schema()
}

// dated reports whether any blank is a date.
func (s Sheet) dated() bool {
	for _, b := range s.Blanks {
		if b.Type == "date" {
			return true
		}
	}
	return false
}

// empty reports whether there is nothing to ask.
func (s Sheet) empty() bool {
	return len(s.Questions) == 0 && len(s.Choices) == 0 && len(s.Blanks) == 0 && !s.Summary
}

// object builds an object's schema, all of whose properties are required, in the order they were added. A name that
// was added before is ignored.
type object struct {
	names, properties []byte
	seen              map[string]bool
}

func (o *object) add(name, schema string) {
	if o.seen[name] {
		return
	}
	if o.seen == nil {
		o.seen = map[string]bool{}
	} else {
		o.names, o.properties = append(o.names, ','), append(o.properties, ',')
	}
	o.seen[name] = true
	o.names = appendString(o.names, name)
	o.properties = append(append(appendString(o.properties, name), ':'), schema...)
}

func (o *object) schema() string {
	return `{"type":"object","properties":{` + string(o.properties) + `},"required":[` + string(o.names) + `],"additionalProperties":false}`
}

func enum(values []string) string {
	b := []byte(`{"type":"string","enum":[`)
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, v)
	}
	return string(b) + `]}`
}

// appendString appends s as a JSON string. Unlike json.Marshal it leaves <, > and & as they are: the model is to quote
// what was said, not its escapes.
func appendString(b []byte, s string) []byte {
	if plain(s) {
		return append(append(append(b, '"'), s...), '"')
	}
	b = append(b, '"')
	for _, r := range s { // invalid bytes come out as U+FFFD
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, '\\', 'n')
		case r == '\t':
			b = append(b, '\\', 't')
		case r < 0x20 || r == 0x7f || r == '\u2028' || r == '\u2029' || r == '\u0085':
			b = append(b, `\u00`...)
			if r > 0xff {
				b = append(b[:len(b)-2], "20"...)
			}
			b = append(b, digits[byte(r)>>4], digits[byte(r)&15])
		default:
			b = append(b, string(r)...)
		}
	}
	return append(b, '"')
}

// plain reports whether a text is the same between quotation marks: printable ASCII without marks to escape.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c >= 0x7f {
			return false
		}
	}
	return true
}

const digits = "0123456789abcdef"

func appendInt(b []byte, n int) []byte { return strconv.AppendInt(b, int64(n), 10) }
