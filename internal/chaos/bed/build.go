package bed

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/txtar"
)

// A variant is a change of the product's source that exists only while a chaos run builds it: a protection taken out, so
// that the checker must turn red; a failpoint put in; times made short. It is written as a txtar archive under variants/:
// the comment says what it does, and then come pairs of parts, the text as it stands in a file, which must stand there
// exactly once, and what it becomes:
//
//	-- worker/deliver.go --
//	if stands, err := d.stands(ctx, c); err != nil || !stands {
//	-- becomes --
//	if false {
//
// A part named `path (new)` is a file that is added; one named `path (from other)` is one that is added with the text of another.
// The go command's -overlay puts the changed files in place of the real ones, so the product itself has no hook, no flag and no
// build tag for any of this.
//
//go:embed variants/*.txtar
var variants embed.FS

// Variants lists the names of all variants.
func Variants() []string {
	files, err := fs.Glob(variants, "variants/*.txtar")
	if err != nil {
		panic(err) // the pattern is a constant
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(filepath.Base(f), ".txtar")
	}
	return files
}

// Explain says what a variant does: the comment of its archive.
func Explain(variant string) (string, error) {
	raw, err := variants.ReadFile("variants/" + variant + ".txtar")
	if err != nil {
		return "", fmt.Errorf("there is no variant %q", variant)
	}
	return strings.TrimSpace(string(txtar.Parse(raw).Comment)), nil
}

// change applies the variants, in order, to the source under root, and returns the changed files by path below root.
func change(root string, names []string) (map[string][]byte, error) {
	changed := map[string][]byte{}
	for _, name := range names {
		raw, err := variants.ReadFile("variants/" + name + ".txtar")
		if err != nil {
			return nil, fmt.Errorf("there is no variant %q", name)
		}
		parts := txtar.Parse(raw).Files
		for i := 0; i < len(parts); i++ {
			path, added := strings.CutSuffix(parts[i].Name, " (new)")
			if added {
				changed[path] = parts[i].Data
				continue
			}
			if path, other, ok := strings.Cut(strings.TrimSuffix(path, ")"), " (from "); ok {
				if changed[path], err = os.ReadFile(filepath.Join(root, other)); err != nil {
					return nil, fmt.Errorf("variant %s: %w", name, err)
				}
				continue
			}
			if i+1 == len(parts) || parts[i+1].Name != "becomes" {
				return nil, fmt.Errorf("variant %s: %s is not followed by what it becomes", name, path)
			}
			text, ok := changed[path]
			if !ok {
				if text, err = os.ReadFile(filepath.Join(root, path)); err != nil {
					return nil, fmt.Errorf("variant %s: %w", name, err)
				}
			}
			if n := bytes.Count(text, parts[i].Data); n != 1 {
				return nil, fmt.Errorf("variant %s: its text stands %d times in %s, not once:\n%s", name, n, path, parts[i].Data)
			}
			changed[path] = bytes.Replace(text, parts[i].Data, parts[i+1].Data, 1)
			i++
		}
	}
	return changed, nil
}

// Builder builds the product, with and without variants, each once in its life.
type Builder struct {
	Root string // of the module
	Dir  string // for binaries and changed files

	building sync.Mutex // two runs may want the same binary at once; guards built
	built    map[string]bool
	flags    []string // for every build
	env      []string // likewise, beside our own
}

// NewBuilder finds the module's root and makes dir.
func NewBuilder(ctx context.Context, dir string) (*Builder, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return nil, fmt.Errorf("find the module: %w", err)
	}
	dir, err = filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("make the build folder: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the build folder: %w", err)
	}
	return newBuilder(strings.TrimSpace(string(out)), dir, withoutDebugging), nil
}

// withoutDebugging leaves out what only a debugger reads. Writing it is a good third of what linking costs.
const withoutDebugging = "-ldflags=-w"

// NewReleaseBuilder builds as `make build` does, static and stripped: what is measured is what is run.
func NewReleaseBuilder(ctx context.Context, dir string) (*Builder, error) {
	b, err := NewBuilder(ctx, dir)
	if err == nil {
		b.flags, b.env = []string{"-trimpath", "-ldflags", "-s -w"}, []string{"CGO_ENABLED=0"}
	}
	return b, err
}

