package templates

import (
	"strings"

	"github.com/aymerick/raymond/lexer"
)

// The tree is our own reading of the engine's tokens. The engine's parser leaks a goroutine on every error, and its
// tree cannot tell a block helper that stands inline (which ends the process) from one that opens a block; so a text is
// read here first, and only what was understood and allowed is written out again for the engine.

// span is a range of the normalised source.
type span struct{ start, end int }

func (s span) length() int { return s.end - s.start }

type nodeKind int

const (
	contentNode nodeKind = iota
	commentNode
	outputNode
	blockNode
)

// node is one statement.
type node struct {
	kind     nodeKind
	span            // the content, the comment or the (opening) tag
	value    *expr  // what an output prints
	block    string // if, unless, each, with
	branches []branch
	close    span // the closing tag
}

// branch is one arm of a block: the first, an {{else if …}}, or the {{else}}, which has no test.
type branch struct {
	tag  span
	word string // if, unless, each, with
	test *expr
	body []*node
}

type exprKind int

const (
	pathExpr exprKind = iota // a variable, or a path below metadata
	itemExpr                 // this, this.key
	dataExpr                 // @index, @first, @last, @key
	textExpr                 // 'a string'
	wordExpr                 // a number or a boolean
	callExpr                 // a helper with its arguments
)

// expr is one expression.
type expr struct {
	kind exprKind
	span
	name  string   // as written: customer_name, metadata.order.id, this.price, upper
	parts []string // of a path, without this
	text  string   // of a literal
	args  []*expr  // of a call
}

// paths lists the variables an expression reads, in order.
func (e *expr) paths() []*expr {
	switch e.kind {
	case pathExpr, itemExpr, dataExpr:
		return []*expr{e}
	case callExpr:
		var all []*expr
		for _, a := range e.args {
			all = append(all, a.paths()...)
		}
		return all
	}
	return nil
}

// size counts the helpers and what they take.
func (e *expr) size() int {
	if e == nil {
		return 0
	}
	n := 1
	for _, a := range e.args {
		n += a.size()
	}
	return n
}

// walk visits every node, depth first, in the order of the source.
func walk(nodes []*node, visit func(*node)) {
	for _, n := range nodes {
		visit(n)
		for _, b := range n.branches {
			walk(b.body, visit)
		}
	}
}

// tag is one {{…}} as tokens.
type tag struct {
	span
	open, close lexer.Token
	inside      []lexer.Token
}

// reader turns tokens into the tree and reports everything it does not accept.
type reader struct {
	src    string
	tokens []lexer.Token
	next   int
	names  Names
	p      *problems
	open   []string // blocks around this place, outermost first
	nodes  int
	cut    bool // reading stopped early, so that an unclosed block is not the author's mistake
}

// read reads a whole text.
func read(src string, names Names, p *problems) []*node {
	r := &reader{src: src, tokens: lexer.Collect(src), names: names, p: p}
	var body []*node
	for {
		body = append(body, r.program()...)
		switch tok := r.peek(); tok.Kind {
		case lexer.TokenEOF:
			return body
		case lexer.TokenError:
			r.lexical(tok)
			return body
		default:
			r.stray()
		}
	}
}

func (r *reader) peek() lexer.Token { return r.tokens[min(r.next, len(r.tokens)-1)] }

// stop ends the reading: the rest of the text would only repeat what is wrong.
func (r *reader) stop() { r.next, r.cut = len(r.tokens)-1, true }

// stray reports a closing tag or an else that belongs to no block.
func (r *reader) stray() {
	t, _ := r.tag()
	what := "{{else}}"
	if t.open.Kind == lexer.TokenOpenEndBlock {
		what = "this closing tag"
	}
	r.p.add(CodeSyntax, t.start, t.length(), what+" belongs to no open block", "remove it, or open a block with {{#if …}} before it")
}

// lexical words what the engine's scanner stumbled over.
func (r *reader) lexical(tok lexer.Token) {
	switch {
	case strings.HasPrefix(tok.Val, "Unclosed comment"):
		r.p.add(CodeSyntax, tok.Pos, 3, "this comment is never closed", "end it with }}, or with --}} if it began with {{!--")
	case strings.HasPrefix(tok.Val, "Unclosed raw block"), r.inRaw():
		r.p.add(CodeBlock, r.lastOpen(), 4, "{{{{ }}}} blocks are not available", `write \{{ to show braces as they are`)
	case strings.HasPrefix(tok.Val, "Unclosed expression"):
		r.p.add(CodeSyntax, r.lastOpen(), 2, "this {{ is never closed", `close it with }}, or write \{{ to show braces as they are`)
	case strings.HasPrefix(tok.Val, "Unterminated string"):
		r.p.add(CodeSyntax, max(tok.Pos-1, 0), 1, "this string is never closed", "close it with the same quote on the same line")
	case strings.HasPrefix(tok.Val, "bad number"):
		r.p.add(CodeSyntax, tok.Pos, 1, "this is neither a name nor a number", "start names with a letter; write whole numbers")
	default:
		r.p.add(CodeSyntax, tok.Pos, 1, "this character may not stand inside {{ }}",
			`write names with letters, digits and _; put words in straight quotes ("…" or '…')`)
	}
	r.cut = true
}

// lastOpen is where the tag began in which the scanner gave up.
func (r *reader) lastOpen() int {
	for i := len(r.tokens) - 1; i >= 0; i-- {
		if strings.HasPrefix(r.tokens[i].Val, "{{") && r.tokens[i].Kind != lexer.TokenContent {
			return r.tokens[i].Pos
		}
	}
	return 0
}

func (r *reader) inRaw() bool {
	for _, t := range r.tokens {
		if t.Kind == lexer.TokenOpenRawBlock {
			return true
		}
	}
	return false
}

// tag takes the tokens of one {{…}}. ok is false if the text ends inside it.
func (r *reader) tag() (t tag, ok bool) {
	t.open = r.peek()
	t.span = span{t.open.Pos, t.open.Pos + len(t.open.Val)}
	r.next++
	if t.open.Kind == lexer.TokenInverse {
		return t, true
	}
	for {
		tok := r.peek()
		switch tok.Kind {
		case lexer.TokenEOF, lexer.TokenError:
			return t, false
		case lexer.TokenClose, lexer.TokenCloseUnescaped, lexer.TokenCloseRawBlock:
			r.next++
			t.close = tok
			t.end = tok.Pos + len(tok.Val)
			return t, true
		}
		t.inside = append(t.inside, tok)
		r.next++
	}
}

// spanOf gives the place of a token; the engine's own positions leave out a string's quotes.
func (r *reader) spanOf(tok lexer.Token) span {
	if tok.Kind != lexer.TokenString || tok.Pos == 0 {
		return span{tok.Pos, tok.Pos + len(tok.Val)}
	}
	quote := r.src[tok.Pos-1]
	end := tok.Pos
	for end < len(r.src) && (r.src[end] != quote || r.src[end-1] == '\\' && end > tok.Pos) {
		end++
	}
	return span{tok.Pos - 1, min(end+1, len(r.src))}
}
