package main

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aftercall/automation"
)

// kazooSample is a callflow with four notifications, two of which are the same, the users and the templates it names.
const kazooSample = `{"data":{"callflows":[{"id":"flow-1","numbers":["+442079460000"],"flow":{"module":"menu","data":{},"children":{
 "1":{"module":"notification","data":{"recipients":[{"id":["desk@acme.example","desk@acme.example"],"type":"email"},{"id":"u-1","type":"user"},{"id":"u-9","type":"user"},{"id":"a@b@c","type":"email"}],
   "template_id":"vip caller","send_at":"callflow_exec","notification_media":["email","sms"]},
   "children":{"_":{"module":"notification","data":{"recipients":[],"template_id":"after_call","comments":"Look in the CRM"},"children":{}}}},
 "2":{"module":"notification","data":{"recipients":[],"template_id":"after_call","comments":"Look in the CRM"},"children":{}},
 "3":{"module":"notification","data":{"recipients":[{"id":"desk@acme.example","type":"email"}],"template_id":"x","send_at":"sometime"},"children":{}},
 "4":{"module":"notification","data":{"recipients":[{"id":"desk@acme.example","type":"email"}]},"children":{}},
 "5":{"module":"notification","data":{"recipients":[{"id":"desk@acme.example","type":"email"}],"template_id":"skipped","skip_module":true},"children":{}},
 "6":{"module":"notification","data":{"recipients":[{"id":"desk@acme.example","type":"email"}],"template_id":"off"},"children":{}},
 "7":{"module":"notification","data":{"recipients":[{"id":"desk@acme.example","type":"email"}],"template_id":"set"},"children":{}}}}}],
 "users":[{"id":"u-1","username":"mia","first_name":"Mia","last_name":"Lopez","email":"mia@acme.example","mobile":"+447700900123"}],
 "templates":[{"id":"notification_off","enabled":false,"subject":"Off","text":"Nobody hears {{caller_id.name_number}}."},
 {"id":"notification_set","subject":"Set","to":{"type":"specified","email_addresses":["team@acme.example"]},"cc":{"type":"admins"},"text":"x"},
 {"id":"notification_after_call","subject":"Call of {{caller_id.number}}","to":{"type":"original","email_addresses":["team@acme.example"]},
  "cc":{"type":"specified","email_addresses":["cc@acme.example"]},"category":"callflow","friendly_name":"After the call","template_charset":"utf-8","macros":{},"bcc":{"type":"specified","email_addresses":["boss@acme.example"]},"from":"pbx@acme.example","reply_to":"desk@acme.example",
  "html":"<p>{{caller_id.name|upper}} {% if caller_id.name %}called{% else %}rang{% endif %} {{callee_id.number}} at {{date_called.local}}. {{comments}} {{system.hostname}} {{call.hangup_cause}} {{call_id|slice:\"3\"}} {# note #}$(CallerNumber) $(CallQueuePos)</p>"}]}}`

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
		filepath.Join(dir, "kazoo.yaml"), filepath.Join(dir, "kazoo-after-call.html.hbs"), "4 automations",
		"template set: cc are the account's admins",
		"user u-9 is not in the file", "a@b@c", "stands twice", "send_at sometime", "has no template_id", "nobody gets a hidden copy", "pbx@acme.example",
		"template vip caller is not in the file", "{{system.hostname}} has no counterpart", `{{call_id|slice:"3"}} has no counterpart`, "$(CallQueuePos) has no counterpart",
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
		`callflow_id: "flow-1"`, `to: ["team@acme.example"]`, `subject: "Call of {{customer_number}}"`, `reply_to: "desk@acme.example"`, `cc: ["cc@acme.example"]`,
		"enabled: false", `body: "Nobody hears {{customer_name}} ({{customer_number}})."`,
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

