package email

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"aftercall/deliver"
	"aftercall/reason"
)

// Words of SendGrid's events that decide more than what they are called.
const (
	eventBounce  = "bounce"
	eventDropped = "dropped"
	hardBounce   = "bounce" // its type: for good. The other, blocked, is for now.
)

// event is one event as SendGrid posts it: an object with its own members and our custom arguments side by side, in which most
// members are text, a few are not, and more come as years pass.
type event map[string]json.RawMessage

// text is a member that is text; else "".
func (e event) text(name string) (s string) {
	if json.Unmarshal(e[name], &s) != nil {
		return ""
	}
	return s
}

// EventsOf reads a batch of events, posted at a moment: what became of messages, and who wants no more of them. ok is false if it
// is no batch. What says nothing of a message's fate (open, click and whatever is new) is passed over, and so is what belongs to no
// message of ours as far as can be told here.
func EventsOf(body []byte, at time.Time) (reports []deliver.Report, ok bool) {
	var batch []json.RawMessage
	if !bytes.HasPrefix(bytes.TrimSpace(body), []byte("[")) || json.Unmarshal(body, &batch) != nil {
		return nil, false
	}
	for _, raw := range batch {
		var e event
		if json.Unmarshal(raw, &e) != nil || e == nil {
			continue
		}
		r := e.report()
		if r.Fact == "" && r.Suppress == "" && !r.Lift || r.DeliveryID == "" && r.ProviderID == "" {
			continue
		}
		r.At = e.at(at)
		reports = append(reports, r)
	}
	return reports, true
}

// report is what an event says, without its time.
func (e event) report() deliver.Report {
	r := deliver.Report{Provider: ProviderSendGrid, DeliveryID: e.delivery(), Address: e.text("email")}
	// The id that the answer to our request named is what stands before the first dot.
	if id, _, _ := strings.Cut(e.text("sg_message_id"), "."); messageID.MatchString(id) {
		r.ProviderID = id
	}
	switch strings.ToLower(e.text("event")) {
	case "processed", "deferred":
		r.Fact = deliver.Taken
	case "delivered":
		r.Fact = deliver.Arrived
	case eventBounce:
		e.bounced(&r)
	case eventDropped:
		e.dropped(&r)
	case "spamreport": // which only somebody makes who has it
		r.Fact, r.Suppress = deliver.Arrived, reason.OptedOut
	case "unsubscribe", "group_unsubscribe":
		r.Suppress = reason.OptedOut
	case "group_resubscribe":
		r.Lift = true
	}
	return r
}

// delivery is our id: the custom argument or, where SendGrid is the SMTP server and knows of none, what our Message-ID begins with.
func (e event) delivery() string {
	if id := e.text(ArgDelivery); id != "" {
		return id
	}
	local, _, _ := strings.Cut(strings.TrimPrefix(e.text("smtp-id"), "<"), "@")
	if uuid.Validate(local) != nil {
		return ""
	}
	return local
}

// bounced reads a message that came back. Only what came back for good says something of the address: SendGrid calls anything else
// blocked, and where it does not say which, the next message will tell (it is dropped if the address is on SendGrid's own list).
func (e event) bounced(r *deliver.Report) {
	r.Fact, r.Class, r.Detail = deliver.Lost, "blocked", "The receiving server did not take it."
	if e.text("type") == hardBounce {
		r.Class, r.Suppress, r.Detail = "bounced", reason.Bounced, "It came back: the receiving server does not know the address."
	}
	switch e.text("bounce_classification") {
	case "Invalid Address":
		r.Detail = "It came back: there is no such mailbox."
	case "Technical", "Technical Failure":
		r.Detail = "It came back: the receiving server could not be reached, or failed."
	case "Content":
		r.Detail = "It came back: the receiving server took the text for unwanted."
	case "Reputation":
		r.Detail = "It came back: the receiving server does not trust the sender."
	case "Frequency or Volume Too High":
		r.Detail = "It came back: the receiving server had too many mails of the sender's."
	case "Mailbox Unavailable":
		r.Detail = "It came back: the mailbox takes no mail, for now at least."
	}
	// The server's words may hold the address, so no more is kept than the code they begin with (RFC 5321 4.2).
	if code, err := strconv.Atoi(first(e.text("reason"), 3)); err == nil && code >= 400 && code < 600 {
		r.Status = code
	}
}

// dropped reads a message that SendGrid did not try to deliver, with the few reasons that it gives for that.
func (e event) dropped(r *deliver.Report) {
	r.Fact, r.Class, r.Detail = deliver.Lost, eventDropped, "SendGrid did not try to deliver it."
	switch why := strings.ToLower(e.text("reason")); {
	case why == "bounced address":
		r.Suppress, r.Detail = reason.Bounced, "SendGrid did not try: earlier messages to this address came back."
	case why == "invalid":
		r.Suppress, r.Detail = reason.Bounced, "SendGrid did not try: there is no such address."
	case why == "unsubscribed address":
		r.Suppress, r.Detail = reason.OptedOut, "SendGrid did not try: the recipient has unsubscribed there."
	case why == "spam reporting address":
		r.Suppress, r.Detail = reason.OptedOut, "SendGrid did not try: the recipient has called an earlier message spam."
	case strings.HasPrefix(why, "spam content"):
		r.Detail = "SendGrid did not try: its spam check took the text for unwanted."
	case strings.HasPrefix(why, "recipient list over package quota"):
		r.Detail = "SendGrid did not try: the account has used up its credits."
	}
}

// Events come within a day of what they tell of, unless a clock is wrong; a mailbox is tried for three.
const oldestEvent = 4 * 24 * time.Hour

// at is when it happened: what the event says, in seconds, if that can be; else when it was posted.
func (e event) at(posted time.Time) time.Time {
	seconds, err := strconv.ParseInt(strings.Trim(string(e["timestamp"]), `"`), 10, 64)
	if err != nil {
		return posted
	}
	if then := time.Unix(seconds, 0); then.Before(posted) && posted.Sub(then) < oldestEvent {
		return then
	}
	return posted
}

func first(s string, n int) string { return s[:min(n, len(s))] }
