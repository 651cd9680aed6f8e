package templates_test

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"aftercall/templates"
)

// attacks are values that want to be more than text.
func attacks() []string {
	return []string{
		`<script>alert(1)</script>`, `<img src=https://evil.example/p.png onerror=alert(1)>`, `"><svg onload=alert(1)>`, `' onmouseover='alert(1)`,
		"` onfocus=alert(1) autofocus x=`", `javascript:alert(1)`, `</title><script>alert(1)</script>`, `--><b>x`, `&lt;b&gt; &#60;b&#62;`,
		`[click](https://evil.example)`, `![pixel](https://evil.example/p.png)`, `<https://evil.example>`, `https://evil.example/x`, `[x]: https://evil.example`,
		"# heading", "text\n# heading\n\n- list\n1. list\n> quote", "a\n===", "a\n---", "***bold*** __bold__ _em_ ~~gone~~", "`code`",
		"```\nfence\n```", "~~~\nfence\n~~~", "    indented\n\n\tindented", "| a | b |\n|---|---|\n| c | d |", "a | b", `\`, `\\`, "line one\nline two", "end\\\nnext",
		`](https://evil.example) [y`, `) "title" (`, "a\r\nBcc: evil@example.com", "[a][b]", "<!-- x", "<a@b.example>", "~~~~", "+ x\n* y", "&copy; &amp;",
	}
}

// shape is everything of a page but its text: elements, attributes and addresses.
func shape(t *testing.T, page string) []string {
	t.Helper()
	var all []string
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return all
		case html.StartTagToken, html.SelfClosingTagToken:
			tok := z.Token()
			all = append(all, tok.Data)
			for _, a := range tok.Attr {
				if a.Key != "title" && a.Key != "alt" {
					all = append(all, a.Key+"="+a.Val)
				}
			}
		case html.CommentToken:
			all = append(all, "comment")
		}
	}
}

// TestValuesStayText puts every attack at every place and compares the shape of the page with that of a harmless value.
func TestValuesStayText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, src string
		format    templates.Format
	}{
		{"text", "<p>{{customer_name}}</p><ul><li>a {{customer_name}}</li></ul>", templates.HTML},
		{"attributes", `<p title="{{customer_name}}" lang='{{upper customer_name}}'>x</p>`, templates.HTML},
		{"title", `<title>{{customer_name}}</title><pre>{{customer_name}}</pre>`, templates.HTML},
		{"paragraph", "Hello {{customer_name}}, how\n{{customer_name}}", templates.Markdown},
		{"start of a line", "{{customer_name}}\n\n{{customer_name}}: x", templates.Markdown},
		{"heading", "# {{customer_name}}\n\n{{customer_name}}\n===\n", templates.Markdown},
		{"list", "- {{customer_name}}\n- b {{customer_name}}\n\n1. {{customer_name}}\n", templates.Markdown},
		{"quotation", "> {{customer_name}}\n> x\n", templates.Markdown},
		{"table", "| a | b |\n|---|---|\n| {{customer_name}} | x |\n", templates.Markdown},
		{"emphasis", "a **{{customer_name}}** b _{{customer_name}}_", templates.Markdown},
		{"beside signs", "x[{{customer_name}}] !{{customer_name}} <{{customer_name}} &{{customer_name}} `{{customer_name}}", templates.Markdown},
		{"link text", "[{{customer_name}}](https://acme.example/ \"{{customer_name}}\")", templates.Markdown},
		{"code", "a `{{customer_name}}` b", templates.Markdown},
		{"fence", "```\n{{customer_name}}\n```\n\nafter\n", templates.Markdown},
		{"blocks", "{{#if customer_name}}\n# {{customer_name}}\n{{/if}}\n{{#each metadata.l}}\n- {{this}}\n{{/each}}\n", templates.Markdown},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			values := func(v string) templates.Values {
				return templates.Values{"customer_name": v, "metadata": map[string]any{"l": []any{v}}}
			}
			text := parse(t, c.src, c.format)
			harmless, err := text.Render(values("word"), templates.Options{})
			if err != nil {
				t.Fatal(err)
			}
			want := withoutBreaks(shape(t, harmless.HTML))
			for _, attack := range attacks() {
				got, err := text.Render(values(attack), templates.Options{})
				if err != nil {
					t.Errorf("%q: %v", attack, err)
					continue
				}
				if shape := withoutBreaks(shape(t, got.HTML)); !slices.EqualFunc(shape, want, func(a, b string) bool { return a == b || strings.HasPrefix(a, "lang=") }) {
					t.Errorf("%q changed the page\n got %v\nwant %v\n%s", attack, shape, want, got.HTML)
				}
			}
		})
	}
}

