package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aftercall/automation"
)

// kazooFolder imports documents into an account's folder that check finds no error in, and gives its revision and what was said.
func kazooFolder(t *testing.T, documents ...any) (*automation.Revision, string) {
	t.Helper()
	dir := writeAccount(t, kazooAccount)
	exported, err := json.Marshal(documents)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "export.json")
	write(t, file, string(exported))
	code, out := cli(t, nil, "import", "kazoo", file, dir)
	if code != 0 {
		t.Fatalf("exit %d:\n%s", code, out)
	}
	wants(t, nil, 0, []string{"1 account: 0 errors"}, "check", dir)
	files := automation.Files{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		files[e.Name()] = []byte(text(t, filepath.Join(dir, e.Name())))
	}
	rev, problems := automation.Compile(files)
	if rev == nil {
		t.Fatalf("it is no revision: %v\n%s", problems, files[kazooFile])
	}
	return rev, out
}

type object = map[string]any

// kazooTo is a callflow's notification to users.
func kazooTo(template string, users ...string) object {
	return object{"template_id": template, "recipients": []object{{"type": "user", "id": users}}, "notification_media": []string{"email", "sms"}}
}

// TestImportKazooKeepsUsersApart: each user is a person, whatever they have in common or are called.
func TestImportKazooKeepsUsersApart(t *testing.T) {
	t.Parallel()
	users := []struct{ id, firstName, lastName, username, want string }{
		{"u-1", "John", "Smith", "smithy", "john-smith"},
		{"u-2", "John", "Smith", "jsmith", "jsmith"},
		{"u-3", "John", "Smith", "jsmith", "u-3"},
		{"U 3", "John", "Smith", "jsmith", "john-smith-2"},
		{"u-5", "Jörg", "", "", "j-rg"},
		{"u-6", "Järg", "", "", "u-6"},
		{"u-7", "Иван", "Петров", "ivan", "ivan"},
		{"u-8", "Мария", "", "мария", "u-8"},
		{"ид", "Пётр", "", "", "user"},
		{"ид2", "Пётр", "", "пётр", "2"},
		{"識", "", "", "", "user-2"},
		{"u-9", "All", "", "", "u-9"},
		{"u-10", "", "", "route", "u-10"},
		{"u-11", "null", "", "", "u-11"},
		{"u-12", "1e3", "", "", "1e3"},
		{"u-13", strings.Repeat("Long ", 30), "", "", strings.Trim(strings.Repeat("long-", 10), "-")},
		{"u-14", strings.Repeat("Long ", 30), "", "\u0007", "u-14"},
		{"u-15", "Two\nLines\u0000\u0085\ufeff, \"email\": {", "Of\u2028It \u007f}", "", "two-lines---email-----of-it"},
	}
	var documents []any
	for i, u := range users {
		documents = append(documents,
			object{"id": u.id, "first_name": u.firstName, "last_name": u.lastName, "username": u.username, "email": fmt.Sprintf("%d@acme.example", i), "mobile": fmt.Sprintf("+447700900%03d", i)},
			kazooTo(fmt.Sprint("t", i), u.id, u.id))
	}
	rev, _ := kazooFolder(t, documents...)
	if len(rev.Automations) != len(users) || len(rev.Directory.People) != len(users) {
		t.Errorf("%d people, %d automations of %d users", len(rev.Directory.People), len(rev.Automations), len(users))
	}
	for i, a := range rev.Automations {
		for _, action := range a.Actions {
			if len(action.To) != 1 || action.To[0].Value != users[i].want {
				t.Errorf("user %s is written to as %v, not as %s", users[i].id, action.To, users[i].want)
			}
		}
		p := rev.Directory.People[users[i].want]
		if p.Email != fmt.Sprintf("%d@acme.example", i) || p.Phone != fmt.Sprintf("+447700900%03d", i) || len(a.Actions) != 2 {
			t.Errorf("user %s would get the mail of %s, %s, by %d actions", users[i].id, p.Email, p.Phone, len(a.Actions))
		}
	}
}

