package interview

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"aftercall/conversation"
	"aftercall/reason"
)

// Find checks evidence: that the quote stands in its turn (case, spaces and punctuation folded; at least three words, or
// the whole turn) and that an allowed speaker said it. It returns "" or EvidenceNotFound or WrongSpeaker.
//
// A word is a run of letters or digits. Scripts written without spaces have no such words: there each character counts
// as half a word, so that six characters of Chinese or Thai are enough. A point or comma between digits is part of the
// number ("12.50" is not "1250"). Only agent and customer are speakers: what a system or a tool wrote is no evidence.
func Find(turns []conversation.Turn, e Evidence, by Speaker) reason.Code {
	return newReader(turns).find(e, by)
}

// longestQuote bounds a quote in bytes; more than that is no quote. The whole of a longer turn need not be quoted.
const longestQuote = 8_000

// mostSearched bounds, in bytes of folded text, what is searched of other turns for all the quotes of one form that do
// not stand in their own: fifty such quotes in half of the longest conversation that is accepted.
const mostSearched = 128 << 20

// reader checks the quotes of one form against the turns of its conversation and folds each turn at most once.
type reader struct {
	turns  []conversation.Turn
	folded []folded
	done   []bool
	left   int // of mostSearched
}

func newReader(turns []conversation.Turn) *reader {
	return &reader{turns: turns, folded: make([]folded, len(turns)), done: make([]bool, len(turns)), left: mostSearched}
}

func (r *reader) fold(i int) folded {
	if !r.done[i] {
		r.folded[i], r.done[i] = fold(r.turns[i].Text), true
	}
	return r.folded[i]
}

func (r *reader) find(e Evidence, by Speaker) reason.Code {
	if len(e.Quote) > longestQuote {
		return reason.EvidenceNotFound
	}
	return r.stands(e.Turn, fold(e.Quote), by)
}

func (r *reader) stands(turn int, q folded, by Speaker) reason.Code {
	if turn < 1 || turn > len(r.turns) {
		return reason.EvidenceNotFound
	}
	if t := r.fold(turn - 1); !t.is(q) && !t.holds(q) {
		return reason.EvidenceNotFound
	}
	if !counts(r.turns[turn-1].Role, by) {
		return reason.WrongSpeaker
	}
	return ""
}

// locate checks evidence and, where it fails, sets the turn right if the quote stands in exactly one turn of an allowed
// speaker. Models miscount turns; that the words were said, and by whom, is still checked here. A whole short turn
// ("yes") is not looked for elsewhere, only three words or more. Once a form has had mostSearched, turns are taken as the
// model named them.
func (r *reader) locate(e Evidence, by Speaker) (Evidence, reason.Code) {
	if len(e.Quote) > longestQuote {
		return e, reason.EvidenceNotFound
	}
	q := fold(e.Quote)
	code := r.stands(e.Turn, q, by)
	if code == "" || q.halves < enough {
		return e, code
	}
	found := 0
	for i, t := range r.turns {
		if !counts(t.Role, by) {
			continue
		}
		f := r.fold(i)
		if r.left -= len(f.tight); r.left < 0 {
			return e, code
		}
		if f.holds(q) {
			if found != 0 {
				return e, code
			}
			found = i + 1
		}
	}
	if found == 0 {
		return e, code
	}
	return Evidence{Turn: found, Quote: e.Quote}, ""
}

// counts reports whether words of the role are evidence.
func counts(role conversation.Role, by Speaker) bool {
	switch by {
	case Customer:
		return role == conversation.RoleCustomer
	case Agent:
		return role == conversation.RoleAgent
	}
	return role == conversation.RoleCustomer || role == conversation.RoleAgent
}

// folded is a text without case, spaces and punctuation.
type folded struct {
	spaced string // words with a space before, between and after them
	tight  string // the same without spaces
	edges  []byte // a bit for each offset of tight at which a word begins or ends
	halves int    // words, counted twice; characters of scripts without spaces, once
}

// enough is the length of a quote that need not be a whole turn: three words.
const enough = 6

// is reports whether q is the whole of f.
func (f folded) is(q folded) bool { return q.tight != "" && q.tight == f.tight }

