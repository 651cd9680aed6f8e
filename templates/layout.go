package templates

import (
	"fmt"
	"strings"
	"time"
)

// Formats of dates and times are the tokens authors know from other tools: 'ddd D MMM YYYY', 'HH:mm'. Words in
// [brackets] and everything that is not a letter stand for themselves.

// layoutParts are the tokens of a format, longest first, with the engine of each.
func layoutPart(token string, t time.Time) (string, bool) {
	layouts := map[string]string{
		"D": "2", "DD": "02", "ddd": "Mon", "dddd": "Monday", "M": "1", "MM": "01", "MMM": "Jan", "MMMM": "January",
		"YY": "06", "YYYY": "2006", "HH": "15", "h": "3", "hh": "03", "m": "4", "mm": "04", "A": "PM", "a": "pm",
	}
	if token == "H" {
		return fmt.Sprint(t.Hour()), true
	}
	layout, ok := layouts[token]
	if !ok {
		return "", false
	}
	return t.Format(layout), true
}

// layoutFault returns the first part of a format that means nothing, or "".
func layoutFault(layout string, want parameter) string {
	if want == fixedText {
		return ""
	}
	allowed := "DdMY"
	if want == timeLayout {
		allowed = "HhmAa"
	}
	fault := ""
	splitLayout(layout, func(token string, literal bool) {
		if literal || fault != "" {
			return
		}
		if _, ok := layoutPart(token, time.Time{}); !ok || !strings.ContainsRune(allowed, rune(token[0])) {
			fault = token
		}
	})
	return fault
}

// splitLayout cuts a format into tokens (runs of one letter) and literal text.
func splitLayout(layout string, visit func(part string, literal bool)) {
	for i := 0; i < len(layout); {
		c := layout[i]
		switch {
		case c == '[' && strings.IndexByte(layout[i:], ']') > 0:
			end := i + strings.IndexByte(layout[i:], ']')
			visit(layout[i+1:end], true)
			i = end + 1
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			end := i
			for end < len(layout) && layout[end] == c {
				end++
			}
			visit(layout[i:end], false)
			i = end
		default:
			visit(layout[i:i+1], true)
			i++
		}
	}
}

func formatTime(t time.Time, layout string) string {
	var b strings.Builder
	splitLayout(layout, func(part string, literal bool) {
		if text, ok := layoutPart(part, t); ok && !literal {
			b.WriteString(text)
			return
		}
		b.WriteString(part)
	})
	return b.String()
}

// formatDate writes a date in words; what is no date is returned as it is.
func formatDate(value, layout string) string {
	day := strings.TrimSpace(value)
	if len(day) > len("2006-01-02") && (day[10] == ' ' || day[10] == 'T') {
		day = day[:10]
	}
	t, err := time.Parse("2006-01-02", day)
	if err != nil {
		return value
	}
	return formatTime(t, layout)
}

// formatClock writes a time of day; what is none is returned as it is.
func formatClock(value, layout string) string {
	for _, known := range []string{"15:04", "3:04 PM", "15:04:05", time.RFC3339} {
		if t, err := time.Parse(known, strings.TrimSpace(value)); err == nil {
			return formatTime(t, layout)
		}
	}
	return value
}
