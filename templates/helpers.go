package templates

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/aymerick/raymond"
)

// renderingKey is where the engine's private data holds the state of one render.
const renderingKey = "aftercall"

// engineHelpers are the helpers of one template: five of our own that authors cannot name, our each, and the authors'.
// Those that need the values of a render find them in the engine's private data, so that one template can be rendered
// by many at once.
func engineHelpers() map[string]any {
	return map[string]any{
		"val":  func(n int, o *raymond.Options) any { return stateOf(o).value(n) },
		"item": func(this any, n int, o *raymond.Options) any { return stateOf(o).item(this, n) },
		"lit":  func(n int, o *raymond.Options) any { return stateOf(o).text.literals[n] },
		"say": func(v any, n int, o *raymond.Options) raymond.SafeString {
			return raymond.SafeString(stateOf(o).say(v, n))
		},
		"put": func(n, at int, o *raymond.Options) raymond.SafeString {
			s := stateOf(o)
			return raymond.SafeString(s.say(s.value(n), at))
		},
		"each":     each,
		"date":     func(v, layout any) any { return formatDate(plainText(v), plainText(layout)) },
		"time":     func(v, layout any) any { return formatClock(plainText(v), plainText(layout)) },
		"upper":    func(v any) any { return strings.ToUpper(plainText(v)) },
		"lower":    func(v any) any { return strings.ToLower(plainText(v)) },
		"title":    func(v any) any { return titleCase(plainText(v)) },
		"truncate": truncate,
		"default":  orElse,
		"join":     join,
		"eq":       func(a, b any) any { return plainText(a) == plainText(b) },
	}
}

func stateOf(o *raymond.Options) *rendering {
	s, _ := o.Data(renderingKey).(*rendering)
	return s
}

// each takes the place of the engine's own, which walks maps in random order and knows no limit.
func each(list any, n int, o *raymond.Options) any {
	s := stateOf(o)
	var b strings.Builder
	turn := func(i, length int, key, item any) {
		s.spend(s.text.loops[n])
		frame := o.NewDataFrame()
		frame.Set("index", i)
		frame.Set("key", key)
		frame.Set("first", i == 0)
		frame.Set("last", i == length-1)
		b.WriteString(o.FnCtxData(item, frame))
	}
	switch list := list.(type) {
	case []any:
		for i, item := range list {
			turn(i, len(list), i, item)
		}
	case map[string]any:
		for i, key := range slices.Sorted(maps.Keys(list)) {
			turn(i, len(list), key, list[key])
		}
	default:
		// Platforms often pass a list of one as the one thing.
		if !empty(list) {
			turn(0, 1, 0, list)
		}
	}
	if empty(list) {
		return o.Inverse()
	}
	return b.String()
}

func orElse(v, other any) any {
	if empty(v) {
		return other
	}
	return v
}

// truncate cuts a text to a number of characters, at a word where there is one, and shows that it did.
func truncate(v, limit any) any {
	n, _ := strconv.Atoi(plainText(limit))
	text := []rune(plainText(v))
	if len(text) <= n {
		return string(text)
	}
	if n < 2 {
		return "…"
	}
	cut := text[:n-1]
	for i := len(cut) - 1; i > len(cut)*2/3; i-- {
		if unicode.IsSpace(cut[i]) {
			cut = cut[:i]
			break
		}
	}
	return strings.TrimRightFunc(string(cut), unicode.IsSpace) + "…"
}

func join(v, separator any) any {
	list, ok := v.([]any)
	if !ok {
		return plainText(v)
	}
	var parts []string
	for _, item := range list {
		if !empty(item) {
			parts = append(parts, plainText(item))
		}
	}
	return strings.Join(parts, plainText(separator))
}

// titleCase raises the first letter of every word and leaves the others.
func titleCase(s string) string {
	start := true
	return strings.Map(func(r rune) rune {
		first := start
		start = unicode.IsSpace(r) || r == '-'
		if first {
			return unicode.ToTitle(r)
		}
		return r
	}, s)
}
