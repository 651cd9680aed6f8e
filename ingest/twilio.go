package ingest

import (
	"crypto/sha256"
	"encoding/hex"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"aftercall/automation"
	"aftercall/conversation"
	"aftercall/deliver/sms"
)

// twilio posts the state of a call as a form (twilio.com/docs/voice, status callbacks). What was said is nowhere in it: of
// Conversational Intelligence it posts only that a transcript is there. Whoever fetches that may post it here, as
// {call_sid, transcript, sentences, operator_results} in the words of Twilio's own API, and both make one call
// (docs/platforms/twilio.md).
type twilio struct{}

const twilioTranscript = "transcript"

func (twilio) scheme() string { return schemeTwilio }

func (twilio) decode(doc map[string]any, src *automation.Source, arrived time.Time) (decoded, []conversation.Fault) {
	f := readFields(doc, lenient)
	if len(f.objects("sentences")) > 0 || f.object("transcript").of != nil {
		return twilioSpoken(f, arrived)
	}
	call, status := f.line("CallSid"), f.str("CallStatus")
	d := decoded{kind: twilioKind(f), about: first(f.line("ParentCallSid"), call)}
	d.identity = identityOf(first(f.line("RecordingSid"), f.line("transcript_sid"), f.line("conversationId"), call), d.kind)
	final := slices.Contains([]string{"completed", "busy", "no-answer", "failed", "canceled"}, status)
	switch {
	case !final || f.line("RecordingStatus") != "" || f.line("ParentCallSid") != "":
		d.ignored, d.begun = !asked(src, d.kind), func() *conversation.Conversation { return twilioConversation(f, call, status, arrived) }
		return d, nil
	case call == "":
		f.fault("CallSid", "is required")
		return d, *f.faults
	}
	d.conversation, d.awaits = twilioConversation(f, call, status, arrived), true
	ranked(d.conversation, conversation.Ranks{conversation.Rest: 1}, arrived) // a transcript knows no direction, and so not whose number is whose
	return d, d.conversation.Check()
}

// twilioKind names what Twilio posts: it has no one place for the type.
func twilioKind(f fields) string {
	for _, of := range [][2]string{{"recording.", "RecordingStatus"}, {"", "TranscriptionEvent"}, {"", "event_type"}, {"message.", "MessageStatus"}} {
		if s := f.line(of[1]); s != "" {
			return of[0] + s
		}
	}
	switch {
	case f.of["operatorResults"] != nil:
		return "intelligence.results"
	case f.line("ParentCallSid") != "":
		return "leg." + f.line("CallStatus")
	case f.line("CallStatus") != "":
		return "call." + f.line("CallStatus")
	}
	return "event"
}

func twilioConversation(f fields, call, status string, arrived time.Time) *conversation.Conversation {
	c := &conversation.Conversation{ExternalID: call, Status: conversation.Failed, Turns: []conversation.Turn{}}
	if status == "completed" {
		c.Status = conversation.Completed
	}
	from, to := first(f.line("From"), f.line("Caller")), first(f.line("To"), f.line("Called"))
	if strings.HasPrefix(f.str("Direction"), "outbound") {
		numbers(c, conversation.Outbound, to, from)
		c.Agent.ID = first(from, "twilio")
	} else {
		numbers(c, conversation.Inbound, from, to)
		c.Agent.ID = first(to, "twilio")
		c.Customer.Name = f.line("CallerName")
	}
	end, _ := time.Parse(time.RFC1123Z, f.str("Timestamp"))
	// CallDuration is seconds; Duration beside it is minutes, as they are billed.
	c.StartedAt, c.EndedAt = span(time.Time{}, end.UTC(), lasting(f.of["CallDuration"], time.Second), arrived)
	n := notes{"call_status": status}
	n.put("answered_by", f.line("AnsweredBy"))
	n.put("sip_response_code", f.line("SipResponseCode"))
	n.put("recording_url", f.line("RecordingUrl"))
	c.Metadata = n
	return c
}

