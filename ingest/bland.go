package ingest

import (
	"net/http"
	"time"

	"aftercall/automation"
	"aftercall/conversation"
)

// bland posts the whole call object once a call is over (docs.bland.ai, post-call webhooks), without a type: two real bodies
// differ in their keys, so a call is known by having an id and a status. What it posts during a call names a category and is
// ignored.
type bland struct{}

// kindCall is the type of what a platform posts without one: the call itself.
const kindCall = "call"

func (bland) scheme() string { return schemeBland }

func (bland) decode(doc map[string]any, src *automation.Source, arrived time.Time) (decoded, []conversation.Fault) {
	f := readFields(doc, lenient)
	id := first(f.line("call_id"), f.line("c_id"))
	d := decoded{kind: kindCall, identity: identityOf(id, kindCall), about: id}
	if f.of["status"] == nil && f.of["queue_status"] == nil && f.of["completed"] == nil {
		d.kind = first(f.str("category"), f.str("type"), "event")
		d.identity, d.ignored = identityOf(id, d.kind), !asked(src, d.kind)
		return d, nil
	}
	if id == "" {
		f.fault("call_id", "is required")
		return d, *f.faults
	}
	d.conversation = blandConversation(f, id, src, arrived)
	return d, d.conversation.Check()
}

func blandConversation(f fields, id string, src *automation.Source, arrived time.Time) *conversation.Conversation {
	c := &conversation.Conversation{
		ExternalID: id, Status: blandStatus(f),
		Summary:  f.str("summary"),
		Customer: contact(conversation.Customer{}, f.object("variables"), src),
		Metadata: blandMetadata(f),
	}
	from, to := f.line("from"), f.line("to")
	ours := to
	if f.of["inbound"] == true {
		numbers(c, conversation.Inbound, from, to)
	} else {
		numbers(c, conversation.Outbound, to, from)
		ours = from
	}
	c.Agent.ID = first(f.line("pathway_id"), f.line("persona_id"), ours, "bland")
	start := f.time("started_at")
	if start.IsZero() {
		start = f.time("created_at")
	}
	// The length stands in seconds, as a text, or else in minutes, as a number.
	length := lasting(f.of["corrected_duration"], time.Second)
	if length == 0 {
		length = lasting(f.of["call_length"], time.Minute)
	}
	c.StartedAt, c.EndedAt = span(start, f.time("end_at"), length, arrived)
	c.Turns = blandTurns(f, c.StartedAt)
	return c
}

func blandStatus(f fields) conversation.Status {
	switch answered := f.str("answered_by"); {
	case f.line("transferred_to") != "":
		return conversation.Transferred
	case f.of["completed"] == false, f.str("error_message") != "", answered == "no-answer", answered == "voicemail",
		holds(f.str("status"), "fail", "busy", "no-answer", "cancel", "error"), holds(f.str("queue_status"), "error"):
		return conversation.Failed
	}
	return conversation.Completed
}

func blandTurns(f fields, start time.Time) []conversation.Turn {
	turns := []conversation.Turn{}
	for _, one := range f.objects("transcripts") {
		atMS := since(start, one.time("created_at"))
		switch one.str("user") {
		case "assistant", "robot", "agent":
			turns = said(turns, conversation.RoleAgent, one.str("text"), atMS)
		case "user":
			turns = said(turns, conversation.RoleCustomer, one.str("text"), atMS)
		case "agent-action":
			turns = append(turns, tool("", one.str("text"), atMS))
		}
	}
	if len(turns) == 0 {
		return dialogue(f.str("concatenated_transcript"), map[string]conversation.Role{
			"assistant": conversation.RoleAgent, "robot": conversation.RoleAgent, "user": conversation.RoleCustomer, "agent-action": conversation.RoleTool})
	}
	return turns
}

func blandMetadata(f fields) map[string]any {
	n := notes{}
	n.all(f.object("metadata"))
	n.some(f, "answered_by", "call_ended_by", "disposition_tag", "error_message", "transferred_to", "pathway_tags", "analysis")
	return n
}

// Bland signs the bytes of the body, and no time: a call's id is what a repeat is known by.
const (
	schemeBland    = "bland"
	blandSignature = "X-Webhook-Signature"
)

func openBland(e envelope) (s seal, why string) {
	signature := e.header.Get(e.named(automation.SettingSignatureHeader, blandSignature))
	switch {
	case signature == "":
		return seal{}, noSignature
	case !isHex(signature):
		return seal{}, badSignature
	}
	return seal{timeless: true, signatures: []string{signature}}, ""
}

func signBland(secret string, _ seal, body []byte) []string { return hexMAC(secret, body) }

func writeBland(r *http.Request, _ seal, signature string) { r.Header.Set(blandSignature, signature) }
