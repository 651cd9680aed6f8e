package templates_test

import (
	"fmt"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aftercall/templates"
)

// names are the names of the tests: one of every kind.
func names() templates.Names {
	return templates.Names{
		"customer_name": templates.KindText, "customer_number": templates.KindText, "customer_email": templates.KindText,
		"agent_name": templates.KindText, "account_name": templates.KindText,
		"conversation_summary": templates.KindText, "conversation_transcript": templates.KindText,
		"conversation_date": templates.KindDate, "conversation_time": templates.KindTime, "conversation_url": templates.KindURL,
		"dyn_day": templates.KindDate, "dyn_at": templates.KindTime, "dyn_link": templates.KindURL, "dyn_agreed": templates.KindBoolean,
		"dyn_amount": templates.KindNumber, "metadata": templates.KindOpen,
	}
}

func parse(t testing.TB, src string, f templates.Format) *templates.Text {
	t.Helper()
	text, problems := templates.Parse(src, f, names())
	for _, p := range problems {
		t.Errorf("%d+%d %s %s (%s)", p.Offset, p.Length, p.Code, p.Message, p.Help)
	}
	if text == nil {
		t.FailNow()
	}
	return text
}

// TestDefects shows the eight measured defects of the engine refused or harmless.
func TestDefects(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, src, code, at string }{
		{"1 inline if in a block", `{{#if customer_name}}{{if agent_name}}x{{/if}}`, templates.CodeHelper, "if"},
		{"1 inline if in each", `{{#each metadata.l}}{{if this}}x{{/each}}`, templates.CodeHelper, "if"},
		{"1 equal in a block", `{{#if customer_name}}{{equal agent_name "f"}}{{/if}}`, templates.CodeHelper, "equal"},
		{"1 unless as an argument", `{{#if customer_name}}{{upper (unless agent_name)}}{{/if}}`, templates.CodeHelper, "unless"},
		{"1 with in a section", `{{#bar}}{{with customer_name}}{{/bar}}`, templates.CodeHelper, "with"},
		{"2 surplus argument of if", `{{#if customer_name dyn_missing}}{{/if}}`, templates.CodeArguments, "{{#if customer_name dyn_missing}}"},
		{"2 surplus argument of each", `{{#each metadata.l dyn_missing}}{{/each}}`, templates.CodeArguments, "{{#each metadata.l dyn_missing}}"},
		{"2 surplus argument of lookup", `{{lookup metadata "a" dyn_missing}}`, templates.CodeHelper, "lookup"},
		{"3 bare data", `{{@.}}`, templates.CodeUnknownName, "@"},
		{"3 data root", `{{@root.customer_name}}`, templates.CodeUnknownName, "@"},
		{"4 lookup below zero", `{{lookup metadata.list -1}}`, templates.CodeArguments, "-1"},
		{"4 negative literal", `{{truncate customer_name -1}}`, templates.CodeArguments, "-1"},
		{"6 each in each in each", `{{#each metadata.a}}{{#each this}}{{#each this}}x{{/each}}{{/each}}{{/each}}`, templates.CodeTooLarge, "{{#each this}}"},
		{"8 unknown name", `{{customer_nme}}`, templates.CodeUnknownName, "customer_nme"},
		{"8 log", `{{log customer_name}}`, templates.CodeHelper, "log"},
		{"8 methods", `{{customer_name.String}}`, templates.CodeUnknownName, "customer_name.String"},
		{"8 outer scopes", `{{#with metadata.a}}{{../customer_name}}{{/with}}`, templates.CodeUnknownName, "../customer_name"},
		{"our own words", `{{say customer_name 0}}`, templates.CodeHelper, "say"},
		{"our own words alone", `{{val}}`, templates.CodeUnknownName, "val"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			text, problems := templates.Parse(c.src, templates.Plain, names())
			if text != nil || !slices.ContainsFunc(problems, func(p templates.Problem) bool {
				return p.Code == c.code && c.src[p.Offset:p.Offset+p.Length] == c.at
			}) {
				t.Errorf("got %+v, want %s at %q", problems, c.code, c.at)
			}
		})
	}
}

