package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestComparisonsAreTrue: each line of docs/compat.md names a test that there is, or says what is different, and why.
func TestComparisonsAreTrue(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	tests, lines := testsOf(t, root), 0
	for line := range strings.Lines(text(t, filepath.Join(root, "docs", "compat.md"))) {
		cells := strings.Split(strings.TrimSpace(line), " | ")
		if !strings.HasPrefix(line, "| ") || len(cells) != 2 || cells[1] == "here |" {
			continue
		}
		lines++
		here := cells[1]
		cited := regexp.MustCompile("`(Test[A-Za-z0-9]+)(?:/([a-z0-9_-]+))?`").FindAllStringSubmatch(here, -1)
		if len(cited) == 0 && !strings.HasPrefix(here, "Different: ") && !strings.HasPrefix(here, "Not yet: ") {
			t.Errorf("no test and no reason: %s", line)
		}
		for _, c := range cited {
			where, ok := tests[c[1]]
			if !ok {
				t.Errorf("there is no %s: %s", c[1], line)
			} else if c[2] != "" && !specimen(where, c[2]) {
				t.Errorf("%s has no %s: %s", c[1], c[2], line)
			}
		}
	}
	if lines < 60 {
		t.Errorf("only %d lines: is the table read at all?", lines)
	}
}

// testsOf are the tests of a tree, with the folder each is in.
func testsOf(t *testing.T, root string) map[string]string {
	t.Helper()
	found, head := map[string]string{}, regexp.MustCompile(`(?m)^func (Test[A-Za-z0-9]+)\(t \*testing\.T\)`)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		b, err := os.ReadFile(path)
		for _, m := range head.FindAllStringSubmatch(string(b), -1) {
			found[m[1]] = filepath.Dir(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// specimen reports whether the tests in a folder have a case of their own file with a name.
func specimen(folder, name string) bool {
	found, err := filepath.Glob(filepath.Join(folder, "testdata", "*", name+".txtar"))
	return err == nil && len(found) == 1
}
