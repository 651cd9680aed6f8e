package variables

import (
	"slices"
	"strings"
	"time"

	"aftercall/conversation"
	"aftercall/interview"
	"aftercall/reason"
)

// Limits are what code checks stated values against.
type Limits struct {
	Location *time.Location
	Region   string   // default phone region (ISO 3166: "GB"); empty: only numbers with + are understood
	Hosts    []string // hosts that url variables may point to, beside their own; "*.example.com" is every host below
}

// Resolve checks and normalises what was said, one Value per declaration, in order. What the model gave counts only as
// far as code can check it against the words it cites: the answer may have been dictated by the caller.
func Resolve(decls []Declaration, said interview.Said, c *conversation.Conversation, l Limits) []Value {
	location := l.Location
	if location == nil {
		location = time.UTC
	}
	if len(decls) == 0 {
		return []Value{}
	}
	day := dayOf(c.StartedAt.In(c.Location(location)))
	values := make([]Value, 0, len(decls))
	for _, d := range decls {
		if d.Type == "" {
			d.Type = Text
		}
		values = append(values, resolve(d, said, &check{c: c, limits: l, day: day}))
	}
	return values
}

// Give checks and normalises a value that a person typed in after looking at the call: as one that was stated, except that the
// words it has to stand in are the person's own. So a link leads to allowed hosts only, and a text holds none.
func Give(d Declaration, typed string, c *conversation.Conversation, l Limits) Value {
	own := *c
	own.Turns = []conversation.Turn{{Text: oneLine(typed)}}
	words := interview.Stated{Name: d.Name, Value: typed, Evidence: interview.Evidence{Turn: 1, Quote: own.Turns[0].Text}}
	v := Resolve([]Declaration{d}, interview.Said{Variables: map[string]interview.Stated{d.Name: words}}, &own, l)[0]
	v.Evidence = interview.Evidence{} // nobody said it in the call
	if v.Status == Stated {
		v.Status = Given
	}
	return v
}

func resolve(d Declaration, said interview.Said, k *check) Value {
	s, stated := said.Variables[d.Name]
	v := Value{Name: d.Name, Type: d.Type, Raw: s.Value, Evidence: s.Evidence}
	switch {
	case !stated || strings.TrimSpace(s.Value) == "":
		return absent(v, d)
	case s.Conflict:
		v.Status, v.Problem = Conflict, "two parts of the conversation give different values"
		return v
	case s.Problem != "":
		v.Status, v.Problem = Rejected, evidenceProblem(s.Problem)
		return v
	}
	k.cite(s)
	v.Value, v.Problem = k.value(d, s)
	v.Status = Stated
	if v.Problem != "" {
		v.Status, v.Value = Rejected, ""
	}
	return v
}

func absent(v Value, d Declaration) Value {
	v.Status = NotStated
	if d.Default != "" {
		v.Status, v.Value = Defaulted, d.Default
	}
	return v
}

func evidenceProblem(code reason.Code) string {
	switch code {
	case reason.WrongSpeaker:
		return "the words were said by somebody whose words do not count for this variable"
	case reason.AnswerInvalid:
		return "it repeats what the model was told, which nobody said"
	}
	return "the quote given for it does not stand in the conversation"
}

// check holds what one value is checked against.
type check struct {
	c      *conversation.Conversation
	limits Limits
	day    time.Time // the calendar day of the conversation, at midnight UTC
	quote  string
	turn   string // the whole cited turn
}

// cite finds the words a value rests on. The quote itself is known to stand in its turn.
func (k *check) cite(s interview.Stated) {
	k.quote, k.turn = s.Evidence.Quote, s.Evidence.Quote
	if n := s.Evidence.Turn; n >= 1 && n <= len(k.c.Turns) {
		k.turn = k.c.Turns[n-1].Text
	}
}

// value checks and normalises one stated value; problem is "" if it passed.
func (k *check) value(d Declaration, s interview.Stated) (value, problem string) {
	raw := strings.TrimSpace(oneLine(s.Value))
	if len(raw) > 10_000 {
		raw = cut(raw, 5_000)
	}
	switch d.Type {
	case Enum:
		return enumValue(raw, d.Values)
	case Date:
		return k.date(raw, s.Weekday)
	case Time:
		return k.clock(raw)
	case Number:
		return k.number(raw)
	case Money:
		return k.money(raw)
	case Phone:
		return k.phone(raw)
	case Email:
		return k.email(raw)
	case URL:
		return k.url(raw, slices.Concat(d.Hosts, k.limits.Hosts))
	case Boolean:
		return booleanValue(raw)
	}
	return textValue(raw, d.Max)
}

func enumValue(raw string, members []interview.Option) (value, problem string) {
	for _, m := range members {
		if strings.EqualFold(m.Key, raw) {
			return m.Key, ""
		}
	}
	return "", "it is not one of the declared values"
}

func booleanValue(raw string) (value, problem string) {
	switch strings.ToLower(raw) {
	case "true", "yes":
		return "true", ""
	case "false", "no":
		return "false", ""
	}
	return "", "it is neither true nor false"
}

// dayOf takes the calendar day out of a local time, so that days can be compared without zones and clock changes.
func dayOf(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}
