package main

import "aftercall/templates"

// known are the defects that were measured in the engine: each has ended a process, got past its error handling, or
// leaked.
func known() []string {
	return []string{
		`{{#if a}}{{if b}}x{{/if}}`, `{{#each l}}{{if this}}x{{/each}}`, `{{#if t}}{{equal a "f"}}{{/if}}`,
		`{{#if a}}{{lookup this (unless b)}}{{/if}}`, `{{#with m}}{{with this}}x{{/with}}`, `{{#bar}}{{with t}}{{/bar}}`,
		`{{#if a missing}}{{/if}}`, `{{#unless a missing}}{{/unless}}`, `{{#with a missing}}{{/with}}`,
		`{{#each l missing}}{{/each}}`, `{{lookup l "a" missing}}`, `{{@.}}`, `{{lookup l -1}}`, `{{lookup l a}}`,
		`{{#if a}}`, `{{/if}}`, `{{#if a}}{{/each}}`, `{{a`, "{{a\r\n}}", "{{#if a\r\n}}x{{/if\r\n}}",
		`{{#each l}}{{#each l}}{{#each l}}{{#each l}}x{{/each}}{{/each}}{{/each}}{{/each}}`,
		`{{nobody}}`, `{{log a}}`, `{{a.String}}`, `{{#with m}}{{../a}}{{/with}}`, `{{@root.a}}`, `{{{{a}}}}b{{{{/a}}}}`,
		`{{> a}}`, `{{#> a}}{{/a}}`, `{{#*inline "a"}}{{/inline}}`, `{{{a}}}`, `{{&a}}`, `{{^a}}{{/a}}`, `{{~^~}}`,
		`{{upper (upper (upper a)}}`, `{{"a"}}`, `{{-1}}`, `{{#if -1}}{{/if}}`, `{{a b=c}}`, `{{#each l as |x y|}}{{x}}{{/each}}`,
		`{{say a 0}}`, `{{val 0}}`, `{{item this 0}}`, `{{lit 99}}`, `{{else}}`, `{{else if a}}`, `{{!-- -}}`, `\{{`, `\\{{a}}`,
	}
}

// names are what the texts may name: one or two of each kind.
func names() templates.Names {
	return templates.Names{
		"a": templates.KindText, "b": templates.KindText, "foo": templates.KindText, "customer_name": templates.KindText,
		"t": templates.KindBoolean, "n": templates.KindNumber, "day": templates.KindDate, "hour": templates.KindTime,
		"u": templates.KindURL, "l": templates.KindOpen, "m": templates.KindOpen, "metadata": templates.KindOpen,
	}
}
