package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"

	"aftercall/rehearsal"
	"aftercall/worker"
)

// test runs the tests that authors keep beside their config.
func test(flags *flag.FlagSet) action {
	record := flags.Bool("record", false, "ask the model, and record its answers beside the tests")
	live := flags.Bool("live", false, "ask the model, and record nothing")
	byHand := flags.Bool("by-hand", false, "with --record: take the answers from the file that each test names under answers, and ask no model")
	pattern := flags.String("run", "", "only cases whose name matches this regular `expression`")
	junit := flags.String("junit", "", "write a JUnit report to this `file`, too")
	name := flags.String("model", "", "with --record or --live: another `model` than that of AFTERCALL_MODEL")
	return func(ctx context.Context, c *console, args []string) error {
		o, err := testOptions(*record, *live, *byHand, *pattern)
		if err != nil {
			return err
		}
		if len(args) == 0 {
			args = []string{"."}
		}
		suites, err := suitesIn(c, args...)
		if err != nil {
			return err
		}
		if (*record || *live) && !*byHand {
			model, err := modelFor(c, *name)
			if err != nil {
				return err
			}
			defer model.stop()
			fmt.Fprintf(c.out, "asking %s\n", model.says())
			o.Model = model
		}
		return runTests(ctx, c, suites, o, *junit)
	}
}

func testOptions(record, live, byHand bool, pattern string) (o rehearsal.Options, err error) {
	switch {
	case record && live:
		return o, wrong("--record asks the model and records; --live asks and does not: choose one")
	case byHand && !record:
		return o, wrong("--by-hand goes with --record")
	}
	o.Record, o.ByHand = record, byHand
	if pattern != "" {
		if o.Only, err = regexp.Compile(pattern); err != nil {
			return o, wrong("--run: %v", err)
		}
	}
	return o, nil
}

// suitesIn reads every file of tests that is named or lies under a folder. What is wrong with any of them is printed.
func suitesIn(c *console, paths ...string) ([]*rehearsal.Suite, error) {
	var files []string
	for _, path := range paths {
		found, err := rehearsal.Find(path)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("no tests in %s: their names end in %s", path, rehearsal.Suffix)
		}
		files = append(files, found...)
	}
	var suites []*rehearsal.Suite
	broken := 0
	for _, file := range files {
		s, problems, err := rehearsal.Read(file)
		if err != nil {
			return nil, err
		}
		printProblems(c.out, "", problems)
		broken += len(problems)
		suites = append(suites, s)
	}
	if broken > 0 {
		return nil, fmt.Errorf("%d %s in the tests, so none was run", broken, plural(broken, "error"))
	}
	return suites, nil
}

// runTests runs the suites and reports. It is an error if a case fails, or if none was run.
func runTests(ctx context.Context, c *console, suites []*rehearsal.Suite, o rehearsal.Options, junit string) error {
	var results []rehearsal.Result
	cases, failed, in, out := 0, 0, 0, 0
	for _, s := range suites {
		r, err := s.Run(ctx, o)
		if err != nil {
			return err
		}
		results = append(results, r)
		cases, failed = cases+len(r.Cases), failed+r.Failed()
		read, written := r.Tokens()
		in, out = in+read, out+written
	}
	rehearsal.Print(c.out, results)
	if o.Model != nil {
		fmt.Fprintf(c.out, "%s tokens in, %s out; no account's budget counts them\n", worker.Amount(in), worker.Amount(out))
	}
	if junit != "" {
		if err := writeJUnit(junit, results); err != nil {
			return err
		}
	}
	switch {
	case cases == 0:
		return errors.New("no case was run: no name matches --run")
	case failed > 0:
		return errQuiet
	}
	return nil
}

func writeJUnit(file string, results []rehearsal.Result) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	return errors.Join(rehearsal.WriteJUnit(f, results), f.Close())
}
