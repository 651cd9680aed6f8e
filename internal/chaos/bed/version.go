package bed

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Earlier builds the product as it was at a commit, with the given variants if their text stood there already. There is
// none, and no error, where the commit is not at hand: a copy of the source without its history.
func (b *Builder) Earlier(ctx context.Context, commit string, variants ...string) (binary string, err error) {
	check := exec.CommandContext(ctx, "git", "cat-file", "-e", commit+"^{commit}")
	check.Dir = b.Root
	if check.Run() != nil {
		return "", nil
	}
	dir := filepath.Join(b.Dir, "at-"+commit)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("make a folder for %s: %w", commit, err)
	}
	archive := dir + ".tar"
	for _, args := range [][]string{
		{"git", "archive", "--format=tar", "-o", archive, commit},
		{"tar", "-xf", archive, "-C", dir},
	} {
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		cmd.Dir = b.Root
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("lay out the source of %s: %s: %w\n%s", commit, args[0], err, out)
		}
	}
	// Paths left out of the build let the go command's cache be of use wherever the folder is.
	return newBuilder(dir, dir, "-trimpath", withoutDebugging).Product(ctx, variants...)
}