func withoutBreaks(shape []string) []string {
	return slices.DeleteFunc(shape, func(s string) bool { return s == "br" })
}

// TestAddresses checks what a value can and cannot do to an address.
func TestAddresses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, src string
		format    templates.Format
		values    templates.Values
		want      string // a part of the page
	}{
		{"whole address", `<a href="{{dyn_link}}">x</a>`, templates.HTML, templates.Values{"dyn_link": "https://acme.example/?a=1&b='2"}, `href="#"`},
		{"whole address kept", `<a href="{{dyn_link}}">x</a>`, templates.HTML, templates.Values{"dyn_link": "https://acme.example/?a=1&b=2"}, `href="https://acme.example/?a&#61;1&amp;b&#61;2"`},
		{"script", `<a href="{{dyn_link}}">x</a>`, templates.HTML, templates.Values{"dyn_link": "javascript:alert(1)"}, `href="#"`},
		{"missing", `<a href="{{dyn_link}}">x</a>`, templates.HTML, nil, `href="#"`},
		{"with a user", `<a href="{{dyn_link}}">x</a>`, templates.HTML, templates.Values{"dyn_link": "https://acme.example@evil.example/"}, `href="#"`},
		{"part", `<a href="https://acme.example/{{customer_name}}?q={{customer_name}}">x</a>`, templates.HTML, templates.Values{"customer_name": "../a b&c=d\"#"}, `href="https://acme.example/..%2Fa%20b%26c%3Dd%22%23?q=..%2Fa`},
		{"mail", `<a href="mailto:{{customer_email}}">x</a>`, templates.HTML, templates.Values{"customer_email": "a+b@acme.example?cc=evil@x.example"}, `href="mailto:a+b@acme.example%3Fcc%3Devil@x.example"`},
		{"Markdown", `[x]({{dyn_link}})`, templates.Markdown, templates.Values{"dyn_link": "https://acme.example/a_(b)*c*?d=1&amp;e"}, `href="https://acme.example/a_%28b%29*c*?d=1&amp;amp;e"`},
		{"Markdown missing", `[x]({{dyn_link}})`, templates.Markdown, nil, `<p>x</p>`},
		{"Markdown part", `[x](https://acme.example/?q={{customer_name}})`, templates.Markdown, templates.Values{"customer_name": "a) [y](https://evil.example"}, `?q=a%29%20%5By%5D%28https%3A%2F%2Fevil.example"`},
		{"Markdown autolink", `Join: {{dyn_link}}`, templates.Markdown, templates.Values{"dyn_link": "https://acme.example/x"}, `Join: <a href="https://acme.example/x">https://acme.example/x</a>`},
		{"Markdown no autolink", `Join: {{customer_name}}`, templates.Markdown, templates.Values{"customer_name": "https://acme.example/x"}, `Join: https://acme.example/x</p>`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := render(t, c.src, c.format, c.values).HTML; !strings.Contains(got, c.want) {
				t.Errorf("got\n%s\nwant it to contain %s", got, c.want)
			}
		})
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"a\r\nBcc: evil@example.com":      "Call: a Bcc: evil@example.com!",
		"a\nb\vc\fd\u0085e\u2028f\u2029g": "Call: a b c d e f g!",
		"a\x00\x1b[31mb\x7f":              "Call: a[31mb!",
		"\u202egnp.exe\u2066":             "Call: gnp.exe!",
		"<b> & \"q\"":                     `Call: <b> & "q"!`,
		"=?utf-8?q?=0D=0ABcc=3A_eve?=":    "Call: = ?utf-8?q?=0D=0ABcc=3A_eve?=!",
	} {
		if got := render(t, "Call: {{customer_name}}!\n", templates.Header, templates.Values{"customer_name": value}); got.Text != want || got.HTML != "" {
			t.Errorf("got %q, want %q and no HTML", got.Text, want)
		}
	}
}
