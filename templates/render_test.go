package templates_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aftercall/templates"
)

func render(t testing.TB, src string, f templates.Format, v templates.Values) templates.Rendered {
	t.Helper()
	got, err := parse(t, src, f).Render(v, templates.Options{Missing: "not stated"})
	if err != nil {
		t.Fatalf("render %q: %v", src, err)
	}
	return got
}

func TestRenderPlain(t *testing.T) {
	t.Parallel()
	order := map[string]any{"id": "A-7", "items": []any{map[string]any{"name": "Lamp", "n": 2.0}, map[string]any{"name": "Desk", "n": 1}}, "none": nil}
	values := templates.Values{
		"customer_name": "Dana  Ö'Neil", "agent_name": "ava", "dyn_x": "a", "dyn_agreed": "false", "dyn_day": "2026-11-24", "dyn_at": "14:30",
		"conversation_date": "2026-11-21 15:04 GMT", "conversation_time": "3:04 PM", "dyn_amount": "0",
		"metadata": map[string]any{"order": order, "tags": []any{"one", "", "two"}, "one": "alone", "when": "soon", "vip": true, "the list": []string{"x"}},
	}
	for _, c := range []struct{ src, want string }{
		{"{{customer_name}}", "Dana  Ö'Neil"},
		{"{{upper customer_name}} {{lower agent_name}} {{title 'mary-jane o. smith'}}", "DANA  Ö'NEIL ava Mary-Jane O. Smith"},
		{"{{truncate customer_name 6}}|{{truncate agent_name 6}}|{{truncate customer_name 1}}", "Dana…|ava|…"},
		{"{{default dyn_no 'none'}} {{default dyn_no agent_name}} {{default agent_name 'none'}}", "none ava ava"},
		{"{{date dyn_day}}", "Tuesday 24 November 2026"},
		{"{{date dyn_day 'ddd D MMM'}}; {{date dyn_day 'DD/MM/YYYY'}}; {{date dyn_day 'D.M.YY [on] dddd'}}", "Tue 24 Nov; 24/11/2026; 24.11.26 on Tuesday"},
		{"{{date conversation_date 'D MMM'}} {{date metadata.when}}", "21 Nov soon"},
		{"{{time dyn_at}} {{time conversation_time 'HH:mm'}} {{time dyn_at 'hh.mm a'}} {{time metadata.when}}", "2:30 PM 15:04 02.30 pm soon"},
		{"{{join metadata.tags}} {{join metadata.tags '; '}} {{join metadata.one}} {{metadata.tags}}", "one, two one; two alone one, two"},
		{"{{#if (eq dyn_x 'a')}}yes{{else}}no{{/if}} {{#if (eq dyn_x agent_name)}}yes{{else}}no{{/if}}", "yes no"},
		{"{{#if dyn_agreed}}agreed{{else}}declined{{/if}} {{dyn_agreed}} {{#if dyn_amount}}{{dyn_amount}}{{/if}}", "declined false 0"},
		{"{{#if dyn_no}}a{{else if dyn_x}}b{{else}}c{{/if}}{{#unless dyn_no}}d{{/unless}}", "bd"},
		{"{{#each metadata.order.items}}{{@index}} {{this.name}} x{{this.n}} for {{agent_name}}{{#unless @last}}, {{/unless}}{{/each}}", "0 Lamp x2 for ava, 1 Desk x1 for ava"},
		{"{{#each metadata.order}}{{@key}} {{/each}}", "id items none "},
		{"{{#each metadata.tags}}[{{default this '-'}}]{{/each}}{{#each metadata.one}}<{{this}}>{{/each}}{{#each metadata.no}}x{{else}}empty{{/each}}", "[one][-][two]<alone>empty"},
		{"{{#with metadata.order}}{{this.id}} {{agent_name}}{{else}}none{{/with}} {{#with metadata.no}}x{{else}}none{{/with}}", "A-7 ava none"},
		{"{{metadata.order.id}} {{metadata.vip}} {{metadata.[the list]}}", "A-7 true x"},
		{"{{metadata.order.id.deeper}} {{metadata.order.none}}", "not stated not stated"},
		{"a\n{{#if dyn_x}}\nb\n{{else}}\nc\n{{/if}}\nd", "a\nb\nd"},
		{"a {{~#if dyn_x~}} b {{~/if~}} c {{! note }}\\{{d}}", "abc {{d}}"},
		{`{{default dyn_no "it\"s"}} {{default dyn_no 'a\b'}}`, `it"s a\b`},
	} {
		t.Run(c.src, func(t *testing.T) {
			t.Parallel()
			if got := render(t, c.src, templates.Plain, values).Text; got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestMissing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, src string
		want      string
		missing   []string
	}{
		{"outside", "When: {{dyn_when}}.", "When: not stated.", []string{"dyn_when"}},
		{"inside its own if", "{{#if dyn_when}}When: {{dyn_when}}{{/if}}.", ".", nil},
		{"inside its own if, else printed", "{{#if dyn_when}}{{dyn_when}}{{else}}any time{{/if}}", "any time", nil},
		{"inside another's if", "{{#if agent_name}}{{dyn_when}}{{/if}}", "not stated", []string{"dyn_when"}},
		{"with a default", "{{default dyn_when 'soon'}}", "soon", nil},
		{"with a default that is missing too", "{{default dyn_when dyn_then}}", "not stated", []string{"dyn_when", "dyn_then"}},
		{"in a helper", "{{upper dyn_when}}", "not stated", []string{"dyn_when"}},
		{"each once, in order", "{{dyn_b}} {{dyn_a}} {{dyn_b}}", "not stated not stated not stated", []string{"dyn_b", "dyn_a"}},
		{"below metadata", "{{metadata.order}}", "not stated", []string{"metadata.order"}},
		{"nothing but white space", "{{dyn_blank}}", "not stated", []string{"dyn_blank"}},
		{"nothing but what cannot be seen", "{{dyn_hidden}}", "not stated", []string{"dyn_hidden"}},
		{"its own text", "{{dyn_own}}", "to be agreed", []string{"dyn_own"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := parse(t, c.src, templates.Plain).Render(
				templates.Values{"agent_name": "Ava", "dyn_blank": " \n ", "dyn_hidden": "\u202e\u200b\x07"},
				templates.Options{Missing: "not stated", MissingFor: map[string]string{"dyn_own": "to be agreed"}})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(templates.Rendered{Text: c.want, Missing: c.missing}, got); diff != "" {
				t.Errorf("rendered (-want +got):\n%s", diff)
			}
		})
	}
}

func TestValuesAreNeverTemplates(t *testing.T) {
	t.Parallel()
	evil := "{{customer_email}} {{{x}}} {{#each metadata}}{{/each}} {{say 0 0}}"
	for _, f := range []templates.Format{templates.Header, templates.Plain} {
		if got := render(t, "{{customer_name}}", f, templates.Values{"customer_name": evil, "customer_email": "secret"}).Text; got != evil {
			t.Errorf("%s: got %q, want the value as it is", f, got)
		}
	}
}

func TestValuesHaveNoMethods(t *testing.T) {
	t.Parallel()
	text := parse(t, "{{metadata.s.Secret}}{{metadata.f}}{{metadata.s}}{{#with metadata.s}}{{this.Secret}}{{/with}}", templates.Plain)
	got, err := text.Render(templates.Values{"metadata": map[string]any{"s": struct{ Secret string }{"secret"}, "f": func() string { return "secret" }}}, templates.Options{})
	if err != nil || strings.Contains(got.Text, "secret") {
		t.Errorf("got %q, %v; want nothing of a struct or a function", got.Text, err)
	}
}

func TestRenderLimits(t *testing.T) {
	t.Parallel()
	list := func(n int, item any) []any {
		l := make([]any, n)
		for i := range l {
			l[i] = item
		}
		return l
	}
	for _, c := range []struct {
		name, src string
		values    map[string]any
		want      string
	}{
		{"long list", "{{#each metadata.l}}x{{/each}}", map[string]any{"l": list(101, "x")}, "100 entries"},
		{"long output", "{{#each metadata.l}}{{this}}{{/each}}", map[string]any{"l": list(100, strings.Repeat("x", 4000))}, "256 KB"},
		{"long text in a loop", "{{#each metadata.l}}" + strings.Repeat("text ", 5000) + "{{/each}}", map[string]any{"l": list(100, "x")}, "256 KB"},
		{"much work", "{{#each metadata.l}}{{#each this}}" + strings.Repeat("{{#if dyn_x}}{{/if}}", 100) + "{{/each}}{{/each}}", map[string]any{"l": list(100, list(100, "x"))}, "steps"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := parse(t, c.src, templates.Plain).Render(templates.Values{"metadata": c.values}, templates.Options{})
			if err == nil || !strings.Contains(err.Error(), c.want) || got.Text != "" {
				t.Errorf("got %d bytes and %v, want an error about %s and no text", len(got.Text), err, c.want)
			}
		})
	}
}

func TestRenderConcurrently(t *testing.T) {
	t.Parallel()
	text := parse(t, "Hello {{customer_name}}, {{#each metadata.l}}{{this}} {{customer_name}} {{/each}}{{dyn_no}} [x]({{conversation_url}})", templates.Markdown)
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			name := fmt.Sprintf("name%d", i)
			for range 50 {
				got, err := text.Render(templates.Values{"customer_name": name, "metadata": map[string]any{"l": []any{i}}, "conversation_url": "https://acme.example/" + name}, templates.Options{Missing: "no" + name})
				want := fmt.Sprintf("Hello %s, %d %s no%s x (https://acme.example/%s)", name, i, name, name, name)
				if err != nil || got.Text != want {
					t.Errorf("got %q, %v; want %q", got.Text, err, want)
					return
				}
			}
		})
	}
	group.Wait()
}

