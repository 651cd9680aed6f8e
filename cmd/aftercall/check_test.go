package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aftercall/automation"
	"aftercall/rehearsal"
)

const hasty = `account: acme
timezone: Europe/London
automations:
  - id: vague
    when: { ask: "100%: happy?" }
    actions: [team_alert: { text: "{{customer_nme}}" }]
`

// TestCheckFormats: the same problems for people, for tools and for GitHub, whose commands have characters of their own.
func TestCheckFormats(t *testing.T) {
	t.Parallel()
	dir := writeAccount(t, hasty)
	file := filepath.Join(dir, "account.yaml")
	for _, c := range []struct {
		format string
		want   []string
	}{
		{"text", []string{
			file + ":5:18: warn[AC401]: the question has 2 words and names nothing that can be heard\n   5 |     when: { ask: \"100%: happy?\" }\n     |                  ^^^^^^^^^^^^^^\n  help: ",
			file + ":6:38: error[AC201]: unknown variable customer_nme\n", "\n1 account: 1 error, 1 warning\n"}},
		{"github", []string{
			"::warning file=" + property(file) + ",line=5,col=18,endColumn=32,title=AC401::the question has 2 words and names nothing that can be heard%0Ahelp: ask what was said, such as",
			"::error file=" + property(file) + ",line=6,col=38,endColumn=50,title=AC201::unknown variable customer_nme%0Ahelp: did you mean customer_name?\n",
			"\n1 account: 1 error, 1 warning\n"}},
	} {
		code, out := cli(t, nil, "check", dir, "--format", c.format)
		for _, want := range c.want {
			if code != 1 || !strings.Contains(out, want) {
				t.Errorf("check --format %s ends with %d and does not say %q:\n%s", c.format, code, want, out)
			}
		}
	}
}

