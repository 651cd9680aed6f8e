package simulated

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// value finds what a blank asks for; ok is false if it was not stated.
func (r *rules) value(b blank, f form) (stated, bool) {
	switch b.Type {
	case "enum":
		key, e := r.choose(b.Values, b.By, f.Turns)
		return stated{Turn: e.Turn, Quote: e.Quote, Value: key}, key != "" && e.Turn > 0
	case "boolean":
		return r.boolean(b, f)
	case "date":
		return r.last(b, f, func(s string) (string, string) { return r.date(s, f.Day) })
	case "time":
		return r.last(b, f, func(s string) (string, string) { return r.time(s), "" })
	case "email":
		return r.last(b, f, match(r.email))
	case "url":
		return r.last(b, f, match(r.link))
	case "phone":
		return r.last(b, f, func(s string) (string, string) {
			p := strings.TrimSpace(r.phone.FindString(r.isoDate.ReplaceAllString(s, " ")))
			if n := digits(p); n < 7 || n > 15 {
				return "", ""
			}
			return p, ""
		})
	case "money":
		return r.last(b, f, func(s string) (string, string) { return r.amount(s), "" })
	case "number":
		return r.best(b, f, match(r.number))
	}
	return r.text(b, f)
}

func match(p *regexp.Regexp) func(string) (string, string) {
	return func(s string) (string, string) { return p.FindString(s), "" }
}

func digits(s string) int {
	n := 0
	for _, c := range s {
		if c >= '0' && c <= '9' {
			n++
		}
	}
	return n
}

// finder finds a value in a sentence, and the weekday said beside it if the value is a date.
type finder func(sentence string) (value, weekday string)

// last takes the last value that was said: corrections come later. Sentences that were turned down do not count.
func (r *rules) last(b blank, f form, find finder) (stated, bool) {
	var s stated
	for _, t := range f.Turns {
		if !speaks(t, b.By) {
			continue
		}
		for _, sentence := range sentences(t.Text) {
			if v, day := find(sentence); v != "" && !r.turnedDown(sentence, t, f.Turns) {
				e := quote(t, sentence)
				s = stated{Turn: e.Turn, Quote: e.Quote, Value: v, Weekday: day}
			}
		}
	}
	return s, s.Value != ""
}

// turnedDown reports a sentence that says it will not do, or an agent's proposal the customer declined.
func (r *rules) turnedDown(sentence string, t turn, turns []turn) bool {
	if r.unwanted.MatchString(sentence) {
		return true
	}
	if t.Who != "agent" || !strings.HasSuffix(sentence, "?") {
		return false
	}
	for i := range turns {
		if turns[i].T == t.T {
			return r.declines(answerTo(turns, i).Text)
		}
	}
	return false
}

// best takes the value from the sentence that shares most with what is wanted.
func (r *rules) best(b blank, f form, find finder) (stated, bool) {
	wanted := unique(r.stems(r.wanted(b)))
	var s stated
	best := 0
	for _, t := range f.Turns {
		if !speaks(t, b.By) {
			continue
		}
		for _, sentence := range sentences(t.Text) {
			n, _ := r.shared(wanted, sentence)
			if v, _ := find(sentence); v != "" && n > best {
				e := quote(t, sentence)
				s, best = stated{Turn: e.Turn, Quote: e.Quote, Value: v}, n
			}
		}
	}
	return s, best > 0
}

// wanted is what a blank asks for, in all the words there are.
func (r *rules) wanted(b blank) string {
	return b.Wanted + " " + strings.ReplaceAll(strings.TrimPrefix(b.Name, "dyn_"), "_", " ")
}

// boolean is true if what is asked was said, false if it was denied.
func (r *rules) boolean(b blank, f form) (stated, bool) {
	wanted := unique(r.stems(r.wanted(b)))
	var s stated
	for _, t := range f.Turns {
		if !speaks(t, b.By) {
			continue
		}
		for _, sentence := range sentences(t.Text) {
			if n, first := r.shared(wanted, sentence); n >= min(2, len(wanted)) && n > 0 {
				e := quote(t, sentence)
				s = stated{Turn: e.Turn, Quote: e.Quote, Value: strconv.FormatBool(!r.negated(sentence[:first], ""))}
			}
		}
	}
	return s, s.Value != ""
}

