package main

import (
	"encoding/json"
	"math"
	"strings"

	"aftercall/templates"
)

// values are what a call could bring: usually little, now and then everything at once.
func (w *writer) values() templates.Values {
	v := templates.Values{}
	for _, name := range []string{"a", "b", "foo", "customer_name", "t", "n", "day", "hour", "u", "dyn_reason"} {
		if w.IntN(4) > 0 {
			v[name] = w.word()
		}
	}
	for _, name := range []string{"l", "m", "metadata"} {
		v[name] = w.thing(0)
	}
	if w.IntN(3) == 0 {
		v["l"] = w.square()
	}
	return v
}

func (w *writer) word() string {
	if w.IntN(200) == 0 {
		return strings.Repeat(w.of("x", "é ", "<b>", "\n", "'", "*"), 1+w.IntN(60_000))
	}
	return w.of("", " ", "Dana", "yes", "false", "2026-11-20", "14:30", "-1", "https://acme.example/x", "javascript:alert(1)", "{{a}}", "{{#if a}}{{if b}}x{{/if}}",
		"</p><script>x</script>", "[x](https://evil.example)", "a\r\nb", "\x00\xff\u202e", "`", "```\n", "![x](y)", "@index", "../a")
}

// thing is any value that JSON can hold.
func (w *writer) thing(depth int) any {
	switch k := w.IntN(10); {
	case depth < 10 && k < 3:
		m := map[string]any{}
		for range w.IntN(5) {
			m[w.of("a", "b", "list", "x", "y", "", "a b", "__proto__", "{{a}}")] = w.thing(depth + 1)
		}
		return m
	case depth < 10 && k < 6:
		list := make([]any, w.IntN(6))
		for i := range list {
			list[i] = w.thing(depth + 1)
		}
		return list
	case k == 6:
		return []any{nil, true, false, 0, -1, 1e300, math.MaxInt64, json.Number("1e99999")}[w.IntN(8)]
	}
	return w.word()
}

// body is how much a call can bring at most: what ingest accepts.
const body = 5 << 20

// square is a list of lists about as long as is allowed, and longer.
func (w *writer) square() any {
	n, text := 1+w.IntN(101), w.word()
	text = text[:min(len(text), body/n/n)]
	list := make([]any, n)
	for i := range list {
		inner := make([]any, n)
		for j := range inner {
			inner[j] = text
		}
		list[i] = inner
	}
	return list
}