// TestCheckForTools holds the JSON to what docs/authors/check.md says of it.
func TestCheckForTools(t *testing.T) {
	t.Parallel()
	dir := writeAccount(t, hasty)
	code, out := cli(t, nil, "check", "--format=json", dir)
	var got map[string]any
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 1 {
		t.Fatalf("%d, %v:\n%s", code, err, out)
	}
	want := map[string]any{"accounts": 1.0, "errors": 1.0, "warnings": 1.0, "problems": []any{
		map[string]any{"file": filepath.ToSlash(filepath.Join(dir, "account.yaml")), "line": 5.0, "column": 18.0, "length": 14.0, "severity": "warning", "code": "AC401",
			"message": "the question has 2 words and names nothing that can be heard", "help": `ask what was said, such as "Did the customer say they are unhappy, or threaten to cancel?"`,
			"excerpt": `    when: { ask: "100%: happy?" }`},
		map[string]any{"file": filepath.ToSlash(filepath.Join(dir, "account.yaml")), "line": 6.0, "column": 38.0, "length": 12.0, "severity": "error", "code": "AC201",
			"message": "unknown variable customer_nme", "help": "did you mean customer_name?", "excerpt": `    actions: [team_alert: { text: "{{customer_nme}}" }]`},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	code, out = cli(t, nil, "check", "--format=json", writeAccount(t, "account: acme\ntimezone: Europe/London\n"))
	if code != 0 || !strings.Contains(out, `"problems": []`) {
		t.Errorf("nothing wrong ends with %d:\n%s", code, out)
	}
}

func TestWorkflowCommandsAreEscaped(t *testing.T) {
	t.Parallel()
	if got, want := property("a,b:c%d\r\n"), "a%2Cb%3Ac%25d%0D%0A"; got != want {
		t.Errorf("property: got %q, want %q", got, want)
	}
	if got, want := commandText("a,b:c%d\r\n"), "a,b:c%25d%0D%0A"; got != want {
		t.Errorf("text: got %q, want %q", got, want)
	}
}

// TestCheckExits: 0 without an error, 1 with one, with --strict 1 for a warning too, 2 for a wrong command line.
func TestCheckExits(t *testing.T) {
	t.Parallel()
	warned := writeAccount(t, strings.Replace(hasty, "customer_nme", "customer_name", 1))
	tested := writeAccount(t, strings.NewReplacer("customer_nme", "customer_name", `"100%: happy?"`, "Did the customer say they are happy with it?").Replace(hasty))
	if err := os.WriteFile(filepath.Join(tested, "vague.test.yaml"), []byte("cases: [{ name: a, call: a.json, expect: { fires: [vague] } }]\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"nothing wrong", []string{tested}, 0, "1 account: 0 errors, 0 warnings"},
		{"nothing wrong, strictly", []string{"--strict", tested}, 0, "0 warnings"},
		{"warnings", []string{warned}, 0, "1 account: 0 errors, 2 warnings"},
		{"an automation without a test", []string{warned}, 0, "account.yaml:4:5: warn[AC410]: no test expects vague to fire\n   4 |   - id: vague\n     |     ^"},
		{"warnings, strictly", []string{warned, "--strict"}, 1, "2 warnings"},
		{"several folders", []string{tested, warned}, 0, "2 accounts: 0 errors, 2 warnings"},
		{"no account", []string{t.TempDir()}, 1, "no account.yaml in it"},
		{"a format there is none of", []string{"--format", "xml", tested}, 2, "usage: aftercall check"},
		{"a flag there is none of", []string{tested, "--fast"}, 2, "usage: aftercall check"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if code, out := cli(t, nil, append([]string{"check"}, c.args...)...); code != c.code || !strings.Contains(out, c.want) {
				t.Errorf("exit %d, want %d; output does not hold %q:\n%s", code, c.code, c.want, out)
			}
		})
	}
}

// TestCheckReadsDown: what check alone sees stands among what the compiler sees, in the order of lines.
func TestCheckReadsDown(t *testing.T) {
	t.Parallel()
	_, out := cli(t, nil, "check", writeAccount(t, strings.Replace(hasty, "customer_nme", "customer_name", 1)))
	untested, vague := strings.Index(out, ":4:5: warn[AC410]"), strings.Index(out, ":5:18: warn[AC401]")
	if untested < 0 || vague < untested {
		t.Errorf("not in the order of lines:\n%s", out)
	}
}

// TestCheckSaysWhatItLeavesOut: of very many problems the first are shown, and it says so.
func TestCheckSaysWhatItLeavesOut(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range automation.MaxProblems + 1 {
		fmt.Fprintf(&b, "unknown%d: 1\n", i)
	}
	code, out := cli(t, nil, "check", writeAccount(t, "account: acme\ntimezone: Europe/London\n"+b.String()))
	if code != 1 || !strings.HasSuffix(out, "\n1 account: 300 errors, 0 warnings; only the first 300 of an account are shown\n") {
		t.Errorf("%d:\n%s", code, out[max(0, len(out)-200):])
	}
}

func TestFmt(t *testing.T) {
	t.Parallel()
	dir := writeAccount(t, "account:   acme # ours\ntimezone: Europe/London\nautomations:\n- {id: one, when: always, actions: [team_alert: {text: Hello}]}\n")
	file := filepath.Join(dir, "account.yaml")
	if code, out := cli(t, nil, "fmt", "--check", dir); code != 1 || out != file+"\n" {
		t.Errorf("fmt --check ends with %d and says %q", code, out)
	}
	if code, out := cli(t, nil, "fmt", dir); code != 0 || out != file+"\n" {
		t.Errorf("fmt ends with %d and says %q", code, out)
	}
	got, err := os.ReadFile(file)
	want := "account: acme # ours\ntimezone: Europe/London\nautomations:\n  - { id: one, when: always, actions: [team_alert: { text: Hello }] }\n"
	if diff := cmp.Diff(want, string(got)); err != nil || diff != "" {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	if code, out := cli(t, nil, "fmt", "--check", dir); code != 0 || out != "" {
		t.Errorf("fmt --check of what is tidy ends with %d and says %q", code, out)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v, %v; want the one file", entries, err)
	}
	broken := writeAccount(t, "account: [acme\n")
	write(t, filepath.Join(broken, "rules.yaml"), "groups:   {}\n")
	if code, out := cli(t, nil, "fmt", broken); code != 1 || !strings.Contains(out, "account.yaml: line 1: ") || !strings.HasPrefix(out, filepath.Join(broken, "rules.yaml")+"\n") {
		t.Errorf("fmt of a broken file, and of one that is not, ends with %d and says %q", code, out)
	}
}

func TestSchemaVerb(t *testing.T) {
	t.Parallel()
	if code, out := cli(t, nil, "schema"); code != 0 || out != string(automation.Schema()) {
		t.Errorf("schema ends with %d and prints %d bytes", code, len(out))
	}
	if code, out := cli(t, nil, "schema", "--reference"); code != 0 || out != automation.Reference() {
		t.Errorf("schema --reference ends with %d and prints %d bytes", code, len(out))
	}
	dir := writeAccount(t, hasty)
	file := filepath.Join(dir, ".aftercall", "schema.json")
	if code, out := cli(t, nil, "schema", "--write", dir); code != 0 || out != file+"\n" {
		t.Errorf("schema --write ends with %d and says %q", code, out)
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != string(automation.Schema()) {
		t.Errorf("%s: %v", file, err)
	}
	before := digestOf(t, dir)
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if before != digestOf(t, dir) {
		t.Error("the schema is part of the config's digest")
	}
	if code, out := cli(t, nil, "schema", dir); code != 2 || !strings.Contains(out, "--write") {
		t.Errorf("schema DIR ends with %d and says %q", code, out)
	}
}

func digestOf(t *testing.T, dir string) string {
	t.Helper()
	folders, err := automation.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	return folders[0].Files.Digest()
}

// TestExplainRules: what check and test report can be asked about by its code.
func TestExplainRules(t *testing.T) {
	t.Parallel()
	all := slices.Concat(automation.Rules(), rehearsal.Rules())
	for i, r := range all {
		if i > 0 && r.Code <= all[i-1].Code || !strings.HasPrefix(r.Page, "# "+r.Code+": "+r.Title+"\n") {
			t.Errorf("%s, %q, stands behind %s", r.Code, r.Title, all[max(i-1, 0)].Code)
		}
		if code, out := cli(t, nil, "explain", r.Code); code != 0 || out != r.Page {
			t.Errorf("explain %s ends with %d:\n%s", r.Code, code, out)
		}
	}
	if code, out := cli(t, nil, "explain", "AC999"); code != 1 || !strings.Contains(out, "AC305, AC306") || !strings.Contains(out, "AC503, AC601") {
		t.Errorf("explain AC999 ends with %d:\n%s", code, out)
	}
}
