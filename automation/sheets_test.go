package automation_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aftercall/automation"
	"aftercall/interview"
	"aftercall/triggers"
)

// rules writes automations; each has a question unless it is always, and texts with the given names.
type rules struct{ strings.Builder }

func (b *rules) add(id, settings string, names ...string) *rules {
	if b.Len() == 0 {
		b.WriteString("automations:\n")
	}
	text := "x"
	for _, n := range names {
		text += " {{" + n + "}}"
	}
	if !strings.Contains(settings, "when") {
		settings += ", when: { ask: Did the customer say that this is so? }"
	}
	fmt.Fprintf(b, "  - { id: %s, %s, actions: [team_alert: { text: %q }] }\n", id, strings.TrimPrefix(settings, ", "), text)
	return b
}

func (b *rules) revision(t testing.TB) *automation.Revision {
	t.Helper()
	return compile(t, automation.Files{"account.yaml": []byte(office), "rules.yaml": []byte(b.String())})
}

func due(rev *automation.Revision, ids ...string) []triggers.Trigger {
	return slices.DeleteFunc(rev.Triggers(), func(t triggers.Trigger) bool { return !slices.Contains(ids, t.ID) })
}

// outline is a sheet's key with what stands on it.
func outline(sheets []interview.Sheet) []string {
	var out []string
	for _, s := range sheets {
		parts := []string{s.Key + ":"}
		for _, q := range s.Questions {
			parts = append(parts, q.ID)
		}
		for _, c := range s.Choices {
			parts = append(parts, "choice "+c.ID)
		}
		for _, b := range s.Blanks {
			parts = append(parts, b.Name)
		}
		if s.Summary {
			parts = append(parts, "summary")
		}
		out = append(out, strings.Join(parts, " "))
	}
	return out
}

func TestSheets(t *testing.T) {
	t.Parallel()
	var b rules
	b.add("for-all", "", "dyn_topic")
	b.add("reception-only", "agents: [reception]", "dyn_topic", "dyn_room")
	b.add("switched-off", "enabled: false", "dyn_never")
	b.add("on-event", "on: call.reached, when: { point: x }")
	b.add("free", "when: always", "conversation_summary")
	b.add("free-with-value", "when: always", "dyn_room", "dyn_floor")
	b.add("idle-agent", "agents: [night], enabled: false", "dyn_night")
	rev := b.revision(t)
	for _, tt := range []struct {
		name, agent string
		due         []string
		summary     bool
		want        []string
	}{
		{"an agent that is named", "reception", []string{"for-all"}, false,
			[]string{"agent:reception/0: for-all reception-only dyn_topic dyn_room dyn_floor"}},
		{"what is due does not change the sheet", "reception", []string{"reception-only", "free-with-value"}, false,
			[]string{"agent:reception/0: for-all reception-only dyn_topic dyn_room dyn_floor"}},
		{"an agent nobody names", "helpline", []string{"for-all"}, false, []string{"all/0: for-all dyn_topic dyn_room dyn_floor"}},
		{"an agent that only a disabled automation names", "night", []string{"for-all"}, false, []string{"all/0: for-all dyn_topic dyn_room dyn_floor"}},
		{"always, with a value", "helpline", []string{"free-with-value"}, false, []string{"all/0: for-all dyn_topic dyn_room dyn_floor"}},
		{"nothing to ask", "helpline", []string{"free"}, true, nil},
		{"nothing due", "helpline", nil, true, nil},
		{"a summary, wanted and used", "helpline", []string{"for-all"}, true, []string{"all/0+s: for-all dyn_topic dyn_room dyn_floor summary"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := rev.Sheets(tt.agent, due(rev, tt.due...), tt.summary)
			if diff := cmp.Diff(tt.want, outline(got)); diff != "" {
				t.Errorf("sheets (-want +got)\n%s", diff)
			}
			for _, s := range got {
				if s.Account != "Acme Clinic" || s.Language != "en" {
					t.Errorf("account %q, language %q", s.Account, s.Language)
				}
			}
		})
	}
}

func TestSummaryIsAskedOnlyWhereUsed(t *testing.T) {
	t.Parallel()
	var b rules
	b.add("plain", "")
	b.add("with-summary", "agents: [reception]", "conversation_summary")
	rev := b.revision(t)
	if got := rev.Sheets("helpline", due(rev, "plain"), true); got[0].Summary || got[0].Key != "all/0" {
		t.Errorf("an agent without use for a summary is asked for one: %v", outline(got))
	}
	if got := rev.Sheets("reception", due(rev, "plain"), true); !got[0].Summary || got[0].Key != "agent:reception/0+s" {
		t.Errorf("the summary is not asked for: %v", outline(got))
	}
}

