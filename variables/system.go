package variables

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"aftercall/conversation"
)

// Context is what system variables need beside the conversation.
type Context struct {
	AccountName string
	Location    *time.Location // the account's zone; nil is UTC
	Summary     string         // the interview's, used when the platform gave none
}

// What the two variables say that are never absent.
const (
	noTranscript = "Transcript not available"
	noSummary    = "Summary not available"
)

// Limits on metadata: more than this is not for a message.
const (
	maxMetadataList   = 100
	maxMetadataText   = 2000 // characters
	maxMetadataLevels = 4
)

// SystemNames lists the system variables with their kind, as templates.Kind spells it.
func SystemNames() map[string]string {
	return map[string]string{
		"conversation_date":       "date",
		"conversation_time":       "time",
		"conversation_duration":   "text",
		"conversation_status":     "text",
		"conversation_direction":  "text",
		"conversation_summary":    "text",
		"conversation_transcript": "text",
		"conversation_url":        "url",
		"conversation_uuid":       "text",
		"agent_name":              "text",
		"account_name":            "text",
		"customer_number":         "text",
		"to_number":               "text",
		"customer_name":           "text",
		"customer_email":          "text",
		"crm_record_id":           "text",
		"metadata":                "open",
	}
}

// System gives the system variables' values. A name without a value is absent, except conversation_summary and
// conversation_transcript, which have fallback texts. A caller may have had a hand in names and summaries, so they lose
// their links; the transcript is what was said, whatever that was. Times are in the conversation's zone, else the account's.
func System(c *conversation.Conversation, x Context) map[string]any {
	account := x.Location
	if account == nil {
		account = time.UTC
	}
	start := c.StartedAt.In(c.Location(account))
	values := map[string]any{
		"conversation_duration":   duration(c.Duration()),
		"conversation_status":     titled(string(c.Status)),
		"conversation_direction":  titled(string(c.Direction)),
		"conversation_summary":    firstOf(unlinked(c.Summary), unlinked(x.Summary), noSummary),
		"conversation_transcript": firstOf(transcript(c.Turns), noTranscript),
		"conversation_url":        c.URL,
		"conversation_uuid":       c.ExternalID,
		"agent_name":              unlinked(c.Agent.Name),
		"account_name":            x.AccountName,
		"customer_name":           unlinked(c.Customer.Name),
		"customer_email":          c.Customer.Email,
		"crm_record_id":           c.Customer.CRMRecordID,
	}
	if c.Event != nil && c.Event.Call != "" {
		values["conversation_uuid"] = c.Event.Call
	}
	if !c.StartedAt.IsZero() {
		values["conversation_date"] = start.Format("2006-01-02 15:04 MST")
		values["conversation_time"] = start.Format("3:04 PM")
	}
	if hasNumbers(c.Channel) {
		values["customer_number"] = c.CustomerNumber()
		values["to_number"] = c.ToNumber
	}
	if m, ok := metadata(c.Metadata, 0).(map[string]any); ok && len(m) > 0 {
		values["metadata"] = m
	}
	maps.DeleteFunc(values, func(_ string, v any) bool {
		text, isText := v.(string)
		return isText && strings.TrimSpace(text) == ""
	})
	return values
}

// hasNumbers reports whether a channel has telephone numbers. A test stands for a call, and is only ever captured.
func hasNumbers(ch conversation.Channel) bool {
	return ch == conversation.ChannelPhone || ch == conversation.ChannelSMS || ch == conversation.ChannelTest
}

// duration gives minutes and seconds; an hour and a quarter is 75:00.
func duration(d time.Duration) string {
	seconds := int(d / time.Second)
	return fmt.Sprintf("%02d:%02d", seconds/60, seconds%60)
}

func titled(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t = strings.TrimSpace(t); t != "" {
			return t
		}
	}
	return ""
}

// transcript gives what was said, one line a turn. What the system and tools noted is not for readers.
func transcript(turns []conversation.Turn) string {
	var b strings.Builder
	for _, t := range turns {
		before := "\nAgent: "
		switch t.Role {
		case conversation.RoleAgent:
		case conversation.RoleCustomer:
			before = "\nCustomer: "
		default:
			continue
		}
		for word := range strings.FieldsSeq(t.Text) {
			b.WriteString(before)
			b.WriteString(word)
			before = " "
		}
	}
	return strings.TrimPrefix(b.String(), "\n")
}

// metadata copies what the platform passed along, cut to a size that fits a message.
func metadata(v any, level int) any {
	if level > maxMetadataLevels {
		return nil
	}
	switch v := v.(type) {
	case string:
		return cut(v, maxMetadataText)
	case bool, int, int64, float64:
		return v
	case json.Number:
		return v.String()
	case []string:
		return list(v, level)
	case []any:
		return list(v, level)
	case map[string]any:
		m := map[string]any{}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if item := metadata(v[key], level+1); item != nil && len(m) < maxMetadataList {
				m[cut(key, 200)] = item
			}
		}
		return m
	}
	return nil
}

func list[T any](items []T, level int) any {
	var out []any
	for _, item := range items[:min(len(items), maxMetadataList)] {
		if clean := metadata(item, level+1); clean != nil {
			out = append(out, clean)
		}
	}
	return out
}

// cut shortens a text to a number of characters, at a word where there is one near, and shows that it did.
func cut(s string, limit int) string {
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	runes := []rune(s)[:max(limit-1, 0)]
	text := string(runes)
	if i := strings.LastIndexAny(text, " \n"); i > len(text)*2/3 {
		text = text[:i]
	}
	return strings.TrimRight(text, " \n,;:") + "…"
}

// Describe turns dyn_callback_when into "callback when", the default question of an undeclared variable.
func Describe(name string) string {
	return strings.TrimSpace(strings.ReplaceAll(strings.TrimPrefix(name, "dyn_"), "_", " "))
}