// TestCarriageReturns is defect 7: inside a tag the engine takes CR for a letter of the name.
func TestCarriageReturns(t *testing.T) {
	t.Parallel()
	text := parse(t, "a\r\n{{customer_name\r\n}}\r\n{{#if customer_name\r}}b{{/if}}\r", templates.Plain)
	got, err := text.Render(templates.Values{"customer_name": "Dana"}, templates.Options{})
	if err != nil || got.Text != "a\nDana\nb" {
		t.Errorf("got %q, %v; want the name printed and the block run", got.Text, err)
	}
	src := "\uFEFFone\r\ntwo\r\n{{nobody}}"
	_, problems := templates.Parse(src, templates.Plain, names())
	if len(problems) != 1 || src[problems[0].Offset:problems[0].Offset+problems[0].Length] != "nobody" {
		t.Errorf("got %+v, want the offset in the original source", problems)
	}
}

// TestNoGoroutineIsLeft is defect 5: every parse error of the engine leaks one.
func TestNoGoroutineIsLeft(t *testing.T) {
	bad := []string{"{{", "{{#if customer_name}}", "{{/if}}", "{{#if}}{{else}}{{else}}{{/if}}", "{{'a}}", "{{x y=1}}", "{{{{raw}}}} x", "{{! x", "{{(((}}", "{{customer_name}}}"}
	const texts, allowed = 2000, 50
	before := runtime.NumGoroutine()
	for i := range texts {
		if text, _ := templates.Parse(fmt.Sprintf("%s %d", bad[i%len(bad)], i), templates.Plain, names()); text != nil {
			t.Fatalf("%q was accepted", bad[i%len(bad)])
		}
	}
	// A scanner that is done may still have to leave its last line.
	for range 10_000 {
		if runtime.NumGoroutine() <= before+allowed {
			return
		}
		runtime.Gosched()
	}
	t.Errorf("got %d goroutines after %d bad texts, %d before", runtime.NumGoroutine(), texts, before)
}

