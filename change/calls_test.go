package change_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"aftercall/automation"
	"aftercall/change"
	"aftercall/conversation"
	"aftercall/internal/llm"
	"aftercall/internal/postgres/pgtest"
	"aftercall/internal/store"
	"aftercall/interview"
	"aftercall/worker"
)

// listener is a model that answers by what was said: yes where somebody says the words of a question's id, and how bad it
// is. It finds its way by the schema alone.
type listener struct{}

func (listener) Complete(_ context.Context, r llm.Request) (llm.Reply, error) {
	var form struct {
		Properties struct {
			Automations, Variables, Summary *struct{ Properties map[string]any }
		}
	}
	if err := json.Unmarshal(r.Schema, &form); err != nil {
		return llm.Reply{}, err
	}
	out, p := map[string]any{}, form.Properties
	if p.Automations != nil {
		verdicts := map[string]any{}
		for _, id := range slices.Sorted(maps.Keys(p.Automations.Properties)) {
			verdict, evidence := "no", []any{}
			if turn, quote := heard(r, strings.ReplaceAll(id, "-", " ")); turn > 0 {
				verdict, evidence = "yes", []any{map[string]any{"turn": turn, "quote": quote}}
			}
			verdicts[id] = map[string]any{"evidence": evidence, "verdict": verdict}
		}
		out["automations"] = verdicts
	}
	if p.Variables != nil {
		stated := []any{}
		if turn, quote := heard(r, "urgent"); turn > 0 {
			stated = append(stated, map[string]any{"name": "dyn_severity", "turn": turn, "quote": quote, "value": "high"})
		}
		out["variables"] = stated
	}
	if p.Summary != nil {
		out["summary"] = "They talked about the boiler."
	}
	raw, err := json.Marshal(out)
	return llm.Reply{Content: string(raw), Model: "listener", TokensIn: 900, TokensOut: 100}, err
}

// heard finds a turn of the transcript that holds some words.
func heard(r llm.Request, words string) (turn int, text string) {
	for line := range strings.Lines(r.Messages[1].Content) {
		var t struct {
			T    int
			Text string
		}
		if json.Unmarshal([]byte(line), &t) == nil && t.T > 0 && strings.Contains(t.Text, words) {
			return t.T, t.Text
		}
	}
	return 0, ""
}

const acme = `account: acme
name: Acme Clinic
timezone: Europe/London
from: { email: "calls@acme.example" }
allow: { domains: [acme.example] }
people: { maria: { name: Maria Lopez, email: maria@acme.example } }
variables:
  dyn_severity: { type: enum, values: { high: "it is urgent", low: "everything else" } }
automations:
  - id: call-me-back
    when: { ask: Did the customer ask to be called back? }
    route: { on: dyn_severity, to: { high: [oncall@acme.example] }, otherwise: [support@acme.example] }
    actions:
      - email: { to: [route], reply_to: maria, subject: "Call back", body: "{{conversation_summary}}\n\nCall {{customer_number}}." }
      - task: { title: "Call {{customer_number}}", due: { after: 4h } }
`

// archive is a database with decided calls in it.
type archive struct {
	db        *store.Store
	revisions *worker.Revisions
	base      *automation.Revision
	ids       []string
}

