package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aftercall/automation"
)

// TestNew follows an author from an empty folder to an account that checks, with a starter in it.
func TestNew(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "acme")
	wants(t, nil, 0, []string{filepath.Join(dir, "account.yaml"), "aftercall new --list"}, "new", "account", "acme", dir)
	wants(t, nil, 0, []string{"1 account: 0 errors, 0 warnings"}, "check", dir)
	wants(t, nil, 0, []string{"callback-requested", "demo-request", "Needs: a group support"}, "new", "--list")
	wants(t, nil, 0, []string{filepath.Join(dir, "callback-requested", "automation.yaml"), "Needs: a group support", "aftercall check " + dir},
		"new", "callback-requested", dir)
	wants(t, nil, 0, nil, "new", "--id", "wants-a-call-tonight", "callback-requested", dir)
	wants(t, nil, 0, []string{"1 account: 0 errors, 0 warnings"}, "check", dir)
	wants(t, nil, 0, []string{"aftercall test --record --by-hand " + filepath.Join(dir, "wants-a-person")}, "new", "--id", "wants-a-person", "escalation-needed", dir)
	wants(t, nil, 0, []string{"12 cases, 12 passed", "answers written by hand"}, "test", filepath.Join(dir, "callback-requested"))
	own := filepath.Join(dir, "wants-a-person")
	wants(t, nil, 1, []string{"run `aftercall test --record --by-hand`"}, "test", own)
	wants(t, nil, 0, []string{"12 cases, 12 passed"}, "test", "--record", "--by-hand", own)
	wants(t, nil, 0, []string{"12 cases, 12 passed"}, "test", own)
	folders, err := automation.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	text := string(folders[0].Files["wants-a-person/automation.yaml"])
	if !strings.Contains(text, "id: wants-a-person") || strings.Contains(text, "escalation-needed") {
		t.Errorf("the starter keeps its id:\n%s", text)
	}
	for name, want := range map[string]string{"account.yaml": "", "callback-requested/automation.yaml": "../"} {
		first, _, _ := strings.Cut(string(folders[0].Files[name]), "\n")
		if first != "# yaml-language-server: $schema="+want+".aftercall/schema.json" {
			t.Errorf("%s begins with %q", name, first)
		}
	}
}

// TestNewNeverWritesOver: what is there stays, and so does everything beside it.
func TestNewNeverWritesOver(t *testing.T) {
	t.Parallel()
	dir := writeAccount(t, downConfig)
	wants(t, nil, 1, []string{"account.yaml: there already"}, "new", "account", "acme", dir)
	write(t, filepath.Join(dir, "demo-request", "email.md.hbs"), "mine")
	wants(t, nil, 1, []string{"email.md.hbs: there already"}, "new", "demo-request", dir)
	if b, err := os.ReadFile(filepath.Join(dir, "demo-request", "email.md.hbs")); string(b) != "mine" {
		t.Errorf("it was written over: %q, %v", b, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "demo-request", "automation.yaml")); err == nil {
		t.Error("half of a starter was written")
	}
}

func TestNewSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, c := range []struct {
		name string
		code int
		says string
		args []string
	}{
		{"no starter", 1, "there are: appointment-booked, billing-inquiry", []string{"nope", dir}},
		{"a bad id", 2, "small letters", []string{"--id", "Wants A Person", "demo-request", dir}},
		{"a bad account", 2, "small letters", []string{"account", "../acme", dir}},
		{"an account without a name", 2, "new account NAME", []string{"account"}},
		{"nothing", 2, "aftercall new --list", nil},
		{"no account there yet", 0, "is no account's folder yet", []string{"demo-request", dir}},
	} {
		t.Run(c.name, func(t *testing.T) {
			wants(t, nil, c.code, []string{c.says}, append([]string{"new"}, c.args...)...)
		})
	}
}

// TestEveryStarterCanBeWritten: each of them, under its own id, in one account that has the groups they name.
func TestEveryStarterCanBeWritten(t *testing.T) {
	t.Parallel()
	dir := writeAccount(t, strings.Replace(silentConfig, "automations:", `from: { email: "calls@acme.example" }
allow: { domains: [acme.example], contacts: true }
people: { maria: { name: Maria, email: maria@acme.example } }
groups: { support: [maria], billing: [maria], managers: [maria], sales: [maria], technical: [maria] }
automations:`, 1))
	ids, err := starterIDs()
	if err != nil || len(ids) != 10 {
		t.Fatal(ids, err)
	}
	for _, id := range ids {
		wants(t, nil, 0, []string{filepath.Join(dir, id, "automation.yaml")}, "new", id, dir)
	}
	wants(t, nil, 0, []string{"1 account: 0 errors"}, "check", dir)
}
