package automation_test

import (
	"encoding/json"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"aftercall/automation"
)

// TestTidy lays the files of testdata/tidy out: each archive holds a file as it was, and as it should be.
func TestTidy(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/tidy/*.txtar")
	if err != nil || len(names) < 5 {
		t.Fatalf("%d archives: %v", len(names), err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			t.Parallel()
			ar, err := txtar.ParseFile(name)
			if err != nil || len(ar.Files) != 2 {
				t.Fatalf("want a file before and after, got %d, %v", len(ar.Files), err)
			}
			// An archive cannot show white space at the end of a line, nor a tab: ␠ and ⇥ stand for them.
			before := strings.NewReplacer("␠", " ", "⇥", "\t").Replace(string(ar.Files[0].Data))
			got, err := automation.Tidy("x.yaml", []byte(before))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.ReplaceAll(string(ar.Files[1].Data), "␠", " "), string(got)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestTidyLeavesAlone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, src, want string }{
		{"what is not YAML", "a: [b\n", "line 1: "},
		{"a key twice", "a: 1\na: 2\n", "line 2: the key a stands here twice"},
		{"an anchor", "a: &b 1\n", "line 1: anchors are not used here"},
		{"what would be laid out in another way each time", ":\n|2\n   ", "cannot be laid out"},
		{"a file in brackets", "{ a: 1 }\n", "cannot be laid out"},
		{"a key with a question mark", "? a\n: b\n", "cannot be laid out"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := automation.Tidy("x.yaml", []byte(c.src))
			if err == nil || got != nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Tidy gave %q, %v; want an error with %q", got, err, c.want)
			}
		})
	}
}

// TestTidyMeansTheSame: what the ready automations and everything that can be written mean is the same after they were
// laid out, and laid out again they stay as they are.
func TestTidyMeansTheSame(t *testing.T) {
	t.Parallel()
	folders := map[string]automation.Files{"starters": withStarters(t, starterIDs()...)}
	ar, err := txtar.ParseFile("testdata/problems/fine.txtar")
	if err != nil {
		t.Fatal(err)
	}
	folders["fine"] = automation.Files{"account.yaml": []byte(office), "rules.yaml": ar.Files[0].Data}
	for name, files := range folders {
		tidied := automation.Files{}
		for path, src := range files {
			tidied[path] = src
			if strings.HasSuffix(path, ".yaml") {
				tidied[path] = tidy(t, path, src)
			}
		}
		if diff := cmp.Diff(meaning(t, files), meaning(t, tidied)); diff != "" {
			t.Errorf("%s means something else (-before +after)\n%s", name, diff)
		}
	}
}

// tidy lays a file out twice.
func tidy(t *testing.T, path string, src []byte) []byte {
	t.Helper()
	once, err := automation.Tidy(path, src)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	twice, err := automation.Tidy(path, once)
	if diff := cmp.Diff(string(once), string(twice)); err != nil || diff != "" {
		t.Errorf("%s changes again: %v (-once +twice)\n%s", path, err, diff)
	}
	return once
}

// meaning is everything a revision says but where it stands.
func meaning(t *testing.T, files automation.Files) string {
	t.Helper()
	rev := compile(t, files)
	rev.Digest = ""
	for i := range rev.Automations {
		rev.Automations[i].Line, rev.Automations[i].Col = 0, 0
	}
	b, err := json.MarshalIndent(rev, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b) + rev.Location.String()
}

// TestReadyFilesAreTidy: what we hand out is laid out as aftercall fmt does it.
func TestReadyFilesAreTidy(t *testing.T) {
	t.Parallel()
	files, err := automation.ReadFS(automation.Starters())
	if err != nil {
		t.Fatal(err)
	}
	for path, src := range files {
		if !strings.HasSuffix(path, ".yaml") {
			continue
		}
		if diff := cmp.Diff(string(tidy(t, path, src)), string(src)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", path, diff)
		}
	}
}

// FuzzTidy: whatever a file holds, laying it out changes white space only, keeps what YAML reads, and does so once.
func FuzzTidy(f *testing.F) {
	for _, pattern := range []string{"testdata/tidy/*.txtar", "testdata/problems/*.txtar"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, name := range names {
			ar, err := txtar.ParseFile(name)
			if err != nil {
				f.Fatal(err)
			}
			for _, file := range ar.Files {
				f.Add(file.Data)
			}
		}
	}
	starters, err := fs.Glob(automation.Starters(), "*/automation.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range starters {
		src, err := fs.ReadFile(automation.Starters(), name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	for _, s := range []string{"a: |2-\n    x\n  y\n", "a:\n- - b\n  -\n    c\n", "a: {b: [c,\n d], # e\n f}\n", "a: \"b\\\n   c\"\n", "--- # x\na: 1\n...\n", "a: >+\n  b\n\n\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		once, err := automation.Tidy("x.yaml", src)
		if err != nil {
			return
		}
		twice, err := automation.Tidy("x.yaml", once)
		if err != nil || string(twice) != string(once) {
			t.Errorf("%q became %q and then %q, %v", src, once, twice, err)
		}
	})
}