func TestProblems(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		format templates.Format
		src    string
		want   []string // code "what is marked" part of message or help
	}{
		{"near name", templates.Plain, "Hello {{customer_nmae}}", []string{`AC201 "customer_nmae" did you mean customer_name?`}},
		{"dotted name", templates.Plain, "{{customer.name}}", []string{`AC201 "customer.name" did you mean customer_name?`}},
		{"near path", templates.Plain, "{{metdata.order}}", []string{`AC201 "metdata.order" did you mean metadata.order?`}},
		{"near helper", templates.Plain, "{{uper customer_name}}", []string{`AC202 "uper" did you mean upper?`}},
		{"all at once", templates.Plain, "{{nobody}} {{{customer_name}}} {{> part}} {{&agent_name}} {{date customer_name}}", []string{
			`AC201 "nobody" unknown variable`, `AC203 "{{{customer_name}}}" escaping`, `AC204 "{{> part}}" partials`,
			`AC203 "{{&agent_name}}" escaping`, `AC206 "customer_name" not a date`}},
		{"undeclared date", templates.Plain, "{{date dyn_when}}", []string{`AC206 "dyn_when" type: date`}},
		{"format", templates.Plain, "{{date dyn_day 'DDD x'}}", []string{`AC205 "'DDD x'" the parts are`}},
		{"arguments", templates.Plain, "{{upper}} {{upper customer_name agent_name}} {{truncate customer_name '5'}} {{truncate customer_name 0}} {{join metadata.a agent_name}}", []string{
			`AC205 "upper" 1 argument`, `AC205 "upper customer_name agent_name" not 2`, `AC205 "'5'" number`, `AC205 "0" number`, `AC205 "agent_name" quotes`}},
		{"variable with arguments", templates.Plain, "{{customer_name agent_name}}", []string{`AC202 "customer_name agent_name" takes no arguments`}},
		{"named arguments", templates.Plain, "{{upper x=customer_name}}", []string{`AC205 "x" named`}},
		{"block parameters", templates.Plain, "{{#each metadata.a as |x|}}{{/each}}", []string{`AC208 "as |" use this`}},
		{"section", templates.Plain, "{{#customer_name}}x{{/customer_name}}", []string{`AC208 "{{#customer_name}}" {{#if customer_name}}`}},
		{"inverse section", templates.Plain, "{{^customer_name}}x{{/customer_name}}", []string{`AC208 "{{^customer_name}}" unless`}},
		{"each over a text", templates.Plain, "{{#each customer_name}}x{{/each}}", []string{`AC208 "customer_name" lists`}},
		{"this outside", templates.Plain, "{{this}}", []string{`AC201 "this" inside`}},
		{"name inside each", templates.Plain, "{{#each metadata.items}}{{price_of_it_all}}{{/each}}", []string{`AC201 "price_of_it_all" this.price`}},
		{"index outside", templates.Plain, "{{@index}}", []string{`AC201 "@index" inside`}},
		{"eq printed", templates.Plain, "{{eq customer_name 'x'}}", []string{`AC202 "{{eq customer_name 'x'}}" compares`}},
		{"unclosed tag", templates.Plain, "a {{customer_name", []string{`AC200 "{{" never closed`}},
		{"unclosed block", templates.Plain, "a {{#if customer_name}} b", []string{`AC200 "{{#if customer_name}}" never closed`}},
		{"crossed blocks", templates.Plain, "{{#if customer_name}}{{#each metadata.a}}{{/if}}", []string{`AC200 "{{#each metadata.a}}" not closed before`}},
		{"wrong end", templates.Plain, "{{#if customer_name}}{{/unless}}", []string{`AC200 "{{/unless}}" write {{/if}}`}},
		{"stray end", templates.Plain, "a {{/if}} {{else}}", []string{`AC200 "{{/if}}" no open block`, `AC200 "{{else}}" no open block`}},
		{"two elses", templates.Plain, "{{#if customer_name}}{{else}}{{else}}{{/if}}", []string{`AC200 "{{else}}" nothing may follow`}},
		{"curly quotes", templates.Plain, "{{default customer_name “x”}}", []string{`AC201 "“x”" unknown`}},
		{"empty tag", templates.Plain, "{{}}", []string{`AC200 "{{}}" nothing`}},
		{"else in a name", templates.Plain, "{{elsewhere}}", []string{`AC201 "{{elsewhere}}" begin with else`}},
		{"raw block", templates.Plain, "{{{{raw}}}} x {{{{/raw}}}}", []string{`AC208 "{{{{raw}}}}" not available`}},
		{"two lines in a header", templates.Header, "a\nb {{customer_name}}", []string{`AC212 "\n" one line`}},
		{"NUL", templates.Plain, "a\x00b", []string{`AC209 "\x00" NUL`}},
		{"not UTF-8", templates.Plain, "a\xffb", []string{`AC209 "\xff" UTF-8`}},
		{"too long", templates.Plain, strings.Repeat("a", 64<<10+1), []string{`AC207 "a" 64 KB`}},
		{"blanks", templates.Plain, "{{!" + strings.Repeat(" ", 300), []string{`AC207 "` + strings.Repeat(" ", 200) + `" 200 blanks`}},
		{"too deep", templates.Plain, strings.Repeat("{{#if customer_name}}", 30) + strings.Repeat("{{/if}}", 30), []string{`AC207 "{" 24 deep`}},
		{"expression too deep", templates.Plain, "{{upper " + strings.Repeat("(upper ", 30) + "customer_name" + strings.Repeat(")", 30) + "}}", []string{`AC207 "u" 24 deep`}},
		{"too many parts", templates.Plain, strings.Repeat("{{agent_name}}", 4500), []string{`AC207 "{" 5,000 parts`}},

		{"tag name", templates.HTML, "<{{customer_name}}>", []string{`AC210 "{{customer_name}}" name of a tag`}},
		{"attribute name", templates.HTML, "<p {{customer_name}}>", []string{`AC210 "{{customer_name}}" name of an attribute`}},
		{"unquoted", templates.HTML, "<p title={{customer_name}}>x</p>", []string{`AC210 "{{customer_name}}" without quotes`}},
		{"style attribute", templates.HTML, `<p style="color:{{customer_name}}">`, []string{`AC210 "{{customer_name}}" style`}},
		{"on attribute", templates.HTML, `<p onclick="{{customer_name}}">`, []string{`AC213 "onclick=\"{{customer_name}}\"" mail`, `AC210 "{{customer_name}}" script`}},
		{"script", templates.HTML, `<script>{{customer_name}}</script>`, []string{`AC213 "script" does not belong`, `AC210 "{{customer_name}}" <script>`}},
		{"style element", templates.HTML, `<style>{{customer_name}}</style>`, []string{`AC210 "{{customer_name}}" <style>`}},
		{"comment", templates.HTML, `<!-- {{customer_name}} -->`, []string{`AC210 "{{customer_name}}" comment`}},
		{"href", templates.HTML, `<a href="{{customer_name}}">x</a>`, []string{`AC214 "{{customer_name}}" where the link leads`}},
		{"href host", templates.HTML, `<a href="https://{{customer_name}}/">x</a>`, []string{`AC214 "{{customer_name}}" where the link leads`}},
		{"href host continued", templates.HTML, `<a href="https://acme.example{{customer_name}}">x</a>`, []string{`AC214 "{{customer_name}}" where the link leads`}},
		{"href after a block", templates.HTML, `<a href="{{#if dyn_x}}https://a.example/{{/if}}{{customer_name}}">x</a>`, []string{`AC214 "{{customer_name}}" where the link leads`}},
		{"src", templates.HTML, `<img src="{{conversation_url}}">`, []string{`AC210 "{{conversation_url}}" load`}},
		{"half a tag", templates.HTML, `<p {{#if dyn_x}}title="{{/if}}{{customer_name}}">`, []string{`AC215 "{{#if dyn_x}}" half a tag`, `AC210 "{{customer_name}}" name of an attribute`}},
		{"quote closed in a branch", templates.HTML, `<p title="{{#if dyn_x}}"{{else}}y{{/if}}">`, []string{`AC215 "{{#if dyn_x}}" half a tag`}},
		{"script address", templates.HTML, `<a href=" java&#115;cript:alert(1)">x</a>`, []string{`AC213 "href=\" java&#115;cript:alert(1)\"" javascript`}},
		{"frames and forms", templates.HTML, `<iframe></iframe><form></form>`, []string{`AC213 "iframe" does not belong`, `AC213 "form" does not belong`}},
		{"unclosed attribute", templates.HTML, `<p title="x>text`, []string{`AC215 "title=\"x>text" ends inside`}},

		{"HTML in Markdown", templates.Markdown, "a <b>x</b>\n\n<div>\n{{customer_name}}\n</div>\n", []string{`AC211 "<b>" .html.hbs`, `AC211 "</b>" .html.hbs`, `AC211 "<div>" .html.hbs`}},
		{"Markdown link", templates.Markdown, "[x]({{customer_name}})", []string{`AC214 "{{customer_name}}" link leads`}},
		{"Markdown link host", templates.Markdown, "[x](https://{{customer_name}}/)", []string{`AC214 "{{customer_name}}" link leads`}},
		{"Markdown definition", templates.Markdown, "[x]\n\n[x]: {{customer_name}}", []string{`AC214 "{{customer_name}}" link leads`}},
		{"Markdown image", templates.Markdown, "![x]({{conversation_url}})", []string{`AC214 "{{conversation_url}}" image`}},
		{"Markdown link from a branch", templates.Markdown, "[x]({{#if dyn_x}}https://a.example/{{/if}}{{customer_name}})", []string{`AC214 "{{customer_name}}" link leads`}},
		{"indented code", templates.Markdown, "a\n\n    {{customer_name}}\n", []string{`AC210 "{{customer_name}}" indented`}},
		{"code in a list", templates.Markdown, "- a\n  ```\n  {{customer_name}}\n  ```\n", []string{`AC210 "{{customer_name}}" part of a list`}},
		{"backslash", templates.Markdown, `a \\{{customer_name}}`, []string{`AC210 "{{customer_name}}" backslash`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			text, problems := templates.Parse(c.src, c.format, names())
			if text != nil {
				t.Fatal("got a text, want problems only")
			}
			if len(problems) != len(c.want) {
				t.Fatalf("got %d problems, want %d:\n%+v", len(problems), len(c.want), problems)
			}
			for i, p := range problems {
				code, rest, _ := strings.Cut(c.want[i], " ")
				marked := fmt.Sprintf("%q ", c.src[p.Offset:p.Offset+p.Length])
				words := strings.TrimPrefix(rest, marked)
				if p.Code != code || words == rest || !strings.Contains(p.Message+" "+p.Help, words) || p.Help == "" {
					t.Errorf("got %s %s%s; help: %s\nwant %s", p.Code, marked, p.Message, p.Help, c.want[i])
				}
			}
		})
	}
}

