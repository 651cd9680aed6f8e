package layering

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// longest is how many lines a file may have.
const longest = 500

// CheckSource reads a package's files and lists what breaks a rule of writing: a package without its opening comment, a
// file that is too long, SQL outside the rooms for it, a test that sleeps or skips, a note to do something later.
// Generated files are not ours to judge.
func CheckSource(p Package) ([]string, error) {
	var found []string
	documented, written := false, false
	for _, name := range slices.Concat(p.GoFiles, p.TestGoFiles, p.XTestGoFiles) {
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, filepath.Join(p.Dir, name), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, fmt.Errorf("read %s of %s: %w", name, p.ImportPath, err)
		}
		if ast.IsGenerated(f) {
			continue
		}
		s := &source{
			room: strings.TrimPrefix(p.ImportPath, p.Module.Path+"/"), name: name, file: f, set: set,
			test: strings.HasSuffix(name, "_test.go"),
		}
		if !s.test {
			written = true
			documented = documented || opens(f)
		}
		found = append(found, s.check()...)
	}
	if written && !documented {
		found = append(found, fmt.Sprintf("%s: no file opens with a comment that says what the package is for", p.ImportPath))
	}
	slices.Sort(found)
	return found, nil
}

// opens reports whether a file begins with the package's comment: more than the one sentence that repeats its name.
func opens(f *ast.File) bool {
	if f.Doc == nil {
		return false
	}
	text := f.Doc.Text()
	return (strings.HasPrefix(text, "Package ") || strings.HasPrefix(text, "Command ")) && strings.Count(text, "\n") > 1
}

// source is one file under inspection.
type source struct {
	room, name string
	file       *ast.File
	set        *token.FileSet
	test       bool
	found      []string
}

func (s *source) say(at token.Pos, format string, args ...any) {
	s.found = append(s.found, fmt.Sprintf("%s/%s:%d: %s", s.room, s.name, s.set.Position(at).Line, fmt.Sprintf(format, args...)))
}

func (s *source) check() []string {
	if lines := s.set.File(s.file.Pos()).LineCount(); lines > longest {
		s.say(s.file.Pos(), "has %d lines, %d are the most", lines, longest)
	}
	for _, group := range s.file.Comments {
		for _, c := range group.List {
			if later.MatchString(c.Text) {
				s.say(c.Pos(), "a note to do something later: do it, or open an issue")
			}
		}
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if s.test && is(n.Fun, "synctest", "Test") {
				s.bubble(n)
				return false
			}
			s.call(n)
		case *ast.SelectorExpr:
			s.selector(n)
		case *ast.BasicLit:
			s.literal(n)
		}
		return true
	})
	return s.found
}

// later finds marks of unfinished work in comments.
var later = regexp.MustCompile(`\b(` + `TODO|FIXME|XXX` + `)\b`)

// bubble looks at a synctest.Test: time stands still there until everybody waits, so that sleeping costs nothing.
func (s *source) bubble(n *ast.CallExpr) {
	ast.Inspect(n, func(n ast.Node) bool {
		if c, ok := n.(*ast.CallExpr); ok && !is(c.Fun, "time", "Sleep") {
			s.call(c)
		}
		return true
	})
}

func (s *source) call(n *ast.CallExpr) {
	fun, ok := n.Fun.(*ast.SelectorExpr)
	if !ok {
		return
	}
	switch {
	case s.test && is(fun, "time", "Sleep"):
		s.say(n.Pos(), "a test sleeps: inject the clock, wait on a channel or use testing/synctest")
	case s.test && (fun.Sel.Name == "Skip" || fun.Sel.Name == "Skipf" || fun.Sel.Name == "SkipNow") && isTester(fun.X):
		s.say(n.Pos(), "a test skips: what it needs must be there")
	case !s.test && is(fun, "testing", "Testing"):
		s.say(n.Pos(), "the code behaves differently under test")
	}
}

// selector holds the queue's rooms to the type of a transaction.
func (s *source) selector(n *ast.SelectorExpr) {
	if x, ok := n.X.(*ast.Ident); ok && x.Name == "pgx" && n.Sel.Name != "Tx" && !s.test && slices.Contains(txOnly(), s.room) {
		s.say(n.Pos(), "uses pgx.%s: this room may only name pgx.Tx, the rest belongs to internal/store", n.Sel.Name)
	}
}

// statement finds SQL in a string. Keywords are in capitals, as we write them, so that an English sentence is none.
var statement = regexp.MustCompile(`(?s)^\s*(--[^\n]*\n\s*)*(SELECT\s|INSERT\s+INTO\s|UPDATE\s+\S+\s+SET\s|DELETE\s+FROM\s|WITH\s+\w+\s+AS\s|` +
	`(CREATE|ALTER|DROP)\s+(TABLE|INDEX|DATABASE|SCHEMA|TYPE)\s|TRUNCATE\s|LISTEN\s|NOTIFY\s|select\s.+\sfrom\s.+\swhere\s|insert\s+into\s.+\svalues)`)

func (s *source) literal(n *ast.BasicLit) {
	if n.Kind != token.STRING || s.test || slices.Contains(sqlRooms(), s.room) {
		return
	}
	text, err := strconv.Unquote(n.Value)
	if err == nil && statement.MatchString(text) {
		s.say(n.Pos(), "SQL in Go: it belongs in internal/store/queries or migrations")
	}
}

// is reports whether an expression is pkg.name.
func is(e ast.Expr, pkg, name string) bool {
	sel, ok := e.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != name {
		return false
	}
	x, ok := sel.X.(*ast.Ident)
	return ok && x.Name == pkg
}

// isTester reports whether an expression is what tests call their testing.TB.
func isTester(e ast.Expr) bool {
	x, ok := e.(*ast.Ident)
	return ok && slices.Contains([]string{"t", "b", "f", "tb"}, x.Name)
}
