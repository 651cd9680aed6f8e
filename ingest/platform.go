package ingest

import (
	"math"
	"strings"
	"time"

	"aftercall/automation"
	"aftercall/conversation"
)

// What the adapters of several platforms have in common.

// first is the first of some texts that says something.
func first(texts ...string) string {
	for _, s := range texts {
		if strings.TrimSpace(s) != "" {
			return s
		}
	}
	return ""
}

// span are the times of a call of which a platform may tell only one, and a length: the other follows. What it tells
// neither of ended when word of it arrived.
func span(start, end time.Time, length time.Duration, arrived time.Time) (time.Time, time.Time) {
	length = max(length, 0)
	switch {
	case start.IsZero() && end.IsZero():
		end = arrived.UTC()
		start = end.Add(-length)
	case start.IsZero():
		start = end.Add(-length)
	case end.IsZero() || end.Before(start):
		end = start.Add(length)
	}
	return start, end
}

// ranked gives what an event says of its call the ranks by which it is merged with others. Times that no event told, where span
// took the arrival's, are believed least.
func ranked(c *conversation.Conversation, ranks conversation.Ranks, arrived time.Time) {
	if c.EndedAt.Equal(arrived) {
		ranks["started_at"], ranks["ended_at"] = -1, -1
	}
	c.Ranks = ranks
}

// lasting is a length of n units; zero for what is no length.
func lasting(v any, unit time.Duration) time.Duration {
	n, ok := number(v)
	if !ok || n <= 0 || n*float64(unit) > float64(30*24*time.Hour) {
		return 0
	}
	return time.Duration(n * float64(unit))
}

// millis is a Unix time in milliseconds, whole or not; zero stays no time.
func millis(v any) time.Time {
	n, _ := number(v)
	if n <= 0 || n > 1e14 {
		return time.Time{}
	}
	return time.UnixMicro(int64(math.Round(n * 1000))).UTC()
}

// offset is how far into the call something was said, in seconds.
func offset(v any) int64 { return lasting(v, time.Second).Round(time.Millisecond).Milliseconds() }

// zone is an IANA name of a time zone as a conversation takes it; "" for what is none.
func zone(name string) string {
	if _, err := time.LoadLocation(name); err != nil || name == "" || name == "Local" {
		return ""
	}
	return name
}

// dialogue takes apart a transcript that a platform wrote as one text: a line for each turn, which begins with who speaks.
// A line that does not belongs to the turn before it.
func dialogue(text string, who map[string]conversation.Role) []conversation.Turn {
	turns := []conversation.Turn{}
	for line := range strings.SplitSeq(text, "\n") {
		name, said, ok := strings.Cut(strings.TrimSpace(line), ":")
		role, known := who[strings.ToLower(name)]
		switch {
		case ok && known && strings.TrimSpace(said) != "":
			turns = append(turns, conversation.Turn{Role: role, Text: strings.TrimSpace(said)})
		case (!ok || !known) && len(turns) > 0 && strings.TrimSpace(line) != "":
			turns = goOn(turns, strings.TrimSpace(line))
		}
	}
	return turns
}

// goOn adds a line to the last turn, or begins another of the same speaker once that is as long as a turn may be.
func goOn(turns []conversation.Turn, line string) []conversation.Turn {
	last := &turns[len(turns)-1]
	if len(last.Text)+1+len(line) > conversation.MaxText {
		return append(turns, conversation.Turn{Role: last.Role, Text: line})
	}
	last.Text += "\n" + line
	return turns
}

// said adds a turn, if something was said.
func said(turns []conversation.Turn, role conversation.Role, text string, atMS int64) []conversation.Turn {
	if strings.TrimSpace(text) == "" {
		return turns
	}
	return append(turns, conversation.Turn{Role: role, Text: text, AtMS: atMS})
}

// notes become a conversation's metadata. The first to take a name keeps it.
type notes map[string]any

// put notes a value under a name, unless there is nothing to note, or more than a conversation takes: what a platform passes
// along must not keep a call out.
func (n notes) put(name string, v any) {
	if _, has := n[name]; has || empty(v) || len(name) > conversation.MaxMetaKey {
		return
	}
	v = bounded(plain(v))
	if values(map[string]any(n))+1+values(v) <= conversation.MaxMetadata {
		n[name] = v
	}
}

// all notes each member under its own name.
func (n notes) all(of fields) {
	n.some(of, of.names()...)
}

// some notes members by name.
func (n notes) some(of fields, names ...string) {
	for _, name := range names {
		n.put(name, of.of[name])
	}
}

func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return false
}

// values counts what is in a value, names and elements alike.
func values(v any) (count int) {
	switch v := v.(type) {
	case map[string]any:
		for _, inner := range v {
			count += 1 + values(inner)
		}
	case []any:
		for _, inner := range v {
			count += 1 + values(inner)
		}
	}
	return count
}

// bounded shortens texts to what metadata takes, and leaves out names that are too long.
func bounded(v any) any {
	switch v := v.(type) {
	case string:
		return clip(v, maxTool-10)
	case map[string]any:
		for key, inner := range v {
			if v[key] = bounded(inner); len(key) > conversation.MaxMetaKey {
				delete(v, key)
			}
		}
	case []any:
		for i, inner := range v {
			v[i] = bounded(inner)
		}
	}
	return v
}

// contact reads the contact record from variables that a caller supplied, if the source says that they hold it; what the
// platform itself tells of the customer stands.
func contact(told conversation.Customer, variables fields, src *automation.Source) conversation.Customer {
	if src.Settings[automation.SettingContactVariables] != "true" {
		return told
	}
	c := contactOf(variables)
	c.Name, c.Number = first(told.Name, c.Name), first(told.Number, c.Number)
	c.Email, c.CRMRecordID = first(told.Email, c.Email), first(told.CRMRecordID, c.CRMRecordID)
	return c
}

// holds reports whether a word is, or holds, one of some words.
func holds(word string, parts ...string) bool {
	for _, p := range parts {
		if strings.Contains(word, p) {
			return true
		}
	}
	return false
}

// numbers says where a call that a platform took to the phone came from and went to: the customer's number and ours.
func numbers(c *conversation.Conversation, direction conversation.Direction, customer, ours string) {
	c.Channel, c.Direction = conversation.ChannelPhone, direction
	if direction == conversation.Outbound {
		c.FromNumber, c.ToNumber = ours, customer
		return
	}
	c.FromNumber, c.ToNumber = customer, ours
}
