package rehearsal_test

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"aftercall/internal/llm"
	"aftercall/internal/llm/openai"
	"aftercall/internal/llm/simulated"
	"aftercall/rehearsal"
)

// labelled is a set in the format of other people's conversations.
const labelled = `
-- triggers.json --
{"callback_requested": "Did the customer ask to be called back?", "order_placed": "Did the customer place an order?"}
-- labels.jsonl --
{"id": "t-1", "situation": "callback_requested", "expected": true, "why": "", "basis": "read"}
{"id": "t-1", "situation": "order_placed", "expected": false, "why": "", "basis": "read"}
{"id": "t-1", "variable": "dyn_customer_name", "expected": "Ana Ruiz", "accept": ["Ana"], "why": "", "basis": "literal"}
{"id": "t-1", "variable": "dyn_meeting_link", "expected": null, "accept": [], "why": "", "basis": "absence"}
{"id": "t-2", "situation": "callback_requested", "expected": false, "why": "", "basis": "read"}
-- talks.jsonl --
{"id": "t-1", "source": "made", "licence": "none", "channel": "voice", "direction": "inbound", "language": "en", "started_at": "2026-11-02T09:00:00Z", "duration_seconds": 30, "participants": {"agent": "Tom", "customer": "Ana Ruiz"}, "turns": [{"role": "customer", "text": "My name is Ana Ruiz, please call me back tomorrow.", "start_ms": 0}, {"role": "agent", "text": "We will."}], "truth": {}, "tags": []}

{"id": "t-2", "source": "made", "licence": "none", "channel": "chat", "direction": null, "language": "en", "started_at": null, "duration_seconds": null, "participants": {"agent": null, "customer": null}, "turns": [{"role": "customer", "text": "What time do you open?"}, {"role": "agent", "text": "At nine."}], "truth": {}, "tags": []}
`

func setOf(t *testing.T, text string) string {
	t.Helper()
	return folder(t, txtar.Parse([]byte(text)))
}

