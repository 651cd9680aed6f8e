package main

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"aftercall/api"
	"aftercall/ingest"
	"aftercall/internal/llm/simulated"
)

// wholeDescription is the description of everything that is answered, as JSON.
func wholeDescription(t *testing.T) []byte {
	t.Helper()
	raw, err := ingest.Description((&api.API{}).Routes(), api.Words())
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// base binds the schemas inside a description to the dialect of JSON Schema that 3.1 builds on: the form alone takes anything
// for a schema.
const base = `{"$id": "https://spec.openapis.org/oas/3.1/base", "$schema": "https://json-schema.org/draft/2020-12/schema",
	"$ref": "https://spec.openapis.org/oas/3.1/schema/2022-10-07",
	"$defs": {"schema": {"$dynamicAnchor": "meta", "$ref": "https://json-schema.org/draft/2020-12/schema"}}}`

// officialForm is the form of a description as the OpenAPI Initiative publishes it, in testdata with its licence.
func officialForm(t *testing.T) *jsonschema.Schema {
	t.Helper()
	published, err := os.ReadFile("testdata/openapi-3.1/schema.json")
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	for id, raw := range map[string][]byte{"https://spec.openapis.org/oas/3.1/schema/2022-10-07": published, "https://spec.openapis.org/oas/3.1/base": []byte(base)} {
		resource, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddResource(id, resource); err != nil {
			t.Fatal(err)
		}
	}
	s, err := c.Compile("https://spec.openapis.org/oas/3.1/base")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestTheDescriptionIsOpenAPI holds the description against the official schema of OpenAPI 3.1, shows that what is wrong is
// found, and holds the examples against the schema that they are examples of.
func TestTheDescriptionIsOpenAPI(t *testing.T) {
	t.Parallel()
	form, whole := officialForm(t), string(wholeDescription(t))
	for _, c := range []struct{ name, of, to string }{
		{name: "as it is"},
		{"a member that there is not", `"operationId": "listTasks"`, `"operationID": "listTasks"`},
		{"a parameter of the path that may be left out", `"required": true,`, `"required": false,`},
		{"a schema of no type", `"type": "boolean"`, `"type": "bool"`},
		{"a status in words", `"404": {`, `"missing": {`},
	} {
		wrong := strings.ReplaceAll(whole, c.of, c.to)
		if c.of == "" {
			wrong = whole
		}
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(wrong))
		if err != nil {
			t.Fatal(err)
		}
		if err := form.Validate(doc); (err != nil) != (c.of != "") {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(whole))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	conversation, err := c.Compile("openapi.json#/components/schemas/Conversation")
	if err != nil {
		t.Fatal(err)
	}
	var d describedInterface
	if err := json.Unmarshal([]byte(whole), &d); err != nil {
		t.Fatal(err)
	}
	for name, example := range d.Components.Examples {
		if err := conversation.Validate(example.Value); err != nil {
			t.Errorf("example %s: %v", name, err)
		}
	}
}

// describedInterface is what tests look at.
type describedInterface struct {
	Paths      map[string]map[string]any
	Components struct {
		Schemas, Responses map[string]any
		Examples           map[string]struct{ Value any }
	}
}

// TestEveryReferenceLeadsSomewhere: what the description refers to is there, and nothing is there that nobody refers to.
func TestEveryReferenceLeadsSomewhere(t *testing.T) {
	t.Parallel()
	raw := wholeDescription(t)
	var d describedInterface
	if err := json.Unmarshal(raw, &d); err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for name := range d.Components.Schemas {
		there["#/components/schemas/"+name] = true
	}
	for name := range d.Components.Responses {
		there["#/components/responses/"+name] = true
	}
	for name := range d.Components.Examples {
		there["#/components/examples/"+name] = true
	}
	used := map[string]bool{}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, inner := range v {
				if to, ok := inner.(string); ok && key == "$ref" {
					used[to] = true
				}
				walk(inner)
			}
		case []any:
			for _, inner := range v {
				walk(inner)
			}
		}
	}
	var all any
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	walk(all)
	for to := range used {
		if !there[to] {
			t.Errorf("%s is not there", to)
		}
	}
	for to := range there {
		if !used[to] {
			t.Errorf("nothing refers to %s", to)
		}
	}
}

// TestEveryRouteIsDescribed: the routes that the mux is made from are those of the description, in docs/api.md too.
func TestEveryRouteIsDescribed(t *testing.T) {
	t.Parallel()
	var d describedInterface
	if err := json.Unmarshal(wholeDescription(t), &d); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range (&api.API{}).Routes() {
		if _, ok := d.Paths[r.Path][strings.ToLower(r.Method)]; !ok {
			t.Errorf("%s is not described", r.Pattern())
		}
		if !strings.Contains(string(page), "`"+r.Pattern()+"`") {
			t.Errorf("%s is not on the page docs/api.md", r.Pattern())
		}
	}
	want := []string{"/healthz", "/hooks/{source}", "/openapi.json", "/readyz", "/v1/alerts", "/v1/alerts/read"}
	if got := slices.Sorted(maps.Keys(d.Paths)); !slices.Equal(got[:len(want)], want) {
		t.Errorf("paths %v, want them to begin with %v", got, want)
	}
}

// TestOneDoor: platforms and programs come to one address, which answers what it describes and says what it does not answer.
func TestOneDoor(t *testing.T) {
	t.Parallel()
	h := newHouse(t, writeAccount(t, downConfig), simulated.New(simulated.Options{}))
	at := h.app.address("webhooks")
	for _, c := range []struct {
		method, path string
		status       int
		allow, body  string
	}{
		{"GET", "/openapi.json", http.StatusOK, "", string(wholeDescription(t))},
		{"GET", "/v1/conversations", http.StatusUnauthorized, "", ""},
		{"POST", "/v1/conversations", http.StatusUnsupportedMediaType, "", ""},
		{"DELETE", "/v1/conversations", http.StatusMethodNotAllowed, "GET, POST", ""},
		{"GET", "/v1/alerts/read", http.StatusMethodNotAllowed, "POST", ""},
		{"GET", "/v1/nothing", http.StatusNotFound, "", ""},
		{"GET", "/healthz", http.StatusOK, "", ""},
	} {
		req, err := http.NewRequestWithContext(t.Context(), c.method, at+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil || res.StatusCode != c.status || res.Header.Get("Allow") != c.allow || c.body != "" && string(body) != c.body {
			t.Errorf("%s %s: %d, Allow %q, %v, %d bytes; want %d and %q", c.method, c.path, res.StatusCode, res.Header.Get("Allow"), err, len(body), c.status, c.allow)
		}
	}
}
