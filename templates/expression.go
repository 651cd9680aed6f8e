package templates

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aymerick/raymond/lexer"
)

// expression reads what stands between {{ and }}: a variable, or a helper with its arguments.
func (r *reader) expression(t tag) *expr {
	if len(t.inside) == 0 {
		r.p.add(CodeSyntax, t.start, t.length(), "there is nothing between the braces", "write the name of a variable")
		return nil
	}
	o := &operands{r: r, tokens: t.inside}
	e := o.call(span{r.spanOf(t.inside[0]).start, r.spanOf(t.inside[len(t.inside)-1]).end}, 1)
	if e != nil && (e.kind == textExpr || e.kind == wordExpr) {
		r.p.add(CodeSyntax, e.start, e.length(), "a text in braces is not a variable", "write the text without braces")
		return nil
	}
	return e
}

// test reads the one argument of a block.
func (r *reader) test(t tag, word string, inside []lexer.Token) *expr {
	o := &operands{r: r, tokens: inside}
	args, ok := o.list(1)
	if !ok {
		return nil
	}
	if len(args) != 1 {
		r.p.add(CodeArguments, t.start, t.length(), fmt.Sprintf("{{#%s}} takes exactly one argument", word), blockUsage(word))
		return nil
	}
	e := args[0]
	switch {
	case e.kind == textExpr || e.kind == wordExpr:
		r.p.add(CodeArguments, e.start, e.length(), fmt.Sprintf("{{#%s}} takes a variable, not a fixed value", word), blockUsage(word))
		return nil
	case (word == "each" || word == "with") && !r.isOpen(e):
		r.p.add(CodeBlock, e.start, e.length(), fmt.Sprintf("{{#%s}} works on lists and parts of metadata; %s is neither", word, shown(e.name)), blockUsage(word))
		return nil
	}
	return e
}

func blockUsage(word string) string {
	switch word {
	case "each":
		return "write {{#each metadata.items}} … {{this}} … {{/each}}"
	case "with":
		return "write {{#with metadata.order}} … {{this.number}} … {{/with}}"
	}
	return fmt.Sprintf("write {{#%s name}}, or {{#%s (eq name 'text')}}", word, word)
}

// isOpen reports whether an expression may hold a list or a map.
func (r *reader) isOpen(e *expr) bool {
	return e.kind == itemExpr || e.kind == pathExpr && r.names[e.parts[0]] == KindOpen
}

// operands reads a row of tokens.
type operands struct {
	r      *reader
	tokens []lexer.Token
	next   int
}

func (o *operands) more() bool {
	return o.next < len(o.tokens) && o.peek().Kind != lexer.TokenCloseSexpr
}

func (o *operands) peek() lexer.Token { return o.tokens[o.next] }

func (o *operands) kindAt(i int) lexer.TokenKind {
	if i < len(o.tokens) {
		return o.tokens[i].Kind
	}
	return lexer.TokenEOF
}

// list reads operands up to the end or a closing parenthesis.
func (o *operands) list(depth int) (all []*expr, ok bool) {
	if depth > maxDepth {
		o.r.tooDeep(o.tokens[max(o.next-1, 0)].Pos)
		return nil, false
	}
	for o.more() {
		if o.r.nodes++; o.r.nodes > maxNodes {
			o.r.p.add(CodeTooLarge, o.peek().Pos, 1, "the text has more than 5,000 parts", "split it into several messages")
			o.r.stop()
			return nil, false
		}
		e := o.operand(depth)
		if e == nil {
			return nil, false
		}
		all = append(all, e)
	}
	if depth == 1 && o.next < len(o.tokens) {
		o.r.p.add(CodeSyntax, o.peek().Pos, 1, "this ) closes nothing", "remove it")
		return nil, false
	}
	return all, true
}

// call reads a helper with its arguments, or a single operand. at is the place to blame.
func (o *operands) call(at span, depth int) *expr {
	if o.helperHead(depth) {
		head := o.peek()
		place := o.r.spanOf(head)
		o.next++
		args, ok := o.list(depth)
		if !ok {
			return nil
		}
		return o.r.checkCall(&expr{kind: callExpr, span: span{place.start, at.end}, name: head.Val, args: args}, place)
	}
	args, ok := o.list(depth)
	switch {
	case !ok:
		return nil
	case len(args) == 1 && args[0].kind != callExpr:
		return args[0]
	case len(args) == 0:
		o.r.p.add(CodeSyntax, at.start, at.length(), "there is nothing between the parentheses", "write a helper, as in (eq a b)")
	case args[0].kind == callExpr:
		o.r.p.add(CodeSyntax, at.start, at.length(), "parentheses may only stand around an argument", "leave the outer ones out")
	default:
		o.r.p.add(CodeHelper, at.start, at.length(), fmt.Sprintf("%s is a variable and takes no arguments", shown(args[0].name)), "put a helper before it, as in {{upper name}}")
	}
	return nil
}

