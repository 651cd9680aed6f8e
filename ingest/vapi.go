package ingest

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"net/http"
	"strings"
	"time"

	"aftercall/automation"
	"aftercall/conversation"
)

// vapi posts {"message": {"type": …}} (docs.vapi.ai, server events). Its end-of-call-report is the conversation; everything
// else is ignored. Presigned addresses differ between two tries of one report, so the call's id is what a repeat is known by.
type vapi struct{}

const (
	vapiReport = "end-of-call-report"
	vapiStatus = "status-update" // which comes several times in a call
)

func (vapi) scheme() string { return schemeVapi }

func (vapi) decode(doc map[string]any, src *automation.Source, arrived time.Time) (decoded, []conversation.Fault) {
	f := readFields(doc, lenient)
	m := f.object("message")
	call := m.object("call").line("id")
	d := decoded{kind: m.str("type"), identity: identityOf(call, m.str("type"))}
	switch {
	case f.text("message"):
		f.fault("message", vapiEncrypted)
		return d, *f.faults
	case d.kind == "":
		m.fault("type", "is required")
		return d, *f.faults
	case d.kind != vapiReport:
		if d.kind == vapiStatus {
			d.identity += "/" + m.str("status")
		}
		d.ignored, d.about = !asked(src, d.kind), call
		d.begun = func() *conversation.Conversation { return vapiBeside(m, call, src, arrived) }
		return d, nil
	case call == "":
		if vapiHidden(m); len(*f.faults) == 0 {
			m.object("call").fault("id", "is required")
		}
		return d, *f.faults
	}
	if d.conversation = vapiConversation(m, call, src, arrived); len(d.conversation.Turns) == 0 {
		vapiHidden(m)
	}
	return d, append(*f.faults, under("/message", d.conversation.Check())...)
}

const vapiEncrypted = "is encrypted, and nobody here has the key: take it off the encrypted paths of the server in Vapi"

// vapiHidden notes as faults what hides the words of a call, or which call it is. How it is encrypted is not published; but then
// an object or a list is a text, and a transcript, in which somebody always speaks to somebody, one long word.
func vapiHidden(m fields) {
	artifact := m.object("artifact")
	for _, hidden := range []struct {
		in  fields
		key string
	}{{m, "call"}, {m, "artifact"}, {artifact, "messages"}, {m, "messages"}} {
		if hidden.in.text(hidden.key) {
			hidden.in.fault(hidden.key, vapiEncrypted)
		}
	}
	for _, in := range []fields{artifact, m} {
		if s := in.str("transcript"); len(s) > 40 && !strings.ContainsAny(s, ": ") {
			in.fault("transcript", vapiEncrypted)
		}
	}
}

// vapiBeside is what another event tells of its call: with a status, which that is.
func vapiBeside(m fields, id string, src *automation.Source, arrived time.Time) *conversation.Conversation {
	c := vapiConversation(m, id, src, arrived)
	if status := m.line("status"); status != "" {
		c.Metadata["status"] = clip(status, conversation.MaxName) // a variable of the call may have this name, too
	}
	return c
}

func vapiConversation(m fields, id string, src *automation.Source, arrived time.Time) *conversation.Conversation {
	call, assistant, artifact := m.object("call"), m.object("assistant"), m.object("artifact")
	variables := artifact.object("variableValues")
	customer := m.object("customer")
	if customer.of == nil {
		customer = call.object("customer")
	}
	c := &conversation.Conversation{
		ExternalID: id,
		Agent: conversation.Agent{
			ID: first(assistant.line("id"), call.line("assistantId"), call.line("squadId"), call.line("workflowId"),
				m.object("phoneNumber").line("id"), "vapi"),
			Name: assistant.line("name"),
		},
		Channel:  conversation.ChannelWeb,
		Status:   vapiEnded(first(m.str("endedReason"), call.str("endedReason"))),
		Summary:  first(m.object("analysis").str("summary"), m.str("summary")),
		Customer: contact(conversation.Customer{Name: customer.line("name")}, variables, src),
		Metadata: vapiMetadata(m, call, variables),
	}
	length := lasting(m.of["durationMs"], time.Millisecond)
	if length == 0 {
		length = lasting(m.of["durationSeconds"], time.Second)
	}
	start, end := m.time("startedAt"), m.time("endedAt")
	if start.IsZero() && length == 0 {
		start = call.time("createdAt") // it never began
	}
	if end.IsZero() && length == 0 {
		end = millis(m.of["timestamp"])
	}
	c.StartedAt, c.EndedAt = span(start, end, length, arrived)
	ours := m.object("phoneNumber").line("number")
	switch call.str("type") {
	case "inboundPhoneCall":
		numbers(c, conversation.Inbound, customer.line("number"), ours)
	case "outboundPhoneCall":
		numbers(c, conversation.Outbound, customer.line("number"), ours)
	case "vapi.websocketCall", "webCall":
	default:
		if customer.line("number") != "" {
			numbers(c, conversation.Inbound, customer.line("number"), ours)
		}
	}
	c.Turns = vapiTurns(m, artifact)
	return c
}