func TestAccepted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		format templates.Format
		src    string
	}{
		{templates.Plain, `{{~#if (eq dyn_x "a") ~}} a {{~ else if customer_name }} b {{ else unless agent_name}} c {{^}} d {{/if~}}`},
		{templates.Plain, `{{! note }}{{!-- {{x}} --}}\{{not a tag}}`},
		{templates.Plain, `{{#each metadata.[the list]}}{{@index}} {{#unless @last}}, {{/unless}}{{@key}}{{else}}{{customer_name}}{{/each}}`},
		{templates.Plain, `{{#with metadata.order}}{{this.number}} {{customer_name}}{{/with}}`},
		{templates.Plain, `{{default (upper customer_name) (title agent_name)}} {{truncate (default dyn_x 'it\'s') 10}}`},
		{templates.Plain, `{{date conversation_date 'D.M.YY [at] dddd'}} {{time dyn_at 'HH:mm'}} {{date metadata.when}}`},
		{templates.HTML, `<title>{{customer_name}}</title><td {{#if dyn_x}}class="a"{{/if}} title='{{customer_name}}'>{{#if dyn_x}}<b>{{/if}}x</b></td>`},
		{templates.HTML, `<a href="{{#if dyn_link}}{{dyn_link}}{{else}}https://acme.example/{{/if}}">x</a><a href="https://acme.example/?q={{customer_name}}&n={{agent_name}}">y</a>`},
		{templates.HTML, `<a href="mailto:{{customer_email}}">m</a><a href="{{conversation_url}}?a={{agent_name}}">u</a><!-- a --><p>1 < 2 {{customer_name}}`},
		{templates.Markdown, "[x]({{dyn_link}}) [y](https://acme.example/{{agent_name}} \"{{customer_name}}\") <https://acme.example/{{agent_name}}>"},
		{templates.Markdown, "`{{agent_name}}`\n\n```\n{{#if dyn_x}}{{conversation_transcript}}{{/if}}\n```\n"},
	} {
		parse(t, c.src, c.format)
	}
}

