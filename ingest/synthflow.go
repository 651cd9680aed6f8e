package ingest

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"time"

	"aftercall/automation"
	"aftercall/conversation"
)

// synthflow posts a call once it is over (docs.synthflow.ai, webhook): the transcript is one text, which may stop in the
// middle of a word, and nothing says who called whom.
type synthflow struct{}

func (synthflow) scheme() string { return schemeSynthflow }

func (synthflow) decode(doc map[string]any, src *automation.Source, arrived time.Time) (decoded, []conversation.Fault) {
	f := readFields(doc, lenient)
	call, id := f.object("call"), synthflowCall(doc)
	status := first(call.str("status"), f.str("status"))
	d := decoded{kind: "call." + status, identity: identityOf(id, status), about: id}
	switch {
	case status == "" && call.of == nil:
		d.kind, d.ignored = "event", !asked(src, "event")
		return d, nil
	case id == "":
		call.fault("call_id", "is required")
		return d, *f.faults
	case slices.Contains([]string{"pending", "queue", "ringing", "in-progress", "paused", "registered"}, status):
		d.ignored = !asked(src, d.kind)
		return d, nil
	}
	d.conversation = synthflowConversation(f, id, src, arrived)
	return d, under("/call", d.conversation.Check())
}

// synthflowCall is the call's id, under the name in the documentation or as some have seen it.
func synthflowCall(doc map[string]any) string {
	f := readFields(doc, lenient)
	call := f.object("call")
	return first(call.line("call_id"), call.line("Call_id"), f.line("call_id"))
}

func synthflowConversation(f fields, id string, src *automation.Source, arrived time.Time) *conversation.Conversation {
	call, lead := f.object("call"), f.object("lead")
	c := &conversation.Conversation{
		ExternalID: id, Agent: conversation.Agent{ID: first(call.line("model_id"), "synthflow"), Name: call.line("agent_name")},
		Channel: conversation.ChannelPhone, Timezone: zone(call.line("timezone")),
		Status:   synthflowStatus(first(call.str("status"), f.str("status")), call.str("end_call_reason")),
		Customer: contact(conversation.Customer{Name: lead.line("name"), Number: lead.line("phone_number")}, lead.object("prompt_variables"), src),
		Turns: dialogue(call.str("transcript"), map[string]conversation.Role{
			"bot": conversation.RoleAgent, "human": conversation.RoleCustomer}),
		Metadata: synthflowMetadata(f, call, lead),
	}
	c.StartedAt, c.EndedAt = span(call.time("start_time"), time.Time{}, lasting(call.of["duration"], time.Second), arrived)
	return c
}

// synthflowStatus: a call that nobody took may have a status of its own or, completed, a mailbox as the reason of its end. The
// message beside it is no error where it names that reason.
func synthflowStatus(status, reason string) conversation.Status {
	if status != "completed" || holds(reason, "voicemail") {
		return conversation.Failed
	}
	return conversation.Completed
}

// synthflowMetadata keeps what was collected by name, whichever agent collected it. What the analysis calls call_summary is
// a verdict and no summary.
func synthflowMetadata(f, call, lead fields) map[string]any {
	n, collected, extracted := notes{}, notes{}, notes{}
	n.all(lead.object("prompt_variables"))
	agents := f.object("collected_variables")
	for _, agent := range agents.names() {
		variables := agents.object(agent)
		for _, name := range variables.names() {
			collected.put(name, variables.object(name).of["value"])
		}
	}
	actions := f.object("executed_actions")
	for _, name := range actions.names() {
		extracted.all(actions.object(name).object("return_value"))
	}
	n.some(call, "end_call_reason", "external_id", "status")
	n.put("collected", map[string]any(collected))
	n.put("extracted", map[string]any(extracted))
	n.some(f, "analysis")
	return n
}

// Synthflow signs the call's id and nothing else, so its signature says nothing about the rest of the body and fits any
// other with this id: a secret address (signature: path) proves more. Its documentation has the header's name as a CGI program would see it.
const (
	schemeSynthflow    = "synthflow"
	synthflowSignature = "Synthflow-Signature"
)

func openSynthflow(e envelope) (s seal, why string) {
	for _, name := range []string{synthflowSignature, "Http-Synthflow-Signature", "X-Synthflow-Signature"} {
		if signature := e.header.Get(e.named(automation.SettingSignatureHeader, name)); signature != "" {
			return seal{timeless: true, signatures: []string{strings.TrimSpace(signature)}}, ""
		}
	}
	return seal{}, noSignature
}

func signSynthflow(secret string, _ seal, body []byte) []string {
	doc, _ := parse(body, lenient)
	id := synthflowCall(doc)
	if id == "" {
		return nil
	}
	return []string{base64.StdEncoding.EncodeToString(mac(sha256.New, secret, []byte(id)))}
}

func writeSynthflow(r *http.Request, _ seal, signature string) {
	r.Header.Set(synthflowSignature, signature)
}
