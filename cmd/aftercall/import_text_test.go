package main

import (
	"strings"
	"testing"

	"aftercall/templates"
)

// TestKazooTemplates: what a template becomes parses and says what Kazoo would have said, or what is missing is told.
func TestKazooTemplates(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		text, comments, want string
		warned               []string // one for each warning, in order
	}{
		"comments there":           {"{% if comments %}Note: {{comments}}{% else %}No note{% endif %}.", "VIP", "Note: VIP.", nil},
		"no comments":              {"{% if comments %}Note: {{comments}}{% else %}No note{% endif %}.", "", "No note.", nil},
		"not comments":             {"{% if not comments %}No note{% endif %}.", "VIP", ".", nil},
		"comments, filtered":       {"{{ comments|upper }} {{ comments|lower }} {{ comments|title }}", "Vip", "VIP vip Vip", []string{"filter"}},
		"comments are no template": {"{{comments}}", `{{customer_email}} \{{x}} {% if %} $(CallerNumber)`, `\{{customer_email}} \\\{{!}}\{{x}} {% if %} $(CallerNumber)`, nil},
		"no counterpart":           {"{% if user.name %}A{% else %}B{% endif %}", "", "B", []string{"{% if user.name %} has no counterpart"}},
		"not what is not set":      {"{% if not user.name %}A{% else %}B{% endif %}", "", "A", []string{"{% if not user.name %}"}},
		"two conditions":           {"a{% if call_id and call.x %}A {{user.x}}{% endif %}b", "", "ab", []string{"{% if call_id and call.x %}"}},
		"not":                      {"{% if not caller_id.name %}A{% else %}B{% endif %}", "", "{{#unless customer_name}}A{{else}}B{{/unless}}", nil},
		"not not":                  {"{% if not not caller_id.name %}A{% endif %}", "", "{{#if customer_name}}A{{/if}}", nil},
		"filtered condition":       {"{% if caller_id.name|upper %}A{% endif %}{% if call_id|length %}B{% endif %}", "", "{{#if customer_name}}A{{/if}}", []string{"length"}},
		"of two names":             {"{% if caller_id.name_number %}A{% endif %}", "", "{{#if (default customer_name customer_number)}}A{{/if}}", nil},
		"elif":                     {"{% if caller_id.name %}A{% elif not call.x %}B{% elif comments %}C{% else %}D{% endif %}", "", "{{#if customer_name}}A{{else unless metadata.x}}B{{else}}D{{/if}}", nil},
		"elif that holds":          {"{% if caller_id.name %}A{% elif comments %}C{% elif call.x %}D{% else %}E{% endif %}", "x", "{{#if customer_name}}A{{else}}C{{/if}}", nil},
		"elif after a dropped if":  {"{% if a == b %}A{% elif call.x %}B{% endif %}", "", "{{#if metadata.x}}B{{/if}}", []string{"{% if a == b %}"}},
		"elif without counterpart": {"{% if call.x %}A{% elif a %}B{% else %}C{% endif %}", "", "{{#if metadata.x}}A{{else}}C{{/if}}", []string{"{% elif a %}"}},
		"nested":                   {"{% if a %}{% if call.x %}A{% else %}B{% endif %}{% else %}{% if call.x %}C{% endif %}{% endif %}", "", "{{#if metadata.x}}C{{/if}}", []string{"{% if a %}"}},
		"loop":                     {"{% for x in y %}{{x.z}}{% if call.x %}A{% else %}B{% endif %}{% empty %}none{% endfor %}.", "", "none.", []string{"{% for x in y %}"}},
		"comment":                  {"a{# {{x}} \n #}b{% comment %}{% if x %}{{y}}{% endcomment %}c", "", "abc", nil},
		"other blocks":             {"{% autoescape off %}{{call_id}}{% endautoescape %}{% ifequal a b %}A{% else %}B{% endifequal %}", "", "{{conversation_uuid}}B", []string{"autoescape", "ifequal"}},
		"never closed":             {"{% if call.x %}A{% if call_id %}B", "", "{{#if metadata.x}}A{{#if conversation_uuid}}B{{/if}}{{/if}}", []string{"{% if call_id %} is never closed", "{% if call.x %} is never closed"}},
		"ends crossed":             {"{% if call.x %}A{% for x in y %}B{% endif %}C{% endfor %}", "", "{{#if metadata.x}}A{{/if}}C", []string{"{% for x in y %} has", "{% for x in y %} is never closed", "{% endfor %} belongs to no"}},
		"comment never closed":     {"a{% comment %}b{% if x %}", "", "a", []string{"{% comment %} is never closed"}},
		"ends of nothing":          {"A{% else %}B{% endif %}C{% elif x %}D{% empty %}", "", "ABCD", []string{"{% else %}", "{% endif %}", "{% elif x %}", "{% empty %}"}},
		"not closed":               {"{{ caller_id.name <b> {% if {# x", "", `\{{ caller_id.name \<b> {% if {# x`, []string{"{{ is", "{% is", "{# is"}},
		"over lines":               {"{{\n caller_id.name\n|\nupper }}", "", "{{upper customer_name}}", nil},
		"words of ours":            {"{{call.true}}{{call.this}}{{call.x}}$(Custom_this)$(Custom_a.true)$(Custom_a.b)", "", "{{metadata.x}}{{metadata.a.b}}", []string{"call.true", "call.this", "Custom_this", "Custom_a.true"}},
		"beside a tag":             {`{$(X){{call_id}}} {$(UUID)} {$(X){customer_name}}`, "", `{ {{~conversation_uuid~}} } { {{~conversation_uuid~}} } \{{customer_name}}`, []string{"$(X)", "$(X)"}},
		"HTML in a text":           {"{{caller_id.name}} <{{caller_id.number}}> <b> [x](http://{{call.x}}) `{{call.x}}` \\{{call.x}}", "", "{{customer_name}} \\<{{customer_number}}> \\<b> \\[x](http://{{metadata.x}}) \\`{{metadata.x}}\\` \\\\ {{~metadata.x}}", nil},
		"a run of blanks":          {"a" + strings.Repeat(" \r\n", 200) + "b", "", "a\n\nb", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := &kazooExport{}
			got := k.translated("x", tt.text, tt.comments, templates.Markdown)
			if got != tt.want {
				t.Errorf("it became\n%s\nwant\n%s", got, tt.want)
			}
			if faults := importedFaults(got, templates.Markdown); len(faults) > 0 {
				t.Errorf("it cannot be used: %v", faults)
			}
			if len(k.warnings) != len(tt.warned) {
				t.Fatalf("it warns of %q, want %q", k.warnings, tt.warned)
			}
			for i, want := range tt.warned {
				if !strings.Contains(k.warnings[i], want) {
					t.Errorf("it warns %q, want %q", k.warnings[i], want)
				}
			}
		})
	}
}