func TestRenderGivesTheSameBytes(t *testing.T) {
	t.Parallel()
	text := parse(t, "{{metadata.m}} {{#each metadata.m}}{{@key}}={{this}};{{/each}}", templates.Plain)
	values := templates.Values{"metadata": map[string]any{"m": map[string]any{"d": 1, "a": 2, "c": 3, "b": 4}}}
	for range 50 {
		got, err := text.Render(values, templates.Options{})
		if want := "a: 2, b: 4, c: 3, d: 1 a=2;b=4;c=3;d=1;"; err != nil || got.Text != want {
			t.Fatalf("got %q, %v; want %q", got.Text, err, want)
		}
	}
}

// What a message costs is bounded by what it makes the engine do, not only by what it prints.
func TestWorkIsBounded(t *testing.T) {
	t.Parallel()
	square, row := make([]any, 100), make([]any, 100)
	for i := range square {
		square[i], row[i] = row, strings.Repeat("a", 100)
	}
	long := strings.Repeat("a", 60_000)
	deep := strings.Repeat("upper (", 20) + "upper this" + strings.Repeat(")", 20)
	for name, c := range map[string]struct {
		src    string
		format templates.Format
		list   any
		want   string
	}{
		"a full list":               {"{{#each metadata.l}}" + strings.Repeat("{{@index}} {{upper agent_name}} ", 6) + "{{/each}}", templates.Plain, row, ""},
		"a long text in every turn": {"{{#each metadata.l}}{{#each this}}{{#if (eq (upper customer_name) agent_name)}}x{{/if}}{{/each}}{{/each}}", templates.Plain, square, "too many steps"},
		"a long item in every turn": {"{{#each metadata.l}}{{#if (eq (upper this) agent_name)}}x{{/if}}{{/each}}", templates.Plain, slices.Repeat([]any{strings.Repeat("a", 100_000)}, 100), "too many steps"},
		"many helpers in each turn": {"{{#each metadata.l}}{{#each this}}{{#if (eq (" + deep + ") agent_name)}}x{{/if}}{{/each}}{{/each}}", templates.Plain, square, "too many steps"},
		"quotes in quotes":          {strings.Repeat("<blockquote>", 400) + "{{#each metadata.l}}" + strings.Repeat("x<br>", 50) + "{{/each}}" + strings.Repeat("</blockquote>", 400), templates.HTML, row, "longer than 256 KB"},
		"a text full of marks":      {"{{metadata.l}}", templates.Markdown, strings.Repeat("*", 60_000), "longer than 256 KB"},
		"plain text":                {strings.Repeat("x", 60_000) + "{{customer_name}}{{customer_name}}{{customer_name}}{{customer_name}}", templates.Plain, nil, "longer than 256 KB"},
	} {
		_, err := parse(t, c.src, c.format).Render(templates.Values{"customer_name": long, "metadata": map[string]any{"l": c.list}}, templates.Options{})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

const benchmarkBody = `# Callback requested

{{#if customer_name}}{{customer_name}}{{else}}A customer{{/if}} wants to be called back {{default dyn_when "soon"}}.

- Number: {{customer_number}}
- Day: **{{date dyn_day}}**
- [Listen]({{conversation_url}})

{{#each metadata.items}}
* {{this.name}}: {{this.price}}
{{/each}}

{{conversation_summary}}
`

func BenchmarkParse(b *testing.B) {
	n := names()
	b.ReportAllocs()
	for b.Loop() {
		templates.Parse(benchmarkBody, templates.Markdown, n)
	}
}
