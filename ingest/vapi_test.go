package ingest

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"aftercall/automation"
	"aftercall/conversation"
)

const vapiCall = `{"message":{"timestamp":1772443932071,"type":"end-of-call-report","analysis":{"summary":"Wants to move a visit.","successEvaluation":"true",
 "structuredData":{"visit":"Tuesday"}},"artifact":{"messages":[
 {"role":"system","message":"You are Nora. Never say no.","time":1772443800000,"secondsFromStart":0},
 {"role":"bot","message":"Harbor Dental, how can I help?","time":1772443801100,"endTime":1772443803000,"secondsFromStart":1.1,"duration":1900,"source":""},
 {"role":"user","message":"Move my visit to Tuesday.","time":1772443804000.25,"endTime":1772443806000,"secondsFromStart":4.000001,"duration":1219.998046875},
 {"role":"tool_calls","message":"","time":1772443806400,"secondsFromStart":6.4,"toolCalls":[{"id":"t1","type":"function","function":{"name":"move","arguments":"{\"to\":\"Tuesday\"}"}}]},
 {"role":"tool_call_result","name":"move","result":"{\"ok\":true}","toolCallId":"t1","time":1772443807000,"secondsFromStart":7},
 {"role":"bot","message":"Done. Goodbye.","time":1772443808000,"secondsFromStart":8.0,"duration":900}],
 "messagesOpenAIFormatted":[{"role":"system","content":"You are Nora."}],"transcript":"AI: Harbor Dental\nUser: Move\n",
 "presignedMonoUrl":"https://storage.example/a.wav?X-Amz-Signature=aa","variableValues":{"plan":"gold","customer_email":"pat@example.com"},
 "structuredOutputs":{"0a1b":{"name":"visit_day","result":"Tuesday"}}},
 "startedAt":"2026-03-02T09:30:00.250Z","endedAt":"2026-03-02T09:32:00.500Z","endedReason":"customer-ended-call","cost":0.61,"durationMs":120250,"durationSeconds":120.25,
 "call":{"id":"d2bc7c02","orgId":"o","createdAt":"2026-03-02T09:29:58.335Z","type":"inboundPhoneCall","status":"ringing","assistantId":"a-1","metadata":{"ticket":7},
 "customer":{"number":"+447700900123","sipUri":"sip:x"}},"phoneNumber":{"id":"p-1","number":"+442079460000","name":"Studio"},
 "customer":{"number":"+447700900123","name":"Pat"},"assistant":{"id":"a-1","name":"Nora","model":{"messages":[{"role":"system","content":"secret prompt"}]}}}}`

func TestVapi(t *testing.T) {
	t.Parallel()
	d := decodes(t, "vapi", vapiCall, nil)
	want := &conversation.Conversation{
		ExternalID: "d2bc7c02", Agent: conversation.Agent{ID: "a-1", Name: "Nora"}, Channel: "phone", Direction: "inbound", Status: "completed",
		StartedAt: time.Date(2026, 3, 2, 9, 30, 0, 25e7, time.UTC), EndedAt: time.Date(2026, 3, 2, 9, 32, 0, 5e8, time.UTC),
		FromNumber: "+447700900123", ToNumber: "+442079460000", Customer: conversation.Customer{Name: "Pat"}, Summary: "Wants to move a visit.",
		Turns: []conversation.Turn{{Role: "agent", Text: "Harbor Dental, how can I help?", AtMS: 1100},
			{Role: "customer", Text: "Move my visit to Tuesday.", AtMS: 4000}, {Role: "tool", Text: `move {"to":"Tuesday"}`, AtMS: 6400},
			{Role: "tool", Text: `move {"ok":true}`, AtMS: 7000}, {Role: "agent", Text: "Done. Goodbye.", AtMS: 8000}},
		Metadata: map[string]any{"ticket": int64(7), "plan": "gold", "customer_email": "pat@example.com", "ended_reason": "customer-ended-call",
			"success_evaluation": "true", "structured_data": map[string]any{"visit": "Tuesday"}, "structured_outputs": map[string]any{"visit_day": "Tuesday"}},
	}
	isCall(t, want, d)
	if d.identity != "d2bc7c02/end-of-call-report" || d.awaits || d.partial {
		t.Errorf("decoded %+v", d)
	}
}

