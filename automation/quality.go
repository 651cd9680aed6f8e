package automation

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v4"
	"golang.org/x/text/language"

	"aftercall/deliver"
	"aftercall/templates"
	"aftercall/variables"
)

// at gives the place of a byte offset in the value.
func (v value) at(offset int) (d *document, line, col int) {
	line, col = v.doc.locate(v.node, offset)
	return v.doc, line, col
}

// warnAt reports a part of a text, by byte offset in its value.
func (v value) warnAt(offset int, part, code, message, help string) {
	d, line, col := v.at(offset)
	d.problem(line, col, len([]rune(part)), Warning, code, message, help)
}

// english reports whether what the account writes may be judged by English words. While a file cannot be read it is not
// known.
func (c *compiler) english() bool {
	base, _ := language.Make(c.rev.Language).Base()
	return !c.partial && base.String() == "en"
}

// foreignLetters reports letters that English has not. Most accounts never say what language they ask in.
func foreignLetters(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII && unicode.IsLetter(r) })
}

// What makes a question hard to answer. The words are English: questions in other languages are asked as they are.
var (
	feeling = regexp.MustCompile(`(?i)\b(?:unhappy|happy|angry|upset|annoyed|frustrated|dissatisfied|satisfied|interested|confused|worried)\b`)
	heard   = regexp.MustCompile(`(?i)\b(?:say|said|saying|ask|asked|tell|told|complain|express|mention|report|request|threaten|state|agree|accept|` +
		`refuse|decline|explain|confirm|call|order|book|cancel|use|raise|describe|swear|shout)`)
	another  = regexp.MustCompile(`(?i)\band\s+(?:also\s+)?(?:did|does|do|is|are|was|were|has|have|had|will|would|can|could|should)\s+(?:the|they|he|she|it|an?|any\w*|some\w+|nobody|there|this|that)\b`)
	question = regexp.MustCompile(`[^.!?？؟]*[?？؟]`)
	negation = regexp.MustCompile(`(?i)\b(?:not|no|never|nobody|none|nothing|neither|without|cannot|\w+n['’]t)\b`)
	apart    = regexp.MustCompile(`(?i)[,;:]|\b(?:or|and)\b`)
)

// wording warns of a question that yes and no do not answer, or that no words of a call can.
func (v value) wording(ask string) {
	switch n := len(strings.Fields(ask)); {
	case n < 5:
		v.warn(codeVague, fmt.Sprintf("the question has %d words and names nothing that can be heard", n),
			`ask what was said, such as "Did the customer say they are unhappy, or threaten to cancel?"`)
		return
	case !question.MatchString(ask):
		v.warn(codeVague, "this is not a question", `ask what was said, such as "Did the customer ask to be called back?"`)
		return
	}
	if at := feeling.FindStringIndex(ask); at != nil && !heard.MatchString(ask) {
		word := ask[at[0]:at[1]]
		v.warnAt(at[0], word, codeVague, fmt.Sprintf("nobody can hear %s; what would the customer say?", word),
			`ask what was said, such as "Did the customer say they are unhappy, or threaten to cancel?"`)
	}
	if at, part := second(ask); part != "" {
		v.warnAt(at, part, codeDouble, "this asks two things, and one answer has to do for both", "ask for one, and make an automation of the other")
	}
	if at, part := stacked(ask); part != "" {
		v.warnAt(at, part, codeNegations, "two negations in one clause are easily misread", "ask for what was said, not for what was not")
	}
}

// second finds the question after the first; the part is "" if there is none.
func second(ask string) (at int, part string) {
	if m := another.FindStringIndex(ask); m != nil {
		return m[0], strings.Fields(ask[m[0]:m[1]])[0]
	}
	all := question.FindAllStringIndex(ask, 2)
	if len(all) < 2 {
		return 0, ""
	}
	rest := ask[all[1][0]:all[1][1]]
	trimmed := strings.TrimLeft(rest, " \t\r\n")
	line, _, _ := strings.Cut(trimmed, "\n")
	return all[1][0] + len(rest) - len(trimmed), line
}

// stacked finds the second of two negations in one clause of a question.
func stacked(ask string) (at int, part string) {
	for _, q := range question.FindAllStringIndex(ask, -1) {
		words := negation.FindAllStringIndex(ask[q[0]:q[1]], -1)
		for i := 1; i < len(words); i++ {
			from, to := q[0]+words[i-1][1], q[0]+words[i][0]
			if !apart.MatchString(ask[from:to]) {
				return to, ask[to : q[0]+words[i][1]]
			}
		}
	}
	return 0, ""
}

// vague is a name that does not say what is wanted, however it is read.
var vague = regexp.MustCompile(`^dyn_(?:info|information|data|details?|values?|text|misc|other|stuff|things?|notes?|content|results?|answers?|fields?|vars?|variables?|items?|comments?|messages?)(?:_?\d+)?$`)

// naming warns of variables that the model is asked for by their names alone, if the names say nothing.
func (c *compiler) naming() {
	for _, name := range slices.Sorted(maps.Keys(c.rev.Declarations)) {
		d := c.rev.Declarations[name]
		if d.Type == variables.Enum || d.Ask != variables.Describe(name) || !vague.MatchString(name) {
			continue
		}
		at := c.used[name]
		if v, ok := c.declared[name]; ok {
			at = v.named()
		}
		at.warn(codeVagueName, fmt.Sprintf("%s does not say what is wanted", name),
			fmt.Sprintf(`call it what it is, such as dyn_order_number, or declare it:  %s: { ask: "…" }`, name))
	}
}