// NewTestBuilder builds as the running tests were built: under the race detector the product's processes are watched, too, and
// what was compiled for the tests is not compiled once more.
func NewTestBuilder(ctx context.Context, dir string) (*Builder, error) {
	b, err := NewBuilder(ctx, dir)
	if err != nil {
		return nil, err
	}
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		b.flags = append(b.flags, "-race")
	}
	return b, nil
}

func newBuilder(root, dir string, flags ...string) *Builder {
	return &Builder{Root: root, Dir: dir, flags: flags, built: map[string]bool{}}
}

// Product builds cmd/aftercall with the given variants and returns the binary's path.
func (b *Builder) Product(ctx context.Context, names ...string) (string, error) {
	return b.build(ctx, "./cmd/aftercall", names)
}

// Fake builds the fake providers.
func (b *Builder) Fake(ctx context.Context) (string, error) {
	return b.build(ctx, "./internal/chaos/fake", nil)
}

// Guard builds the command that feeds package templates.
func (b *Builder) Guard(ctx context.Context, names ...string) (string, error) {
	return b.build(ctx, "./internal/chaos/guard", names)
}

// Operators builds the command that plays people at the buttons.
func (b *Builder) Operators(ctx context.Context, names ...string) (string, error) {
	return b.build(ctx, "./internal/chaos/operators", names)
}

// Licences builds the command that checks licences.
func (b *Builder) Licences(ctx context.Context, names ...string) (string, error) {
	return b.build(ctx, "./internal/licences", names)
}

// Applies checks that a variant's text stands where it says, and that what comes of it is Go. A build takes much longer;
// runs do that.
func (b *Builder) Applies(names ...string) error {
	changed, err := change(b.Root, names)
	if err != nil {
		return err
	}
	for path, text := range changed {
		if filepath.Ext(path) != ".go" {
			continue
		}
		if _, err := parser.ParseFile(token.NewFileSet(), path, text, parser.SkipObjectResolution); err != nil {
			return fmt.Errorf("variant %s: %w", strings.Join(names, "+"), err)
		}
	}
	return nil
}

func (b *Builder) build(ctx context.Context, pkg string, names []string) (string, error) {
	b.building.Lock()
	defer b.building.Unlock()
	binary := filepath.Join(b.Dir, strings.Join(append([]string{filepath.Base(pkg)}, names...), "+"))
	if b.built[binary] {
		return binary, nil
	}
	args := append([]string{"build", "-o", binary}, b.flags...)
	if len(names) > 0 {
		overlay, err := b.overlay(names)
		if err != nil {
			return "", err
		}
		args = append(args, "-overlay", overlay)
	}
	err := b.goCommand(ctx, append(args, pkg))
	b.built[binary] = err == nil
	return binary, err
}

// overlay writes the changed files and the map that tells the go command of them.
func (b *Builder) overlay(names []string) (path string, err error) {
	changed, err := change(b.Root, names)
	if err != nil {
		return "", err
	}
	replace := map[string]string{}
	for _, p := range sorted(changed) {
		sum := sha256.Sum256(changed[p])
		file := filepath.Join(b.Dir, hex.EncodeToString(sum[:8])+"-"+filepath.Base(p))
		if err := os.WriteFile(file, changed[p], 0o644); err != nil {
			return "", fmt.Errorf("write a changed file: %w", err)
		}
		replace[filepath.Join(b.Root, p)] = file
	}
	raw, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", fmt.Errorf("write the overlay: %w", err)
	}
	path = filepath.Join(b.Dir, strings.Join(names, "+")+".overlay.json")
	if err := os.WriteFile(path, raw, 0o644); err != nil {
		return "", fmt.Errorf("write the overlay: %w", err)
	}
	return path, nil
}

func (b *Builder) goCommand(ctx context.Context, args []string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env = b.Root, append(os.Environ(), b.env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go %s: %w\n%s", args[0], err, out)
	}
	return nil
}

func sorted(m map[string][]byte) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
