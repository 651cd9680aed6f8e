package ingest

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"aftercall/conversation"
)

// fields reads the members of one JSON object and collects what is wrong with them. In lenient mode a member of another
// type than expected counts as absent, except that a number does for a text.
type fields struct {
	of     map[string]any
	at     string // pointer to the object
	mode   mode
	faults *[]conversation.Fault
}

// maxFaults is how many faults of a body are told at once.
const maxFaults = 100

func readFields(doc map[string]any, m mode) fields {
	return fields{of: doc, mode: m, faults: &[]conversation.Fault{}}
}

func (f fields) fault(key, message string) {
	if len(*f.faults) < maxFaults {
		*f.faults = append(*f.faults, conversation.Fault{Pointer: f.at + conversation.Pointer(key), Message: message})
	}
}

// wrong notes a member of another type; null is the same as nothing.
func (f fields) wrong(key, wanted string) {
	if f.mode == strict && f.of[key] != nil {
		f.fault(key, "is not "+wanted)
	}
}

func (f fields) str(key string) string {
	switch v := f.of[key].(type) {
	case string:
		return v
	case json.Number:
		if f.mode == lenient {
			return v.String()
		}
	}
	f.wrong(key, "a text")
	return ""
}

// text reports whether a member is a text that says something, where something else was expected.
func (f fields) text(key string) bool {
	s, ok := f.of[key].(string)
	return ok && s != ""
}

// line is a text of one line: what a platform's text holds beyond that becomes a space.
func (f fields) line(key string) string {
	s, control := f.str(key), func(r rune) bool { return r < ' ' || (r >= 0x7f && r < 0xa0) }
	if !strings.ContainsFunc(s, control) {
		return s
	}
	return strings.Join(strings.FieldsFunc(s, control), " ")
}

func (f fields) object(key string) fields {
	m, ok := f.of[key].(map[string]any)
	if !ok {
		f.wrong(key, "an object")
	}
	return fields{of: m, at: f.at + conversation.Pointer(key), mode: f.mode, faults: f.faults}
}

// objects are the objects of a list.
func (f fields) objects(key string) []fields {
	list, ok := f.of[key].([]any)
	if !ok {
		f.wrong(key, "a list")
		return nil
	}
	out, at := make([]fields, 0, len(list)), f.at+conversation.Pointer(key)+"/"
	for i, v := range list {
		pointer := at + strconv.Itoa(i)
		m, ok := v.(map[string]any)
		if !ok {
			if f.mode == strict && len(*f.faults) < maxFaults {
				*f.faults = append(*f.faults, conversation.Fault{Pointer: pointer, Message: "is not an object"})
			}
			continue
		}
		out = append(out, fields{of: m, at: pointer, mode: f.mode, faults: f.faults})
	}
	return out
}

// whole is a whole number.
func (f fields) whole(key string) int64 {
	_, written := f.of[key].(string)
	if n, ok := number(f.of[key]); ok && n == math.Trunc(n) && math.Abs(n) < 1<<53 && !(written && f.mode == strict) {
		return int64(n)
	}
	f.wrong(key, "a whole number")
	return 0
}

// number reads a JSON number, or one in a string as some platforms write it.
func number(v any) (float64, bool) {
	s := ""
	switch v := v.(type) {
	case json.Number:
		s = v.String()
	case string:
		s = v
	}
	n, err := strconv.ParseFloat(s, 64)
	return n, err == nil && !math.IsInf(n, 0) && !math.IsNaN(n)
}

// time is an RFC 3339 time; in lenient mode one without a zone counts as UTC.
func (f fields) time(key string) time.Time {
	s, ok := f.of[key].(string)
	if ok {
		if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
			return t.UTC()
		}
		if f.mode == lenient {
			if t, err := time.Parse("2006-01-02T15:04:05.999999999", strings.Replace(s, " ", "T", 1)); err == nil {
				return t.UTC()
			}
			return time.Time{}
		}
	}
	f.wrong(key, "an RFC 3339 time such as 2026-03-02T09:30:00Z")
	return time.Time{}
}

// names are those of the members, in one order.
func (f fields) names() []string { return slices.Sorted(maps.Keys(f.of)) }

// only makes every member that is not known a fault, with the known name that is closest to it.
func (f fields) only(known ...string) {
	if f.mode != strict {
		return
	}
	for _, key := range f.names() {
		if len(*f.faults) >= maxFaults {
			return // looking for what was meant takes time
		}
		if slices.Contains(known, key) {
			continue
		}
		message := "is not known"
		if near, ok := nearest(key, known); ok {
			message += "; did you mean " + near + "?"
		}
		f.fault(key, message)
	}
}

// nearest is the known name with the fewest edits, at most two, or a third of the name.
func nearest(name string, known []string) (best string, ok bool) {
	if len(name) > 64 {
		return "", false
	}
	least := max(2, len(name)/3) + 1
	for _, k := range known {
		if d := edits(strings.ToLower(name), k); d < least {
			best, least, ok = k, d, true
		}
	}
	return best, ok
}

// edits is the Levenshtein distance.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
