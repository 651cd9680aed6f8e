package templates

import (
	"sort"
	"strings"
	"unicode/utf8"
)

// Limits on what an author can write. They are far above any real message and far below what could hurt a worker.
const (
	maxSource   = 64 << 10 // bytes of one text
	maxDepth    = 24       // blocks in blocks, or expressions in expressions
	maxNodes    = 5000
	maxNested   = 2   // each in each
	maxBlankRun = 200 // white space in a row: the engine's comment scanner is quadratic in it
)

// source is a text with LF line ends, and the way back to offsets in the original.
type source struct {
	text    string
	size    int   // of the original
	dropped []int // offsets in text before which one byte of the original was dropped, ascending
}

// normalise drops a byte order mark and turns CRLF and CR into LF. Inside a tag the engine would take CR for a letter of
// the name and silently print nothing.
func normalise(original string) source {
	s := source{size: len(original)}
	var b strings.Builder
	b.Grow(len(original))
	for i := 0; i < len(original); i++ {
		switch {
		case i == 0 && strings.HasPrefix(original, "\uFEFF"):
			s.dropped = append(s.dropped, 0, 0, 0)
			i += 2
		case original[i] == '\r' && i+1 < len(original) && original[i+1] == '\n':
			s.dropped = append(s.dropped, b.Len())
		case original[i] == '\r':
			b.WriteByte('\n')
		default:
			b.WriteByte(original[i])
		}
	}
	s.text = b.String()
	return s
}

// original gives the offset in the original source of an offset in the normalised text.
func (s source) original(offset int) int {
	offset = min(max(offset, 0), len(s.text))
	return min(offset+sort.SearchInts(s.dropped, offset+1), s.size)
}

// checkSource refuses what the engine must not even be shown. It reports whether reading can go on.
func checkSource(text string, p *problems) bool {
	if len(text) > maxSource {
		p.add(CodeTooLarge, maxSource, 1, "the text is longer than 64 KB", "shorten it; a message people read is a few KB")
		return false
	}
	if i := firstInvalid(text); i >= 0 {
		p.add(CodeNotText, i, 1, "the text is not valid UTF-8 here", "save the file as UTF-8")
		return false
	}
	if i := strings.IndexByte(text, 0); i >= 0 {
		p.add(CodeNotText, i, 1, "the text contains a NUL byte", "remove the byte; the file may be UTF-16: save it as UTF-8")
		return false
	}
	if i := blankRun(text); i >= 0 {
		p.add(CodeTooLarge, i, maxBlankRun, "there are more than 200 blanks in a row", "remove the empty space")
		return false
	}
	return true
}

func firstInvalid(text string) int {
	if utf8.ValidString(text) {
		return -1
	}
	for i, r := range text {
		if r == utf8.RuneError {
			if _, width := utf8.DecodeRuneInString(text[i:]); width == 1 {
				return i
			}
		}
	}
	return -1
}

// blankRun finds the start of a run of more than maxBlankRun white space characters.
func blankRun(text string) int {
	run := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case ' ', '\t', '\n', '\v', '\f':
			if run++; run > maxBlankRun {
				return i - maxBlankRun
			}
		default:
			run = 0
		}
	}
	return -1
}