// keep stores n calls and decides them as a worker would: every other one asks to be called back, every third is urgent.
func keep(t testing.TB, n int) *archive {
	t.Helper()
	ctx := t.Context()
	db, err := store.Open(ctx, pgtest.New(t), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	files := automation.Files{"account.yaml": []byte(acme)}
	rev, problems := automation.Compile(files)
	if rev == nil {
		t.Fatal(problems)
	}
	if rev.ID, _, err = db.Apply(ctx, store.RevisionFiles{AccountID: "acme", Digest: rev.Digest, Format: rev.Format, Files: files},
		store.Activation{By: "ann", Origin: store.ByCLI}); err != nil {
		t.Fatal(err)
	}
	a := &archive{db: db, revisions: worker.NewRevisions(db, slog.New(slog.DiscardHandler)), base: rev}
	in := db.NewIngest(func(context.Context, pgx.Tx, []store.DecideJob) error { return nil })
	planner := db.NewPlanner(func(context.Context, pgx.Tx, []store.DeliverJob) error { return nil })
	i := interview.NewInterviewer(listener{}, db, interview.Limits{})
	for k := range n {
		c := talk(k)
		accepted, err := in.Accept(ctx, store.Arrival{Event: store.Event{AccountID: "acme", Source: "api", Identity: c.ExternalID, Type: "conversation", Body: []byte("{}")},
			Conversation: c, RevisionID: rev.ID, DecideAt: c.EndedAt})
		if err != nil {
			t.Fatal(err)
		}
		c.ID = accepted.ConversationID
		r, err := worker.Rehearse(ctx, i, c, rev, c.EndedAt)
		if err != nil {
			t.Fatal(err)
		}
		r.Plan.Version = 1
		if saved, err := planner.Save(ctx, r.Plan); err != nil || !saved.OK {
			t.Fatal(saved, err)
		}
		a.ids = append(a.ids, c.ID)
	}
	if _, err := db.Pool().Exec(ctx, "UPDATE conversations SET accepted_at = ended_at + interval '1 minute'"); err != nil {
		t.Fatal(err)
	}
	return a
}

// talk is the k-th call.
func talk(k int) *conversation.Conversation {
	ended := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC).Add(time.Duration(k) * time.Minute)
	c := &conversation.Conversation{
		ExternalID: fmt.Sprintf("call-%d", k), Agent: conversation.Agent{ID: "reception", Name: "Reception"}, Channel: conversation.ChannelPhone,
		Direction: conversation.Inbound, Status: conversation.Completed, StartedAt: ended.Add(-3 * time.Minute), EndedAt: ended,
		FromNumber: "+447700900456", ToNumber: "+442071838750",
	}
	said := []string{"Acme Clinic, how can I help you today?", "Hello, it is about the boiler in the practice.", "Could you tell me its model, please?",
		"Um, the old one, no, sorry, the one on the first floor.", "Thank you, I have found it here.", "It makes a noise when it starts."}
	if k%2 == 0 {
		said = append(said, "I will see who is free.", "Please call me back when you know more.")
	}
	if k%3 == 0 {
		said = append(said, "How bad is it?", "It is really urgent for us, the waiting room is cold.")
	}
	for n, text := range append(said, "I will pass that on.", "Thanks, goodbye.") {
		role := conversation.RoleAgent
		if n%2 == 1 {
			role = conversation.RoleCustomer
		}
		c.Turns = append(c.Turns, conversation.Turn{Role: role, Text: text, AtMS: int64(n) * 7000})
	}
	return c
}

