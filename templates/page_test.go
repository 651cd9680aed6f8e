package templates_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"aftercall/templates"
)

// The authors' page on templates is held to what it says: each row of its tables is tried.

// pageRows finds rows of the page's tables; fewer than the least means that they are not read right any more.
func pageRows(t *testing.T, pattern string, least int) [][]string {
	t.Helper()
	page, err := os.ReadFile("../docs/authors/templates.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile(pattern).FindAllStringSubmatch(string(page), -1)
	if len(rows) < least {
		t.Fatalf("the page has %d rows like this, want at least %d", len(rows), least)
	}
	return rows
}

// printed are the rows of what is written and what comes of it.
const printed = "(?m)^\\| `([^`]+)` \\| `([^`]+)` \\|$"

func TestAuthorsPagePrintsWhatItSays(t *testing.T) {
	t.Parallel()
	values := templates.Values{
		"customer_name": "Ana Ruiz", "dyn_day": "2026-11-24", "dyn_at": "14:30", "dyn_city": "new york",
		"dyn_note": "The lift is broken since Sunday",
		"metadata": map[string]any{"items": []any{"bed", "lamp"}, "order": map[string]any{"number": "4711"}},
	}
	for _, row := range pageRows(t, printed, 20) {
		got, err := parse(t, row[1], templates.Plain).Render(values, templates.Options{})
		if err != nil || got.Text != row[2] {
			t.Errorf("%s gives %q, %v; the page has %q", row[1], got.Text, err, row[2])
		}
	}
}

func TestAuthorsPageShowsEveryHelper(t *testing.T) {
	t.Parallel()
	_, problems := templates.Parse("{{nosuchhelper customer_name}}", templates.Plain, names())
	if len(problems) != 1 {
		t.Fatalf("a helper that is none is reported as %+v", problems)
	}
	list, ok := strings.CutPrefix(problems[0].Help, "the helpers are ")
	if !ok {
		t.Fatalf("the list of helpers is not in %q", problems[0].Help)
	}
	rows := pageRows(t, printed, 20)
	for _, helper := range strings.Split(list, ", ") {
		if !slices.ContainsFunc(rows, func(row []string) bool {
			return strings.Contains(row[1], "{{"+helper+" ") || strings.Contains(row[1], "("+helper+" ")
		}) {
			t.Errorf("no row shows the helper %s", helper)
		}
	}
}

func TestAuthorsPageWritesValuesAsItSays(t *testing.T) {
	t.Parallel()
	formats := map[string]templates.Format{"a subject": templates.Header, "an SMS": templates.Plain, "Markdown": templates.Markdown, "HTML": templates.HTML}
	for _, row := range pageRows(t, "(?m)^\\| (a subject|an SMS|Markdown|HTML) \\| `([^`]+)` \\| `([^`]+)` \\|$", 5) {
		got, err := parse(t, row[2], formats[row[1]]).Render(templates.Values{"dyn_name": "<b>Tom</b> & *Jo*"}, templates.Options{})
		sent := got.HTML
		if sent == "" {
			sent = got.Text
		}
		if err != nil || !strings.Contains(sent, row[3]) {
			t.Errorf("%s in %s gives %q, %v; the page has %q", row[2], row[1], sent, err, row[3])
		}
	}
}

func TestAuthorsPageRefusesWhatItSays(t *testing.T) {
	t.Parallel()
	for _, row := range pageRows(t, "(?m)^\\|(?: \\d \\|)? `([^`]+)` \\| \\[(AC\\d{3})\\]\\([^)]*\\) \\| `([^`]+)` \\| `([^`]+)` \\|", 20) {
		format := templates.Plain
		switch row[1][0] {
		case '<':
			format = templates.HTML
		case '[':
			format = templates.Markdown
		}
		text, problems := templates.Parse(row[1], format, names())
		said := func(p templates.Problem) bool { return p.Code == row[2] && p.Message == row[3] && p.Help == row[4] }
		if text != nil || !slices.ContainsFunc(problems, said) {
			t.Errorf("%s is reported as %+v; the page has %s %s (%s)", row[1], problems, row[2], row[3], row[4])
		}
	}
}
