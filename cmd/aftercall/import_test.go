package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// kazooSample is a callflow with four notifications, two of which are the same, the users and the templates it names.
const kazooSample = `{"data":{"callflows":[{"id":"flow-1","numbers":["+442079460000"],"flow":{"module":"menu","data":{},"children":{
 "1":{"module":"notification","data":{"recipients":[{"id":["desk@acme.example","desk@acme.example"],"type":"email"},{"id":"u-1","type":"user"},{"id":"u-9","type":"user"},{"id":"a@b@c","type":"email"}],
   "template_id":"vip caller","send_at":"callflow_exec","notification_media":["email","sms"]},
   "children":{"_":{"module":"notification","data":{"recipients":[],"template_id":"after_call","comments":"Look in the CRM"},"children":{}}}},
 "2":{"module":"notification","data":{"recipients":[],"template_id":"after_call","comments":"Look in the CRM"},"children":{}},
 "3":{"module":"notification","data":{"recipients":[{"id":"desk@acme.example","type":"email"}],"template_id":"x","send_at":"sometime"},"children":{}},
 "4":{"module":"notification","data":{"recipients":[{"id":"desk@acme.example","type":"email"}]},"children":{}},
 "5":{"module":"notification","data":{"recipients":[{"id":"desk@acme.example","type":"email"}],"template_id":"off","skip_module":true},"children":{}}}}}],
 "users":[{"id":"u-1","username":"mia","first_name":"Mia","last_name":"Lopez","email":"mia@acme.example","mobile":"+447700900123"}],
 "templates":[{"id":"notification_after_call","subject":"Call of {{caller_id.number}}","to":{"type":"original","email_addresses":["team@acme.example"]},
  "bcc":{"type":"specified","email_addresses":["boss@acme.example"]},"from":"pbx@acme.example","reply_to":"desk@acme.example",
  "html":"<p>{{caller_id.name|upper}} {% if caller_id.name %}called{% else %}rang{% endif %} {{callee_id.number}} at {{date_called.local}}. {{comments}} {{system.hostname}} {{call.hangup_cause}} {{call_id|slice:\"3\"}} {# note #}$(CallerNumber) $(QueueName)</p>"}]}}`

const kazooAccount = `account: acme
timezone: Europe/London
from: { email: "calls@acme.example", sms: "+442079460000" }
allow: { domains: [acme.example] }
`

func TestImportKazoo(t *testing.T) {
	t.Parallel()
	dir := writeAccount(t, kazooAccount)
	file := filepath.Join(t.TempDir(), "callflow.json")
	write(t, file, kazooSample)
	code, out := cli(t, nil, "import", "kazoo", file, dir)
	for _, want := range []string{
		filepath.Join(dir, "kazoo.yaml"), filepath.Join(dir, "kazoo-after-call.html.hbs"), "2 automations",
		"user u-9 is not in the file", "a@b@c", "stands twice", "send_at sometime", "has no template_id", "nobody gets a hidden copy", "pbx@acme.example",
		"template vip caller is not in the file", "{{system.hostname}} has no counterpart", `{{call_id|slice:"3"}} has no counterpart`, "$(QueueName) has no counterpart",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	if code != 0 || strings.Contains(out, "$(CallerNumber) has") {
		t.Errorf("exit %d:\n%s", code, out)
	}
	yaml := text(t, filepath.Join(dir, "kazoo.yaml"))
	for _, want := range []string{
		`mia-lopez: { name: "Mia Lopez", email: "mia@acme.example", phone: "+447700900123" }`,
		`on: kazoo.notification`, `template_id: "vip caller", send_at: callflow_exec`, `to: ["desk@acme.example", "mia-lopez"]`, "sms:", "send: now",
		`callflow_id: "flow-1"`, `to: ["team@acme.example"]`, `subject: "Call of {{customer_number}}"`, `reply_to: "desk@acme.example"`,
	} {
		if !strings.Contains(yaml, want) {
			t.Errorf("kazoo.yaml has no %s:\n%s", want, yaml)
		}
	}
	html := text(t, filepath.Join(dir, "kazoo-after-call.html.hbs"))
	const want = "<p>{{upper customer_name}} {{#if customer_name}}called{{else}}rang{{/if}} {{to_number}} at {{conversation_date}}. Look in the CRM  {{metadata.hangup_cause}}  {{customer_number}} </p>\n"
	if html != want {
		t.Errorf("the body is\n%s\nwant\n%s", html, want)
	}
	wants(t, nil, 0, []string{"1 account: 0 errors"}, "check", dir)
	wants(t, nil, 1, []string{"there already"}, "import", "kazoo", file, dir)
}

func TestImportKazooSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ body, want string }{
		"no JSON":         {"module: notification", "is not JSON"},
		"nothing in it":   {`{"data":{"id":"x"}}`, "holds no notification"},
		"nobody to write": {`{"recipients":[],"template_id":"a"}`, "nothing was written"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, file := t.TempDir(), filepath.Join(t.TempDir(), "f.json")
			write(t, file, tt.body)
			wants(t, nil, 1, []string{tt.want}, "import", "kazoo", file, dir)
			if left, _ := os.ReadDir(dir); len(left) > 0 {
				t.Errorf("%v was written", left)
			}
		})
	}
	wants(t, nil, 2, []string{"import kazoo FILE"}, "import", "natterbox", "x")
}

// The page has a line for each macro, and no other.
func TestMacrosAreDocumented(t *testing.T) {
	t.Parallel()
	page, lines := text(t, filepath.Join("..", "..", "docs", "platforms", "kazoo.md")), 0
	for theirs, ours := range macros() {
		if !strings.HasPrefix(theirs, "$") {
			theirs = "{{" + theirs + "}}"
		}
		if !strings.Contains(page, "| `"+theirs+"` | `"+ours+"` |") {
			t.Errorf("docs/platforms/kazoo.md has no line for %s, which is %s", theirs, ours)
		}
	}
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, "| `{{") || strings.HasPrefix(line, "| `$(") {
			lines++
		}
	}
	if lines != len(macros())+2 { // call.… and comments go by rule
		t.Errorf("%d macros in the page, %d in the table", lines, len(macros()))
	}
}

func text(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