// ask compares the base with what a replacement in it makes.
func (a *archive) ask(t testing.TB, model llm.Model, calls int, old, new string) change.Report {
	t.Helper()
	if strings.Count(acme, old) != 1 {
		t.Fatalf("%q stands %d times in the base", old, strings.Count(acme, old))
	}
	r, err := change.Of(t.Context(), change.Question{Store: a.db, Revisions: a.revisions, Candidate: revisionOf(t, strings.Replace(acme, old, new, 1)), Calls: calls, Model: model})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func revisionOf(t testing.TB, text string) *automation.Revision {
	t.Helper()
	rev, problems := automation.Compile(automation.Files{"account.yaml": []byte(text)})
	if rev == nil {
		t.Fatal(problems)
	}
	return rev
}

// TestEffects: of six calls three ask to be called back (0, 2, 4) and two are urgent (0, 3).
func TestEffects(t *testing.T) {
	t.Parallel()
	a := keep(t, 6)
	for _, c := range []struct {
		name, old, new string
		want           []change.Automation
		changed        int
		effect         string // one of them
	}{
		{"nothing that is said", "account: acme\n", "account: acme # ours\n", []change.Automation{}, 0, ""},
		{"a gate", "when: { ask: Did", "when: { calls: { min_turns: 11 }, ask: Did", []change.Automation{{ID: "call-me-back", Stops: 2}}, 2,
			"call-4 stops : fires (fired) turn 8: “Please call me back when you know more.” → skipped (too_short)"},
		{"no question any more", "when: { ask: Did the customer ask to be called back? }", "when: always", []change.Automation{{ID: "call-me-back", Fires: 3}}, 3,
			"call-3 fires : no (condition_not_met) → fires (always): email 1 to email:oncall@acme.example; task 1 to nobody"},
		{"another branch", "to: { high: [oncall@acme.example] }", "to: { high: [boiler@acme.example] }", []change.Automation{{ID: "call-me-back", Recipients: 1}}, 1,
			"call-0 recipients email 1: email:oncall@acme.example → email:boiler@acme.example"},
		{"a text", "Call {{customer_number}}.\"", "Ring {{customer_number}}.\"", []change.Automation{{ID: "call-me-back", Texts: 3}}, 3,
			"call-2 text email 1 text: They talked about the boiler.\n\nCall +447700900456. → They talked about the boiler.\n\nRing +447700900456."},
		{"a condition", "email: { to: [route],", "email: { if: dyn_severity == \"high\", to: [route],", []change.Automation{{ID: "call-me-back", Recipients: 2, Outcome: 2}}, 2,
			"call-4 outcome email 1: sent → skipped (condition_false)"},
		{"another time", "email: { to: [route],", "email: { send: { after: 10m }, to: [route],", []change.Automation{{ID: "call-me-back", Outcome: 3}}, 3,
			"call-2 outcome email 1: sent → sent at 2026-11-20 10:12 UTC (waiting)"},
		{"a person's address", "email: maria@acme.example", "email: m.lopez@acme.example", []change.Automation{{ID: "call-me-back", Texts: 3}}, 3,
			"call-2 text email 1 reply to: person:maria (maria@acme.example) → person:maria (m.lopez@acme.example)"},
		{"the sender", "from: { email: \"calls@acme.example\" }", "from: { email: \"office@acme.example\" }", []change.Automation{{ID: "call-me-back", Texts: 3}}, 3,
			"call-2 text email 1 from: <calls@acme.example> → <office@acme.example>"},
		{"an action more", "due: { after: 4h } }", "due: { after: 4h } }\n      - team_alert: { to: all, text: \"Call back wanted.\" }",
			[]change.Automation{{ID: "call-me-back", Recipients: 3}}, 3, "call-0 recipients team_alert 1: nobody → all"},
		{"a task due sooner", "after: 4h", "after: 1h", []change.Automation{{ID: "call-me-back", Texts: 3}}, 3,
			"call-0 text task 1 due: 2026-11-20T14:00:00Z → 2026-11-20T11:00:00Z"},
		{"another question", "called back?", "called back by a doctor?", []change.Automation{{ID: "call-me-back", Unjudged: 6}}, 0, ""},
		{"a variable nobody asked for", "Call {{customer_number}}.", "Call {{customer_number}} {{dyn_when}}.", []change.Automation{{ID: "call-me-back", Unjudged: 3}}, 0, ""},
		{"a required value, which is asked for once more", "    route:", "    require: [dyn_severity]\n    route:", []change.Automation{{ID: "call-me-back", Unjudged: 2}}, 0, ""},
		{"an automation less, another more", "id: call-me-back\n    when: { ask: Did the customer ask to be called back? }", "id: every-call\n    when: always",
			[]change.Automation{{ID: "every-call", Fires: 6}, {ID: "call-me-back", Stops: 3}}, 6, "call-5 fires : not there → fires (always): email 1 to email:support@acme.example; task 1 to nobody"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := a.ask(t, nil, 100, c.old, c.new).Calls
			if got.Looked != 6 || got.Changed != c.changed || got.Spent != 0 {
				t.Errorf("looked at %d, %d changed, for %d tokens; want 6, %d and none", got.Looked, got.Changed, got.Spent, c.changed)
			}
			if diff := cmp.Diff(c.want, got.Automations); diff != "" {
				t.Error(diff)
			}
			var effects []string
			for _, e := range got.Effects {
				effects = append(effects, fmt.Sprintf("%s %s %s: %s → %s", e.Call, e.Kind, e.What, e.Before, e.After))
			}
			if c.effect != "" && !slices.Contains(effects, c.effect) {
				t.Errorf("want %q among:\n%s", c.effect, strings.Join(effects, "\n"))
			}
		})
	}
}

