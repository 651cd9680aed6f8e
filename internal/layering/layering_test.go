package layering_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aftercall/internal/layering"
)

const root = "../.."

func TestTheHouseIsInOrder(t *testing.T) {
	t.Parallel()
	packages, err := layering.List(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(packages) < 20 {
		t.Fatalf("only %d packages found", len(packages))
	}
	for _, complaint := range layering.Aftercall().Check(packages) {
		t.Error(complaint)
	}
	for _, p := range packages {
		complaints, err := layering.CheckSource(p)
		if err != nil {
			t.Error(err)
		}
		for _, complaint := range complaints {
			t.Error(complaint)
		}
	}
}

// The test above is worth something only if it can fail: each case breaks one rule.
func TestCheck(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		p    layering.Package
		want []string
	}{
		{name: "down is fine", p: layering.Package{ImportPath: "aftercall/worker", Imports: []string{"aftercall/triggers", "fmt"}}},
		{
			name: "up",
			p:    layering.Package{ImportPath: "aftercall/triggers", Imports: []string{"aftercall/worker"}},
			want: []string{"triggers (level 3): imports worker (level 5): arrows go down only"},
		},
		{
			name: "sideways",
			p:    layering.Package{ImportPath: "aftercall/triggers", Imports: []string{"aftercall/recipients"}},
			want: []string{"triggers (level 3): imports recipients (level 3): arrows go down only"},
		},
		{
			name: "up in a test",
			p:    layering.Package{ImportPath: "aftercall/reason", XTestImports: []string{"aftercall/reason", "aftercall/worker"}},
			want: []string{"reason (level 1): a test imports worker (level 5): arrows go down only"},
		},
		{name: "tests may use what is made for them", p: layering.Package{ImportPath: "aftercall/migrations", XTestImports: []string{"aftercall/internal/postgres/pgtest"}}},
		{
			name: "what is made for tests, outside of one",
			p:    layering.Package{ImportPath: "aftercall/worker", Imports: []string{"aftercall/internal/postgres/pgtest"}},
			want: []string{"worker: imports internal/postgres/pgtest, which is for tests only"},
		},
		{
			name: "no room",
			p:    layering.Package{ImportPath: "aftercall/attic"},
			want: []string{"aftercall/attic: is not in the table of rooms (internal/layering/rooms.go, and docs/adr if it is new)"},
		},
		{
			name: "a name that says nothing",
			p:    layering.Package{ImportPath: "aftercall/worker", Name: "util"},
			want: []string{"aftercall/worker: the name util says nothing about what is inside"},
		},
		{
			name: "model library outside its room",
			p:    layering.Package{ImportPath: "aftercall/interview", Imports: []string{"github.com/sashabaranov/go-openai"}},
			want: []string{"interview: imports github.com/sashabaranov/go-openai, which belongs to internal/llm/openai"},
		},
		{
			name: "template library outside its room, in a test",
			p:    layering.Package{ImportPath: "aftercall/variables", XTestImports: []string{"github.com/aymerick/raymond/ast"}},
			want: []string{"variables: a test imports github.com/aymerick/raymond/ast, which belongs to templates"},
		},
		{name: "the type of a transaction", p: layering.Package{ImportPath: "aftercall/worker", Imports: []string{"github.com/jackc/pgx/v5"}}},
		{
			name: "a connection pool in the worker",
			p:    layering.Package{ImportPath: "aftercall/worker", Imports: []string{"github.com/jackc/pgx/v5/pgxpool"}},
			want: []string{"worker: imports github.com/jackc/pgx/v5/pgxpool, which belongs to " +
				"internal/store, internal/store/db, internal/postgres, internal/postgres/pgtest, migrations, internal/chaos/bed, internal/chaos/checker, internal/chaos, internal/bench, internal/big"},
		},
		{
			name: "the queue in a room below it",
			p:    layering.Package{ImportPath: "aftercall/internal/store", Imports: []string{"github.com/riverqueue/river"}},
			want: []string{"internal/store: imports github.com/riverqueue/river, which belongs to internal/bench, worker, ops, ingest, dashboard, cmd/aftercall"},
		},
		{name: "the queue's schema", p: layering.Package{ImportPath: "aftercall/migrations", Imports: []string{"github.com/riverqueue/river/rivermigrate"}}},
		{
			name: "another database",
			p:    layering.Package{ImportPath: "aftercall/internal/store", Imports: []string{"modernc.org/sqlite"}},
			want: []string{"internal/store: imports modernc.org/sqlite, which belongs to "},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.p.Module.Path = "aftercall"
			if diff := cmp.Diff(c.want, layering.Aftercall().Check([]layering.Package{c.p})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCheckSource(t *testing.T) {
	t.Parallel()
	const page = "// Package x is a room.\n//\n// It has a page.\npackage x\n"
	for _, c := range []struct {
		name, room, file, text, want string
	}{
		{name: "in order", file: "x.go", text: page},
		{name: "no page", file: "x.go", text: "// Package x is x.\npackage x\n", want: "aftercall/worker: no file opens with a comment that says what the package is for"},
		{name: "generated", file: "x.go", text: "// Code generated by sqlc. DO NOT EDIT.\n\npackage x\n\nconst q = `SELECT 1`\n"},
		{name: "too long", file: "x.go", text: page + strings.Repeat("\n", 500), want: "worker/x.go:4: has 504 lines, 500 are the most"},
		{name: "SQL", file: "x.go", text: page + "const q = `SELECT 1`\n", want: "worker/x.go:5: SQL in Go: it belongs in internal/store/queries or migrations"},
		{name: "SQL in its room", room: "migrations", file: "x.go", text: page + "const q = `SELECT 1`\n"},
		{name: "SQL in a test", file: "x_test.go", text: "package x\n\nconst q = `SELECT 1`\n"},
		{name: "English", file: "x.go", text: page + "const s = \"Select a trigger from the list\"\n"},
		{name: "later", file: "x.go", text: page + "// " + "TO" + "DO: finish\n", want: "worker/x.go:5: a note to do something later: do it, or open an issue"},
		{
			name: "a test that sleeps", file: "x_test.go", text: "package x\n\nfunc f() { time.Sleep(1) }\n",
			want: "worker/x_test.go:3: a test sleeps: inject the clock, wait on a channel or use testing/synctest",
		},
		{name: "a test that sleeps where time is its own", file: "x_test.go", text: "package x\n\nfunc f() { synctest.Test(t, func() { time.Sleep(1) }) }\n"},
		{
			name: "a test that skips", file: "x_test.go", text: "package x\n\nfunc f() { t.Skip() }\n",
			want: "worker/x_test.go:3: a test skips: what it needs must be there",
		},
		{name: "code that knows it is tested", file: "x.go", text: page + "var a = testing.Testing()\n", want: "worker/x.go:5: the code behaves differently under test"},
		{
			name: "more than the transaction", file: "x.go", text: page + "var a pgx.Tx = pgx.Connect()\n",
			want: "worker/x.go:5: uses pgx.Connect: this room may only name pgx.Tx, the rest belongs to internal/store",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := layering.Package{ImportPath: "aftercall/worker", Dir: t.TempDir()}
			if c.room != "" {
				p.ImportPath = "aftercall/" + c.room
			}
			p.Module.Path = "aftercall"
			if strings.HasSuffix(c.file, "_test.go") {
				p.TestGoFiles = []string{c.file}
			} else {
				p.GoFiles = []string{c.file}
			}
			if err := os.WriteFile(filepath.Join(p.Dir, c.file), []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			found, err := layering.CheckSource(p)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(found, "\n"); got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}
