package ingest

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// described is the description of this package's routes.
func described(t *testing.T) []byte {
	t.Helper()
	raw, err := Description(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// schemaOf compiles one schema of the description.
func schemaOf(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(described(t)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("openapi.json#/components/schemas/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func sampleOf(t *testing.T) map[string]any {
	t.Helper()
	var d struct {
		Components struct {
			Examples map[string]struct{ Value map[string]any }
		}
	}
	if err := json.Unmarshal(described(t), &d); err != nil {
		t.Fatal(err)
	}
	return d.Components.Examples["callback"].Value
}

// accepts reports whether the documented schema and the decoder take a body.
func accepts(t *testing.T, s *jsonschema.Schema, body any) (documented, decodes bool) {
	t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	_, faults := decodeBody(t, "native", string(raw), nil)
	return s.Validate(v) == nil, len(faults) == 0
}

func TestDescriptionAndDecoderAgree(t *testing.T) {
	t.Parallel()
	s := schemaOf(t, "Conversation")
	if documented, decodes := accepts(t, s, sampleOf(t)); !documented || !decodes {
		t.Fatalf("the sample: documented %t, decodes %t", documented, decodes)
	}
	tests := map[string]struct {
		change func(m map[string]any)
		want   bool
	}{
		"unknown member":      {func(m map[string]any) { m["colour"] = "red" }, false},
		"unknown channel":     {func(m map[string]any) { m["channel"] = "fax" }, false},
		"unknown role":        {func(m map[string]any) { m["turns"] = []any{map[string]any{"role": "bot"}} }, false},
		"a turn of one's own": {func(m map[string]any) { m["turns"] = []any{map[string]any{"role": "agent", "mood": "x"}} }, false},
		"times are text":      {func(m map[string]any) { m["started_at"] = 1772443800 }, false},
		"long id":             {func(m map[string]any) { m["id"] = strings.Repeat("x", 201) }, false},
		"negative time":       {func(m map[string]any) { m["turns"] = []any{map[string]any{"role": "agent", "at_ms": -1}} }, false},
		"null is nothing":     {func(m map[string]any) { m["customer"], m["summary"], m["metadata"], m["turns"] = nil, nil, nil, nil }, true},
		"any metadata":        {func(m map[string]any) { m["metadata"] = map[string]any{"a": []any{1, map[string]any{"b": nil}}} }, true},
	}
	for _, key := range []string{"id", "agent", "channel", "status", "started_at", "ended_at"} {
		tests["without "+key] = struct {
			change func(m map[string]any)
			want   bool
		}{func(m map[string]any) { delete(m, key) }, false}
	}
	for _, key := range []string{"direction", "timezone", "from_number", "to_number", "customer", "turns", "metadata"} {
		tests["without "+key] = struct {
			change func(m map[string]any)
			want   bool
		}{func(m map[string]any) { delete(m, key) }, true}
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := sampleOf(t)
			tt.change(body)
			if documented, decodes := accepts(t, s, body); documented != tt.want || decodes != tt.want {
				t.Errorf("documented %t, decodes %t, want %t", documented, decodes, tt.want)
			}
		})
	}
}

func TestDescriptionNamesEveryRoute(t *testing.T) {
	t.Parallel()
	var d struct{ Paths map[string]any }
	if err := json.Unmarshal(described(t), &d); err != nil {
		t.Fatal(err)
	}
	want := []string{"/healthz", "/hooks/{source}", "/hooks/{source}/{token}", "/openapi.json", "/readyz", "/v1/conversations", "/v1/events"}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(d.Paths))); diff != "" {
		t.Errorf("paths (-want +got):\n%s", diff)
	}
	schemaOf(t, "Event")
	schemaOf(t, "Accepted")
	schemaOf(t, "Problem")
}
