package worker

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercall/automation"
	"aftercall/conversation"
	"aftercall/deliver"
	"aftercall/internal/store"
	"aftercall/interview"
	"aftercall/reason"
	"aftercall/recipients"
)

const texting = `
account: acme
timezone: Europe/London
from: { sms: "+442071838750" }
allow: { contacts: true, senders: ["+442071838751"] }
groups: { oncall: ["+447700900123"] }
automations:
  - id: one
    when: always
    actions:
      - sms: { to: ["{{customer_number}}"], body: "{{conversation_summary}}" }
      - sms: { to: [oncall], from: "+44 20 7183 8751", body: "Hello" }
`

// planned is what a call leads to, as channel-free as the plan has it.
type planned struct {
	Recipient, From string
	State           store.DeliveryState
	Reason          reason.Code
}

func texts(t *testing.T, number, summary string) (out []planned) {
	t.Helper()
	rev, problems := automation.Compile(automation.Files{"account.yaml": []byte(texting)})
	if rev == nil {
		t.Fatal(problems)
	}
	call := &conversation.Conversation{ExternalID: "call-1", Channel: conversation.ChannelPhone, Status: conversation.Completed, Summary: summary,
		Customer: conversation.Customer{Number: number}}
	r, err := Rehearse(t.Context(), interview.NewInterviewer(nil, nil, interview.Limits{}), call, rev, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range r.Plan.Deliveries {
		out = append(out, planned{d.Recipient, d.Content.From.Address, d.State, d.Reason})
	}
	return out
}

// TestTextsAsPlanned: from which number, and what keeps one from going out. A number without its country code is one of the
// account's country.
func TestTextsAsPlanned(t *testing.T) {
	t.Parallel()
	const customer, own, other = "contact:customer_number", "+442071838750", "+442071838751"
	second := planned{"phone:+447700900123", other, store.Planned, ""}
	for name, c := range map[string]struct {
		number, summary string
		want            planned
	}{
		"short":        {"07700 900555", "All is well.", planned{customer, own, store.Planned, ""}},
		"ten pieces":   {"07700 900555", strings.Repeat("a", 10*153), planned{customer, own, store.Planned, ""}},
		"eleven":       {"07700 900555", strings.Repeat("a", 10*153+1), planned{customer, own, store.Held, reason.TextTooLong}},
		"premium rate": {"09098 790000", "All is well.", planned{customer, "", store.Skipped, reason.PremiumNumber}},
		"no number":    {"12", "All is well.", planned{customer, "", store.Skipped, reason.RecipientInvalid}},
	} {
		if diff := cmp.Diff([]planned{c.want, second}, texts(t, c.number, c.summary)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestATextLeavesFromANumberOfTheAccount: the list that counts is that of the config which is active when it is sent.
func TestATextLeavesFromANumberOfTheAccount(t *testing.T) {
	t.Parallel()
	for from, want := range map[string]reason.Code{"+442071838750": "", "+442071838751": reason.SenderNotAllowed, "": reason.SenderNotAllowed} {
		dir := recipients.Directory{Allow: recipients.Allow{Contacts: true, Senders: []string{"+442071838750"}}, Region: "GB"}
		c := store.Claimed{Channel: deliver.SMS, Contact: contactRecord{Number: "07700 900555"},
			Content: store.Content{From: deliver.Address{Address: from}, To: []string{"contact:customer_number"}}}
		if _, got := message(dir, c); got != want {
			t.Errorf("from %q: %q, want %q", from, got, want)
		}
	}
}
