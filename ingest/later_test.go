package ingest

import (
	"encoding/base64"
	"testing"

	"aftercall/automation"
)

const (
	dialpadEvent     = `{"call_id":6421000000000001,"state":"hangup","date_started":1772443800000,"duration":7300.5,"contact":{"name":"Pat"},"transcription_text":null}`
	aircallEvent     = `{"resource":"call","event":"call.ended","timestamp":1772443920,"token":"t","data":{"id":123,"call_uuid":"CAed","status":"done"}}`
	ringCentralEvent = `{"uuid":"1","event":"/restapi/v1.0/account/1/telephony/sessions","body":{"telephonySessionId":"s-1","parties":[{"status":{"code":"Disconnected"}}]}}`
)

func TestWhatComesLaterIsIgnored(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ kind, body, event, about string }{
		{"dialpad", dialpadEvent, "hangup", "6421000000000001"},
		{"aircall", aircallEvent, "call.ended", "CAed"},
		{"ringcentral", ringCentralEvent, "Disconnected", "s-1"},
		{"ringcentral", `{"body":{"type":"VoiceMail"}}`, "VoiceMail", ""},
		{"dialpad", `{}`, "event", ""},
		{"aircall", `{"data":[]}`, "event", ""},
		{"ringcentral", `{"body":{"parties":[1,{}]}}`, "event", ""},
	} {
		d, faults := decodeBody(t, tt.kind, tt.body, nil)
		if !d.ignored || d.conversation != nil || d.kind != tt.event || d.about != tt.about || len(faults) > 0 {
			t.Errorf("%s %s: %+v, %v", tt.kind, tt.body, d, faults)
		}
		if d, _ := decodeBody(t, tt.kind, tt.body, &automation.Source{Events: []string{tt.event}}); d.ignored {
			t.Errorf("%s %s: ignored, though it is asked for", tt.kind, tt.body)
		}
	}
}

func TestClaims(t *testing.T) {
	t.Parallel()
	head := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256"}`))
	inner := base64.RawURLEncoding.EncodeToString([]byte(dialpadEvent))
	for body, want := range map[string]string{
		head + "." + inner + ".c2ln":   dialpadEvent,
		head + "." + inner + ".c2ln\n": dialpadEvent,
		head + "." + inner:             head + "." + inner,
		head + ".!!." + inner:          head + ".!!." + inner,
		dialpadEvent:                   dialpadEvent,
	} {
		if got := string(claims([]byte(body))); got != want {
			t.Errorf("claims(%.20s…) = %.20s…", body, got)
		}
	}
}
