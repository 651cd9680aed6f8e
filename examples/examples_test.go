package examples_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercall/automation"
	"aftercall/conversation"
	"aftercall/examples"
)

func account(t *testing.T) automation.Files {
	t.Helper()
	sub, err := fs.Sub(examples.Files(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	files, err := automation.ReadFS(sub)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestAccountHasNothingToReport(t *testing.T) {
	t.Parallel()
	rev, problems := automation.Compile(account(t))
	for _, p := range problems {
		t.Error(p)
	}
	if rev == nil || len(rev.Automations) != 14 || len(rev.Sources) != 3 {
		t.Fatalf("revision %+v, want the ten starters, three worked examples, the visit confirmation and three sources", rev)
	}
}

// Every file names the schema that lies in the account's folder, and what lies there is the schema.
func TestEditorsFindTheSchema(t *testing.T) {
	t.Parallel()
	for name, b := range account(t) {
		if first, _, _ := strings.Cut(string(b), "\n"); strings.HasSuffix(name, ".yaml") && first != automation.Modeline(strings.Count(name, "/")) {
			t.Errorf("%s begins with %q, want %q", name, first, automation.Modeline(strings.Count(name, "/")))
		}
	}
	there, err := os.ReadFile(path.Join("acme", automation.SchemaFile))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(automation.Schema()), string(there)); diff != "" {
		t.Errorf("the schema is an old one: aftercall schema --write examples (-want +got)\n%s", diff)
	}
}

// What we show is laid out as aftercall fmt does it.
func TestAccountIsTidy(t *testing.T) {
	t.Parallel()
	for name, b := range account(t) {
		if !strings.HasSuffix(name, ".yaml") {
			continue
		}
		neat, err := automation.Tidy(name, b)
		if diff := cmp.Diff(string(neat), string(b)); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got)\n%s", name, err, diff)
		}
	}
}

// The account uses the starters as they are: only the agent they belong to is added, and they lie one folder deeper.
func TestStartersAreTheReadyOnes(t *testing.T) {
	t.Parallel()
	got := map[string]string{}
	for name, b := range account(t) {
		if rest, ok := strings.CutPrefix(name, "starters/"); ok {
			got[rest] = strings.NewReplacer("    agents: [reception]\n", "", automation.Modeline(2), automation.Modeline(1)).Replace(string(b))
		}
	}
	ready, err := automation.ReadFS(automation.Starters())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for name, b := range ready {
		want[name] = string(b)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("starters of the example account (-ready +example)\n%s", diff)
	}
}

// The second revision is tidy, has nothing to report, and changes one automation and nothing else.
func TestSecondRevision(t *testing.T) {
	t.Parallel()
	files := account(t)
	first, _ := automation.Compile(files)
	const changed = "visit-confirmation.yaml"
	b, err := fs.ReadFile(examples.Files(), "ops/acme/"+changed)
	if err != nil {
		t.Fatal(err)
	}
	neat, err := automation.Tidy(changed, b)
	if diff := cmp.Diff(string(neat), string(b)); err != nil || diff != "" {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	if _, ok := files[changed]; !ok {
		t.Errorf("%s replaces nothing", changed)
	}
	files[changed] = b
	second, problems := automation.Compile(files)
	if len(problems) > 0 || len(second.Automations) != len(first.Automations) || second.Digest == first.Digest {
		t.Errorf("%v, or nothing has changed", problems)
	}
}

// What only the demo has is tidy as well, has nothing to report, and adds one automation.
func TestFrontDesk(t *testing.T) {
	t.Parallel()
	files := account(t)
	const added = "front-desk.yaml"
	b, err := fs.ReadFile(examples.Files(), "ops/acme/"+added)
	if err != nil {
		t.Fatal(err)
	}
	neat, err := automation.Tidy(added, b)
	if diff := cmp.Diff(string(neat), string(b)); err != nil || diff != "" {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	files[added] = b
	if rev, problems := automation.Compile(files); len(problems) > 0 || rev.Automation("front-desk-notes") == nil {
		t.Errorf("%v, or nothing was added", problems)
	}
}

func TestCalls(t *testing.T) {
	t.Parallel()
	ids := map[string]string{}
	checkCalls(t, ids, "calls/README.md", "calls/*.json", 14)
	checkCalls(t, ids, "ops/README.md", "ops/calls/*.json", 4)
	checkEvents(t, ids, "ops/README.md", "ops/events/*.json")
}

// checkEvents holds what happened during a call against the calls.
func checkEvents(t *testing.T, calls map[string]string, said, pattern string) {
	t.Helper()
	names, err := fs.Glob(examples.Files(), pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("%d events, %v", len(names), err)
	}
	readme, err := fs.ReadFile(examples.Files(), said)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		b, err := fs.ReadFile(examples.Files(), name)
		if err != nil {
			t.Fatal(err)
		}
		var event struct {
			Type, Conversation string
			At                 time.Time
			Data               map[string]any
		}
		dec := json.NewDecoder(bytes.NewReader(b))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&event); err != nil || event.Type == "" || calls[event.Conversation] == "" || event.At.Format(time.DateOnly) != "2026-11-20" {
			t.Errorf("%s: %+v, %v", name, event, err)
		}
		if !bytes.Contains(readme, []byte(path.Base(name)+"`")) {
			t.Errorf("the README does not say what %s is there to show", name)
		}
	}
}

func checkCalls(t *testing.T, ids map[string]string, said, pattern string, least int) {
	t.Helper()
	names, err := fs.Glob(examples.Files(), pattern)
	if err != nil || len(names) < least {
		t.Fatalf("%d calls, %v; want at least %d", len(names), err, least)
	}
	readme, err := fs.ReadFile(examples.Files(), said)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		b, err := fs.ReadFile(examples.Files(), name)
		if err != nil {
			t.Fatal(err)
		}
		dec := json.NewDecoder(bytes.NewReader(b))
		dec.DisallowUnknownFields()
		var c conversation.Conversation
		if err := dec.Decode(&c); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, f := range c.Check() {
			t.Errorf("%s: %s: %s", name, f.Pointer, f.Message)
		}
		if other := ids[c.ExternalID]; other != "" {
			t.Errorf("%s and %s have the same id", name, other)
		}
		ids[c.ExternalID] = name
		if n := len(c.Turns); n > 25 || n < 10 && c.Status != conversation.Failed {
			t.Errorf("%s has %d turns, want 10 to 25", name, n)
		}
		if day := c.StartedAt.Format(time.DateOnly); day != "2026-11-20" {
			t.Errorf("%s is of %s, want 2026-11-20", name, day)
		}
		if !bytes.Contains(readme, []byte(path.Base(name)+"`")) {
			t.Errorf("the README does not say what %s is there to show", name)
		}
	}
}
