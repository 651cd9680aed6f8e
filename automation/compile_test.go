package automation_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aftercall/automation"
	"aftercall/deliver"
	"aftercall/interview"
	"aftercall/recipients"
	"aftercall/tasks"
	"aftercall/triggers"
	"aftercall/variables"
)

// callback is the automation of the format's description, whole.
const callback = `
groups:
  oncall: ["+447700900123", oncall@acme.example]
sources:
  - { id: itellico, type: itellico, secret: "${ENV:ITELLICO_SECRET}", wait_for_analysis: 2m }
variables:
  dyn_severity: { type: enum, values: { critical: "down", high: "bad", low: "rest" } }
  dyn_callback_when: { type: text, ask: "When the customer wants to be called back", said_by: customer }
automations:
  - id: callback-requested
    name: Callback requested
    agents: [reception]
    enabled: true
    when:
      calls: { status: [completed, transferred], min_turns: 4 }
      ask: Did the customer ask to be called back, or accept an offer of a call back?
      said_by: customer
    on_unsure: review
    require: [dyn_callback_when]
    route: { on: dyn_severity, to: { critical: [oncall], high: [support] }, otherwise: [support] }
    actions:
      - email: { to: [route], subject: "Callback - {{customer_number}}", body_file: callback.md.hbs }
      - task:  { title: "Call back {{customer_number}}", priority: high, due: { after: 4h }, assignee: support }
      - team_alert: { to: all, text: "Callback wanted: {{dyn_callback_when}}" }
      - sms:   { send: { after: 10m }, if: dyn_severity == "critical", to: [oncall], body: "{{dyn_topic}} {{conversation_summary}}" }
      - email: { to: ["{{customer_email}}", maria], cc: [team@acme.example], subject: Thank you }
`

func TestCompile(t *testing.T) {
	t.Parallel()
	rev := compile(t, automation.Files{"account.yaml": []byte(office), "rules.yaml": []byte(callback), "callback.md.hbs": []byte("{{dyn_callback_when}}")})
	if rev.AccountID != "acme" || rev.Name != "Acme Clinic" || rev.Location.String() != "Europe/London" || rev.Missing != "not stated" ||
		rev.FromNumber != "+442071838750" || rev.Directory.Region != "GB" {
		t.Errorf("account %+v", rev)
	}
	if diff := cmp.Diff(deliver.Address{Name: "Acme Clinic", Address: "calls@acme.example"}, rev.From); diff != "" {
		t.Errorf("from (-want +got)\n%s", diff)
	}
	wantSource := &automation.Source{ID: "itellico", Type: "itellico", Secrets: []string{"${ENV:ITELLICO_SECRET}"}, WaitForAnalysis: 2 * time.Minute}
	if diff := cmp.Diff(wantSource, rev.Source("itellico")); diff != "" {
		t.Errorf("source (-want +got)\n%s", diff)
	}
	a := rev.Automation("callback-requested")
	wantTrigger := triggers.Trigger{
		ID: "callback-requested", Enabled: true, Agents: []string{"reception"},
		Gate: triggers.Filter{Status: []string{"completed", "transferred"}, MinTurns: 4},
		Ask:  "Did the customer ask to be called back, or accept an offer of a call back?", SaidBy: interview.Customer,
		OnUnsure: triggers.Review, NeedsValues: true,
	}
	if diff := cmp.Diff(wantTrigger, a.Trigger); diff != "" {
		t.Errorf("trigger (-want +got)\n%s", diff)
	}
	group := func(k string) []recipients.Target { return []recipients.Target{{Kind: recipients.Group, Value: k}} }
	wantRoute := &recipients.Route{On: "dyn_severity", Otherwise: group("support"),
		To: map[string][]recipients.Target{"critical": group("oncall"), "high": group("support")}}
	if diff := cmp.Diff(wantRoute, a.Route); diff != "" {
		t.Errorf("route (-want +got)\n%s", diff)
	}
	wantActions := []automation.Action{
		{Index: 0, Channel: deliver.Email, To: []recipients.Target{{Kind: recipients.ByRoute}}},
		{Index: 1, Channel: deliver.Task, Task: &automation.TaskAction{Priority: tasks.PriorityRule{Fixed: tasks.High},
			Assignee: "group:support", Due: tasks.Due{After: 4 * time.Hour}}},
		{Index: 2, Channel: deliver.TeamAlert, To: []recipients.Target{{Kind: recipients.All, Value: "all"}}},
		{Index: 3, Channel: deliver.SMS, To: group("oncall"), Send: automation.Timing{After: 10 * time.Minute}},
		{Index: 4, Channel: deliver.Email, Together: true, CC: []recipients.Target{{Kind: recipients.Fixed, Value: "team@acme.example"}},
			To: []recipients.Target{{Kind: recipients.Contact, Value: "customer_email"}, {Kind: recipients.Person, Value: "maria"}}},
	}
	if diff := cmp.Diff(wantActions, a.Actions, cmpopts.IgnoreFields(automation.Action{}, "Subject", "Body", "If")); diff != "" {
		t.Errorf("actions (-want +got)\n%s", diff)
	}
	if got := a.Actions[4].Body.Source; got != "A telephone call has been made" {
		t.Errorf("body of an e-mail without one is %q", got)
	}
	if diff := cmp.Diff([]string{"dyn_severity", "dyn_callback_when", "dyn_topic"}, a.Dyn); diff != "" || !a.Summary {
		t.Errorf("dyn, summary %v (-want +got)\n%s", a.Summary, diff)
	}
	wantTopic := variables.Declaration{Name: "dyn_topic", Type: variables.Text, Ask: "topic", SaidBy: interview.Anyone}
	if diff := cmp.Diff(wantTopic, rev.Declarations["dyn_topic"]); diff != "" {
		t.Errorf("undeclared variable (-want +got)\n%s", diff)
	}
}

