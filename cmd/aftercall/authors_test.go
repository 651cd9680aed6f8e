package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

const (
	acme     = "../../examples/acme"
	acmeCall = "../../examples/calls/01-callback-requested.json"
)

// says checks a command line: its exit code, and what its output holds and does not hold.
func says(t *testing.T, environment map[string]string, args []string, code int, holds []string, lacks ...string) string {
	t.Helper()
	got, out := cli(t, environment, args...)
	if got != code {
		t.Errorf("%v ends with %d, want %d:\n%s", args, got, code, out)
	}
	for _, want := range holds {
		if !strings.Contains(out, want) {
			t.Errorf("%v does not say %q:\n%s", args, want, out)
		}
	}
	for _, not := range lacks {
		if strings.Contains(out, not) {
			t.Errorf("%v says %q:\n%s", args, not, out)
		}
	}
	return out
}

func TestPreview(t *testing.T) {
	t.Parallel()
	says(t, nil, []string{"preview", "callback-requested", "--call", acmeCall, "--dir", acme}, 0, []string{
		"No model was asked.", "SAMPLES", `dyn_callback_when = "sample of callback when" (text)`,
		"1. email → support@acme.example, maria@acme.example", "subject: Callback requested - +447700900456", "HTML part:", "2. task → support", "3. team_alert → all",
	})
	says(t, nil, []string{"preview", "--dir", acme, "--call", acmeCall, "calback-requested"}, 1, []string{"did you mean callback-requested?"})
	says(t, nil, []string{"preview", "callback-requested", "--dir", acme}, 2, []string{"--call FILE"})
	says(t, nil, []string{"preview", "--call", acmeCall}, 2, []string{"usage: aftercall preview"})
	says(t, nil, []string{"preview", "callback-requested", "--call", acmeCall, "--dir", t.TempDir()}, 1, []string{"no account.yaml"})
}

func TestPreviewWithAnAnswer(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "answer.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"preview", "callback-requested", "--call", acmeCall, "--dir", acme, "--answer", file}
	write(`yes: { callback-requested: [{ turn: 8, quote: "Could somebody call me back" }] }
variables: { dyn_callback_when: { turn: 8, quote: "call me back tomorrow after three", value: tomorrow after three } }
`)
	says(t, nil, args, 0, []string{"When: tomorrow after three", "Callback wanted: tomorrow after three"}, "SAMPLES", "technical@")
	write(`yes: { callback-requested: [{ turn: 9, quote: "I will pass that on" }] }`)
	says(t, nil, args, 1, []string{"It does not fire: unsure, wrong_speaker"})
	write(`yess: {}`)
	says(t, nil, args, 1, []string{"answer.yaml:1:1: error[AC602]", "did you mean yes?"})
}

// TestTry asks the simulated model, which says that it is one, and any other server that the settings name.
func TestTry(t *testing.T) {
	t.Parallel()
	says(t, nil, []string{"try", "--call", acmeCall, "--dir", acme}, 0, []string{
		"Nothing is sent and nothing is kept. Answered by the SIMULATED model", "callback-requested: fires", "turn 8, customer: “", "dyn_callback_when = ",
		"email → support@acme.example: planned", "billing-inquiry: no", "model call", "no account's budget counts them", "4 automations of other agents not shown",
	})
	says(t, nil, []string{"try", "--call", acmeCall, "--dir", acme, "billing-inquiry"}, 0, []string{"billing-inquiry: no"}, "callback-requested: fires")
	says(t, nil, []string{"try", "--call", acmeCall, "--dir", acme, "biling-inquiry"}, 1, []string{"did you mean billing-inquiry?"})
	says(t, nil, []string{"try", "--call", acmeCall, "--dir", acme, "--model", "gpt-4.1"}, 1, []string{"OPENAI_API_KEY is not set"})

	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { completion(w, "No.") }))
	t.Cleanup(server.Close)
	says(t, map[string]string{"OPENAI_BASE_URL": server.URL + "/v1"}, []string{"try", "--call", acmeCall, "--dir", acme}, 0,
		[]string{"Answered by gpt-4.1-mini", "callback-requested: unsure, needs review", "answer_invalid"}, "SIMULATED")
}

// TestOnlyTheModelThatIsNamedIsAsked: a fallback would be measured, or recorded, in its name.
func TestOnlyTheModelThatIsNamedIsAsked(t *testing.T) {
	t.Parallel()
	var asked, others atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if asked.Add(1); err != nil || strings.Contains(string(body), "another-model") {
			others.Add(1)
		}
		http.Error(w, `{"error": {"message": "no such thing"}}`, http.StatusBadRequest)
	}))
	t.Cleanup(server.Close)
	settings := map[string]string{"OPENAI_BASE_URL": server.URL + "/v1", "AFTERCALL_FALLBACK_MODEL": "another-model"}
	_, out := cli(t, settings, "try", "--call", acmeCall, "--dir", acme)
	if asked.Load() == 0 || others.Load() > 0 {
		t.Errorf("%d requests, %d of them to the fallback:\n%s", asked.Load(), others.Load(), out)
	}
}

