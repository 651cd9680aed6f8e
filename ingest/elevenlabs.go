package ingest

import (
	"encoding/json"
	"strings"
	"time"

	"aftercall/automation"
	"aftercall/conversation"
)

// elevenLabs posts post_call_transcription, call_initiation_failure and post_call_audio (ElevenLabs docs, "Webhooks").
// Its own examples break its own schema, so nothing is relied upon but the conversation's id. Only 200 counts for it, and
// ten failures in a row switch the webhook off.
type elevenLabs struct{}

func (elevenLabs) scheme() string { return schemeElevenLabs }

func (elevenLabs) leavesOut() string { return "full_audio" }

func (elevenLabs) decode(doc map[string]any, src *automation.Source, _ time.Time) (decoded, []conversation.Fault) {
	f := readFields(doc, lenient)
	data := f.object("data")
	call := data.line("conversation_id")
	d := decoded{kind: f.str("type"), identity: identityOf(call, f.str("type"))}
	if d.kind == "" {
		f.fault("type", "is required")
		return d, *f.faults
	}
	posted, _ := number(f.of["event_timestamp"])
	switch d.kind {
	case "post_call_transcription":
		d.conversation = transcribed(data, call, posted)
	case "call_initiation_failure":
		d.conversation = neverBegan(data, call, posted)
	default:
		d.ignored, d.about = !asked(src, d.kind), call
		d.begun = func() *conversation.Conversation { return elevenLabsBeside(data, call, posted) }
		return d, nil
	}
	if call == "" {
		data.fault("conversation_id", "is required")
		return d, *f.faults
	}
	if src.Settings[automation.SettingContactVariables] == "true" {
		d.conversation.Customer = contactOf(data.object("conversation_initiation_client_data").object("dynamic_variables"))
	}
	return d, under("/data", d.conversation.Check())
}

// transcribed is a call that came about.
func transcribed(data fields, call string, posted float64) *conversation.Conversation {
	meta := data.object("metadata")
	dynamic := data.object("conversation_initiation_client_data").object("dynamic_variables")
	c := &conversation.Conversation{
		ExternalID: call,
		Agent:      conversation.Agent{ID: data.line("agent_id"), Name: data.line("agent_name")},
		Status:     conversation.Completed, Channel: conversation.ChannelWeb,
		Summary:  data.object("analysis").str("transcript_summary"),
		Turns:    elevenLabsTurns(data),
		Metadata: elevenLabsMetadata(data, meta, dynamic),
	}
	if data.str("status") == "failed" {
		c.Status = conversation.Failed
	}
	start, ok := number(meta.of["start_time_unix_secs"])
	if !ok {
		start = posted
	}
	length, _ := number(meta.of["call_duration_secs"])
	c.StartedAt = seconds(start)
	c.EndedAt = c.StartedAt.Add(time.Duration(max(length, 0) * float64(time.Second)))
	if zone := dynamic.line("system__timezone"); zone != "" && zone != "Local" {
		if _, err := time.LoadLocation(zone); err == nil {
			c.Timezone = zone
		}
	}
	elevenLabsParties(c, meta, dynamic)
	return c
}

// elevenLabsBeside is what another event tells of its call: of audio, whose agent took it.
func elevenLabsBeside(data fields, call string, posted float64) *conversation.Conversation {
	c := transcribed(data, call, posted)
	if data.object("metadata").of == nil {
		c.Channel = "" // which is told there
	}
	return c
}

// elevenLabsParties fills channel, direction and numbers: a call without phone_call came from the web.
func elevenLabsParties(c *conversation.Conversation, meta, dynamic fields) {
	phone := meta.object("phone_call")
	caller, called := dynamic.line("system__caller_id"), dynamic.line("system__called_number")
	switch {
	case phone.of != nil || caller != "":
		c.Channel, c.Direction = conversation.ChannelPhone, conversation.Inbound
	case meta.of["text_only"] == true:
		c.Channel = conversation.ChannelChat
		return
	default:
		return
	}
	customer, ours := phone.line("external_number"), phone.line("agent_number")
	if phone.str("direction") == "outbound" {
		c.Direction, c.FromNumber, c.ToNumber = conversation.Outbound, ours, customer
	} else {
		c.FromNumber, c.ToNumber = customer, ours
	}
	if c.FromNumber == "" {
		c.FromNumber = caller
	}
	if c.ToNumber == "" {
		c.ToNumber = called
	}
}