// helperHead reports whether the next token names a helper: a plain word that is no variable, or one with arguments
// that could only belong to a helper.
func (o *operands) helperHead(depth int) bool {
	if !o.more() || o.peek().Kind != lexer.TokenID || o.kindAt(o.next+1) == lexer.TokenSep {
		return false
	}
	word := o.peek().Val
	if _, variable := o.r.names[word]; variable || isItemWord(word) || strings.HasPrefix(word, "dyn_") || strings.HasPrefix(word, "[") {
		return false
	}
	if _, helper := signature(word); helper || isBlockWord(word) {
		return true
	}
	following := o.kindAt(o.next + 1)
	return following != lexer.TokenEOF && following != lexer.TokenCloseSexpr
}

func isItemWord(s string) bool { return s == "this" || s == "." || s == ".." }

// operand reads one argument.
func (o *operands) operand(depth int) *expr {
	tok := o.peek()
	place := o.r.spanOf(tok)
	switch tok.Kind {
	case lexer.TokenString:
		o.next++
		return &expr{kind: textExpr, span: place, name: tok.Val, text: tok.Val}
	case lexer.TokenNumber, lexer.TokenBoolean:
		o.next++
		return o.r.word(tok, place)
	case lexer.TokenOpenSexpr:
		return o.nested(place, depth)
	case lexer.TokenData:
		return o.data(place)
	case lexer.TokenID:
		if o.kindAt(o.next+1) == lexer.TokenEquals {
			o.r.p.add(CodeArguments, place.start, place.length(), "helpers take no named arguments", "write the values one after the other")
			return nil
		}
		return o.path(place)
	case lexer.TokenOpenBlockParams:
		o.r.p.add(CodeBlock, place.start, place.length(), "as |name| is not available", "use this: {{this}}, {{this.price}}")
		return nil
	}
	o.r.p.add(CodeSyntax, place.start, place.length(), fmt.Sprintf("%q may not stand here", shown(tok.Val)), "write a variable, or a helper with its arguments")
	return nil
}

// word reads a number or a boolean; negative and broken numbers have crashed the engine and are of no use.
func (r *reader) word(tok lexer.Token, place span) *expr {
	digits := strings.Trim(tok.Val, "0123456789") == "" && len(tok.Val) <= 9
	if tok.Kind == lexer.TokenNumber && !digits {
		r.p.add(CodeArguments, place.start, place.length(), fmt.Sprintf("%s is not a number that can be used here", shown(tok.Val)), "write a whole number, or put the text in quotes")
		return nil
	}
	return &expr{kind: wordExpr, span: place, name: tok.Val, text: tok.Val}
}

// nested reads a helper in parentheses.
func (o *operands) nested(place span, depth int) *expr {
	o.next++
	end := place.end
	if o.next < len(o.tokens) {
		end = o.r.spanOf(o.peek()).end
	}
	e := o.call(span{place.start, end}, depth+1)
	if e == nil {
		return nil
	}
	if o.next >= len(o.tokens) {
		o.r.p.add(CodeSyntax, place.start, 1, "this ( is never closed", "add )")
		return nil
	}
	o.next++
	if e.kind != callExpr {
		o.r.p.add(CodeSyntax, place.start, e.end-place.start, "parentheses need a helper inside", "write the name without parentheses")
		return nil
	}
	return e
}

// data reads @index and its like.
func (o *operands) data(place span) *expr {
	known := []string{"index", "first", "last", "key"}
	o.next++
	if o.kindAt(o.next) != lexer.TokenID || !slices.Contains(known, o.peek().Val) || o.kindAt(o.next+1) == lexer.TokenSep {
		o.r.p.add(CodeUnknownName, place.start, place.length(), "only @index, @first, @last and @key may begin with @", "remove the @")
		return nil
	}
	name := o.spanName()
	o.next++
	place.end += len(name)
	if o.r.inside("each") == 0 {
		o.r.p.add(CodeUnknownName, place.start, place.length(), "@"+name+" exists only inside {{#each}}", "move it inside, or remove it")
		return nil
	}
	return &expr{kind: dataExpr, span: place, name: "@" + name, text: name}
}

func (o *operands) spanName() string { return o.peek().Val }

// path reads a dotted name.
func (o *operands) path(place span) *expr {
	words := []string{o.peek().Val}
	slash := false
	o.next++
	for o.kindAt(o.next) == lexer.TokenSep && o.kindAt(o.next+1) == lexer.TokenID {
		slash = slash || o.peek().Val == "/"
		word := o.tokens[o.next+1]
		place.end = o.r.spanOf(word).end
		words = append(words, word.Val)
		o.next += 2
	}
	if o.kindAt(o.next) == lexer.TokenSep {
		o.r.p.add(CodeSyntax, place.start, place.length()+1, "a name may not end here", "write the whole name, as in metadata.order")
		return nil
	}
	e := &expr{kind: pathExpr, span: place, name: o.r.src[place.start:place.end]}
	for _, w := range words {
		e.parts = append(e.parts, strings.TrimSuffix(strings.TrimPrefix(w, "["), "]"))
	}
	return o.r.checkPath(e, words, slash)
}
