package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
)

const (
	assets        = "dashboard/assets"
	assetLicences = "internal/licences/assets"
)

// ours are the files under dashboard/assets that we wrote.
func ours() []string {
	return []string{"app.css", "app.js", "complete.js", "icon.svg", "push-worker.js", "push.js", "workbench.js"}
}

// checkAssets lists the files under dashboard/assets that are neither ours nor accompanied by a licence on the list. The
// pages serve whatever lies in that folder, so a licence lies in a folder of this command, named for the file.
func checkAssets(dir string) (complaints []error, err error) {
	root := os.DirFS(dir)
	err = fs.WalkDir(root, assets, func(file string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && file == assets {
			return nil // a module without pages
		}
		if err != nil || e.IsDir() {
			return err
		}
		name := file[len(assets)+1:]
		if slices.Contains(ours(), name) {
			return nil
		}
		licence := path.Join(assetLicences, name+".txt")
		content, err := fs.ReadFile(root, licence)
		if errors.Is(err, fs.ErrNotExist) {
			complaints = append(complaints, fmt.Errorf("licences: %s has no licence: put its text at %s, or, if we wrote it, name it in "+
				"internal/licences/assets.go", file, licence))
			return nil
		}
		if err != nil {
			return err
		}
		if err := recognise(licence, content).check(accepted()); err != nil {
			complaints = append(complaints, fmt.Errorf("licences: %s: %w", file, err))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for licences of %s: %w", filepath.Join(dir, assets), err)
	}
	return complaints, nil
}
