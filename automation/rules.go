package automation

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
)

//go:embed rules/AC*.md
var pages embed.FS

// Rule is one thing that is checked.
type Rule struct {
	Code  string // AC305
	Title string // one line
	Page  string // Markdown: what it means, a wrong example and a right one, and why
}

// Rules lists what is checked, by code.
func Rules() []Rule { return RulesIn(pages) }

// RulesIn reads embedded pages of rules, in the one folder they lie in, by code.
func RulesIn(fsys embed.FS) []Rule {
	names, err := fs.Glob(fsys, "*/*.md")
	if err != nil {
		panic(err) // the pattern above is right
	}
	var all []Rule
	for _, name := range names {
		page, err := fsys.ReadFile(name)
		if err != nil {
			panic(err) // it is embedded under this name
		}
		all = append(all, readRule(string(page)))
	}
	return all
}

// readRule takes code and title from a page's first line: # AC305: a route without otherwise.
func readRule(page string) Rule {
	first, _, _ := strings.Cut(page, "\n")
	code, title, _ := strings.Cut(strings.TrimPrefix(first, "# "), ": ")
	return Rule{Code: code, Title: title, Page: page}
}

// RuleOf finds a rule by its code, in capitals or not; ok is false if there is none.
func RuleOf(code string) (r Rule, ok bool) {
	page, err := pages.ReadFile(fmt.Sprintf("rules/%s.md", strings.ToUpper(code)))
	if err != nil {
		return Rule{}, false
	}
	return readRule(string(page)), true
}