// TestHelpersCanBeWrittenAsTheySay: what an author is offered passes the guard.
func TestHelpersCanBeWrittenAsTheySay(t *testing.T) {
	t.Parallel()
	name, fits := regexp.MustCompile(`\bname\b`), map[string]string{"date": "dyn_day", "time": "dyn_at"} // else any text
	for _, h := range templates.Helpers() {
		if h.Block != strings.HasPrefix(h.Usage, "{{#"+h.Name+" ") {
			t.Errorf("%s: block %v, and its usage is %s", h.Name, h.Block, h.Usage)
		}
		for src := range strings.SplitSeq(h.Usage, " or ") {
			if strings.HasPrefix(src, "{{#") && !strings.Contains(src, "{{/") {
				src += "x{{/if}}"
			}
			value, ok := fits[h.Name]
			if !ok {
				value = "customer_name"
			}
			parse(t, name.ReplaceAllString(src, value), templates.Plain)
		}
	}
	if got := len(templates.Helpers()); got != 13 {
		t.Errorf("%d blocks and helpers are offered, want 13", got)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	text := parse(t, "{{#if dyn_b}}{{dyn_b}}{{/if}}{{upper dyn_a}}{{#each metadata.items}}{{this.name}}{{dyn_c}}{{/each}}{{default dyn_b customer_name}}", templates.Plain)
	if diff := cmp.Diff([]string{"dyn_b", "dyn_a", "metadata.items", "dyn_c", "customer_name"}, text.Names()); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}