// text finds free text: a name, a code, a time to call, what a topic is about, or else the sentence nearest in words.
func (r *rules) text(b blank, f form) (stated, bool) {
	wanted := strings.ToLower(r.wanted(b))
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(wanted, w) {
				return true
			}
		}
		return false
	}
	switch {
	case has("email", "e-mail"):
		return r.last(b, f, match(r.email))
	case has("link", "url"):
		return r.last(b, f, match(r.link))
	case has("phone", "number to call"):
		b.Type = "phone"
		return r.value(b, f)
	case has("name") && !has("product", "company", "business", "agent", "item"):
		return r.last(b, f, func(s string) (string, string) {
			if m := r.name.FindStringSubmatch(s); m != nil {
				return m[1], ""
			}
			return "", ""
		})
	case has("number", "reference", "code", "order id", "account id"):
		return r.best(b, f, match(r.code))
	case has("when", "preferred time", "best time", "date", "time"):
		return r.timing(b, f)
	case has("summary", "issue", "reason", "problem", "complaint", "topic", "about", "details", "description", "concern", "request", "feedback", "question"):
		return r.gist(b, f)
	}
	s, ok := r.best(b, f, func(s string) (string, string) { return s, "" })
	return short(s, b), ok
}

// timing takes the last sentence with a time in it.
func (r *rules) timing(b blank, f form) (stated, bool) {
	s, ok := r.last(b, f, func(s string) (string, string) {
		if !r.when.MatchString(s) {
			return "", ""
		}
		return strings.TrimRight(s, ".!?"), ""
	})
	return short(s, b), ok
}

// gist is what the conversation was about: the evidence of the topic asked about, or of the first there is, or the
// customer's opening.
func (r *rules) gist(b blank, f form) (stated, bool) {
	for _, among := range [][]topic{r.named(r.wanted(b)), r.topics} {
		for _, t := range among {
			if e := r.listen(t, f.Turns, b.By); e.Turn > 0 && len(strings.Fields(e.Quote)) >= 3 {
				return short(stated{Turn: e.Turn, Quote: e.Quote, Value: e.Quote}, b), true
			}
		}
	}
	open := r.opening(f.Turns)
	for _, t := range f.Turns {
		if open != "" && t.Who == "customer" && strings.Contains(t.Text, open) && speaks(t, b.By) {
			e := quote(t, open)
			return short(stated{Turn: e.Turn, Quote: e.Quote, Value: open}, b), true
		}
	}
	return stated{}, false
}

// short keeps a text within its limit.
func short(s stated, b blank) stated {
	limit := b.Max
	if limit <= 0 {
		limit = 200
	}
	s.Value = clip(strings.TrimSpace(s.Value), limit)
	return s
}

// amount reads money as "129.50 EUR".
func (r *rules) amount(s string) string {
	m := r.money.FindStringSubmatch(s)
	if m == nil {
		return ""
	}
	sum, unit := m[2], map[string]string{"$": "USD", "€": "EUR", "£": "GBP"}[m[1]]
	if sum == "" {
		sum = m[3]
		switch u := strings.ToLower(m[4]); u[0] {
		case 'd', 'b', 'u':
			unit = "USD"
		case 'e':
			unit = "EUR"
		case 'p', 'q', 'g':
			unit = "GBP"
		default:
			unit = "CHF"
		}
	}
	return strings.ReplaceAll(sum, ",", "") + " " + unit
}

// date reads the last date of a sentence by the day of the call, as 2006-01-02, with the weekday said beside it.
func (r *rules) date(s string, call time.Time) (value, weekday string) {
	if call.IsZero() {
		return "", ""
	}
	low := strings.ToLower(s)
	named := r.weekday.FindAllStringSubmatch(low, -1)
	if n := len(named); n > 0 {
		weekday = named[n-1][2][:3]
	}
	if m := r.isoDate.FindString(low); m != "" {
		return m, weekday
	}
	if m := r.dayMonth.FindStringSubmatch(low); m != nil {
		return inYear(m[1], m[2], m[3], call), weekday
	}
	if m := r.monthDay.FindStringSubmatch(low); m != nil {
		return inYear(m[2], m[1], m[3], call), weekday
	}
	if weekday != "" {
		return r.weekdayDate(low, weekday, named[len(named)-1][1] != "", call), weekday
	}
	if m := r.ordinal.FindStringSubmatch(low); m != nil {
		n, _ := strconv.Atoi(m[1] + m[2]) // one of them is empty, the other has two digits at most
		for i := range 36 {
			if d := call.AddDate(0, 0, i); d.Day() == n {
				return d.Format(time.DateOnly), ""
			}
		}
	}
	switch r.relative.FindString(low) {
	case "today", "tonight":
		return call.Format(time.DateOnly), ""
	case "tomorrow":
		return call.AddDate(0, 0, 1).Format(time.DateOnly), ""
	case "the day after tomorrow":
		return call.AddDate(0, 0, 2).Format(time.DateOnly), ""
	}
	return "", ""
}

