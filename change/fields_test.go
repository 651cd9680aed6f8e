package change_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aftercall/automation"
	"aftercall/change"
)

// base is a config with one of everything.
const base = `account: acme
name: Acme Clinic
timezone: Europe/London
from: { email: "Acme <calls@acme.example>", sms: "+442071838750" }
allow: { domains: [acme.example] }
people: { maria: { name: Maria Lopez, email: maria@acme.example }, jon: { name: Jon, email: jon@acme.example } }
groups: { support: [maria], oncall: [jon] }
sources: [ { id: acme-calls, type: native, secret: "${ENV:ACME_SECRET}" } ]
variables:
  dyn_severity: { type: enum, values: { high: "they cannot go on", low: "everything else" } }
automations:
  - id: callback
    when:
      calls: { status: [completed], min_turns: 4, between: "Mon,Tue 09:00-17:00" }
      ask: Did the customer ask to be called back?
      said_by: customer
    route: { on: dyn_severity, to: { high: [oncall] }, otherwise: [support] }
    actions:
      - email: { to: [route], subject: "Call back", body: "Hello.\n\nCall {{customer_number}}." }
      - task: { title: "Call {{customer_number}}", priority: high, due: { after: 4h }, assignee: support }
  - id: gone
    when: always
    actions: [ { team_alert: { to: all, text: "A call." } } ]
`

func revision(t *testing.T, text string) *automation.Revision {
	t.Helper()
	rev, problems := automation.Compile(automation.Files{"account.yaml": []byte(text)})
	if rev == nil {
		t.Fatal(problems)
	}
	return rev
}