func TestShards(t *testing.T) {
	t.Parallel()
	var b rules
	for i := range 13 {
		b.add(fmt.Sprintf("q%d", i), "", "dyn_shared")
	}
	var many []string
	for i := range 39 {
		many = append(many, fmt.Sprintf("dyn_m%d", i))
	}
	b.add("wide", "", many...)
	b.add("two-more", "", "dyn_extra_one", "dyn_extra_two", "dyn_m3")
	b.add("choosing", "when: always, route: { options: { money: { when: invoices, to: [billing] } }, otherwise: [support] }")
	rev := compile(t, automation.Files{"account.yaml": []byte(office), "rules.yaml": []byte(strings.Replace(b.String(),
		`otherwise: [support] }, actions: [`, `otherwise: [support] }, actions: [email: { to: [route], subject: x }, `, 1))})

	all := rev.Sheets("any", rev.Triggers(), false)
	var sizes []string
	for _, s := range all {
		sizes = append(sizes, fmt.Sprintf("%s %d+%d+%d", s.Key, len(s.Questions), len(s.Choices), len(s.Blanks)))
	}
	want := []string{"all/0 12+0+1", "all/1 2+0+39", "all/2 1+1+2"}
	if diff := cmp.Diff(want, sizes); diff != "" {
		t.Fatalf("sheets (-want +got)\n%s", diff)
	}
	for _, tt := range []struct {
		due  string
		want []int // which of all
	}{
		{"q0", []int{0}},
		{"q12", []int{0, 1}}, // its variable belongs to the first sheet
		{"two-more", []int{1, 2}},
		{"choosing", []int{2}},
	} {
		t.Run(tt.due, func(t *testing.T) {
			t.Parallel()
			var want []interview.Sheet
			for _, i := range tt.want {
				want = append(want, all[i])
			}
			if diff := cmp.Diff(want, rev.Sheets("any", due(rev, tt.due), false)); diff != "" {
				t.Errorf("sheets (-want +got)\n%s", diff)
			}
		})
	}
}

// Equal files give equal sheets, and a caller that changes what it was given changes nobody else's.
func TestSheetsAreStable(t *testing.T) {
	t.Parallel()
	files := withStarters(t, starterIDs()...)
	rev := compile(t, files)
	want := rev.Sheets("any", rev.Triggers(), true)
	for range 6 {
		again := compile(t, files)
		if diff := cmp.Diff(want, again.Sheets("any", again.Triggers(), true)); diff != "" {
			t.Fatalf("two compilations give different sheets\n%s", diff)
		}
		if rev.Digest != again.Digest {
			t.Fatal("two compilations give different digests")
		}
	}
	spoilt := rev.Sheets("any", rev.Triggers(), true)
	for i := range spoilt {
		spoilt[i].Key = "spoilt"
		for j := range spoilt[i].Blanks {
			for k := range spoilt[i].Blanks[j].Values {
				spoilt[i].Blanks[j].Values[k].Key = "spoilt"
			}
		}
	}
	if diff := cmp.Diff(want, rev.Sheets("any", rev.Triggers(), true)); diff != "" {
		t.Errorf("the revision was changed from outside\n%s", diff)
	}
}

func TestBlank(t *testing.T) {
	t.Parallel()
	rev := compile(t, automation.Files{"account.yaml": []byte(office), "rules.yaml": []byte(callback), "callback.md.hbs": []byte("x")})
	for name, want := range map[string]interview.Blank{
		"dyn_callback_when": {Name: "dyn_callback_when", Type: "text", Ask: "When the customer wants to be called back", SaidBy: interview.Customer, Max: 500},
		"dyn_topic":         {Name: "dyn_topic", Type: "text", Ask: "topic", SaidBy: interview.Anyone, Max: 500},
		"dyn_severity": {Name: "dyn_severity", Type: "enum", Ask: "severity", SaidBy: interview.Anyone,
			Values: []interview.Option{{Key: "critical", When: "down"}, {Key: "high", When: "bad"}, {Key: "low", When: "rest"}}},
	} {
		if diff := cmp.Diff(want, rev.Blank(name)); diff != "" {
			t.Errorf("Blank(%s) (-want +got)\n%s", name, diff)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	files := automation.Files{"account.yaml": []byte(office), "rules.yaml": []byte(callback), "callback.md.hbs": []byte("x")}
	for b.Loop() {
		automation.Compile(files)
	}
}
