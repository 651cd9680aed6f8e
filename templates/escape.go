package templates

import (
	"html"
	"net/url"
	"strings"
	"unicode"

	"aftercall/internal/webaddress"
)

// escape writes a value so that it can only be read as text at its place. value is clean (see clean): no control or
// direction characters, line breaks as LF.
func escape(value string, where place) string {
	switch where {
	case placeLine:
		return unencoded(oneLine(value))
	case placePlain:
		return value
	case placeHTML:
		return strings.ReplaceAll(escapeHTML(value), "\n", "<br>\n")
	case placePre:
		return escapeHTML(value)
	case placeHTMLLine, placeAttribute:
		return escapeHTML(oneLine(value))
	case placeURL:
		return escapeHTML(value)
	case placeURLPart:
		return percent(oneLine(value), "")
	case placeContact:
		return percent(oneLine(value), "@+")
	case placeMarkdown:
		return escapeLines(value)
	case placeMarkdownLine, placeMarkdownLabel:
		return escapeMarkdown(oneLine(value))
	case placeMarkdownURL:
		return markdownAddress(value)
	case placeCode:
		return strings.ReplaceAll(oneLine(value), "`", "'")
	case placeFence:
		return breakFences(value)
	}
	return ""
}

// unencoded breaks up what a mail reader would take for an encoded word (RFC 2047), in which anything can hide: line
// breaks, other people's names, addresses.
func unencoded(s string) string { return strings.ReplaceAll(s, "=?", "= ?") }

// oneLine joins lines and runs of white space by one space.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// escapeHTML escapes for text and quoted attributes, as numbers where old mail readers do not know the name. The
// backtick and the equals sign are for readers that repair HTML in their own way.
func escapeHTML(s string) string { return htmlSigns.Replace(s) }

var htmlSigns = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;", "`", "&#96;", "=", "&#61;")

// escapeMarkdown writes ASCII punctuation as numeric references. Unlike a backslash, a reference cannot be undone by what
// the author wrote before it.
func escapeMarkdown(s string) string {
	const digits = "0123456789"
	var b strings.Builder
	b.Grow(len(s) + len(s)/4)
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c < 0x80 && c > ' ' && (unicode.IsPunct(rune(c)) || unicode.IsSymbol(rune(c))) {
			b.WriteString("&#")
			if c >= 100 {
				b.WriteByte(digits[c/100])
			}
			b.WriteByte(digits[c/10%10])
			b.WriteByte(digits[c%10])
			b.WriteByte(';')
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

// escapeLines escapes a value of several lines: line breaks become hard breaks, blank lines (which would end the
// paragraph) and indentation (which would begin a code block) go.
func escapeLines(s string) string {
	var lines []string
	for line := range strings.SplitSeq(s, "\n") {
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			lines = append(lines, escapeMarkdown(line))
		}
	}
	return strings.Join(lines, "\\\n")
}

// breakFences keeps a value from closing the code block it stands in: no three fence characters stay together.
func breakFences(s string) string {
	for _, fence := range []string{"```", "~~~"} {
		for strings.Contains(s, fence) {
			s = strings.ReplaceAll(s, fence, fence[:2]+" "+fence[2:])
		}
	}
	return s
}

// percent encodes everything an address could be misread by.
func percent(s, also string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if isLetter(c) || c >= '0' && c <= '9' || strings.IndexByte("-_.~"+also, c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
	return b.String()
}

// markdownAddress writes an address so that it stays one inside (…).
func markdownAddress(s string) string {
	return strings.ReplaceAll(html.EscapeString(addressSigns.Replace(s)), "&#39;", "%27")
}

var addressSigns = strings.NewReplacer("(", "%28", ")", "%29", "<", "%3C", ">", "%3E", `\`, "%5C", " ", "%20", "\n", "")

// webAddress reports whether a value is a whole http or https address, and which host it leads to.
func webAddress(value string) (host string, ok bool) {
	if strings.ContainsAny(value, "<>\"'`{}") {
		return "", false
	}
	if _, ok := webaddress.Parse(value); !ok {
		return "", false
	}
	u, err := url.Parse(value) // the host as it is written: it is printed like that
	if err != nil || u.User != nil {
		return "", false
	}
	return strings.ToLower(u.Hostname()), true
}

// cleanText takes out what nobody can see: control and direction characters, tags, byte order marks and broken bytes.
// Line and paragraph separators become line breaks. A value of nothing but white space is empty.
func cleanText(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x7f || r < ' ' && r != '\n' && r != '\t' }) {
		return strings.TrimSpace(s) // most texts: nothing to take out
	}
	s = lineBreaks.Replace(strings.ToValidUTF8(s, ""))
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r):
			return -1
		case r == '\u200B' || r == '\u2060' || r == '\uFEFF' || r >= 0xE0000 && r <= 0xE007F || r >= 0xFFF9 && r <= 0xFFFB:
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}

var lineBreaks = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n", "\v", "\n", "\f", "\n", "\u0085", "\n")
