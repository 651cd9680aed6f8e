package templates

import (
	"regexp"
	"strings"
)

// place is where in a message a variable stands, which decides how its value is escaped.
type place int

const (
	placeLine          place = iota // a header: one line
	placePlain                      // plain text
	placeHTML                       // between tags; line breaks become <br>
	placePre                        // inside <pre>, where a line break is one already
	placeHTMLLine                   // in <title>
	placeAttribute                  // inside a quoted attribute that holds no address
	placeURL                        // a whole address inside a quoted attribute
	placeURLPart                    // a part of an address after its host
	placeContact                    // the rest of a mailto: or tel: address
	placeMarkdown                   // a paragraph: line breaks become hard breaks, links become autolinks
	placeMarkdownLine               // a heading or a table cell: one line
	placeMarkdownLabel              // the text or the title of a link: one line, no link in it
	placeMarkdownURL                // a whole address of a Markdown link
	placeCode                       // a code span
	placeFence                      // a fenced code block
)

// address decides whether a variable may stand in an address after prefix (what comes before it in the same address;
// outputs before it are U+E000 and up, block tags U+F8FF). The rule: a value may be an address only if its kind says so,
// and otherwise only follow a host that the author wrote.
func address(prefix string, kind Kind) (place, bool) {
	switch lower := strings.ToLower(strings.TrimSpace(prefix)); {
	case strings.ContainsRune(prefix, blockMark):
		return 0, false
	case lower == "":
		return placeURL, kind == KindURL
	case strings.HasPrefix(lower, "mailto:"), strings.HasPrefix(lower, "tel:"), strings.HasPrefix(lower, "sms:"):
		return placeContact, true
	default:
		// After the host there must be /, ? or #, or the value would go on with the host's name.
		after := regexp.MustCompile(`^(https?://[a-z0-9.:\[\]-]+|[\x{E000}-\x{F8FE}])[/?#]`)
		return placeURLPart, after.MatchString(lower)
	}
}

// blockMark stands for a block's tag where a text is looked at without its tags.
const blockMark = '\uF8FF'

// firstMark stands for the first output of a text, the next rune for the second, and so on.
const firstMark = '\uE000'

const addressHelp = "give the whole address by a variable of type url, or write the host yourself: https://example.com/?id={{…}}"
