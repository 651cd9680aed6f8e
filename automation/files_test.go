package automation_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercall/automation"
)

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"account.yaml": "account: a", "rules/x.yaml": "x", "rules/x.md.hbs": "y", "rules/x.test.yaml": "no", "wrong.yml": "z",
		"README.md": "no", "calls/1.yaml": "no", "tests/1.yaml": "no", ".git/x.yaml": "no", ".hidden.yaml": "no",
	})
	folders, err := automation.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []automation.Folder{{Path: dir, Files: automation.Files{
		"account.yaml": []byte("account: a"), "rules/x.yaml": []byte("x"), "rules/x.md.hbs": []byte("y"), "wrong.yml": []byte("z")}}}
	if diff := cmp.Diff(want, folders); diff != "" {
		t.Errorf("Read (-want +got)\n%s", diff)
	}
}

func TestReadSeveralAccounts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, map[string]string{"b/account.yaml": "b", "a/account.yaml": "a", "c/other.yaml": "c", ".d/account.yaml": "d", "readme": ""})
	folders, err := automation.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []automation.Folder{{Path: filepath.Join(dir, "a"), Files: automation.Files{"account.yaml": []byte("a")}},
		{Path: filepath.Join(dir, "b"), Files: automation.Files{"account.yaml": []byte("b")}}}
	if diff := cmp.Diff(want, folders); diff != "" {
		t.Errorf("Read (-want +got)\n%s", diff)
	}
}

// A mounted config map is a folder of links to a hidden folder beside them; links that leave the folder are refused.
func TestReadLinks(t *testing.T) {
	t.Parallel()
	dir, outside := t.TempDir(), t.TempDir()
	write(t, dir, map[string]string{"..2026/account.yaml": "a"})
	write(t, outside, map[string]string{"secret.yaml": "s"})
	for link, target := range map[string]string{"..data": "..2026", "account.yaml": "..data/account.yaml"} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	folders, err := automation.Read(dir)
	if err != nil || len(folders) != 1 || len(folders[0].Files) != 1 || string(folders[0].Files["account.yaml"]) != "a" {
		t.Fatalf("Read = %v, %v; want the linked account.yaml", folders, err)
	}
	if err := os.Symlink(filepath.Join(outside, "secret.yaml"), filepath.Join(dir, "more.yaml")); err != nil {
		t.Fatal(err)
	}
	if _, err := automation.Read(dir); err == nil {
		t.Error("a link out of the folder was followed")
	}
}

// Opening a named pipe that nobody writes to would wait for ever.
func TestReadRefusesPipes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, pipe, link string }{
		{"a pipe", "rules.yaml", ""},
		{"a pipe as account.yaml", "account.yaml", ""},
		{"a link to a pipe", "pipe", "rules.yaml"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if tt.pipe != "account.yaml" {
				write(t, dir, map[string]string{"account.yaml": "account: a"})
			}
			if err := syscall.Mkfifo(filepath.Join(dir, tt.pipe), 0o600); err != nil {
				t.Fatal(err)
			}
			if tt.link != "" {
				if err := os.Symlink(tt.pipe, filepath.Join(dir, tt.link)); err != nil {
					t.Fatal(err)
				}
			}
			read := make(chan error, 1)
			go func() {
				_, err := automation.Read(dir)
				read <- err
			}()
			select {
			case err := <-read:
				if err == nil {
					t.Error("a pipe was read")
				}
			case <-time.After(10 * time.Second):
				t.Fatal("reading waits for the pipe")
			}
		})
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	many := map[string]string{"account.yaml": "a"}
	for i := range automation.MaxFiles {
		many[fmt.Sprintf("f%d.yaml", i)] = ""
	}
	for _, tt := range []struct {
		name  string
		files map[string]string
	}{
		{"no account", map[string]string{"rules.yaml": "x"}},
		{"an account that is a folder", map[string]string{"account.yaml/x": "x"}},
		{"a file too large", map[string]string{"account.yaml": "a", "big.yaml": strings.Repeat("#", automation.MaxFileSize+1)}},
		{"too many files", many},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, dir, tt.files)
			if folders, err := automation.Read(dir); err == nil {
				t.Errorf("Read = %v, want an error", folders)
			}
		})
	}
	if _, err := automation.Read(filepath.Join(t.TempDir(), "nowhere")); err == nil {
		t.Error("a folder that is not there was read")
	}
}

// TestReadBoundsTheFolder: many files may be there, and be large, but not many large ones.
func TestReadBoundsTheFolder(t *testing.T) {
	t.Parallel()
	large := &fstest.MapFile{Data: bytes.Repeat([]byte("#"), automation.MaxFileSize)}
	fsys := fstest.MapFS{}
	for i := range automation.MaxSize / automation.MaxFileSize {
		fsys[fmt.Sprintf("f%d.yaml", i)] = large
	}
	if files, err := automation.ReadFS(fsys); err != nil || len(files) != len(fsys) {
		t.Errorf("%d files, %v", len(files), err)
	}
	fsys["more.yaml"] = &fstest.MapFile{Data: []byte("#")}
	if _, err := automation.ReadFS(fsys); err == nil || !strings.Contains(err.Error(), "in all files") {
		t.Errorf("a folder too large: %v", err)
	}
}

func TestCompileRefusesLargeFiles(t *testing.T) {
	t.Parallel()
	files := automation.Files{"account.yaml": []byte(office), "big.yaml": bytes.Repeat([]byte("#"), automation.MaxFileSize+1), "../x.yaml": nil}
	rev, problems := automation.Compile(files)
	if rev != nil || len(problems) != 2 {
		t.Errorf("Compile gave %v, %v; want two problems", rev, problems)
	}
}

func TestDigest(t *testing.T) {
	t.Parallel()
	base := automation.Files{"account.yaml": []byte("a"), "b.yaml": []byte("c")}
	// Format 1 of the digest: it names revisions in the store, so it must not change.
	const want = "f22eb6fe7e773af70bdc9a3d45c212231e32522be3a60c3c7c477ad25e5d3b00"
	if got := base.Digest(); got != want {
		t.Errorf("Digest = %s, want %s", got, want)
	}
	for _, tt := range []struct {
		name  string
		files automation.Files
	}{
		{"content", automation.Files{"account.yaml": []byte("a"), "b.yaml": []byte("d")}},
		{"name", automation.Files{"account.yaml": []byte("a"), "c.yaml": []byte("c")}},
		{"one file less", automation.Files{"account.yaml": []byte("a")}},
		{"content moved between files", automation.Files{"account.yaml": []byte("ac"), "b.yaml": nil}},
		{"content moved into a name", automation.Files{"account.yaml": []byte("a"), "b.yamlc": nil}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.files.Digest() == base.Digest() {
				t.Error("the digest does not change")
			}
		})
	}
}
