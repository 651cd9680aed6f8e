package main

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A run of some measurements writes their sections anew and leaves the others', and what people wrote around them.
func TestReportKeepsWhatWasNotMeasured(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "performance.md")
	if err := os.WriteFile(path, []byte("# Performance\n\nFound.\n\n"+markBegin+"\n"+markEnd+"\n\n## Plans\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	all := measurements()
	write := func(parts ...part) string {
		r := report{parts: parts}
		if err := r.write(path, "today"); err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	two, ten := 2.0, 10.0
	slow := figure{Name: "slow", Unit: "ms", Values: []float64{7}, Most: &two}
	quick := figure{Name: "quick", Unit: "ms", Values: []float64{7}, Most: &ten}
	write(part{ID: all[0].id, Title: all[0].title, Figures: []figure{slow}}, part{ID: all[1].id, Title: all[1].title, Figures: []figure{slow}})
	got := write(part{ID: all[1].id, Title: all[1].title, Figures: []figure{quick}, Notes: []string{"By the way."}})
	section := func(m measurement, row, after string) string {
		return "\n### " + m.id + ": " + m.title + "\n\nMeasured today.\n\n| figure | median (least – most) | spread | goal | |\n|---|---|---|---|---|\n" + row + after
	}
	want := "# Performance\n\nFound.\n\n" + markBegin + "\n" +
		section(all[0], "| slow | 7 ms |  | at most 2 | **missed** |\n", "") +
		section(all[1], "| quick | 7 ms |  | at most 10 | met |\n", "\n- By the way.\n") +
		"\n" + markEnd + "\n\n## Plans\n"
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestReportNeedsItsMarks(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "performance.md")
	if err := os.WriteFile(path, []byte("# Performance\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	r := report{}
	if err := r.write(path, "today"); err == nil || !strings.Contains(err.Error(), markBegin) {
		t.Errorf("a file without marks: %v, want an error that names them", err)
	}
}

// The page of the project has the marks, so that `make bench` can write its figures.
func TestThePageHasTheMarks(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../docs/operations/performance.md")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(raw), markBegin) != 1 || strings.Count(string(raw), markEnd) != 1 {
		t.Errorf("docs/operations/performance.md does not have each of %s and %s once", markBegin, markEnd)
	}
}

// Two runs are held against what chance does to runs of the same thing.
func TestRunsAgreeWithinTheirNoise(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		now, before []float64
		want        bool
	}{
		"one inside the other": {[]float64{10, 20, 30}, []float64{15, 16, 17}, true},
		"they touch":           {[]float64{10, 20}, []float64{20, 30}, true},
		"before":               {[]float64{10, 20}, []float64{21, 30}, false},
		"after":                {[]float64{31, 40}, []float64{21, 30}, false},
	} {
		if got := (figure{Values: test.now}).overlaps(figure{Values: test.before}); got != test.want {
			t.Errorf("%s: overlap %v, want %v", name, got, test.want)
		}
	}
	for _, test := range []struct {
		n, m int
		want float64
	}{{2, 2, 2. / 6}, {3, 3, 2. / 20}, {3, 5, 2. / 56}, {5, 3, 2. / 56}} {
		if got := apartByChance(test.n, test.m); math.Abs(got-test.want) > 1e-9 {
			t.Errorf("%d rounds and %d: %v, want %v", test.n, test.m, got, test.want)
		}
	}
}
