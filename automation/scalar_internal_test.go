package automation

import (
	"testing"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// FuzzLocate: every character of a scalar that is not white space is found where it stands in the file. The test is inside
// the package because a place cannot be asked for from outside without a mistake to report there.
func FuzzLocate(f *testing.F) {
	for _, s := range []string{"|\n  a {{b}}\n    c\n\n  d\n", ">-\n   a\n   {{b}}\n\n     c\n", "\"a \\\"b\\\" \\\n   {{c}}\"", "'it''s {{b}}'",
		"plain {{b}}\n  goes on", "|2-\n   x\n", ">+\n a\n\n\n", "\"é\\té\"", "| # comment\n  a\n", "\"\\\\ a\"", "a\r\n  b", "|\r\n  a\r\n  b\r\n", "! a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		d := newDocument("f.yaml", []byte("é: "+src), func(Problem) {})
		if !d.parse() || len(d.root.Content) != 2 || d.root.Content[1].Kind != yaml.ScalarNode || d.broken[d.root.Content[1]] ||
			d.root.Content[1].Anchor != "" {
			return
		}
		n := d.root.Content[1]
		for i, r := range n.Value {
			if isSpace(r) {
				continue
			}
			line, col := d.locate(n, i)
			got, _ := utf8.DecodeRuneInString(d.from(line, col))
			if got != r && !(n.Style&yaml.DoubleQuotedStyle != 0 && got == '\\') {
				t.Fatalf("character %d of %q is %q, found %q at %d:%d of %q", i, n.Value, r, got, line, col, d.src)
			}
		}
	})
}