// TestTest: what lies in the tree passes offline; what is recorded from the simulated model says so ever after.
func TestTest(t *testing.T) {
	t.Parallel()
	report := filepath.Join(t.TempDir(), "report.xml")
	says(t, nil, []string{"test", acme, "--junit", report}, 0, []string{"answers written by hand", "0 failed"})
	if b, err := os.ReadFile(report); err != nil || !strings.Contains(string(b), "<testsuite ") {
		t.Errorf("the JUnit report: %s, %v", b, err)
	}
	says(t, nil, []string{"test", acme, "--run", "no such case"}, 1, []string{"no case was run"})
	says(t, nil, []string{"test", t.TempDir()}, 1, []string{"their names end in .test.yaml"})
	says(t, nil, []string{"test", "--record", "--live", acme}, 2, []string{"choose one"})
	says(t, nil, []string{"test", "--by-hand", acme}, 2, []string{"--by-hand goes with --record"})
	says(t, nil, []string{"test", "--run", "(", acme}, 2, []string{"--run"})

	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "acme"), os.DirFS(acme)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "acme", "own.test.yaml")
	call, err := filepath.Abs(acmeCall)
	if err != nil {
		t.Fatal(err)
	}
	test := "cases:\n  - name: a call back\n    call: " + call + "\n    expect: { fires: [callback-requested] }\n"
	if err := os.WriteFile(file, []byte(test), 0o644); err != nil {
		t.Fatal(err)
	}
	says(t, nil, []string{"test", file}, 1, []string{"own.test.yaml:2: a call back", "run `aftercall test --record`"})
	says(t, nil, []string{"test", "--live", file}, 0, []string{"asking the SIMULATED model", "0 failed", "no account's budget counts them"})
	says(t, nil, []string{"test", file}, 1, []string{"run `aftercall test --record`"})
	says(t, nil, []string{"test", "--record", file}, 0, []string{"SIMULATED"})
	says(t, nil, []string{"test", file}, 0, []string{"SIMULATED", "1 passed"})
	if err := os.WriteFile(file, []byte(strings.Replace(test, "[callback-requested]", "[billing-inquiry]", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	says(t, nil, []string{"test", file}, 1, []string{"got  [callback-requested]", "want [billing-inquiry]"})
	if err := os.WriteFile(file, []byte(strings.Replace(test, "[callback-requested]", "[calback-requested]", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	says(t, nil, []string{"test", file}, 1, []string{"own.test.yaml:4:23: error[AC605]", "did you mean callback-requested?", "1 error in the tests"})
}

func TestEval(t *testing.T) {
	t.Parallel()
	worked := filepath.Join(acme, "tests", "worked-examples.test.yaml")
	file := filepath.Join(t.TempDir(), "figures.json")
	out := says(t, nil, []string{"eval", worked, "--repeat", "2", "--model", "simulated,simulated", "--json", file, "--price", "0.40,1.60"}, 0,
		[]string{"is the SIMULATED model", "precision", "callback-requested", "flips"})
	if n := strings.Count(out, "\ncallback-requested "); n != 2 {
		t.Errorf("two models make %d lines for a trigger:\n%s", n, out)
	}
	var figures struct {
		Models []struct {
			Simulated     bool
			Conversations int
			Triggers      []struct{ ID string }
		}
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &figures); err != nil || len(figures.Models) != 2 || !figures.Models[0].Simulated || figures.Models[0].Conversations != 5 {
		t.Errorf("the figures: %+v, %v", figures, err)
	}
	says(t, nil, []string{"eval", acme, "--min-precision", "1.1"}, 1, []string{"simulated-lexical-1: 21 conversations", "below 1.10"})
	says(t, nil, []string{"eval"}, 2, []string{"name a set"})
	says(t, nil, []string{"eval", acme, "--repeat", "0"}, 2, []string{"from 1 to 100"})
	for _, price := range []string{"much", "0.40", "0.40,1.60,2", "-1,2", "NaN,1"} {
		says(t, nil, []string{"eval", acme, "--price", price}, 2, []string{"two numbers"})
	}
	says(t, nil, []string{"eval", acme, "--model", "simulated", "--price", "1,2 3,4"}, 2, []string{"2 prices for 1 model"})
}

func TestExplainAMistakeInATest(t *testing.T) {
	t.Parallel()
	says(t, nil, []string{"explain", "AC605"}, 0, []string{"# AC605: ", "## Right"})
}

// TestFlagsStandAnywhere: before and after what else is on the line; what follows -- is no flag.
func TestFlagsStandAnywhere(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"preview", "--dir", acme, "--call", acmeCall, "callback-requested"},
		{"preview", "callback-requested", "--dir", acme, "--call", acmeCall},
		{"preview", "--dir", acme, "callback-requested", "--call", acmeCall},
		{"preview", "--dir", acme, "--call", acmeCall, "--", "callback-requested"},
	} {
		says(t, nil, args, 0, []string{"1. email"})
	}
	says(t, nil, []string{"preview", "--dir", acme, "--call", acmeCall, "--", "--junit"}, 1, []string{`no automation "--junit"`})
	says(t, nil, []string{"preview", "callback-requested", "--fast"}, 2, []string{"-fast"})
}
