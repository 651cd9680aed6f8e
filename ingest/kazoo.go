package ingest

import (
	"slices"
	"strings"
	"time"

	"aftercall/automation"
	"aftercall/conversation"
)

// kazoo posts what happens on its switch (github.com/2600hz/kazoo, applications/webhooks), as a form unless the hook says JSON.
// It signs nothing, so the address holds the secret. Events of a channel come once for each leg, channel_destroy at its end; voicemail_new
// has what was said to the mailbox. Times are seconds since the year 0, lengths seconds or, of voicemail, milliseconds.
type kazoo struct{}

const (
	kazooEnded     = "channel_destroy"
	kazooVoicemail = "voicemail_new"
	kazooMissed    = "missed_call"
	kazooLeg       = "leg" // under which a source may ask for the legs that make no call
)

func (kazoo) scheme() string { return "kazoo" }

func (kazoo) decode(doc map[string]any, src *automation.Source, arrived time.Time) (decoded, []conversation.Fault) {
	f := readFields(doc, lenient)
	call := f.line("call_id")
	d := decoded{kind: first(f.line("hook_event"), f.line("event_name"), "event"), about: call}
	d.identity = identityOf(call, d.kind)
	_, ends := map[string]bool{kazooEnded: true, kazooVoicemail: true, kazooMissed: true}[d.kind]
	switch {
	case strings.HasPrefix(d.kind, "channel_") && kazooSecond(f):
		d.about, d.ignored, d.second = first(f.line("other_leg_call_id"), call), !asked(src, kazooLeg), true
		return d, nil
	case !ends:
		d.ignored, d.begun = !asked(src, d.kind), func() *conversation.Conversation { return kazooGoesOn(f, call, arrived) }
		return d, nil
	case call == "":
		f.fault("call_id", "is required")
		return d, *f.faults
	}
	switch d.kind {
	case kazooEnded:
		d.conversation, d.awaits = kazooCall(f, call, arrived), true
	case kazooVoicemail:
		d.conversation = kazooMessage(f, call, arrived)
	default:
		d.conversation = kazooNobody(f, call, arrived)
	}
	d.conversation.Metadata = kazooMetadata(f)
	ranked(d.conversation, kazooRanks(d.kind), arrived)
	return d, d.conversation.Check()
}

// kazooRanks: the end of a call knows its times, numbers and direction, a mailbox only its own. That nobody took the call only
// missed_call knows, for a menu or an announcement that answered is billed, too.
func kazooRanks(kind string) conversation.Ranks {
	switch kind {
	case kazooEnded:
		return conversation.Ranks{conversation.Rest: 2}
	case kazooMissed:
		return conversation.Ranks{conversation.Rest: 1, "status": 3}
	}
	return conversation.Ranks{}
}

// kazooSecond reports whether a leg belongs to a call that has another one, which is the call: those within the switch, and
// those by which the switch reaches whom a first leg wants.
func kazooSecond(f fields) bool {
	return truth(f.of["is_internal_leg"]) || f.str("call_direction") == "outbound" && f.line("other_leg_call_id") != ""
}

// kazooCall is the first leg of a call at its end. The switch sees a call by one of its own phones come in, too: what a
// device or a user was let in for goes out of the house.
func kazooCall(f fields, id string, arrived time.Time) *conversation.Conversation {
	c := kazooBegun(f, id)
	c.Status = conversation.Completed
	called := first(sipUser(f.line("request")), sipUser(f.line("to")), f.line("callee_id_number"))
	ownPhone := holds(f.str("authorizing_type"), "device", "user")
	if f.str("call_direction") == "outbound" || ownPhone {
		numbers(c, conversation.Outbound, called, f.line("caller_id_number"))
		c.Customer = conversation.Customer{}
	} else {
		numbers(c, conversation.Inbound, f.line("caller_id_number"), called)
	}
	c.Agent.ID = first(f.line("owner_id"), f.line("authorizing_id"), c.ToNumber, f.line("account_id"), "kazoo")
	switch cause := f.str("hangup_cause"); {
	case holds(cause, "TRANSFER"):
		c.Status = conversation.Transferred
	case lasting(f.of["billing_seconds"], time.Second) == 0:
		c.Status = conversation.Failed // nobody took it
	}
	c.StartedAt, c.EndedAt = span(time.Time{}, gregorian(f.of["timestamp"]), lasting(f.of["duration_seconds"], time.Second), arrived)
	return c
}

// kazooGoesOn is a call that has not ended.
func kazooGoesOn(f fields, id string, arrived time.Time) *conversation.Conversation {
	c := kazooCall(f, id, arrived)
	c.Metadata = kazooMetadata(f)
	return c
}

// kazooMessage is a call that a mailbox took.
func kazooMessage(f fields, id string, arrived time.Time) *conversation.Conversation {
	c := kazooBegun(f, id)
	c.Status = conversation.Completed
	numbers(c, conversation.Inbound, f.line("caller_id_number"), f.line("to_user"))
	c.Agent.ID = first(f.line("owner_id"), f.line("to_user"), f.line("voicemail_box"), "kazoo")
	c.Turns = said(c.Turns, conversation.RoleCustomer, f.str("voicemail_transcription"), 0)
	c.StartedAt, c.EndedAt = span(gregorian(f.of["voicemail_timestamp"]), time.Time{}, lasting(f.of["voicemail_length"], time.Millisecond), arrived)
	return c
}

