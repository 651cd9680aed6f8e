package ingest

import (
	"strconv"
	"time"

	"aftercall/automation"
	"aftercall/conversation"
)

// native is our own format, as the OpenAPI description has it.
type native struct{}

// kindConversation is the type under which a finished conversation in our own format is stored.
const kindConversation = "conversation"

func (native) scheme() string { return schemeStandard }

// decode reads a finished conversation. A member that we do not know is a fault: it is a typing error far more often
// than a wish, and what has no place of its own belongs under metadata.
func (native) decode(doc map[string]any, _ *automation.Source, _ time.Time) (decoded, []conversation.Fault) {
	f := readFields(doc, strict)
	f.only("id", "agent", "channel", "direction", "status", "started_at", "ended_at", "timezone", "from_number", "to_number",
		"customer", "summary", "url", "queue", "note", "turns", "metadata")
	agent, customer := f.object("agent"), f.object("customer")
	agent.only("id", "name")
	customer.only("name", "email", "number", "crm_record_id")
	c := &conversation.Conversation{
		ExternalID: f.str("id"),
		Agent:      conversation.Agent{ID: agent.str("id"), Name: agent.str("name")},
		Channel:    conversation.Channel(f.str("channel")), Direction: conversation.Direction(f.str("direction")),
		Status:    conversation.Status(f.str("status")),
		StartedAt: f.time("started_at"), EndedAt: f.time("ended_at"), Timezone: f.str("timezone"),
		FromNumber: f.str("from_number"), ToNumber: f.str("to_number"),
		Customer: conversation.Customer{
			Name: customer.str("name"), Email: customer.str("email"), Number: customer.str("number"),
			CRMRecordID: customer.str("crm_record_id"),
		},
		Summary: f.str("summary"), URL: f.str("url"), Queue: f.str("queue"), Note: f.str("note"),
		Turns: nativeTurns(f),
	}
	if m := f.object("metadata").of; m != nil {
		c.Metadata, _ = plain(m).(map[string]any)
	}
	return decoded{identity: identityOf(c.ExternalID, kindConversation), kind: kindConversation, conversation: c, awaits: true},
		checked(*f.faults, c)
}

func nativeTurns(f fields) []conversation.Turn {
	turns := []conversation.Turn{}
	for _, t := range f.objects("turns") {
		t.only("role", "text", "at_ms")
		turns = append(turns, conversation.Turn{Role: conversation.Role(t.str("role")), Text: t.str("text"), AtMS: t.whole("at_ms")})
	}
	return turns
}

// happening is something that happened during or beside a conversation.
type happening struct {
	identity, kind string
	call           string // the platform's id of the call it belongs to, if it says
	attempt        int
	now            bool // it asks for what it leads to at once
	data           fields
	at             time.Time
}

// decodeEvent reads the envelope of POST /v1/events. data is the event's own; body is what doc was read from.
func decodeEvent(doc map[string]any, body []byte) (happening, []conversation.Fault) {
	f := readFields(doc, strict)
	f.only("id", "type", "conversation", "attempt", "data", "at")
	e := happening{kind: f.str("type"), at: f.time("at")}
	if e.kind == "" && f.of["type"] == nil {
		f.fault("type", "is required: the kind of event, such as call.started")
	} else if len(e.kind) > 100 || plainType(e.kind) == "other" || e.kind == "" {
		f.fault("type", "is not 1 to 100 letters, digits, dots, dashes and underscores")
	}
	if f.of["at"] == nil {
		f.fault("at", "is required: an RFC 3339 time such as 2026-03-02T09:30:00Z")
	}
	id, call, attempt := f.str("id"), f.str("conversation"), f.whole("attempt")
	for key, s := range map[string]string{"id": id, "conversation": call} {
		if len(s) > conversation.MaxName {
			f.fault(key, "is longer than 200 bytes")
		}
	}
	if f.of["attempt"] != nil && attempt < 1 {
		f.fault("attempt", "is not a whole number from 1")
	}
	data := f.object("data")
	point, _ := data.of["point"].(string)
	if len(point) > conversation.MaxName {
		data.fault("point", "is longer than 200 bytes")
	}
	if e.kind == kazooNotification {
		e.now = kazooNow(data)
		point, _ = data.of["template_id"].(string) // a call may pass several
	}
	e.identity, e.call, e.attempt, e.data = id, call, int(attempt), data
	if id == "" {
		e.identity = identityOf(call, e.kind) + "/" + point + "/" + e.at.Format(time.RFC3339Nano)
		if attempt > 1 { // at is when the matter began as often as when it was tried again
			e.identity += "/" + strconv.FormatInt(attempt, 10)
		}
	}
	if id == "" && call == "" {
		e.identity = identityOfBody(e.identity, body)
	}
	if len(*f.faults) == 0 {
		return e, inData(e.conversation().Check())
	}
	return e, *f.faults
}
