package templates

import (
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/microcosm-cc/bluemonday"
	"golang.org/x/net/html"
)

var (
	errLink     = errors.New("a link or an image would lead where neither the text nor a url variable says")
	errMarkdown = errors.New("the Markdown cannot be made into HTML")
)

// newPolicy is what the HTML made from Markdown may consist of. Markdown makes nothing else; this is the second lock.
func newPolicy() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "strong", "em", "del", "code", "pre",
		"blockquote", "ul", "li", "table", "thead", "tbody", "tr")
	p.AllowAttrs("start").Matching(bluemonday.Integer).OnElements("ol")
	p.AllowElements("ol")
	p.AllowAttrs("align").Matching(bluemonday.CellAlign).OnElements("th", "td")
	p.AllowElements("th", "td")
	p.AllowAttrs("href").OnElements("a")
	p.AllowAttrs("src").OnElements("img")
	p.AllowAttrs("title").OnElements("a", "img")
	p.AllowAttrs("alt").OnElements("img")
	p.AllowURLSchemes("http", "https", "mailto", "tel", "sms", "cid")
	p.AllowRelativeURLs(true)
	p.RequireParseableURLs(true)
	return p
}

// mailFromMarkdown makes the two parts of a mail from filled-in Markdown.
func (t *Text) mailFromMarkdown(filled string, s *rendering) (Rendered, error) {
	var b strings.Builder
	if err := t.markdown.Convert([]byte(filled), &b); err != nil {
		return Rendered{}, errMarkdown
	}
	body := t.policy.Sanitize(b.String())
	return t.mail(document(body), fragment(body), s)
}

// mailFromHTML makes the two parts of a mail from the author's HTML. The HTML itself is the author's: it was checked
// when it was parsed, and stays as written.
func (t *Text) mailFromHTML(filled string, s *rendering) (Rendered, error) {
	if lower := strings.ToLower(filled); !strings.Contains(lower, "<html") && !strings.Contains(lower, "<body") {
		return t.mail(document(filled), fragment(filled), s)
	}
	return t.mail(filled, filled, s)
}

// mail makes a message of a page. read is the page without what is the same in every document of ours; it is what is
// looked at.
func (t *Text) mail(page, read string, s *rendering) (Rendered, error) {
	if len(page) > maxOutput {
		return Rendered{}, errTooLong
	}
	if err := checkLinks(read, t.hosts, s.hosts); err != nil {
		return Rendered{}, err
	}
	text, err := textPart(read)
	if err != nil {
		return Rendered{}, err
	}
	return Rendered{HTML: page, Text: text}, nil
}

// document wraps a body in the least that mail readers need to show it well.
func document(body string) string {
	return `<!DOCTYPE html>
<html>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body { margin: 0; padding: 24px; max-width: 640px; font: 16px/1.5 -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; color: #1f2328; background: #ffffff; }
table { border-collapse: collapse; }
th, td { padding: 4px 12px 4px 0; text-align: left; vertical-align: top; }
blockquote { margin: 0; padding-left: 16px; border-left: 3px solid #d0d7de; }
</style>
</head>
<body>
` + strings.TrimSpace(body) + `
</body>
</html>
`
}

// fragment is a body as it stands in its document, without the head.
func fragment(body string) string { return "<!DOCTYPE html>\n<body>\n" + strings.TrimSpace(body) }

// checkLinks looks at the finished page the way a mail reader does and makes sure that every address in it leads to a
// host that the author wrote or, for links alone, that a variable of kind url named. It does not trust the escaping.
func checkLinks(page string, written, said map[string]bool) error {
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return nil
		case html.StartTagToken, html.SelfClosingTagToken:
			for _, more := z.TagName(); more; {
				var name, value []byte
				name, value, more = z.TagAttr()
				if isAddress(string(name)) && !allowedAddress(string(name), string(value), written, said) {
					return errLink
				}
			}
		}
	}
}

func allowedAddress(attribute, value string, written, said map[string]bool) bool {
	value = strings.TrimSpace(value)
	if attribute == "srcset" || attribute == "ping" {
		for _, one := range strings.Fields(strings.ReplaceAll(value, ",", " ")) {
			if strings.Contains(one, "//") && !allowedAddress("src", one, written, said) {
				return false
			}
		}
		return true
	}
	u, err := url.Parse(value)
	if err != nil {
		return false
	}
	if host := strings.ToLower(u.Hostname()); host != "" {
		return slices.Contains([]string{"", "http", "https"}, u.Scheme) && (written[host] || attribute == "href" && said[host])
	}
	return slices.Contains([]string{"", "mailto", "tel", "sms", "cid"}, u.Scheme)
}

// writtenHosts lists the hosts in the author's own text.
func writtenHosts(src string) map[string]bool {
	hosts := map[string]bool{}
	for rest := html.UnescapeString(src); ; {
		i := strings.Index(rest, "//")
		if i < 0 {
			return hosts
		}
		rest = rest[i+2:]
		end := strings.IndexFunc(rest, func(r rune) bool { return r <= ' ' || strings.ContainsRune("/?#\"'<>()[]{}\\`,;|", r) })
		if end < 0 {
			end = len(rest)
		}
		if u, err := url.Parse("https://" + rest[:end]); err == nil && u.Hostname() != "" {
			hosts[strings.ToLower(u.Hostname())] = true
		}
	}
}
