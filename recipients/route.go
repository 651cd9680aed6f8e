package recipients

import (
	"strings"
	"unicode"

	"aftercall/interview"
)

// maxDisplayName is the longest name put before an address, in characters.
const maxDisplayName = 100

// Pick gives the route's key for a value of On, or for the model's choice: the value itself if the route has it, else
// interview.Otherwise.
func (r *Route) Pick(value string) (key string, targets []Target) {
	if ts, ok := r.To[value]; ok {
		return value, ts
	}
	return interview.Otherwise, r.Otherwise
}

// displayName makes a contact's name fit for a header: one line, no control characters, of bounded length.
func displayName(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }), " ")
	if r := []rune(s); len(r) > maxDisplayName {
		return string(r[:maxDisplayName])
	}
	return s
}