func simulatedModel(t *testing.T) llm.Model {
	t.Helper()
	server := httptest.NewServer(simulated.New(simulated.Options{}))
	t.Cleanup(server.Close)
	m, err := openai.New(openai.Config{BaseURL: server.URL + "/v1", Model: simulated.ModelName})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestALabelledSetIsJudgedByItsOwnQuestions(t *testing.T) {
	t.Parallel()
	dir := setOf(t, labelled)
	if !rehearsal.IsLabelled(dir) || rehearsal.IsLabelled(t.TempDir()) || rehearsal.IsLabelled(filepath.Join(dir, "triggers.json")) {
		t.Error("a labelled set is not told from another folder, or from a file")
	}
	set, err := rehearsal.Labelled(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(set) != 2 || set[0].ID != "t-1" || set[0].Call.Channel != "phone" || set[1].Call.EndedAt.Sub(set[1].Call.StartedAt).Minutes() != 1 {
		t.Fatalf("read %+v", set)
	}
	if a := set[0].Account.Automation("callback-requested"); a == nil || a.Trigger.Ask != "Did the customer ask to be called back?" {
		t.Errorf("the account asks %+v", a)
	}
	if c := set[0].Call; c.Customer.Name != "" || c.Agent.Name != "" {
		t.Errorf("the prompt would hold what the labels ask for: %+v, %+v", c.Customer, c.Agent)
	}
	r, err := rehearsal.Evaluate(t.Context(), answering(t, `{
		"automations": {"callback-requested": {"evidence": [{"turn": 1, "quote": "please call me back"}], "verdict": "yes"},
			"order-placed": {"evidence": [{"turn": 1, "quote": "I want ten of them"}], "verdict": "yes"}},
		"variables": [{"name": "dyn_customer_name", "turn": 1, "quote": "My name is Ana Ruiz", "value": "ana  RUIZ"},
			{"name": "dyn_meeting_link", "turn": 1, "quote": "My name is Ana Ruiz", "value": "a link"}]}`), set, 1)
	if err != nil {
		t.Fatal(err)
	}
	wantTriggers := []rehearsal.Trigger{{ID: "callback-requested", Right: 1, Silent: 1, Unsure: 1}, {ID: "order-placed", Silent: 1, Unsure: 1}}
	if diff := cmp.Diff(wantTriggers, r.Triggers); diff != "" {
		t.Errorf("triggers: -want +got:\n%s", diff)
	}
	if diff := cmp.Diff(rehearsal.Values{Right: 1, Invented: 1}, r.Variables); diff != "" {
		t.Errorf("variables: -want +got:\n%s", diff)
	}
	if want := (rehearsal.Share{Part: 1, Of: 4}); r.Quotes != want {
		t.Errorf("quotes %v, want %v: three yeses rest on words that nobody said", r.Quotes, want)
	}
	if want := (rehearsal.Share{Of: 4}); r.Flips != want {
		t.Errorf("flips %v, want %v: two questions about two calls; the automations that always fire ask none", r.Flips, want)
	}
	if r.Conversations != 2 || r.Failures != 0 || r.Model != "tested-1" || r.TokensIn == 0 || r.P95 < r.P50 || r.P50 == 0 {
		t.Errorf("report %+v", r)
	}
}

func TestAuthorsTestsAreASet(t *testing.T) {
	t.Parallel()
	dir := folder(t, archive(t, "testdata/read/base.txtar"))
	set := suiteIn(t, dir).Samples()
	if len(set) != 1 {
		t.Fatalf("%d samples", len(set))
	}
	if diff := cmp.Diff(map[string]bool{"callback": true, "issue": false}, set[0].Fires); diff != "" {
		t.Error(diff)
	}
	r, err := rehearsal.Evaluate(t.Context(), simulatedModel(t), set, 3)
	if err != nil {
		t.Fatal(err)
	}
	if !r.Simulated || r.Model != simulated.ModelName || r.Calls < 3 || r.Flips.Part != 0 || r.Flips.Of != 2 {
		t.Errorf("report %+v", r)
	}
	var b bytes.Buffer
	if err := rehearsal.PrintReports(&b, []rehearsal.Report{r}, []rehearsal.Price{{In: 1, Out: 2}}); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(b.String(), simulated.ModelName+" is the SIMULATED model") || !strings.Contains(b.String(), "$0.00") {
		t.Errorf("the report does not begin with who answered, or has no cost:\n%s", b.String())
	}
	if _, err := json.Marshal(r); err != nil {
		t.Error(err)
	}
}

// TestADecisionThatChangesIsAFlip, and the first try is the one that counts.
func TestADecisionThatChangesIsAFlip(t *testing.T) {
	t.Parallel()
	r, err := rehearsal.Evaluate(t.Context(), answering(t, yes, no), suiteIn(t, office(t, oneTest)).Samples(), 2)
	if err != nil {
		t.Fatal(err)
	}
	if want := (rehearsal.Share{Part: 1, Of: 1}); r.Flips != want || r.Triggers[0].Right != 1 || r.Triggers[0].Missed != 0 {
		t.Errorf("flips %v of %+v, want %v and one that fired rightly", r.Flips, r.Triggers, want)
	}
}

func TestAModelThatIsAwayIsNotCountedAsSilent(t *testing.T) {
	t.Parallel()
	away, err := openai.New(openai.Config{BaseURL: "http://127.0.0.1:1/v1", Model: "tested"})
	if err != nil {
		t.Fatal(err)
	}
	set, err := rehearsal.Labelled(setOf(t, labelled))
	if err != nil {
		t.Fatal(err)
	}
	r, err := rehearsal.Evaluate(t.Context(), away, set, 1)
	if err != nil {
		t.Fatal(err)
	}
	if r.Failures != 2 || r.First == nil || len(r.Triggers) != 0 || r.P95 != 0 {
		t.Errorf("report %+v", r)
	}
}

// busy is a model that asks for patience a few times before it answers.
type busy struct{ left atomic.Int64 }

// Complete answers once the model is no longer busy.
func (b *busy) Complete(context.Context, llm.Request) (llm.Reply, error) {
	if b.left.Add(-1) >= 0 {
		return llm.Reply{}, &llm.Error{Kind: llm.RateLimited, After: 20 * time.Second}
	}
	return llm.Reply{Content: yes, Model: "tested-1", Latency: time.Second}, nil
}

// TestABusyModelIsWaitedFor, as the queue does on the line; for how long is not the model's time.
func TestABusyModelIsWaitedFor(t *testing.T) {
	t.Parallel()
	suite := suiteIn(t, office(t, oneTest))
	synctest.Test(t, func(t *testing.T) {
		for tries, failures := range map[int64]int{3: 0, 100: 1} {
			model := &busy{}
			model.left.Store(tries)
			r, err := rehearsal.Evaluate(t.Context(), model, suite.Samples(), 1)
			if err != nil {
				t.Fatal(err)
			}
			if r.Failures != failures {
				t.Errorf("busy for %d requests: %d failures, want %d: %v", tries, r.Failures, failures, r.First)
			}
			if failures == 0 && (r.P95 != time.Second || r.Triggers[0].Right != 1) {
				t.Errorf("report %+v", r)
			}
		}
	})
}

func TestASetThatIsWrong(t *testing.T) {
	t.Parallel()
	for name, change := range map[string][2]string{
		"a label for nobody":      {`{"id": "t-2", "situation"`, `{"id": "t-3", "situation"`},
		"a label that is a count": {`"expected": "Ana Ruiz"`, `"expected": 7`},
		"a situation nobody asks": {`"situation": "order_placed"`, `"situation": "order_plaecd"`},
		"a label about nothing":   {`"situation": "order_placed", `, ``},
		"a variable of ours":      {`"variable": "dyn_customer_name"`, `"variable": "customer_name"`},
		"one conversation twice":  {`{"id": "t-2", "source"`, `{"id": "t-1", "source"`},
		"a line that is cut":      {`{"id": "t-1", "source"`, `{"id": "t-1", source`},
		"no labels":               {"-- labels.jsonl --", "-- labels.txt --"},
		"no question":             {`"Did the customer place an order?"`, `""`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(labelled, change[0]) {
				t.Fatal("nothing to change")
			}
			if _, err := rehearsal.Labelled(setOf(t, strings.Replace(labelled, change[0], change[1], 1))); err == nil {
				t.Error("read as if nothing were wrong")
			}
		})
	}
	if _, err := rehearsal.Labelled(filepath.Join(t.TempDir(), "nowhere")); err == nil {
		t.Error("read a folder that is not there")
	}
}

func TestWilson(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		share     rehearsal.Share
		low, high float64
	}{
		// Newcombe (1998), table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
		{rehearsal.Share{Part: 81, Of: 263}, 0.2553, 0.3662},
		{rehearsal.Share{Part: 15, Of: 148}, 0.0624, 0.1605},
		{rehearsal.Share{Part: 0, Of: 20}, 0, 0.1611},
		{rehearsal.Share{Part: 1, Of: 29}, 0.0061, 0.1718},
		{rehearsal.Share{}, 0, 1},
	} {
		low, high := c.share.Wilson()
		if math.Abs(low-c.low) > 0.0001 || math.Abs(high-c.high) > 0.0001 {
			t.Errorf("%v: got %.4f to %.4f, want %.4f to %.4f", c.share, low, high, c.low, c.high)
		}
	}
}

