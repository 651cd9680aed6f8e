package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"aftercall/automation"
)

// tidy lays the YAML files of every account under the folders out, and names those it changed.
func tidy(flags *flag.FlagSet) action {
	only := flags.Bool("check", false, "change nothing; exit 1 if a file would change")
	return func(_ context.Context, c *console, args []string) error {
		changed := 0
		for _, dir := range orHere(args) {
			folders, err := automation.Read(dir)
			if err != nil {
				return err
			}
			for _, f := range folders {
				n, err := tidyFolder(c, f, *only)
				if err != nil {
					return err
				}
				changed += n
			}
		}
		if *only && changed > 0 {
			return errQuiet
		}
		return nil
	}
}

// tidyFolder gives the number of files that were not as they should be.
func tidyFolder(c *console, f automation.Folder, only bool) (changed int, err error) {
	for _, name := range slices.Sorted(maps.Keys(f.Files)) {
		if !strings.HasSuffix(name, ".yaml") {
			continue
		}
		path := filepath.Join(f.Path, filepath.FromSlash(name))
		neat, err := automation.Tidy(name, f.Files[name])
		if err != nil {
			return changed, fmt.Errorf("%s: %w", path, err)
		}
		if bytes.Equal(neat, f.Files[name]) {
			continue
		}
		changed++
		fmt.Fprintln(c.out, path)
		if only {
			continue
		}
		if err := replaceFile(path, neat); err != nil {
			return changed, err
		}
	}
	return changed, nil
}

// replaceFile puts other content in the place of a file's, all of it or nothing.
func replaceFile(path string, content []byte) error {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return fmt.Errorf("write file: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("write file: %w", err)
	}
	next := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".next")
	if err := os.WriteFile(next, content, info.Mode().Perm()); err != nil {
		return fmt.Errorf("write file: %w", err)
	}
	if err := os.Rename(next, path); err != nil {
		return fmt.Errorf("write file: %w", err)
	}
	return nil
}
