package bed_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aftercall/internal/chaos/bed"
)

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
	got, err := bed.ReadPlans(path, int64(len("skipped\n")))
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
		first, _, _ := strings.Cut(p.Text, "\n")
		rows = append(rows, row{p.Name, p.Times, p.Buffers, p.Total, p.Slowest, first})
	}
	want := []row{{"SELECT 2", 1, 0, 9, 9, "SELECT   2"}, {"Load", 2, 6, 2, 1.5, "-- name: Load :one"}}
	if d := cmp.Diff(want, rows); d != "" {
		t.Error(d)
	}
}
