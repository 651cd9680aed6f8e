package ingest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercall/automation"
	"aftercall/conversation"
)

// samples are a finished call as each platform posts it, or an event of one.
var samples = map[string]string{
	"native": nativeBody, "itellico": itellicoCall, "elevenlabs": elevenLabsCall, "vapi": vapiCall,
	"retell": retellCall, "bland": blandCall, "synthflow": synthflowSample,
	"twilio": twilioCall, "kazoo": kazooForm,
	"dialpad": dialpadEvent, "aircall": aircallEvent, "ringcentral": ringCentralEvent,
}

// arrivedAt is when the bodies of these tests arrive.
var arrivedAt = time.Date(2026, 3, 2, 9, 33, 0, 0, time.UTC)

// decodeBody parses and decodes as the handler does, and gives faults as "pointer message".
func decodeBody(t *testing.T, kind, body string, src *automation.Source) (decoded, []string) {
	t.Helper()
	platform, ok := adapters[kind]
	if !ok {
		t.Fatalf("no adapter %s", kind)
	}
	if src == nil {
		src = &automation.Source{ID: "s", Type: kind}
	}
	m := lenient
	if kind == "native" {
		m = strict
	}
	doc, faults := parseEither(body, m)
	var d decoded
	if len(faults) == 0 {
		d, faults = platform.decode(doc, src, arrivedAt)
	}
	var lines []string
	for _, f := range faults {
		lines = append(lines, f.Pointer+" "+f.Message)
	}
	return d, lines
}

// shape is what a call is, on one line.
func shape(t *testing.T, kind, body string) string {
	t.Helper()
	d, faults := decodeBody(t, kind, body, nil)
	if len(faults) > 0 || d.conversation == nil {
		t.Fatalf("decoded %+v, faults %v", d, faults)
	}
	c := d.conversation
	return fmt.Sprintf("%s %s %s %s %s %s %d %s", c.Agent.ID, c.Channel, c.Direction, c.Status, c.FromNumber, c.ToNumber, len(c.Turns), c.Duration())
}

// decodes reads a body in which nothing is wrong.
func decodes(t *testing.T, kind, body string, src *automation.Source) decoded {
	t.Helper()
	d, faults := decodeBody(t, kind, body, src)
	if len(faults) > 0 {
		t.Fatalf("faults %v", faults)
	}
	return d
}

func isCall(t *testing.T, want *conversation.Conversation, got decoded) {
	t.Helper()
	if diff := cmp.Diff(want, got.conversation); diff != "" {
		t.Errorf("conversation (-want +got):\n%s", diff)
	}
}

// shapesAre holds the calls of a platform against their shapes, each named for what is special about it.
func shapesAre(t *testing.T, kind string, tests map[string]struct{ body, want string }) {
	t.Helper()
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := shape(t, kind, tt.body); got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

// parseEither reads JSON or a form: the handler goes by the media type.
func parseEither(body string, m mode) (map[string]any, []conversation.Fault) {
	if strings.HasPrefix(strings.TrimSpace(body), "{") {
		return parse([]byte(body), m)
	}
	return parseForm([]byte(body))
}

const nativeBody = `{"id":"call-1","agent":{"id":"reception","name":"Reception"},"channel":"phone","direction":"inbound",
 "status":"completed","started_at":"2026-03-02T10:30:00+01:00","ended_at":"2026-03-02T09:32:00Z","timezone":"Europe/Berlin",
 "from_number":"+447700900123","to_number":"+442079460000","customer":{"name":"Pat","email":"pat@example.com","number":null,"crm_record_id":"C-7"},
 "summary":"Wants a call.","url":"https://calls.example/1","queue":"front","note":"VIP",
 "turns":[{"role":"agent","text":"Hello"},{"role":"customer","text":"Call me back","at_ms":2500}],"metadata":{"tier":2}}`

func TestNative(t *testing.T) {
	t.Parallel()
	d := decodes(t, "native", nativeBody, nil)
	want := &conversation.Conversation{
		ExternalID: "call-1", Agent: conversation.Agent{ID: "reception", Name: "Reception"}, Channel: "phone", Direction: "inbound",
		Status: "completed", StartedAt: time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC), EndedAt: time.Date(2026, 3, 2, 9, 32, 0, 0, time.UTC),
		Timezone: "Europe/Berlin", FromNumber: "+447700900123", ToNumber: "+442079460000",
		Customer: conversation.Customer{Name: "Pat", Email: "pat@example.com", CRMRecordID: "C-7"},
		Summary:  "Wants a call.", URL: "https://calls.example/1", Queue: "front", Note: "VIP",
		Turns:    []conversation.Turn{{Role: "agent", Text: "Hello"}, {Role: "customer", Text: "Call me back", AtMS: 2500}},
		Metadata: map[string]any{"tier": int64(2)},
	}
	isCall(t, want, d)
	if d.identity != "call-1/conversation" {
		t.Errorf("identity %q", d.identity)
	}
}