func elevenLabsTurns(data fields) []conversation.Turn {
	turns := []conversation.Turn{}
	for _, m := range data.objects("transcript") {
		after, _ := number(m.of["time_in_call_secs"])
		atMS := int64(max(after, 0) * 1000)
		if text := m.str("message"); strings.TrimSpace(text) != "" {
			turns = append(turns, conversation.Turn{Role: elevenLabsRole(m.str("role")), Text: text, AtMS: atMS})
		}
		for _, t := range m.objects("tool_calls") {
			turns = append(turns, tool(t.str("tool_name"), t.str("params_as_json"), atMS))
		}
		for _, t := range m.objects("tool_results") {
			turns = append(turns, tool(t.str("tool_name"), t.str("result_value"), atMS))
		}
	}
	return turns
}

func tool(name, text string, atMS int64) conversation.Turn {
	return conversation.Turn{Role: conversation.RoleTool, Text: clip(strings.TrimSpace(name+" "+text), maxTool), AtMS: atMS}
}

func elevenLabsRole(s string) conversation.Role {
	switch s {
	case "agent":
		return conversation.RoleAgent
	case "user":
		return conversation.RoleCustomer
	}
	return conversation.RoleSystem
}

// neverBegan is an outbound call that nobody answered: a failed conversation without turns.
func neverBegan(data fields, call string, posted float64) *conversation.Conversation {
	body := data.object("metadata").object("body")
	either := func(a, b string) string {
		if s := body.line(a); s != "" {
			return s
		}
		return body.line(b)
	}
	return &conversation.Conversation{
		ExternalID: call, Agent: conversation.Agent{ID: data.line("agent_id"), Name: data.line("agent_name")},
		Channel: conversation.ChannelPhone, Direction: conversation.Outbound, Status: conversation.Failed,
		StartedAt: seconds(posted), EndedAt: seconds(posted),
		FromNumber: either("from_number", "From"), ToNumber: either("to_number", "To"),
		Turns:    []conversation.Turn{},
		Metadata: map[string]any{"failure_reason": data.line("failure_reason")},
	}
}

// elevenLabsMetadata keeps the caller-supplied variables and what the platform's analysis found.
func elevenLabsMetadata(data, meta, dynamic fields) map[string]any {
	m := map[string]any{}
	for key, v := range dynamic.of {
		if !strings.HasPrefix(key, "system__") && v != nil {
			m[key] = plain(v)
		}
	}
	analysis := data.object("analysis")
	put := func(key, value string) {
		if _, has := m[key]; !has && value != "" {
			m[key] = value
		}
	}
	put("call_successful", analysis.line("call_successful"))
	put("termination_reason", meta.line("termination_reason"))
	put("user_id", data.line("user_id"))
	collected := map[string]any{}
	results := analysis.object("data_collection_results")
	for name := range results.of {
		if v := results.object(name).of["value"]; v != nil {
			collected[name] = plain(v)
		}
	}
	if _, has := m["data_collection"]; !has && len(collected) > 0 {
		m["data_collection"] = collected
	}
	return m
}

// contactOf reads the contact record from variables of exactly these names. Only if the source says so: a web widget
// lets its visitor set them, and what is a contact's address may be written to.
func contactOf(dynamic fields) conversation.Customer {
	return conversation.Customer{
		Name: dynamic.line("customer_name"), Email: dynamic.line("customer_email"),
		Number: dynamic.line("customer_number"), CRMRecordID: dynamic.line("crm_record_id"),
	}
}

// seconds is a Unix time; zero stays no time.
func seconds(s float64) time.Time {
	if s <= 0 || s > 1e11 {
		return time.Time{}
	}
	whole := int64(s)
	return time.Unix(whole, int64((s-float64(whole))*1e9)).UTC()
}

// compact is a value as a text: a string as it is, anything else as JSON.
func compact(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}
