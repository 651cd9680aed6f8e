package ingest

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"aftercall/automation"
	"aftercall/conversation"
)

const retellCall = `{"event":"call_analyzed","call":{"call_type":"phone_call","call_id":"Jabr9","agent_id":"ag-1","agent_name":"Mia","agent_version":3,
 "call_status":"ended","from_number":"+447700900123","to_number":"+442079460000","direction":"inbound","metadata":{"ticket":7},
 "retell_llm_dynamic_variables":{"customer_name":"Pat","plan":"gold"},"collected_dynamic_variables":{"day":"Tuesday"},
 "start_timestamp":1772443800250,"end_timestamp":1772443920500,"duration_ms":120250,"disconnection_reason":"agent_hangup",
 "transcript":"Agent: Hello\nUser: Move my visit\n","transcript_object":[{"role":"agent","content":"Hello","words":[]}],
 "transcript_with_tool_calls":[{"role":"agent","content":"Hello","words":[{"word":"Hello","start":0.7,"end":1.3}]},
 {"role":"user","content":"Move my visit","words":[{"word":"Move","start":3.1,"end":3.4},{"word":"my","start":3.4,"end":3.7}]},
 {"role":"tool_call_invocation","tool_call_id":"t1","name":"move","arguments":"{\"to\":\"Tuesday\"}"},
 {"role":"tool_call_result","tool_call_id":"t1","content":"ok"},{"role":"dtmf","digit":"1"},{"role":"agent","content":"  ","words":null}],
 "recording_url":"https://recordings.example/1.wav","call_cost":{"combined_cost":70},
 "call_analysis":{"call_summary":"Moved to Tuesday.","in_voicemail":false,"user_sentiment":"Positive","call_successful":true,"custom_analysis_data":{"urgent":false}}}}`

func TestRetell(t *testing.T) {
	t.Parallel()
	d := decodes(t, "retell", retellCall, &automation.Source{Settings: map[string]string{"contact_variables": "true"}})
	want := &conversation.Conversation{
		ExternalID: "Jabr9", Agent: conversation.Agent{ID: "ag-1", Name: "Mia"}, Channel: "phone", Direction: "inbound", Status: "completed",
		StartedAt: time.Date(2026, 3, 2, 9, 30, 0, 25e7, time.UTC), EndedAt: time.Date(2026, 3, 2, 9, 32, 0, 5e8, time.UTC),
		FromNumber: "+447700900123", ToNumber: "+442079460000", Customer: conversation.Customer{Name: "Pat"}, Summary: "Moved to Tuesday.",
		Turns: []conversation.Turn{{Role: "agent", Text: "Hello", AtMS: 700}, {Role: "customer", Text: "Move my visit", AtMS: 3100},
			{Role: "tool", Text: `move {"to":"Tuesday"}`, AtMS: 3100}, {Role: "tool", Text: "ok", AtMS: 3100}},
		Metadata: map[string]any{"ticket": int64(7), "customer_name": "Pat", "plan": "gold", "collected": map[string]any{"day": "Tuesday"},
			"disconnection_reason": "agent_hangup", "agent_version": int64(3), "call_successful": true, "user_sentiment": "Positive",
			"in_voicemail": false, "analysis": map[string]any{"urgent": false}},
	}
	isCall(t, want, d)
	if d.identity != "Jabr9/call_analyzed" || d.awaits {
		t.Errorf("decoded %+v", d)
	}
}

