package ingest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestForms(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body string
		want map[string]any
	}{
		"flat":                  {"a=1&b=%2B44+7&c=&d", map[string]any{"a": "1", "b": "+44 7", "c": "", "d": ""}},
		"empty parts":           {"&&a=1&&&b=2&", map[string]any{"a": "1", "b": "2"}},
		"no name":               {"a=1&=2&", map[string]any{"a": "1"}},
		"nothing":               {"", map[string]any{}},
		"members":               {"v[lead][id]=42&v[lead][name]=x&v[k]=1", map[string]any{"v": map[string]any{"lead": map[string]any{"id": "42", "name": "x"}, "k": "1"}}},
		"elements":              {"v[tags][]=new&v[tags][]=vip", map[string]any{"v": map[string]any{"tags": []any{"new", "vip"}}}},
		"brackets in code":      {"v%5Bk%5D=1", map[string]any{"v": map[string]any{"k": "1"}}},
		"brackets that do not":  {"v[k=1&]x[=2&[y]=3", map[string]any{"v[k": "1", "]x[": "2", "[y]": "3"}},
		"the last counts":       {"a=1&a=2", map[string]any{"a": "2"}},
		"a text, then members":  {"a=1&a[b]=2", map[string]any{"a": map[string]any{"b": "2"}}},
		"members, then a text":  {"a[b]=2&a=1", map[string]any{"a": "1"}},
		"members, then a list":  {"a[b]=2&a[]=1", map[string]any{"a": []any{"1"}}},
		"a NUL":                 {"a=%00", map[string]any{"a": "\uFFFD"}},
		"no code":               {"a=%zz", nil},
		"not UTF-8":             {"a=%ff", nil},
		"nested beyond all end": {"a" + strings.Repeat("[b]", 65) + "=1", nil},
		"as deep as it goes":    {"a[b]=" + strings.Repeat("[", 100), map[string]any{"a": map[string]any{"b": strings.Repeat("[", 100)}}},
		"too much":              {strings.Repeat("a=1&", maxValues+1), nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, faults := parseForm([]byte(tt.body))
			if (tt.want == nil) != (len(faults) > 0) {
				t.Fatalf("faults %v", faults)
			}
			if diff := cmp.Diff(tt.want, got); tt.want != nil && diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzForm(f *testing.F) {
	f.Add("a=1&&b[c][]=%2B&b[c][]=2&b=3")
	f.Add(twilioCall)
	f.Fuzz(func(t *testing.T, body string) {
		doc, faults := parseForm([]byte(body))
		if (doc == nil) != (len(faults) > 0) {
			t.Fatalf("document %v beside faults %v", doc, faults)
		}
	})
}
