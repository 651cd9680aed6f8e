package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aftercall/internal/postgres/pgtest"
)

// The authors' tutorial is a list of boxes, which this test works through as a reader does:
//
//   - sh: commands, run one after another; "exit=1" behind it is how the last one ends, else all end with 0;
//   - text, after them: what they print. A line [...] stands for any number of lines. Names of revisions and ports differ
//     from run to run, so one counts as any other;
//   - anything else: a file, named by the end of the line before: write `delivery-moved.yaml`:
//
// The commands are the real verbs, on real files, against a real database where the page names one.

// box is one fenced block of the page.
type box struct {
	kind, attribute, body string
	before                string // the last line before it that is not empty
	line                  int
}

var fenced = regexp.MustCompile("(?ms)^```(\\w+)(?: (\\S+))?\n(.*?)^```\n")

func boxes(page string) (all []box) {
	for _, at := range fenced.FindAllStringSubmatchIndex(page, -1) {
		text := strings.TrimSpace(page[:at[0]])
		b := box{kind: page[at[2]:at[3]], body: page[at[6]:at[7]], before: text[strings.LastIndexByte(text, '\n')+1:],
			line: strings.Count(page[:at[0]], "\n") + 1}
		if at[4] >= 0 {
			b.attribute = page[at[4]:at[5]]
		}
		all = append(all, b)
	}
	return all
}

// TestTutorialIsTrue walks into the folder that it makes, so it runs beside no other test.
func TestTutorialIsTrue(t *testing.T) {
	page, err := os.ReadFile("../../docs/authors/tutorial.md")
	if err != nil {
		t.Fatal(err)
	}
	r := &newcomer{T: t, database: pgtest.New(t), environment: map[string]string{}, did: map[string]int{}}
	t.Chdir(t.TempDir())
	for _, b := range boxes(string(page)) {
		r.follow(b)
	}
	if r.waits != nil {
		t.Errorf("line %d: the page does not show what these commands print", r.waits.line)
	}
	for _, verb := range []string{"new", "check", "preview", "test", "fmt", "dev", "diff", "apply"} {
		if r.did[verb] == 0 {
			t.Errorf("the tutorial never runs aftercall %s", verb)
		}
	}
}

// newcomer works through the page.
type newcomer struct {
	*testing.T
	database    string
	environment map[string]string
	did         map[string]int
	waits       *box   // commands whose output the page has not shown yet
	printed     string // by them
}

func (n *newcomer) follow(b box) {
	n.Helper()
	switch {
	case b.kind == "text" && n.waits == nil:
		n.Errorf("line %d: nothing was run that could have printed this", b.line)
	case b.kind == "text":
		if !shows(b.body, n.printed) {
			n.Errorf("line %d: it prints (-page +printed)\n%s\nwhole:\n%s", b.line, cmp.Diff(b.body, n.printed), n.printed)
		}
		n.waits = nil
	case n.waits != nil:
		n.Errorf("line %d: the page does not show what these commands print", n.waits.line)
		n.waits = nil
	case b.kind == "sh":
		n.run(b)
	default:
		n.write(b)
	}
}

// run runs the commands of a box.
func (n *newcomer) run(b box) {
	n.Helper()
	n.waits, n.printed = &b, ""
	wanted := 0
	if b.attribute != "" {
		var err error
		if wanted, err = strconv.Atoi(strings.TrimPrefix(b.attribute, "exit=")); err != nil {
			n.Fatalf("line %d: %q does not say how it ends", b.line, b.attribute)
		}
	}
	lines := strings.Split(strings.TrimSpace(b.body), "\n")
	for i, line := range lines {
		code, end := n.command(line), 0
		if i == len(lines)-1 {
			end = wanted
		}
		if code != end {
			n.Errorf("line %d: %s ends with %d, want %d:\n%s", b.line, line, code, end, n.printed)
		}
	}
}

var shellWord = regexp.MustCompile(`"[^"]*"|\S+`)

// command runs one line as a shell would.
func (n *newcomer) command(line string) (code int) {
	n.Helper()
	words := shellWord.FindAllString(line, -1)
	for i := range words {
		words[i] = strings.Trim(words[i], `"`)
	}
	said := ""
	switch name, args := words[0], words[1:]; {
	case len(args) == 0:
		n.Fatalf("the test cannot run %q", line)
	case name == "cd":
		n.Chdir(args[0])
	case name == "export" && strings.HasPrefix(args[0], "DATABASE_URL="):
		n.environment["DATABASE_URL"] = n.database
	case name == "aftercall" && args[0] == "dev":
		code, said = n.untilStopped(args)
	case name == "aftercall":
		code, said = cli(n.T, n.environment, args...)
	default:
		n.Fatalf("the test cannot run %q", line)
	}
	n.did[words[1]]++
	n.printed += said
	return code
}

// untilStopped runs a verb that goes on until Ctrl-C, which it gets when it has said that it can be stopped so.
func (n *newcomer) untilStopped(args []string) (code int, said string) {
	n.Helper()
	ctx, stop := context.WithCancel(n.Context())
	defer stop()
	screen, out := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		code := run(ctx, &console{out: out, err: out, getenv: env(nil)}, args)
		_ = out.Close() // of a pipe: never fails
		ended <- code
	}()
	for lines := bufio.NewScanner(screen); lines.Scan(); {
		said += lines.Text() + "\n"
		if strings.HasSuffix(lines.Text(), "Ctrl-C.") {
			stop()
		}
	}
	return <-ended, said
}

var fileNamed = regexp.MustCompile("(?i)\\bwrite `([^`]+)`:$")

// write writes a file that the page shows.
func (n *newcomer) write(b box) {
	n.Helper()
	name := fileNamed.FindStringSubmatch(b.before)
	if name == nil || !filepath.IsLocal(name[1]) {
		n.Fatalf("line %d: the line before does not name the file: %q", b.line, b.before)
	}
	write(n.T, name[1], b.body)
}

// differing is what is another on each machine and in each run.
var differing = regexp.MustCompile(`\b[0-9a-f]{12}\b|127\.0\.0\.1:\d+`)

// shows reports whether a box holds what was printed.
func shows(page, printed string) bool {
	var pattern strings.Builder
	for line := range strings.Lines(level(page)) {
		if line == "[...]\n" {
			pattern.WriteString(`(?:.*\n)*?`)
		} else {
			pattern.WriteString(regexp.QuoteMeta(line))
		}
	}
	return regexp.MustCompile(`\A` + pattern.String() + `\z`).MatchString(level(printed))
}

// level leaves out what differs, and white space at the ends of lines.
func level(s string) string {
	lines := strings.Split(differing.ReplaceAllString(s, "…"), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

// TestShows: the test of the tutorial tells what a page shows from what it does not.
func TestShows(t *testing.T) {
	t.Parallel()
	const printed = "first, 3f2a9c41d07e\n  | \nthird, http://127.0.0.1:8081\nlast\n"
	for page, want := range map[string]bool{
		printed: true,
		"first, 0123456789ab\n  |\n[...]\nlast\n": true,
		"[...]\n": true,
		"first, 3f2a9c41d07e\n[...]\nlast\n[...]\n": true,
		"":                                   false,
		"first, 3f2a9c41d07e\n[...]\n":       true,
		"first, 3f2a9c41d07e\n":              false,
		"first, another\n[...]\n":            false,
		"[...]\nthird, http://127.0.0.1:1\n": false,
	} {
		if got := shows(page, printed); got != want {
			t.Errorf("shows(%q) = %v", page, got)
		}
	}
}
