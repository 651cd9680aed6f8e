package automation_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// judged is what the authors' page on triggers says of the example that follows: that it is good, or that it is bad and
// with which code that is reported, if it is; and why.
var judged = regexp.MustCompile("^\\*\\*(Good|Bad)\\*\\*(, (?:`(AC\\d{3})`|nothing warns))?: \\S")

// TestTriggersPageIsTrue: each example of a bad trigger is reported with the code that the page names, and each good one,
// and those of which it says that nothing warns, with none.
func TestTriggersPageIsTrue(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../docs/authors/triggers.md")
	if err != nil {
		t.Fatal(err)
	}
	page, counted := string(raw), map[string]int{}
	for _, at := range fence.FindAllStringSubmatchIndex(page, -1) {
		line := strings.Count(page[:at[0]], "\n") + 1
		paragraphs := strings.Split(strings.TrimSpace(page[:at[0]]), "\n\n")
		label := judged.FindStringSubmatch(paragraphs[len(paragraphs)-1])
		if label == nil || (label[1] == "Good") != (label[2] == "") {
			t.Errorf("line %d: the example is called neither good, nor bad with what is reported", line)
			continue
		}
		counted[label[1]+" "+label[3]]++
		files, _ := folder([]txtar.File{{Name: "rules.yaml", Data: []byte(wholeRule(page[at[6]:at[7]]))}}, true)
		got := report(t, files)
		if want := strings.Fields(label[3]); !slices.Equal(codesIn(got), want) {
			t.Errorf("line %d: the page says %q, and reported is\n%s", line, label[0], got)
		}
	}
	if counted["Good "] < 12 || counted["Bad "] < 5 || len(counted) < 9 {
		t.Errorf("the page has too few examples of a kind: %v", counted)
	}
}

// wholeRule makes a file of an example that shows a part of an automation.
func wholeRule(shown string) string {
	if strings.Contains(shown, "automations:") {
		return shown
	}
	if !strings.Contains(shown, "actions:") {
		shown += "actions:\n  - team_alert: { text: Hello }\n"
	}
	return "automations:\n  - id: one\n    " + strings.ReplaceAll(strings.TrimSuffix(shown, "\n"), "\n", "\n    ") + "\n"
}
