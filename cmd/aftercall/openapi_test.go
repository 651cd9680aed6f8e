package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"aftercall/api"
	"aftercall/callbacks"
	"aftercall/ingest"
	"aftercall/internal/llm/simulated"
	"aftercall/internal/openapi/openapitest"
	"aftercall/internal/signals/collector"
	"aftercall/internal/store"
	"aftercall/people"
)

// wholeDescription is the description of everything that is answered, as JSON.
func wholeDescription(t *testing.T) []byte {
	t.Helper()
	desk, err := callbacks.New(callbacks.Config{Store: &store.Store{}, Known: func(string) bool { return false }, Logger: slog.New(slog.DiscardHandler),
		PublicURL: publicURL, Doors: callbacks.Twilio("token")})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := ingest.Description(append((&api.API{}).Routes(), desk.Routes()...), api.Words())
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
	want := []string{"/callbacks/twilio/{account}/messages", "/callbacks/twilio/{account}/status", "/healthz", "/hooks/{source}", "/hooks/{source}/{token}", "/openapi.json", "/readyz", "/v1/agents/{id}/cti", "/v1/alerts", "/v1/alerts/read"}
	if got := slices.Sorted(maps.Keys(d.Paths)); !slices.Equal(got[:len(want)], want) {
		t.Errorf("paths %v, want them to begin with %v", got, want)
	}
}

// door asks at the one address, and holds every answer against the description.
func (h *house) door(d *openapitest.Description, method, path, key, kind, body string) (status int, header http.Header, said string) {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), method, h.app.address("webhooks")+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	if d != nil {
		d.Hold(h.t, req, res, raw)
	}
	return res.StatusCode, res.Header, string(raw)
}

// TestOneDoor: platforms and programs come to one address, which says what it does not answer.
func TestOneDoor(t *testing.T) {
	t.Parallel()
	h := newHouse(t, writeAccount(t, downConfig), simulated.New(simulated.Options{}))
	for _, c := range []struct {
		method, path string
		status       int
		allow, body  string
	}{
		{"GET", "/openapi.json", http.StatusOK, "", string(wholeDescription(t))},
		{"DELETE", "/v1/conversations", http.StatusMethodNotAllowed, "GET, POST", ""},
		{"GET", "/v1/alerts/read", http.StatusMethodNotAllowed, "POST", ""},
		{"GET", "/v1/nothing", http.StatusNotFound, "", ""},
	} {
		status, header, body := h.door(nil, c.method, c.path, "", "", "")
		if status != c.status || header.Get("Allow") != c.allow || c.body != "" && body != c.body {
			t.Errorf("%s %s: %d, Allow %q, %d bytes; want %d and %q", c.method, c.path, status, header.Get("Allow"), len(body), c.status, c.allow)
		}
	}
}

// TestWhatIsPostedIsAnsweredAsDescribed: of what platforms post, and of the same calls read with another key.
func TestWhatIsPostedIsAnsweredAsDescribed(t *testing.T) {
	t.Parallel()
	h := newHouse(t, writeAccount(t, downConfig), simulated.New(simulated.Options{}))
	made := people.NewKey()
	if err := h.app.db.AddKey(t.Context(), "acme", "reader", made.Prefix, made.Hash, store.Actor{Name: "test"}, store.ScopeRead); err != nil {
		t.Fatal(err)
	}
	var d describedInterface
	if err := json.Unmarshal(wholeDescription(t), &d); err != nil {
		t.Fatal(err)
	}
	sample, err := json.Marshal(d.Components.Examples["callback"].Value)
	if err != nil {
		t.Fatal(err)
	}
	described := openapitest.Read(t, wholeDescription(t))
	call, event := string(sample), `{"type": "call.started", "conversation": "call-1001", "at": "2026-11-20T14:03:00Z"}`
	for _, c := range []struct {
		method, path, key, kind, body string
		status                        int
	}{
		{"POST", "/v1/conversations", "", "application/json", call, http.StatusUnauthorized},
		{"POST", "/v1/conversations", made.Text, "application/json", call, http.StatusForbidden},
		{"POST", "/v1/conversations", h.key, "text/plain", call, http.StatusUnsupportedMediaType},
		{"POST", "/v1/conversations", h.key, "application/json", "{}", http.StatusBadRequest},
		{"POST", "/v1/conversations", h.key, "application/json", strings.Repeat(" ", 6<<20), http.StatusRequestEntityTooLarge},
		{"POST", "/v1/conversations", h.key, "application/json", call, http.StatusOK},
		{"POST", "/v1/conversations", h.key, "application/json", call, http.StatusOK}, // a repeat
		{"POST", "/v1/conversations", h.key, "application/json", strings.Replace(call, "Ana", "Eva", 1), http.StatusConflict},
		{"POST", "/v1/events", made.Text, "application/json", event, http.StatusForbidden},
		{"POST", "/v1/events", h.key, "application/json", event, http.StatusOK},
		{"POST", "/v1/events", h.key, "application/json", "[]", http.StatusBadRequest},
		{"POST", "/hooks/nobody", "", "application/json", call, http.StatusNotFound},
		{"GET", "/v1/conversations", h.key, "", "", http.StatusForbidden},
		{"GET", "/v1/conversations?search=call-1001", made.Text, "", "", http.StatusOK},
		{"GET", "/v1/conversations/call-1001", made.Text, "", "", http.StatusOK},
		{"GET", "/v1/conversations/call-1002", made.Text, "", "", http.StatusNotFound},
		{"GET", "/openapi.json", "", "", "", http.StatusOK},
		{"GET", "/healthz", "", "", "", http.StatusOK},
		{"GET", "/readyz", "", "", "", http.StatusOK},
	} {
		if status, _, said := h.door(described, c.method, c.path, c.key, c.kind, c.body); status != c.status {
			t.Errorf("%s %s: %d %s, want %d", c.method, c.path, status, said, c.status)
		}
	}
}

// TestAStreamEndsWithItsProcess: whoever hears alerts does not hold up a stop.
func TestAStreamEndsWithItsProcess(t *testing.T) {
	t.Parallel()
	h := newHouse(t, writeAccount(t, downConfig), simulated.New(simulated.Options{}))
	made, c := people.NewKey(), collector.New()
	t.Cleanup(c.Close)
	if err := h.app.db.AddKey(t.Context(), "acme", "reader", made.Prefix, made.Hash, store.Actor{Name: "test"}, store.ScopeRead); err != nil {
		t.Fatal(err)
	}
	web := h.process(role{web: true}, c)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, web.address("webhooks")+"/v1/alerts/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+made.Text)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if err := web.stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if said, err := io.ReadAll(res.Body); err != nil || res.StatusCode != http.StatusOK || !strings.HasPrefix(string(said), "retry: ") {
		t.Errorf("the stream: %d %q, %v", res.StatusCode, said, err)
	}
}
