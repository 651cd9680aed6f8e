package ingest

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercall/automation"
	"aftercall/conversation"
)

const kazooForm = "account_id=91eb&authorizing_id=r-1&authorizing_type=resource&billing_seconds=66&call_direction=inbound&call_forwarded=false" +
	"&call_id=NDlk&callee_id_name=Front+desk&callee_id_number=%2B442079460000&caller_id_name=Pat&caller_id_number=%2B447700900123&&" +
	"&custom_application_vars[lead][id]=42&custom_application_vars[lead][tags][]=new&custom_application_vars[lead][tags][]=vip" +
	"&duration_seconds=72&from=%2B447700900123%40sip.example&hangup_cause=NORMAL_CLEARING&hangup_code=sip%3A200&hook_event=channel_destroy" +
	"&is_internal_leg=false&other_leg_call_id=af1e&request=%2B442079460000%40sip.example%3A5060&ringing_seconds=6&timestamp=63939663120" +
	"&to=%2B442079460000%40sip.example&cluster_id=7bd0&tenant=acme"

const kazooMailbox = `{"account_id":"91eb","call_id":"NDlk","caller_id_name":"15553456789","caller_id_number":"+447700900123","event_category":"notification",
 "event_name":"voicemail_new","to_realm":"sip.example","to_user":"1000","voicemail_box":"837f","voicemail_id":"202603-6e","voicemail_length":4580,
 "voicemail_timestamp":63939663100,"voicemail_transcription":"Please call me back."}`

const kazooUnanswered = `{"account_id":"91eb","call_bridged":false,"call_id":"NDlk","caller_id_name":"Pat","caller_id_number":"+447700900123","event_name":"missed_call",
 "message_left":false,"notify":{"billing_seconds":7,"duration_seconds":10,"local_sdp":"v=0\r\n","timestamp":63939663120},"to":["desk@acme.example"],"to_user":"1000"}`

func TestKazooForm(t *testing.T) {
	t.Parallel()
	d := decodes(t, "kazoo", kazooForm, nil)
	end := time.Date(2026, 3, 2, 9, 32, 0, 0, time.UTC)
	want := &conversation.Conversation{
		ExternalID: "NDlk", Agent: conversation.Agent{ID: "r-1"}, Channel: "phone", Direction: "inbound", Status: "completed",
		StartedAt: end.Add(-72 * time.Second), EndedAt: end, FromNumber: "+447700900123", ToNumber: "+442079460000",
		Customer: conversation.Customer{Name: "Pat"}, Turns: []conversation.Turn{}, Metadata: d.conversation.Metadata, Ranks: conversation.Ranks{"rest": 2},
	}
	isCall(t, want, d)
	m := d.conversation.Metadata
	if diff := cmp.Diff(map[string]any{"id": "42", "tags": []any{"new", "vip"}}, m["lead"]); diff != "" || m["tenant"] != "acme" || m["hangup_cause"] != "NORMAL_CLEARING" || m["timestamp"] != nil {
		t.Errorf("metadata %v", m)
	}
	if d.identity != "NDlk/channel_destroy" || !d.awaits {
		t.Errorf("decoded %+v", d)
	}
}

