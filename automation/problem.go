package automation

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The codes of problems. AC2xx, but for the last two, come from package templates.
const (
	codeYAML        = "AC001" // not YAML
	codeDuplicate   = "AC002" // a key twice in one mapping
	codeFile        = "AC003" // a file that cannot be config: too large, wrong name, not text
	codeAnchor      = "AC004" // anchors, aliases, merge keys
	codeTag         = "AC005" // explicit tags
	codeDocuments   = "AC006" // several documents in one file
	codeBraces      = "AC012" // a value that starts with {{ and is not quoted
	codeTab         = "AC013" // a tab in the indentation
	codeFolded      = "AC014" // lines of Markdown that a folded block joins
	codeUnknownKey  = "AC101"
	codeType        = "AC102" // wrong type of value
	codePhone       = "AC103" // a phone number that is not quoted
	codeMember      = "AC104" // not one of the words allowed
	codeValue       = "AC105" // right type, wrong value
	codeZone        = "AC106"
	codeMissing     = "AC107" // a key that must be there
	codeAddress     = "AC108"
	codeSecret      = "AC109" // a secret written out, or one that is the process's own
	codeID          = "AC110"
	codeWindow      = "AC111" // hours that begin and end together
	codeCondition   = "AC220" // if:
	codeUnavailable = "AC221" // a name that has no value in this place
	codeNotYet      = "AC222" // a name that has no value on this channel, or while the call goes on
	codeTarget      = "AC301" // an entry under to: that names nobody, or may not be written to, or not on this channel
	codeSameBranch  = "AC302" // a branch that leads where otherwise does
	codeNoTarget    = "AC303" // a post without a place to go
	codeEmpty       = "AC304" // no recipients
	codeOtherwise   = "AC305"
	codeRoute       = "AC306" // to: [route] without a route, or a route on something that cannot route
	codeSameID      = "AC307" // one id, key or setting in two places
	codeNow         = "AC308" // mid-call and after-call things mixed
	codeBody        = "AC309" // body_file
	codeCycle       = "AC310" // a group that contains itself
	codeAbsence     = "AC311" // evidence: none beyond internal recipients
	codeVariable    = "AC313" // a variable that nobody declares or uses
	codeVague       = "AC401"
	codeUnused      = "AC402"
	codeLookalike   = "AC403" // an undeclared variable close to a declared one
	codeDouble      = "AC404" // two questions in one
	codeNegations   = "AC405" // a negation of a negation
	codeVagueName   = "AC406" // a variable whose name says nothing
	codeLongMail    = "AC407"
	codeLongText    = "AC408" // a text message of many pieces
	codeAlphabet    = "AC409" // a character that makes the pieces of a text message shorter
	codeUntested    = "AC410" // reported by check, which sees the tests
	codeTooMany     = "AC501" // more than a form can ask
	codeSchema      = "AC502" // a form whose schema a provider may refuse
	codePrompt      = "AC503" // a form that takes much of the prompt
)

// MaxProblems is how many problems Compile gives at most.
const MaxProblems = 300

// maxExcerpt is how much of a long line is shown around a problem, in characters.
const maxExcerpt = 120

// String gives the problem as file:line:col: severity[code]: message, the excerpt with a caret, and the help line.
func (p Problem) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d:%d: %s[%s]: %s\n", p.File, p.Line, p.Col, p.Severity, p.Code, p.Message)
	if p.Excerpt != "" {
		p.writeExcerpt(&b)
	}
	if p.Help != "" {
		fmt.Fprintf(&b, "  help: %s\n", p.Help)
	}
	return b.String()
}

func (p Problem) writeExcerpt(b *strings.Builder) {
	line, col := []rune(p.Excerpt), min(max(p.Col-1, 0), utf8.RuneCountInString(p.Excerpt))
	lead := ""
	if len(line) > maxExcerpt && col > maxExcerpt/2 {
		from := min(col-maxExcerpt/2, len(line)-maxExcerpt)
		line, col, lead = line[from:], col-from, "…"
	}
	tail := ""
	if len(line) > maxExcerpt {
		line, tail = line[:maxExcerpt], "…"
	}
	gap := []rune(lead + string(line[:col]))
	for i, r := range gap {
		if r != '\t' {
			gap[i] = ' '
		}
	}
	number := fmt.Sprintf("%4d", p.Line)
	carets := strings.Repeat("^", max(1, min(p.Length, len(line)-col)))
	fmt.Fprintf(b, "%s | %s%s%s\n", number, lead, string(line), tail)
	fmt.Fprintf(b, "%s | %s%s\n", strings.Repeat(" ", len(number)), string(gap), carets)
}

// InOrder puts problems of one account in reading order, each once: account.yaml, then the other files by path.
func InOrder(ps []Problem) []Problem {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(order(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col), cmp.Compare(a.Code, b.Code))
	})
	return slices.Compact(ps)
}

// bounded puts problems in reading order and bounds their number. Of too many the errors come first: one must not be cut
// off, or a broken folder would compile.
func bounded(ps []Problem) []Problem {
	ps = InOrder(ps)
	if len(ps) <= MaxProblems {
		return ps
	}
	slices.SortStableFunc(ps, func(a, b Problem) int { return cmp.Compare(a.Severity, b.Severity) })
	return ps[:MaxProblems]
}

// visible marks what a terminal would obey, or not show: a report is read by people, and in a build server's log by a
// machine that takes commands. Tabs stay.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029') {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// order compares paths with account.yaml first, the order in which files are read.
func order(a, b string) int {
	if (a == accountFile) != (b == accountFile) {
		if a == accountFile {
			return -1
		}
		return 1
	}
	return cmp.Compare(a, b)
}

// nearest finds the word an author probably meant: at most two edits away, or a third of its length; "" if none is near.
func nearest(word string, words []string) string {
	best, bestDistance := "", max(2, len(word)/3)+1
	for _, w := range words {
		if d := distance(strings.ToLower(word), strings.ToLower(w)); d < bestDistance && d < len(w) {
			best, bestDistance = w, d
		}
	}
	return best
}

// distance is the number of insertions, deletions, replacements and swaps of neighbours between two words.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return len(a) + len(b)
	}
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
