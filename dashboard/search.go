package dashboard

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"aftercall/automation"
	"aftercall/conversation"
	"aftercall/internal/store"
)

// A search is what stands in the search box: one exact thing, and any of the qualifiers. The box holds the whole of it, so that
// an address with it can be kept, sent and read.

// standardWindow is how far back a list goes that nobody gave a time.
const standardWindow = 24 * time.Hour

// mostTyped bounds a search; nothing exact is longer.
const mostTyped = 600

// search is a search taken apart.
type search struct {
	text     string            // the exact thing
	given    map[string]string // the values of qualifiers, as typed
	query    store.ConversationQuery
	problems []string // why it cannot be answered
	hints    []string // what was probably meant, where it was not understood
}

// qualifier is a word before a colon with what may follow it.
type qualifier struct {
	name, says, example string
	values              []string // "" for anything
	take                func(q *store.ConversationQuery, value string)
}

func qualifiers() []qualifier {
	return []qualifier{
		{"automation", "the automation with this id fired; with an outcome, the outcome is this automation's", "automation:callback-requested", nil,
			func(q *store.ConversationQuery, v string) { q.Automation = v }},
		{"outcome", "what became of it", "outcome:failed", wordsIn(store.ConversationOutcomes()),
			func(q *store.ConversationQuery, v string) { q.Outcome = store.ConversationOutcome(v) }},
		{"state", "where it stands in the line", "state:waiting", wordsIn(store.ConversationStates()),
			func(q *store.ConversationQuery, v string) { q.State = store.ConversationState(v) }},
		{"agent", "who took the call, by id or name", `agent:"Front desk"`, nil, func(q *store.ConversationQuery, v string) { q.Agent = v }},
		{"channel", "how it was held", "channel:phone", wordsIn([]conversation.Channel{conversation.ChannelPhone, conversation.ChannelWeb, conversation.ChannelChat,
			conversation.ChannelSMS, conversation.ChannelTest}), func(q *store.ConversationQuery, v string) { q.Channel = v }},
		{"after", "accepted since then: a day, a time, a time back from now, or any", "after:7d", nil, nil},
		{"before", "accepted before then", "before:2026-11-20", nil, nil},
	}
}

func wordsIn[T ~string](of []T) (words []string) {
	for _, v := range of {
		words = append(words, string(v))
	}
	return words
}

// readSearch takes a search apart. Times are those of zone.
func readSearch(typed string, now time.Time, zone *time.Location) search {
	s := search{given: map[string]string{}}
	if len(typed) > mostTyped {
		s.problems = append(s.problems, fmt.Sprintf("A search has at most %d characters.", mostTyped))
		return s
	}
	var exact []string
	for _, term := range terms(typed) {
		name, value, ok := strings.Cut(term, ":")
		at := slices.IndexFunc(qualifiers(), func(q qualifier) bool { return ok && strings.EqualFold(q.name, name) })
		if at < 0 {
			exact = append(exact, unquoted(term))
			s.hint(name, ok)
			continue
		}
		s.qualify(qualifiers()[at], unquoted(value))
	}
	s.text = strings.Join(exact, " ")
	s.query.Search = s.text
	s.window(now, zone)
	return s
}

// qualify takes one qualifier. What may only be one of a few words is told apart from them here.
func (s *search) qualify(q qualifier, value string) {
	if _, twice := s.given[q.name]; twice {
		s.problems = append(s.problems, fmt.Sprintf("%s: stands here twice; leave one.", q.name))
		return
	}
	if len(q.values) > 0 || q.take == nil {
		value = strings.ToLower(value)
	}
	s.given[q.name] = value
	switch {
	case value == "":
		s.problems = append(s.problems, fmt.Sprintf("%s: needs a word after the colon, such as %s.", q.name, q.example))
	case len(q.values) > 0 && !slices.Contains(q.values, value):
		said := fmt.Sprintf("%s: is one of %s, not %q.", q.name, strings.Join(q.values, ", "), value)
		if near := automation.Nearest(value, q.values); near != "" {
			said += fmt.Sprintf(" Did you mean %s:%s?", q.name, near)
		}
		s.problems = append(s.problems, said)
	case q.take != nil:
		q.take(&s.query, value)
	}
}

