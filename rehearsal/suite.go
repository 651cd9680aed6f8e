package rehearsal

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"aftercall/automation"
	"aftercall/conversation"
)

// Suffix ends the name of a file of tests.
const Suffix = ".test.yaml"

// Suite is one file of tests, with the account it is for.
type Suite struct {
	Path     string
	Account  *automation.Revision
	Cases    []Case
	Recorded string             // the file of recorded answers
	Written  map[string]Written // answers written by hand, by call file; nil if the file names none
}

// Case is one call with what is wanted of it.
type Case struct {
	Name   string
	Line   int
	File   string // the call's
	Call   *conversation.Conversation
	Now    time.Time // when the call is decided
	Want   Want
	Repeat int // how often it is tried
	Pass   int // how often it must pass
}

// most cases, and repeats of a case, that a file may ask for.
const (
	mostCases  = 1000
	mostRepeat = 20
)

// Find lists the files of tests under a folder, or the one file named, in order. What is hidden is passed over.
func Find(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("look for tests: %w", err)
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	var files []string
	err = filepath.WalkDir(path, func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name != path && strings.HasPrefix(e.Name(), "."):
			if e.IsDir() {
				return fs.SkipDir
			}
		case !e.IsDir() && strings.HasSuffix(e.Name(), Suffix):
			files = append(files, name)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for tests: %w", err)
	}
	return files, nil
}

// Read reads a file of tests with everything it names: the account, the calls, answers written by hand. The suite is nil if
// there is a problem. The error is that of a file that cannot be read.
func Read(path string) (*Suite, []automation.Problem, error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("read tests: %w", err)
	}
	d, root := parse(path, src)
	r := &reader{document: d, dir: filepath.Dir(path), suite: &Suite{Path: path}}
	if root.present() {
		r.read(root)
	} else if len(d.problems) == 0 {
		d.report(1, 1, 1, codeMissing, "the file holds no tests", "write  cases:  with at least one")
	}
	slices.SortStableFunc(d.problems, func(a, b automation.Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	})
	problems := append(d.problems, r.elsewhere...)
	if len(problems) > 0 {
		return nil, problems, nil
	}
	return r.suite, nil, nil
}

// reader reads one file of tests.
type reader struct {
	*document
	dir       string
	suite     *Suite
	now       time.Time            // of the file; zero: when each call ended
	elsewhere []automation.Problem // in the account, or in the answers
}

func (r *reader) read(root node) {
	if root.n.Kind != yaml.MappingNode {
		root.fail(codeValue, "a file of tests is a mapping", "begin with  cases:")
		return
	}
	f := root.fields("a file of tests", "config", "with", "now", "answers", "recorded", "cases")
	if r.account(f["config"], f["with"]); r.suite.Account == nil {
		return // nothing else can be checked without it
	}
	r.now = r.clock(f["now"])
	name := strings.TrimSuffix(filepath.Base(r.path), Suffix)
	r.suite.Recorded = filepath.Join(r.dir, "recorded", name+".json")
	if s, ok := f["recorded"].text("recorded"); ok {
		r.suite.Recorded = r.beside(s)
	}
	r.answers(f["answers"])
	cases := f["cases"].list()
	if len(cases) == 0 {
		root.fail(codeMissing, "the file holds no cases", "write  cases:  with at least one")
	}
	if len(cases) > mostCases {
		cases[mostCases].fail(codeValue, fmt.Sprintf("a file holds at most %d cases", mostCases), "split it")
		cases = cases[:mostCases]
	}
	for _, v := range cases {
		r.one(v)
	}
}

// beside is a path as the file means it: from its own folder.
func (r *reader) beside(s string) string {
	if filepath.IsAbs(s) {
		return s
	}
	return filepath.Join(r.dir, filepath.FromSlash(s))
}

func (r *reader) clock(v node) time.Time {
	s, ok := v.text("now")
	if !ok {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		v.fail(codeValue, "now is not a time", "write it as 2026-11-20T15:04:00Z")
	}
	return t
}

// answers reads the answers written by hand. The file may hold some for calls that no case names.
func (r *reader) answers(v node) {
	s, ok := v.text("answers")
	if !ok {
		return
	}
	path := r.beside(s)
	all, problems, err := readWritten(path, r.suite.Account)
	if err != nil {
		v.fail(codeFile, "the answers cannot be read: "+reasonOf(err), "name a file relative to this one")
		return
	}
	r.elsewhere = append(r.elsewhere, problems...)
	r.suite.Written = map[string]Written{}
	for _, w := range all {
		r.suite.Written[filepath.Join(filepath.Dir(path), filepath.FromSlash(w.Call))] = w
	}
}

// reasonOf is a file error without the path, which stands beside it.
func reasonOf(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}

// one reads a case.
func (r *reader) one(v node) {
	known := len(r.problems)
	f := v.fields("a case", "name", "call", "now", "expect", "repeat", "pass")
	if v.n.Kind != yaml.MappingNode || len(r.problems) > known {
		return // what is missing may stand under the key that was misspelt
	}
	c := Case{Line: v.n.Line, Now: r.now, Repeat: 1}
	c.Name, _ = f["name"].text("name")
	switch {
	case c.Name == "" && !f["name"].present():
		v.fail(codeMissing, "a case needs a name", "write  name:  with what it shows")
	case slices.ContainsFunc(r.suite.Cases, func(other Case) bool { return other.Name == c.Name }):
		f["name"].fail(codeTwice, "another case has this name", "say what is different about this one")
	}
	r.call(&c, v, f["call"])
	if f["now"].present() {
		c.Now = r.clock(f["now"])
	}
	if f["repeat"].present() {
		c.Repeat = f["repeat"].whole("repeat", 1, mostRepeat)
	}
	c.Pass = r.pass(f["pass"], c.Repeat)
	if !f["expect"].present() {
		v.fail(codeMissing, "a case needs expect", "write  expect: { fires: [] }  if nothing is to fire")
	} else {
		c.Want = r.want(f["expect"])
	}
	r.suite.Cases = append(r.suite.Cases, c)
}

func (r *reader) call(c *Case, owner, v node) {
	s, ok := v.text("call")
	if !ok {
		if !v.present() {
			owner.fail(codeMissing, "a case needs a call", "write  call: calls/one.json, with the body a platform would post")
		}
		return
	}
	c.File = r.beside(s)
	body, err := os.ReadFile(c.File)
	if err != nil {
		v.fail(codeFile, "the call cannot be read: "+reasonOf(err), "name a file relative to this one")
		return
	}
	if c.Call, err = DecodeCall(body); err != nil {
		v.fail(codeFile, strings.ReplaceAll(err.Error(), "\n", "; "), "see the body of POST /v1/conversations")
		return
	}
	if c.Now.IsZero() {
		c.Now = c.Call.EndedAt
	}
}

// pass reads how often a case must pass: 2 or 2/3 of three. Left out, it is every time.
func (r *reader) pass(v node, repeat int) int {
	s, ok := v.text("pass")
	if !ok {
		return repeat
	}
	wanted, of, fraction := strings.Cut(s, "/")
	n, err := strconv.Atoi(strings.TrimSpace(wanted))
	if err != nil || n < 1 || n > repeat || fraction && strings.TrimSpace(of) != strconv.Itoa(repeat) {
		v.fail(codeValue, fmt.Sprintf("pass must be how many of the %d tries must pass", repeat), fmt.Sprintf("write  pass: %d/%d", repeat, repeat))
		return repeat
	}
	return n
}