// holds reports whether q is long enough and stands in f. Whole words count first; the second look lets "I 'm" of a
// speech recogniser match "I'm".
func (f folded) holds(q folded) bool {
	if q.halves < enough || !strings.Contains(f.tight, q.tight) {
		return false
	}
	if strings.Contains(f.spaced, q.spaced) {
		return true
	}
	found, _ := f.seek(q.tight)
	return found
}

// seek looks for q without spaces, from the beginning of a word to the end of one. A caller can say "aaaa" for as long as
// he likes: the text is read once, however often q begins in it (Knuth, Morris, Pratt), in at most twice as many steps
// as there are bytes in both.
func (f folded) seek(q string) (found bool, steps int) {
	back, steps := borders(q)
	matched := 0
	for i := range len(f.tight) {
		for steps++; matched > 0 && q[matched] != f.tight[i]; steps++ {
			matched = back[matched-1]
		}
		if q[matched] == f.tight[i] {
			matched++
		}
		if matched == len(q) {
			if f.edge(i+1-len(q)) && f.edge(i+1) {
				return true, steps
			}
			matched = back[matched-1]
		}
	}
	return false, steps
}

// borders gives for each beginning of q how much of its end is a beginning of q again, itself not counted: where to go on
// after a mismatch.
func borders(q string) (back []int, steps int) {
	back = make([]int, len(q))
	matched := 0
	for i := 1; i < len(q); i++ {
		for steps++; matched > 0 && q[matched] != q[i]; steps++ {
			matched = back[matched-1]
		}
		if q[matched] == q[i] {
			matched++
		}
		back[i] = matched
	}
	return back, steps
}

// edge reports whether a word begins or ends at the offset of the text without spaces.
func (f folded) edge(offset int) bool { return f.edges[offset/8]&(1<<(offset%8)) != 0 }

// edges marks the offsets of the text without spaces at which the spaces stand.
func edges(spaced []byte) []byte {
	marks := make([]byte, len(spaced)/8+1)
	offset := 0
	for _, c := range spaced {
		if c == ' ' {
			marks[offset/8] |= 1 << (offset % 8)
		} else {
			offset++
		}
	}
	return marks
}

// fold folds case, width and composition (NFKC), spaces and punctuation.
func fold(s string) folded {
	s = norm.NFKC.String(s)
	spaced := make([]byte, 0, len(s)+8)
	spaced = append(spaced, ' ')
	tight := make([]byte, 0, len(s))
	f := folded{}
	open := false // a word is being written
	for i, r := range s {
		switch {
		case unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r):
			if spaceless(r) {
				if open {
					spaced = append(spaced, ' ')
				}
				open = false
				spaced = append(utf8.AppendRune(spaced, r), ' ')
				tight = utf8.AppendRune(tight, r)
				f.halves++
				continue
			}
			if !open {
				open = true
				f.halves += 2
			}
			low := unicode.ToLower(r)
			spaced, tight = utf8.AppendRune(spaced, low), utf8.AppendRune(tight, low)
		case (r == '.' || r == ',') && betweenDigits(s, i):
			spaced, tight = append(spaced, byte(r)), append(tight, byte(r))
		case r == '\'' || r == '’' || r == 'ʼ' || unicode.Is(unicode.Cf, r):
			// don't is one word, and an invisible character is none
		default:
			if open {
				spaced = append(spaced, ' ')
			}
			open = false
		}
	}
	if open {
		spaced = append(spaced, ' ')
	}
	f.spaced, f.tight, f.edges = string(spaced), string(tight), edges(spaced)
	return f
}

// betweenDigits reports whether the point or comma at i stands between digits.
func betweenDigits(s string, i int) bool {
	before, _ := utf8.DecodeLastRuneInString(s[:i])
	after, _ := utf8.DecodeRuneInString(s[i+1:])
	return unicode.IsDigit(before) && unicode.IsDigit(after)
}

// spaceless reports whether r belongs to a script that is written without spaces between words.
func spaceless(r rune) bool {
	return r >= 0x0E00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao,
		unicode.Khmer, unicode.Myanmar, unicode.Tibetan, unicode.Javanese, unicode.Bopomofo)
}
