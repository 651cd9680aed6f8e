package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// waitingJobs wait while statements are explained, beside the old calls.
const waitingJobs = 50_000

// explainAll lets the server explain every statement that the product runs while many calls wait and more arrive, and
// notes the dearest. It is the last that is done with the stage.
func (s *stage) explainAll(ctx context.Context) error {
	db := pgx.Identifier{s.name}.Sanitize()
	for _, set := range []string{
		`session_preload_libraries = 'auto_explain'`, `auto_explain.log_min_duration = 0`, `auto_explain.log_analyze = on`,
		`auto_explain.log_buffers = on`, `auto_explain.log_triggers = on`,
	} {
		if _, err := s.checker.Pool().Exec(ctx, `ALTER DATABASE `+db+` SET `+set); err != nil {
			s.bench.note("statements are not explained: %v", err)
			return nil
		}
	}
	if err := s.copyCalls(ctx, waitingRows(), s.bench.size(waitingJobs, 100), `now() - i * interval '1 millisecond'`); err != nil {
		return fmt.Errorf("let calls wait: %w", err)
	}
	info, err := os.Stat(s.Database.LogPath())
	if err != nil {
		return fmt.Errorf("find the server's log: %w", err)
	}
	if err := s.start(ctx); err != nil {
		return err
	}
	run := s.newRun("explained")
	newSender(s.Bed, usual).open(ctx, calls(run, s.bench.size(1000, 40), turns), 100, nil)
	s.stop()
	all, err := readPlans(s.Database.LogPath(), info.Size())
	if err != nil {
		return err
	}
	s.bench.plans = all
	s.bench.note("%d distinct statements were explained while 100 calls a second arrived beside %d that waited", len(all),
		s.bench.size(waitingJobs, 100))
	if s.bench.explain == "" {
		return nil
	}
	return writePlans(s.bench.explain, all)
}

// plan is what the server said of one statement.
type plan struct {
	Name    string  `json:"name"`
	Times   int     `json:"times"`
	Total   float64 `json:"total_ms"`
	Buffers int     `json:"buffers"` // pages of all its times, hit and read
	Slowest float64 `json:"slowest_ms"`
	text    string  // statement and plan of the slowest time
}

var (
	planBegins = regexp.MustCompile(`LOG:  duration: ([0-9.]+) ms  plan:$`)
	sqlcName   = regexp.MustCompile(`-- name: (\w+)`)
	pages      = regexp.MustCompile(`shared (?:hit=(\d+))? ?(?:read=(\d+))?`)
)

// readPlans reads what auto_explain wrote into a log from an offset on, the dearest statement first.
func readPlans(path string, from int64) ([]plan, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the plans: %w", err)
	}
	defer func() { _ = f.Close() }()
	if _, err := f.Seek(from, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read the plans: %w", err)
	}
	by := map[string]*plan{}
	var entry []string
	var took float64
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "\t") {
			entry = append(entry, line[1:])
			continue
		}
		notePlan(by, took, entry)
		entry = nil
		if m := planBegins.FindStringSubmatch(line); m != nil {
			took, _ = strconv.ParseFloat(m[1], 64)
			entry = []string{}
		}
	}
	notePlan(by, took, entry)
	var all []plan
	for _, p := range by {
		all = append(all, *p)
	}
	slices.SortFunc(all, func(a, b plan) int { return cmp.Or(cmp.Compare(b.Total, a.Total), strings.Compare(a.Name, b.Name)) })
	return all, lines.Err()
}

// notePlan counts one entry of the log: the statement, then its plan, whose first line has costs.
func notePlan(by map[string]*plan, took float64, entry []string) {
	begins := slices.IndexFunc(entry, func(l string) bool { return strings.Contains(l, "(cost=") })
	if begins < 0 {
		return
	}
	statement := strings.TrimPrefix(strings.Join(entry[:begins], "\n"), "Query Text: ")
	name := strings.Join(strings.Fields(statement), " ")
	if m := sqlcName.FindStringSubmatch(statement); m != nil {
		name = m[1]
	}
	name = name[:min(len(name), 60)]
	p := by[name]
	if p == nil {
		p = &plan{Name: name}
		by[name] = p
	}
	p.Times++
	p.Total += took
	for _, l := range entry[begins:] {
		if text, ok := strings.CutPrefix(strings.TrimSpace(l), "Buffers: "); ok {
			if m := pages.FindStringSubmatch(text); m != nil { // the first line's are those of the whole plan
				hit, _ := strconv.Atoi(m[1])
				read, _ := strconv.Atoi(m[2])
				p.Buffers += hit + read
			}
			break
		}
	}
	if took >= p.Slowest {
		p.Slowest, p.text = took, statement+"\n\n"+strings.Join(entry[begins:], "\n")
	}
}

// writePlans writes the slowest plan of each statement.
func writePlans(path string, all []plan) error {
	var b strings.Builder
	for _, p := range all {
		fmt.Fprintf(&b, "=== %s: %d times, %.2f ms on average, %.2f ms at most, %d pages a time\n\n%s\n\n", p.Name, p.Times,
			p.Total/float64(p.Times), p.Slowest, p.Buffers/p.Times, p.text)
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		return fmt.Errorf("write the plans: %w", err)
	}
	return nil
}
