package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	mit = `MIT License

Copyright (c) 2026 The Authors

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation
files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy,
modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software
is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES
OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE
LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR
IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
`
	reserved = "Copyright 2026 Example Ltd. All rights reserved. Use of this code needs our written permission.\n"
	stricter = "\nWhoever runs the Software as a service for others pays its authors a tenth of what they earn with it, each month.\n"
)

// notOnTheList is a known licence that nobody accepts: the one of JSON's own author.
func notOnTheList() string {
	return strings.Replace(mit, "THE SOFTWARE IS", "The Software shall be used for Good, not Evil.\n\nTHE SOFTWARE IS", 1)
}

// tree writes files below a new folder: a program that imports example.com/lib, beside that module and another which
// only the program's test imports.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	all := map[string]string{
		"go.mod": "module example.com/program\n\ngo 1.26.0\n\nrequire (\n\texample.com/lib v1.2.3\n\texample.com/tested v0.4.0\n)\n\n" +
			"replace example.com/lib => ./lib\n\nreplace example.com/tested => ./tested\n",
		"main.go":          "package main\n\nimport _ \"example.com/lib/inner\"\n\nfunc main() {}\n",
		"main_test.go":     "package main\n\nimport _ \"example.com/tested\"\n",
		"lib/go.mod":       "module example.com/lib\n\ngo 1.26.0\n",
		"lib/inner/in.go":  "package inner\n",
		"lib/other/out.go": "package other\n",
		"tested/go.mod":    "module example.com/tested\n\ngo 1.26.0\n",
		"tested/tested.go": "package tested\n",
	}
	for name, content := range files {
		all[name] = content
	}
	for name, content := range all {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestRun(t *testing.T) {
	t.Parallel()
	const fine = "licences: 1 modules, all on the list\n"
	for _, c := range []struct {
		name  string
		files map[string]string
		want  string   // the output, if all is well
		says  []string // otherwise what the error names
	}{
		{name: "on the list", files: map[string]string{"lib/LICENSE": mit}, want: fine},
		{name: "spelled and placed differently", files: map[string]string{"lib/inner/licence.md": mit}, want: fine},
		{
			name: "not on the list", files: map[string]string{"lib/LICENSE": notOnTheList()},
			says: []string{"example.com/lib v1.2.3", "LICENSE is JSON", "not on the list", "internal/licences/list.go"},
		},
		{
			name: "none", files: map[string]string{"lib/README.md": mit, "lib/license.go": "package lib\n"},
			says: []string{"example.com/lib v1.2.3", "no licence file", "ask its author"},
		},
		{
			name: "no licence we know", files: map[string]string{"lib/LICENSE": reserved},
			says: []string{"example.com/lib v1.2.3", "LICENSE is not a licence text we know"},
		},
		{
			name: "a link to a licence is none", files: map[string]string{"lib/LICENSE": "https://opensource.org/licenses/MIT\n"},
			says: []string{"LICENSE is not a licence text we know"},
		},
		{
			name: "a clause of their own", files: map[string]string{"lib/LICENSE": mit + stricter},
			says: []string{"LICENSE is not a licence text we know"},
		},
		{
			name: "code from elsewhere within", files: map[string]string{"lib/LICENSE": mit, "lib/inner/COPYING": notOnTheList()},
			says: []string{"example.com/lib v1.2.3", filepath.Join("inner", "COPYING") + " is JSON"},
		},
		{
			name: "a folder that is not linked", want: fine,
			files: map[string]string{"lib/LICENSE": mit, "lib/other/LICENSE": notOnTheList()},
		},
		{
			name: "a module for tests", want: fine,
			files: map[string]string{"lib/LICENSE": mit, "tested/LICENSE": notOnTheList()},
		},
		{
			name:  "our own files on the pages",
			files: map[string]string{"lib/LICENSE": mit, "dashboard/assets/app.js": "// ours\n"}, want: fine,
		},
		{
			name:  "somebody's file on the pages",
			files: map[string]string{"lib/LICENSE": mit, "dashboard/assets/graph.js": "// theirs\n"},
			says:  []string{"dashboard/assets/graph.js has no licence", "internal/licences/assets/graph.js.txt"},
		},
		{
			name: "somebody's file with its licence", want: fine,
			files: map[string]string{
				"lib/LICENSE": mit, "dashboard/assets/graph.js": "// theirs\n", "internal/licences/assets/graph.js.txt": mit,
			},
		},
		{
			name: "somebody's file with another licence",
			files: map[string]string{
				"lib/LICENSE": mit, "dashboard/assets/graph.js": "// theirs\n", "internal/licences/assets/graph.js.txt": notOnTheList(),
			},
			says: []string{"dashboard/assets/graph.js: internal/licences/assets/graph.js.txt is JSON"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			err := run(&out, tree(t, c.files), ".", bill{})
			if len(c.says) == 0 && err != nil {
				t.Fatal(err)
			}
			if len(c.says) > 0 && err == nil {
				t.Fatal("no complaint")
			}
			if diff := cmp.Diff(c.want, out.String()); diff != "" {
				t.Errorf("output (-want +got):\n%s", diff)
			}
			for _, part := range c.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("the error lacks %q: %v", part, err)
				}
			}
		})
	}
}

func TestRunNamesWhatCannotBeListed(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	err := run(&out, tree(t, map[string]string{"main.go": "package main\n\nimport _ \"example.com/absent\"\n"}), ".", bill{})
	if err == nil || !strings.Contains(err.Error(), "example.com/absent") || out.Len() > 0 {
		t.Errorf("want an error that names the package and no output, got %v and %q", err, out.String())
	}
}

// The queue's licence is on the list with a reason of its own. Without it, each of the queue's modules is a complaint.
func TestOurOwnModulesNeedTheWholeList(t *testing.T) {
	t.Parallel()
	modules, err := linked(filepath.Join("..", ".."), "./cmd/aftercall")
	if err != nil {
		t.Fatal(err)
	}
	without := slices.DeleteFunc(accepted(), func(id string) bool { return id == "MPL-2.0" })
	var refused []string
	for _, m := range modules {
		if complaints := m.check(accepted()); len(complaints) > 0 {
			t.Errorf("%s: %v", m.path, complaints)
		}
		if len(m.check(without)) > 0 {
			refused = append(refused, m.path)
		}
	}
	want := []string{
		"github.com/riverqueue/river", "github.com/riverqueue/river/riverdriver", "github.com/riverqueue/river/riverdriver/riverpgxv5",
		"github.com/riverqueue/river/rivershared", "github.com/riverqueue/river/rivertype", "riverqueue.com/riverui",
	}
	if diff := cmp.Diff(want, refused); diff != "" {
		t.Errorf("refused without MPL-2.0 (-want +got):\n%s", diff)
	}
}

func TestOurAssetsExist(t *testing.T) {
	t.Parallel()
	for _, name := range ours() {
		if _, err := os.Stat(filepath.Join("..", "..", assets, name)); err != nil {
			t.Errorf("assets.go names a file that is not there: %v", err)
		}
	}
}

func TestTheListIsDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "operations", "supply-chain.md"))
	if err != nil {
		t.Fatal(err)
	}
	var documented []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([A-Za-z0-9.-]+)` +\\| \\S").FindAllSubmatch(page, -1) {
		documented = append(documented, string(m[1]))
	}
	slices.Sort(documented)
	if diff := cmp.Diff(accepted(), documented); diff != "" {
		t.Errorf("docs/operations/supply-chain.md differs from list.go (-code +docs):\n%s", diff)
	}
}
