package main

import (
	"html"
	"regexp"
	"strings"

	"aftercall/templates"
	"aftercall/variables"
)

// imported is a text of another system on its way to Handlebars: what was text there is text here, whatever it looks like and
// whatever it comes to stand beside; only what was understood is a tag.
type imported struct{ parts []importedPart }

type importedPart struct {
	tag  bool
	text string // of a tag: what stands between its braces
}

func (i *imported) write(text string) {
	switch last := len(i.parts) - 1; {
	case text == "":
	case last >= 0 && !i.parts[last].tag:
		i.parts[last].text += text
	default:
		i.parts = append(i.parts, importedPart{text: text})
	}
}

func (i *imported) tag(inside string) {
	i.parts = append(i.parts, importedPart{tag: true, text: inside})
}

var (
	// braced are braces in a text with the backslash before them, which Handlebars takes for an escape.
	braced = regexp.MustCompile(`\\?\{\{+`)
	// blanks are more than a template may have in a row.
	blanks    = regexp.MustCompile(`[ \t\n\v\f]{201,}`)
	lineBreak = strings.NewReplacer("\r\n", "\n", "\r", "\n")
)

// String writes it. Braces and a backslash that touch a tag would become part of it: they are kept off by a space, which ~ takes
// away again when the text is rendered.
func (i *imported) String() string {
	var b strings.Builder
	for n, part := range i.parts {
		if !part.tag {
			text := blanks.ReplaceAllString(lineBreak.Replace(part.text), "\n\n")
			b.WriteString(braced.ReplaceAllStringFunc(text, func(s string) string {
				if strings.HasPrefix(s, `\`) {
					return `\\{{!}}\` + s[1:] // a backslash, a note that says nothing, and then the braces
				}
				return `\` + s
			}))
			continue
		}
		begin, end := "{{", "}}"
		if n > 0 && !i.parts[n-1].tag && strings.ContainsRune(`{\`, rune(i.parts[n-1].text[len(i.parts[n-1].text)-1])) {
			begin = " {{~"
		}
		if n+1 < len(i.parts) && !i.parts[n+1].tag && i.parts[n+1].text[0] == '}' {
			end = "~}} "
		}
		b.WriteString(begin + part.text + end)
	}
	return b.String()
}

// asTemplate is a template of a format that prints a text which was none.
func asTemplate(text string, f templates.Format) string {
	var out imported
	out.write(plainIn(f, text))
	return out.String()
}

// plainIn is a text that was no template as it is written in one of a format, so that it stays what it is.
func plainIn(f templates.Format, text string) string {
	switch f {
	case templates.HTML:
		return strings.ReplaceAll(html.EscapeString(lineBreak.Replace(text)), "\n", "<br>\n")
	case templates.Markdown:
		return markdownSigns.Replace(text)
	case templates.Header:
		return strings.Join(strings.Fields(text), " ")
	}
	return text
}

// markdownSigns begin what could not hold a variable, or would hide one: HTML, links, code. The rest reads well as Markdown.
var markdownSigns = strings.NewReplacer(`\`, `\\`, "<", `\<`, "[", `\[`, "`", "\\`")

// importedFaults are what keeps a text from being used that was imported.
func importedFaults(text string, f templates.Format) []templates.Problem {
	names := templates.Names{"metadata": templates.KindOpen}
	for name, kind := range variables.SystemNames() {
		names[name] = templates.Kind(kind)
	}
	_, problems := templates.Parse(text, f, names)
	return problems
}

// isTag reports whether what a name of theirs became can stand between braces here: metadata.true cannot.
func isTag(inside string) bool { return len(importedFaults("{{"+inside+"}}", templates.Plain)) == 0 }
