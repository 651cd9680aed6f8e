package rehearsal_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aftercall/automation"
	"aftercall/conversation"
	"aftercall/interview"
	"aftercall/rehearsal"
)

// starters are the folders of the ready automations, as an author finds them.
func starters(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../automation/starters/*/automation.yaml")
	if err != nil || len(files) != 10 {
		t.Fatalf("%d starters, %v; want ten", len(files), err)
	}
	for i, f := range files {
		files[i] = filepath.Dir(f)
	}
	return files
}

// TestStartersAreTested: each by real-looking calls, at least five that fire and five near misses, from answers that say
// that a person wrote them.
func TestStartersAreTested(t *testing.T) {
	t.Parallel()
	ids := map[string]string{}
	for _, dir := range starters(t) {
		suite := suiteIn(t, dir)
		r := play(t, suite, rehearsal.Options{})
		if r.Failed() > 0 {
			t.Error(printed(r))
		}
		fires, silent := 0, 0
		for _, c := range suite.Cases {
			switch {
			case c.Want.Fires == nil:
				t.Errorf("%s: %s does not say what fires", dir, c.Name)
			case len(*c.Want.Fires) > 0:
				fires++
			default:
				silent++
			}
			spoken := 0
			for _, turn := range c.Call.Turns {
				if turn.Role == conversation.RoleAgent || turn.Role == conversation.RoleCustomer {
					spoken++
				}
			}
			if spoken < 6 {
				t.Errorf("%s has %d turns, want at least 6", c.File, spoken)
			}
			if other := ids[c.Call.ExternalID]; other != "" {
				t.Errorf("%s and %s have one id", c.File, other)
			}
			ids[c.Call.ExternalID] = c.File
		}
		if fires < 5 || silent < 5 {
			t.Errorf("%s: %d calls that fire and %d that do not, want five of each", dir, fires, silent)
		}
		checkWritten(t, suite)
	}
}

// checkWritten holds answers written by hand to what they are: quotes to the letter (a person can copy; it is for models that
// the line folds case and punctuation), and recordings that say who answered and are what is written now.
func checkWritten(t *testing.T, suite *rehearsal.Suite) {
	t.Helper()
	for _, c := range suite.Cases {
		w := suite.Written[c.File]
		var quotes []interview.Evidence
		for _, all := range w.Yes {
			quotes = append(quotes, all...)
		}
		for _, v := range w.Variables {
			quotes = append(quotes, v.Evidence)
		}
		for _, q := range quotes {
			if q.Turn > len(c.Call.Turns) || !strings.Contains(c.Call.Turns[q.Turn-1].Text, q.Quote) {
				t.Errorf("%s: turn %d does not hold %q", c.File, q.Turn, q.Quote)
			}
		}
	}
	recorded, err := os.ReadFile(suite.Recorded)
	if err != nil {
		t.Error(err)
		return
	}
	var file struct{ Answers []rehearsal.Recording }
	if err := json.Unmarshal(recorded, &file); err != nil || len(file.Answers) == 0 {
		t.Errorf("%s: %d answers, %v", suite.Recorded, len(file.Answers), err)
	}
	for _, a := range file.Answers {
		if a.Model != rehearsal.ByHand || a.TokensIn+a.TokensOut > 0 {
			t.Errorf("%s: the answer to %q is said to be of %q", suite.Recorded, a.Case, a.Model)
		}
	}
	again := *suite
	again.Recorded = filepath.Join(t.TempDir(), "again.json")
	play(t, &again, rehearsal.Options{ByHand: true, Record: true})
	if now, err := os.ReadFile(again.Recorded); err != nil || !bytes.Equal(now, recorded) {
		t.Errorf("%s is not what is written by hand now: make recordings (%v)", suite.Recorded, err)
	}
}

// TestTestsAreNoConfig: what is tested with is neither in a revision nor in its digest, wherever it lies in a starter.
func TestTestsAreNoConfig(t *testing.T) {
	t.Parallel()
	for _, dir := range starters(t) {
		files, err := automation.ReadFS(os.DirFS(dir))
		if err != nil {
			t.Fatal(err)
		}
		for name := range files {
			if name != "automation.yaml" && !strings.HasSuffix(name, ".hbs") {
				t.Errorf("%s of %s would be part of a revision", name, dir)
			}
		}
	}
}

// TestExamplesAreTested: every sample call is a case, and comes out as the README beside it says.
func TestExamplesAreTested(t *testing.T) {
	t.Parallel()
	files, err := rehearsal.Find("../examples")
	if err != nil || len(files) < 2 {
		t.Fatal(files, err)
	}
	tested := map[string]bool{}
	for _, file := range files {
		suite, problems, err := rehearsal.Read(file)
		if err != nil || len(problems) > 0 {
			t.Fatal(err, problems)
		}
		if r := play(t, suite, rehearsal.Options{}); r.Failed() > 0 {
			t.Error(printed(r))
		}
		for _, c := range suite.Cases {
			tested[filepath.Base(c.File)] = true
		}
		if suite.Written != nil { // events are decided without a question
			checkWritten(t, suite)
		}
	}
	calls, err := filepath.Glob("../examples/calls/*.json")
	if err != nil || len(calls) < 20 {
		t.Fatal(len(calls), err)
	}
	for _, call := range calls {
		if !tested[filepath.Base(call)] {
			t.Errorf("no test has the call %s", call)
		}
	}
}
