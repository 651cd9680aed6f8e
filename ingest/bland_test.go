package ingest

import (
	"strings"
	"testing"
	"time"

	"aftercall/automation"
	"aftercall/conversation"
)

const blandCall = `{"call_id":"4c150427","c_id":"4c150427","call_length":0.4,"batch_id":null,"to":"+447700900123","from":"+442079460000","completed":true,
 "created_at":"2026-03-02T09:29:55.696+00:00","inbound":false,"queue_status":"complete","max_duration":30,"error_message":null,
 "variables":{"now":"Monday","metadata":{"crm":"7"},"customer_name":"Pat","timezone":"America/Los_Angeles"},"answered_by":"human","recording_url":null,
 "metadata":{"crm":"7"},"summary":null,"price":0.036,"started_at":"2026-03-02T09:30:00.500Z","call_ended_by":"ASSISTANT","analysis":{"name":"Lowe"},
 "transferred_to":null,"pathway_tags":[],"status":"completed","pathway_id":null,
 "concatenated_transcript":"assistant: Hello. \n user: It is Lowe. \n ","transcripts":[
 {"id":1,"user":"assistant","text":"Hello. Your name?","created_at":"2026-03-02T09:30:02.500000+00:00"},
 {"id":2,"user":"user","text":"It is Lowe.","created_at":"2026-03-02T09:30:06.5+00:00"},
 {"id":3,"user":"agent-action","text":"Ended call","created_at":"2026-03-02T09:30:08.5+00:00"},
 {"id":4,"user":"robot","text":"Goodbye.","created_at":"2026-03-02T09:29:59+00:00"}],"corrected_duration":"24","end_at":null,"disposition_tag":"NO_CONTACT_MADE"}`

func TestBland(t *testing.T) {
	t.Parallel()
	d := decodes(t, "bland", blandCall, nil)
	start := time.Date(2026, 3, 2, 9, 30, 0, 5e8, time.UTC)
	want := &conversation.Conversation{
		ExternalID: "4c150427", Agent: conversation.Agent{ID: "+442079460000"}, Channel: "phone", Direction: "outbound", Status: "completed",
		StartedAt: start, EndedAt: start.Add(24 * time.Second), FromNumber: "+442079460000", ToNumber: "+447700900123",
		Turns: []conversation.Turn{{Role: "agent", Text: "Hello. Your name?", AtMS: 2000}, {Role: "customer", Text: "It is Lowe.", AtMS: 6000},
			{Role: "tool", Text: "Ended call", AtMS: 8000}, {Role: "agent", Text: "Goodbye."}},
		Metadata: map[string]any{"crm": "7", "answered_by": "human", "call_ended_by": "ASSISTANT", "disposition_tag": "NO_CONTACT_MADE", "analysis": map[string]any{"name": "Lowe"}},
	}
	isCall(t, want, d)
	if d.identity != "4c150427/call" || d.awaits {
		t.Errorf("decoded %+v", d)
	}
}

func TestBlandShapes(t *testing.T) {
	t.Parallel()
	shapesAre(t, "bland", map[string]struct{ body, want string }{
		"inbound, by a pathway":      {strings.NewReplacer(`"inbound":false`, `"inbound":true`, `"pathway_id":null`, `"pathway_id":"path-1"`).Replace(blandCall), "path-1 phone inbound completed +442079460000 +447700900123 4 24s"},
		"its end":                    {strings.Replace(blandCall, `"end_at":null`, `"end_at":"2026-03-02T09:30:30.5Z"`, 1), "+442079460000 phone outbound completed +442079460000 +447700900123 4 30s"},
		"minutes alone":              {strings.Replace(blandCall, `"corrected_duration":"24"`, `"corrected_duration":null`, 1), "+442079460000 phone outbound completed +442079460000 +447700900123 4 24s"},
		"a transcript in one text":   {`{"call_id":"c","status":"completed","created_at":"2026-03-02T09:30:00+00:00","concatenated_transcript":"assistant: Hello. \n user: It is \n Lowe. \n "}`, "bland phone outbound completed   2 0s"},
		"failed, and hardly a thing": {`{"call_id":"c","call_length":0,"to":"+447700900123","from":"+442079460000","completed":false,"queue_status":"call_error","answered_by":"no-answer","summary":null,"analysis":null,"transcripts":[],"corrected_duration":null,"end_at":null}`, "+442079460000 phone outbound failed +442079460000 +447700900123 0 0s"},
		"a mailbox":                  {strings.Replace(blandCall, `"human"`, `"voicemail"`, 1), "+442079460000 phone outbound failed +442079460000 +447700900123 4 24s"},
		"handed on":                  {strings.Replace(blandCall, `"transferred_to":null`, `"transferred_to":"+442079460001"`, 1), "+442079460000 phone outbound transferred +442079460000 +447700900123 4 24s"},
	})
}

func TestBlandEvents(t *testing.T) {
	t.Parallel()
	const during = `{"call_id":"c","category":"tool","message":"calling"}`
	if d, faults := decodeBody(t, "bland", during, nil); !d.ignored || d.kind != "tool" || len(faults) > 0 {
		t.Errorf("during the call: %+v, %v", d, faults)
	}
	if d, _ := decodeBody(t, "bland", during, &automation.Source{Events: []string{"tool"}}); d.ignored || d.about != "c" {
		t.Errorf("during the call, asked for: %+v", d)
	}
	if _, faults := decodeBody(t, "bland", `{"status":"completed"}`, nil); strings.Join(faults, ", ") != "/call_id is required" {
		t.Errorf("no call: %v", faults)
	}
	// What would keep the call out is left out or shortened.
	long := strings.Replace(blandCall, `"analysis":{"name":"Lowe"}`, `"analysis":{"text":"`+strings.Repeat("x", 20_000)+`","`+strings.Repeat("k", 300)+`":1}`, 1)
	long = strings.Replace(long, `"metadata":{"crm":"7"},"summary"`, `"metadata":{"crm":"7","list":[1`+strings.Repeat(",1", 600)+`]},"summary"`, 1)
	d, faults := decodeBody(t, "bland", long, nil)
	if len(faults) > 0 || len(d.conversation.Metadata) != 5 || len(d.conversation.Metadata["analysis"].(map[string]any)) != 1 {
		t.Errorf("a call with too much beside it: %v", faults)
	}
}
