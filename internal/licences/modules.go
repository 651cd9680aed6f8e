package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// module is somebody else's Go module of which at least one package is linked.
type module struct {
	path, version, dir string
	licences           []text
	notices            []string // what Apache-2.0 wants handed on
}

// Names of files with a licence's or a notice's text, of whatever ending but Go's.
var (
	licenceFile = regexp.MustCompile(`(?i)^(licen[sc]es?|copying|unlicen[sc]e)([-_.].*)?$`)
	noticeFile  = regexp.MustCompile(`(?i)^notice(\.(txt|md))?$`)
)

// linked lists the modules that the command main of the module in dir is made of, with their licences, sorted by path.
func linked(dir, main string) ([]module, error) {
	packages, err := list(dir, main)
	if err != nil {
		return nil, err
	}
	found := map[string]*module{}
	for _, p := range packages {
		if p.Module == nil || p.Module.Main {
			continue
		}
		m := found[p.Module.Path]
		if m == nil {
			m = &module{path: p.Module.Path, version: p.Module.Version, dir: p.Module.Dir}
			found[m.path] = m
		}
		if err := m.collect(p.Dir); err != nil {
			return nil, fmt.Errorf("look for licences of %s %s: %w", m.path, m.version, err)
		}
	}
	var all []module
	for _, m := range found {
		slices.SortFunc(m.licences, func(a, b text) int { return strings.Compare(a.name, b.name) })
		all = append(all, *m)
	}
	slices.SortFunc(all, func(a, b module) int { return strings.Compare(a.path, b.path) })
	return all, nil
}

// listed is what `go list -deps -json` says of a package, as far as we ask.
type listed struct {
	Dir    string
	Module *struct {
		Path, Version, Dir string
		Main               bool
	}
}

func list(dir, main string) ([]listed, error) {
	cmd := exec.Command("go", "list", "-deps", "-json=Dir,Module", main)
	cmd.Dir = dir
	out, err := cmd.Output()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil, fmt.Errorf("list what %s is made of: %w: %s", main, err, failed.Stderr)
	} else if err != nil {
		return nil, fmt.Errorf("list what %s is made of: %w", main, err)
	}
	var all []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("read what %s is made of: %w", main, err)
		}
		all = append(all, p)
	}
}

// collect reads the licences and notices from a package's folder up to the module's root: code taken from elsewhere
// often keeps its own licence beside it.
func (m *module) collect(dir string) error {
	for {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if e.Type().IsRegular() {
				if err := m.take(filepath.Join(dir, e.Name())); err != nil {
					return err
				}
			}
		}
		if dir == m.dir || len(dir) <= len(m.dir) {
			return nil
		}
		dir = filepath.Dir(dir)
	}
}

// take keeps a file if it is a licence or a notice and new.
func (m *module) take(file string) error {
	base := filepath.Base(file)
	licence, notice := licenceFile.MatchString(base) && filepath.Ext(base) != ".go", noticeFile.MatchString(base)
	if !licence && !notice {
		return nil
	}
	name, err := filepath.Rel(m.dir, file)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(m.licences, func(t text) bool { return t.name == name }) {
		return nil
	}
	content, err := os.ReadFile(file)
	switch {
	case err != nil:
		return err
	case licence:
		m.licences = append(m.licences, recognise(name, content))
	case !slices.Contains(m.notices, string(content)):
		m.notices = append(m.notices, string(content))
	}
	return nil
}

// check lists what is wrong with the module's licences.
func (m module) check(list []string) (complaints []error) {
	if len(m.licences) == 0 {
		return []error{fmt.Errorf("licences: %s %s has no licence file: nobody may hand it on; use something else or ask its author",
			m.path, m.version)}
	}
	for _, t := range m.licences {
		if err := t.check(list); err != nil {
			complaints = append(complaints, fmt.Errorf("licences: %s %s: %w", m.path, m.version, err))
		}
	}
	return complaints
}