// vapiEnded reads the reason of the end: there are some six hundred, and new ones come, so words in them decide. The
// status of the call itself is stale in a report.
func vapiEnded(reason string) conversation.Status {
	switch {
	case reason == "silence-timed-out":
		return conversation.Completed
	case holds(reason, "error", "failed", "pipeline", "busy", "did-not", "voicemail", "rejected", "misdialed", "timed-out", "hungup-before", "deleted", "manually-canceled"):
		return conversation.Failed
	case holds(reason, "forwarded", "transfer"):
		return conversation.Transferred
	}
	return conversation.Completed
}

// vapiTurns are in the order of the list: their times overlap. The system prompt, which is among them, is nobody's speech.
func vapiTurns(m, artifact fields) []conversation.Turn {
	messages := artifact.objects("messages")
	if len(messages) == 0 {
		messages = m.objects("messages")
	}
	turns := []conversation.Turn{}
	for _, one := range messages {
		atMS := offset(one.of["secondsFromStart"])
		switch role := one.str("role"); role {
		case "bot", "assistant":
			turns = said(turns, conversation.RoleAgent, one.str("message"), atMS)
		case "user":
			turns = said(turns, conversation.RoleCustomer, one.str("message"), atMS)
		case "tool_calls":
			for _, call := range one.objects("toolCalls") {
				function := call.object("function")
				turns = append(turns, tool(function.str("name"), function.str("arguments"), atMS))
			}
		case "tool_call_result":
			turns = append(turns, tool(one.str("name"), compact(one.of["result"]), atMS))
		}
	}
	if len(turns) == 0 {
		return dialogue(first(artifact.str("transcript"), m.str("transcript")),
			map[string]conversation.Role{"ai": conversation.RoleAgent, "user": conversation.RoleCustomer})
	}
	return turns
}

// vapiMetadata keeps what the caller's own program passed along first, then what the platform found.
func vapiMetadata(m, call, variables fields) map[string]any {
	n, analysis := notes{}, m.object("analysis")
	n.all(call.object("metadata"))
	n.all(variables)
	n.put("ended_reason", first(m.str("endedReason"), call.str("endedReason")))
	n.put("success_evaluation", analysis.of["successEvaluation"])
	n.put("structured_data", analysis.of["structuredData"])
	found := notes{}
	outputs := m.object("artifact").object("structuredOutputs")
	for _, id := range outputs.names() {
		found.put(first(outputs.object(id).str("name"), id), outputs.object(id).of["result"])
	}
	n.put("structured_outputs", map[string]any(found))
	return n
}

// Vapi signs as the credential of its server says: which hash, which spelling, over what, in which header. These are its
// defaults, and settings of a source say otherwise.
const (
	schemeVapi    = "vapi"
	vapiSignature = "X-Signature"
	vapiTimestamp = "X-Timestamp"
	vapiSigned    = "{timestamp}.{body}"
)

func openVapi(e envelope) (s seal, why string) {
	signature := e.header.Get(e.named(automation.SettingSignatureHeader, vapiSignature))
	s = seal{stamp: e.header.Get(e.named(automation.SettingTimestampHeader, vapiTimestamp))}
	s.timeless = !strings.Contains(e.named(automation.SettingSigned, vapiSigned), "{timestamp}")
	if signature == "" || s.stamp == "" && !s.timeless {
		return seal{}, noSignature
	}
	var ok bool
	if s.at, ok = unixOrMilli(s.stamp); !ok && !s.timeless {
		return seal{}, badSignature
	}
	s.signatures = []string{signature}
	return s, ""
}

func signVapi(secret string, s seal, body []byte) []string {
	of := map[string]func() hash.Hash{"sha512": sha512.New, "sha1": sha1.New}[s.settings[automation.SettingAlgorithm]]
	if of == nil {
		of = sha256.New
	}
	before, after, _ := strings.Cut(s.named(automation.SettingSigned, vapiSigned), "{body}")
	stamped := strings.NewReplacer("{timestamp}", s.stamp)
	code := mac(of, secret, []byte(stamped.Replace(before)), body, []byte(stamped.Replace(after)))
	spelled := hex.EncodeToString(code)
	if s.settings[automation.SettingEncoding] == "base64" {
		spelled = base64.StdEncoding.EncodeToString(code)
	}
	return []string{s.settings[automation.SettingPrefix] + spelled}
}

func writeVapi(r *http.Request, s seal, signature string) {
	r.Header.Set(vapiTimestamp, s.stamp)
	r.Header.Set(vapiSignature, signature)
}
