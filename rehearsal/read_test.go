package rehearsal_test

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"aftercall/rehearsal"
)

var update = flag.Bool("update", false, "rewrite what the archives want")

// folder writes the files of archives, the later over the earlier, and gives their folder.
func folder(t *testing.T, archives ...*txtar.Archive) string {
	t.Helper()
	dir := t.TempDir()
	files := map[string][]byte{}
	for _, ar := range archives {
		for _, f := range ar.Files {
			files[f.Name] = f.Data
		}
	}
	delete(files, "want.txt")
	for name, data := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func archive(t *testing.T, path string) *txtar.Archive {
	t.Helper()
	ar, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return ar
}

// archives lists the archives of a folder of testdata.
func archives(t *testing.T, dir string, least int) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", dir, "*.txtar"))
	if err != nil || len(files) < least {
		t.Fatalf("%d archives in %s, %v; want at least %d", len(files), dir, err, least)
	}
	return files
}

// wants compares a text with the archive's want.txt, or puts it there.
func wants(t *testing.T, path string, ar *txtar.Archive, got string) {
	t.Helper()
	n := slices.IndexFunc(ar.Files, func(f txtar.File) bool { return f.Name == "want.txt" })
	if n < 0 {
		t.Fatal("the archive has no want.txt")
	}
	if *update {
		ar.Files[n].Data = []byte(got)
		if err := os.WriteFile(path, txtar.Format(ar), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(ar.Files[n].Data), got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestMistakesAreToldWithTheirPlace: each archive makes one mistake in a folder that is otherwise right.
func TestMistakesAreToldWithTheirPlace(t *testing.T) {
	t.Parallel()
	base := archive(t, "testdata/read/base.txtar")
	for _, path := range archives(t, "read", 25) {
		if strings.HasSuffix(path, "base.txtar") {
			continue
		}
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			ar := archive(t, path)
			dir := folder(t, base, ar)
			suite, problems, err := rehearsal.Read(filepath.Join(dir, "a.test.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			if suite != nil || len(problems) == 0 {
				t.Errorf("the mistake makes a suite: %v", suite)
			}
			var b strings.Builder
			for _, p := range problems {
				b.WriteString(p.String())
			}
			wants(t, path, ar, strings.ReplaceAll(b.String(), dir+string(filepath.Separator), ""))
		})
	}
}

func TestARightFileIsRead(t *testing.T) {
	t.Parallel()
	dir := folder(t, archive(t, "testdata/read/base.txtar"))
	suite, problems, err := rehearsal.Read(filepath.Join(dir, "a.test.yaml"))
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	if len(suite.Cases) != 1 || suite.Account.AccountID != "acme" || suite.Recorded != filepath.Join(dir, "recorded", "a.json") {
		t.Fatalf("read %+v", suite)
	}
	c := suite.Cases[0]
	if c.Repeat != 3 || c.Pass != 2 || c.Now.Hour() != 15 || c.Call.ExternalID != "one" || c.Line != 4 {
		t.Errorf("read %+v", c)
	}
	if got := slices.Collect(maps.Keys(suite.Written)); !cmp.Equal(got, []string{c.File}) {
		t.Errorf("answers for %v", got)
	}
}

func TestAFileThatIsNotThereIsAnError(t *testing.T) {
	t.Parallel()
	if _, _, err := rehearsal.Read(filepath.Join(t.TempDir(), "a.test.yaml")); err == nil {
		t.Error("read a file that does not exist")
	}
	if _, err := rehearsal.Find(filepath.Join(t.TempDir(), "nowhere")); err == nil {
		t.Error("found tests in a folder that does not exist")
	}
}

func TestFindPassesOverWhatIsHidden(t *testing.T) {
	t.Parallel()
	dir := folder(t, &txtar.Archive{Files: []txtar.File{
		{Name: "b/two.test.yaml"}, {Name: "a.test.yaml"}, {Name: ".git/x.test.yaml"}, {Name: ".a.test.yaml"}, {Name: "a.yaml"},
	}})
	got, err := rehearsal.Find(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{filepath.Join(dir, "a.test.yaml"), filepath.Join(dir, "b", "two.test.yaml")}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestEveryMistakeHasAPage, and an archive that shows it.
func TestEveryMistakeHasAPage(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("node.go")
	if err != nil {
		t.Fatal(err)
	}
	codes := regexp.MustCompile(`= "(AC\d{3})"`).FindAllStringSubmatch(string(source), -1)
	pages, err := filepath.Glob("pages/*.md")
	if err != nil || len(codes) != 8 || len(pages) != len(codes) {
		t.Fatalf("%d codes, %d pages, %v", len(codes), len(pages), err)
	}
	var shown strings.Builder
	for _, path := range archives(t, "read", 25) {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		shown.Write(b)
	}
	for _, c := range codes {
		if page, ok := rehearsal.PageOf(strings.ToLower(c[1])); !ok || !strings.HasPrefix(page, "# "+c[1]+": ") {
			t.Errorf("the page of %s: %q", c[1], page)
		}
		if !strings.Contains(shown.String(), "error["+c[1]+"]") {
			t.Errorf("no archive shows %s", c[1])
		}
	}
	if _, ok := rehearsal.PageOf("../node.go"); ok {
		t.Error("a page that is none")
	}
}
