package triggers

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"aftercall/conversation"
	"aftercall/reason"
)

// Gate applies the free checks. Every trigger is either due or has a decision with the reason it stopped here. The
// checks run in the order of the reason codes, so the code given is always the first that applies.
func Gate(c *conversation.Conversation, ts []Trigger, f Facts) (due []Trigger, stopped []Decision) {
	for _, t := range ts {
		code, detail := stop(c, t, f)
		if code == "" {
			due = append(due, t)
			continue
		}
		stopped = append(stopped, Decision{Automation: t.ID, Verdict: Skipped, Reason: code, Detail: detail})
	}
	return due, stopped
}

// stop names the first check that t does not pass, or "".
func stop(c *conversation.Conversation, t Trigger, f Facts) (reason.Code, string) {
	switch {
	case !t.Enabled:
		return reason.Disabled, ""
	case f.Muted[t.ID] != "":
		return reason.Muted, f.Muted[t.ID]
	case t.Event != c.EventType():
		return reason.WrongEvent, waitsFor(t.Event)
	case c.Event != nil && !t.Attempts.allow(c.Event):
		return reason.WrongAttempt, fmt.Sprintf("It is attempt %d.", max(c.Event.Attempt, 1))
	}
	if code, detail := t.Gate.stop(c, t.Agents, f); code != "" {
		return code, detail
	}
	if !t.Always && !c.HasSpeech() {
		return reason.NoTranscript, ""
	}
	if t.Count != nil {
		return t.Count.stop(c, f)
	}
	return "", ""
}

func waitsFor(event string) string {
	if event == "" {
		return "It waits for the end of a call."
	}
	return fmt.Sprintf("It waits for %s.", event)
}

func (a Attempts) allow(e *conversation.Event) bool {
	return a == AllAttempts || e.First() == (a != Retries)
}

// stop names the first field of the filter that the conversation does not match, or "".
func (g Filter) stop(c *conversation.Conversation, agents []string, f Facts) (reason.Code, string) {
	switch {
	case !allowed(g.Status, string(c.Status)):
		return reason.FilteredStatus, fmt.Sprintf("The status is %q.", c.Status)
	case !allowed(g.Direction, string(c.Direction)):
		return reason.FilteredDirection, fmt.Sprintf("The direction is %q.", c.Direction)
	case !allowed(g.Channel, string(c.Channel)):
		return reason.FilteredChannel, fmt.Sprintf("The channel is %q.", c.Channel)
	case !allowed(agents, c.Agent.ID):
		return reason.FilteredAgent, fmt.Sprintf("The agent is %q.", c.Agent.ID)
	case !within(g.Between, c.StartedAt, f.Location):
		return reason.FilteredTime, ""
	case g.MaxSeconds > 0 && c.Duration() > time.Duration(g.MaxSeconds)*time.Second:
		// The closed list has no code of its own for "too long"; it is a filter on time, and the detail says which.
		return reason.FilteredTime, fmt.Sprintf("It lasted longer than %d seconds.", g.MaxSeconds)
	}
	if key, ok := matches(g.Metadata, c.Metadata); !ok {
		return reason.FilteredMetadata, fmt.Sprintf("The key %q does not match.", key)
	}
	if n := spoken(c); n < g.MinTurns {
		return reason.TooShort, fmt.Sprintf("It has %d turns of %d.", n, g.MinTurns)
	}
	if c.Duration() < time.Duration(g.MinSeconds)*time.Second {
		return reason.TooShort, fmt.Sprintf("It lasted %d seconds of %d.", int(c.Duration().Seconds()), g.MinSeconds)
	}
	return "", ""
}

func allowed(wanted []string, got string) bool {
	return len(wanted) == 0 || slices.Contains(wanted, got)
}

// spoken counts the turns in which the agent or the customer said something.
func spoken(c *conversation.Conversation) int {
	n := 0
	for _, t := range c.Turns {
		if t.Text != "" && (t.Role == conversation.RoleAgent || t.Role == conversation.RoleCustomer) {
			n++
		}
	}
	return n
}

// within reports whether at lies in one of the spans, in local time. No spans let every time pass.
func within(spans []Hours, at time.Time, loc *time.Location) bool {
	if loc == nil {
		loc = time.UTC
	}
	local := at.In(loc)
	for _, h := range spans {
		if h.contains(local) {
			return true
		}
	}
	return len(spans) == 0
}

// contains reports whether the span holds the local time. A span that names no day holds on every day; one that ends
// on the next day belongs to the day on which it begins.
func (h Hours) contains(local time.Time) bool {
	minute := local.Hour()*60 + local.Minute()
	today := h.on(local.Weekday())
	if h.To > h.From {
		return today && minute >= h.From && minute < h.To
	}
	yesterday := h.on((local.Weekday() + 6) % 7)
	return today && minute >= h.From || yesterday && minute < h.To
}

func (h Hours) on(d time.Weekday) bool { return h.Days == [7]bool{} || h.Days[d] }

// matches reports whether got has every wanted key with a wanted value, and else names the first key that fails.
func matches(wanted, got map[string]any) (key string, ok bool) {
	keys := make([]string, 0, len(wanted))
	for k := range wanted {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		have, there := got[k]
		if !there || !overlap(scalars(wanted[k]), scalars(have)) {
			return k, false
		}
	}
	return "", true
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

// scalars spells a scalar, or each scalar of a list, so that a number matches however it was written: the 5 of a YAML
// file, the 5.0 of a JSON body and the "5" of a platform that knows only strings are the same value.
func scalars(v any) []string {
	switch x := v.(type) {
	case []any:
		var all []string
		for _, m := range x {
			all = append(all, scalars(m)...)
		}
		return all
	case []string:
		return x
	case string:
		return []string{x}
	case bool:
		return []string{strconv.FormatBool(x)}
	case int:
		return []string{strconv.Itoa(x)}
	case int64:
		return []string{strconv.FormatInt(x, 10)}
	case float64:
		return []string{strconv.FormatFloat(x, 'f', -1, 64)}
	case json.Number:
		return []string{x.String()}
	}
	return nil // null and objects match nothing
}
