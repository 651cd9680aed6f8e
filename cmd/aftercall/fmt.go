package main

import (
	"bytes"
	"context"
	"errors"
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
		changed, left := 0, []error(nil)
		for _, dir := range orHere(args) {
			folders, err := automation.Read(dir)
			if err != nil {
				return err
			}
			for _, f := range folders {
				n, err := tidyFolder(c, f, *only)
				changed, left = changed+n, append(left, err)
			}
		}
		if err := errors.Join(left...); err != nil {
			return err
		}
		if *only && changed > 0 {
			return errQuiet
		}
		return nil
	}
}

// tidyFolder gives the number of files that were not as they should be, and why others were left alone.
func tidyFolder(c *console, f automation.Folder, only bool) (changed int, err error) {
	var left []error
	for _, name := range slices.Sorted(maps.Keys(f.Files)) {
		if !strings.HasSuffix(name, ".yaml") {
			continue
		}
		path := filepath.Join(f.Path, filepath.FromSlash(name))
		neat, err := automation.Tidy(name, f.Files[name])
		if err != nil {
			left = append(left, fmt.Errorf("%s: %w", path, err))
			continue
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
			left = append(left, err)
		}
	}
	return changed, errors.Join(left...)
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
		return errors.Join(fmt.Errorf("write file: %w", err), os.Remove(next))
	}
	return nil
}