// TestImportedAutomationsFire: what is imported from a callflow fires for the calls that Kazoo posts of it, wherever it puts the
// callflow's id.
func TestImportedAutomationsFire(t *testing.T) {
	t.Parallel()
	dir := writeAccount(t, kazooAccount+"sources:\n  - { id: kazoo, type: kazoo, secret: \"${ENV:KAZOO_SECRET}\" }\n")
	file := filepath.Join(t.TempDir(), "callflow.json")
	write(t, file, `{"id":"flow-1","flow":{"module":"notification","data":{"recipients":[{"id":"desk@acme.example","type":"email"}],"template_id":"missed"},"children":{}}}`)
	wants(t, nil, 0, []string{"1 automations"}, "import", "kazoo", file, dir)
	h := newHouse(t, dir, http.NotFoundHandler())
	for id, body := range map[string]string{
		"k-1": `{"event_name":"missed_call","call_id":"k-1","caller_id_number":"+447700900123","to_user":"1000","timestamp":63962406000,"call_bridged":false,
			"notify":{"duration_seconds":10,"custom_channel_vars":{"callflow_id":"flow-1"}}}`,
		"k-2": `{"event_name":"missed_call","call_id":"k-2","timestamp":63962406000,"custom_channel_vars":{"callflow_id":"flow-2"},
			"notify":{"duration_seconds":10,"custom_channel_vars":{"callflow_id":"flow-1"}}}`,
		"k-3": `{"hook_event":"channel_destroy","call_id":"k-3","call_direction":"inbound","timestamp":"63962406000","custom_channel_vars":{"callflow_id":"flow-1"}}`,
	} {
		p := parcel{url: h.app.address("webhooks") + "/hooks/kazoo", scheme: "kazoo", secret: houseSecret, body: []byte(body)}
		if _, err := p.post(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, ours, err := h.app.db.FindConversation(t.Context(), "acme", id)
		if err != nil {
			t.Fatal(err)
		}
		if s := h.final(ours); (len(s.Deliveries) == 1) != (id != "k-2") {
			t.Errorf("call %s: %d messages, decisions %+v", id, len(s.Deliveries), s.Decisions)
		}
	}
	if mails := h.mail.Mails(); len(mails) != 2 || mails[0].Subject != "missed" {
		t.Errorf("%d mails, want two of the template", len(mails))
	}
}

// TestImportKazooNamesBranches: Kazoo sends a notification to whom the call comes by; the automation fires for all calls through the
// callflow. Where the two differ, the way to the node is named.
func TestImportKazooNamesBranches(t *testing.T) {
	t.Parallel()
	at := func(template, sendAt string) string {
		return `{"module":"notification","data":{"recipients":[{"id":"desk@acme.example","type":"email"}],"template_id":"` + template + `","send_at":"` + sendAt + `"}`
	}
	flow := `{"id":"f","flow":{"module":"play","children":{"_":` + at("greeted", "channel_destroy") + `,"children":{"_":{"module":"user","data":{"skip_module":true},"children":{"_":
		{"module":"temporal_route","children":{"night":{"module":"menu","children":{"2":` + at("pressed", "channel_destroy") + `},"3":` + at("now", "callflow_exec") + `}}},
		"_":{"module":"user","children":{"_":` + at("unanswered", "channel_destroy") + `,"children":{"_":` + at("greeted", "channel_destroy") + `}}}}}}}}}}}}}}`
	dir, file := writeAccount(t, kazooAccount), filepath.Join(t.TempDir(), "f.json")
	write(t, file, flow)
	code, out := cli(t, nil, "import", "kazoo", file, dir)
	var behind []string
	for line := range strings.Lines(out) {
		if strings.Contains(line, "only for calls that come by") {
			behind = append(behind, line)
		}
	}
	if code != 0 || len(behind) != 2 || !strings.HasPrefix(behind[0], "warning: template unanswered: play, notification, user, temporal_route, user: ") ||
		!strings.HasPrefix(behind[1], "warning: template pressed: play, notification, user, temporal_route night, menu 2: ") {
		t.Errorf("exit %d, warnings %q of\n%s", code, behind, out)
	}
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
	wants(t, nil, 2, []string{"import kazoo FILE"}, "import", "vonage", "x")
}

// natterboxText has what a Notify app's texts have: macros with a counterpart, without one, custom ones, and what only looks like one.
const natterboxText = `Call from $(CallerNumber) to $(E164CalledNumberIn) on $(CallStartDate), order $(Custom_Order.id): {{not ours}} $5 (net) $( x)
$(CallQueuePos)$(HTTP_[status])$(Fn_Rand{4})$(Payload_Event.event.data) $(CallQueuePos) $(UUID)
{"n": {$(CallerNumber)}} \\share\$(UUID) \{{customer_email}} {$(X){customer_email}} $(Custom_this)
`

// TestImportNatterbox: a text comes back in our names, and each macro that is lost is told once.
func TestImportNatterbox(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "body.txt")
	write(t, file, natterboxText)
	var said, warned bytes.Buffer
	code := run(t.Context(), &console{out: &said, err: &warned, getenv: env(nil)}, []string{"import", "natterbox", file})
	const want = `Call from {{customer_number}} to {{to_number}} on {{conversation_date}}, order {{metadata.Order.id}}: \{{not ours}} $5 (net) $( x)
  {{conversation_uuid}}
{"n": { {{~customer_number~}} }} \\share\ {{~conversation_uuid}} \\{{!}}\{{customer_email}} \{{customer_email}} 
`
	if code != 0 || said.String() != want {
		t.Errorf("exit %d:\n%s\nwant\n%s", code, said.String(), want)
	}
	const lost = `warning: $(CallQueuePos) has no counterpart and prints nothing
warning: $(HTTP_[status]) has no counterpart and prints nothing
warning: $(Fn_Rand{4}) has no counterpart and prints nothing
warning: $(Payload_Event.event.data) has no counterpart and prints nothing
warning: $(X) has no counterpart and prints nothing
warning: $(Custom_this) has no counterpart and prints nothing
`
	if warned.String() != lost {
		t.Errorf("it warns:\n%s\nwant\n%s", warned.String(), lost)
	}
	names, _ := automation.Compile(automation.Files{"account.yaml": []byte(kazooAccount + "automations:\n  - { id: a, when: always, actions: [{ email: { to: [x@acme.example], subject: S, body: " +
		quoted(said.String()) + " } }] }\n")})
	if names == nil {
		t.Error("what is printed is no text of ours")
	}
	latin := filepath.Join(t.TempDir(), "latin.txt")
	write(t, latin, "J\xf6rg")
	wants(t, nil, 1, []string{"latin.txt: the text is not valid UTF-8"}, "import", "natterbox", latin)
}

// The pages have a line for each macro, and no other. What ours are named is checked where they are imported.
func TestMacrosAreDocumented(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]struct {
		macros map[string]string
		begin  string // of a macro
		more   int    // lines for what goes by rule
	}{
		"kazoo.md":     {kazooMacros(), "{{", 2},     // call.… and comments
		"natterbox.md": {natterboxMacros(), "$(", 1}, // custom ones
	} {
		page, lines := text(t, filepath.Join("..", "..", "docs", "platforms", file)), 0
		for theirs, ours := range want.macros {
			if want.begin == "{{" {
				theirs = "{{" + theirs + "}}"
			}
			if !strings.Contains(page, "| `"+theirs+"` | `"+ours+"` |") {
				t.Errorf("docs/platforms/%s has no line for %s, which is %s", file, theirs, ours)
			}
		}
		for line := range strings.Lines(page) {
			if strings.HasPrefix(line, "| `"+want.begin) {
				lines++
			}
		}
		if lines != len(want.macros)+want.more {
			t.Errorf("%d macros in %s, %d in the table", lines, file, len(want.macros))
		}
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
