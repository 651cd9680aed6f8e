package rehearsal

import (
	"os"
	"path/filepath"
	"strings"

	"aftercall/automation"
)

// accountFile makes a folder an account's.
const accountFile = "account.yaml"

// account finds what the tests are for: the folder named under config; else the file's own, alone, with the account.yaml that
// is written under with, as for a starter; else the nearest one, from the file's own upwards, that belongs to an account.
func (r *reader) account(config, with node) {
	dir, found := "", false
	if config.present() && with.present() {
		config.fail(codeValue, "config and with name two accounts", "keep one of them")
		return
	}
	if s, ok := config.text("config"); ok {
		dir = r.beside(s)
		if found = isFile(filepath.Join(dir, accountFile)); !found {
			config.fail(codeConfig, "there is no "+accountFile+" in this folder", "name the account's folder, relative to this file")
			return
		}
	} else if dir = r.dir; !with.present() {
		if dir, found = accountAbove(r.dir); !found {
			r.report(1, 1, 1, codeConfig, "these tests belong to no account: there is no "+accountFile+" in this folder or above it",
				"write  config:  with the account's folder, or  with:  with what an account.yaml would hold")
			return
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		r.report(1, 1, 1, codeFile, "the account's folder cannot be read: "+reasonOf(err), "")
		return
	}
	defer root.Close()
	files, err := automation.ReadFS(root.FS())
	if err != nil {
		r.report(1, 1, 1, codeFile, "the account's folder cannot be read: "+reasonOf(err), "")
		return
	}
	if !found {
		files[accountFile] = r.standIn(with)
	}
	rev, problems := automation.Compile(files)
	if rev != nil {
		r.suite.Account = rev
		return
	}
	for _, p := range problems {
		if p.Severity != automation.Error {
			continue
		}
		if p.File == accountFile && !found {
			p.File = r.path
		} else {
			p.File = filepath.Join(dir, p.File)
		}
		r.elsewhere = append(r.elsewhere, p)
	}
}

// accountAbove is the nearest folder, from dir upwards, that belongs to an account.
func accountAbove(dir string) (string, bool) {
	at, err := filepath.Abs(dir)
	if err != nil {
		return "", false
	}
	up := dir
	for {
		if isFile(filepath.Join(at, accountFile)) {
			return filepath.Clean(up), true
		}
		above := filepath.Dir(at)
		if above == at {
			return "", false
		}
		at, up = above, filepath.Join(up, "..")
	}
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// standIn is what stands under with as a file of its own, each line where it stands here: so a problem in it has the right
// place. It ends where the next key of the file begins.
func (r *reader) standIn(with node) []byte {
	from := with.n.Line
	to := from
	for to < len(r.lines) && (r.lines[to] == "" || strings.ContainsRune(" \t#", rune(r.lines[to][0]))) {
		to++
	}
	lines := make([]string, from, to)
	first := []rune(r.lines[from-1])
	for i := range min(with.n.Column-1, len(first)) {
		first[i] = ' '
	}
	lines[from-1] = string(first)
	return []byte(strings.Join(append(lines, r.lines[from:to]...), "\n") + "\n")
}
