// Command guard feeds package templates what no author would write, in a process of its own: without the guard in that
// package, a text of thirty characters ends the process by stack overflow, and nothing could count that from inside.
//
//	guard -seed 7 -for 5m -now FILE      known crashes, corpora and texts of a grammar; parse, and render what passes
//	guard -judge -corpus A,B             what becomes of each row of the specifications
//
// It prints what it has counted so far as one line of JSON, ten times a second. Text number N depends on the seed and N
// alone, so its owner can say where to go on (-from) after a text has ended the process; the text itself stands in the
// file -now. It imports nothing of the product but that package.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"aftercall/templates"
)

// stack is far more than any text may need. Go's own limit is 1 GB, and takes seconds to reach.
const stack = 16 << 20

func main() {
	var o options
	var corpora string
	flag.Uint64Var(&o.seed, "seed", 1, "seed of the texts")
	flag.IntVar(&o.from, "from", 0, "number of the first text")
	flag.DurationVar(&o.lasts, "for", 5*time.Second, "how long")
	flag.StringVar(&o.now, "now", "", "file that holds the text in work")
	flag.StringVar(&o.refused, "refused", "", "file for refused bodies, one a line")
	flag.IntVar(&o.keep, "keep", 0, "how many refused bodies to keep")
	flag.StringVar(&corpora, "corpus", "", "specifications, with commas between")
	judge := flag.Bool("judge", false, "render the specifications' rows")
	flag.Parse()
	debug.SetMaxStack(stack)
	rows, err := readRows(corpora)
	if err == nil && *judge {
		err = judgeRows(rows)
	} else if err == nil {
		err = run(o, rows)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "guard:", err)
		os.Exit(1)
	}
}

type options struct {
	seed         uint64
	from, keep   int
	lasts        time.Duration
	now, refused string
}

// tally is what has been counted.
type tally struct {
	Next                    int // number of the next text
	Texts, Passed, Refused  int
	Panics                  int    // that came out of Parse or Render
	PanicAt                 string // the first text with one
	Unplaced                int    // refusals without a line and column in the text
	UnplacedAt              string
	Unlike                  int // renders whose repetition gave other bytes
	Renders, Errors         int
	Goroutines              int // most, above those at the start
	SlowestRender           int64
	SlowestAt               string
	SlowestParse, LongParse int64 // of texts up to 4 KB, and of longer ones; processor time in µs, like the above
	Largest                 int   // bytes of a rendered part
	Codes                   map[string]int
}

// run tries texts until the time is over, or for ever if one does not end.
func run(o options, rows []row) error {
	bodies, err := os.OpenFile(o.refused, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("open the file for refused bodies: %w", err)
	}
	defer func() { _ = bodies.Close() }()
	kept := 0
	g := &grammar{seed: o.seed, rows: rows}
	n := tally{Next: o.from, Codes: map[string]int{}}
	before := runtime.NumGoroutine()
	out := json.NewEncoder(os.Stdout)
	for began, said := time.Now(), time.Now(); time.Since(began) < o.lasts; {
		c := g.text(n.Next)
		if err := os.WriteFile(o.now, []byte(fmt.Sprintf("%d\n%s", n.Next, c.source)), 0o644); err != nil {
			return fmt.Errorf("note the text in work: %w", err)
		}
		n.try(c)
		n.Next++
		n.Goroutines = max(n.Goroutines, runtime.NumGoroutine()-before)
		if c.refused && len(c.source) < 4<<10 && kept < o.keep && (c.format == templates.Markdown || c.format == templates.HTML) {
			kept++
			if err := json.NewEncoder(bodies).Encode(refused{c.format, []byte(c.source)}); err != nil {
				return fmt.Errorf("keep a refused body: %w", err)
			}
		}
		if n.Next == typos || time.Since(said) > 100*time.Millisecond {
			said = time.Now()
			if err := out.Encode(n); err != nil {
				return fmt.Errorf("say what was counted: %w", err)
			}
		}
	}
	return out.Encode(n)
}

// attempt is one text with the values it is rendered with.
type attempt struct {
	source  string
	format  templates.Format
	values  templates.Values
	again   bool // render twice and compare
	refused bool
}

// refused is a refused body, as bytes: not every text is valid UTF-8.
type refused struct {
	Format templates.Format
	Source []byte
}

// try parses a text and renders it if it passed.
func (n *tally) try(c *attempt) {
	defer func() {
		if p := recover(); p != nil {
			if n.Panics++; n.PanicAt == "" {
				n.PanicAt = fmt.Sprintf("%q as %s: %v", shown(c.source), c.format, p)
			}
		}
	}()
	n.Texts++
	began := used()
	text, problems := templates.Parse(c.source, c.format, names())
	took := (used() - began).Microseconds()
	if len(c.source) <= 4<<10 {
		n.SlowestParse = max(n.SlowestParse, took)
	} else {
		n.LongParse = max(n.LongParse, took)
	}
	if text == nil {
		c.refused = true
		n.refuse(c.source, problems)
		return
	}
	n.Passed++
	n.render(text, c)
}

// refuse looks at a refusal: each problem has a place inside the text, and words.
func (n *tally) refuse(source string, problems []templates.Problem) {
	n.Refused++
	placed := len(problems) > 0
	for _, p := range problems {
		n.Codes[p.Code]++
		placed = placed && p.Offset >= 0 && p.Offset <= len(source) && p.Length > 0 && p.Code != "" && p.Message != "" && p.Help != ""
	}
	if !placed {
		if n.Unplaced++; n.UnplacedAt == "" {
			n.UnplacedAt = fmt.Sprintf("%q: %+v", shown(source), problems)
		}
	}
}

// used is the processor time this process has used: the machine may have other work, which makes a clock useless here.
func used() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// render renders a text. One that seems slow is timed four times more, and the best counts: what the collector does to the
// texts before it is counted, too.
func (n *tally) render(text *templates.Text, c *attempt) {
	n.Renders++
	best := int64(1 << 60)
	var first templates.Rendered
	for i := range 5 {
		began := used()
		r, err := text.Render(c.values, templates.Options{Missing: "not stated"})
		best = min(best, (used() - began).Microseconds())
		if i == 0 {
			first = r
			if err != nil {
				n.Errors++
			}
			n.Largest = max(n.Largest, len(r.Text), len(r.HTML))
		} else if r.Text != first.Text || r.HTML != first.HTML {
			n.Unlike++
		}
		if i > 0 && c.again || !c.again && best < 50_000 {
			break
		}
	}
	if best > n.SlowestRender {
		n.SlowestRender, n.SlowestAt = best, shown(c.source)
	}
}

func shown(s string) string {
	if len(s) > 300 {
		s = s[:300] + "…"
	}
	return strings.ToValidUTF8(s, "?")
}
