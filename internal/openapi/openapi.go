// Package openapi describes HTTP routes in OpenAPI 3.1, from the same table that makes them answer.
//
// It owns how a route is declared, how the Go types of its bodies become JSON Schema, and what all descriptions have in common:
// frame.json, with the answers that tell of a failure and the bodies that are posted, whose schemas are written by hand because
// their decoders are. It promises that what is not in the
// table is neither answered nor described, that an object has no member that its schema does not name, and that the same
// routes give the same bytes. It never serves a request itself, and knows nothing of what a route does.
package openapi

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Route is one thing that can be asked for.
type Route struct {
	Method, Path string // as in a pattern of http.ServeMux, with {name} for what stands in the path
	ID           string // operationId
	Tag          string
	Summary      string
	Description  string
	Security     []string // any of these schemes; "" in it: or none; nil: nobody is asked for anything
	Params       []Param  // beside those in the path
	Body         any      // a Ref, or a value of the body's Go type; nil: it takes none
	Example      string   // of the body, by its name among the components
	Answer       Answer
	Fails        []int // with a problem
	Handler      http.Handler
}

// Pattern is the route's pattern for http.ServeMux.
func (r Route) Pattern() string { return r.Method + " " + r.Path }

// Param is something that stands in the query or a header.
type Param struct {
	Name, In, Says string // In: query or header
	Words          []string
	Number         bool
	Time           bool
}

// Answer is how a route answers when all is well.
type Answer struct {
	Status int // 0: 200
	Says   string
	Type   string // media type; "": application/json
	Body   any    // a Ref, or a value of the body's Go type; nil: it has none
	Header string // one that it may have, and what that says
	Means  string
}

// Ref names a schema among the components.
type Ref string

// failures are the shared answers that tell of a failure, by status.
func failures() map[int]string {
	return map[int]string{
		http.StatusBadRequest: "BadRequest", http.StatusUnauthorized: "Unauthorized", http.StatusForbidden: "Forbidden",
		http.StatusNotFound: "NotFound", http.StatusMethodNotAllowed: "MethodNotAllowed", http.StatusRequestTimeout: "TooSlow",
		http.StatusConflict: "Conflict", http.StatusRequestEntityTooLarge: "TooLarge", http.StatusUnsupportedMediaType: "UnsupportedMediaType",
		http.StatusTooManyRequests: "TooMany", http.StatusInternalServerError: "Failure", http.StatusServiceUnavailable: "Unavailable",
	}
}

// object is a JSON object; encoding/json writes its members in the order of their names.
type object = map[string]any

//go:embed frame.json
var frame []byte

// Document describes routes. words are what may stand in members with a tag of that name.
func Document(routes []Route, words map[string][]string) ([]byte, error) {
	return document(frame, routes, words)
}

// document describes routes in a frame: a document without paths, with the components that routes and types refer to.
func document(frame []byte, routes []Route, words map[string][]string) ([]byte, error) {
	var doc object
	if err := json.Unmarshal(frame, &doc); err != nil {
		return nil, fmt.Errorf("read the frame of the description: %w", err)
	}
	components, _ := doc["components"].(object)
	written, _ := components["schemas"].(object)
	if written == nil {
		return nil, fmt.Errorf("read the frame of the description: it has no schemas")
	}
	m := &maker{words: words, written: written, made: map[string]made{}}
	paths, ids := object{}, map[string]bool{}
	for _, r := range routes {
		at, _ := paths[r.Path].(object)
		if at == nil {
			at = object{}
			paths[r.Path] = at
		}
		method := strings.ToLower(r.Method)
		if _, twice := at[method]; twice || ids[r.ID] {
			return nil, fmt.Errorf("describe %s: it, or its operation %s, is declared twice", r.Pattern(), r.ID)
		}
		ids[r.ID] = true
		operation, err := m.operation(r)
		if err != nil {
			return nil, fmt.Errorf("describe %s: %w", r.Pattern(), err)
		}
		at[method] = operation
	}
	doc["paths"] = paths
	for name, s := range m.made {
		written[name] = s.schema
	}
	out, err := json.MarshalIndent(doc, "", "  ")
	return append(out, '\n'), err
}

var wildcard = regexp.MustCompile(`\{(\w+)\}`)

func (m *maker) operation(r Route) (object, error) {
	o := object{"operationId": r.ID, "summary": r.Summary}
	if r.Description != "" {
		o["description"] = r.Description
	}
	if r.Tag != "" {
		o["tags"] = []string{r.Tag}
	}
	if r.Security != nil {
		o["security"] = security(r.Security)
	}
	if params := params(r); len(params) > 0 {
		o["parameters"] = params
	}
	if r.Body != nil {
		schema, err := m.schema(r.Body)
		if err != nil {
			return nil, err
		}
		content := object{"schema": schema}
		if r.Example != "" {
			content["examples"] = object{r.Example: object{"$ref": "#/components/examples/" + r.Example}}
		}
		o["requestBody"] = object{"required": true, "content": object{"application/json": content}}
	}
	responses, err := m.responses(r)
	o["responses"] = responses
	return o, err
}

func security(schemes []string) (all []object) {
	for _, s := range schemes {
		if s == "" {
			all = append(all, object{})
			continue
		}
		all = append(all, object{s: []string{}})
	}
	return all
}

// params are those of the path, which are always there, and the declared ones, which never have to be.
func params(r Route) (all []object) {
	for _, name := range wildcard.FindAllStringSubmatch(r.Path, -1) {
		all = append(all, object{"name": name[1], "in": "path", "required": true, "schema": object{"type": "string"}})
	}
	for _, p := range r.Params {
		schema := object{"type": "string"}
		switch {
		case p.Number:
			schema = object{"type": "integer", "minimum": 1}
		case p.Time:
			schema["format"] = "date-time"
		case p.Words != nil:
			schema["enum"] = p.Words
		}
		all = append(all, object{"name": p.Name, "in": p.In, "description": p.Says, "schema": schema})
	}
	return all
}

func (m *maker) responses(r Route) (object, error) {
	a := object{"description": r.Answer.Says}
	if r.Answer.Body != nil {
		schema, err := m.schema(r.Answer.Body)
		if err != nil {
			return nil, err
		}
		kind := r.Answer.Type
		if kind == "" {
			kind = "application/json"
		}
		a["content"] = object{kind: object{"schema": schema}}
	}
	if r.Answer.Header != "" {
		a["headers"] = object{r.Answer.Header: object{"description": r.Answer.Means, "schema": object{"type": "string"}}}
	}
	status := r.Answer.Status
	if status == 0 {
		status = http.StatusOK
	}
	all := object{strconv.Itoa(status): a}
	names := failures()
	for _, status := range r.Fails {
		name, ok := names[status]
		if !ok {
			return nil, fmt.Errorf("there is no shared answer for %d; there are %v", status, slices.Sorted(maps.Keys(names)))
		}
		all[strconv.Itoa(status)] = object{"$ref": "#/components/responses/" + name}
	}
	return all, nil
}