// TestCompare: each change of a file is the fields it changes, in an author's words, and nothing else.
func TestCompare(t *testing.T) {
	t.Parallel()
	changed := func(kind, id string, fields ...change.Field) []change.Item {
		return []change.Item{{Kind: kind, ID: id, Change: change.Changed, Fields: fields}}
	}
	for _, c := range []struct {
		name, old, new string
		want           []change.Item
	}{
		{"a remark", "account: acme\n", "account: acme # a remark\n", []change.Item{}},
		{"the same, spelled otherwise", "name: Acme Clinic", `name: "Acme Clinic"`, []change.Item{}},
		{"a source's sender", `"${ENV:ACME_SECRET}"`, `"${ENV:ACME_SECRET}", from: { email: "Acme Berlin <berlin@acme.example>" }`,
			changed("source", "acme-calls", change.Field{Name: "from.email", After: "Acme Berlin <berlin@acme.example>"})},
		{"a setting", "name: Acme Clinic", "name: Acme", changed("settings", "", change.Field{Name: "name", Before: "Acme Clinic", After: "Acme"})},
		{"a setting that was not there", "name: Acme Clinic", "name: Acme Clinic\nbudget: { tokens_per_day: 1000 }",
			changed("settings", "", change.Field{Name: "budget.tokens_per_day", After: "1000"})},
		{"the region", "name: Acme Clinic", "name: Acme Clinic\nregion: DE", changed("settings", "", change.Field{Name: "region", After: "DE"})},
		{"the zone", "Europe/London", "Europe/Madrid", changed("settings", "", change.Field{Name: "timezone", Before: "Europe/London", After: "Europe/Madrid"})},
		{"a person", "email: jon@acme.example", "email: j@acme.example", changed("person", "jon", change.Field{Name: "email", Before: "jon@acme.example", After: "j@acme.example"})},
		{"a group", "support: [maria]", "support: [maria, jon]", changed("group", "support", change.Field{Name: "members", Before: "maria", After: "maria, jon"})},
		{"a variable", "high: \"they cannot go on\"", "high: \"they are stuck\"",
			changed("variable", "dyn_severity", change.Field{Name: "values.high", Before: "they cannot go on", After: "they are stuck"})},
		{"a source", "ACME_SECRET", "ACME_OTHER", changed("source", "acme-calls", change.Field{Name: "secrets", Before: "${ENV:ACME_SECRET}", After: "${ENV:ACME_OTHER}"})},
		{"a limit", "    when: always\n", "    when: always\n    limit: { per_day: 20 }\n",
			changed("automation", "gone", change.Field{Name: "limit.per_day", After: "20"})},
		{"a question", "called back?", "rung back today?", changed("automation", "callback", change.Field{Name: "when.ask",
			Before: "Did the customer ask to be called back?", After: "Did the customer ask to be rung back today?"})},
		{"a gate", "min_turns: 4, between: \"Mon,Tue 09:00-17:00\"", "min_turns: 6", changed("automation", "callback",
			change.Field{Name: "when.calls.min_turns", Before: "4", After: "6"}, change.Field{Name: "when.calls.between", Before: "Mon,Tue 09:00-17:00"})},
		{"a route", "high: [oncall] }", "high: [oncall, maria], low: [maria] }", changed("automation", "callback",
			change.Field{Name: "route.to.high", Before: "oncall", After: "oncall, maria"}, change.Field{Name: "route.to.low", After: "maria"})},
		{"a text", "Hello.", "Hi.", changed("automation", "callback", change.Field{Name: "email 1.body",
			Before: "Hello.\n\nCall {{customer_number}}.", After: "Hi.\n\nCall {{customer_number}}."})},
		{"a task", "after: 4h", "after: 2h", changed("automation", "callback", change.Field{Name: "task 1.due.after", Before: "4h0m0s", After: "2h0m0s"})},
		{"switched off", "- id: gone\n", "- id: gone\n    enabled: false\n", changed("automation", "gone", change.Field{Name: "enabled", After: "false"})},
		{"renamed", "- id: gone\n", "- id: come\n    name: gone\n", []change.Item{
			{Kind: "automation", ID: "come", Change: change.Added, Fields: []change.Field{{Name: "name", After: "gone"}, {Name: "when", After: "always"},
				{Name: "team_alert 1.to", After: "all"}, {Name: "team_alert 1.body", After: "A call."}}},
			{Kind: "automation", ID: "gone", Change: change.Removed, Fields: []change.Field{{Name: "name", Before: "gone"}, {Name: "when", Before: "always"},
				{Name: "team_alert 1.to", Before: "all"}, {Name: "team_alert 1.body", Before: "A call."}}},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if strings.Count(base, c.old) != 1 {
				t.Fatalf("%q stands %d times in the base", c.old, strings.Count(base, c.old))
			}
			got := change.Compare(revision(t, base), revision(t, strings.Replace(base, c.old, c.new, 1)))
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestCompareWhenAnEventsMessageGoes: to say nothing of it is not the same as to say the end of the call, for an event may ask for another time.
func TestCompareWhenAnEventsMessageGoes(t *testing.T) {
	t.Parallel()
	unsaid := strings.Replace(base, "    when: always\n    actions: [ { team_alert: {", "    on: call.reached\n    actions: [ { team_alert: {", 1)
	for _, word := range []string{"now", "call_end"} {
		said := strings.Replace(unsaid, "team_alert: {", "team_alert: { send: "+word+",", 1)
		want := []change.Item{{Kind: "automation", ID: "gone", Change: change.Changed, Fields: []change.Field{{Name: "team_alert 1.send", After: word}}}}
		if diff := cmp.Diff(want, change.Compare(revision(t, unsaid), revision(t, said))); diff != "" {
			t.Errorf("send: %s\n%s", word, diff)
		}
	}
	if got := change.Compare(revision(t, base), revision(t, strings.Replace(base, "team_alert: {", "team_alert: { send: call_end,", 1))); len(got) != 0 {
		t.Errorf("after a call it is the same: %+v", got)
	}
}

// TestForms: what the model is asked differs where the words or the form of the answer do, and for those agents only.
func TestForms(t *testing.T) {
	t.Parallel()
	two := strings.Replace(base, "  - id: gone\n    when: always\n", "  - id: sale\n    agents: [sales]\n    when: { ask: Did the customer want to buy something? }\n", 1)
	for _, c := range []struct {
		name, old, new string
		want           map[string][2]bool // by agent: prompt, schema
	}{
		{"a text", "Hello.", "Hi.", nil},
		{"words of a question", "called back?", "rung back?", map[string][2]bool{"": {true, false}, "sales": {true, false}}},
		{"words of an agent's question", "buy something?", "buy anything?", map[string][2]bool{"sales": {true, false}}},
		{"an id", "id: sale\n", "id: sold\n", map[string][2]bool{"sales": {true, true}}},
		{"switched off", "id: sale\n", "id: sale\n    enabled: false\n", map[string][2]bool{"sales": {true, true}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := map[string][2]bool{}
			for _, f := range change.Forms(revision(t, two), revision(t, strings.Replace(two, c.old, c.new, 1))) {
				got[f.Agent] = [2]bool{f.Prompt, f.Schema}
			}
			if len(got) != len(c.want) || len(c.want) > 0 && !cmp.Equal(c.want, got) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}
