package templates

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aymerick/raymond/lexer"
)

// blockWords are the block helpers. They may only open blocks: inline, the engine's recurse without end.
func blockWords() []string { return []string{"if", "unless", "each", "with"} }

func isBlockWord(s string) bool { return slices.Contains(blockWords(), s) }

// program reads statements until the text, a block or a branch ends.
func (r *reader) program() []*node {
	var body []*node
	for {
		tok := r.peek()
		switch tok.Kind {
		case lexer.TokenEOF, lexer.TokenError, lexer.TokenOpenEndBlock, lexer.TokenInverse:
			return body
		case lexer.TokenOpenInverseChain:
			if !r.looksLikeElse() {
				r.elseName()
				continue
			}
			return body
		}
		if r.nodes++; r.nodes > maxNodes {
			r.p.add(CodeTooLarge, tok.Pos, 1, "the text has more than 5,000 parts", "split it into several messages")
			r.stop()
			return body
		}
		if n := r.statement(tok); n != nil {
			body = append(body, n)
		}
	}
}

// looksLikeElse tells {{else if …}} from a name that merely begins with else, which the engine does not.
func (r *reader) looksLikeElse() bool {
	tok := r.peek()
	end := tok.Pos + len(tok.Val)
	return end >= len(r.src) || strings.ContainsRune(" \t\n~}", rune(r.src[end]))
}

func (r *reader) elseName() {
	t, ok := r.tag()
	if ok {
		r.p.add(CodeUnknownName, t.start, t.length(), "a name may not begin with else", "rename the variable")
	}
}

// statement reads one statement; nil if there was nothing to keep.
func (r *reader) statement(tok lexer.Token) *node {
	switch tok.Kind {
	case lexer.TokenContent, lexer.TokenComment:
		r.next++
		kind := contentNode
		if tok.Kind == lexer.TokenComment {
			kind = commentNode
		}
		return &node{kind: kind, span: span{tok.Pos, tok.Pos + len(tok.Val)}}
	case lexer.TokenOpenBlock:
		return r.blockStatement()
	}
	t, ok := r.tag()
	if !ok {
		return nil
	}
	switch tok.Kind {
	case lexer.TokenOpen:
		return r.output(t)
	case lexer.TokenOpenUnescaped:
		r.p.add(CodeUnescaped, t.start, t.length(), "{{{ }}} would print a value without escaping it", "write {{ }}")
	case lexer.TokenOpenPartial:
		r.p.add(CodePartial, t.start, t.length(), "partials ({{> }}) are not available", "write the passage out, or use body_file")
	case lexer.TokenOpenInverse:
		r.p.add(CodeBlock, t.start, t.length(), "{{^ }} sections are not available", "write {{#unless name}} … {{/unless}}")
		r.skipBlock()
	case lexer.TokenOpenRawBlock:
		r.p.add(CodeBlock, t.start, t.length(), "{{{{ }}}} blocks are not available", `write \{{ to show braces as they are`)
	}
	return nil
}

// skipBlock reads over the body of a block that was refused, so that its end is not reported as well.
func (r *reader) skipBlock() {
	r.open = append(r.open, "")
	defer func() { r.open = r.open[:len(r.open)-1] }()
	if len(r.open) > maxDepth {
		r.tooDeep(r.peek().Pos)
		return
	}
	for {
		r.program()
		switch r.peek().Kind {
		case lexer.TokenOpenEndBlock:
			r.tag()
			return
		case lexer.TokenInverse, lexer.TokenOpenInverseChain:
			r.tag()
		default:
			return
		}
	}
}

func (r *reader) tooDeep(offset int) {
	r.p.add(CodeTooLarge, offset, 1, "blocks or expressions are nested more than 24 deep", "take the inner ones out")
	r.stop()
}

func (r *reader) output(t tag) *node {
	if strings.HasSuffix(t.open.Val, "&") {
		r.p.add(CodeUnescaped, t.start, t.length(), "{{& }} would print a value without escaping it", "write {{ }} without &")
		return nil
	}
	if !r.closedBy(t) {
		return nil
	}
	value := r.expression(t)
	if value == nil {
		return nil
	}
	if value.kind == callExpr && value.name == "eq" {
		r.p.add(CodeHelper, t.start, t.length(), "eq compares and prints nothing", "use it as {{#if (eq a b)}}")
	}
	return &node{kind: outputNode, span: t.span, value: value}
}

// closedBy refuses a tag that ends in more braces than it began with.
func (r *reader) closedBy(t tag) bool {
	if t.close.Kind == lexer.TokenClose {
		return true
	}
	r.p.add(CodeSyntax, t.start, t.length(), "this tag is opened with {{ and closed with more than }}", "close it with }}")
	return false
}

