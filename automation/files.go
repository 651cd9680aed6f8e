package automation

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Limits of an account's folder.
const (
	MaxFileSize = 1 << 20  // bytes of one file
	MaxSize     = 64 << 20 // bytes of all files
	MaxFiles    = 2000     // a starter takes two
)

// accountFile is the file that makes a folder an account.
const accountFile = "account.yaml"

// Folder is one account's files and where they were read.
type Folder struct {
	Path  string
	Files Files
	Err   error // why they could not be read; only of ReadEach
}

// Digest is the sha256 of the files, hex: of each path and content in order of path, each with its length before it.
func (f Files) Digest() string {
	h := sha256.New()
	put := func(b []byte) {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(b))))
		h.Write(b)
	}
	for _, name := range slices.Sorted(maps.Keys(f)) {
		put([]byte(name))
		put(f[name])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// IsConfig reports whether a file of an account's folder is part of its config, by slash-separated path: *.yaml (and
// *.yml, so that Compile can say what the name should be) and *.hbs. Authors' tests (*.test.yaml, everything under tests/
// or calls/) and hidden files are not: they neither reach a revision nor change its digest.
func IsConfig(name string) bool {
	folders := strings.Split(name, "/")
	for i, part := range folders {
		last := i == len(folders)-1
		if strings.HasPrefix(part, ".") || !last && (part == "tests" || part == "calls") {
			return false
		}
	}
	ext := path.Ext(name)
	return ext == ".hbs" || (ext == ".yaml" || ext == ".yml") && !strings.HasSuffix(strings.TrimSuffix(name, ext), ".test")
}

// Read reads the accounts under a folder: the folder itself if it holds account.yaml, else each sub-folder that does.
// The result is by folder name, in order. It is an error if there is none, if a file is larger than MaxFileSize or an
// account has more than MaxFiles or MaxSize, and if a link leads out of dir: a config folder holds what it means.
func Read(dir string) ([]Folder, error) {
	folders, err := ReadEach(dir)
	if err != nil {
		return nil, err
	}
	for _, f := range folders {
		if f.Err != nil {
			return nil, f.Err
		}
	}
	return folders, nil
}

// ReadEach reads as Read does, but an account that cannot be read does not stand in the way of the others: what is wrong is
// with its folder.
func ReadEach(dir string) ([]Folder, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("read config folder: %w", err)
	}
	defer root.Close()
	if isAccount(root, ".") {
		files, err := readAccount(root, ".")
		return []Folder{{Path: dir, Files: files, Err: err}}, nil
	}
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil, fmt.Errorf("read config folder %s: %w", dir, err)
	}
	var folders []Folder
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") || !isAccount(root, e.Name()) {
			continue
		}
		files, err := readAccount(root, e.Name())
		folders = append(folders, Folder{Path: filepath.Join(dir, e.Name()), Files: files, Err: err})
	}
	if len(folders) == 0 {
		return nil, fmt.Errorf("read config folder %s: no %s in it or in a folder below it; aftercall new account NAME makes one", dir, accountFile)
	}
	return folders, nil
}

func isAccount(root *os.Root, dir string) bool {
	info, err := root.Stat(path.Join(dir, accountFile))
	return err == nil && info.Mode().IsRegular()
}

func readAccount(root *os.Root, dir string) (Files, error) {
	sub, err := root.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("read account folder %s: %w", dir, err)
	}
	defer sub.Close()
	return readFiles(sub.FS(), path.Join(root.Name(), dir))
}

// ReadFS reads one account's files from a file system, such as the embedded examples.
func ReadFS(fsys fs.FS) (Files, error) { return readFiles(fsys, "account folder") }

// readFiles walks one account's folder; where is its name for errors.
func readFiles(fsys fs.FS, where string) (Files, error) {
	files, size := Files{}, 0
	err := fs.WalkDir(fsys, ".", func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name == ".":
			return nil
		case e.IsDir() && (strings.HasPrefix(e.Name(), ".") || e.Name() == "tests" || e.Name() == "calls"):
			return fs.SkipDir
		case e.IsDir() || !IsConfig(name):
			return nil
		case len(files) == MaxFiles:
			return fmt.Errorf("more than %d files", MaxFiles)
		}
		if files[name], err = readFile(fsys, name); err != nil {
			return err
		}
		if size += len(files[name]); size > MaxSize {
			return fmt.Errorf("more than %d bytes in all files", MaxSize)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", where, err)
	}
	return files, nil
}

// readFile reads one file. fsys is rooted, so a link that leads out of the folder is not followed. What kind of file it is
// is asked before it is opened: opening a named pipe waits for somebody to write to it.
func readFile(fsys fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, fmt.Errorf("%w (a link may not lead out of the config folder)", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", name)
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, MaxFileSize+1))
	if err != nil {
		return nil, err
	}
	if len(b) > MaxFileSize {
		return nil, fmt.Errorf("%s is larger than %d bytes", name, MaxFileSize)
	}
	return b, nil
}
