package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"aftercall/internal/llm"
	"aftercall/interview"
	"aftercall/worker"
)

// Options say how tests are run. The zero value runs all of them from what is recorded.
type Options struct {
	Only   *regexp.Regexp // cases by name; nil: all
	Model  llm.Model      // asked instead of what is recorded; nil: nobody is asked
	ByHand bool           // the answers are those written by hand
	Record bool           // what is answered is recorded
}

// Result is what became of a file of tests.
type Result struct {
	Path  string
	Cases []CaseResult
}

// CaseResult is what became of a case, try by try.
type CaseResult struct {
	Case
	Runs []Run
	Took time.Duration
}

// Run is one try of a case.
type Run struct {
	Diffs     []Diff
	Err       error // it could not be tried
	Model     string
	Simulated bool
}

// Passed counts the tries that passed.
func (c CaseResult) Passed() (n int) {
	for _, r := range c.Runs {
		if r.Err == nil && len(r.Diffs) == 0 {
			n++
		}
	}
	return n
}

// OK reports whether the case passed often enough.
func (c CaseResult) OK() bool { return c.Passed() >= c.Pass }

// Failed counts the cases that did not pass often enough.
func (r Result) Failed() (n int) {
	for _, c := range r.Cases {
		if !c.OK() {
			n++
		}
	}
	return n
}

// Run runs the suite's cases one after another, and records the answers if that is wanted: also those of cases that fail,
// for it is the expectation that may be wrong.
func (s *Suite) Run(ctx context.Context, o Options) (Result, error) {
	result := Result{Path: s.Path}
	before, err := loadRecordings(s.Recorded)
	if err != nil {
		return result, err
	}
	recorded, fresh := NewRecorded(before), map[string][]Recording{}
	for _, c := range s.Cases {
		if o.Only != nil && !o.Only.MatchString(c.Name) {
			continue
		}
		one := CaseResult{Case: c}
		began := time.Now()
		for n := range c.Repeat {
			model, err := s.model(c, n, o, recorded)
			if err != nil {
				one.Runs = append(one.Runs, Run{Err: err})
				continue
			}
			taken := &recorder{model: model, name: c.Name, run: n}
			one.Runs = append(one.Runs, s.try(ctx, c, taken))
			fresh[c.Name] = append(fresh[c.Name], taken.kept...)
		}
		one.Took = time.Since(began)
		result.Cases = append(result.Cases, one)
		if err := ctx.Err(); err != nil {
			return result, err
		}
	}
	if !o.Record {
		return result, nil
	}
	return result, saveRecordings(s.Recorded, s.merge(before, fresh))
}

// model is what one try of a case asks.
func (s *Suite) model(c Case, run int, o Options, recorded *Recorded) (llm.Model, error) {
	switch {
	case o.ByHand:
		w, ok := s.Written[c.File]
		if !ok {
			return nil, fmt.Errorf("no answer is written for the call %s; add it to the file named under answers", c.File)
		}
		return w, nil
	case o.Model != nil:
		return o.Model, nil
	}
	return recorded.of(c.Name, run), nil
}

// try rehearses a case once and compares.
func (s *Suite) try(ctx context.Context, c Case, model llm.Model) Run {
	memory := NewMemory()
	r, err := worker.Rehearse(ctx, interview.NewInterviewer(model, memory, interview.Limits{}), c.Call, s.Account, c.Now)
	run := Run{Err: err}
	if IsMissing(err) {
		run.Err = errors.New(notRecorded)
	}
	if err == nil {
		run.Diffs = c.Want.compare(outcomeOf(r, c.Call, s.Account))
	}
	for _, call := range memory.Calls() {
		run.Model, run.Simulated = call.Reply.Model, run.Simulated || call.Reply.Simulated
	}
	return run
}

// merge puts what was recorded now in the place of what was recorded before, in the order of the cases. Recordings of cases
// that are no more are dropped; those of cases that were not run, or gave no answer, stay.
func (s *Suite) merge(before []Recording, fresh map[string][]Recording) []Recording {
	all := []Recording{}
	for _, c := range s.Cases {
		some := fresh[c.Name]
		if len(some) == 0 {
			some = filter(before, func(r Recording) bool { return r.Case == c.Name })
		}
		all = append(all, some...)
	}
	return slices.Clip(all)
}
