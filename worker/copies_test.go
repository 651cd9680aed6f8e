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

const copying = `
account: acme
timezone: Europe/London
from: { email: calls@acme.example }
allow: { domains: [acme.example], contacts: true }
groups: { support: [maria@acme.example, jon@acme.example] }
automations:
  - id: one
    when: always
    actions:
      - email: { to: ["{{customer_email}}", support], cc: [desk@acme.example, jon@acme.example], subject: Thank you, body: "Thank you." }
      - email: { to: [support], cc: ["{{customer_email}}"], subject: Thank you, body: "Thank you, {{customer_name}}." }
      - email: { to: [support], cc: [desk@acme.example], subject: A call, body: "Of {{customer_name}}." }
`

// TestCopiesKeepTheCustomerApart: nobody of ours stands in a customer's message but who is copied in, and a message that the customer sees a copy of is held
// like one to them.
func TestCopiesKeepTheCustomerApart(t *testing.T) {
	t.Parallel()
	rev, problems := automation.Compile(automation.Files{"account.yaml": []byte(copying)})
	if rev == nil {
		t.Fatal(problems)
	}
	call := &conversation.Conversation{ExternalID: "call-1", Channel: conversation.ChannelPhone, Status: conversation.Completed, Customer: conversation.Customer{Email: "ann@example.com"}}
	r, err := Rehearse(t.Context(), interview.NewInterviewer(nil, nil, interview.Limits{}), call, rev, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	type letter struct {
		To, CC   string
		Customer bool
		State    store.DeliveryState
		Reason   reason.Code
	}
	var got []letter
	for _, d := range r.Plan.Deliveries {
		got = append(got, letter{strings.Join(d.Content.To, " "), strings.Join(d.Content.CC, " "), d.Customer, d.State, d.Reason})
	}
	const ann, support = "contact:customer_email", "email:maria@acme.example email:jon@acme.example"
	want := []letter{
		{ann, "email:desk@acme.example", true, store.Planned, ""},
		{support, "", false, store.Planned, ""},
		{support, ann, true, store.Held, reason.VariableMissingForCustomer},
		{support, "email:desk@acme.example", false, store.Planned, ""},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the messages (-want +got):\n%s", diff)
	}
}

// TestCopiesObeyTheAllowListOfNow: whoever is not allowed any more when it is sent, or is suppressed, gets no copy and no answers; without anybody to send
// it to, nobody gets a copy either.
func TestCopiesObeyTheAllowListOfNow(t *testing.T) {
	t.Parallel()
	dir := recipients.Directory{Allow: recipients.Allow{Domains: []string{"acme.example"}}}
	c := store.Claimed{Channel: deliver.Email, LeaveOut: map[string]reason.Code{"gone@acme.example": reason.Bounced},
		Content: store.Content{To: []string{"email:maria@acme.example"}, ReplyTo: []string{"email:eve@evil.example"},
			CC: []string{"email:eve@evil.example", "email:desk@acme.example", "email:gone@acme.example", "contact:customer_email"}}}
	c.Contact.Email = "ann@example.com"
	m, why := message(dir, c)
	if want := []deliver.Address{{Address: "desk@acme.example"}}; why != "" || !cmp.Equal(m.CC, want) || m.ReplyTo.Address != "" || len(m.To) != 1 {
		t.Errorf("%+v, %q", m, why)
	}
	c.Content.To = []string{"email:eve@evil.example"}
	if m, why := message(dir, c); why != reason.RecipientNotAllowed || len(m.To)+len(m.CC) != 0 {
		t.Errorf("%+v, %q", m, why)
	}
}
