package ingest

import (
	"strings"
	"time"

	"aftercall/automation"
	"aftercall/conversation"
)

// itellico posts conversation.started, .ended and, later, .analysis.completed (docs.itellico.ai, webhook events), each in
// an envelope {event_id, event_type, created, organization_uuid, data}. The ended event makes the conversation; the
// analysis completes it.
type itellico struct{}

const (
	itellicoEnded    = "conversation.ended"
	itellicoAnalysis = "conversation.analysis.completed"
)

func (itellico) scheme() string { return schemeItellico }

func (itellico) decode(doc map[string]any, src *automation.Source, _ time.Time) (decoded, []conversation.Fault) {
	f := readFields(doc, lenient)
	data := f.object("data")
	d := decoded{kind: f.str("event_type"), identity: f.line("event_id")}
	call := data.line("conversation_uuid")
	switch d.kind {
	case "":
		f.fault("event_type", "is required")
		return d, *f.faults
	case itellicoEnded, itellicoAnalysis:
	default:
		d.ignored, d.about = !asked(src, d.kind), call
		d.begun = func() *conversation.Conversation { return itellicoConversation(data, call, src) }
		if d.identity == "" {
			d.identity = identityOf(call, d.kind)
		}
		return d, nil
	}
	if call == "" {
		data.fault("conversation_uuid", "is required")
		return d, *f.faults
	}
	if d.identity == "" {
		d.identity = identityOf(call, d.kind)
	}
	c := itellicoConversation(data, call, src)
	if d.conversation, d.awaits = c, d.kind == itellicoEnded; d.awaits {
		c.Ranks = conversation.Ranks{conversation.Rest: 1} // the analysis completes it
	}
	faults := c.Check()
	if d.kind == itellicoAnalysis {
		faults, d.partial = forgiven(faults)
	}
	return d, under("/data", faults)
}

// forgiven takes out what an analysis need not say, because the ended event says it.
func forgiven(faults []conversation.Fault) (left []conversation.Fault, partial bool) {
	for _, f := range faults {
		if strings.HasPrefix(f.Message, "is required") {
			partial = true
			continue
		}
		left = append(left, f)
	}
	return left, partial
}

// under moves pointers below the member in which a platform wraps the conversation.
func under(pointer string, faults []conversation.Fault) []conversation.Fault {
	for i := range faults {
		faults[i].Pointer = pointer + faults[i].Pointer
	}
	return faults
}

func itellicoConversation(data fields, call string, src *automation.Source) *conversation.Conversation {
	contact := data.object("contact")
	c := &conversation.Conversation{
		ExternalID: call,
		Agent:      conversation.Agent{ID: data.line("agent_uuid"), Name: data.line("agent_name")},
		Channel:    itellicoChannel(data.str("channel")),
		Direction:  conversation.Direction(data.str("direction")), Status: conversation.Status(data.str("status")),
		StartedAt: data.time("started_at"), EndedAt: data.time("ended_at"),
		FromNumber: data.line("from_number"), ToNumber: data.line("to_number"),
		Customer: conversation.Customer{Name: contact.line("name"), Email: contact.line("email"), Number: contact.line("number")},
		Summary:  data.str("summary"),
		Metadata: itellicoMetadata(data),
	}
	if seconds := data.whole("duration_seconds"); c.EndedAt.IsZero() && !c.StartedAt.IsZero() {
		c.EndedAt = c.StartedAt.Add(time.Duration(seconds) * time.Second)
	}
	if page := src.Settings[automation.SettingURL]; page != "" {
		c.URL = strings.ReplaceAll(page, "{id}", call)
	}
	c.Turns = itellicoTurns(data, c.StartedAt)
	return c
}

// itellicoChannel: the platform's types are phone, web and test; text channels are named for themselves.
func itellicoChannel(s string) conversation.Channel {
	switch s {
	case "voice", "call":
		return conversation.ChannelPhone
	case "whatsapp":
		return conversation.ChannelChat
	}
	return conversation.Channel(s)
}

// itellicoTurns takes what was said and what tools did; events on the line are no turns.
func itellicoTurns(data fields, start time.Time) []conversation.Turn {
	turns := []conversation.Turn{}
	for _, m := range data.objects("messages") {
		t := conversation.Turn{Text: m.str("message"), AtMS: since(start, m.time("timestamp"))}
		switch m.str("role") {
		case "user":
			t.Role = conversation.RoleCustomer
		case "agent":
			t.Role = conversation.RoleAgent
		case "system":
			t.Role = conversation.RoleSystem
		case "tool":
			t.Role = conversation.RoleTool
			t.Text = clip(strings.TrimSpace(m.str("name")+" "+t.Text+" "+compact(m.of["result"])), maxTool)
		default:
			continue
		}
		if strings.TrimSpace(t.Text) != "" {
			turns = append(turns, t)
		}
	}
	return turns
}

// since is how long after the start something was said; 0 where either is not known.
func since(start, at time.Time) int64 {
	if start.IsZero() || at.Before(start) {
		return 0
	}
	return at.Sub(start).Milliseconds()
}

// itellicoMetadata keeps what the platform passed along, and what its analysis found.
func itellicoMetadata(data fields) map[string]any {
	m := map[string]any{}
	if given, ok := plain(data.of["metadata"]).(map[string]any); ok {
		m = given
	}
	for _, key := range []string{"goals", "insights", "answer_status", "campaign_uuid"} {
		if v := data.of[key]; v != nil && m[key] == nil {
			m[key] = plain(v)
		}
	}
	return m
}
