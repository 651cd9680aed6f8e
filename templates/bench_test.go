package templates_test

import (
	"os"
	"strings"
	"testing"

	"aftercall/templates"
)

// BenchmarkRender is one text of a message: an e-mail's body with its two parts, and its subject.
func BenchmarkRender(b *testing.B) {
	body, err := os.ReadFile("testdata/callback.md.hbs")
	if err != nil {
		b.Fatal(err)
	}
	page, err := os.ReadFile("testdata/page.html.hbs")
	if err != nil {
		b.Fatal(err)
	}
	short := "Hi,\n\n{{conversation_summary}}\n\n{{#if dyn_at}}Your appointment: {{dyn_at}}{{/if}}\n\n{{account_name}}\n"
	values := goldenValues()
	values["conversation_transcript"] = strings.Repeat("Agent: Hello, how can I help?\nCustomer: Half past two is fine. What would that cost?\n", 20)
	for _, bench := range []struct {
		name, src string
		format    templates.Format
	}{
		{"short body", short, templates.Markdown}, {"body with transcript", string(body), templates.Markdown},
		{"page", string(page), templates.HTML}, {"subject", "Callback of {{customer_number}} ({{dyn_severity}})", templates.Header},
	} {
		b.Run(bench.name, func(b *testing.B) {
			t := parse(b, bench.src, bench.format)
			b.ReportAllocs()
			for b.Loop() {
				if r, err := t.Render(values, templates.Options{Missing: "not stated"}); err != nil || r.Text == "" {
					b.Fatal(r, err)
				}
			}
		})
	}
}
