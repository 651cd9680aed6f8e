package variables

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// date accepts a day the model gave only if everything that was said about it agrees: weekday, day of the month and
// month. The model chose it from a printed calendar; this is the check that it did.
func (k *check) date(raw, weekdaySaid string) (value, problem string) {
	day, err := time.Parse("2006-01-02", raw)
	if err != nil {
		return "", "it is not a date of the form 2006-01-02"
	}
	if day.Before(k.day.AddDate(-1, 0, 0)) || day.After(k.day.AddDate(2, 0, 0)) {
		return "", "the date is more than a year before or two years after the conversation"
	}
	words := tokenize(k.quote)
	weekdays := saidWeekdays(words)
	if said := strings.ToLower(strings.TrimSpace(weekdaySaid)); said != "" && said != "none" {
		named, known := weekday(said)
		if !known {
			return "", "the weekday given with it is none"
		}
		weekdays = append(weekdays[:0:0], named)
	}
	if len(weekdays) > 0 && !slices.Contains(weekdays, day.Weekday()) {
		return "", "the weekday that was said is not the weekday of this date"
	}
	if days := saidDays(words); len(days) > 0 && !slices.Contains(days, day.Day()) {
		return "", "the day of the month that was said is not the day of this date"
	}
	if months := saidMonths(words); len(months) > 0 && !slices.Contains(months, day.Month()) {
		return "", "the month that was said is not the month of this date"
	}
	return day.Format("2006-01-02"), ""
}

// weekday reads mon…sun and the English names.
func weekday(s string) (time.Weekday, bool) {
	for d, name := range weekdays {
		if len(s) >= 3 && (s == name || s == name[:3]) {
			return time.Weekday(d), true
		}
	}
	return 0, false
}

func saidWeekdays(words []token) []time.Weekday {
	var all []time.Weekday
	for _, w := range words {
		name := strings.TrimSuffix(w.text, "s")
		if d, ok := weekday(name); ok && len(name) > 3 {
			all = append(all, d)
		}
	}
	return all
}

// month reads an English month. May and March are also verbs: see saidMonths.
func month(s string) (time.Month, bool) {
	for i, name := range months {
		if m := time.Month(i + 1); s == name || len(s) == 3 && s == name[:3] || s == "sept" && m == time.September {
			return m, true
		}
	}
	return 0, false
}

var (
	weekdays = strings.Fields("sunday monday tuesday wednesday thursday friday saturday")
	months   = strings.Fields("january february march april may june july august september october november december")
	ordinals = strings.Fields(`first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth
		fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth`)
)

func saidMonths(words []token) []time.Month {
	var all []time.Month
	for i, w := range words {
		m, ok := month(w.text)
		if !ok {
			continue
		}
		verb := w.text == "may" || w.text == "mar" || w.text == "march" || len(w.text) == 3
		if !verb || dayBeside(words, i) {
			all = append(all, m)
		}
	}
	return all
}

// dayBeside reports whether a day of the month stands next to the word at i: "24 May", "May the 4th", "the 4th of May".
func dayBeside(words []token, i int) bool {
	is := func(j int) bool {
		if j < 0 || j >= len(words) {
			return false
		}
		_, plain := smallNumber(words[j].text)
		_, ordinal := ordinalDay(words, j)
		return plain || ordinal
	}
	skip := func(j, step int) int {
		for j >= 0 && j < len(words) && (words[j].text == "of" || words[j].text == "the") {
			j += step
		}
		return j
	}
	return is(skip(i-1, -1)) || is(skip(i+1, 1))
}

// saidDays lists the days of the month in a quote: ordinals (24th, twenty-fourth), numbers beside a month, and the parts
// of written dates (24/11, 2026-11-24). Other numbers are times, prices and counts.
func saidDays(words []token) []int {
	var days []int
	for i, w := range words {
		if day, ok := ordinalDay(words, i); ok && !countsOf(words, i) {
			days = append(days, day)
			continue
		}
		day, ok := smallNumber(w.text)
		if !ok {
			days = append(days, writtenDays(w.text)...)
			continue
		}
		if nextToMonth(words, i) {
			days = append(days, day)
		}
	}
	return days
}

func nextToMonth(words []token, i int) bool {
	is := func(j int) bool {
		if j < 0 || j >= len(words) {
			return false
		}
		_, ok := month(words[j].text)
		return ok
	}
	return is(i-1) || is(i+1) || i+2 < len(words) && words[i+1].text == "of" && is(i+2)
}

// countsOf tells an ordinal that counts ("the first time", "a second opinion") from a day: a lone first, second or third
// must stand beside a month, or end the phrase after "the".
func countsOf(words []token, i int) bool {
	if !slices.Contains([]string{"first", "second", "third"}, words[i].text) {
		return false
	}
	if i > 0 && (words[i-1].text == "twenty" || words[i-1].text == "thirty") || nextToMonth(words, i) {
		return false
	}
	ends := i+1 == len(words) || slices.Contains([]string{"at", "then", "please", "works", "is"}, words[i+1].text)
	return !(ends && i > 0 && words[i-1].text == "the")
}

// ordinalDay reads 24th and twenty-fourth (as two words) as a day of the month. The tens alone are not a day where a
// unit follows.
func ordinalDay(words []token, i int) (int, bool) {
	w := words[i].text
	for _, suffix := range []string{"st", "nd", "rd", "th"} {
		if digits, ok := strings.CutSuffix(w, suffix); ok {
			if n, err := strconv.Atoi(digits); err == nil && n >= 1 && n <= 31 {
				return n, true
			}
		}
	}
	n, ok := ordinalWord(w)
	if !ok {
		return 0, false
	}
	if i > 0 && n < 10 {
		switch words[i-1].text {
		case "twenty":
			n += 20
		case "thirty":
			n += 30
		}
	}
	return n, n <= 31
}

func ordinalWord(w string) (int, bool) {
	if i := slices.Index(ordinals, w); i >= 0 {
		return i + 1, true
	}
	if w == "thirtieth" {
		return 30, true
	}
	return 0, false
}

// smallNumber reads a number that could be a day of the month.
func smallNumber(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= 1 && n <= 31 && len(s) <= 2
}

// writtenDays lists what may be the day in 24/11, 24.11.2026 or 2026-11-24: every part up to 31, as writers differ.
func writtenDays(s string) []int {
	parts := strings.FieldsFunc(s, func(r rune) bool { return r == '/' || r == '.' || r == '-' })
	if len(parts) < 2 || len(parts) > 3 || len(parts) == 2 && !strings.Contains(s, "/") {
		return nil
	}
	var days []int
	for _, p := range parts {
		if _, err := strconv.Atoi(p); err != nil {
			return nil
		}
		if n, ok := smallNumber(p); ok {
			days = append(days, n)
		}
	}
	return days
}
