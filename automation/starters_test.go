package automation_test

import (
	"io/fs"
	"path"
	"slices"
	"testing"

	"aftercall/automation"
)

// office is an account with the groups the starters write to.
const office = `account: acme
name: Acme Clinic
timezone: Europe/London
from: { email: "Acme Clinic <calls@acme.example>", sms: "+442071838750" }
allow: { domains: [acme.example], contacts: true }
people:
  maria: { name: Maria Lopez, email: maria@acme.example, phone: "+447700900123" }
groups:
  support: [maria, support@acme.example]
  billing: [billing@acme.example]
  managers: [maria]
  sales: [sales@acme.example]
  technical: [technical@acme.example]
`

func starterIDs() []string {
	return []string{"appointment-booked", "billing-inquiry", "callback-requested", "customer-complaint", "demo-request",
		"escalation-needed", "order-placed", "positive-feedback", "technical-issue", "unanswered-question"}
}

// withStarters is the account with some of the starters in it.
func withStarters(t *testing.T, ids ...string) automation.Files {
	t.Helper()
	files := automation.Files{"account.yaml": []byte(office)}
	for _, id := range ids {
		sub, err := fs.Sub(automation.Starters(), id)
		if err != nil {
			t.Fatal(err)
		}
		read, err := automation.ReadFS(sub)
		if err != nil {
			t.Fatal(err)
		}
		for name, b := range read {
			files[path.Join(id, name)] = b
		}
	}
	return files
}

func compile(t testing.TB, files automation.Files) *automation.Revision {
	t.Helper()
	rev, problems := automation.Compile(files)
	for _, p := range problems {
		t.Error(p)
	}
	if rev == nil {
		t.FailNow()
	}
	return rev
}

func TestStarters(t *testing.T) {
	t.Parallel()
	entries, err := fs.ReadDir(automation.Starters(), ".")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if !slices.Equal(got, starterIDs()) {
		t.Fatalf("starters are %v, want %v", got, starterIDs())
	}
	for _, id := range starterIDs() {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			rev := compile(t, withStarters(t, id))
			if len(rev.Automations) != 1 || rev.Automations[0].ID != id {
				t.Errorf("the starter holds %+v, want the one automation %s", rev.Automations, id)
			}
		})
	}
	t.Run("all in one account", func(t *testing.T) {
		t.Parallel()
		if rev := compile(t, withStarters(t, starterIDs()...)); len(rev.Automations) != 10 {
			t.Errorf("%d automations, want 10", len(rev.Automations))
		}
	})
}