// kazooNobody is a call that nobody took. It rang all the while.
func kazooNobody(f fields, id string, arrived time.Time) *conversation.Conversation {
	c, notify := kazooBegun(f, id), f.object("notify")
	c.Status = conversation.Failed
	numbers(c, conversation.Inbound, f.line("caller_id_number"), f.line("to_user"))
	c.Agent.ID = first(f.line("owner_id"), f.line("to_user"), "kazoo")
	end := gregorian(f.of["timestamp"])
	if end.IsZero() {
		end = gregorian(notify.of["timestamp"])
	}
	c.StartedAt, c.EndedAt = span(time.Time{}, end, lasting(notify.of["duration_seconds"], time.Second), arrived)
	return c
}

func kazooBegun(f fields, id string) *conversation.Conversation {
	c := &conversation.Conversation{ExternalID: id, Turns: []conversation.Turn{}}
	if name := f.line("caller_id_name"); strings.Trim(name, "+0123456789 ") != "" {
		c.Customer.Name = name
	}
	return c
}

// kazooMetadata keeps all of it under its own names, a hook's custom_data among them, which Kazoo merges over the event; not
// what the switch said to itself.
func kazooMetadata(f fields) map[string]any {
	n := notes{}
	n.all(f.object("custom_application_vars"))
	for _, name := range f.names() {
		switch name {
		case "call_id", "timestamp", "notify", "voicemail_transcription", "custom_application_vars", "custom_channel_vars":
		default:
			n.put(name, f.of[name])
		}
	}
	// callflow_id is among them; missed_call has those of its call's end.
	ended := f.object("notify")
	for _, vars := range []fields{f.object("custom_channel_vars"), ended.object("custom_channel_vars"), ended.object("custom_application_vars")} {
		n.all(vars)
	}
	return n
}

// sinceYear0 is what Kazoo's seconds count before Unix's begin.
const sinceYear0 = 62_167_219_200

// gregorian is a time in seconds since the year 0, as a number or a text.
func gregorian(v any) time.Time {
	n, _ := number(v)
	return seconds(n - sinceYear0)
}

// truth reads a value that a form has as a text.
func truth(v any) bool { return v == true || v == "true" }

// sipUser is the user of an address such as sip:+15551234@realm:5060.
func sipUser(address string) string {
	user, _, _ := strings.Cut(strings.TrimPrefix(address, "sip:"), "@")
	user, _, _ = strings.Cut(user, ":")
	return user
}

// kazooNotification is the type of event as which the data object of a callflow's notification is taken, as Kazoo's own schema
// has it.
const kazooNotification = "kazoo.notification"

// The two times at which Kazoo sends a notification, under send_at.
const (
	kazooAtOnce   = "callflow_exec"
	kazooAtTheEnd = "channel_destroy"
)

// kazooNow checks a notification's data and reports whether it is to go out at once. Where it does not say when, the schema's default
// is put there, so that a gate finds it.
func kazooNow(data fields) bool {
	if checkNotification(data); data.of != nil && data.of["send_at"] == nil {
		data.of["send_at"] = kazooAtTheEnd
	}
	return data.of["send_at"] == kazooAtOnce
}

// checkNotification names what Kazoo's schema would. What the schema takes and Kazoo sends nothing for (no template, no
// recipient) is no fault: it is an event that no automation waits for.
func checkNotification(data fields) {
	list, ok := data.of["recipients"].([]any)
	if !ok {
		data.fault("recipients", "is required: a list of {id, type}")
	}
	for i := range list {
		r := fields{at: data.at + conversation.Pointer("recipients", i), mode: data.mode, faults: data.faults}
		if r.of, ok = list[i].(map[string]any); !ok || len(texts(r.of["id"])) == 0 {
			r.fault("id", "is required: an address or a user's id, or a list of these")
		}
		if kind := r.of["type"]; kind != "user" && kind != "email" {
			r.fault("type", "is not one of user, email")
		}
	}
	if at := data.of["send_at"]; at != nil && at != kazooAtOnce && at != kazooAtTheEnd {
		data.fault("send_at", "is not one of callflow_exec, channel_destroy")
	}
	media := texts(data.of["notification_media"])
	if v := data.of["notification_media"]; v != nil && len(media) == 0 && !empty(v) || slices.ContainsFunc(media, func(s string) bool { return s != "email" && s != "sms" }) {
		data.fault("notification_media", "is not a list of email, sms")
	}
	for _, name := range []string{"template_id", "comments"} {
		data.str(name)
	}
}

// texts are the texts of a list, or one text; nil where anything else is among them.
func texts(v any) (out []string) {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	for _, one := range list {
		s, ok := one.(string)
		if !ok || s == "" {
			return nil
		}
		out = append(out, s)
	}
	return out
}
