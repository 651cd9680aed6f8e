package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A run of some properties must leave the others' sections, and what was written by hand, as they are.
func TestReportKeepsWhatWasNotTried(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "proofs.md")
	if err := os.WriteFile(path, []byte(byHand+"\n\n- Nobody asked.\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	all := properties()
	good := outcome{seed: 7, took: time.Second, figures: []figure{{name: "lost", got: "0", want: "0", ok: true}}}
	bad := outcome{seed: 8, took: time.Second, figures: []figure{{name: "doubled", got: "3", want: "0"}}}
	write := func(only string, proofs ...proof) string {
		r := report{options: options{only: only, seed: 7}, began: time.Now(), took: time.Minute, proofs: proofs}
		if err := r.write(t.Context(), path, "."); err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	weak := weakRun{weakness: weakness{"no-sweeper", "doubled"}, outcome: bad}
	whole := write("", proof{property: all[0], runs: []outcome{good}, weak: []weakRun{weak}}, proof{property: all[1], runs: []outcome{bad}})
	for _, want := range []string{
		"| " + all[0].id + " | " + all[0].title + " | yes | red in 1 of 1 | 1s |", "| " + all[1].id + " | " + all[1].title + " | **NO** |",
		"not everything held", "| lost | 0 | 0 |", "| doubled | 3 | 0 **MISSED** |", "not tried yet", "- Nobody asked.",
	} {
		if !strings.Contains(whole, want) {
			t.Errorf("the report lacks %q:\n%s", want, whole)
		}
	}
	some := write(all[1].id, proof{property: all[1], runs: []outcome{good}})
	for _, want := range []string{
		"| " + all[0].id + " | " + all[0].title + " | yes | red in 1 of 1 | 1s |", "| " + all[1].id + " | " + all[1].title + " | yes |",
		"- Last whole run: ", "- Nobody asked.",
	} {
		if !strings.Contains(some, want) {
			t.Errorf("after a run of one property the report lacks %q:\n%s", want, some)
		}
	}
	if strings.Count(some, byHand) != 1 || strings.Count(some, "\n## "+all[1].id+" ") != 1 || strings.Contains(some, "MISSED") {
		t.Errorf("sections are doubled or stale:\n%s", some)
	}
}
