package automation_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"aftercall/automation"
)

var update = flag.Bool("update", false, "rewrite the wanted problems in testdata")

// TestProblems compiles the folders in testdata/problems and compares everything reported with their last section, want.
// A folder without account.yaml gets the office's.
func TestProblems(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/problems/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no test data: %v", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			t.Parallel()
			ar, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files, want := automation.Files{"account.yaml": []byte(office)}, ""
			last := len(ar.Files) - 1
			for _, f := range ar.Files[:last] {
				files[f.Name] = f.Data
			}
			if ar.Files[last].Name != "want" {
				t.Fatalf("the last section is %s, want it to be want", ar.Files[last].Name)
			}
			want = string(ar.Files[last].Data)
			got := report(t, files)
			if *update {
				ar.Files[last].Data = []byte(got)
				if err := os.WriteFile(name, txtar.Format(ar), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("problems (-want +got)\n%s", diff)
			}
		})
	}
}

// report compiles and prints, and checks what holds for every folder.
func report(t *testing.T, files automation.Files) string {
	t.Helper()
	rev, problems := automation.Compile(files)
	var b strings.Builder
	failed := false
	for _, p := range problems {
		failed = failed || p.Severity == automation.Error
		b.WriteString(p.String())
		if p.Message == "" || p.Help == "" || p.Code == "" || p.Line < 1 || p.Col < 1 || p.Length < 1 {
			t.Errorf("incomplete problem: %+v", p)
		}
	}
	if failed != (rev == nil) {
		t.Errorf("revision is nil: %v, errors: %v", rev == nil, failed)
	}
	if b.Len() == 0 {
		return "nothing to report\n"
	}
	return b.String()
}
