package automation_test

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"aftercall/automation"
)

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(automation.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("mem:schema", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("mem:schema")
	if err != nil {
		t.Fatal(err)
	}
	if s.DraftVersion != 7 {
		t.Errorf("the schema is of draft %d, want 7: editors know no newer one", s.DraftVersion)
	}
	return s
}

// instance reads YAML as an editor's language server does (YAML 1.2: a date is text).
func instance(n *yaml.Node) any {
	switch n.Kind {
	case yaml.DocumentNode:
		return instance(n.Content[0])
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = instance(n.Content[i+1])
		}
		return m
	case yaml.SequenceNode:
		list := []any{}
		for _, c := range n.Content {
			list = append(list, instance(c))
		}
		return list
	}
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!int", "!!float":
		var f float64
		if n.Decode(&f) == nil {
			return f
		}
	}
	return n.Value
}

// refusals holds every YAML file against the schema; a file that YAML cannot read is not the schema's to judge.
func refusals(t *testing.T, s *jsonschema.Schema, files automation.Files) (refused []error) {
	t.Helper()
	for name, src := range files {
		var n yaml.Node
		if !strings.HasSuffix(name, ".yaml") || yaml.Unmarshal(src, &n) != nil || n.Kind != yaml.DocumentNode {
			continue
		}
		if err := s.Validate(instance(&n)); err != nil {
			refused = append(refused, err)
		}
	}
	return refused
}

// TestSchemaTakesWhatIsRight: everything that check takes, the editor takes.
func TestSchemaTakesWhatIsRight(t *testing.T) {
	t.Parallel()
	s := schema(t)
	folders := map[string]automation.Files{"the starters": withStarters(t, starterIDs()...)}
	ar, err := txtar.ParseFile("testdata/problems/fine.txtar")
	if err != nil {
		t.Fatal(err)
	}
	folders["everything that can be written"], _ = folder(ar.Files[:1], true)
	ours, err := automation.Read("../examples")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range ours {
		folders[f.Path] = f.Files
	}
	for _, specimen := range specimens(t) {
		if !strings.Contains(specimen.want, ": error[") {
			folders["broken/"+specimen.name] = specimen.files // a warning is no error
		}
	}
	for _, r := range automation.Rules() {
		right, _ := example(t, r.Page, "Right")
		folders["the right example of "+r.Code], _ = folder(right, true)
	}
	for name, files := range folders {
		for _, err := range refusals(t, s, files) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSchemaRefusesWhatIsMisshapen: a folder whose fault is one of shape is refused by the schema too, unless its
// description says why it cannot be; and then it is not.
func TestSchemaRefusesWhatIsMisshapen(t *testing.T) {
	t.Parallel()
	s, misshapen := schema(t), 0
	for _, specimen := range specimens(t) {
		codes := codesIn(specimen.want)
		if !slices.ContainsFunc(codes, ofShape) {
			continue
		}
		misshapen++
		accepts := strings.HasPrefix(specimen.said("schema"), "accepts, ")
		if refused := len(refusals(t, s, specimen.files)) > 0; refused == accepts {
			t.Errorf("%s (%v) is refused: %v; its description has it otherwise", specimen.name, codes, refused)
		}
	}
	if misshapen < 40 {
		t.Errorf("only %d folders have a fault of shape", misshapen)
	}
}

// ofShape reports whether a rule is about keys, types and words alone.
func ofShape(code string) bool {
	return slices.Contains([]string{"AC101", "AC102", "AC103", "AC104", "AC107", "AC110"}, code)
}

// TestSchemaShowsExamplesThatHold: the example beside each key is YAML, and what the schema takes under it.
func TestSchemaShowsExamplesThatHold(t *testing.T) {
	t.Parallel()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(automation.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	examples := 0
	var look func(path string, s map[string]any)
	look = func(path string, s map[string]any) {
		properties, _ := s["properties"].(map[string]any)
		for name, p := range properties {
			p, _ := p.(map[string]any)
			at := path + "/" + name
			_, text, ok := strings.Cut(p["description"].(string), "\n\n")
			if !ok {
				t.Errorf("%s has no example", at)
				continue
			}
			examples++
			if err := holds(p, name, text); err != nil {
				t.Errorf("%s: %s: %v", at, text, err)
			}
			look(at, p)
		}
		for _, word := range []string{"items", "additionalProperties"} {
			if inner, ok := s[word].(map[string]any); ok {
				look(path+"/"+word, inner)
			}
		}
		either, _ := s["anyOf"].([]any)
		for _, e := range either {
			look(path, e.(map[string]any))
		}
	}
	look("", doc.(map[string]any))
	if examples < 90 {
		t.Errorf("only %d keys were looked at", examples)
	}
}

// holds validates an example such as "id: callback-requested" against the schema of its key.
func holds(p map[string]any, name, text string) error {
	var n yaml.Node
	if err := yaml.Unmarshal([]byte(text), &n); err != nil {
		return err
	}
	m, ok := instance(&n).(map[string]any)
	if !ok || len(m) != 1 {
		return errors.New("want one key with its value")
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft7)
	if err := c.AddResource("mem:key", p); err != nil {
		return err
	}
	s, err := c.Compile("mem:key")
	if err != nil {
		return err
	}
	return s.Validate(m[name])
}

// TestReferenceIsTrue: the authors' reference is the one made of the table; -update writes it.
func TestReferenceIsTrue(t *testing.T) {
	t.Parallel()
	const path = "../docs/authors/reference.md"
	if *update {
		if err := os.WriteFile(path, []byte(automation.Reference()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(automation.Reference(), string(have)); diff != "" {
		t.Errorf("%s (-want +got)\n%s", path, diff)
	}
}
