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

// displayName makes a contact's name fit for a header: one line, no control characters, of bounded length. Characters that
// turn the direction of text go, or a name could make the address behind it read as another.
func displayName(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Bidi_Control, r):
			return -1
		case unicode.IsControl(r) || unicode.IsSpace(r): // U+2028 and U+2029 too
			return ' '
		}
		return r
	}, s)
	s = strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "=?", "= ?") // no encoded word (RFC 2047), in which anything can hide
	if r := []rune(s); len(r) > maxDisplayName {
		return string(r[:maxDisplayName])
	}
	return s
}
