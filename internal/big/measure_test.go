package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aftercall/internal/chaos/bed"
)

// TestEveryPageIsMeasured fills the smallest databases there are, and looks at every page of the real binary: how fast does
// not matter here, but that each answers, that the server says what it read for it, and that the report has them all.
func TestEveryPageIsMeasured(t *testing.T) {
	t.Parallel()
	dir, err := bed.Scratch("", "big-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	builder, err := bed.NewTestBuilder(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	o := options{conversations: 400, views: 2, seed: 1, until: time.Now(), explain: filepath.Join(dir, "plans"), report: filepath.Join(dir, "page.md")}
	h, err := open(t.Context(), o, dir, builder)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	r := report{options: o, at: time.Now()}
	for _, size := range []int{100, 400} {
		m, err := h.measure(t.Context(), size, pages())
		if err != nil {
			t.Fatal(err)
		}
		if m.calls != size || m.deliveries < 2*size || m.filled == 0 {
			t.Errorf("%d calls with %d deliveries were written in %s", m.calls, m.deliveries, m.filled)
		}
		r.sizes = append(r.sizes, m)
	}
	if again, err := h.measure(t.Context(), 100, pages()[:1]); err != nil || again.filled != 0 {
		t.Errorf("a database that was filled before: %s, %v", again.filled, err)
	}
	if err := os.WriteFile(o.report, []byte("# Above\n"+markBegin+"\nold\n"+markEnd+"\n# Below\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := r.end(t.Context(), builder.Root); err != nil {
		t.Fatal(err)
	}
	written, err := os.ReadFile(o.report)
	if err != nil || strings.Contains(string(written), "\nold\n") || !strings.HasPrefix(string(written), "# Above\n") || !strings.HasSuffix(string(written), "# Below\n") {
		t.Errorf("the report, %v:\n%s", err, written)
	}
	for _, p := range r.full().pages {
		if p.failed > 0 || p.bytes < 10 || len(p.took) != o.views || p.buffers() == 0 || p.dearest() == "" {
			t.Errorf("%s: %d bytes, %d views, %d database pages, dearest %q", p.name, p.bytes, len(p.took), p.buffers(), p.dearest())
		}
		if !strings.Contains(string(written), "| "+p.name+" | ") {
			t.Errorf("%s is not in the report:\n%s", p.name, written)
		}
	}
	if plans, err := filepath.Glob(filepath.Join(o.explain, "*.txt")); err != nil || len(plans) != len(pages()) {
		t.Errorf("%d files of plans, %v", len(plans), err)
	}
}

// TestGrowth: what reads much more of a larger database is named, and what an index one level deeper takes is not.
func TestGrowth(t *testing.T) {
	t.Parallel()
	read := func(name string, pages int) timing {
		return timing{page: page{name: name, most: ofList}, took: []time.Duration{time.Millisecond, 200 * time.Millisecond}, explained: 10,
			plans: []bed.Plan{{Name: "List", Times: 10, Total: 25, Buffers: 10 * pages}}}
	}
	r := report{options: options{views: 2}, sizes: []measured{
		{calls: 50_000, pages: []timing{read("flat", 300), read("growing", 300)}},
		{calls: 1_000_000, pages: []timing{read("flat", 400), read("growing", 6000)}},
	}}
	got := r.text("here")
	for _, want := range []string{
		"| flat | 200 | 200 | 200 | 150 | **missed** | 300 → 400 | List, 2.5 ms |\n",
		"| growing | 200 | 200 | 200 | 150 | **missed** | 300 → 6000 **grows** | List, 2.5 ms |\n",
		"with 20 times the calls: growing.\n", "50 k → 1000 k",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in:\n%s", want, got)
		}
	}
}

// TestThePageHasTheMarks: the project's page has them, so that `make big` can write its figures.
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
