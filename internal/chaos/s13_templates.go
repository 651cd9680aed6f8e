package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"aftercall/internal/chaos/checker"
)

// templated is S13: whatever an author writes into a template, the program goes on, and a refusal says where.
func templated() property {
	return property{
		id: "S13", title: "template guard", try: tryTemplated,
		weak: []weakness{
			{"no-template-guard", "texts that ended the process"},
			{"no-template-guard", "goroutines left behind"},
		},
	}
}

func tryTemplated(ctx context.Context, t *trial) error {
	var variants []string
	if t.weak != "" {
		variants = append(variants, t.weak)
	}
	dir, err := os.MkdirTemp(t.dir, "templates-")
	if err != nil {
		return fmt.Errorf("make a folder for the texts: %w", err)
	}
	f := &feeding{dir: dir, seed: t.seed, keep: t.size(10_000, 400), patience: t.within(10*time.Second, 3*time.Second)}
	if f.binary, err = t.builder.Guard(ctx, variants...); err != nil {
		return err
	}
	for _, name := range []string{"handlebars-spec/vectors.json", "mustache-spec/tests.json"} {
		if path := t.shared.Data(name); path != "" {
			f.corpora = append(f.corpora, path)
		}
	}
	if err := f.feed(ctx, t.within(5*time.Minute, 5*time.Second)); err != nil {
		return err
	}
	f.report(t)
	if t.weak != "" {
		return nil // what a text ended says enough
	}
	return f.check(ctx, t)
}

// feeding watches the process that is fed, and starts it again behind a text that ended it.
type feeding struct {
	binary, dir string
	seed        uint64
	keep        int
	patience    time.Duration // for one text
	corpora     []string

	lives int
	sum   tally
	ended checker.Finding // texts that ended the process
	hung  checker.Finding // texts that did not come to an end
}

// tally is what the process counts (see guard/main.go).
type tally struct {
	Next, Texts, Passed, Refused, Panics, Unplaced, Unlike, Renders, Errors, Goroutines, Largest int

	PanicAt, UnplacedAt, SlowestAt         string
	SlowestRender, SlowestParse, LongParse int64
	Codes                                  map[string]int
}

// feed starts the process until the time is over; twenty that ended early are enough.
func (f *feeding) feed(ctx context.Context, lasts time.Duration) error {
	for began := time.Now(); time.Since(began) < lasts && f.ended.Count+f.hung.Count < 20; {
		f.lives++
		last, err := f.live(ctx, lasts-time.Since(began))
		f.add(last)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		raw, rerr := os.ReadFile(filepath.Join(f.dir, "now"))
		if rerr != nil {
			return fmt.Errorf("the process ended before its first text: %w", err)
		}
		number, text, _ := strings.Cut(string(raw), "\n")
		if _, serr := fmt.Sscan(number, &f.sum.Next); serr != nil {
			return fmt.Errorf("read which text ended the process: %w", serr)
		}
		f.sum.Next++
		found := &f.ended
		if errors.Is(err, errHung) {
			found = &f.hung
		}
		if found.Count++; len(found.IDs) < 10 {
			found.IDs = append(found.IDs, fmt.Sprintf("%.80q", text))
		}
	}
	return nil
}

// live is one life of the process: what it counted, and why it ended early.
func (f *feeding) live(ctx context.Context, lasts time.Duration) (last tally, err error) {
	cmd := exec.CommandContext(ctx, f.binary, "-seed", fmt.Sprint(f.seed), "-from", fmt.Sprint(f.sum.Next), "-for", lasts.String(),
		"-now", filepath.Join(f.dir, "now"), "-refused", filepath.Join(f.dir, "refused"), "-keep", fmt.Sprint(f.keep),
		"-corpus", strings.Join(f.corpora, ","))
	said, err := cmd.StdoutPipe()
	if err != nil {
		return last, fmt.Errorf("feed templates: %w", err)
	}
	log, err := os.Create(filepath.Join(f.dir, fmt.Sprintf("life-%02d.log", f.lives)))
	if err != nil {
		return last, fmt.Errorf("feed templates: %w", err)
	}
	defer func() { _ = log.Close() }()
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		return last, fmt.Errorf("feed templates: %w", err)
	}
	hung := false
	watch := time.AfterFunc(f.patience, func() { hung = true; _ = cmd.Process.Kill() })
	lines := bufio.NewScanner(said)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		watch.Reset(f.patience)
		if err := json.Unmarshal(lines.Bytes(), &last); err != nil {
			break // it died while it wrote
		}
	}
	err = cmd.Wait()
	if !watch.Stop() && hung {
		return last, errHung
	}
	if err != nil {
		return last, fmt.Errorf("feed templates: %w", err)
	}
	return last, nil
}

var errHung = errors.New("a text did not come to an end")

func (f *feeding) add(n tally) {
	s := &f.sum
	s.Texts, s.Passed, s.Refused = s.Texts+n.Texts, s.Passed+n.Passed, s.Refused+n.Refused
	s.Panics, s.Unplaced, s.Unlike = s.Panics+n.Panics, s.Unplaced+n.Unplaced, s.Unlike+n.Unlike
	s.Renders, s.Errors = s.Renders+n.Renders, s.Errors+n.Errors
	s.Goroutines, s.Largest = max(s.Goroutines, n.Goroutines), max(s.Largest, n.Largest)
	s.SlowestParse, s.LongParse = max(s.SlowestParse, n.SlowestParse), max(s.LongParse, n.LongParse)
	if n.SlowestRender > s.SlowestRender {
		s.SlowestRender, s.SlowestAt = n.SlowestRender, n.SlowestAt
	}
	if s.PanicAt == "" {
		s.PanicAt = n.PanicAt
	}
	if s.UnplacedAt == "" {
		s.UnplacedAt = n.UnplacedAt
	}
	if s.Codes == nil {
		s.Codes = map[string]int{}
	}
	for code, count := range n.Codes {
		s.Codes[code] += count
	}
}

// found is a count of which the process told the first.
func found(count int, first string) checker.Finding {
	c := checker.Finding{Count: count}
	if first != "" {
		c.IDs = []string{first}
	}
	return c
}

func (f *feeding) report(t *trial) {
	s := f.sum
	t.exercised("texts", fmt.Sprintf("%d: known crashes, corpora, grammar; %d passed, %d refused, of %d kinds of problem", s.Texts, s.Passed, s.Refused, len(s.Codes)))
	t.exercised("renders", fmt.Sprintf("%d, of which %d refused by a limit", s.Renders, s.Errors))
	t.zero("texts that ended the process", f.ended)
	t.zero("texts that did not come to an end", f.hung)
	t.zero("panics out of parse or render", found(s.Panics, s.PanicAt))
	t.atMost("goroutines left behind", s.Goroutines, 50)
	t.zero("refusals without a place in the text", found(s.Unplaced, s.UnplacedAt))
	t.zero("renders whose repetition differs", found(s.Unlike, ""))
	slowest := time.Duration(s.SlowestRender) * time.Microsecond
	t.measured("slowest render, processor time", slowest, "at most 100ms", slowest <= 100*time.Millisecond)
	t.exercised("slowest parse, processor time", fmt.Sprintf("%s up to 4 KB, %s up to 64 KB",
		time.Duration(s.SlowestParse)*time.Microsecond, time.Duration(s.LongParse)*time.Microsecond))
	t.want("largest part rendered", fmt.Sprintf("%d KB", s.Largest>>10), "at most 256 KB", s.Largest <= 256<<10)
	if slowest > 100*time.Millisecond {
		t.say("  slowest: %s", s.SlowestAt)
	}
}
