package rehearsal_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"aftercall/automation"
	"aftercall/conversation"
	"aftercall/rehearsal"
	"aftercall/worker"
)

// typed is an account whose one automation uses a variable of each type.
const typed = `
-- account.yaml --
account: acme
name: Acme Clinic
timezone: Europe/London
from: { email: "calls@acme.example", sms: "+442071838750" }
allow: { domains: [acme.example], contacts: true }
people: { maria: { name: Maria Lopez, email: maria@acme.example, phone: "+447700900123" } }
variables:
  dyn_day: { type: date }
  dyn_time: { type: time }
  dyn_count: { type: number }
  dyn_price: { type: money }
  dyn_phone: { type: phone }
  dyn_mail: { type: email }
  dyn_link: { type: url, hosts: [meet.acme.example] }
  dyn_urgent: { type: boolean }
  dyn_kind: { type: enum, values: { late: Too late, lost: Lost } }
automations:
  - id: everything
    when: { ask: Did the customer ask for something in particular? }
    route: { options: { money: { when: "money, invoices", to: [maria] } }, otherwise: [office@acme.example] }
    actions:
      - email:
          to: [route]
          subject: "{{dyn_kind}} on {{date dyn_day}}"
          body: "{{dyn_time}}, {{dyn_count}}, {{dyn_price}}, {{dyn_phone}}, {{dyn_mail}}, {{dyn_link}}, {{dyn_note}}"
      - sms: { to: ["{{customer_number}}"], send: { after: 10m }, body: "{{conversation_summary}} €{{dyn_note}}" }
      - task: { title: "{{dyn_note}}", priority: high, assignee: maria, due: { after: 4h } }
      - team_alert: { to: maria, if: dyn_kind == "lost", text: "Lost" }
-- calls/one.json --
{
  "id": "one", "agent": {"id": "frontdesk"}, "channel": "phone", "direction": "inbound", "status": "completed", "from_number": "+447700900456",
  "started_at": "2026-11-20T09:12:00Z", "ended_at": "2026-11-20T09:13:00Z",
  "turns": [{"role": "customer", "text": "Please call me back tomorrow."}]
}
`

func typedAccount(t *testing.T) (*automation.Revision, *conversation.Conversation) {
	t.Helper()
	dir := folder(t, txtar.Parse([]byte(typed)))
	folders, err := automation.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	rev, problems := automation.Compile(folders[0].Files)
	if rev == nil {
		t.Fatal(problems)
	}
	body, err := os.ReadFile(filepath.Join(dir, "calls", "one.json"))
	if err != nil {
		t.Fatal(err)
	}
	call, err := rehearsal.DecodeCall(body)
	if err != nil {
		t.Fatal(err)
	}
	return rev, call
}

// TestASampleOfEachTypeCanBePrinted: no gap, nothing held, and everything shown that would arrive.
func TestASampleOfEachTypeCanBePrinted(t *testing.T) {
	t.Parallel()
	account, call := typedAccount(t)
	plan, values := worker.Sampled(call, account, "everything", call.EndedAt)
	if len(values) != len(account.Automation("everything").Dyn) {
		t.Errorf("%d samples of %d variables", len(values), len(account.Automation("everything").Dyn))
	}
	var b bytes.Buffer
	rehearsal.Messages(&b, plan, call, account)
	for _, want := range []string{
		"1. email → maria@acme.example", "subject: late on", "text part:", "HTML part:", "14:30, 3, 129.50 EUR, +447700900999, sample@customer.example",
		"https://meet.acme.example/sample", "sample of note", "2. sms → +447700900456", "due 2026-11-20T09:23:00Z", "1 segment in GSM-7",
		"3. task → maria", "priority: high", "due: 2026-11-20T13:13:00Z", "4. team_alert → nobody", "condition_false",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the messages lack %q:\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "not stated") {
		t.Errorf("a message has a gap:\n%s", b.String())
	}
}

func TestDecodeCallNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{`:                  "no call",
		`{"idd": "one"}`:     "idd",
		`{"id": "one"}`:      "/agent/id is required",
		`{"id": "\u0007"}`:   "/id",
		`[]`:                 "no call",
		`{"turns": "hello"}`: "turns",
	} {
		if _, err := rehearsal.DecodeCall([]byte(body)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want it to say %q", body, err, want)
		}
	}
}