// weekdayDate is the next such weekday; the one with the day of the month, if that is said too ("Tuesday the 24th").
func (r *rules) weekdayDate(low, weekday string, next bool, call time.Time) string {
	day := 0
	if m := r.ordinal.FindStringSubmatch(low); m != nil {
		day, _ = strconv.Atoi(m[1] + m[2]) // as above
	}
	first := ""
	for i := 1; i <= 35; i++ {
		d := call.AddDate(0, 0, i)
		if strings.ToLower(d.Weekday().String()[:3]) != weekday {
			continue
		}
		if first == "" && !(next && i < 3) {
			first = d.Format(time.DateOnly)
		}
		if d.Day() == day {
			return d.Format(time.DateOnly)
		}
	}
	return first
}

// inYear completes a day and month with the year: the one said, else the next in which it lies ahead.
func inYear(day, month, year string, call time.Time) string {
	m, err := time.Parse("Jan", strings.ToUpper(month[:1])+month[1:3])
	if err != nil {
		return ""
	}
	d, _ := strconv.Atoi(day)
	y := call.Year()
	if year != "" {
		y, _ = strconv.Atoi(year)
	}
	at := time.Date(y, m.Month(), d, 0, 0, 0, 0, time.UTC)
	if year == "" && at.Before(call.AddDate(0, 0, -30)) {
		at = at.AddDate(1, 0, 0)
	}
	if at.Day() != d {
		return ""
	}
	return at.Format(time.DateOnly)
}

// time reads a time of day as 15:04. Hours from one to seven without a word beside them are in the afternoon.
func (r *rules) time(s string) string {
	low := strings.ToLower(s)
	if m := r.halfPast.FindStringSubmatch(low); m != nil {
		h, minute := hour(m[3]), map[string]int{"half": 30, "quarter": 15}[m[1]]
		if strings.HasPrefix(m[2], "to") {
			h, minute = h-1, 60-minute
		}
		return clockTime(h, minute, low)
	}
	m := r.clock.FindStringSubmatch(low)
	switch {
	case m == nil:
		return ""
	case m[1] != "":
		minute, _ := strconv.Atoi(m[2])
		if m[3] == "" && len(m[1]) == 2 && m[1] != "12" && !strings.Contains(low, "evening") && !strings.Contains(low, "afternoon") {
			return fmt.Sprintf("%s:%02d", m[1], minute) // written with two digits, it is meant in 24 hours
		}
		return clockTime(hour(m[1]), minute, m[3]+" "+low)
	case m[4] != "":
		return clockTime(hour(m[4]), 0, m[5]+" "+low)
	case m[6] != "":
		return clockTime(hour(m[6]), 0, m[7]+" "+low)
	case m[8] == "midnight":
		return "00:00"
	}
	return "12:00"
}

// clockTime puts an hour into the right half of the day by the words around it.
func clockTime(h, minute int, around string) string {
	if h < 0 || h > 23 || minute > 59 {
		return ""
	}
	evening := strings.HasPrefix(around, "p") || strings.Contains(around, "afternoon") || strings.Contains(around, "evening") || strings.Contains(around, "tonight")
	morning := strings.HasPrefix(around, "a.") || strings.HasPrefix(around, "am") || strings.Contains(around, "morning")
	switch {
	case h == 12 && morning:
		h = 0
	case h < 12 && (evening || h >= 1 && h <= 7 && !morning):
		h += 12
	}
	return fmt.Sprintf("%02d:%02d", h, minute)
}

// hour reads an hour in words or digits.
func hour(s string) int {
	for i, w := range strings.Fields("zero one two three four five six seven eight nine ten eleven twelve") {
		if w == s {
			return i
		}
	}
	if n, err := strconv.Atoi(s); err == nil {
		return n
	}
	return -1
}
