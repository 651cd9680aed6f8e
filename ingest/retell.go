package ingest

import (
	"net/http"
	"strings"
	"time"

	"aftercall/automation"
	"aftercall/conversation"
)

// retell posts call_ended, and some seconds later call_analyzed with the same call and its analysis (docs.retellai.com,
// webhooks); a slow call_ended may come second. Either is a whole conversation. Times are milliseconds, those of words seconds.
type retell struct{}

const (
	retellEnded    = "call_ended"
	retellAnalyzed = "call_analyzed"
)

func (retell) scheme() string { return schemeRetell }

func (retell) decode(doc map[string]any, src *automation.Source, arrived time.Time) (decoded, []conversation.Fault) {
	f := readFields(doc, lenient)
	call := f.object("call")
	id := call.line("call_id")
	d := decoded{kind: first(f.str("event"), f.str("event_type"))} // one page of its documentation has the other name
	d.identity = identityOf(id, d.kind)
	switch {
	case d.kind == "":
		f.fault("event", "is required")
		return d, *f.faults
	case d.kind != retellEnded && d.kind != retellAnalyzed:
		d.ignored, d.about = !asked(src, d.kind), id
		d.begun = func() *conversation.Conversation { return retellConversation(call, id, src, arrived) }
		return d, nil
	case id == "":
		call.fault("call_id", "is required")
		return d, *f.faults
	}
	d.conversation, d.awaits = retellConversation(call, id, src, arrived), d.kind == retellEnded
	if d.awaits {
		ranked(d.conversation, conversation.Ranks{conversation.Rest: 1}, arrived) // the analysis adds to it
	}
	return d, under("/call", d.conversation.Check())
}

func retellConversation(call fields, id string, src *automation.Source, arrived time.Time) *conversation.Conversation {
	variables, analysis := call.object("retell_llm_dynamic_variables"), call.object("call_analysis")
	c := &conversation.Conversation{
		ExternalID: id,
		Agent:      conversation.Agent{ID: first(call.line("agent_id"), "retell"), Name: call.line("agent_name")},
		Channel:    conversation.ChannelWeb,
		Status:     retellStatus(call.str("disconnection_reason"), call.str("call_status")),
		Summary:    analysis.str("call_summary"),
		Customer:   contact(conversation.Customer{}, variables, src),
		Turns:      retellTurns(call),
		Metadata:   retellMetadata(call, variables, analysis),
	}
	c.StartedAt, c.EndedAt = span(millis(call.of["start_timestamp"]), millis(call.of["end_timestamp"]),
		lasting(call.of["duration_ms"], time.Millisecond), arrived)
	from, to := call.line("from_number"), call.line("to_number")
	switch {
	case call.str("direction") == "outbound":
		numbers(c, conversation.Outbound, to, from)
	case call.str("call_type") == "phone_call" || from != "":
		numbers(c, conversation.Inbound, from, to)
	case call.str("call_type") == "chat":
		c.Channel = conversation.ChannelChat
	}
	return c
}

// retellStatus goes by why the line was cut: an ended call may still say that it is registered.
func retellStatus(reason, status string) conversation.Status {
	switch {
	case holds(reason, "transfer_bridged", "call_transfer"):
		return conversation.Transferred
	case holds(reason, "dial_", "error", "invalid_destination", "telephony_", "spam", "declined", "timeout", "concurrency", "payment", "scam", "voicemail"),
		status == "not_connected", status == "error":
		return conversation.Failed
	}
	return conversation.Completed
}

// retellTurns are those with what tools did among them; a source that stores less may leave the words to the transcript.
func retellTurns(call fields) []conversation.Turn {
	list := call.objects("transcript_with_tool_calls")
	if len(list) == 0 {
		list = call.objects("transcript_object")
	}
	turns, atMS := []conversation.Turn{}, int64(0)
	for _, one := range list {
		if words := one.objects("words"); len(words) > 0 {
			atMS = offset(words[0].of["start"])
		}
		switch one.str("role") {
		case "agent", "transfer_target": // whom the call is handed to speaks for the house, too
			turns = said(turns, conversation.RoleAgent, one.str("content"), atMS)
		case "user":
			turns = said(turns, conversation.RoleCustomer, one.str("content"), atMS)
		case "tool_call_invocation":
			turns = append(turns, tool(one.str("name"), one.str("arguments"), atMS))
		case "tool_call_result":
			turns = append(turns, tool("", one.str("content"), atMS))
		}
	}
	if text := call.str("transcript"); len(turns) == 0 {
		return dialogue(text, map[string]conversation.Role{
			"agent": conversation.RoleAgent, "user": conversation.RoleCustomer, "transfer target": conversation.RoleAgent})
	}
	return turns
}

func retellMetadata(call, variables, analysis fields) map[string]any {
	n := notes{}
	n.all(call.object("metadata"))
	n.all(variables)
	n.put("collected", call.of["collected_dynamic_variables"])
	n.some(call, "disconnection_reason", "agent_version")
	n.some(analysis, "call_successful", "user_sentiment", "in_voicemail")
	n.put("analysis", analysis.of["custom_analysis_data"])
	return n
}

// Retell signs the body and then the time in milliseconds, with nothing between, under the account's API key.
const (
	schemeRetell    = "retell"
	retellSignature = "X-Retell-Signature"
)

// openRetell takes exactly "v=<milliseconds>,d=<hex>", as Retell's own libraries do.
func openRetell(e envelope) (s seal, why string) {
	header := e.header.Get(e.named(automation.SettingSignatureHeader, retellSignature))
	if header == "" {
		return seal{}, noSignature
	}
	stamp, code, _ := strings.Cut(strings.TrimPrefix(header, "v="), ",d=")
	at, ok := digits(stamp)
	if !ok || len(stamp) > 13 || !strings.HasPrefix(header, "v=") || !isHex(code) {
		return seal{}, badSignature
	}
	return seal{stamp: stamp, at: time.UnixMilli(at), signatures: []string{code}}, ""
}

func signRetell(secret string, s seal, body []byte) []string {
	return hexMAC(secret, body, []byte(s.stamp))
}

func writeRetell(r *http.Request, s seal, signature string) {
	r.Header.Set(retellSignature, "v="+s.stamp+",d="+signature)
}