func TestKazooShapes(t *testing.T) {
	t.Parallel()
	shapesAre(t, "kazoo", map[string]struct{ body, want string }{
		"JSON, times as text": {`{"hook_event":"channel_destroy","call_id":"c","call_direction":"inbound","billing_seconds":6,"duration_seconds":6,"timestamp":"63939663120","owner_id":"u-1",
			"caller_id_number":"+447700900123","to":"+442079460000@sip.example","is_internal_leg":false,"custom_channel_vars":{}}`, "u-1 phone inbound completed +447700900123 +442079460000 0 6s"},
		"by one of our phones":    {strings.Replace(kazooForm, "authorizing_type=resource", "authorizing_type=device", 1), "r-1 phone outbound completed +447700900123 +442079460000 0 1m12s"},
		"dialled by the switch":   {strings.NewReplacer("call_direction=inbound", "call_direction=outbound", "other_leg_call_id=af1e", "").Replace(kazooForm), "r-1 phone outbound completed +447700900123 +442079460000 0 1m12s"},
		"given up while it rang":  {strings.NewReplacer("billing_seconds=66", "billing_seconds=0", "NORMAL_CLEARING", "ORIGINATOR_CANCEL").Replace(kazooForm), "r-1 phone inbound failed +447700900123 +442079460000 0 1m12s"},
		"handed on":               {strings.Replace(kazooForm, "NORMAL_CLEARING", "BLIND_TRANSFER", 1), "r-1 phone inbound transferred +447700900123 +442079460000 0 1m12s"},
		"a message, milliseconds": {kazooMailbox, "1000 phone inbound completed +447700900123 1000 1 4.58s"},
		"nobody took it":          {kazooUnanswered, "1000 phone inbound failed +447700900123 1000 0 10s"},
		"nothing but its id":      {"hook_event=channel_destroy&call_id=c", "kazoo phone inbound failed   0 0s"},
	})
}

// TestKazooFields: each field of the payload with which Kazoo notifies is a call's own, or stands where a template finds it.
func TestKazooFields(t *testing.T) {
	t.Parallel()
	const body = `{"event_category":"notification","event_name":"missed_call","account_id":"91eb","call_id":"NDlk","call_bridged":false,"message_left":false,
		"caller_id_name":"Pat","caller_id_number":"+447700900123","comments":"Look in the CRM","from_realm":"a.sip.example","from_user":"+447700900123","to_realm":"b.sip.example",
		"to_user":"1000","notification_media":["email","sms"],"template_id":"vip","timestamp":63939663120,"to":["desk@acme.example"],"custom_channel_vars":{"bridge_id":"above"},
		"notify":{"custom_channel_vars":{"callflow_id":"flow-1","bridge_id":"below"},"custom_application_vars":{"plan":"gold"},"local_sdp":"v=0"}}`
	d, faults := decodeBody(t, "kazoo", body, nil)
	if len(faults) > 0 || d.conversation == nil {
		t.Fatalf("%+v, %v", d, faults)
	}
	c, m := d.conversation, d.conversation.Metadata
	if c.ExternalID != "NDlk" || c.Customer.Name != "Pat" || c.FromNumber != "+447700900123" || c.ToNumber != "1000" || !c.EndedAt.Equal(time.Date(2026, 3, 2, 9, 32, 0, 0, time.UTC)) {
		t.Errorf("the call is %+v", c)
	}
	for field, want := range map[string]any{"account_id": "91eb", "call_bridged": false, "message_left": false, "comments": "Look in the CRM", "from_realm": "a.sip.example", "to_realm": "b.sip.example",
		"notification_media": []any{"email", "sms"}, "template_id": "vip", "callflow_id": "flow-1", "bridge_id": "above", "plan": "gold", "local_sdp": nil} {
		if diff := cmp.Diff(want, m[field]); diff != "" {
			t.Errorf("metadata.%s (-want +got):\n%s", field, diff)
		}
	}
}

// A call and the message left on it are one conversation, whichever is told first.
func TestKazooCallAndItsMessage(t *testing.T) {
	t.Parallel()
	ended, _ := decodeBody(t, "kazoo", kazooForm, nil)
	left, _ := decodeBody(t, "kazoo", kazooMailbox, nil)
	if ended.identity == left.identity || ended.conversation.ExternalID != left.conversation.ExternalID {
		t.Fatalf("%s and %s", ended.identity, left.identity)
	}
	one, _ := conversation.Merge(ended.conversation, left.conversation)
	other, _ := conversation.Merge(left.conversation, ended.conversation)
	if len(one.Turns) != 1 || len(other.Turns) != 1 || other.Customer.Name != "Pat" || one.Metadata["voicemail_id"] == nil || left.conversation.Customer.Name != "" {
		t.Errorf("%+v and %+v", one, other)
	}
}

