package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/CycloneDX/cyclonedx-go"
	"github.com/google/go-cmp/cmp"
)

// built builds the program of a tree.
func built(t *testing.T, dir string) string {
	t.Helper()
	binary := filepath.Join(dir, "program")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return binary
}

func TestBillNamesEveryModuleWithItsLicence(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"lib/LICENSE": mit, "lib/NOTICE": "Parts were written by others.\n"})
	b := bill{path: filepath.Join(dir, "sbom.json"), binary: built(t, dir), release: "v7"}
	write := func() []byte {
		if err := run(io.Discard, dir, ".", b); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(b.path)
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	content := write()
	if !bytes.Equal(content, write()) {
		t.Error("the same binary got two different bills")
	}

	var bom cyclonedx.BOM
	if err := cyclonedx.NewBOMDecoder(bytes.NewReader(content), cyclonedx.BOMFileFormatJSON).Decode(&bom); err != nil {
		t.Fatal(err)
	}
	if got := bom.Metadata.Component; got.Name != "aftercall" || got.Version != "v7" || len((*got.Hashes)[0].Value) != 64 {
		t.Errorf("the bill is for %+v", got)
	}
	var got []string
	for _, c := range *bom.Components {
		got = append(got, c.PackageURL+" "+(*c.Licenses)[0].License.ID)
	}
	want := []string{"pkg:golang/std@" + strings.TrimPrefix(runtime.Version(), "go") + " BSD-3-Clause", "pkg:golang/example.com/lib@v1.2.3 MIT"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("components (-want +got):\n%s", diff)
	}
	lib := (*bom.Components)[1]
	if text := (*lib.Licenses)[0].License.Text; text == nil || text.Content != mit {
		t.Errorf("the licence's text is not in the bill: %v", text)
	}
	if lib.Evidence == nil || (*lib.Evidence.Copyright)[0].Text != "Parts were written by others.\n" {
		t.Error("the notice is not in the bill")
	}
}

// A bill that describes another binary than the one it lies beside is worse than none.
func TestNoBillForAnotherBinary(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, then, now, says string }{
		{"the binary has less", "package main\n\nfunc main() {}\n", "package main\n\nimport _ \"example.com/lib/inner\"\n\nfunc main() {}\n",
			"the tree has example.com/lib v1.2.3, the binary has not: build it again"},
		{"the binary has more", "package main\n\nimport _ \"example.com/lib/inner\"\n\nfunc main() {}\n", "package main\n\nfunc main() {}\n",
			"the binary has example.com/lib v1.2.3, the tree has not: build it again"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := tree(t, map[string]string{"lib/LICENSE": mit, "main.go": c.then})
			b := bill{path: filepath.Join(dir, "sbom.json"), binary: built(t, dir)}
			if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(c.now), 0o644); err != nil {
				t.Fatal(err)
			}
			err := run(io.Discard, dir, ".", b)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("want %q, got %v", c.says, err)
			}
			if _, err := os.Stat(b.path); err == nil {
				t.Error("a bill was written all the same")
			}
		})
	}
}
