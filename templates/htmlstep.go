package templates

import "strings"

// step moves the scanner over one byte of the author's HTML.
func (s *htmlScanner) step(c byte, at int) {
	switch s.mode {
	case inText:
		if c == '<' {
			s.mode, s.closing, s.tag, s.value = inTagOpen, false, "", ""
		}
	case inTagOpen:
		s.tagOpen(c, at)
	case inTagName:
		s.tagName(c, at)
	case inTag, inAttributeName, afterAttributeName, beforeValue:
		s.insideTag(c, at)
	case inDouble, inSingle, inUnquoted:
		s.insideValue(c, at)
	case inMarkup:
		s.markup(c)
	case inComment:
		s.comment(c)
	case inRawText:
		s.rawText(c)
	}
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\f' }

func lowered(c byte) string { return strings.ToLower(string(rune(c))) }

func (s *htmlScanner) tagOpen(c byte, at int) {
	switch {
	case c == '/' && !s.closing:
		s.closing = true
	case isLetter(c):
		s.mode, s.word, s.tag = inTagName, at, lowered(c)
	case c == '!' || c == '?' || s.closing && c != '>':
		s.mode, s.value = inMarkup, string(rune(c))
	case c == '<':
	default:
		s.mode = inText
	}
}

func (s *htmlScanner) tagName(c byte, at int) {
	switch {
	case isBlank(c) || c == '/':
		s.tagDone(at)
		s.mode = inTag
	case c == '>':
		s.tagDone(at)
		s.endTag()
	default:
		s.tag += lowered(c)
	}
}

// endTag leaves a tag for what follows its ">".
func (s *htmlScanner) endTag() {
	raw := !s.closing && (s.tag == "style" || s.tag == "title" || s.tag == "script" || s.tag == "textarea")
	s.mode, s.attribute, s.value, s.closing = inText, "", "", false
	if raw {
		s.mode = inRawText
		return
	}
	s.tag = ""
}

func (s *htmlScanner) insideTag(c byte, at int) {
	switch {
	case c == '>':
		if s.attribute != "" {
			s.attributeDone(at)
		}
		s.endTag()
	case s.mode == beforeValue && c == '"':
		s.mode = inDouble
	case s.mode == beforeValue && c == '\'':
		s.mode = inSingle
	case s.mode == beforeValue && !isBlank(c):
		s.mode, s.value = inUnquoted, string(rune(c))
	case s.mode == beforeValue:
	case c == '=' && s.attribute != "":
		s.mode, s.value = beforeValue, ""
	case isBlank(c):
		if s.mode == inAttributeName {
			s.mode = afterAttributeName
		}
	case c == '/':
		if s.attribute != "" {
			s.attributeDone(at)
		}
		s.mode = inTag
	case s.mode == inAttributeName:
		s.attribute += lowered(c)
	default:
		if s.attribute != "" {
			s.attributeDone(at)
		}
		s.mode, s.attribute, s.word = inAttributeName, lowered(c), at
	}
}

func (s *htmlScanner) insideValue(c byte, at int) {
	switch {
	case s.mode == inDouble && c == '"', s.mode == inSingle && c == '\'', s.mode == inUnquoted && isBlank(c):
		s.attributeDone(at + 1)
		s.mode = inTag
	case s.mode == inUnquoted && c == '>':
		s.attributeDone(at)
		s.endTag()
	default:
		s.value += string([]byte{c})
	}
}

// markup tells a comment from a declaration, both of which begin with "<!".
func (s *htmlScanner) markup(c byte) {
	s.value += string(rune(c))
	switch {
	case s.value == "!--":
		s.mode, s.value = inComment, ""
	case c == '>':
		s.mode, s.value = inText, ""
	case len(s.value) > 3:
		s.value = "!.."
	}
}

// comment ends at "-->", at "--!>", and, being empty, at ">" and "->".
func (s *htmlScanner) comment(c byte) {
	if c == '>' && (strings.HasSuffix(s.value, "--") || strings.HasSuffix(s.value, "--!") || s.value == "" || s.value == "-") {
		s.mode, s.value = inText, ""
		return
	}
	s.value += string(rune(c))
	if len(s.value) > 8 {
		s.value = s.value[len(s.value)-4:]
	}
}

// rawText ends at the closing tag of the element it belongs to.
func (s *htmlScanner) rawText(c byte) {
	s.value += lowered(c)
	if want := "</" + s.tag; len(s.value) > len(want) {
		s.value = s.value[len(s.value)-len(want)-1:]
		if strings.HasPrefix(s.value, want) && (isBlank(c) || c == '/' || c == '>') {
			s.mode, s.closing, s.value = inTag, true, ""
			if c == '>' {
				s.endTag()
			}
		}
	}
}
