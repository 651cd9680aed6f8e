package postgres

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
)

// oldest is the oldest major version that works: 14, as in production.
const oldest = 14

// installation is one set of PostgreSQL binaries.
type installation struct {
	dir     string // folder of initdb and postgres
	major   int
	version string // such as 17.2
}

func (i installation) tool(name string) string { return filepath.Join(i.dir, name) }

// usual lists where distributions put the binaries when they do not put them in PATH.
func usual() []string {
	return []string{
		"/usr/lib/postgresql/*/bin",                              // Debian, Ubuntu
		"/usr/pgsql-*/bin",                                       // PostgreSQL's own packages for RHEL
		"/usr/libexec/postgresql*",                               // Alpine
		"/opt/homebrew/opt/postgresql*/bin",                      // Homebrew on Apple silicon
		"/usr/local/opt/postgresql*/bin",                         // Homebrew on Intel
		"/Applications/Postgres.app/Contents/Versions/*/bin",     // Postgres.app
		"/Library/PostgreSQL/*/bin",                              // the EDB installer
		"/opt/local/lib/postgresql*/bin", "/usr/local/pgsql/bin", // MacPorts; from source
	}
}

// find chooses the binaries: those in PATH, else the newest in the usual folders. A data folder of an older server asks
// for its own major version (0: any).
func find(ctx context.Context, path string, patterns []string, major int) (installation, error) {
	all := look(ctx, filepath.SplitList(path))
	var folders []string
	for _, p := range patterns {
		dirs, _ := filepath.Glob(p) // the only error is a bad pattern, and ours are tested
		folders = append(folders, dirs...)
	}
	others := look(ctx, folders)
	slices.SortStableFunc(others, func(a, b installation) int { return cmp.Compare(b.major, a.major) })
	all = append(all, others...)
	if len(all) == 0 {
		return installation{}, fmt.Errorf("%w: %s", ErrNotInstalled, remedy(runtime.GOOS, exists))
	}
	if major == 0 {
		return all[0], nil
	}
	for _, i := range all {
		if i.major == major {
			return i, nil
		}
	}
	return installation{}, fmt.Errorf("%w: it was made by PostgreSQL %d, installed is %s: install %d, or move the folder away to start afresh",
		ErrVersion, major, all[0].version, major)
}

// release is what `postgres --version` says of itself.
var release = regexp.MustCompile(`\(PostgreSQL\) ((\d+)\S*)`)

// look lists the installations in these folders that are whole, run and are not too old.
func look(ctx context.Context, folders []string) []installation {
	var all []installation
	for _, dir := range folders {
		if !exists(filepath.Join(dir, "initdb")) || !exists(filepath.Join(dir, "postgres")) {
			continue
		}
		real, err := filepath.EvalSymlinks(dir)
		if err != nil {
			continue
		}
		out, err := exec.CommandContext(ctx, filepath.Join(real, "postgres"), "--version").Output()
		if err != nil {
			continue
		}
		m := release.FindStringSubmatch(string(out))
		if m == nil {
			continue
		}
		if major, err := strconv.Atoi(m[2]); err == nil && major >= oldest {
			all = append(all, installation{dir: real, major: major, version: m[1]})
		}
	}
	return all
}

// remedy is what to type on this system.
func remedy(goos string, exists func(string) bool) string {
	switch {
	case goos == "darwin":
		return "brew install postgresql@17"
	case exists("/usr/bin/apt-get"):
		return "sudo apt-get install -y postgresql"
	case exists("/usr/bin/dnf"):
		return "sudo dnf install -y postgresql-server"
	case exists("/sbin/apk"):
		return "apk add postgresql17"
	case exists("/usr/bin/pacman"):
		return "sudo pacman -S postgresql"
	}
	return "install PostgreSQL 14 or newer with your package manager"
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
