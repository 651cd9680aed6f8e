package checker

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/mail"
	"net/url"
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/net/html"
)

// Letter is a mail as a provider was given it.
type Letter struct {
	From      Address
	ReplyTo   Address
	To        []Address // copies among them
	Subject   string
	Text      string
	HTML      string
	Arguments map[string]string // what travels with it for the provider's events
	Members   []string          // of the request: which of SendGrid's settings it makes
}

// Address is a display name and an address.
type Address struct{ Name, Email string }

// Letter reads the request of a mail call that was kept whole.
func (e Entry) Letter() (l Letter, err error) {
	var m struct {
		From             Address
		ReplyTo          Address `json:"reply_to"`
		Subject          string
		Personalizations []map[string]json.RawMessage
		Content          []struct{ Type, Value string }
		Args             map[string]string `json:"custom_args"`
	}
	members := map[string]json.RawMessage{}
	if err := json.Unmarshal([]byte(e.Mail), &m); err != nil {
		return l, fmt.Errorf("read mail %s: %w", e.Delivery, err)
	}
	if err := json.Unmarshal([]byte(e.Mail), &members); err != nil {
		return l, fmt.Errorf("read mail %s: %w", e.Delivery, err)
	}
	l = Letter{From: m.From, ReplyTo: m.ReplyTo, Subject: m.Subject, Arguments: m.Args}
	for name := range members {
		l.Members = append(l.Members, name)
	}
	for _, p := range m.Personalizations {
		for name, raw := range p {
			l.Members = append(l.Members, "personalizations."+name)
			var some []Address
			if err := json.Unmarshal(raw, &some); err != nil {
				return l, fmt.Errorf("read mail %s: %s: %w", e.Delivery, name, err)
			}
			l.To = append(l.To, some...)
		}
	}
	for _, c := range m.Content {
		if c.Type == "text/html" {
			l.HTML = c.Value
		} else {
			l.Text = c.Value
		}
	}
	return l, nil
}

// SMTPLetter reads a message as it came by SMTP. Members are its header's names, each as often as it stands there.
func (e Entry) SMTPLetter() (l Letter, err error) {
	m, err := mail.ReadMessage(strings.NewReader(e.Mail))
	if err != nil {
		return l, fmt.Errorf("read mail %s: %w", e.Delivery, err)
	}
	for name, values := range m.Header {
		for range values {
			l.Members = append(l.Members, name)
		}
	}
	if l.Subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		return l, fmt.Errorf("read the subject of mail %s: %w", e.Delivery, err)
	}
	for _, header := range []string{"From", "Reply-To", "To", "Cc", "Bcc"} {
		if m.Header.Get(header) == "" {
			continue
		}
		all, err := m.Header.AddressList(header)
		if err != nil {
			return l, fmt.Errorf("read %s of mail %s: %w", header, e.Delivery, err)
		}
		for _, a := range all {
			one := Address{a.Name, a.Address}
			switch header {
			case "From":
				l.From = one
			case "Reply-To":
				l.ReplyTo = one
			default:
				l.To = append(l.To, one)
			}
		}
	}
	return l, nil
}

// Page is what a mail reader makes of a mail's HTML.
type Page struct {
	Words    string         // its text
	Elements map[string]int // by name
	Handlers int            // attributes that run something
	Links    []string       // every address that a click leads to
	Loads    []string       // every address that is fetched without one: images, styles, frames
}

// ReadPage parses HTML as a browser does.
func ReadPage(text string) (p Page, err error) {
	root, err := html.Parse(strings.NewReader(text))
	if err != nil {
		return p, fmt.Errorf("parse the mail's HTML: %w", err)
	}
	p.Elements = map[string]int{}
	var words strings.Builder
	for n := range root.Descendants() {
		switch n.Type {
		case html.TextNode:
			words.WriteString(n.Data + " ")
			if n.Parent != nil && n.Parent.Data == "style" {
				p.Loads = append(p.Loads, styled(n.Data)...)
			}
		case html.ElementNode:
			p.Elements[n.Data]++
			for _, a := range n.Attr {
				p.attribute(n.Data, strings.ToLower(a.Key), a.Val)
			}
		}
	}
	p.Words = words.String()
	return p, nil
}

func (p *Page) attribute(element, name, value string) {
	switch {
	case strings.HasPrefix(name, "on"), name == "srcdoc", name == "http-equiv":
		p.Handlers++
	case name == "style":
		p.Loads = append(p.Loads, styled(value)...)
	case name == "href" && (element == "a" || element == "area"), name == "action", name == "formaction", name == "cite":
		p.Links = append(p.Links, value)
	case name == "src", name == "srcset", name == "href", name == "background", name == "data", name == "poster", name == "xlink:href", name == "ping":
		p.Loads = append(p.Loads, value)
	}
}

var inStyle = regexp.MustCompile(`(?i)(?:url\(|@import)\s*['"]?([^'")\s]*)`)

func styled(css string) (all []string) {
	for _, m := range inStyle.FindAllStringSubmatch(css, -1) {
		all = append(all, m[1])
	}
	return all
}

// Host is where an address leads to: a host, or the scheme of one without, such as "javascript:"; "" for a place on the
// page itself and for mail and telephone.
func Host(address string) string {
	u, err := url.Parse(strings.TrimSpace(address))
	switch {
	case err != nil:
		return "unreadable: " + address
	case u.Host != "":
		return strings.ToLower(u.Hostname())
	case u.Scheme == "mailto" || u.Scheme == "tel" || u.Scheme == "sms" || u.Scheme == "":
		return ""
	}
	return u.Scheme + ":"
}

// plainAddress finds what a mail reader makes a link of in plain text: anything with // or www., and names under the
// usual endings. What stands after an @ is a mailbox.
var plainAddress = regexp.MustCompile(`(?i)(?:^|[^@\w.-])(?:(?:[a-z][a-z0-9+.-]*:)?//([^\s/?#<>"'()\[\]]+)|((?:[a-z0-9-]+\.)+(?:com|net|org|io|info|example|test|uk|ru|cn))(?:[/:?#][^\s]*)?(?:$|[^@\w-]))`)

// PlainHosts are the hosts that plain text names.
func PlainHosts(text string) (hosts []string) {
	for _, m := range plainAddress.FindAllStringSubmatch(text, -1) {
		host := m[1] + m[2]
		if i := strings.LastIndexByte(host, '@'); i >= 0 {
			host = host[i+1:]
		}
		host, _, _ = strings.Cut(host, ":")
		hosts = append(hosts, strings.ToLower(strings.Trim(host, ".,;:!?")))
	}
	return hosts
}

// Runs are the runs of n words of a text, letters and digits only, in lower case.
func Runs(text string, n int) map[string]bool {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	all := map[string]bool{}
	for i := 0; i+n <= len(words); i++ {
		all[strings.Join(words[i:i+n], " ")] = true
	}
	return all
}

// Folded is a text without anything but letters and digits, in lower case: two texts that sound alike are equal.
func Folded(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, text)
}

// Breaks reports whether a text would end a header's line, or hide in it.
func Breaks(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' })
}
