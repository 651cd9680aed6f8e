package variables

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// comparable checks the types of two sides, so that a comparison that could never be true is found when it is written.
func (p *conditionParser) comparable(a, b operand) bool {
	if a.name == "" && b.name == "" {
		p.fail(b.at, "two fixed values are compared", "compare a variable with a value")
		return false
	}
	if a.name == "" {
		a, b = b, a
	}
	if b.name != "" {
		return true
	}
	switch a.kind {
	case Enum:
		return p.isMember(a, b)
	case Boolean:
		return p.want(b, b.fixed == "true" || b.fixed == "false", a.name+" is true or false", "write "+a.name+", or not "+a.name)
	case Number:
		_, ok := amount(b.fixed)
		return p.want(b, ok, a.name+" is a number", "write a number without quotes")
	case Date:
		_, err := time.Parse("2006-01-02", b.fixed)
		return p.want(b, err == nil, a.name+" is a date", `write it as "2026-11-24"`)
	case Time:
		_, err := time.Parse("15:04", b.fixed)
		return p.want(b, err == nil, a.name+" is a time of day", `write it as "14:30"`)
	}
	return true
}

func (p *conditionParser) want(value operand, ok bool, message, help string) bool {
	if !ok {
		p.fail(value.at, message+", and this is not", help)
	}
	return ok
}

func (p *conditionParser) isMember(a, b operand) bool {
	if slices.ContainsFunc(a.values, func(m string) bool { return strings.EqualFold(m, b.fixed) }) {
		return true
	}
	help := "its values are " + strings.Join(a.values, ", ")
	if near := nearest(b.fixed, a.values); near != "" {
		help = "did you mean " + near + "?"
	}
	p.fail(b.at, fmt.Sprintf("%s has no value %q", a.name, cut(b.fixed, 40)), help)
	return false
}

// scan cuts the source into terms.
func (p *conditionParser) scan() *Fault {
	for i := 0; i < len(p.src); {
		c := p.src[i]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
			continue
		case c == '"' || c == '\'':
			end := strings.IndexByte(p.src[i+1:], c)
			if end < 0 {
				return &Fault{i, "this text is never closed", "add the closing quote"}
			}
			p.terms = append(p.terms, term{textTerm, i, p.src[i+1 : i+1+end]})
			i += end + 2
			continue
		}
		t, fault := p.scanTerm(i)
		if fault != nil {
			return fault
		}
		p.terms = append(p.terms, t)
		i += len(t.text)
	}
	p.terms = append(p.terms, term{endTerm, len(p.src), ""})
	return nil
}

// scanTerm reads a sign, a number or a name.
func (p *conditionParser) scanTerm(i int) (term, *Fault) {
	rest := p.src[i:]
	for _, sign := range []string{"==", "!=", "(", ")", "[", "]", ","} {
		if strings.HasPrefix(rest, sign) {
			return term{signTerm, i, sign}, nil
		}
	}
	if c := rest[0]; isDigit(c) || c == '-' && len(rest) > 1 && isDigit(rest[1]) {
		end := 1
		for end < len(rest) && (isDigit(rest[end]) || rest[end] == '.') {
			end++
		}
		if _, ok := amount(rest[:end]); !ok || end < len(rest) && isNameByte(rest[end]) {
			return term{}, &Fault{i, "this is neither a number nor a name", "put texts in quotes"}
		}
		return term{numberTerm, i, rest[:end]}, nil
	}
	end := 0
	for end < len(rest) && (isNameByte(rest[end]) || end > 0 && rest[end] == '-') {
		end++
	}
	if end > 0 {
		return term{nameTerm, i, rest[:end]}, nil
	}
	return term{}, &Fault{i, signMessage(rest), `write ==, !=, in, and, or, not, ( ), and texts in straight quotes`}
}

func signMessage(rest string) string {
	switch rest[0] {
	case '=':
		return "a single = compares nothing; write =="
	case '<', '>':
		return "greater and less are not available"
	case '&', '|', '!':
		return "write and, or, not in words"
	}
	for _, r := range rest {
		return fmt.Sprintf("%q may not stand here", r)
	}
	return "this may not stand here"
}

func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || isDigit(c) || c == '_' || c == '.'
}

// nearest finds the candidate an author probably meant: at most two letters away, or a third of its length.
func nearest(word string, candidates []string) string {
	best, bestDistance := "", max(2, len(word)/3)+1
	for _, c := range candidates {
		if len(word) > 64 || len(c) > 64 {
			continue
		}
		if d := distance(strings.ToLower(word), strings.ToLower(c)); d < bestDistance && d < len(c) {
			best, bestDistance = c, d
		}
	}
	return best
}

// distance is the Levenshtein distance in bytes.
func distance(a, b string) int {
	last := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := last[0]
		last[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			diagonal, last[j] = last[j], min(last[j]+1, last[j-1]+1, diagonal+cost)
		}
	}
	return last[len(b)]
}
