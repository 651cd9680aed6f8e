package rehearsal

import (
	"embed"
	"strings"

	"aftercall/automation"
)

//go:embed pages/AC*.md
var pages embed.FS

// Rules lists what can be wrong in a file of tests, by code, as automation.Rules does for the config.
func Rules() []automation.Rule { return automation.RulesIn(pages) }

// PageOf gives the page that explains a code of a test file's mistakes, in capitals or not; false if there is none.
func PageOf(code string) (string, bool) {
	page, err := pages.ReadFile("pages/" + strings.ToUpper(code) + ".md")
	return string(page), err == nil
}
