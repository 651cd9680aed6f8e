package rehearsal_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aftercall/automation"
	"aftercall/conversation"
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
		checkWritten(t, suite.Recorded)
	}
}

// checkWritten holds a file of recordings to what it is: answers of a person.
func checkWritten(t *testing.T, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
		return
	}
	var file struct{ Answers []rehearsal.Recording }
	if err := json.Unmarshal(b, &file); err != nil || len(file.Answers) == 0 {
		t.Errorf("%s: %d answers, %v", path, len(file.Answers), err)
	}
	for _, a := range file.Answers {
		if a.Model != rehearsal.ByHand || a.TokensIn+a.TokensOut > 0 {
			t.Errorf("%s: the answer to %q is said to be of %q", path, a.Case, a.Model)
		}
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
		checkWritten(t, suite.Recorded)
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
