package automation_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"aftercall/automation"
)

// specimen is a folder of testdata/broken: one thing is wrong in it, and its last section is what is reported. What its
// description says after "account:", "schema:" and "stored:" is for the tests.
type specimen struct {
	path, name string
	ar         *txtar.Archive
	files      automation.Files
	tests      automation.Files // *.test.yaml
	want       string
}

func specimens(t testing.TB) []specimen {
	t.Helper()
	paths, err := filepath.Glob("testdata/broken/*.txtar")
	if err != nil || len(paths) < 80 {
		t.Fatalf("%d broken folders, want at least 80: %v", len(paths), err)
	}
	var all []specimen
	for _, path := range paths {
		ar, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		last := len(ar.Files) - 1
		if last < 1 || ar.Files[last].Name != "want" {
			t.Fatalf("%s does not end in what is wanted", path)
		}
		s := specimen{path: path, name: strings.TrimSuffix(filepath.Base(path), ".txtar"), ar: ar, want: string(ar.Files[last].Data)}
		s.files, s.tests = folder(ar.Files[:last], s.said("account") != "none")
		all = append(all, s)
	}
	return all
}

// said gives what the description says behind a word.
func (s specimen) said(word string) string {
	for line := range strings.Lines(string(s.ar.Comment)) {
		if rest, ok := strings.CutPrefix(line, word+": "); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}

// folder makes config and tests of the files of an archive. One without account.yaml gets the office's.
func folder(archived []txtar.File, account bool) (files, tests automation.Files) {
	files, tests = automation.Files{}, automation.Files{}
	if account {
		files["account.yaml"] = []byte(office)
	}
	for _, f := range archived {
		if strings.HasSuffix(f.Name, ".test.yaml") {
			tests[f.Name] = f.Data
			continue
		}
		files[f.Name] = f.Data
	}
	return files, tests
}

// reported compiles and prints. A folder with tests is looked at as check does it, which sees them.
func reported(t *testing.T, files, tests automation.Files) string {
	t.Helper()
	got := report(t, files)
	rev, _ := automation.Compile(files)
	if rev == nil || len(tests) == 0 {
		return got
	}
	dir := t.TempDir()
	for name, b := range tests {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tested, err := automation.Tested(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range rev.Untested(files, tested) {
		got = strings.TrimPrefix(got, "nothing to report\n") + p.String()
	}
	return got
}

// TestBroken: each of the folders has one thing wrong with it, and is reported in exactly these words at exactly this
// place.
func TestBroken(t *testing.T) {
	t.Parallel()
	for _, s := range specimens(t) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			got := reported(t, s.files, s.tests)
			if *update {
				s.ar.Files[len(s.ar.Files)-1].Data = []byte(got)
				if err := os.WriteFile(s.path, txtar.Format(s.ar), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(s.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if codes := codesIn(got); len(codes) != 1 {
				t.Errorf("reported as %v, want one thing wrong", codes)
			}
		})
	}
}

// TestBrokenOnWindows: a byte order mark and other line ends change no word and no place of a report.
func TestBrokenOnWindows(t *testing.T) {
	t.Parallel()
	for _, s := range specimens(t) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			files := automation.Files{}
			for name, src := range s.files {
				files[name] = []byte("\ufeff" + strings.ReplaceAll(string(src), "\n", "\r\n"))
			}
			if diff := cmp.Diff(s.want, reported(t, files, s.tests)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

var reportedCode = regexp.MustCompile(`(?m)^\S+:\d+:\d+: (?:error|warn)\[(AC\d{3})\]: `)

// codesIn lists the codes in a report, each once.
func codesIn(report string) []string {
	var codes []string
	for _, m := range reportedCode.FindAllStringSubmatch(report, -1) {
		if !slices.Contains(codes, m[1]) {
			codes = append(codes, m[1])
		}
	}
	return codes
}
