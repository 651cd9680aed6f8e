package variables

import (
	"strconv"
	"strings"
	"time"
)

// clock accepts a time of day and gives it as 15:04. Where the quote holds a time in figures, it must be the same one,
// half a day apart at most; "half two" and its like only a person can check.
func (k *check) clock(raw string) (value, problem string) {
	t, ok := parseClock(raw)
	if !ok {
		return "", "it is not a time of day of the form 15:04"
	}
	said := saidClocks(tokenize(k.quote))
	if len(said) == 0 {
		return t.Format("15:04"), ""
	}
	minutes := t.Hour()*60 + t.Minute()
	for _, s := range said {
		if s.minutes == minutes || !s.exact && s.minutes%(12*60) == minutes%(12*60) {
			return t.Format("15:04"), ""
		}
	}
	return "", "the time that was said is another one"
}

func parseClock(s string) (time.Time, bool) {
	s = strings.ToUpper(strings.NewReplacer(".", "", " ", "").Replace(strings.ReplaceAll(s, "h", ":")))
	for _, layout := range []string{"15:04", "15:04:05", "3:04PM", "3PM"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// saidClock is a time in figures; exact if it said which half of the day.
type saidClock struct {
	minutes int
	exact   bool
}

// saidClocks lists the times in figures: 14:30, 2.30 pm, 3pm, 3 o'clock.
func saidClocks(words []token) []saidClock {
	var all []saidClock
	for i, w := range words {
		text, half := w.text, ""
		for _, suffix := range []string{"am", "pm"} {
			if digits, ok := strings.CutSuffix(text, suffix); ok && digits != "" {
				text, half = digits, suffix
			}
		}
		if half == "" && i+1 < len(words) {
			half = halfOfDay(words, i+1)
		}
		hour, minute, isTime := strings.Cut(strings.ReplaceAll(text, ".", ":"), ":")
		h, err := strconv.Atoi(hour)
		m := 0
		if isTime {
			var bad error
			if m, bad = strconv.Atoi(minute); bad != nil || len(minute) != 2 {
				continue
			}
		}
		if err != nil || h > 23 || m > 59 || !isTime && half == "" || strings.Contains(text, ".") && half == "" {
			continue
		}
		switch {
		case half == "pm" && h < 12:
			h += 12
		case half == "am" && h == 12:
			h = 0
		}
		all = append(all, saidClock{minutes: h*60 + m, exact: half == "am" || half == "pm" || h > 12})
	}
	return all
}

// halfOfDay reads what follows a figure: pm, p m, o'clock.
func halfOfDay(words []token, i int) string {
	next := ""
	if i+1 < len(words) {
		next = words[i+1].text
	}
	switch w := words[i].text; {
	case w == "am" || w == "pm":
		return w
	case (w == "a" || w == "p") && next == "m":
		return w + "m"
	case w == "o'clock" || w == "oclock" || w == "o" && next == "clock":
		return "o'clock"
	}
	return ""
}