// TestKazooTextsInTheirFormat: comments and the text of a template are what they are in every place, and what cannot be there is told.
func TestKazooTextsInTheirFormat(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		format     templates.Format
		text, want string
		warned     bool
	}{
		{templates.Header, "Note:\n{{comments}}", "Note: <a> & [b] c", false},
		{templates.HTML, "<p>{{comments}}</p>", "<p>&lt;a&gt; &amp; [b]<br>\nc</p>", false},
		{templates.Markdown, "{{comments}}", "\\<a> & \\[b]\nc", false},
		{templates.HTML, "<p>\n<a href='{{call.x}}y'>z</a></p>", "<p>\n<a href='{{metadata.x}}y'>z</a></p>", true},
		{templates.HTML, `<a href="{% if call.x %}">z</a>{% endif %}`, `<a href="{{#if metadata.x}}">z</a>{{/if}}`, true},
	} {
		k := &kazooExport{}
		if got := k.translated("x", tt.text, "<a> & [b]\nc", tt.format); got != tt.want {
			t.Errorf("as %s %q became %q, want %q", tt.format, tt.text, got, tt.want)
		}
		if told := len(k.warnings) > 0; told != tt.warned || told && !strings.Contains(k.warnings[0], "aftercall check will refuse line") {
			t.Errorf("as %s %q is warned of with %q", tt.format, tt.text, k.warnings)
		}
	}
}

// importedPieces are what FuzzImportedTexts builds texts of.
func importedPieces() []string {
	return strings.Split(`{{caller_id.name}}~{{caller_id.name|upper}}~{{comments}}~{{x}}~{{call.true}}~{% if call.x %}~{% if comments %}~{% if x %}~{% if not call_id %}~{% elif call.y %}~{% elif comments %}~`+
		`{% else %}~{% endif %}~{% for x in y %}~{% empty %}~{% endfor %}~{% comment %}~{% endcomment %}~{#~#}~{%~%}~{{~}}~{~}~{{{{~\~\\~$(CallerNumber)~$(Custom_a.b)~$(Custom_a.true)~$(X)~$(~)~ ~`+"\n~\r~  \n\n    ~"+
		"#~!~!--~/if~^~>~&~<b>~</b>~<a href='~'>~\"~<!--~-->~*~`~```\n~[a](~)~| a | b |\n|---|---|\n~else~customer_email~~", "~")
}

// FuzzImportedTexts: whatever a text of Kazoo's or Natterbox's is made of, what is written can be read, or it is told that it cannot because of
// where something stands in the HTML; and what is no tag is printed as it was.
func FuzzImportedTexts(f *testing.F) {
	f.Add([]byte{5, 0, 11, 1, 12}, "x", 1)
	f.Add([]byte{23, 18, 19, 0, 24, 26, 29, 22, 27, 0, 24, 23, 30, 23, 49, 22}, `{{customer_email}} \`, 2)
	f.Add([]byte{5, 5, 9, 7, 13, 12, 12, 10, 16, 22, 17, 39, 0, 40, 42, 2, 43}, "{", 3)
	formats, parts := []templates.Format{templates.Header, templates.Plain, templates.Markdown, templates.HTML}, importedPieces()
	f.Fuzz(func(t *testing.T, recipe []byte, free string, format int) {
		var b strings.Builder
		for _, i := range recipe[:min(len(recipe), 60)] {
			b.WriteString(parts[int(i)%len(parts)])
		}
		text, free, as := textOf(b.String()), textOf(strings.ToValidUTF8(free, "")), formats[uint(format)%4]
		k := &kazooExport{}
		for _, p := range importedFaults(k.translated("t", text, free, as), as) {
			if p.Code < templates.CodeTooLarge || as == templates.Header || as == templates.Plain || len(k.warnings) == 0 {
				t.Errorf("%q with %q became a %s with %+v", text, free, as, p)
			}
		}
		for _, s := range []string{text, free} {
			if ours, _ := fromNatterbox(s); len(importedFaults(ours, templates.Plain)) > 0 {
				t.Errorf("%q became %q", s, ours)
			}
			read, problems := templates.Parse(asTemplate(s, templates.Plain), templates.Plain, nil)
			if read == nil {
				t.Fatalf("%q became %v", s, problems)
			}
			got, err := read.Render(nil, templates.Options{})
			if want := blanks.ReplaceAllString(lineBreak.Replace(s), "\n\n"); err != nil || strings.TrimSpace(got.Text) != strings.TrimSpace(want) {
				t.Errorf("%q is printed as %q, %v", want, got.Text, err)
			}
		}
	})
}
