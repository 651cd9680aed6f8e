package main

import (
	"regexp"
	"strings"

	"aftercall/templates"
)

// kazooMacros are what Kazoo's templates call what we have under another name. docs/platforms/kazoo.md has the same table, and a
// test holds the two together.
func kazooMacros() map[string]string {
	return map[string]string{
		"account.name":          "{{account_name}}",
		"caller_id.name":        "{{customer_name}}",
		"caller_id.number":      "{{customer_number}}",
		"caller_id.name_number": "{{customer_name}} ({{customer_number}})",
		"callee_id.name":        "{{agent_name}}",
		"callee_id.number":      "{{to_number}}",
		"from.user":             "{{customer_number}}",
		"to.user":               "{{to_number}}",
		"call_id":               "{{conversation_uuid}}",
		"call.call_id":          "{{conversation_uuid}}",
		"date_called":           "{{conversation_date}}",
		"date_called.local":     "{{conversation_date}}",
		"date_called.utc":       "{{conversation_date}}",
	}
}

// kazooTag finds a tag, a macro of Natterbox's, or what only begins like a tag.
var (
	kazooTag = regexp.MustCompile(`\{\{([^{}]*)\}\}|\{%([^{}]*)%\}|\{#(?s:.*?)#\}|` +
		natterboxTag.String() + `|\{\{|\{%|\{#`)
	kazooPath = regexp.MustCompile(`^[a-z_][a-z0-9_]*(?:\.[a-z0-9_]+)*$`)
	oursName  = regexp.MustCompile(`\{\{(.*?)\}\}`)
)

// translated is a text of Kazoo's with its macros as ours, in the format it was written for. What has no counterpart prints
// nothing, as it does in Kazoo where a macro is not set, and is warned of.
func (k *kazooExport) translated(template, text, comments string, f templates.Format) string {
	t := &kazooText{k: k, template: template, comments: comments, format: f}
	for text != "" {
		at := kazooTag.FindStringSubmatchIndex(text)
		if at == nil {
			t.plain(text)
			break
		}
		t.plain(text[:at[0]])
		switch tag := text[at[0]:at[1]]; {
		case at[2] >= 0:
			t.macro(tag, strings.TrimSpace(text[at[2]:at[3]]))
		case at[4] >= 0:
			t.block(tag, strings.TrimSpace(text[at[4]:at[5]]))
		case strings.HasPrefix(tag, "$("):
			t.natterbox(tag)
		case len(tag) == 2:
			t.lost(tag + " is never closed and stays text")
			t.plain(tag)
		}
		text = text[at[1]:]
	}
	for len(t.open) > 0 {
		t.close("is never closed")
	}
	ours := strings.TrimSpace(t.out.String())
	for _, p := range importedFaults(ours, f) {
		k.warn("template %s: aftercall check will refuse line %d of what it became: %s; %s", template, 1+strings.Count(ours[:min(p.Offset, len(ours))], "\n"), p.Message, p.Help)
	}
	return ours
}

// kazooText is a template while it is read.
type kazooText struct {
	k                  *kazooExport
	template, comments string
	format             templates.Format
	out                imported
	open               []*kazooBlock // innermost last
}

func (t *kazooText) hidden() bool { return len(t.open) > 0 && t.open[len(t.open)-1].hidden }

// lost warns of a tag, unless it stands where nothing is printed anyway.
func (t *kazooText) lost(what string) {
	if !t.hidden() {
		t.k.warn("template %s: %s", t.template, what)
	}
}

// plain is what stands between the tags: HTML in a body that is HTML, else text.
func (t *kazooText) plain(text string) {
	if t.format == templates.Markdown {
		text = markdownSigns.Replace(text)
	}
	if t.format == templates.Header {
		text = strings.NewReplacer("\r", " ", "\n", " ").Replace(text)
	}
	if !t.hidden() {
		t.out.write(text)
	}
}

// macro is what a Kazoo macro prints, with a filter or without. The comments are known already and are no template.
func (t *kazooText) macro(tag, expression string) {
	name, filter, filtered := strings.Cut(expression, "|")
	name, filter = strings.TrimSpace(name), strings.TrimSpace(filter)
	if name == "comments" {
		comments := t.comments
		switch filter {
		case "":
		case "upper":
			comments = strings.ToUpper(comments)
		case "lower":
			comments = strings.ToLower(comments)
		default:
			t.lost(tag + " has a filter without a counterpart; the comments are printed as they are")
		}
		if !t.hidden() {
			t.out.write(plainIn(t.format, comments))
		}
		return
	}
	ours, ok := kazooMacro(name)
	switch {
	case !ok || !filtered:
	case filter == "upper" || filter == "lower" || filter == "title":
		ours = strings.Replace(ours, "{{", "{{"+filter+" ", 1)
	default:
		ok = false
	}
	if !ok {
		t.lost(tag + " has no counterpart and prints nothing")
	}
	if ok && !t.hidden() {
		t.write(ours)
	}
}

// write is a text of our own with tags.
func (t *kazooText) write(ours string) {
	for ours != "" {
		at := oursName.FindStringSubmatchIndex(ours)
		if at == nil {
			t.out.write(ours)
			return
		}
		t.out.write(ours[:at[0]])
		t.out.tag(ours[at[2]:at[3]])
		ours = ours[at[1]:]
	}
}

func (t *kazooText) natterbox(tag string) {
	inside, ok := natterboxMacro(tag)
	if !ok {
		t.lost(tag + " has no counterpart and prints nothing")
	}
	if ok && !t.hidden() {
		t.out.tag(inside)
	}
}

// kazooMacro is what a name of Kazoo's is here.
func kazooMacro(name string) (ours string, ok bool) {
	if ours, ok = kazooMacros()[name]; ok {
		return ours, true
	}
	part, call := strings.CutPrefix(name, "call.")
	if !call || !kazooPath.MatchString(part) || strings.Contains(part, ".") || !isTag("metadata."+part) {
		return "", false
	}
	return "{{metadata." + part + "}}", true
}
