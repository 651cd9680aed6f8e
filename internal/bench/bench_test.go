package main

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercall/internal/chaos/bed"
)

// The smallest load there is goes through the real binary: how fast does not matter here, but that nothing is missing.
func TestLoadIsAccountedFor(t *testing.T) {
	t.Parallel()
	b := testBench(t)
	s, err := b.stage(t.Context(), bed.Options{Measure: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if err := s.ready(t.Context(), 10*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	defer s.stop()
	run := s.newRun("test")
	all := calls(run, 12, turns)
	l, err := s.under(t.Context(), run, mails, func() *posted { return newSender(s.Bed, usual).closed(t.Context(), all, 4) })
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(len(l.accepted), l.refused, l.full, l.lost, l.doubled), "12 0 12 0 0"; got != want {
		t.Errorf("accepted, refused, whole, lost, doubled: %s, want %s", got, want)
	}
	if l.rate() <= 0 || len(l.endToEnd) != 12 || l.endToEnd[0] < 10*time.Millisecond {
		t.Errorf("%.1f calls a second, end to end %v, with a model that takes 10 ms", l.rate(), l.endToEnd)
	}
	sent, err := s.checker.Count(t.Context(), `SELECT count(*) FROM deliveries AS d JOIN conversations AS c ON c.id = d.conversation_id
		WHERE c.external_id LIKE $1 AND d.state = 'sent'`, run+"-%")
	if err != nil {
		t.Fatal(err)
	}
	if sent != 12*mails {
		t.Errorf("the ledger has %d mails as sent, want %d", sent, 12*mails)
	}
	if err := s.audit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r := (&report{parts: []part{{Figures: b.figures}}}); len(b.figures) != 1 || r.wrong() {
		t.Errorf("the audit: %v", b.figures)
	}
}

// The same of the measurement with a slow provider: every figure is taken, and what must be nought is.
func TestASlowProviderIsMeasured(t *testing.T) {
	t.Parallel()
	b := testBench(t)
	if err := takeSlowProvider(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if r := (&report{parts: []part{{Figures: b.figures}}}); r.wrong() {
		t.Errorf("lost, doubled or unbalanced: %v", b.figures)
	}
	for _, name := range []string{"email, due to sent p95, alone", "sms, call to sent p95, beside slow email", "chatter, due to sent p95, beside slow sms"} {
		if f, ok := (part{Figures: b.figures}).figure(name); !ok || f.low() < ms(quickWait) {
			t.Errorf("%s: %v, with providers that take %s", name, f.Values, quickWait)
		}
	}
}

func TestMissingAndDoubledMailsAreSeen(t *testing.T) {
	t.Parallel()
	at := time.Unix(100, 0)
	mail := func(counts ...int) bed.TalliedCall {
		c := bed.TalliedCall{By: map[string]int{}, LastNano: at.Add(time.Second).UnixNano()}
		for i, n := range counts {
			c.By[automation(i)] = n
			c.Mails += n
		}
		return c
	}
	l := seen{posted: &posted{first: at, accepted: map[string]time.Time{"r-0": at, "r-1": at, "r-2": at, "r-3": at}}}
	l.count(bed.Tally{Calls: map[string]bed.TalliedCall{
		"r-0": mail(1, 1), "r-1": mail(1, 3), "r-2": mail(1), // and none of r-3
	}}, 2)
	if got, want := fmt.Sprint(l.full, l.lost, l.doubled, l.wall), "2 3 2 1s"; got != want {
		t.Errorf("whole, lost, doubled, wall: %s, want %s", got, want)
	}
}

func TestFiguresAreHeldAgainstTheirGoals(t *testing.T) {
	t.Parallel()
	b := &bench{}
	for _, v := range []float64{310, 250, 300} {
		b.add("rate", "/s", v, atLeast(300))
		b.add("time", "ms", v, atMost(299))
		b.add("plain", "MB", v)
	}
	b.add("lost", "", 0, law)
	b.add("lost", "", 1, law)
	b.add("lost", "", 0, law)
	var got [][]string
	for _, f := range b.figures {
		got = append(got, []string{f.Name, f.measured(), f.spread(), f.goal(), f.verdict()})
	}
	want := [][]string{
		{"rate", "300 /s (250 – 310)", "20 %", "at least 300", "met"},
		{"time", "300 ms (250 – 310)", "20 %", "at most 299", "MISSED"},
		{"plain", "300 MB (250 – 310)", "20 %", "", ""},
		{"lost", "0 (0 – 1)", "", "0", "MISSED"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if r := (&report{parts: []part{{Figures: b.figures[:3]}}}); r.wrong() {
		t.Error("a goal that is missed must not fail the run")
	}
	if r := (&report{parts: []part{{Figures: b.figures}}}); !r.wrong() {
		t.Error("a mail that was lost in one of three rounds must fail the run")
	}
}

func testBench(t *testing.T) *bench {
	t.Helper()
	dir, err := bed.Scratch("", "bench-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	builder, err := bed.NewTestBuilder(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return &bench{options: options{short: true}.withDefaults(), builder: builder, dir: dir}
}
