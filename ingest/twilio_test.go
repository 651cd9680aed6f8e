package ingest

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"aftercall/automation"
	"aftercall/conversation"
	"aftercall/deliver/sms"
)

const twilioCall = "Called=%2B442079460000&ToState=&CallerCountry=GB&Direction=inbound&Timestamp=Mon%2C+02+Mar+2026+09%3A32%3A00+%2B0000" +
	"&CallbackSource=call-progress-events&SipResponseCode=200&ToZip=&SequenceNumber=3&CallSid=CA04&To=%2B442079460000&CallStatus=completed" +
	"&Duration=2&From=%2B447700900123&CallDuration=72&AccountSid=AC01&Caller=%2B447700900123&CallerName=Pat&NewThing=1&FromCity="

const twilioWords = `{"call_sid":"CA04","transcript":{"sid":"GT01","status":"completed","media_start_time":"2026-03-02T09:30:48Z","duration":72,"customer_key":null,
 "channel":{"participants":[{"channel_participant":1,"role":"Customer","full_name":"Pat","media_participant_id":"+447700900123"},
 {"channel_participant":2,"role":"Agent","user_id":"mia","full_name":"Mia","media_participant_id":"+442079460000"}]}},
 "sentences":[{"media_channel":2,"sentence_index":0,"start_time":"0.40","end_time":"2.10","transcript":"How can I help?","confidence":"0.93","words":null},
 {"media_channel":1,"sentence_index":1,"start_time":"2.60","end_time":"5.00","transcript":"Move my visit."},
 {"media_channel":1,"sentence_index":2,"start_time":null,"end_time":null,"transcript":"  "}],
 "operator_results":[{"operator_type":"text-generation","name":"Call Summary","text_generation_results":{"result":"Moved."},"extract_results":{}},
 {"operator_type":"conversation-classify","name":"Mood","predicted_label":"calm"},{"operator_type":"json","name":"Slots","json_results":{"day":"Tuesday"}}]}`

func TestTwilioStatus(t *testing.T) {
	t.Parallel()
	d := decodes(t, "twilio", twilioCall, nil)
	end := time.Date(2026, 3, 2, 9, 32, 0, 0, time.UTC)
	want := &conversation.Conversation{
		ExternalID: "CA04", Agent: conversation.Agent{ID: "+442079460000"}, Channel: "phone", Direction: "inbound", Status: "completed",
		StartedAt: end.Add(-72 * time.Second), EndedAt: end, FromNumber: "+447700900123", ToNumber: "+442079460000",
		Customer: conversation.Customer{Name: "Pat"}, Turns: []conversation.Turn{},
		Metadata: map[string]any{"call_status": "completed", "sip_response_code": "200"}, Ranks: conversation.Ranks{"rest": 1},
	}
	isCall(t, want, d)
	if d.identity != "CA04/call.completed" || !d.awaits {
		t.Errorf("decoded %+v", d)
	}
}

func TestTwilioWords(t *testing.T) {
	t.Parallel()
	d := decodes(t, "twilio", twilioWords, nil)
	start := time.Date(2026, 3, 2, 9, 30, 48, 0, time.UTC)
	want := &conversation.Conversation{
		ExternalID: "CA04", Agent: conversation.Agent{ID: "mia", Name: "Mia"}, Channel: "phone", Status: "completed", Summary: "Moved.",
		StartedAt: start, EndedAt: start.Add(72 * time.Second), FromNumber: "+447700900123", ToNumber: "+442079460000", Customer: conversation.Customer{Name: "Pat"},
		Turns:    []conversation.Turn{{Role: "agent", Text: "How can I help?", AtMS: 400}, {Role: "customer", Text: "Move my visit.", AtMS: 2600}},
		Metadata: map[string]any{"operators": map[string]any{"Call Summary": "Moved.", "Mood": "calm", "Slots": map[string]any{"day": "Tuesday"}}}, Ranks: conversation.Ranks{},
	}
	isCall(t, want, d)
	status, _ := decodeBody(t, "twilio", twilioCall, nil)
	both, _ := conversation.Merge(status.conversation, d.conversation)
	other, _ := conversation.Merge(d.conversation, status.conversation)
	if both.ExternalID != other.ExternalID || len(both.Turns) != 2 || len(other.Turns) != 2 || both.Summary != other.Summary || other.Direction != "inbound" {
		t.Errorf("in either order: %+v and %+v", both, other)
	}
}

func TestTwilioShapes(t *testing.T) {
	t.Parallel()
	shapesAre(t, "twilio", map[string]struct{ body, want string }{
		"outbound, no time": {"CallSid=CA1&CallStatus=no-answer&Direction=outbound-api&From=%2B442079460000&To=%2B447700900123&CallDuration=0", "+442079460000 phone outbound failed +442079460000 +447700900123 0 0s"},
		"a web client":      {"CallSid=CA1&CallStatus=busy&From=client%3Apat&To=", "twilio phone inbound failed client:pat  0 0s"},
		"a page of sentences": {`{"sentences":[{"media_channel":1,"start_time":null,"end_time":"3.5","transcript":"test test"},{"media_channel":3,"transcript":"who"}],
			"meta":{"url":"https://intelligence.twilio.com/v2/Transcripts/GT9/Sentences?PageSize=50"}}`, "twilio phone  completed   2 3.5s"},
		"a transcript, no words yet": {`{"transcript":{"sid":"GT1","channel":{},"media_start_time":null,"date_created":"2026-03-02T09:30:00Z","duration":0}}`, "twilio phone  completed   0 0s"},
	})
}

