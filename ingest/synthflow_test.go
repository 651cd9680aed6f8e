package ingest

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"aftercall/automation"
	"aftercall/conversation"
)

const synthflowSample = `{"status":"completed","error_message":"agent_goodbye","lead":{"name":"Pat","phone_number":"+1234334546","prompt_variables":{"crm_record_id":"C-7"}},
 "call":{"status":"completed","end_call_reason":"human_goodbye","model_id":"1711x","timezone":"Europe/Berlin","call_id":"1711646x768","duration":32,
 "start_time":"2026-03-02T10:30:00.205134+01:00","transcript":"\nbot: Hello: who is there? \nhuman: Pat.\nMove my visit.\nbot: Are you pl","external_id":"e-1"},
 "executed_actions":{"extract_info_1":{"name":"extract_info_1","return_value":{"purchase":"car"}},"sms":{"return_value":null}},
 "collected_variables":{"agent-1":{"day":{"value":"2026-03-03","collected":true},"mail":{"value":null,"collected":false}}},
 "analysis":{"call_summary":"true","call_summary_feedback":"Judge text"}}`

func TestSynthflow(t *testing.T) {
	t.Parallel()
	d := decodes(t, "synthflow", synthflowSample, nil)
	start := time.Date(2026, 3, 2, 9, 30, 0, 205134000, time.UTC)
	want := &conversation.Conversation{
		ExternalID: "1711646x768", Agent: conversation.Agent{ID: "1711x"}, Channel: "phone", Status: "completed", Timezone: "Europe/Berlin",
		StartedAt: start, EndedAt: start.Add(32 * time.Second), Customer: conversation.Customer{Name: "Pat", Number: "+1234334546"},
		Turns: []conversation.Turn{{Role: "agent", Text: "Hello: who is there?"}, {Role: "customer", Text: "Pat.\nMove my visit."}, {Role: "agent", Text: "Are you pl"}},
		Metadata: map[string]any{"crm_record_id": "C-7", "end_call_reason": "human_goodbye", "external_id": "e-1", "status": "completed",
			"collected": map[string]any{"day": "2026-03-03"}, "extracted": map[string]any{"purchase": "car"},
			"analysis": map[string]any{"call_summary": "true", "call_summary_feedback": "Judge text"}},
	}
	isCall(t, want, d)
	if d.identity != "1711646x768/completed" {
		t.Errorf("decoded %+v", d)
	}
}

func TestSynthflowEvents(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ body, want string }{
		"nobody answered":   {`{"status":"no-answer","call":{"status":"no-answer","call_id":"c","duration":0,"start_time":"2026-03-02T10:30:00+01:00","transcript":""},"analysis":{}}`, "failed 0 0s"},
		"a mailbox":         {strings.Replace(synthflowSample, "human_goodbye", "voicemail", 1), "failed 3 32s"},
		"another spelling":  {`{"status":"completed","call":{"Call_id":"c","timezone":"Local"}}`, "completed 0 0s"},
		"it rings":          {`{"status":"ringing","call":{"call_id":"c"}}`, "ignored"},
		"nothing we know":   {`{"hello":1}`, "ignored"},
		"a call of no name": {`{"status":"completed","call":{}}`, "/call/call_id is required"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, faults := decodeBody(t, "synthflow", tt.body, nil)
			got := strings.Join(faults, ", ")
			switch {
			case d.ignored:
				got = "ignored"
			case d.conversation != nil:
				got = strings.Join(strings.Fields(shape(t, "synthflow", tt.body))[2:], " ")
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	if d, _ := decodeBody(t, "synthflow", `{"status":"ringing","call":{"call_id":"c"}}`, &automation.Source{Events: []string{"call.ringing"}}); d.ignored || d.about != "c" {
		t.Errorf("asked for: %+v", d)
	}
}

// The code was computed with openssl over call-1. It covers nothing else, wherever the platform puts it.
func TestSynthflowSignsTheCallAlone(t *testing.T) {
	t.Parallel()
	const code = "MH2Y5TqtWmKJqAb+5WjVQ0bEmQzSSfxe2PCQwZwNMjk="
	for name, tt := range map[string]struct {
		header, code, body string
		settings           map[string]string
		want               bool
	}{
		"right":             {synthflowSignature, code, `{"call":{"call_id":"call-1"}}`, nil, true},
		"as a CGI has it":   {"Http-Synthflow-Signature", code, `{"call":{"call_id":"call-1"}}`, nil, true},
		"as the source has": {"X-Sig", code, `{"call":{"call_id":"call-1"}}`, map[string]string{"signature_header": "X-Sig"}, true},
		"another call":      {synthflowSignature, code, `{"call":{"call_id":"call-10"}}`, nil, false},
		"no call":           {synthflowSignature, code, `{"call":{}}`, nil, false},
		"no JSON":           {synthflowSignature, code, `call-1`, nil, false},
		"no code":           {synthflowSignature, "", `{"call":{"call_id":"call-1"}}`, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := http.Header{tt.header: {tt.code}}
			if got := verifies(schemes[schemeSynthflow], []string{"plain secret"}, h, tt.settings, tt.body, signedAt); got != tt.want {
				t.Errorf("verified: %t, want %t", got, tt.want)
			}
		})
	}
}
