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

// reader checks quotes against the turns of one conversation and folds each turn at most once.
type reader struct {
	turns  []conversation.Turn
	folded []folded
	done   []bool
}

func newReader(turns []conversation.Turn) *reader {
	return &reader{turns: turns, folded: make([]folded, len(turns)), done: make([]bool, len(turns))}
}

func (r *reader) fold(i int) folded {
	if !r.done[i] {
		r.folded[i], r.done[i] = fold(r.turns[i].Text), true
	}
	return r.folded[i]
}

func (r *reader) find(e Evidence, by Speaker) reason.Code {
	if e.Turn < 1 || e.Turn > len(r.turns) || len(e.Quote) > longestQuote {
		return reason.EvidenceNotFound
	}
	q := fold(e.Quote)
	if turn := r.fold(e.Turn - 1); !turn.is(q) && !turn.holds(q) {
		return reason.EvidenceNotFound
	}
	if !counts(r.turns[e.Turn-1].Role, by) {
		return reason.WrongSpeaker
	}
	return ""
}

// locate checks evidence and, where it fails, sets the turn right if the quote stands in exactly one turn of an allowed
// speaker. Models miscount turns; that the words were said, and by whom, is still checked here. A whole short turn
// ("yes") is not looked for elsewhere, only three words or more.
func (r *reader) locate(e Evidence, by Speaker) (Evidence, reason.Code) {
	code := r.find(e, by)
	if code == "" || len(e.Quote) > longestQuote {
		return e, code
	}
	q, found := fold(e.Quote), 0
	for i, t := range r.turns {
		if counts(t.Role, by) && r.fold(i).holds(q) {
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
	halves int    // words, counted twice; characters of scripts without spaces, once
}

// enough is the length of a quote that need not be a whole turn: three words.
const enough = 6

// is reports whether q is the whole of f.
func (f folded) is(q folded) bool { return q.tight != "" && q.tight == f.tight }

// holds reports whether q is long enough and stands in f. Whole words count first; the second look lets "I 'm" of a
// speech recogniser match "I'm".
func (f folded) holds(q folded) bool {
	if q.halves < enough || len(q.tight) > len(f.tight) {
		return false
	}
	return strings.Contains(f.spaced, q.spaced) || f.holdsTight(q)
}

// holdsTight looks for q without spaces, from the beginning of a word to the end of one.
func (f folded) holdsTight(q folded) bool {
	for from := 0; ; {
		i := strings.Index(f.tight[from:], q.tight)
		if i < 0 {
			return false
		}
		if from += i; f.edge(from) && f.edge(from+len(q.tight)) {
			return true
		}
		from++
	}
}

// edge reports whether a word begins or ends at the offset of the text without spaces.
func (f folded) edge(offset int) bool {
	for i := 0; i < len(f.spaced); i++ {
		if offset == 0 && f.spaced[i] == ' ' {
			return true
		}
		if f.spaced[i] != ' ' {
			if offset--; offset < 0 {
				return false
			}
		}
	}
	return offset == 0
}

// fold folds case, width and composition (NFKC), spaces and punctuation.
func fold(s string) folded {
	rs := []rune(norm.NFKC.String(s))
	spaced := make([]byte, 0, len(s)+8)
	spaced = append(spaced, ' ')
	tight := make([]byte, 0, len(s))
	f := folded{}
	open := false // a word is being written
	for i, r := range rs {
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
		case decimal(rs, i):
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
	f.spaced, f.tight = string(spaced), string(tight)
	return f
}

// decimal reports whether the point or comma at i stands between digits.
func decimal(rs []rune, i int) bool {
	return (rs[i] == '.' || rs[i] == ',') && i > 0 && i+1 < len(rs) && unicode.IsDigit(rs[i-1]) && unicode.IsDigit(rs[i+1])
}

// spaceless reports whether r belongs to a script that is written without spaces between words.
func spaceless(r rune) bool {
	return r >= 0x0E00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao,
		unicode.Khmer, unicode.Myanmar, unicode.Tibetan, unicode.Javanese, unicode.Bopomofo)
}
