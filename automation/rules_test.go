package automation_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"aftercall/automation"
)

// TestEveryRuleHasAPageAndATest: the codes in the source, the pages that explain them and the folders that show them are
// the same.
func TestEveryRuleHasAPageAndATest(t *testing.T) {
	t.Parallel()
	var source []string
	literal := regexp.MustCompile(`= "(AC\d{3})"`)
	for _, file := range []string{"problem.go", "../templates/problem.go"} {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range literal.FindAllStringSubmatch(string(b), -1) {
			source = append(source, m[1])
		}
	}
	slices.Sort(source)
	if len(source) < 50 || len(source) != len(slices.Compact(slices.Clone(source))) {
		t.Fatalf("codes in the source: %v", source)
	}
	var explained, shown []string
	for _, r := range automation.Rules() {
		explained = append(explained, r.Code)
	}
	for _, s := range specimens(t) {
		shown = append(shown, codesIn(s.want)...)
	}
	slices.Sort(shown)
	if diff := cmp.Diff(source, explained); diff != "" {
		t.Errorf("automation/rules (-in the source +explained)\n%s", diff)
	}
	if diff := cmp.Diff(source, slices.Compact(shown)); diff != "" {
		t.Errorf("testdata/broken (-in the source +shown)\n%s", diff)
	}
}

func TestRuleOf(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"AC305", "ac305"} {
		if r, ok := automation.RuleOf(code); !ok || r.Code != "AC305" || r.Title != "a route without otherwise" || !strings.HasPrefix(r.Page, "# AC305: ") {
			t.Errorf("RuleOf(%q) = %+v, %v", code, r, ok)
		}
	}
	for _, code := range []string{"AC999", "", "../rules/AC305", "AC305.md", "fired"} {
		if r, ok := automation.RuleOf(code); ok {
			t.Errorf("RuleOf(%q) = %+v, want none", code, r)
		}
	}
}

// fence is one example of a page: its kind, the file it is, and what stands in it.
var fence = regexp.MustCompile("(?ms)^```(\\w+) ?(\\S*)\n(.*?)^```\n")

// example puts the fences of a section into a folder; shortened means that it is not meant to be whole.
func example(t *testing.T, page, section string) (archived []txtar.File, shortened bool) {
	t.Helper()
	_, rest, ok := strings.Cut(page, "\n## "+section+"\n")
	if !ok {
		t.Fatalf("the page has no section %s", section)
	}
	rest, _, _ = strings.Cut(rest, "\n## ")
	for _, m := range fence.FindAllStringSubmatch(rest, -1) {
		name := m[2]
		switch name {
		case "shortened":
			shortened = true
		case "":
			name = "rules.yaml"
		}
		archived = append(archived, txtar.File{Name: name, Data: []byte(m[3])})
	}
	if len(archived) == 0 {
		t.Fatalf("section %s has no example", section)
	}
	return archived, shortened
}

// TestPagesShowWhatTheySay: the wrong example of every page has the one thing wrong with it that the page is about, and
// the right one nothing at all.
func TestPagesShowWhatTheySay(t *testing.T) {
	t.Parallel()
	for _, r := range automation.Rules() {
		t.Run(r.Code, func(t *testing.T) {
			t.Parallel()
			wrong, shortened := example(t, r.Page, "Wrong")
			right, _ := example(t, r.Page, "Right")
			if !strings.Contains(r.Page, "\n## Why\n\n") || r.Title == "" {
				t.Error("the page has no title, or does not say why")
			}
			files, tests := folder(wrong, true)
			if got := reported(t, files, tests); !shortened && !slices.Equal(codesIn(got), []string{r.Code}) {
				t.Errorf("the wrong example is reported so, want %s alone:\n%s", r.Code, got)
			}
			files, tests = folder(right, true)
			if got := reported(t, files, tests); got != "nothing to report\n" {
				t.Errorf("the right example has something wrong with it:\n%s", got)
			}
		})
	}
}

// TestPagesSayHowBad: a page says whether the folder is taken, as the rule has it.
func TestPagesSayHowBad(t *testing.T) {
	t.Parallel()
	severe := map[string]string{}
	for _, s := range specimens(t) {
		for _, m := range regexp.MustCompile(`: (error|warn)\[(AC\d{3})\]`).FindAllStringSubmatch(s.want, -1) {
			if have := severe[m[2]]; have != "" && have != m[1] {
				t.Errorf("%s is both an error and a warning", m[2])
			}
			severe[m[2]] = m[1]
		}
	}
	for _, r := range automation.Rules() {
		want := map[string]string{"error": "\nAn error: ", "warn": "\nA warning: "}[severe[r.Code]]
		if want == "" || !strings.Contains(r.Page, want) {
			t.Errorf("%s is of severity %q, and its page does not say so", r.Code, severe[r.Code])
		}
	}
}

// BenchmarkCheck is a folder of five hundred automations, as aftercall check reads it.
func BenchmarkCheck(b *testing.B) {
	files := automation.Files{"account.yaml": []byte(office)}
	for f := range 50 {
		var r strings.Builder
		r.WriteString("automations:\n")
		for i := range 10 {
			fmt.Fprintf(&r, "  - id: a-%d-%d\n    when:\n      calls: { status: [completed], min_turns: 4 }\n      ask: Did the customer ask about parcel %d, or complain about it?\n"+
				"    actions:\n      - email:\n          to: [support]\n          subject: \"Parcel %d - {{customer_number}}\"\n          body: |\n            Hello {{#if customer_name}}{{customer_name}}{{else}}there{{/if}},\n\n"+
				"            - What: {{dyn_parcel_%d}}\n            - Listen: {{conversation_url}}\n      - task: { title: \"Look for parcel %d\", priority: high, due: { after: 4h }, assignee: support }\n",
				f, i, 10*f+i, i, i, i)
		}
		files[filepath.Join("parts", fmt.Sprintf("%02d.yaml", f))] = []byte(r.String())
	}
	b.ReportAllocs()
	for b.Loop() {
		if rev, problems := automation.Compile(files); rev == nil || len(rev.Automations) != 500 || len(problems) > 0 {
			b.Fatalf("%d problems, the first %v", len(problems), problems[:min(1, len(problems))])
		}
	}
}