// TestEachModelHasItsPrice: two models at one price would say nothing about what they cost.
func TestEachModelHasItsPrice(t *testing.T) {
	t.Parallel()
	reports := []rehearsal.Report{{Model: "small", TokensIn: 1_000_000, TokensOut: 500_000}, {Model: "large", TokensIn: 1_000_000, TokensOut: 500_000}}
	for _, c := range []struct {
		prices       []rehearsal.Price
		small, large string
	}{
		{nil, "no price given", "no price given"},
		{[]rehearsal.Price{{In: 0.4, Out: 1.6}}, "$1.2000", "$1.2000"},
		{[]rehearsal.Price{{In: 0.4, Out: 1.6}, {In: 2, Out: 8}}, "$1.2000", "$6.0000"},
	} {
		var b bytes.Buffer
		if err := rehearsal.PrintReports(&b, reports, c.prices); err != nil {
			t.Fatal(err)
		}
		costs := regexp.MustCompile(`(small|large) +0 +1000000 +500000 +(no price given|\$[0-9.]+) `).FindAllStringSubmatch(b.String(), -1)
		if len(costs) != 2 || costs[0][2] != c.small || costs[1][2] != c.large {
			t.Errorf("%v: got %v, want %s and %s in\n%s", c.prices, costs, c.small, c.large, b.String())
		}
	}
}

func TestBelow(t *testing.T) {
	t.Parallel()
	r := rehearsal.Report{Triggers: []rehearsal.Trigger{{ID: "good", Right: 19, Wrong: 1}, {ID: "bad", Right: 1, Wrong: 1}, {ID: "silent", Missed: 3}}}
	below := r.Below(0.95)
	if len(below) != 1 || below[0].ID != "bad" {
		t.Errorf("below: %v", below)
	}
}
