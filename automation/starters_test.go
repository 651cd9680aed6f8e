package automation_test

import (
	"io/fs"
	"path"
	"slices"
	"strings"
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

// TestStartersAreAnAccount: in the tree the starters are checked as one account, whose account.yaml is not handed out.
func TestStartersAreAnAccount(t *testing.T) {
	t.Parallel()
	folders, err := automation.Read("starters")
	if err != nil || len(folders) != 1 {
		t.Fatalf("%d accounts: %v", len(folders), err)
	}
	if rev := compile(t, folders[0].Files); len(rev.Automations) != 10 {
		t.Errorf("%d automations, want 10", len(rev.Automations))
	}
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
			files := withStarters(t, id)
			if src := string(files[id+"/automation.yaml"]); !strings.HasPrefix(src, automation.Modeline(1)+"\n") {
				t.Errorf("the starter does not begin with %s", automation.Modeline(1))
			}
			rev := compile(t, files)
			if len(rev.Automations) != 1 || rev.Automations[0].ID != id {
				t.Errorf("the starter holds %+v, want the one automation %s", rev.Automations, id)
			}
		})
	}
	t.Run("one of them twice", func(t *testing.T) {
		t.Parallel()
		files := withStarters(t, "callback-requested")
		again := strings.Replace(string(files["callback-requested/automation.yaml"]), "id: callback-requested", "id: again", 1)
		files["again/automation.yaml"], files["again/email.md.hbs"] = []byte(again), files["callback-requested/email.md.hbs"]
		rev := compile(t, files)
		if len(rev.Automations) != 2 || rev.Format != 4 {
			t.Errorf("%d automations, want 2; format %d, want 4: versions that refuse it must leave it to others", len(rev.Automations), rev.Format)
		}
	})
	t.Run("all in one account", func(t *testing.T) {
		t.Parallel()
		if rev := compile(t, withStarters(t, starterIDs()...)); len(rev.Automations) != 10 {
			t.Errorf("%d automations, want 10", len(rev.Automations))
		}
	})
}