// twilioSpoken is a call with its words.
func twilioSpoken(f fields, arrived time.Time) (decoded, []conversation.Fault) {
	transcript, sentences := f.object("transcript"), f.objects("sentences")
	c := &conversation.Conversation{
		ExternalID: first(f.line("call_sid"), transcript.line("customer_key"), transcript.line("sid"), twilioSID(f.object("meta").str("url"))),
		Channel:    conversation.ChannelPhone, Status: conversation.Completed, Agent: conversation.Agent{ID: "twilio"},
	}
	d := decoded{kind: twilioTranscript, identity: identityOf(c.ExternalID, twilioTranscript), conversation: c}
	if c.ExternalID == "" {
		f.fault("call_sid", "is required, or the sid of the transcript")
		return d, *f.faults
	}
	speaks, length := twilioParties(c, transcript), lasting(transcript.of["duration"], time.Second)
	c.Turns = []conversation.Turn{}
	for _, s := range sentences {
		role, known := speaks[s.whole("media_channel")]
		if !known {
			role = conversation.RoleCustomer
		}
		c.Turns = said(c.Turns, role, s.str("transcript"), offset(s.of["start_time"]))
		length = max(length, lasting(s.of["end_time"], time.Second))
	}
	start := transcript.time("media_start_time")
	if start.IsZero() {
		start = transcript.time("date_created")
	}
	c.StartedAt, c.EndedAt = span(start, time.Time{}, length, arrived)
	ranked(c, conversation.Ranks{}, arrived)
	twilioFound(c, f.objects("operator_results"))
	return d, c.Check()
}

// twilioParties reads who is on which channel. Where nobody says, the first is ours.
func twilioParties(c *conversation.Conversation, transcript fields) map[int64]conversation.Role {
	speaks := map[int64]conversation.Role{1: conversation.RoleAgent, 2: conversation.RoleCustomer}
	for _, p := range transcript.object("channel").objects("participants") {
		if strings.EqualFold(p.str("role"), "customer") {
			speaks[p.whole("channel_participant")] = conversation.RoleCustomer
			c.Customer.Name, c.FromNumber = p.line("full_name"), p.line("media_participant_id")
			continue
		}
		speaks[p.whole("channel_participant")] = conversation.RoleAgent
		c.Agent = conversation.Agent{ID: first(p.line("user_id"), p.line("media_participant_id"), "twilio"), Name: p.line("full_name")}
		c.ToNumber = p.line("media_participant_id")
	}
	return speaks
}

// twilioFound keeps what operators found, each under its name; what one of them wrote as a summary is the summary.
func twilioFound(c *conversation.Conversation, results []fields) {
	found := notes{}
	for _, r := range results {
		text := first(r.object("text_generation_results").str("result"), r.str("predicted_label"))
		if r.object("text_generation_results").str("result") != "" && holds(strings.ToLower(r.str("name")), "summar") && c.Summary == "" {
			c.Summary = text
		}
		found.put(r.line("name"), text)
		found.put(r.line("name"), r.of["json_results"])
		found.put(r.line("name"), r.of["extract_results"])
	}
	n := notes{}
	n.put("operators", map[string]any(found))
	c.Metadata = n
}

// twilioSID is the transcript of which a page of sentences is, as its own address says.
func twilioSID(address string) string {
	_, rest, _ := strings.Cut(address, "/Transcripts/")
	sid, _, _ := strings.Cut(rest, "/")
	return sid
}

// Twilio signs what it posts about a call as it signs what it posts about a text. No time is signed, so a call's id is what a
// repeat is known by.
const schemeTwilio = "twilio"

func openTwilio(e envelope) (s seal, why string) {
	signature := e.header.Get(e.named(automation.SettingSignatureHeader, sms.SignatureHeader))
	if signature == "" {
		return seal{}, noSignature
	}
	return seal{timeless: true, signatures: []string{signature}}, ""
}

// signTwilio signs nothing that Content-Type calls something else than what Twilio signed: it would be read otherwise, too.
func signTwilio(secret string, s seal, body []byte) []string {
	kind, _, _ := mime.ParseMediaType(s.header.Get("Content-Type"))
	u, err := url.Parse(s.address)
	if err != nil || (kind == formType) == (u.Query().Get(sms.BodyHash) != "") {
		return nil
	}
	return sms.Signatures(secret, s.address, body)
}

func writeTwilio(r *http.Request, _ seal, signature string) {
	r.Header.Set(sms.SignatureHeader, signature)
}

// addressTwilio puts the hash of a body that is no form into the address.
func addressTwilio(r *http.Request, body []byte) {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == formType || r.URL == nil {
		return
	}
	hash, query := sha256.Sum256(body), r.URL.Query()
	query.Set(sms.BodyHash, hex.EncodeToString(hash[:]))
	r.URL.RawQuery = query.Encode()
}