// blockStatement reads a block with all its branches and its closing tag.
func (r *reader) blockStatement() *node {
	t, ok := r.tag()
	if !ok {
		return nil
	}
	word, test := r.opener(t)
	if word == "" {
		r.skipBlock()
		return nil
	}
	if len(r.open) >= maxDepth {
		r.tooDeep(t.start)
		return nil
	}
	if word == "each" && r.inside("each") >= maxNested {
		r.p.add(CodeTooLarge, t.start, t.length(), "each may be nested twice at most", "list the inner values with join")
	}
	n := &node{kind: blockNode, span: t.span, block: word}
	r.open = append(r.open, word)
	n.branches = append(n.branches, branch{tag: t.span, word: word, test: test, body: r.program()})
	r.otherBranches(n)
	r.open = r.open[:len(r.open)-1]
	r.closing(n)
	return n
}

// inside counts how many of the open blocks are of a kind.
func (r *reader) inside(words ...string) int {
	count := 0
	for _, w := range r.open {
		if slices.Contains(words, w) {
			count++
		}
	}
	return count
}

// opener reads {{#word test}}. word is "" if the block was refused.
func (r *reader) opener(t tag) (word string, test *expr) {
	if !r.closedBy(t) {
		return "", nil
	}
	if len(t.inside) == 0 || t.inside[0].Kind != lexer.TokenID || !isBlockWord(t.inside[0].Val) {
		r.refuseBlock(t)
		return "", nil
	}
	word = t.inside[0].Val
	test = r.test(t, word, t.inside[1:])
	return word, test
}

// refuseBlock says why {{#something}} is no block.
func (r *reader) refuseBlock(t tag) {
	name := ""
	if len(t.inside) > 0 {
		name = t.inside[0].Val
	}
	message := fmt.Sprintf("there is no block {{#%s}}", shown(name))
	help := "the blocks are {{#if x}}, {{#unless x}}, {{#each metadata.list}} and {{#with metadata.thing}}"
	if _, known := r.names[name]; known || strings.HasPrefix(name, "dyn_") {
		help = fmt.Sprintf("write {{#if %s}} … {{/if}}", name)
	} else if near := nearest(name, blockWords()); near != "" {
		help = "did you mean {{#" + near + "}}?"
	}
	r.p.add(CodeBlock, t.start, t.length(), message, help)
}

// otherBranches reads {{else if …}} and {{else}}.
func (r *reader) otherBranches(n *node) {
	ended := false
	for {
		kind := r.peek().Kind
		if kind != lexer.TokenInverse && kind != lexer.TokenOpenInverseChain {
			return
		}
		t, ok := r.tag()
		if !ok {
			return
		}
		if ended {
			r.p.add(CodeSyntax, t.start, t.length(), "nothing may follow the {{else}} of a block but its end", "remove this branch, or move it before {{else}}")
		}
		b := branch{tag: t.span}
		if kind == lexer.TokenInverse {
			ended = true
		} else {
			b.word, b.test = r.elseTest(t)
		}
		// Inside the else of an each or with there is no item.
		around := r.open[len(r.open)-1]
		r.open[len(r.open)-1] = "if"
		b.body = r.program()
		r.open[len(r.open)-1] = around
		n.branches = append(n.branches, b)
	}
}

func (r *reader) elseTest(t tag) (string, *expr) {
	if !r.closedBy(t) {
		return "", nil
	}
	if len(t.inside) == 0 || t.inside[0].Val != "if" && t.inside[0].Val != "unless" {
		r.p.add(CodeBlock, t.start, t.length(), "else may only be followed by if or unless", "write {{else}} or {{else if name}}")
		return "", nil
	}
	return t.inside[0].Val, r.test(t, t.inside[0].Val, t.inside[1:])
}

// closing reads the closing tag of a block.
func (r *reader) closing(n *node) {
	tok := r.peek()
	if tok.Kind != lexer.TokenOpenEndBlock {
		if !r.cut && tok.Kind == lexer.TokenEOF {
			r.p.add(CodeSyntax, n.start, n.length(), fmt.Sprintf("this {{#%s}} is never closed", n.block), fmt.Sprintf("add {{/%s}} where it ends", n.block))
		}
		return
	}
	from := r.next
	t, ok := r.tag()
	if !ok {
		return
	}
	name := ""
	if len(t.inside) == 1 {
		name = t.inside[0].Val
	}
	if name == n.block && t.close.Kind == lexer.TokenClose {
		n.close = t.span
		return
	}
	if slices.Contains(r.open, name) {
		r.p.add(CodeSyntax, n.start, n.length(), fmt.Sprintf("this {{#%s}} is not closed before the block around it ends", n.block), fmt.Sprintf("add {{/%s}} before {{/%s}}", n.block, name))
		r.next = from
		return
	}
	r.p.add(CodeSyntax, t.start, t.length(), fmt.Sprintf("this does not close {{#%s}}, which is open here", n.block), fmt.Sprintf("write {{/%s}}", n.block))
}