func TestTwilioEvents(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"CallSid=CA1&CallStatus=ringing":                                                                         "call.ringing CA1/call.ringing CA1",
		"CallSid=CA2&ParentCallSid=CA1&CallStatus=completed&Direction=outbound-dial":                             "leg.completed CA2/leg.completed CA1",
		"CallSid=CA1&RecordingSid=RE1&RecordingStatus=absent&RecordingUrl=&RecordingDuration=-1&ErrorCode=16101": "recording.absent RE1/recording.absent CA1",
		"MessageSid=SM1&MessageStatus=delivered":                                                                 "message.delivered /message.delivered ",
		`{"event_type":"voice_intelligence_transcript_available","transcript_sid":"GT1"}`:                        "voice_intelligence_transcript_available GT1/voice_intelligence_transcript_available ",
		`{"conversationId":"conv_1","operatorResults":[{"result":{}}]}`:                                          "intelligence.results conv_1/intelligence.results ",
		`{"hello":1}`: "event /event ",
	} {
		d, faults := decodeBody(t, "twilio", body, nil)
		if got := strings.Join([]string{d.kind, d.identity, d.about}, " "); !d.ignored || got != want || len(faults) > 0 || d.conversation != nil {
			t.Errorf("%s: %q %+v, %v; want %q", body, got, d, faults, want)
		}
		if d, _ := decodeBody(t, "twilio", body, &automation.Source{Events: []string{d.kind}}); d.ignored {
			t.Errorf("%s is ignored though it is asked for", body)
		}
	}
	for body, want := range map[string]string{"CallStatus=completed": "/CallSid is required", `{"transcript":{"status":"x"}}`: "/call_sid is required, or the sid of the transcript"} {
		if _, faults := decodeBody(t, "twilio", body, nil); strings.Join(faults, ", ") != want {
			t.Errorf("%s: %v, want %s", body, faults, want)
		}
	}
}

// The codes were computed with openssl.
func TestTwilioSignsTheAddress(t *testing.T) {
	t.Parallel()
	const (
		address = "https://calls.example/hooks/acme?x=1&y=%20z"
		form    = "To=%2B1+2&List=2&List=1&List=2&Empty=&From=2"
		code    = "M7ETa1Tg9mE6/f3p9go6FU+4YbE="
	)
	for name, tt := range map[string]struct {
		kind, address, body, code string
		want                      bool
	}{
		"a form":                       {formType + "; charset=UTF-8", address, form, code, true},
		"in another order":             {formType, address, "From=2&Empty=&List=1&List=2&To=%2B1%202", code, true},
		"a name more":                  {formType, address, form + "&X=", code, false},
		"a byte more":                  {formType, address, form + "1", code, false},
		"a name less":                  {formType, address, strings.Replace(form, "&Empty=", "", 1), code, false},
		"seen with a port":             {formType, "https://calls.example:8443/hooks/acme?x=1&y=%20z", form, code, true},
		"signed with the usual port":   {formType, address, form, "pti6A0cLLJOpoPGMNZUtQO/MiDE=", true},
		"signed with that port":        {formType, "https://calls.example:8443/hooks/acme?x=1&y=%20z", form, "Rm2JCdq4qVVyY07rkMLOAVowDt0=", true},
		"signed with another port":     {formType, address, form, "Rm2JCdq4qVVyY07rkMLOAVowDt0=", false},
		"another address":              {formType, "https://calls.example/hooks/other?x=1&y=%20z", form, code, false},
		"in the clear":                 {formType, "http://calls.example/hooks/acme?x=1&y=%20z", form, code, false},
		"no form":                      {formType, address, "%zz", code, false},
		"no code":                      {formType, address, form, "", false},
		"JSON":                         {"application/json", "https://calls.example/hooks/acme?bodySHA256=f9d86028c6e0d64e225186f96acb69338b2c59764df79162107f5c4bb34d1310", `{"a": 1}`, "6FHSxihUIlkS40G0e8cqb1tXGfI=", true},
		"JSON, changed":                {"application/json", "https://calls.example/hooks/acme?bodySHA256=f9d86028c6e0d64e225186f96acb69338b2c59764df79162107f5c4bb34d1310", `{"a": 2}`, "6FHSxihUIlkS40G0e8cqb1tXGfI=", false},
		"JSON, its hash not signed":    {"application/json", "https://calls.example/hooks/acme", `{"a": 1}`, "OyYmMF/uirc7oLYPgZVX9qei7RI=", false},
		"JSON, the hash of another":    {"application/json", "https://calls.example/hooks/acme?bodySHA256=00", `{"a": 1}`, "6FHSxihUIlkS40G0e8cqb1tXGfI=", false},
		"JSON, said to be a form":      {formType, "https://calls.example/hooks/acme?bodySHA256=f9d86028c6e0d64e225186f96acb69338b2c59764df79162107f5c4bb34d1310", `{"a": 1}`, "6FHSxihUIlkS40G0e8cqb1tXGfI=", false},
		"an address that is not there": {"application/json", "", `{"a": 1}`, "6FHSxihUIlkS40G0e8cqb1tXGfI=", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := envelope{header: http.Header{sms.SignatureHeader: {tt.code}, "Content-Type": {tt.kind}}, address: tt.address}
			if got := fits(schemes[schemeTwilio], []string{"secondary", "12345"}, e, tt.body, signedAt); got != tt.want {
				t.Errorf("verified: %t, want %t", got, tt.want)
			}
		})
	}
}
