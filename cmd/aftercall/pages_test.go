package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"aftercall/reason"
	"aftercall/variables"
)

const authorsPages = "../../docs/authors"

func readPage(t *testing.T, path string) string {
	t.Helper()
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// TestTroubleshootingHasEveryReason: the page has an entry for every reason and every state, in their order and no other;
// each begins with what explain prints, and says more than that.
func TestTroubleshootingHasEveryReason(t *testing.T) {
	t.Parallel()
	var codes, entries []string
	for _, r := range reason.All() {
		codes = append(codes, string(r.Code))
	}
	for _, s := range reason.States() {
		codes = append(codes, s.Word)
	}
	page := readPage(t, authorsPages+"/troubleshooting.md")
	for _, entry := range strings.Split(page, "\n### ")[1:] {
		heading, rest, _ := strings.Cut(entry, "\n\n")
		rest, _, _ = strings.Cut(rest, "\n## ")
		code := strings.Trim(heading, "`")
		entries = append(entries, code)
		ends, said := cli(t, nil, "explain", code)
		_, words, _ := strings.Cut(said, "\n") // the first line is the code and its stage
		quote := "> " + strings.ReplaceAll(strings.TrimSuffix(words, "\n"), "\n", "\n> ") + "\n\n"
		more, ok := strings.CutPrefix(rest, quote)
		if ends != 0 || !ok {
			t.Errorf("%s: explain prints (%d)\n%s\nand the page has\n%s", code, ends, quote, rest)
		}
		if len(strings.Fields(more)) < 8 {
			t.Errorf("%s: the page says no more than explain: %q", code, more)
		}
	}
	if diff := cmp.Diff(codes, entries); diff != "" {
		t.Errorf("entries (-codes +page):\n%s", diff)
	}
}

// TestTemplatesPageHasEverySystemVariable: those that there are, and no other.
func TestTemplatesPageHasEverySystemVariable(t *testing.T) {
	t.Parallel()
	page := readPage(t, authorsPages+"/templates.md")
	_, table, _ := strings.Cut(page, "| name | what it prints |\n")
	table, _, _ = strings.Cut(table, "\n\n")
	listed := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\| ").FindAllStringSubmatch(table, -1) {
		listed[m[1]] = true
	}
	known := map[string]bool{}
	for name := range variables.SystemNames() {
		known[name] = true
	}
	if diff := cmp.Diff(known, listed); diff != "" {
		t.Errorf("system variables (-known +page):\n%s", diff)
	}
}

var (
	pageCode = regexp.MustCompile("(?ms)^```.*?^```$|`[^`\n]*`")
	pageLink = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading  = regexp.MustCompile(`(?m)^#+ (.+)$`)
)

// TestAuthorsPagesLead: every link of the authors' pages, of README.md and of CONTRIBUTING.md leads somewhere, and the index
// leads to each page.
func TestAuthorsPagesLead(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob(authorsPages + "/*.md")
	if err != nil || len(pages) < 9 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	for _, page := range append(pages, "../../README.md", "../../CONTRIBUTING.md") {
		for _, target := range links(readPage(t, page)) {
			if err := leads(t, page, target); err != "" {
				t.Errorf("%s: the link %s %s", page, target, err)
			}
		}
	}
	index := links(readPage(t, authorsPages+"/README.md"))
	for _, page := range pages {
		if name := filepath.Base(page); name != "README.md" && !strings.Contains(" "+strings.Join(index, " ")+" ", " "+name+" ") {
			t.Errorf("the index does not lead to %s", name)
		}
	}
}

// links are those of a page that lead to another file of ours, or to another place on it.
func links(page string) (all []string) {
	for _, m := range pageLink.FindAllStringSubmatch(pageCode.ReplaceAllString(page, "code"), -1) {
		if !strings.Contains(m[1], "://") {
			all = append(all, m[1])
		}
	}
	return all
}

// leads says what is wrong with a link; "" if nothing is.
func leads(t *testing.T, page, target string) string {
	t.Helper()
	file, place, _ := strings.Cut(target, "#")
	to := page
	if file != "" {
		to = filepath.Join(filepath.Dir(page), file)
	}
	if _, err := os.Stat(to); err != nil {
		return "leads to no file"
	}
	if place == "" {
		return ""
	}
	for _, m := range heading.FindAllStringSubmatch(readPage(t, to), -1) {
		if anchor(m[1]) == place {
			return ""
		}
	}
	return "leads to no heading"
}

// anchor is the name by which a heading can be linked to.
func anchor(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_':
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
}
