package dashboard

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// faults lists what is unsound in a page: what its own policy would block, and what keeps somebody from reading it.
func faults(page *html.Node) []string {
	fs := leaks(page)
	fault := func(format string, args ...any) { fs = append(fs, fmt.Sprintf(format, args...)) }
	ids, labels := map[string]int{}, map[string]bool{}
	each(page, func(n *html.Node) {
		if id := attr(n, "id"); id != "" {
			if ids[id]++; strings.ContainsAny(id, " \t\n") {
				fault("id %q has a space", id)
			}
		}
		if n.Data == "label" {
			labels[attr(n, "for")] = true
		}
	})
	for id, times := range ids {
		if times > 1 {
			fault("id %q stands %d times", id, times)
		}
	}
	level, ones, titled := 0, 0, false
	each(page, func(n *html.Node) {
		switch n.Data {
		case "h1", "h2", "h3", "h4", "h5", "h6":
			if next := int(n.Data[1] - '0'); next > level+1 {
				fault("<%s> %q follows a heading of level %d", n.Data, textOf(n), level)
			}
			if level = int(n.Data[1] - '0'); level == 1 {
				ones++
			}
			if textOf(n) == "" {
				fault("<%s> is empty", n.Data)
			}
		case "html":
			if attr(n, "lang") == "" {
				fault("no language")
			}
		case "title":
			titled = titled || textOf(n) != ""
		case "input":
			if attr(n, "type") != "hidden" && !labels[attr(n, "id")] {
				fault("input %q has no label", attr(n, "name"))
			}
		case "table":
			if first := firstElement(n); first == nil || first.Data != "caption" || textOf(first) == "" {
				fault("a table has no caption")
			}
		case "th":
			if attr(n, "scope") == "" {
				fault("<th> %q has no scope", textOf(n))
			}
		case "iframe":
			if !hasAttr(n, "sandbox") || attr(n, "sandbox") != "" || attr(n, "title") == "" {
				fault("an iframe is not sandboxed, or has no title")
			}
		case "a":
			if to, ok := strings.CutPrefix(attr(n, "href"), "#"); ok && ids[to] == 0 {
				fault("link %q leads to #%s, which is not on the page", textOf(n), to)
			}
			if textOf(n) == "" && attr(n, "aria-label") == "" {
				fault("link to %q has no text", attr(n, "href"))
			}
		}
		for _, name := range strings.Fields(attr(n, "aria-labelledby")) {
			if ids[name] == 0 {
				fault("<%s> is labelled by #%s, which is not on the page", n.Data, name)
			}
		}
	})
	if ones != 1 || !titled {
		fault("%d headings of level 1, titled %v", ones, titled)
	}
	return fs
}

// leaks lists what could run, load or lead somewhere it must not.
func leaks(page *html.Node) []string {
	var fs []string
	each(page, func(n *html.Node) {
		if n.Data == "style" || n.Data == "base" || n.Data == "object" || n.Data == "embed" {
			fs = append(fs, "<"+n.Data+"> on the page")
		}
		if n.Data == "script" && (!strings.HasPrefix(attr(n, "src"), "/assets/") || n.FirstChild != nil) {
			fs = append(fs, "a script that is not one of ours")
		}
		for _, a := range n.Attr {
			switch {
			case strings.HasPrefix(a.Key, "on"), a.Key == "style", a.Key == "srcdoc":
				fs = append(fs, fmt.Sprintf("<%s> has %s=", n.Data, a.Key))
			case a.Key == "href", a.Key == "src", a.Key == "action":
				if !leadsHere(a.Val) && attr(n, "rel") != "noreferrer noopener" {
					fs = append(fs, fmt.Sprintf("<%s %s=%q> leads elsewhere", n.Data, a.Key, a.Val))
				}
			}
		}
	})
	return fs
}

// leadsHere reports whether an address stays on our own pages.
func leadsHere(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "" || u.Host != "" || strings.HasPrefix(raw, "//") {
		return false
	}
	if strings.HasPrefix(raw, "#") {
		return true
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(u.EscapedPath(), "/"), "/")
	return slices.Contains([]string{"", "conversations", "events", "deliveries", "captured", "tasks", "alerts", "review", "workbench", "assets", "admin", "settings", "automations", "usage", "bulk", "config", "queue", "sign-in",
		"sign-out", "password", "softphone"}, first) && !slices.Contains(strings.Split(u.EscapedPath(), "/"), "..")
}

// shape is a page without its words: the elements and the names of their attributes.
func shape(n *html.Node) string {
	var b strings.Builder
	var walk func(n *html.Node, depth int)
	walk = func(n *html.Node, depth int) {
		if n.Type == html.ElementNode {
			fmt.Fprintf(&b, "%s<%s", strings.Repeat(" ", depth), n.Data)
			for _, a := range n.Attr {
				fmt.Fprintf(&b, " %s", a.Key)
			}
			b.WriteString(">\n")
		}
		if n.Type == html.CommentNode {
			b.WriteString("<!---->\n")
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c, depth+1)
		}
	}
	walk(n, 0)
	return b.String()
}

func each(n *html.Node, do func(*html.Node)) {
	if n.Type == html.ElementNode {
		do(n)
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		each(c, do)
	}
}

func firstElement(n *html.Node) *html.Node {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type == html.ElementNode {
			return c
		}
	}
	return nil
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func hasAttr(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

// textOf is the text of a node, with its spaces folded.
func textOf(n *html.Node) string {
	var b strings.Builder
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.TextNode {
			b.WriteString(n.Data)
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(n)
	return strings.Join(strings.Fields(b.String()), " ")
}
