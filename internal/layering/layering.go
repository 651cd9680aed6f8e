// Package layering keeps the house in order: it checks which room imports which, which library is used where, and the
// few rules of writing that a machine can read off the source. It runs as a test.
//
// It owns the table of rooms with their levels (rooms.go), the table of libraries with the rooms they belong to, and the
// checks on both (layering.go) and on the source (source.go).
//
// It promises that a new package fails the test until it has a place in the table, and that every complaint names the
// package or file and the rule. It never reads anything but the module's own tree, and nothing imports it.
package layering

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
)

// Room is a package's place in the house.
type Room struct {
	Path  string // below the module's own path
	Level int    // it may import what has a lower one
	Tests bool   // only tests, and rooms like this, may import it
}

// Library is a package from elsewhere that belongs to certain rooms.
type Library struct {
	Path  string   // import path; packages below it count, too, unless Exact
	Exact bool     // this package alone
	Rooms []string // that may import it
	Tests bool     // tests may import it anywhere
}

// Package is what `go list -json` says of a package, as far as we ask.
type Package struct {
	ImportPath, Dir, Name, Doc         string
	GoFiles, TestGoFiles, XTestGoFiles []string
	Imports, TestImports, XTestImports []string
	Module                             struct{ Path string }
	Error                              *struct{ Err string }
}

// List asks the go command for every package of the module in dir.
func List(dir string) ([]Package, error) {
	cmd := exec.Command("go", "list", "-e", "-json", "./...")
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("list the packages: %w", err)
	}
	var all []Package
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p Package
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("read the list of packages: %w", err)
		}
		all = append(all, p)
	}
}

// House is the order that packages are held to.
type House struct {
	Rooms     []Room
	Libraries []Library
	Banned    []string // names that say nothing
}

// Check lists every way in which the packages break the order, sorted.
func (h House) Check(packages []Package) []string {
	var found []string
	for _, p := range packages {
		found = append(found, h.checkPlace(p)...)
		own := p.Module.Path + "/"
		for _, path := range p.Imports {
			found = append(found, h.checkImport(p, own, path, false)...)
		}
		for _, path := range slices.Concat(p.TestImports, p.XTestImports) {
			found = append(found, h.checkImport(p, own, path, true)...)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// checkPlace checks the package itself: that it loads, has a room, a name that says something and an opening comment.
func (h House) checkPlace(p Package) (found []string) {
	if p.Error != nil {
		found = append(found, fmt.Sprintf("%s: cannot be read: %s", p.ImportPath, p.Error.Err))
	}
	if _, ok := h.room(strings.TrimPrefix(p.ImportPath, p.Module.Path+"/")); !ok {
		found = append(found, p.ImportPath+": is not in the table of rooms (internal/layering/rooms.go, and docs/adr if it is new)")
	}
	if slices.Contains(h.Banned, p.Name) {
		found = append(found, fmt.Sprintf("%s: the name %s says nothing about what is inside", p.ImportPath, p.Name))
	}
	return found
}

// checkImport checks one import of a package, or of its tests.
func (h House) checkImport(p Package, own, path string, test bool) []string {
	from := strings.TrimPrefix(p.ImportPath, own)
	to, ours := strings.CutPrefix(path, own)
	if !ours {
		return h.checkLibrary(from, path, test)
	}
	source, okFrom := h.room(from)
	target, okTo := h.room(to)
	switch {
	case !okFrom || !okTo: // is said where the package itself is checked
	case test && (to == from || target.Tests):
	case target.Tests && !source.Tests:
		return []string{fmt.Sprintf("%s: imports %s, which is for tests only", from, to)}
	case target.Level >= source.Level:
		return []string{fmt.Sprintf("%s (level %d): %simports %s (level %d): arrows go down only",
			from, source.Level, inTests(test), to, target.Level)}
	}
	return nil
}

// checkLibrary checks that a library is at home where it is imported. The first row that fits decides.
func (h House) checkLibrary(from, path string, test bool) []string {
	for _, l := range h.Libraries {
		if path != l.Path && (l.Exact || !strings.HasPrefix(path, l.Path+"/")) {
			continue
		}
		if test && l.Tests || slices.Contains(l.Rooms, from) {
			return nil
		}
		return []string{fmt.Sprintf("%s: %simports %s, which belongs to %s", from, inTests(test), path, strings.Join(l.Rooms, ", "))}
	}
	return nil
}

func (h House) room(path string) (Room, bool) {
	i := slices.IndexFunc(h.Rooms, func(r Room) bool { return r.Path == path })
	if i < 0 {
		return Room{}, false
	}
	return h.Rooms[i], true
}

func inTests(test bool) string {
	if test {
		return "a test "
	}
	return ""
}
