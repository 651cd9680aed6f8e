package automation

import (
	"fmt"
	"io/fs"
	"path"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Tested lists the automations that a test below a folder expects to fire. Files of tests end in .test.yaml; what else is
// in them, and whether it is right, is said by those who run them.
func Tested(fsys fs.FS) (map[string]bool, error) {
	tested := map[string]bool{}
	err := fs.WalkDir(fsys, ".", func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && name != "." && strings.HasPrefix(e.Name(), "."):
			return fs.SkipDir
		case e.IsDir() || !strings.HasSuffix(name, ".test.yaml") || strings.HasPrefix(path.Base(name), "."):
			return nil
		}
		src, err := readFile(fsys, name)
		if err != nil {
			return err
		}
		var n yaml.Node
		if yaml.Unmarshal(src, &n) == nil {
			fired(&n, tested)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for tests: %w", err)
	}
	return tested, nil
}

// fired gathers what stands under fires, wherever that is.
func fired(n *yaml.Node, tested map[string]bool) {
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 1 && n.Content[i-1].Value == "fires" {
			tested[c.Value] = true // one alone needs no list
			for _, id := range c.Content {
				tested[id.Value] = true
			}
		}
		if c.Kind != yaml.AliasNode {
			fired(c, tested)
		}
	}
}

// Untested warns of each automation that no test expects to fire. Tests are calls, so none can be had for one that waits
// for an event. files are those the revision was compiled from.
func (r *Revision) Untested(files Files, tested map[string]bool) []Problem {
	var ps []Problem
	docs := map[string]*document{}
	for _, a := range r.Automations {
		if tested[a.ID] || !a.Trigger.Enabled || a.Trigger.Event != "" {
			continue
		}
		if docs[a.File] == nil {
			docs[a.File] = newDocument(a.File, files[a.File], func(Problem) {})
		}
		ps = append(ps, Problem{File: a.File, Line: a.Line, Col: a.Col, Length: 1, Severity: Warning, Code: codeUntested,
			Message: fmt.Sprintf("no test expects %s to fire", a.ID), Help: "write one beside it, with a call that fires it and one that almost does", Excerpt: docs[a.File].excerpt(a.Line)})
	}
	return ps
}
