package ingest

import (
	"testing"

	"aftercall/automation"
)

// beside are events that make no call, of every platform that has such, each about the call "c".
var beside = map[string]string{
	"itellico":    `{"event_id":"e","event_type":"conversation.started","data":{"conversation_uuid":"c"}}`,
	"elevenlabs":  `{"type":"post_call_audio","event_timestamp":1772443925,"data":{"agent_id":"a","conversation_id":"c","full_audio":"SUQz"}}`,
	"vapi":        `{"message":{"type":"status-update","call":{"id":"c"},"status":"ringing"}}`,
	"retell":      `{"event":"call_started","call":{"call_id":"c"}}`,
	"bland":       `{"call_id":"c","category":"tool","message":"calling"}`,
	"synthflow":   `{"status":"ringing","call":{"call_id":"c"}}`,
	"twilio":      "CallSid=c&CallStatus=ringing",
	"kazoo":       "hook_event=channel_answer&call_id=c",
	"dialpad":     `{"call_id":"c","state":"hangup"}`,
	"aircall":     `{"event":"call.ended","data":{"call_uuid":"c"}}`,
	"ringcentral": `{"body":{"telephonySessionId":"c","parties":[{"status":{"code":"Disconnected"}}]}}`,
}

// TestEventsSayWhichCallTheyAreAbout: whoever erases the call erases what was stored of it, and what is decided is shown with it.
func TestEventsSayWhichCallTheyAreAbout(t *testing.T) {
	t.Parallel()
	for kind := range adapters {
		body, has := beside[kind]
		if !has && kind != "native" { // whose events are posted to /v1/events
			t.Errorf("%s: no event beside its calls is tried", kind)
		}
		if !has {
			continue
		}
		d := decodes(t, kind, body, nil)
		if !d.ignored || d.conversation != nil || d.about != "c" {
			t.Errorf("%s: %+v, want it ignored and about c", kind, d)
		}
		doc, _ := parseEither(body, lenient)
		if d = decodes(t, kind, body, &automation.Source{Events: []string{d.kind}}); d.ignored || d.about != "c" {
			t.Errorf("%s, asked for: %+v", kind, d)
		}
		if c := d.event(doc, arrivedAt); c.Event.Call != "c" || c.Status != "" || len(c.Check()) > 0 {
			t.Errorf("%s, waited for: %+v, %v", kind, c, c.Check())
		}
	}
}