// named is the place of the key a value stands under.
func (v value) named() spot { return value{doc: v.doc, node: v.key}.spot() }

// maxParagraphs is how many paragraphs of an e-mail people read.
const maxParagraphs = 5

var (
	braced    = regexp.MustCompile(`\{\{!--[\s\S]*?--\}\}|\{\{[\s\S]*?\}\}`)
	blankLine = regexp.MustCompile(`\n[ \t]*\n\s*`)
	htmlBlock = regexp.MustCompile(`(?i)<(?:p|ul|ol|table|blockquote|h[1-6])\b`)
)

// paragraphs finds where each paragraph of a body begins, by offset. One that only prints a value is not counted: the
// author did not write it.
func paragraphs(src string, f templates.Format) []int {
	if f == templates.HTML {
		var all []int
		for _, m := range htmlBlock.FindAllStringIndex(src, -1) {
			all = append(all, m[0])
		}
		return all
	}
	var all []int
	from := 0
	for _, m := range append(blankLine.FindAllStringIndex(src, -1), []int{len(src), len(src)}) {
		if strings.ContainsFunc(braced.ReplaceAllString(src[from:m[0]], ""), unicode.IsLetter) {
			all = append(all, from+len(src[from:m[0]])-len(strings.TrimLeft(src[from:m[0]], " \t\n")))
		}
		from = m[1]
	}
	return all
}

// length warns of an e-mail that nobody reads to its end. at gives the place of an offset.
func length(t *templates.Text, at func(offset int) (d *document, line, col int)) {
	if t == nil {
		return
	}
	if all := paragraphs(t.Source, t.Format); len(all) > maxParagraphs {
		d, line, col := at(all[maxParagraphs])
		d.problem(line, col, 1, Warning, codeLongMail, fmt.Sprintf("the e-mail has %d paragraphs; few people read more than %d", len(all), maxParagraphs),
			"say what happened and what is to be done, and link to the rest")
	}
}

// maxSegments is the longest text, in pieces that are each paid for, before any value is in it.
const maxSegments = 3

// texting warns of a text message that costs more than it looks.
func (v value) texting(t *templates.Text) {
	if t == nil {
		return
	}
	if at, r := foreign(v.node.Value); at >= 0 {
		v.warnAt(at, string(r), codeAlphabet, fmt.Sprintf("because of %q a piece of this text holds 70 characters instead of 160", r), instead(r))
	}
	shown, err := t.Render(templates.Values{}, templates.Options{})
	if err != nil {
		return // reported when it was parsed
	}
	if n := deliver.SegmentsOf(shown.Text); n.Count > maxSegments {
		v.warn(codeLongText, fmt.Sprintf("without any value in it this text takes %d pieces, each of which is paid for", n.Count), "say it shorter, or send an e-mail")
	}
}

// foreign finds the first character outside braces that is not in the short alphabet of text messages; at is -1 if there
// is none, and where a letter is not in it either: letters are the language's own and cannot be left out.
func foreign(s string) (at int, char rune) {
	at = -1
	hidden := braced.FindAllStringIndex(s, -1)
	for i, r := range s {
		for len(hidden) > 0 && i >= hidden[0][1] {
			hidden = hidden[1:]
		}
		switch {
		case len(hidden) > 0 && i >= hidden[0][0] || deliver.InShortAlphabet(r):
		case unicode.IsLetter(r) || unicode.IsMark(r):
			return -1, 0
		case at < 0:
			at, char = i, r
		}
	}
	return at, char
}

// instead says what to write for a character outside the short alphabet.
func instead(r rune) string {
	for _, c := range []struct{ these, plain string }{{"’‘‚′", "'"}, {"“”„″", `"`}, {"–—−‐‑", "-"}, {"…", "..."}, {"•·", "-"}, {"\u00a0\u2009\u202f", "a space"}} {
		if strings.ContainsRune(c.these, r) {
			return "write " + c.plain
		}
	}
	return "leave it out if it need not be there"
}

// keepsLine finds a line of Markdown that means something only at the beginning of a line.
var keepsLine = regexp.MustCompile(`^(?:\||[-*+] |\d+[.)] |#{1,6} |> )`)

// folding warns of Markdown whose lines a folded block (>) joins to one. A line that is indented more keeps its own.
func (v value) folding() {
	if v.node.Style&yaml.FoldedStyle == 0 {
		return
	}
	indent, before := -1, false
	for i := v.node.Line; i < len(v.doc.lines); i++ {
		text := strings.TrimLeft(v.doc.lines[i], " ")
		depth := len(v.doc.lines[i]) - len(text)
		switch {
		case strings.TrimSpace(text) == "":
			before = false
			continue
		case indent < 0:
			indent = depth
		case depth < indent:
			return
		}
		if before && depth == indent && keepsLine.MatchString(text) {
			v.doc.problem(i+1, depth+1, 1, Warning, codeFolded, "a folded block joins this line to the one before", "write  body: |  to keep lines as they are")
			return
		}
		before = depth == indent
	}
}
