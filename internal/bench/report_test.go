package main

import (
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

func TestPlansAreReadFromTheLog(t *testing.T) {
	t.Parallel()
	log := "skipped\n" + strings.Join([]string{
		"2026-11-21 07:00:00.000 UTC [1] LOG:  duration: 1.500 ms  plan:",
		"\tQuery Text: -- name: Load :one",
		"\tSELECT 1",
		"\tResult  (cost=0.00..0.01 rows=1 width=4) (actual time=0.001..0.001 rows=1 loops=1)",
		"\t  Buffers: shared hit=3 read=1",
		"\t  ->  Seq Scan  (cost=0.00..0.01 rows=1 width=4) (actual time=0.001..0.001 rows=1 loops=1)",
		"\t        Buffers: shared hit=2",
		"2026-11-21 07:00:01.000 UTC [1] LOG:  checkpoint starting",
		"\tQuery Text: not a plan",
		"2026-11-21 07:00:02.000 UTC [1] LOG:  duration: 0.500 ms  plan:",
		"\tQuery Text: -- name: Load :one",
		"\tSELECT 1",
		"\tResult  (cost=0.00..0.01 rows=1 width=4) (actual time=0.001..0.001 rows=1 loops=1)",
		"\t  Buffers: shared hit=2 dirtied=1",
		"2026-11-21 07:00:03.000 UTC [1] LOG:  duration: 9.000 ms  plan:",
		"\tQuery Text: SELECT   2",
		"\tResult  (cost=0.00..0.01 rows=1 width=4) (actual time=0.001..0.001 rows=1 loops=1)",
	}, "\n") + "\n"
	path := filepath.Join(t.TempDir(), "server.log")
	if err := os.WriteFile(path, []byte(log), 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := readPlans(path, int64(len("skipped\n")))
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		Name           string
		Times, Buffers int
		Total, Slowest float64
		Text           string
	}
	var rows []row
	for _, p := range got {
		first, _, _ := strings.Cut(p.text, "\n")
		rows = append(rows, row{p.Name, p.Times, p.Buffers, p.Total, p.Slowest, first})
	}
	want := []row{{"SELECT 2", 1, 0, 9, 9, "SELECT   2"}, {"Load", 2, 6, 2, 1.5, "-- name: Load :one"}}
	if d := cmp.Diff(want, rows); d != "" {
		t.Error(d)
	}
}

// What a slower machine makes slower agrees; what is slower by itself does not.
func TestRunsCompareAtOnePace(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		unit        string
		now, before []float64
		want        bool
	}{
		"a time, twice as long at half the pace": {"ms", []float64{19, 21}, []float64{10, 11}, true},
		"a rate, half of it at half the pace":    {"/s", []float64{100, 110}, []float64{200, 230}, true},
		"a time, four times as long":             {"ms", []float64{39, 41}, []float64{10, 11}, false},
		"a time that ought to have been longer":  {"ms", []float64{10, 11}, []float64{10, 11}, false},
		"memory, twice as much":                  {"MB", []float64{200, 210}, []float64{100, 105}, false},
		"a share that is the same":               {"", []float64{0.6, 0.7}, []float64{0.65}, true},
	} {
		f, old := figure{Unit: test.unit, Values: test.now}, figure{Unit: test.unit, Values: test.before}
		by := scale(test.unit, 200, 100) // it takes 200 ms for what took 100
		if got := f.overlaps(old, by); got != test.want {
			t.Errorf("%s: agree %v, want %v", name, got, test.want)
		}
	}
}
