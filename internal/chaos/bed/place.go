package bed

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// Scratch makes the folder for everything a run leaves: keep, or one with a name that begins with prefix. The database runs as another user than root and must get in.
func Scratch(keep, prefix string) (string, error) {
	dir := keep
	var err error
	if keep == "" {
		dir, err = os.MkdirTemp("/tmp", prefix)
	} else {
		err = os.MkdirAll(keep, 0o755)
	}
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		return "", fmt.Errorf("make a folder for the run: %w", err)
	}
	return filepath.Abs(dir)
}

// Commit names the commit that was tried. That the files apart have changed (reports, say) does not make it another.
func Commit(ctx context.Context, root string, apart ...string) string {
	git := func(args ...string) (string, error) {
		cmd := exec.CommandContext(ctx, "git", args...)
		cmd.Dir = root
		out, err := cmd.Output()
		return strings.TrimSpace(string(out)), err
	}
	name, err := git("describe", "--always", "--abbrev=12")
	if err != nil {
		return "unknown"
	}
	look := []string{"status", "--porcelain", "--", "."}
	for _, file := range apart {
		look = append(look, ":!"+file)
	}
	if changed, err := git(look...); err != nil || changed != "" {
		name += ", with changes"
	}
	return name
}

// Machine describes where the figures were measured.
func Machine(ctx context.Context) string {
	s := fmt.Sprintf("%d cores, %s/%s, %s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
	if raw, err := os.ReadFile("/proc/meminfo"); err == nil {
		var kb int64
		if _, err := fmt.Sscanf(string(raw), "MemTotal: %d kB", &kb); err == nil {
			s += ", " + strconv.FormatInt(kb>>20, 10) + " GB"
		}
	}
	if out, err := exec.CommandContext(ctx, "go", "run", "./internal/postgres/withpg", "-installed").Output(); err == nil {
		s += ", " + strings.TrimSpace(string(out))
	}
	return s
}
