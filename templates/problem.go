package templates

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

// The codes of problems, by what an author has to change.
const (
	CodeSyntax       = "AC200" // the text is not Handlebars: an unclosed tag or block, a stray closing tag
	CodeUnknownName  = "AC201" // no variable of that name
	CodeHelper       = "AC202" // no helper of that name, or one that may not stand here
	CodeUnescaped    = "AC203" // {{{ }}} or {{& }}
	CodePartial      = "AC204" // {{> }}
	CodeArguments    = "AC205" // wrong number or kind of arguments
	CodeNotADate     = "AC206" // date or time on something that is neither
	CodeTooLarge     = "AC207" // longer, deeper or more nested than is allowed
	CodeBlock        = "AC208" // a block that may not be used like this
	CodeNotText      = "AC209" // not UTF-8, or a NUL byte
	CodePlace        = "AC210" // a variable where no escaping makes it safe
	CodeMarkdownHTML = "AC211" // HTML in a Markdown body
	CodeLineBreak    = "AC212" // a line break in a header
	CodeActiveHTML   = "AC213" // script, forms, frames: what no mail should contain
	CodeLink         = "AC214" // a variable in a link or image address that it may not choose
	CodeCrossing     = "AC215" // a block that begins in one place of the HTML and ends in another
)

// problems collects what is wrong, by offset in the normalised source.
type problems struct{ list []Problem }

func (p *problems) add(code string, offset, length int, message, help string) {
	p.list = append(p.list, Problem{Offset: offset, Length: max(length, 1), Code: code, Message: message, Help: help})
}

// located returns the problems in order of appearance, with offsets in the original source.
func (p *problems) located(s source) []Problem {
	slices.SortStableFunc(p.list, func(a, b Problem) int { return cmp.Compare(a.Offset, b.Offset) })
	list := slices.Compact(p.list)
	for i, q := range list {
		start, end := s.original(q.Offset), s.original(q.Offset+q.Length)
		list[i].Offset, list[i].Length = start, max(end-start, 1)
	}
	return list
}

// nearest finds the candidate an author probably meant: at most two edits away, or a third of its length.
func nearest(word string, candidates []string) string {
	if len(word) > 64 {
		return ""
	}
	best, bestDistance := "", max(2, len(word)/3)+1
	for _, c := range candidates {
		if gap := len(c) - len(word); gap >= bestDistance || -gap >= bestDistance {
			continue
		}
		if d := distance(strings.ToLower(word), strings.ToLower(c)); d < bestDistance && d < len(c) {
			best, bestDistance = c, d
		}
	}
	return best
}

// distance is the Damerau-Levenshtein distance (optimal string alignment): insert, delete, replace, swap neighbours.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(y)]
}

// shown cuts what an author wrote to a length that fits a message.
func shown(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) > 60 {
		s = string([]rune(s)[:57]) + "…"
	}
	return s
}
