package rehearsal

import (
	"context"
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
	TokensIn  int
	TokensOut int
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

// Tokens counts what the answers cost.
func (r Result) Tokens() (in, out int) {
	for _, c := range r.Cases {
		for _, run := range c.Runs {
			in, out = in+run.TokensIn, out+run.TokensOut
		}
	}
	return in, out
}

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
// for it is the expectation that may be wrong; and if it is interrupted, those it has, for they may have cost money.
func (s *Suite) Run(ctx context.Context, o Options) (Result, error) {
	result := Result{Path: s.Path}
	before, err := loadRecordings(s.Recorded)
	if err != nil {
		return result, err
	}
	var fresh []Recording
	for _, c := range s.Cases {
		if o.Only != nil && !o.Only.MatchString(c.Name) {
			continue
		}
		one := CaseResult{Case: c}
		began := time.Now()
		for n := range c.Repeat {
			run, kept := s.play(ctx, c, n, o, before)
			one.Runs, fresh = append(one.Runs, run), append(fresh, kept...)
		}
		one.Took = time.Since(began)
		result.Cases = append(result.Cases, one)
		if ctx.Err() != nil {
			break
		}
	}
	if o.Record && len(fresh) > 0 {
		if err := saveRecordings(s.Recorded, s.merge(before, fresh)); err != nil {
			return result, err
		}
	}
	return result, ctx.Err()
}

// play tries a case once, and gives what was answered. A try that came to no end gives nothing: half of its answers would
// take the place of all those that were recorded before.
func (s *Suite) play(ctx context.Context, c Case, n int, o Options, before []Recording) (Run, []Recording) {
	model, err := s.model(c, n, o, before)
	if err != nil {
		return Run{Err: err}, nil
	}
	taken := &recorder{model: model, name: c.Name, run: n}
	run := s.try(ctx, c, taken)
	if isMissing(run.Err) {
		run.Err = s.unrecorded(c, n, before)
	}
	if run.Err != nil {
		return run, nil
	}
	return run, taken.kept
}

// model is what one try of a case asks.
func (s *Suite) model(c Case, run int, o Options, before []Recording) (llm.Model, error) {
	switch {
	case o.ByHand:
		w, ok := s.Written[c.File]
		if !ok {
			return nil, fmt.Errorf("no answer is written for the call %s; add it to the file named under answers", c.File)
		}
		return w, nil
	case o.Model != nil:
		return patient{o.Model}, nil
	}
	return newReplay(before, c.Name, run), nil
}

// unrecorded says why there is no recording, and what to do. Where answers are written by hand a model is not the remedy:
// its answers would take their place.
func (s *Suite) unrecorded(c Case, run int, before []Recording) error {
	why := "no answer is recorded for this case"
	if of := filter(before, func(r Recording) bool { return r.Case == c.Name }); len(of) > 0 {
		why = fmt.Sprintf("no answer is recorded for try %d of this case", run+1)
		if slices.ContainsFunc(of, func(r Recording) bool { return r.Run == run }) {
			why = "what is asked has changed since the answer was recorded (the config, the call or the form of the prompt)"
		}
	}
	if _, ok := s.Written[c.File]; ok {
		return fmt.Errorf("%s; see whether the answer written by hand still fits, and run `aftercall test --record --by-hand`", why)
	}
	return fmt.Errorf("%s; run `aftercall test --record`", why)
}

// try rehearses a case once and compares.
func (s *Suite) try(ctx context.Context, c Case, model llm.Model) Run {
	memory := NewMemory()
	r, err := worker.Rehearse(ctx, interview.NewInterviewer(model, memory, interview.Limits{}), c.Call, s.Account, c.Now)
	run := Run{Err: err}
	if err == nil {
		run.Diffs = c.Want.compare(outcomeOf(r, c.Call, s.Account))
	}
	for _, call := range memory.Calls() {
		run.Model, run.Simulated = call.Reply.Model, run.Simulated || call.Reply.Simulated
		run.TokensIn, run.TokensOut = run.TokensIn+call.Reply.TokensIn, run.TokensOut+call.Reply.TokensOut
	}
	return run
}

// merge puts what was recorded now in the place of what was recorded before, try by try, in the order of the cases.
// Recordings of cases and tries that are no more are dropped; those that were not run, or gave no answer, stay.
func (s *Suite) merge(before, fresh []Recording) []Recording {
	all := []Recording{}
	for _, c := range s.Cases {
		for run := range c.Repeat {
			own := func(r Recording) bool { return r.Case == c.Name && r.Run == run }
			some := filter(fresh, own)
			if len(some) == 0 {
				some = filter(before, own)
			}
			all = append(all, some...)
		}
	}
	return all
}
