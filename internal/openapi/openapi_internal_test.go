package openapi

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const tiny = `{"openapi": "3.1.0", "components": {"schemas": {"Written": {"type": "object"}}}}`

type leaf struct {
	Name string `json:"name" words:"names" doc:"Which."`
}

type tree struct {
	Leaves []leaf            `json:"leaves"`
	Below  *tree             `json:"below,omitempty"`
	At     time.Time         `json:"at,omitzero"`
	Other  map[string]string `json:"other,omitempty"`
	Taken  any               `json:"taken" ref:"Written"`
}

func route(path, id string, body any) Route {
	return Route{Method: "POST", Path: path, ID: id, Summary: "s", Body: body, Answer: Answer{Says: "a"}, Fails: []int{404}}
}

func TestTypesBecomeComponents(t *testing.T) {
	t.Parallel()
	raw, err := document([]byte(tiny), []Route{route("/trees/{id}", "plant", tree{})}, map[string][]string{"names": {"oak", "elm"}})
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths      map[string]map[string]struct{ Parameters []map[string]any }
		Components struct{ Schemas map[string]any }
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	type m = map[string]any
	want := map[string]any{
		"Written": m{"type": "object"},
		"Leaf": m{"type": "object", "additionalProperties": false, "required": []any{"name"},
			"properties": m{"name": m{"type": "string", "enum": []any{"oak", "elm"}, "description": "Which."}}},
		"Tree": m{"type": "object", "additionalProperties": false, "required": []any{"leaves", "taken"}, "properties": m{
			"leaves": m{"type": "array", "items": m{"$ref": "#/components/schemas/Leaf"}},
			"below":  m{"$ref": "#/components/schemas/Tree"},
			"at":     m{"type": "string", "format": "date-time"},
			"other":  m{"type": "object", "additionalProperties": m{"type": "string"}},
			"taken":  m{"$ref": "#/components/schemas/Written"}}},
	}
	if diff := cmp.Diff(want, doc.Components.Schemas); diff != "" {
		t.Errorf("schemas (-want +got):\n%s", diff)
	}
	params := doc.Paths["/trees/{id}"]["post"].Parameters
	if len(params) != 1 || params[0]["name"] != "id" || params[0]["in"] != "path" || params[0]["required"] != true {
		t.Errorf("parameters %v", params)
	}
	again, err := document([]byte(tiny), []Route{route("/trees/{id}", "plant", tree{})}, map[string][]string{"names": {"oak", "elm"}})
	if err != nil || string(again) != string(raw) {
		t.Errorf("described twice it differs: %v", err)
	}
}

func TestWhatCannotBeDescribed(t *testing.T) {
	t.Parallel()
	type written struct{}
	type unnamed struct{ Name string }
	type worded struct {
		Name string `json:"name" words:"none"`
	}
	type odd struct {
		Share float64 `json:"share"`
	}
	for name, tt := range map[string]struct {
		routes []Route
		want   string
	}{
		"a route twice":            {[]Route{route("/a", "one", nil), route("/a", "two", nil)}, "declared twice"},
		"an operation twice":       {[]Route{route("/a", "one", nil), route("/b", "one", nil)}, "declared twice"},
		"a component that is not":  {[]Route{route("/a", "one", Ref("Nothing"))}, "no component Nothing"},
		"a name that is taken":     {[]Route{route("/a", "one", written{})}, "which the frame has"},
		"a member without a name":  {[]Route{route("/a", "one", unnamed{})}, "json tag"},
		"words that are not there": {[]Route{route("/a", "one", worded{})}, `no list of words "none"`},
		"a kind nobody wrote":      {[]Route{route("/a", "one", odd{})}, "no schema for a float64"},
		"a failure nobody wrote":   {[]Route{{Method: "GET", Path: "/a", ID: "one", Fails: []int{418}}}, "no shared answer for 418"},
	} {
		if _, err := document([]byte(tiny), tt.routes, nil); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
	if _, err := document([]byte(`{}`), nil, nil); err == nil {
		t.Error("a frame without components was taken")
	}
}