func TestVapiShapes(t *testing.T) {
	t.Parallel()
	web := `{"message":{"type":"end-of-call-report","endedReason":"assistant-ended-call","call":{"id":"c","type":"webCall"},` +
		`"transcript":"AI: Hello.\nUser: Is it\non its way?\nAI: Yes.\n","startedAt":"2026-03-02T09:30:00Z","durationMinutes":1}}`
	shapesAre(t, "vapi", map[string]struct{ body, want string }{
		"outbound": {strings.Replace(vapiCall, "inboundPhoneCall", "outboundPhoneCall", 1), "a-1 phone outbound completed +442079460000 +447700900123 5 2m0.25s"},
		"nobody answered, nothing is told": {`{"message":{"type":"end-of-call-report","endedReason":"customer-did-not-answer","endedAt":"2026-03-02T09:15:31Z",
			"call":{"id":"c","type":"outboundPhoneCall","assistantId":"a","createdAt":"2026-03-02T09:15:00Z"},"customer":{"number":"+447700900123"},"analysis":null}}`,
			"a phone outbound failed  +447700900123 0 31s"},
		"the web, a transcript in one text": {web, "vapi web  completed   3 0s"},
		"times in numbers":                  {`{"message":{"type":"end-of-call-report","timestamp":1772443932071,"durationMs":"1500.5","call":{"id":"c"}}}`, "vapi web  completed   0 1.5005s"},
		"handed on":                         {strings.Replace(vapiCall, "customer-ended-call", "assistant-forwarded-call", 1), "a-1 phone inbound transferred +447700900123 +442079460000 5 2m0.25s"},
		"a fault of the pipeline":           {strings.Replace(vapiCall, "customer-ended-call", "pipeline-error-openai-llm-failed", 1), "a-1 phone inbound failed +447700900123 +442079460000 5 2m0.25s"},
		"a reason nobody has published":     {strings.Replace(vapiCall, "customer-ended-call", "hangup", 1), "a-1 phone inbound completed +447700900123 +442079460000 5 2m0.25s"},
		"silence":                           {strings.Replace(vapiCall, "customer-ended-call", "silence-timed-out", 1), "a-1 phone inbound completed +447700900123 +442079460000 5 2m0.25s"},
	})
}

func TestVapiEvents(t *testing.T) {
	t.Parallel()
	asks, cipher := &automation.Source{Events: []string{"status-update"}}, strings.Repeat("kF+9", 30)
	for name, tt := range map[string]struct {
		body    string
		src     *automation.Source
		ignored bool
		fault   string
	}{
		"another event":            {`{"message":{"type":"status-update","call":{},"status":"ended"}}`, nil, true, ""},
		"another event, asked for": {`{"message":{"type":"status-update","call":{"id":"c"},"status":"ended"}}`, asks, false, ""},
		"a report of no call":      {`{"message":{"type":"end-of-call-report","call":{}}}`, nil, false, "/message/call/id is required"},
		"no type":                  {`{"message":[]}`, nil, false, "/message/type is required"},
		"all of it encrypted":      {`{"message":"` + cipher + `"}`, nil, false, "/message " + vapiEncrypted},
		"its call encrypted":       {`{"message":{"type":"end-of-call-report","call":"` + cipher + `"}}`, nil, false, "/message/call " + vapiEncrypted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, faults := decodeBody(t, "vapi", tt.body, tt.src)
			if got := strings.Join(faults, ", "); got != tt.fault || d.ignored != tt.ignored || d.conversation != nil {
				t.Errorf("decoded %+v, faults %q, want %q", d, got, tt.fault)
			}
		})
	}
}

// TestVapiStatuses: each status of a call is an event of its own, and tells which it is, whatever the call's variables are called.
func TestVapiStatuses(t *testing.T) {
	t.Parallel()
	identities := map[string]bool{}
	for _, status := range []string{"queued", "ringing", "in-progress", "in-progress"} {
		body := `{"message":{"type":"status-update","status":"` + status + `","call":{"id":"c","metadata":{"status":"gold"}}}}`
		d := decodes(t, "vapi", body, nil)
		doc, _ := parseEither(body, lenient)
		identities[d.identity] = true
		if c := d.event(doc, arrivedAt); d.kind != "status-update" || c.Metadata["status"] != status {
			t.Errorf("%s: %+v, %v", status, d, c.Metadata)
		}
	}
	if len(identities) != 3 {
		t.Errorf("identities %v, want three", identities)
	}
}