// TestImportKazooKeepsAutomationsApart: ids are made of templates' ids, which may be in any script and come again in another callflow.
func TestImportKazooKeepsAutomationsApart(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 80)
	want := []string{"kazoo-template", "kazoo-template-2", "kazoo-after", "kazoo-after-2", "kazoo-after-3", "kazoo-after-2-2",
		"kazoo-" + long[:50], "kazoo-" + long[:50] + "-2", "kazoo-" + long[:50] + "-3"}
	documents := []any{object{"id": "u", "email": "u@acme.example"}}
	for i, id := range []string{"Привет", "Пока", "after", "After", "after!", "after 2", long, long + "y", long + "z"} {
		documents = append(documents, object{"id": fmt.Sprint("flow-", i), "flow": object{"module": "notification", "data": kazooTo(id, "u")}},
			object{"id": id, "subject": "S", "html": fmt.Sprintf("<p>%d</p>", i)})
	}
	rev, _ := kazooFolder(t, documents...)
	for i, a := range rev.Automations {
		if a.ID != want[i] || !strings.Contains(a.Actions[0].Body.Source, fmt.Sprint(i)) {
			t.Errorf("automation %d is %s with %s, want %s", i, a.ID, a.Actions[0].Body.Source, want[i])
		}
	}
}

// TestImportKazooWritesToNobodyElse: what stands for an address in the file and is none would be read as somebody else.
func TestImportKazooWritesToNobodyElse(t *testing.T) {
	t.Parallel()
	rev, out := kazooFolder(t,
		object{"id": "u-1", "first_name": "Mia", "email": "mia@acme.example", "mobile": "+999"},
		object{"id": "u-2", "first_name": "Nobody", "email": ""},
		object{"id": "u-3", "first_name": "Nowhere", "email": "nowhere"},
		kazooTo("a", "u-1", "u-2", "u-3"),
		object{"id": "a", "subject": "S", "text": "T", "reply_to": "{{customer_email}}@acme.example",
			"cc": object{"type": "specified", "email_addresses": []string{"route", "all", "mia", "{{customer_email}}", "{{x@acme.example", "cc@acme.example"}}},
		object{"template_id": "b", "recipients": []object{{"type": "email", "id": []string{"{{customer_email}}", "{{@acme.example", "desk@acme.example"}}}})
	for i, want := range []string{"mia", "desk@acme.example"} {
		action := rev.Automations[i].Actions[0]
		if len(rev.Automations[i].Actions) != 1 || len(action.To) != 1 || action.To[0].Value != want {
			t.Errorf("%s writes to %v, not to %s", rev.Automations[i].ID, action.To, want)
		}
		for _, cc := range action.CC {
			if cc.Value != "cc@acme.example" {
				t.Errorf("%v gets a copy", cc)
			}
		}
	}
	for _, want := range []string{"phone number of user u-1 is left out", "user u-2 has no e-mail address", "user u-3 has no e-mail address",
		"cc route is no address", "cc {{customer_email}} is no address", "reply_to {{customer_email}}@acme.example is no address", "recipient {{@acme.example of type"} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
}

// TestImportKazooTemplatesCanBeUsed: conditions, loops and comments of a template, and what looks like ours in it, give a folder without an error.
func TestImportKazooTemplatesCanBeUsed(t *testing.T) {
	t.Parallel()
	rev, out := kazooFolder(t,
		object{"template_id": "a", "comments": "Ring <back> {{customer_email}}\nsoon", "recipients": []object{{"type": "email", "id": "desk@acme.example"}}},
		object{"template_id": "b {{c}}", "comments": "{{dyn_x}} [a](b)", "recipients": []object{{"type": "email", "id": "desk@acme.example"}}},
		object{"id": "a", "subject": "{{system.hostname}}{% if comments %}{{comments}}{% endif %}",
			"html": "<p>{% if comments %}{{comments}}{% else %}-{% endif %}{% if a and b %}{{c}}{% endif %}{% for x in y %}{{x}}{% endfor %}</p>"})
	for i, want := range []struct{ subject, body string }{
		{`Ring <back> \{{customer_email}} soon`, "<p>Ring &lt;back&gt; \\{{customer_email}}<br>\nsoon</p>\n"},
		{`b \{{c}}`, `\{{dyn_x}} \[a](b)`},
	} {
		action := rev.Automations[i].Actions[0]
		if action.Subject.Source != want.subject || action.Body.Source != want.body {
			t.Errorf("%q with %q, want %q with %q", action.Subject.Source, action.Body.Source, want.subject, want.body)
		}
	}
	for _, want := range []string{"{% if a and b %} has no counterpart", "{% for x in y %} has no counterpart", "{{system.hostname}} has no counterpart"} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
	if len(rev.Declarations) > 0 {
		t.Errorf("it asks for %v", rev.Declarations)
	}
}
