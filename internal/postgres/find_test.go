package postgres

// These tests are inside the package: what is installed on this machine must not decide them. They do not run in
// parallel: a program that was just written cannot be run while a neighbour forks ("text file busy").

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// install puts a pretended PostgreSQL into root/dir and returns its folder.
func install(t *testing.T, root, dir, version string) string {
	t.Helper()
	path := filepath.Join(root, dir)
	if err := os.MkdirAll(path, 0o755); err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf("#!/bin/sh\necho 'postgres (PostgreSQL) %s'\n", version)
	for _, name := range []string{"initdb", "postgres"} {
		if err := os.WriteFile(filepath.Join(path, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func TestFind(t *testing.T) {
	for _, c := range []struct {
		name      string
		inPath    []string // folder=version
		elsewhere []string
		major     int
		want      string // folder
		err       error
	}{
		{name: "in PATH", inPath: []string{"a/bin=16.4"}, elsewhere: []string{"lib/17/bin=17.2"}, want: "a/bin"},
		{name: "newest of the usual folders", elsewhere: []string{"lib/9.6/bin=9.6.1", "lib/14/bin=14.9", "lib/17/bin=17.2 (Debian 17.2-1)"}, want: "lib/17/bin"},
		{name: "one in PATH that is too old", inPath: []string{"a/bin=13.9"}, elsewhere: []string{"lib/15/bin=15.1"}, want: "lib/15/bin"},
		{name: "a beta", elsewhere: []string{"lib/19/bin=19beta1"}, want: "lib/19/bin"},
		{name: "the data folder's own version", elsewhere: []string{"lib/15/bin=15.1", "lib/17/bin=17.2"}, major: 15, want: "lib/15/bin"},
		{name: "the data folder's version is missing", elsewhere: []string{"lib/17/bin=17.2"}, major: 15, err: ErrVersion},
		{name: "only too old ones", inPath: []string{"a/bin=12.1"}, err: ErrNotInstalled},
		{name: "none", err: ErrNotInstalled},
	} {
		t.Run(c.name, func(t *testing.T) {
			root, err := filepath.EvalSymlinks(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			var path []string
			for i, s := range slices.Concat(c.inPath, c.elsewhere) {
				dir, version, _ := strings.Cut(s, "=")
				folder := install(t, root, dir, version)
				if i < len(c.inPath) {
					path = append(path, folder)
				}
			}
			got, err := find(t.Context(), strings.Join(path, ":"), []string{filepath.Join(root, "lib/*/bin")}, c.major)
			if !errors.Is(err, c.err) {
				t.Fatalf("got error %v, want %v", err, c.err)
			}
			if want := filepath.Join(root, c.want); c.err == nil && got.dir != want {
				t.Errorf("chose %s, want %s", got.dir, want)
			}
		})
	}
}

func TestUsualFoldersAreGoodPatterns(t *testing.T) {
	for _, p := range usual() {
		if _, err := filepath.Match(p, "/"); err != nil {
			t.Errorf("%s: %v", p, err)
		}
	}
}

func TestRemedyIsOneLineForEverySystem(t *testing.T) {
	has := func(want string) func(string) bool { return func(path string) bool { return path == want } }
	for _, c := range []struct{ goos, file, want string }{
		{"darwin", "", "brew install postgresql@17"},
		{"linux", "/usr/bin/apt-get", "sudo apt-get install -y postgresql"},
		{"linux", "/usr/bin/dnf", "sudo dnf install -y postgresql-server"},
		{"linux", "/sbin/apk", "apk add postgresql17"},
		{"linux", "/usr/bin/pacman", "sudo pacman -S postgresql"},
		{"linux", "", "install PostgreSQL 14 or newer with your package manager"},
	} {
		if diff := cmp.Diff(c.want, remedy(c.goos, has(c.file))); diff != "" {
			t.Errorf("%s with %q: %s", c.goos, c.file, diff)
		}
	}
}

func TestUnreachableFolderIsNamed(t *testing.T) {
	closed := filepath.Join(t.TempDir(), "closed")
	dir := filepath.Join(closed, "data")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	stranger := &account{name: "stranger", uid: 4242, gid: 4242}
	if err := stranger.reaches(dir); err == nil || !strings.Contains(err.Error(), "closed is closed") {
		t.Errorf("got %v, want an error that names the closed folder", err)
	}
	var nobody *account // not root: nothing to check
	if err := nobody.reaches(dir); err != nil {
		t.Errorf("as ourselves: %v", err)
	}
}

// The shell between us and the server is killed: the server must not outlive it unseen.
func TestServerEndsWithItsKeeper(t *testing.T) {
	s, err := Start(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	if err := syscall.Kill(s.keeper.cmd.Process.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-s.Done()
	s.Stop()
	if exists(s.socket) {
		t.Errorf("%s was left behind", s.socket)
	}
}