// hint says what a word before a colon may have been meant for. Ids and addresses have colons, too, so it is looked for all
// the same.
func (s *search) hint(name string, colon bool) {
	var known []string
	for _, q := range qualifiers() {
		known = append(known, q.name)
	}
	if near := automation.Nearest(strings.ToLower(name), known); colon && near != "" {
		s.hints = append(s.hints, fmt.Sprintf("There is no qualifier %q. Did you mean %s:?", name+":", near))
	}
}

// window bounds the time. What is exact is looked for at any time, everything else in the last day, unless a time was given.
func (s *search) window(now time.Time, zone *time.Location) {
	q, after, before := &s.query, s.given["after"], s.given["before"]
	if before != "" {
		q.Until = s.time("before", before, now, zone)
	}
	switch {
	case after == "any":
	case after != "":
		q.Since = s.time("after", after, now, zone)
	case s.text == "" && q.Until.IsZero():
		q.Since = now.Add(-standardWindow)
	case s.text == "":
		q.Since = q.Until.Add(-standardWindow)
	}
	if !q.Until.IsZero() && !q.Since.Before(q.Until) {
		s.problems = append(s.problems, "after: must be earlier than before:.")
	}
}

func (s *search) time(name, value string, now time.Time, zone *time.Location) time.Time {
	t, ok := readTime(value, now, zone)
	if !ok {
		s.problems = append(s.problems, fmt.Sprintf("%s: takes a day (2026-11-20), a time (2026-11-20T14:30), today, yesterday, or how long ago (30m, 12h, 7d, 4w), not %q.",
			name, value))
	}
	return t
}

// readTime reads a time as people write it into a search.
func readTime(s string, now time.Time, zone *time.Location) (time.Time, bool) {
	local := now.In(zone)
	midnight := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, zone)
	switch s = strings.ToLower(s); s {
	case "today":
		return midnight, true
	case "yesterday":
		return midnight.AddDate(0, 0, -1), true
	}
	for _, layout := range []string{"2006-01-02", "2006-01-02t15:04", "2006-01-02t15:04:05"} {
		if t, err := time.ParseInLocation(layout, s, zone); err == nil {
			return t, true
		}
	}
	if s == "" {
		return time.Time{}, false
	}
	n, err := strconv.ParseUint(s[:len(s)-1], 10, 16)
	if err != nil || n == 0 {
		return time.Time{}, false
	}
	switch s[len(s)-1] {
	case 'm':
		return now.Add(-time.Duration(n) * time.Minute), true
	case 'h':
		return now.Add(-time.Duration(n) * time.Hour), true
	case 'd':
		return now.AddDate(0, 0, -int(n)), true
	case 'w':
		return now.AddDate(0, 0, -7*int(n)), true
	}
	return time.Time{}, false
}

// terms splits at spaces outside quotes.
func terms(typed string) (all []string) {
	quoted := false
	return strings.FieldsFunc(typed, func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return unicode.IsSpace(r) && !quoted
	})
}

func unquoted(s string) string { return strings.ReplaceAll(s, `"`, "") }

// with is the search with one qualifier in place of its own, or without it for "".
func (s search) with(name, value string) string {
	parts := []string{}
	if s.text != "" {
		parts = append(parts, s.text)
	}
	for _, q := range qualifiers() {
		v := s.given[q.name]
		if q.name == name {
			v = value
		}
		if strings.ContainsFunc(v, unicode.IsSpace) {
			v = `"` + v + `"`
		}
		if v != "" {
			parts = append(parts, q.name+":"+v)
		}
	}
	return strings.Join(parts, " ")
}

// windowWords say how far back a search goes.
func (s search) windowWords() string {
	after, before := s.given["after"], s.given["before"]
	switch {
	case after == "any" && before == "" || after == "" && s.text != "" && before == "":
		return "at any time"
	case after == "" && before == "":
		return "in the last 24 hours"
	case after == "" && s.text == "":
		return "in the 24 hours before " + before
	case after == "" || after == "any":
		return "before " + before
	case before == "":
		return "since " + agoWords(after)
	}
	return "since " + agoWords(after) + " and before " + before
}

// agoWords writes "7d" out.
func agoWords(s string) string {
	if n, err := strconv.Atoi(s[:len(s)-1]); err == nil && n > 0 {
		for unit, word := range map[byte]string{'m': "minute", 'h': "hour", 'd': "day", 'w': "week"} {
			if s[len(s)-1] == unit {
				return count(n, word, word+"s") + " ago"
			}
		}
	}
	return s
}
