package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	tourLink = regexp.MustCompile(`\]\(([^)]+)\)`)
	tourName = regexp.MustCompile("`([a-z]+)\\.([A-Z][A-Za-z]*)`")
)

// TestTourIsTrue checks that every file and every name of the newcomer's tour exists.
func TestTourIsTrue(t *testing.T) {
	t.Parallel()
	const root = "../.."
	page, err := os.ReadFile(root + "/docs/tour.md")
	if err != nil {
		t.Fatal(err)
	}
	links := tourLink.FindAllStringSubmatch(string(page), -1)
	names := tourName.FindAllStringSubmatch(string(page), -1)
	if len(links) < 10 || len(names) < 10 {
		t.Fatalf("the tour has %d links and %d names; the test does not read it right", len(links), len(names))
	}
	for _, l := range links {
		if _, err := os.Stat(filepath.Join(root, "docs", l[1])); err != nil {
			t.Errorf("the tour links to %s: %v", l[1], err)
		}
	}
	declared := exported(t, root)
	for _, n := range names {
		if !declared[n[1]+"."+n[2]] {
			t.Errorf("the tour names %s.%s, which does not exist", n[1], n[2])
		}
	}
}

// exported lists package.Name of every exported top-level declaration and method in the tree.
func exported(t *testing.T, root string) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, d := range f.Decls {
			for _, n := range declaredBy(d) {
				names[f.Name.Name+"."+n] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func declaredBy(d ast.Decl) (names []string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		names = append(names, d.Name.Name)
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				names = append(names, s.Name.Name)
			case *ast.ValueSpec:
				for _, n := range s.Names {
					names = append(names, n.Name)
				}
			}
		}
	}
	return names
}
