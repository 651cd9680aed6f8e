package change_test

import (
	"strings"
	"testing"

	"aftercall/change"
)

func TestLinesLeavesOutWhatBothHave(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ before, after, gone, came string }{
		{"", "", "", ""},
		{"a\nb\nc", "a\nb\nc", "", ""},
		{"a\nb\nc", "a\nx\nc", "b", "x"},
		{"a\nb\nc\n", "a\nc\n", "b", ""},
		{"", "a\nb", "", "a|b"},
		{"a\na", "a", "a", ""},
		{"a", "b", "a", "b"},
	} {
		gone, came := change.Lines(c.before, c.after)
		if strings.Join(gone, "|") != c.gone || strings.Join(came, "|") != c.came {
			t.Errorf("%q → %q: gone %q, came %q", c.before, c.after, gone, came)
		}
	}
}