func TestNativeNamesEveryFault(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body string
		want []string // beginnings of "pointer message"
	}{
		"an empty object": {`{}`, []string{"/id is required", "/agent/id is required", "/channel is required", "/status is required",
			"/started_at is required", "/ended_at is required"}},
		"typing errors": {strings.Replace(strings.Replace(nativeBody, `"customer"`, `"custommer"`, 1), `"at_ms"`, `"atMs"`, 1),
			[]string{"/custommer is not known; did you mean customer?", "/turns/1/atMs is not known; did you mean at_ms?"}},
		"nothing like it": {`{"wholly_other":1,` + nativeBody[1:], []string{"/wholly_other is not known"}},
		"wrong types": {`{"id":7,"agent":"reception","channel":["phone"],"status":true,"started_at":1772443800,"ended_at":"yesterday",
			"turns":{"0":"x"},"metadata":[],"customer":"Pat"}`,
			[]string{"/agent is not an object", "/customer is not an object", "/id is not a text", "/channel is not a text", "/status is not a text",
				"/started_at is not an RFC 3339", "/ended_at is not an RFC 3339", "/turns is not a list", "/metadata is not an object", "/agent/id is required"}},
		"a turn that is none": {strings.Replace(nativeBody, `{"role":"agent","text":"Hello"}`, `"Hello"`, 1), []string{"/turns/0 is not an object"}},
		"a time in a string":  {strings.Replace(nativeBody, `2500`, `"2500"`, 1), []string{"/turns/1/at_ms is not a whole number"}},
		"half a millisecond":  {strings.Replace(nativeBody, `2500`, `0.5`, 1), []string{"/turns/1/at_ms is not a whole number"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, got := decodeBody(t, "native", tt.body, nil)
			if !slices.EqualFunc(got, tt.want, strings.HasPrefix) {
				t.Errorf("faults\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

const itellicoCall = `{"event_id":"e-1","event_type":"conversation.ended","created":"2026-03-02T09:32:01.123456Z","organization_uuid":"o","organization_name":"Acme",
 "data":{"conversation_uuid":"c-1","agent_uuid":"a-1","agent_name":"Reception","channel":"phone","status":"transferred","started_at":"2026-03-02T09:30:00.5Z",
 "ended_at":"2026-03-02T09:32:00Z","duration_seconds":119.5,"from_number":"+447700900123","to_number":"+442079460000","ip_address":null,"direction":"inbound",
 "metadata":{"tier":"gold"},"answer_status":"human","messages":[
 {"role":"agent","message":"Hello","timestamp":"2026-03-02T09:30:01.500000Z"},
 {"role":"user","message":"Call me back","timestamp":"2026-03-02T09:30:04.500000"},
 {"role":"tool","name":"lookup","message":null,"result":{"ok":true},"timestamp":"2026-03-02T09:30:05Z"},
 {"role":"event","message":"muted","timestamp":"2026-03-02T09:30:06Z"},{"role":"user","message":"  "}],"events":[]}}`

func TestItellico(t *testing.T) {
	t.Parallel()
	d := decodes(t, "itellico", itellicoCall, &automation.Source{Settings: map[string]string{"url": "https://app.example/c/{id}"}})
	want := &conversation.Conversation{
		ExternalID: "c-1", Agent: conversation.Agent{ID: "a-1", Name: "Reception"}, Channel: "phone", Direction: "inbound", Status: "transferred",
		StartedAt: time.Date(2026, 3, 2, 9, 30, 0, 5e8, time.UTC), EndedAt: time.Date(2026, 3, 2, 9, 32, 0, 0, time.UTC),
		FromNumber: "+447700900123", ToNumber: "+442079460000", URL: "https://app.example/c/c-1", Ranks: conversation.Ranks{"rest": 1},
		Turns: []conversation.Turn{{Role: "agent", Text: "Hello", AtMS: 1000}, {Role: "customer", Text: "Call me back", AtMS: 4000},
			{Role: "tool", Text: `lookup  {"ok":true}`, AtMS: 4500}},
		Metadata: map[string]any{"tier": "gold", "answer_status": "human"},
	}
	isCall(t, want, d)
	if d.identity != "e-1" || d.partial || !d.awaits {
		t.Errorf("decoded %+v", d)
	}
}

func TestItellicoEvents(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body   string
		events []string
		want   string // identity, ignored, partial, awaits, has a conversation
		faults []string
	}{
		"started is ignored":      {`{"event_id":"e","event_type":"conversation.started","data":{"conversation_uuid":"c"}}`, nil, "e true false false false", nil},
		"started, asked for":      {`{"event_id":"e","event_type":"conversation.started","data":{"conversation_uuid":"c"}}`, []string{"conversation.started"}, "e false false false false", nil},
		"something new":           {`{"event_id":"e","event_type":"campaign.paused"}`, nil, "e true false false false", nil},
		"no event id":             {strings.Replace(itellicoCall, `"event_id":"e-1",`, "", 1), nil, "c-1/conversation.ended false false true true", nil},
		"a whole analysis":        {strings.Replace(itellicoCall, "conversation.ended", "conversation.analysis.completed", 1), nil, "e-1 false false false true", nil},
		"an analysis on its own":  {`{"event_id":"e","event_type":"conversation.analysis.completed","data":{"conversation_uuid":"c","summary":"S"}}`, nil, "e false true false true", nil},
		"no type":                 {`{"data":{}}`, nil, "", []string{"/event_type is required"}},
		"no call":                 {`{"event_id":"e","event_type":"conversation.ended","data":{}}`, nil, "", []string{"/data/conversation_uuid is required"}},
		"a status nobody knows":   {strings.Replace(itellicoCall, `"transferred"`, `"evaporated"`, 1), nil, "", []string{"/data/status is not one of"}},
		"ended without its times": {`{"event_id":"e","event_type":"conversation.ended","data":{"conversation_uuid":"c","agent_uuid":"a","channel":"web","status":"failed"}}`, nil, "", []string{"/data/started_at is required", "/data/ended_at is required"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, faults := decodeBody(t, "itellico", tt.body, &automation.Source{Events: tt.events})
			if !slices.EqualFunc(faults, tt.faults, strings.HasPrefix) {
				t.Fatalf("faults %v, want %v", faults, tt.faults)
			}
			if len(tt.faults) > 0 {
				return
			}
			if got := fmt.Sprint(d.identity, " ", d.ignored, " ", d.partial, " ", d.awaits, " ", d.conversation != nil); got != tt.want {
				t.Errorf("decoded %s, want %s", got, tt.want)
			}
		})
	}
}

const elevenLabsCall = `{"type":"post_call_transcription","event_timestamp":"1772443925","data":{"agent_id":"agent_1","conversation_id":"conv_1","status":"done",
 "user_id":null,"transcript":[
 {"role":"agent","message":"Hello","tool_calls":null,"tool_results":null,"time_in_call_secs":0},
 {"role":"user","message":"Move my visit","time_in_call_secs":5},
 {"role":"agent","message":null,"tool_calls":[{"tool_name":"move","params_as_json":"{\"d\":1}"}],"tool_results":[],"time_in_call_secs":11},
 {"role":"agent","message":null,"tool_calls":[],"tool_results":[{"tool_name":"move","result_value":"ok","is_error":false}],"time_in_call_secs":12},
 {"role":"agent","message":"Done. Any...","interrupted":true,"original_message":"Done. Anything else?","time_in_call_secs":13}],
 "metadata":{"start_time_unix_secs":1772443800,"call_duration_secs":21,"termination_reason":"","new_thing":{},
 "phone_call":{"direction":"inbound","agent_number":"+442079460000","external_number":"+447700900123"}},
 "analysis":{"call_successful":"success","transcript_summary":"Moved.","data_collection_results":{"slot":{"value":"10:30"},"urgent":{"value":null}}},
 "conversation_initiation_client_data":{"dynamic_variables":{"system__caller_id":"x","customer_tier":"gold","customer_email":"eve@evil.example","system__timezone":"Europe/London"}}}}`

func TestElevenLabs(t *testing.T) {
	t.Parallel()
	d := decodes(t, "elevenlabs", elevenLabsCall, nil)
	start := time.Unix(1772443800, 0).UTC()
	want := &conversation.Conversation{
		ExternalID: "conv_1", Agent: conversation.Agent{ID: "agent_1"}, Channel: "phone", Direction: "inbound", Status: "completed",
		StartedAt: start, EndedAt: start.Add(21 * time.Second), Timezone: "Europe/London", FromNumber: "+447700900123", ToNumber: "+442079460000", Summary: "Moved.",
		Turns: []conversation.Turn{{Role: "agent", Text: "Hello"}, {Role: "customer", Text: "Move my visit", AtMS: 5000},
			{Role: "tool", Text: `move {"d":1}`, AtMS: 11000}, {Role: "tool", Text: "move ok", AtMS: 12000}, {Role: "agent", Text: "Done. Any...", AtMS: 13000}},
		Metadata: map[string]any{"customer_tier": "gold", "customer_email": "eve@evil.example", "call_successful": "success", "data_collection": map[string]any{"slot": "10:30"}},
	}
	isCall(t, want, d)
	if d.identity != "conv_1/post_call_transcription" || d.awaits {
		t.Errorf("decoded %+v", d)
	}
}

func TestElevenLabsShapes(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body string
		want string // channel direction status from to turns
	}{
		"outbound": {strings.Replace(elevenLabsCall, `"direction":"inbound"`, `"direction":"outbound"`, 1), "phone outbound completed +442079460000 +447700900123 5"},
		"failed, nothing else": {`{"type":"post_call_transcription","event_timestamp":1772443925,"data":{"agent_id":"a","conversation_id":"c","status":"failed","transcript":[],"metadata":null,"analysis":null}}`,
			"web  failed   0"},
		"no transcript at all": {`{"type":"post_call_transcription","event_timestamp":1772443925,"data":{"agent_id":"a","conversation_id":"c","status":"done","metadata":{"text_only":true,"start_time_unix_secs":1772443800}}}`,
			"chat  completed   0"},
		"never began, by a carrier": {`{"type":"call_initiation_failure","event_timestamp":1772443925,"data":{"agent_id":"a","conversation_id":"c","failure_reason":"no-answer","metadata":{"type":"twilio","body":{"From":"+442079460000","To":"+447700900123"}}}}`,
			"phone outbound failed +442079460000 +447700900123 0"},
		"never began, by SIP": {`{"type":"call_initiation_failure","event_timestamp":1772443925,"data":{"agent_id":"a","conversation_id":"c","failure_reason":"busy","metadata":{"type":"sip","body":{"from_number":"+442079460000","to_number":"+447700900123"}}}}`,
			"phone outbound failed +442079460000 +447700900123 0"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, faults := decodeBody(t, "elevenlabs", tt.body, nil)
			if len(faults) > 0 {
				t.Fatalf("faults %v", faults)
			}
			c := d.conversation
			got := fmt.Sprintf("%s %s %s %s %s %d", c.Channel, c.Direction, c.Status, c.FromNumber, c.ToNumber, len(c.Turns))
			if got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

// What a visitor of a web page can set must not become an address that is written to.
func TestElevenLabsContactOnlyWhereTheSourceSaysSo(t *testing.T) {
	t.Parallel()
	d, _ := decodeBody(t, "elevenlabs", elevenLabsCall, nil)
	if d.conversation.Customer != (conversation.Customer{}) {
		t.Errorf("customer %+v without the setting", d.conversation.Customer)
	}
	d, _ = decodeBody(t, "elevenlabs", elevenLabsCall, &automation.Source{Settings: map[string]string{"contact_variables": "true"}})
	if d.conversation.Customer.Email != "eve@evil.example" {
		t.Errorf("customer %+v with the setting", d.conversation.Customer)
	}
}

func TestElevenLabsIgnoresWhatIsNoConversation(t *testing.T) {
	t.Parallel()
	d, faults := decodeBody(t, "elevenlabs", `{"type":"post_call_audio","event_timestamp":1,"data":{"agent_id":"a","conversation_id":"c","full_audio":"SUQz"}}`, nil)
	if len(faults) > 0 || !d.ignored || d.conversation != nil {
		t.Errorf("decoded %+v, faults %v", d, faults)
	}
}

func digestOf(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}

func TestEventEnvelope(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body     string
		identity string
		faults   []string
	}{
		"whole":               {`{"id":"e-1","type":"call.reached","conversation":"c-1","attempt":2,"data":{"point":"menu"},"at":"2026-03-02T09:30:00Z"}`, "e-1", nil},
		"no id":               {`{"type":"call.reached","conversation":"c-1","data":{"point":"menu"},"at":"2026-03-02T10:30:00+01:00"}`, "c-1/call.reached/menu/2026-03-02T09:30:00Z", nil},
		"a first attempt":     {`{"type":"order.late","conversation":"c-1","attempt":1,"at":"2026-03-02T09:30:00Z"}`, "c-1/order.late//2026-03-02T09:30:00Z", nil},
		"a second attempt":    {`{"type":"order.late","conversation":"c-1","attempt":2,"at":"2026-03-02T09:30:00Z"}`, "c-1/order.late//2026-03-02T09:30:00Z/2", nil},
		"the least":           {`{"type":"spike","at":"2026-03-02T09:30:00Z"}`, "/spike//2026-03-02T09:30:00Z/" + digestOf(`{"type":"spike","at":"2026-03-02T09:30:00Z"}`), nil},
		"a point of nobody's": {`{"type":"call.reached","data":{"point":"menu"},"at":"2026-03-02T09:30:00Z"}`, "/call.reached/menu/2026-03-02T09:30:00Z/" + digestOf(`{"type":"call.reached","data":{"point":"menu"},"at":"2026-03-02T09:30:00Z"}`), nil},
		"a long point":        {`{"type":"call.reached","data":{"point":"` + strings.Repeat("x", 201) + `"},"at":"2026-03-02T09:30:00Z"}`, "", []string{"/data/point is longer than 200 bytes"}},
		"nothing":             {`{}`, "", []string{"/type is required", "/at is required"}},
		"all wrong": {`{"typ":"x","type":"a b","at":"noon","attempt":0,"data":[],"conversation":9}`, "",
			[]string{"/typ is not known; did you mean type?", "/at is not an RFC 3339", "/type is not 1 to 100", "/conversation is not a text", "/attempt is not a whole number from 1", "/data is not an object"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc, _ := parse([]byte(tt.body), strict)
			e, faults := decodeEvent(doc, []byte(tt.body))
			var got []string
			for _, f := range faults {
				got = append(got, f.Pointer+" "+f.Message)
			}
			if !slices.EqualFunc(got, tt.faults, strings.HasPrefix) {
				t.Errorf("faults %v, want %v", got, tt.faults)
			}
			if len(tt.faults) == 0 && e.identity != tt.identity {
				t.Errorf("identity %q, want %q", e.identity, tt.identity)
			}
		})
	}
}

// Whatever a platform posts, decoding ends, and what it calls a conversation can be decided.
func FuzzDecode(f *testing.F) {
	for _, s := range samples {
		f.Add([]byte(s))
	}
	for _, s := range []string{`{"type":"call_initiation_failure","data":[]}`, `{"event_type":"conversation.ended","data":null}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for kind, platform := range adapters {
			for _, m := range []mode{strict, lenient} {
				doc, faults := parseEither(string(body), m)
				if len(faults) > 0 {
					continue
				}
				d, faults := platform.decode(doc, &automation.Source{}, arrivedAt)
				if len(faults) > 0 || d.conversation == nil || d.partial {
					continue
				}
				if again := d.conversation.Check(); len(again) > 0 {
					t.Fatalf("%s: taken with faults %v", kind, again)
				}
				if d.identity == "" {
					t.Fatalf("%s: taken without an identity", kind)
				}
			}
		}
	})
}
