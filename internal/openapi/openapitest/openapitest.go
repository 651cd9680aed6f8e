// Package openapitest holds what a server answers in a test against its description.
//
// It owns finding the operation that a request is one of, and the schema of its answer. It promises that an answer of another
// status, media type or form than the description gives fails the test. It is imported by tests only.
package openapitest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Description is one that answers are held against. It is safe for concurrent use.
type Description struct {
	paths     map[string]map[string]operation
	responses map[string]response

	mu       sync.Mutex
	schemas  *jsonschema.Compiler
	answered map[string]bool // operations that answered well
}

type operation struct {
	ID        string `json:"operationId"`
	Responses map[string]response
}

type response struct {
	Ref     string `json:"$ref"`
	Content map[string]any
}

// Read reads a description.
func Read(t *testing.T, raw []byte) *Description {
	t.Helper()
	var doc struct {
		Paths      map[string]map[string]operation
		Components struct{ Responses map[string]response }
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	whole, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	d := &Description{paths: doc.Paths, responses: doc.Components.Responses, schemas: jsonschema.NewCompiler(), answered: map[string]bool{}}
	d.schemas.AssertFormat()
	if err := d.schemas.AddResource("openapi.json", whole); err != nil {
		t.Fatal(err)
	}
	return d
}

// Answered reports whether an operation answered with what was asked for.
func (d *Description) Answered(id string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.answered[id]
}

// Hold fails the test if an answer is not as described.
func (d *Description) Hold(t *testing.T, request *http.Request, answer *http.Response, body []byte) {
	t.Helper()
	asked, status := request.Method+" "+request.URL.Path, fmt.Sprint(answer.StatusCode)
	path, op, ok := d.find(request.Method, request.URL)
	if !ok {
		t.Errorf("%s is not described", asked)
		return
	}
	as, ok := op.Responses[status]
	if !ok {
		t.Errorf("%s: %s is not described; %v are: %s", asked, status, slices.Sorted(maps.Keys(op.Responses)), body)
		return
	}
	at := []string{"paths", path, strings.ToLower(request.Method), "responses", status}
	if as.Ref != "" {
		name := as.Ref[strings.LastIndex(as.Ref, "/")+1:]
		as, at = d.responses[name], []string{"components", "responses", name}
	}
	if answer.StatusCode < 300 {
		d.mu.Lock()
		d.answered[op.ID] = true
		d.mu.Unlock()
	}
	if len(as.Content) == 0 {
		return
	}
	kind, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	if _, ok := as.Content[kind]; !ok {
		t.Errorf("%s: %s of type %q, want %v", asked, status, kind, slices.Sorted(maps.Keys(as.Content)))
		return
	}
	if err := d.fits(append(at, "content", kind, "schema"), body); err != nil {
		t.Errorf("%s: %s is not as described: %v\n%s", asked, status, err, body)
	}
}

var wildcard = regexp.MustCompile(`\\\{\w+\\\}`)

// find is the operation of a request: a path in so many words goes before one with wildcards.
func (d *Description) find(method string, asked *url.URL) (path string, op operation, ok bool) {
	for p, methods := range d.paths {
		fits := regexp.MustCompile("^" + wildcard.ReplaceAllString(regexp.QuoteMeta(p), `[^/]+`) + "$")
		if found, there := methods[strings.ToLower(method)]; there && (p == asked.Path || path != asked.Path && fits.MatchString(asked.Path)) {
			path, op, ok = p, found, true
		}
	}
	return path, op, ok
}

// fits holds a body against the schema at a place of the description.
func (d *Description) fits(at []string, body []byte) error {
	pointer := ""
	for _, name := range at {
		pointer += "/" + url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(name))
	}
	d.mu.Lock()
	schema, err := d.schemas.Compile("openapi.json#" + pointer)
	d.mu.Unlock()
	if err != nil {
		return err
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("it is no JSON: %w", err)
	}
	return schema.Validate(value)
}