// TestAsked: with a model, what nobody asked is asked, what is known is not, and no answer is kept.
func TestAsked(t *testing.T) {
	t.Parallel()
	a := keep(t, 6)
	before, err := a.db.Recall(t.Context(), a.ids[0], a.base.ID)
	if err != nil {
		t.Fatal(err)
	}
	got := a.ask(t, listener{}, 100, "id: call-me-back\n", "id: urgent\n").Calls
	want := []change.Automation{{ID: "urgent", Fires: 2}, {ID: "call-me-back", Stops: 3}}
	if diff := cmp.Diff(want, got.Automations); diff != "" || got.Unjudged != 0 || got.Spent != 6*1000 {
		t.Errorf("%s, %d not judged, for %d tokens", diff, got.Unjudged, got.Spent)
	}
	if known := a.ask(t, listener{}, 100, "Call {{customer_number}}.\"", "Ring {{customer_number}}.\"").Calls; known.Spent != 0 || known.Changed != 3 {
		t.Errorf("what is known was asked, for %d tokens; %d changed", known.Spent, known.Changed)
	}
	after, err := a.db.Recall(t.Context(), a.ids[0], a.base.ID)
	if diff := cmp.Diff(before, after); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

// TestHowManyCalls: the last ones, across pages, no more than wanted and no more than there are.
func TestHowManyCalls(t *testing.T) {
	t.Parallel()
	a := keep(t, 103)
	for calls, want := range map[int]int{1: 1, 100: 100, 101: 101, 5000: 103} {
		got := a.ask(t, nil, calls, "Call {{customer_number}}.\"", "Ring {{customer_number}}.\"").Calls
		if got.Looked != want || got.To.Before(got.From) || len(got.Effects) == 0 || got.Effects[0].Call != "call-102" {
			t.Errorf("of %d it looks at %d, from %v to %v", calls, got.Looked, got.From, got.To)
		}
	}
	if r := a.ask(t, nil, 0, "Call {{customer_number}}.\"", "Ring {{customer_number}}.\""); r.Calls != nil || len(r.Items) != 1 {
		t.Errorf("no call was to be looked at: %+v", r)
	}
}

// TestTheFirstRevision: where nothing is active, everything is new.
func TestTheFirstRevision(t *testing.T) {
	t.Parallel()
	a := keep(t, 0)
	r, err := change.Of(t.Context(), change.Question{Store: a.db, Revisions: a.revisions, Candidate: revisionOf(t, strings.Replace(acme, "account: acme", "account: umbra", 1)), Calls: 10})
	if err != nil || r.Base != nil || r.Same || r.Calls != nil {
		t.Fatalf("%+v, %v", r, err)
	}
	var kinds []string
	for _, i := range r.Items {
		kinds = append(kinds, i.Kind+" "+i.Change)
	}
	if diff := cmp.Diff([]string{"settings changed", "person added", "variable added", "automation added"}, kinds); diff != "" {
		t.Error(diff)
	}
}

// BenchmarkDiff is a change of one text over 500 stored calls, with recorded answers.
func BenchmarkDiff(b *testing.B) {
	a := keep(b, 500)
	b.ReportAllocs()
	for b.Loop() {
		if got := a.ask(b, nil, 500, "Call {{customer_number}}.\"", "Ring {{customer_number}}.\"").Calls; got.Looked != 500 || got.Changed != 250 {
			b.Fatal(got.Looked, got.Changed)
		}
	}
}
