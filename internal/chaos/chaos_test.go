package main

import (
	"os"
	"slices"
	"testing"

	"aftercall/internal/chaos/bed"
)

// TestPropertiesHold tries one property of each kind with a run of seconds, on the product's real processes: that the bed, the faults,
// the attacks and the judgement work. The build server tries all of them so (`make chaos SHORT=1`, which takes longer than all
// tests); `make chaos` has the full sizes, and the builds without protections.
func TestPropertiesHold(t *testing.T) {
	t.Parallel()
	builder := testBuilder(t)
	some := []string{"R1", "R6", "S5", "S6"}
	for _, p := range properties() {
		if !slices.Contains(some, p.id) {
			continue
		}
		t.Run(p.id, func(t *testing.T) {
			t.Parallel()
			tr := &trial{builder: builder, seed: 1, dir: runDir(t), say: t.Logf}
			if err := p.try(t.Context(), tr); err != nil {
				t.Errorf("%s broke off: %v", p.title, err)
			}
			if len(tr.figures) == 0 {
				t.Errorf("%s has no figures", p.title)
			}
			for _, f := range tr.figures {
				if !f.ok {
					t.Errorf("%s: %s, want %s", f.name, f.got, f.want)
				}
			}
		})
	}
}

// A variant is text that stands in the product's source. This notices when the source moves on.
func TestVariantsApply(t *testing.T) {
	t.Parallel()
	builder := testBuilder(t)
	for _, v := range bed.Variants() {
		t.Run(v, func(t *testing.T) {
			t.Parallel()
			if err := builder.Applies(v); err != nil {
				t.Error(err)
			}
			if about, err := bed.Explain(v); err != nil || about == "" {
				t.Errorf("the variant does not say what it does (%v)", err)
			}
		})
	}
}

func TestEveryWeaknessIsAVariant(t *testing.T) {
	t.Parallel()
	known := map[string]bool{"": true}
	for _, v := range bed.Variants() {
		known[v] = true
	}
	for _, p := range properties() {
		for _, w := range p.weak {
			if !known[w.variant] {
				t.Errorf("%s is weakened by %q, which is no variant", p.id, w.variant)
			}
		}
	}
}

func testBuilder(t *testing.T) *bed.Builder {
	t.Helper()
	b, err := bed.NewTestBuilder(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// runDir is a folder that the database's user can reach, too, which t.TempDir is not.
func runDir(t *testing.T) string {
	t.Helper()
	dir, err := bed.Scratch("", "chaos-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}
