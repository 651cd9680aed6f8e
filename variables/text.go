package variables

import (
	"slices"
	"strings"
	"unicode"
)

// textValue makes free text fit for a message: one line, nothing invisible, no addresses to click on, not too long.
func textValue(raw string, limit int) (value, problem string) {
	if limit <= 0 {
		limit = DefaultMax
	}
	text := unlinkedLine(raw)
	if strings.Trim(text, "[]-_.,;:!?'\"() ") == "" {
		return "", "it holds no words"
	}
	if text == removed {
		return "", "it holds nothing but a link, and the variable is not of type url"
	}
	return cut(text, limit), ""
}

// removed stands where an address of the web stood.
const removed = "[link removed]"

// unlinked is a text of any number of lines without addresses to click on.
func unlinked(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		if slices.ContainsFunc(strings.Fields(l), isAddress) {
			lines[i] = unlinkedLine(l)
		}
	}
	return strings.Join(lines, "\n")
}

func unlinkedLine(s string) string {
	words := strings.Fields(s)
	for i, w := range words {
		if isAddress(w) {
			words[i] = removed
		}
	}
	twice := func(a, b string) bool { return a == removed && b == removed }
	return strings.Join(slices.CompactFunc(words, twice), " ")
}

// oneLine turns control and direction characters into spaces and joins white space.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029':
			return ' '
		case r == '\u200B' || r == '\u2060' || r == '\uFEFF' || r == unicode.ReplacementChar || r >= 0xE0000 && r <= 0xE007F:
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	return strings.Join(strings.Fields(s), " ")
}

// isAddress reports whether a mail reader would make a word into a link to the web.
func isAddress(word string) bool {
	word = strings.ToLower(word)
	for _, mark := range []string{"//", "www.", "](", "javascript:", "data:", "vbscript:", "file:"} {
		if strings.Contains(word, mark) {
			return true
		}
	}
	word = strings.Trim(word, "<>()[]{}\"'`,.;:!?*_")
	if strings.Contains(word, "@") {
		return false
	}
	host, path, hasPath := strings.Cut(word, "/")
	host, _, _ = strings.Cut(host, ":")
	labels := strings.Split(host, ".")
	if len(labels) < 2 || slices.Contains(labels, "") {
		return false
	}
	top := labels[len(labels)-1]
	letters := strings.Trim(top, "abcdefghijklmnopqrstuvwxyz") == "" || strings.HasPrefix(top, "xn--")
	return letters && len(top) >= 2 && (hasPath && path != "" || slices.Contains(commonTops, top) || strings.HasPrefix(top, "xn--"))
}

// commonTops are the endings that mail readers make links of even without a scheme; St.Mary is not one.
var commonTops = strings.Fields(`com net org io co info biz app dev xyz top ru cn link click site online shop store live page
		uk de fr es it nl be at ch pl se no dk fi ie pt cz eu us ca au nz in br mx jp kr za tr ly me to tv cc gg ai ws
		edu gov mil int club pro tech cloud win bid loan work zip mov example test`)
