package dashboard

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMark(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text   string
		quotes []string
		want   []segment
	}{
		"nothing quoted": {"Hello there.", nil, []segment{{Text: "Hello there."}}},
		"in the middle":  {"Could you call me back?", []string{"call me"}, []segment{{"Could you ", false}, {"call me", true}, {" back?", false}}},
		"case, spaces and punctuation folded": {"Well — Call  me, back!", []string{"call me back"},
			[]segment{{"Well — ", false}, {"Call  me, back", true}, {"!", false}}},
		"the whole turn":      {"Yes.", []string{"yes"}, []segment{{"Yes", true}, {".", false}}},
		"two that overlap":    {"one two three", []string{"two three", "one two"}, []segment{{"one two", true}, {" three", true}}},
		"the same twice":      {"one two", []string{"two", "two"}, []segment{{"one ", false}, {"two", true}}},
		"not in the turn":     {"one two", []string{"three"}, []segment{{"one two", false}}},
		"only punctuation":    {"one two", []string{"…"}, []segment{{"one two", false}}},
		"other scripts":       {"Größe: МОСКВА 東京", []string{"größe", "москва"}, []segment{{"Größe", true}, {": ", false}, {"МОСКВА", true}, {" 東京", false}}},
		"an empty turn":       {"", []string{"one"}, []segment{{}}},
		"markup is only text": {"<b>one</b>", []string{"b one"}, []segment{{"<", false}, {"b>one", true}, {"</b>", false}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, mark(c.text, c.quotes)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzMark(f *testing.F) {
	f.Add("Could you call me back?", "call me", "back")
	f.Add("Größe: \xff МОСКВА", "москва", "\xff")
	f.Add("İstanbul ŞİŞLİ", "istanbul", "i")
	f.Fuzz(func(t *testing.T, text, first, second string) {
		var joined strings.Builder
		for _, s := range mark(text, []string{first, second}) {
			joined.WriteString(s.Text)
		}
		if joined.String() != text {
			t.Errorf("the segments of %q join to %q", text, joined.String())
		}
	})
}
