package bed

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Plan is what the server said of one statement.
type Plan struct {
	Name    string  `json:"name"`
	Times   int     `json:"times"`
	Total   float64 `json:"total_ms"`
	Buffers int     `json:"buffers"` // pages of all its times, hit and read
	Slowest float64 `json:"slowest_ms"`
	Text    string  `json:"-"` // statement and plan of the slowest time
}

var (
	planBegins = regexp.MustCompile(`LOG:  duration: ([0-9.]+) ms  plan:$`)
	sqlcName   = regexp.MustCompile(`-- name: (\w+)`)
	pages      = regexp.MustCompile(`shared (?:hit=(\d+))? ?(?:read=(\d+))?`)
)

// ReadPlans reads what the server wrote into a log from an offset on, the dearest statement first.
func ReadPlans(path string, from int64) ([]Plan, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the plans: %w", err)
	}
	defer func() { _ = f.Close() }()
	if _, err := f.Seek(from, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read the plans: %w", err)
	}
	by := map[string]*Plan{}
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
	var all []Plan
	for _, p := range by {
		all = append(all, *p)
	}
	slices.SortFunc(all, func(a, b Plan) int { return cmp.Or(cmp.Compare(b.Total, a.Total), strings.Compare(a.Name, b.Name)) })
	return all, lines.Err()
}

// notePlan counts one entry of the log: the statement, then its plan, whose first line has costs.
func notePlan(by map[string]*Plan, took float64, entry []string) {
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
		p = &Plan{Name: name}
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
		p.Slowest, p.Text = took, statement+"\n\n"+strings.Join(entry[begins:], "\n")
	}
}