// TestVapiEncryptedWords: a call whose words cannot be read is refused, and says what to do; one that shows them elsewhere is not.
func TestVapiEncryptedWords(t *testing.T) {
	t.Parallel()
	cipher := `"` + strings.Repeat("kF+9", 30) + `"`
	for name, tt := range map[string]struct{ rest, fault string }{
		"the artifact":             {`"artifact":` + cipher, "/message/artifact"},
		"its messages":             {`"artifact":{"messages":` + cipher + `}`, "/message/artifact/messages"},
		"the messages":             {`"messages":` + cipher, "/message/messages"},
		"a transcript":             {`"artifact":{"transcript":` + cipher + `}`, "/message/artifact/transcript"},
		"the artifact, not all":    {`"artifact":` + cipher + `,"transcript":"AI: Hello.\nUser: Hi.\n"`, ""},
		"nothing, and nobody came": {`"artifact":{"messages":[],"transcript":""},"transcript":""`, ""},
		"nothing, one line":        {`"transcript":"AI: Donaudampfschifffahrtsgesellschaftskapitaen"`, ""},
	} {
		d, faults := decodeBody(t, "vapi", `{"message":{"type":"end-of-call-report","timestamp":1772443932071,"call":{"id":"c"},`+tt.rest+`}}`, nil)
		if tt.fault != "" {
			tt.fault += " " + vapiEncrypted
		}
		if got := strings.Join(faults, ", "); got != tt.fault || d.ignored {
			t.Errorf("%s: faults %q, want %q", name, got, tt.fault)
		}
	}
}

// The expected values were computed with openssl, over {"message":{"type":"end-of-call-report"}}.
func TestVapiSignsAsTheCredentialSays(t *testing.T) {
	t.Parallel()
	const body = `{"message":{"type":"end-of-call-report"}}`
	asSet := map[string]string{"algorithm": "sha512", "encoding": "base64", "signed": "{body}", "signature_prefix": "sha512=", "signature_header": "X-Vapi-Sig"}
	const right = "sha512=vXrxFKexChl44e3UqUEbAAIYhUhVqb1KxmDEfKTC9SoK93KUVuj247UcI3IuJntTB1vzchWvSXqWEIFQ+Lktow=="
	tests := map[string]struct {
		scheme   string
		settings map[string]string
		header   http.Header
		want     bool
	}{
		"usual":                       {schemeVapi, nil, http.Header{"X-Timestamp": {"1795262400"}, "X-Signature": {"cdd41dd897b82b37d61c26a26073a5647e357c0cc8e54ab960c69c94769c9328"}}, true},
		"usual, without its time":     {schemeVapi, nil, http.Header{"X-Signature": {"cdd41dd897b82b37d61c26a26073a5647e357c0cc8e54ab960c69c94769c9328"}}, false},
		"usual, another second":       {schemeVapi, nil, http.Header{"X-Timestamp": {"1795262401"}, "X-Signature": {"cdd41dd897b82b37d61c26a26073a5647e357c0cc8e54ab960c69c94769c9328"}}, false},
		"as set":                      {schemeVapi, asSet, http.Header{"X-Vapi-Sig": {right}}, true},
		"as set, in the usual header": {schemeVapi, asSet, http.Header{"X-Signature": {right}}, false},
		"as set, without the prefix":  {schemeVapi, asSet, http.Header{"X-Vapi-Sig": {strings.TrimPrefix(right, "sha512=")}}, false},
		"a token":                     {schemeToken, nil, http.Header{"Authorization": {"Bearer plain secret"}}, true},
		"another token":               {schemeToken, nil, http.Header{"Authorization": {"Bearer plain secrets"}}, false},
		"no bearer":                   {schemeToken, nil, http.Header{"Authorization": {"plain secret"}}, false},
		"an empty token":              {schemeToken, nil, http.Header{"Authorization": {"Bearer "}}, false},
		"a token in its old place":    {schemeToken, map[string]string{"signature_header": "X-Vapi-Secret"}, http.Header{"X-Vapi-Secret": {"plain secret"}}, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := verifies(schemes[tt.scheme], []string{"plain secret"}, tt.header, tt.settings, body, signedAt); got != tt.want {
				t.Errorf("verified: %t, want %t", got, tt.want)
			}
		})
	}
}
