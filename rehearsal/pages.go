package rehearsal

import (
	"embed"
	"strings"
)

//go:embed pages/AC*.md
var pages embed.FS

// PageOf gives the page that explains a code of a test file's mistakes, in capitals or not; false if there is none.
func PageOf(code string) (string, bool) {
	page, err := pages.ReadFile("pages/" + strings.ToUpper(code) + ".md")
	return string(page), err == nil
}