func TestNeedsValues(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, rest string
		want       bool
	}{
		{"nothing", `actions: [email: { to: [support], subject: x }]`, false},
		{"a text", `actions: [email: { to: [support], subject: "{{dyn_topic}}" }]`, true},
		{"a condition", `actions: [email: { to: [support], subject: x, if: dyn_level == "high" }]`, true},
		{"a required variable", `{ require: [dyn_level], actions: [email: { to: [support], subject: x }] }`, true},
		{"a priority", `actions: [task: { title: x, priority: { from: dyn_level, high: urgent } }]`, true},
		{"a route on a variable", `{ route: { on: dyn_level, to: { high: [support] }, otherwise: [billing] }, actions: [email: { to: [route], subject: x }] }`, true},
		{"options", `{ route: { options: { money: { when: invoices, to: [billing] } }, otherwise: [support] }, actions: [email: { to: [route], subject: x }] }`, true},
		{"a system variable", `actions: [email: { to: [support], subject: "{{customer_name}}", if: customer_name }]`, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rest := strings.Trim(strings.TrimSpace(tt.rest), "{}")
			if !strings.HasPrefix(tt.rest, "{") {
				rest = tt.rest
			}
			rules := "variables:\n  dyn_level: { type: enum, values: { high: h, low: l } }\nautomations:\n  - { id: one, when: always, " + rest + " }\n"
			rev, problems := automation.Compile(automation.Files{"account.yaml": []byte(office), "r.yaml": []byte(rules)})
			if rev == nil {
				t.Fatal(problems)
			}
			if got := rev.Automations[0].Trigger.NeedsValues; got != tt.want {
				t.Errorf("NeedsValues = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestFilesAreReadInOrder(t *testing.T) {
	t.Parallel()
	rule := func(id string) []byte {
		return []byte("automations:\n  - { id: " + id + ", when: always, actions: [email: { to: [support], subject: x }] }\n")
	}
	rev := compile(t, automation.Files{"account.yaml": append([]byte(office), rule("first")...), "b.yaml": rule("third"), "a/z.yaml": rule("second")})
	var ids []string
	for _, a := range rev.Automations {
		ids = append(ids, a.ID)
	}
	if diff := cmp.Diff([]string{"first", "second", "third"}, ids); diff != "" {
		t.Errorf("order (-want +got)\n%s", diff)
	}
	if a := rev.Automation("second"); a.File != "a/z.yaml" || a.Line != 2 {
		t.Errorf("second stands at %s:%d, want a/z.yaml:2", a.File, a.Line)
	}
	if len(rev.Triggers()) != 3 || rev.Automation("fourth") != nil || rev.Source("none") != nil {
		t.Error("look-ups disagree with the automations")
	}
}

// Whatever is wrong with a source, its secret is in no report.
func TestSecretsAreNeverReported(t *testing.T) {
	t.Parallel()
	const secret = "whsec_hunter2hunter2"
	for _, tt := range []struct{ name, src string }{
		{"written out", `- { id: a, type: itellico, secret: "SECRET" }`},
		{"beside another mistake", `- { id: a, type: nonsense, secret: SECRET, more: 1 }`},
		{"one of two", `- { id: a, type: itellico, secrets: ["${ENV:A}", "SECRET"], more: 1 }`},
		{"under a key with a typo", `- { id: a, type: itellico, secrt: "SECRET" }`},
		{"a broken file", `- { id: a, type: itellico, secret: "SECRET"`},
		{"a block", "- id: a\n    type: itellico\n    secret: |\n      SECRET\n      SECRET"},
		{"folded quotes", "- id: a\n    type: itellico\n    secret: \"x\n      SECRET\n      SECRET\""},
		{"a list", "- id: a\n    type: itellico\n    secrets:\n      - SECRET\n      - SECRET\n      - SECRET"},
		{"a mapping", "- id: a\n    type: itellico\n    secret: { value: SECRET }"},
		{"under settings", `- { id: a, type: itellico, secret: "${ENV:A}", settings: { signing_key: SECRET } }`},
		{"under the settings of no type", `- { id: a, type: nonsense, secret: "${ENV:A}", settings: { signing_key: SECRET } }`},
		{"under settings that there are none of", `- { id: a, type: native, secret: "${ENV:A}", settings: { signing_key: SECRET } }`},
		{"in an address", `- { id: a, type: itellico, secret: "${ENV:A}", settings: { url: "https://me:SECRET@calls.example/{id}" } }`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			src := "sources:\n  " + strings.ReplaceAll(tt.src, "SECRET", secret) + "\n"
			rev, problems := automation.Compile(automation.Files{"account.yaml": []byte(office), "s.yaml": []byte(src)})
			if rev != nil || len(problems) == 0 {
				t.Fatal("nothing reported")
			}
			for _, p := range problems {
				if strings.Contains(p.String()+p.Excerpt, secret) {
					t.Errorf("the secret is in a report:\n%s", p)
				}
			}
		})
	}
}

func TestTooManyVariables(t *testing.T) {
	t.Parallel()
	body := ""
	for i := range 41 {
		body += "{{dyn_" + strings.Repeat("a", i+1) + "}}"
	}
	rules := "automations:\n  - { id: one, when: always, actions: [sms: { to: [maria], body: \"" + body + "\" }] }\n"
	rev, problems := automation.Compile(automation.Files{"account.yaml": []byte(office), "r.yaml": []byte(rules)})
	if rev != nil || len(problems) != 1 || problems[0].Code != "AC501" {
		t.Errorf("Compile gave %v, %v; want AC501 alone", rev, problems)
	}
}

// What cannot be seen in a report is marked, and a report has no more lines than its own: a build server takes a line that
// begins with :: for a command.
func TestReportsShowWhatCannotBeSeen(t *testing.T) {
	t.Parallel()
	files := automation.Files{"account.yaml": []byte(office),
		"a.yaml":         []byte("\"x\\n::error::y\\e[2J\": 1\nautomations: [{ id: one, when: always, actions: [email: { to: [support], subject: Hello, body_file: b.md.hbs }] }]\n"),
		"b.md.hbs":       []byte("\x1b[2J\u202e{{nobody}}\tx"),
		"invisible.yaml": []byte("groups: {\u2028}\n")}
	_, problems := automation.Compile(files)
	var got strings.Builder
	for _, p := range problems {
		got.WriteString(p.Message + "\n" + p.Excerpt + "\n")
	}
	want := "unknown key x\ufffd::error::y\ufffd[2J\n\"x\\n::error::y\\e[2J\": 1\n" +
		"unknown variable nobody\n\ufffd[2J\ufffd{{nobody}}\tx\n" +
		"an invisible line separator stands here\ngroups: {\ufffd}\n"
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// A file of one long line, with something wrong in every value of it, takes no longer than one of many lines.
func TestOneLongLine(t *testing.T) {
	t.Parallel()
	const values = 40_000
	line := "automations: [{ name: é, agents: [" + strings.Repeat("111111111111111111, ", values) + "1], id: one, when: always, actions: [team_alert: { text: Hello }] }]"
	files := automation.Files{"account.yaml": []byte(office), "long.yaml": []byte(line)}
	done := make(chan []automation.Problem, 1)
	go func() {
		_, problems := automation.Compile(files)
		done <- problems
	}()
	select {
	case problems := <-done:
		if len(problems) != automation.MaxProblems || problems[1].Col != 35+len("111111111111111111, ") || problems[0].Excerpt != "" {
			t.Errorf("%d problems, the second %+v", len(problems), problems[1])
		}
	case <-time.After(time.Minute):
		t.Fatal("checking a long line does not end")
	}
}

// Numbers are what YAML says they are, however they are written.
func TestMetadataNumbers(t *testing.T) {
	t.Parallel()
	rev := compile(t, automation.Files{"account.yaml": []byte(office), "a.yaml": []byte(
		"automations: [{ id: one, when: { always: true, calls: { metadata: { a: 1_000, b: 0x1F, c: [1, 2.5], d: yes, e: true } } }, actions: [team_alert: { text: Hello }] }]\n")})
	want := map[string]any{"a": 1000.0, "b": 31.0, "c": []any{1.0, 2.5}, "d": "yes", "e": true}
	if diff := cmp.Diff(want, rev.Automations[0].Trigger.Gate.Metadata); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// An error beyond the number of problems reported still fails the folder.
func TestManyWarningsHideNoError(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("variables:\n")
	for i := range 400 {
		b.WriteString("  dyn_v" + strings.Repeat("x", i%50) + string(rune('a'+i/50)) + ": {}\n")
	}
	rev, problems := automation.Compile(automation.Files{"account.yaml": []byte(office), "a.yaml": []byte(b.String()), "z.yaml": []byte("nonsense: 1\n")})
	if rev != nil || len(problems) != automation.MaxProblems || problems[0].Severity != automation.Error {
		t.Errorf("%d problems, the first %+v; want 300 with the error first", len(problems), problems[0])
	}
}
