package main

import (
	"regexp"
	"strings"
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

var (
	kazooTag  = regexp.MustCompile(`\{\{\s*(.*?)\s*\}\}|\{%\s*(.*?)\s*%\}|\{#.*?#\}`)
	plainName = regexp.MustCompile(`^[a-z_][a-z0-9_]*$`)
)

// translated is a text of Kazoo's with its macros as ours. What has no counterpart prints nothing, as it does in Kazoo where a
// macro is not set, and is warned of.
func (k *kazooExport) translated(template, text, comments string) string {
	text = kazooTag.ReplaceAllStringFunc(text, func(tag string) string {
		parts := kazooTag.FindStringSubmatch(tag)
		ours, ok := "", strings.HasPrefix(tag, "{#")
		switch {
		case parts[1] != "":
			ours, ok = macro(parts[1], comments)
		case parts[2] != "":
			ours, ok = block(parts[2])
		}
		if !ok {
			k.warn("template %s: %s has no counterpart and prints nothing", template, tag)
		}
		return ours
	})
	text, lost := fromNatterbox(text)
	for _, tag := range lost {
		k.warn("template %s: %s has no counterpart and prints nothing", template, tag)
	}
	return text
}

// macro is a Kazoo macro, with a filter or without.
func macro(expression, comments string) (string, bool) {
	name, filter, filtered := strings.Cut(expression, "|")
	name, filter = strings.TrimSpace(name), strings.TrimSpace(filter)
	if name == "comments" {
		return strings.ReplaceAll(comments, "{{", `\{{`), true
	}
	ours, ok := kazooMacros()[name]
	if part, call := strings.CutPrefix(name, "call."); !ok && call && plainName.MatchString(part) {
		ours, ok = "{{metadata."+part+"}}", true
	}
	switch {
	case !ok || !filtered:
	case filter == "upper" || filter == "lower" || filter == "title":
		ours = strings.Replace(ours, "{{", "{{"+filter+" ", 1)
	default:
		return "", false
	}
	return ours, ok
}

// block is the beginning, the middle or the end of a condition.
func block(tag string) (string, bool) {
	name, conditional := strings.CutPrefix(tag, "if ")
	switch ours, ok := macro(name, ""); {
	case tag == "else":
		return "{{else}}", true
	case tag == "endif":
		return "{{/if}}", true
	case conditional && ok && strings.Count(ours, "{{") == 1:
		return strings.Replace(ours, "{{", "{{#if ", 1), true
	}
	return "", false
}