func TestRetellShapes(t *testing.T) {
	t.Parallel()
	shapesAre(t, "retell", map[string]struct{ body, want string }{
		"ended, and said to be registered": {strings.NewReplacer("call_analyzed", "call_ended", `"call_status":"ended"`, `"call_status":"registered"`).Replace(retellCall),
			"ag-1 phone inbound completed +447700900123 +442079460000 4 2m0.25s"},
		"outbound": {strings.Replace(retellCall, `"inbound"`, `"outbound"`, 1), "ag-1 phone outbound completed +447700900123 +442079460000 4 2m0.25s"},
		"nobody answered": {`{"event":"call_ended","call":{"call_id":"c","agent_id":"a","direction":"outbound","from_number":"+442079460000","to_number":"+447700900123",
			"call_status":"not_connected","disconnection_reason":"dial_no_answer","duration_ms":0,"transcript":"","transcript_object":[]}}`, "a phone outbound failed +442079460000 +447700900123 0 0s"},
		"handed on": {strings.Replace(retellCall, "agent_hangup", "call_transfer", 1), "ag-1 phone inbound transferred +447700900123 +442079460000 4 2m0.25s"},
		"the web, words in one text": {`{"event_type":"call_ended","call":{"call_type":"web_call","call_id":"c","start_timestamp":1772443800000,"duration_ms":1500,
			"disconnection_reason":"user_hangup","transcript":"Agent: Hi\nUser: Bye"}}`, "retell web  completed   2 1.5s"},
		"nothing is stored": {`{"event":"call_ended","call":{"call_id":"c","agent_id":"a","start_timestamp":1772443800000,"end_timestamp":1772443801000,"disconnection_reason":"error_llm_websocket_open"}}`,
			"a web  failed   0 1s"},
	})
}

func TestRetellEvents(t *testing.T) {
	t.Parallel()
	ended, _ := decodeBody(t, "retell", strings.Replace(retellCall, "call_analyzed", "call_ended", 1), nil)
	if ended.identity != "Jabr9/call_ended" || !ended.awaits {
		t.Errorf("ended: %+v", ended)
	}
	started, faults := decodeBody(t, "retell", `{"event":"call_started","call":{"call_id":"c"}}`, nil)
	if !started.ignored || started.conversation != nil || len(faults) > 0 {
		t.Errorf("started: %+v, %v", started, faults)
	}
	if d, _ := decodeBody(t, "retell", `{"event":"call_started","call":{"call_id":"c"}}`, &automation.Source{Events: []string{"call_started"}}); d.ignored || d.about != "c" {
		t.Errorf("started, asked for: %+v", d)
	}
	for body, want := range map[string]string{`{"call":{}}`: "/event is required", `{"event":"call_ended","call":[]}`: "/call/call_id is required"} {
		if _, faults := decodeBody(t, "retell", body, nil); strings.Join(faults, ", ") != want {
			t.Errorf("%s: %v, want %s", body, faults, want)
		}
	}
}

// The code was computed with openssl, over {"event":"call_ended"}1795262400000.
func TestRetellSignatures(t *testing.T) {
	t.Parallel()
	const body, code = `{"event":"call_ended"}`, "f82e1c1c6e8c139b34f75608e4892467a5aa253159beb2484255f67f2711f95c"
	now := signedAt
	for name, tt := range map[string]struct {
		header string
		now    time.Time
		want   bool
	}{
		"right":                 {"v=1795262400000,d=" + code, now, true},
		"five minutes old":      {"v=1795262400000,d=" + code, now.Add(5 * time.Minute), true},
		"a millisecond older":   {"v=1795262400000,d=" + code, now.Add(5*time.Minute + time.Millisecond), false},
		"a millisecond earlier": {"v=1795262400000,d=" + code, now.Add(-5*time.Minute - time.Millisecond), false},
		"the other way round":   {"d=" + code + ",v=1795262400000", now, false},
		"in capitals":           {"v=1795262400000,d=" + strings.ToUpper(code), now, false},
		"more behind it":        {"v=1795262400000,d=" + code + ",x=1", now, false},
		"more before it":        {"xv=1795262400000,d=" + code, now, false},
		"cut short":             {"v=1795262400000,d=" + code[1:], now, false},
		"no code":               {"v=1795262400000", now, false},
		"a time without end":    {"v=999999999999999999999999,d=" + code, now, false},
		"a time before all":     {"v=-1795262400000,d=" + code, now, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := http.Header{retellSignature: {tt.header}}
			if got := verifies(schemes[schemeRetell], []string{"plain secret"}, h, nil, body, tt.now); got != tt.want {
				t.Errorf("verified: %t, want %t", got, tt.want)
			}
		})
	}
}
