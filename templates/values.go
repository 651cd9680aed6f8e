package templates

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Limits on values and on one rendered message.
const (
	maxList   = 100
	maxLevels = 8
	maxOutput = 256 << 10 // bytes
	maxSteps  = 8_000     // each a few microseconds of the engine's, 100 ms in all
)

var errLongList = errors.New("a list has more than 100 entries")

// clean turns a value of the outside into strings, numbers, booleans, lists and maps of these: nothing with a method,
// nothing the engine could follow elsewhere. What is none of these is empty.
func clean(v any, levels int) any {
	if levels > maxLevels {
		return ""
	}
	switch v := v.(type) {
	case string:
		return cleanText(v)
	case json.Number:
		return cleanText(v.String())
	case bool, int, float64:
		return v
	case int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64, float32:
		return fmt.Sprint(v)
	case []string:
		return cleanList(v, levels)
	case []any:
		return cleanList(v, levels)
	case map[string]string:
		return cleanMap(v, levels)
	case map[string]any:
		return cleanMap(v, levels)
	}
	return ""
}

func cleanList[T any](list []T, levels int) any {
	if len(list) > maxList {
		panic(errLongList)
	}
	out := make([]any, 0, len(list))
	for _, item := range list {
		out = append(out, clean(item, levels+1))
	}
	return out
}

func cleanMap[T any](m map[string]T, levels int) any {
	if len(m) > maxList {
		panic(errLongList)
	}
	out := make(map[string]any, len(m))
	for key, item := range m {
		out[cleanText(key)] = clean(item, levels+1)
	}
	return out
}

// empty reports whether a clean value counts as not stated.
func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return strings.TrimSpace(v) == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

// weight is how many steps it takes to clean a value, or to read a clean one through a helper or two.
func weight(v any) int {
	size := 0
	var add func(any)
	add = func(v any) {
		switch v := v.(type) {
		case string:
			size += len(v)
		case []any:
			for _, item := range v {
				size += 32
				add(item)
			}
		case map[string]any:
			for key, item := range v {
				size += 32 + len(key)
				add(item)
			}
		case []string:
			for _, item := range v {
				size += 32 + len(item)
			}
		case map[string]string:
			for key, item := range v {
				size += 32 + len(key) + len(item)
			}
		}
	}
	add(v)
	return size / 256
}

// plainText writes a clean value as people read it.
func plainText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int:
		return strconv.Itoa(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []any:
		text, _ := join(v, ", ").(string)
		return text
	case map[string]any:
		var parts []string
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if !empty(v[key]) {
				parts = append(parts, key+": "+plainText(v[key]))
			}
		}
		return strings.Join(parts, ", ")
	}
	return ""
}

// below follows a path into a clean value.
func below(v any, path []string) any {
	for _, key := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return ""
		}
		if v, ok = m[key]; !ok {
			return ""
		}
	}
	return v
}
