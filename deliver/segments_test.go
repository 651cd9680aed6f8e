package deliver_test

import (
	"strings"
	"testing"

	"aftercall/deliver"
)

func TestSegments(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text   string
		count, units int
		unicode      bool
	}{
		{"nothing", "", 0, 0, false},
		{"one letter", "a", 1, 1, false},
		{"what one piece holds", strings.Repeat("a", 160), 1, 160, false},
		{"one more", strings.Repeat("a", 161), 2, 161, false},
		{"what two pieces hold", strings.Repeat("a", 306), 2, 306, false},
		{"one more than two", strings.Repeat("a", 307), 3, 307, false},
		{"a euro takes two places", strings.Repeat("a", 159) + "€", 2, 161, false},
		{"a euro is not cut in two", strings.Repeat("a", 152) + "€" + strings.Repeat("a", 152), 3, 306, false},
		{"the alphabet has accents", "àéÄÖÜßñ", 1, 7, false},
		{"an apostrophe of a word processor", "it’s", 1, 4, true},
		{"what one piece holds in the long alphabet", strings.Repeat("ł", 70), 1, 70, true},
		{"one more in the long alphabet", strings.Repeat("ł", 71), 2, 71, true},
		{"what two pieces hold in the long alphabet", strings.Repeat("ł", 134), 2, 134, true},
		{"an emoji takes two places", "😀", 1, 2, true},
		{"an emoji is not cut in two", strings.Repeat("ł", 66) + "😀" + strings.Repeat("ł", 66), 3, 134, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := deliver.SegmentsOf(c.text)
			if s.Count != c.count || s.Units != c.units || s.Unicode != c.unicode {
				t.Errorf("got %+v, want %d pieces of %d, unicode %v", s, c.count, c.units, c.unicode)
			}
			if s.Units > s.Capacity {
				t.Errorf("%d pieces hold %d, and the text takes %d", s.Count, s.Capacity, s.Units)
			}
		})
	}
}