func TestKazooEvents(t *testing.T) {
	t.Parallel()
	second := strings.NewReplacer("call_direction=inbound", "call_direction=outbound", "call_id=NDlk", "call_id=af1e", "other_leg_call_id=af1e", "other_leg_call_id=NDlk").Replace(kazooForm)
	for name, tt := range map[string]struct{ body, ask, about string }{
		"an answer":         {"hook_event=channel_answer&call_id=c", "channel_answer", "c"},
		"the second leg":    {second, "leg", "NDlk"},
		"an inner leg":      {strings.Replace(kazooForm, "is_internal_leg=false", "is_internal_leg=true", 1), "leg", "af1e"},
		"its answer":        {"hook_event=channel_answer&call_direction=outbound&call_id=af1e&other_leg_call_id=NDlk", "leg", "NDlk"},
		"an inner answer":   {"hook_event=channel_answer&call_direction=inbound&call_id=af1e&is_internal_leg=true", "leg", "af1e"},
		"a message saved":   {`{"event_name":"voicemail_saved","call_id":"c"}`, "voicemail_saved", "c"},
		"a parked call":     {`{"event_name":"PARK_PARKED","call_id":"c","caller_id_Number":"+1"}`, "PARK_PARKED", "c"},
		"a hook switched":   {`{"event_name":"webhook_disabled","hook_id":"h"}`, "webhook_disabled", ""},
		"nothing at all":    {"", "event", ""},
		"who knows what it": {`{"resource":"call","event":"call.ended"}`, "event", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if d, faults := decodeBody(t, "kazoo", tt.body, nil); !d.ignored || d.conversation != nil || d.about != tt.about || len(faults) > 0 {
				t.Errorf("%+v, %v", d, faults)
			}
			if d, _ := decodeBody(t, "kazoo", tt.body, &automation.Source{Events: []string{tt.ask}}); d.ignored || d.identity == "" {
				t.Errorf("asked for: %+v", d)
			}
		})
	}
	if _, faults := decodeBody(t, "kazoo", "hook_event=channel_destroy", nil); strings.Join(faults, ", ") != "/call_id is required" {
		t.Errorf("no call: %v", faults)
	}
}

func TestKazooNotification(t *testing.T) {
	t.Parallel()
	event := func(data string) string {
		return `{"type":"kazoo.notification","conversation":"c-1","at":"2026-03-02T09:30:00Z","data":` + data + `}`
	}
	for data, want := range map[string]string{
		`{"recipients":[]}`: "",
		`{"recipients":[{"id":"desk@acme.example","type":"email"},{"id":["u-1","u-2"],"type":"user"}],"send_at":"callflow_exec","template_id":"vip","comments":"Hi","notification_media":["email","sms"]}`: "",
		`{}`: "/data/recipients is required: a list of {id, type}",
		`{"recipients":[{"id":7,"type":"group"},"x",{"id":[],"type":"email"}]}`: "/data/recipients/0/id is required: an address or a user's id, or a list of these, /data/recipients/0/type is not one of user, email, " +
			"/data/recipients/1/id is required: an address or a user's id, or a list of these, /data/recipients/1/type is not one of user, email, /data/recipients/2/id is required: an address or a user's id, or a list of these",
		`{"recipients":[],"send_at":"later","notification_media":["fax"],"template_id":7}`: "/data/send_at is not one of callflow_exec, channel_destroy, /data/notification_media is not a list of email, sms, /data/template_id is not a text",
	} {
		doc, _ := parse([]byte(event(data)), strict)
		e, faults := decodeEvent(doc, []byte(event(data)))
		var got []string
		for _, f := range faults {
			got = append(got, f.Pointer+" "+f.Message)
		}
		if strings.Join(got, ", ") != want || e.kind != kazooNotification {
			t.Errorf("%s:\n%v, want\n%s", data, got, want)
		}
	}
	one, _ := parse([]byte(event(`{"recipients":[],"template_id":"a"}`)), strict)
	other, _ := parse([]byte(event(`{"recipients":[],"template_id":"b"}`)), strict)
	a, _ := decodeEvent(one, nil)
	b, _ := decodeEvent(other, nil)
	if a.identity == b.identity {
		t.Errorf("two notifications of one call share %s", a.identity)
	}
}
