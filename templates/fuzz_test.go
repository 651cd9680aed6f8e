package templates_test

import (
	"strings"
	"testing"

	"golang.org/x/net/html"

	"aftercall/templates"
)

func formats() []templates.Format {
	return []templates.Format{templates.Header, templates.Plain, templates.Markdown, templates.HTML}
}

// FuzzParse feeds arbitrary text to the guard: it never panics, and every problem can be shown.
func FuzzParse(f *testing.F) {
	for _, src := range []string{"{{#if a}}{{if b}}x{{/if}}", "{{@.}}", "{{lookup a -1}}", "{{foo\r\n}}", "{{#each metadata.x}}{{this}}{{/each}}",
		`<a href="{{customer_name}}">`, "[x]({{conversation_url}})", "{{! -- }}\\{{", "{{~^~}}{{else if x}}", "{{{{a}}}}b{{{{/a}}}}", "{{upper (default x 'y')}}"} {
		f.Add(src, 0)
		f.Add(src, 2)
		f.Add(src, 3)
	}
	f.Fuzz(func(t *testing.T, src string, format int) {
		text, problems := templates.Parse(src, formats()[uint(format)%4], names())
		if (text == nil) == (len(problems) == 0) {
			t.Fatalf("got text %v and %d problems", text, len(problems))
		}
		last := 0
		for _, p := range problems {
			if p.Offset < last || p.Length < 1 || p.Offset > len(src) || p.Offset+p.Length > len(src)+1 || p.Message == "" || p.Help == "" || p.Code == "" {
				t.Errorf("got problem %+v in a text of %d bytes", p, len(src))
			}
			last = p.Offset
		}
	})
}

// pieces are what the grammar of FuzzRender builds texts of: right ones, wrong ones and the engine's known defects.
func pieces() []string {
	return strings.Split(`{{customer_name}}~{{#if customer_name}}~{{else}}~{{else if dyn_x}}~{{/if}}~{{#each metadata.l}}~{{this}}~{{this.a}}~{{/each}}~`+
		`{{#unless dyn_x}}~{{/unless}}~{{#with metadata.m}}~{{/with}}~{{@index}}~{{upper (default dyn_x customer_name)}}~{{join metadata.l}}~{{date dyn_day}}~`+
		`{{conversation_url}}~{{#if (eq customer_name 'x')}}~{{! note }}~\{{~`+"\n~\n\n~ ~# ~- ~1. ~> ~| a | b |\n|---|---|\n~| ~*~_~**~`~```\n~[~](~)~](https://acme.example/?q=~!~<~>~</~"+
		`<p>~</p>~<a href="~<p title='~'~"~<pre>~<title>~</title>~<style>~</style>~<!--~-->~=~onclick=~&~\~a~{{if customer_name}}~{{lookup metadata.l -1}}~{{this~}}~{{~`+
		"    ~<https://acme.example/~[a]: ~\n===\n~~~~\n~{{metadata.m.a}}~{{truncate customer_name 3}}", "~")
}

// FuzzRender builds texts from pieces, and renders those that pass the guard with hostile values: nothing panics, and
// nothing of a value becomes an element, an attribute or an address.
func FuzzRender(f *testing.F) {
	f.Add([]byte{0, 1, 0, 4}, "x", 1)
	f.Add([]byte{1, 0, 2, 14, 4, 5, 6, 8}, "[x](https://evil.example)", 2)
	f.Add([]byte{49, 0, 53, 14, 52, 0, 53, 1, 48, 4, 39, 39}, "\"><a href='https://evil.example'>", 3)
	parts := pieces()
	f.Fuzz(func(t *testing.T, recipe []byte, value string, format int) {
		var b strings.Builder
		for _, i := range recipe[:min(len(recipe), 60)] {
			b.WriteString(parts[int(i)%len(parts)])
		}
		text, _ := templates.Parse(b.String(), formats()[uint(format)%4], names())
		if text == nil {
			return
		}
		hostile := value + "</p><b class=evil>\n\n# evil\n[evil](https://evil.example)<https://evil.example>"
		got, err := text.Render(templates.Values{
			"customer_name": hostile, "dyn_day": value, "conversation_url": value,
			"metadata": map[string]any{"l": []any{hostile, map[string]any{"a": hostile}, []any{value}}, "m": map[string]any{"a": hostile}},
		}, templates.Options{})
		if err != nil {
			t.Fatalf("%q was accepted and cannot be rendered: %v", b.String(), err)
		}
		for _, attribute := range shape(t, got.HTML) {
			if attribute == "class=evil" || strings.HasPrefix(attribute, "href=https://evil.example") && !strings.HasPrefix(value, "https://evil.example") || strings.HasPrefix(attribute, "src=https://evil") {
				t.Errorf("%q with %q made %s of a value:\n%s", b.String(), value, attribute, got.HTML)
			}
		}
		if _, err := html.Parse(strings.NewReader(got.HTML)); err != nil {
			t.Errorf("%q: %v", b.String(), err)
		}
	})
}
