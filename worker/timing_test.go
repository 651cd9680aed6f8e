package worker_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercall/automation"
	"aftercall/conversation"
	"aftercall/interview"
	"aftercall/reason"
	"aftercall/worker"
)

// TestWindowsOnTheRecipientsClocks: each has their own hours, and what waits says by which clock it does.
func TestWindowsOnTheRecipientsClocks(t *testing.T) {
	t.Parallel()
	rev, problems := automation.Compile(automation.Files{"account.yaml": []byte(`account: acme
name: Acme
timezone: Europe/London
from: { email: calls@acme.example, sms: "+442071838750" }
allow: { domains: [acme.example], contacts: true }
people:
  yui: { email: yui@acme.example, timezone: Asia/Tokyo }
  ann: { email: ann@acme.example }
automations:
  - id: a
    when: always
    actions:
      - email: { to: [yui, ann], window: { hours: "08:00-20:00", timezone: recipient }, subject: Hello }
      - sms: { to: ["{{customer_number}}"], window: { hours: "08:00-20:00", timezone: recipient }, body: Hello }
      - email: { to: [yui, ann], together: true, window: { hours: "08:00-20:00", timezone: recipient }, subject: Both }
`)})
	if rev == nil {
		t.Fatal(problems)
	}
	if rev.Format != 8 {
		t.Errorf("format %d: an older version would send by other clocks", rev.Format)
	}
	ended := time.Date(2026, 1, 20, 7, 0, 0, 0, time.UTC) // 07:00 in London, 16:00 in Tokyo, 02:00 in New York
	for number, want := range map[string]string{
		"+12125550123": "2026-01-20T13:00:00Z The hours are those of America/New_York, the recipient's.",
		"+18005550199": "2026-01-20T08:00:00Z The hours are those of Europe/London, the account's: the recipient's is not known.",
	} {
		c := &conversation.Conversation{ExternalID: "c", Channel: conversation.ChannelPhone, Direction: conversation.Inbound, Status: conversation.Completed,
			Agent: conversation.Agent{ID: "a"}, StartedAt: ended, EndedAt: ended, FromNumber: number}
		r, err := worker.Rehearse(t.Context(), interview.NewInterviewer(hanging{}, nil, interview.Limits{}), c, rev, ended)
		must(t, err)
		got := map[string]string{}
		for _, d := range r.Plan.Deliveries {
			if (d.Reason == reason.OutsideWindow) != d.DueAt.After(ended) {
				t.Errorf("%s is due at %s, %s", d.Recipient, d.DueAt, d.Reason)
			}
			got[d.Recipient] = d.DueAt.UTC().Format(time.RFC3339) + " " + d.Detail
		}
		if diff := cmp.Diff(map[string]string{
			"person:yui": "2026-01-20T07:00:00Z ", "person:ann": "2026-01-20T08:00:00Z The hours are those of Europe/London, the account's: the recipient's is not known.",
			"together": "2026-01-20T08:00:00Z The hours are those of Europe/London, the account's: the recipient's is not known.", "contact:customer_number": want,
		}, got); diff != "" {
			t.Error(diff)
		}
	}
}
