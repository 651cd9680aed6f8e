package templates

import (
	"fmt"
	"html"
	"slices"
	"strings"
)

// htmlMode is a state of the HTML scanner; the names follow the tokenizer of the HTML standard, section 13.2.5.
type htmlMode int

const (
	inText   htmlMode = iota
	inMarkup          // after "<!" or "<?": a comment once "--" follows
	inComment
	inTagOpen // after "<" or "</"
	inTagName
	inTag // between attributes
	inAttributeName
	afterAttributeName
	beforeValue
	inDouble
	inSingle
	inUnquoted
	inRawText // in <style> or <title>
)

// htmlState is where in the author's HTML the scanner stands. Two equal states escape alike.
type htmlState struct {
	mode      htmlMode
	closing   bool   // the tag began with </
	tag       string // of the open tag, or of the raw text
	attribute string
	value     string // of the attribute so far, marks for outputs included
	pre       bool   // inside <pre>
}

// htmlScanner follows the author's HTML through content, outputs and blocks, to know the place of every variable. It
// sees exactly the characters the browser will see around a value, in every branch: a block must therefore leave the
// HTML where it found it.
type htmlScanner struct {
	htmlState
	src    string
	p      *problems
	names  Names
	places map[*node]place
	word   int // offset at which the current tag name or attribute name began
}

// scan follows a row of nodes.
func (s *htmlScanner) scan(nodes []*node) {
	for _, n := range nodes {
		switch n.kind {
		case contentNode:
			for i := n.start; i < n.end; i++ {
				s.step(s.src[i], i)
			}
		case outputNode:
			s.places[n] = s.output(n)
		case blockNode:
			s.block(n)
		}
	}
}

// block follows every branch from the same state and requires that each ends where it began. Only the value of a quoted
// attribute may differ afterwards; what follows then knows nothing of its beginning.
func (s *htmlScanner) block(n *node) {
	start := s.htmlState
	quoted := start.mode == inDouble || start.mode == inSingle
	if !quoted && start.mode != inText && start.mode != inTag {
		s.crossing(n.span)
		return
	}
	if quoted && n.block == "each" {
		start.value += string(blockMark)
	}
	values := []string{start.value}
	if last := n.branches[len(n.branches)-1]; last.test == nil && last.word == "" {
		values = nil
	}
	for _, b := range n.branches {
		s.htmlState = start
		s.scan(b.body)
		values = append(values, s.value)
		if s.value = start.value; s.htmlState != start {
			s.crossing(b.tag)
		}
	}
	s.htmlState = start
	if slices.Sort(values); values[0] != values[len(values)-1] {
		s.value += string(blockMark)
	} else {
		s.value = values[0]
	}
}

func (s *htmlScanner) crossing(at span) {
	s.p.add(CodeCrossing, at.start, at.length(), "this block begins in one place of the HTML and ends in another",
		"put whole elements, whole attributes, parts of a quoted value or plain text into a block, never half a tag")
}

// output gives the place of a variable, or says why no escaping would make it safe there.
func (s *htmlScanner) output(n *node) place {
	refuse := func(where, help string) place {
		s.p.add(CodePlace, n.start, n.length(), "a variable may not stand "+where, help)
		return placeHTML
	}
	quotes := `write the attribute's value in quotes: title="{{…}}"`
	switch s.mode {
	case inText:
		if s.pre {
			return placePre
		}
		return placeHTML
	case inRawText:
		if s.tag == "title" {
			return placeHTMLLine
		}
		return refuse("inside <"+s.tag+">", "move it into the text")
	case inMarkup, inComment:
		return refuse("in an HTML comment: the reader would receive it", "write {{! … }} for a note to yourself")
	case inTagOpen, inTagName:
		return refuse("in the name of a tag", "write the tag, and put the variable into its text or a quoted attribute")
	case inTag, inAttributeName, afterAttributeName:
		return refuse("in the name of an attribute", quotes)
	case beforeValue, inUnquoted:
		s.mode = inUnquoted
		return refuse("in an attribute without quotes", quotes)
	}
	mark := string(firstMark)
	before := s.value
	s.value += mark
	return s.attributeOutput(n, before, refuse)
}

// attributeOutput gives the place of a variable in a quoted attribute.
func (s *htmlScanner) attributeOutput(n *node, before string, refuse func(where, help string) place) place {
	switch {
	case strings.HasPrefix(s.attribute, "on"):
		return refuse("in "+s.attribute+": it would be run as a script", "remove the attribute; mail readers run no scripts")
	case s.attribute == "style":
		return refuse("in style", "write fixed styles and choose between them with {{#if}}")
	case s.attribute != "href" && isAddress(s.attribute):
		return refuse("in "+s.attribute+": it would load something the author did not choose", "write a fixed address")
	case s.attribute == "href":
		where, ok := address(before, kindOf(n.value, s.names))
		if !ok {
			s.p.add(CodeLink, n.start, n.length(), "this variable would choose where the link leads", addressHelp)
		}
		return where
	}
	return placeAttribute
}

// finish reports HTML that ends inside a tag, a quoted value or a comment, where it would swallow what follows.
func (s *htmlScanner) finish(end int) {
	if s.mode == inText || s.mode == inTagOpen {
		return
	}
	start := min(s.word, max(end-1, 0))
	s.p.add(CodeCrossing, start, end-start, "the HTML ends inside a tag, a quoted value, a comment or a <style>", "close it")
}

// isAddress reports whether an attribute holds an address that is followed or loaded.
func isAddress(attribute string) bool {
	return slices.Contains([]string{"href", "src", "srcset", "action", "formaction", "background", "poster", "data",
		"cite", "longdesc", "usemap", "manifest", "ping", "xlink:href", "lowsrc", "dynsrc", "codebase", "classid", "profile"}, attribute)
}

// activeElements do nothing good in a mail; most readers remove them, some with the rest of the message.
func activeElements() []string {
	return []string{"script", "iframe", "frame", "frameset", "object", "embed", "applet", "form", "input", "button",
		"textarea", "select", "base", "link", "svg", "math", "template", "audio", "video", "xmp", "plaintext", "noembed",
		"noframes", "noscript", "portal", "marquee"}
}

// tagDone looks at a tag's name once it is complete.
func (s *htmlScanner) tagDone(end int) {
	if s.tag == "pre" {
		s.pre = !s.closing
	}
	if !s.closing && slices.Contains(activeElements(), s.tag) {
		s.p.add(CodeActiveHTML, s.word, end-s.word, fmt.Sprintf("<%s> does not belong in a mail", s.tag), "remove it; use text, tables, links and images")
	}
}

// attributeDone looks at an attribute once its name and value are complete.
func (s *htmlScanner) attributeDone(end int) {
	value := strings.Map(func(r rune) rune {
		if r <= ' ' {
			return -1
		}
		return r
	}, strings.ToLower(html.UnescapeString(s.value)))
	scheme, _, hasScheme := strings.Cut(value, ":")
	fault := ""
	switch {
	case strings.HasPrefix(s.attribute, "on") && len(s.attribute) > 2:
		fault = s.attribute + " does not belong in a mail"
	case s.tag == "meta" && s.attribute == "http-equiv" && value == "refresh":
		fault = "a mail may not load another page"
	case isAddress(s.attribute) && hasScheme && slices.Contains([]string{"javascript", "vbscript", "data"}, scheme):
		fault = "an address may not begin with " + scheme + ":"
	}
	if fault != "" {
		s.p.add(CodeActiveHTML, s.word, min(end, len(s.src))-s.word, fault, "remove it")
	}
	s.attribute, s.value = "", ""
}
