package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"aftercall/automation"
)

// check checks folders offline and prints every problem.
func check(flags *flag.FlagSet) action {
	format := flags.String("format", "text", "how problems are printed: `text`, json or github")
	strict := flags.Bool("strict", false, "fail on warnings too")
	return func(_ context.Context, c *console, args []string) error {
		write := reportAs(*format)
		if write == nil {
			return wrong("--format is text, json or github, not %q", *format)
		}
		var f findings
		for _, dir := range orHere(args) {
			if err := f.look(dir); err != nil {
				return err
			}
		}
		if err := write(c.out, f); err != nil {
			return fmt.Errorf("print problems: %w", err)
		}
		if f.Errors > 0 || *strict && f.Warnings > 0 {
			return errQuiet
		}
		return nil
	}
}

// orHere gives the folders named, or the one we are in.
func orHere(dirs []string) []string {
	if len(dirs) == 0 {
		return []string{"."}
	}
	return dirs
}

// findings are the problems of all accounts checked.
type findings struct {
	Accounts, Errors, Warnings int
	Problems                   []automation.Problem // their files with the folder as it was named
	Cut                        bool                 // an account may have more of them
}

// look checks every account under a folder.
func (f *findings) look(dir string) error {
	folders, err := automation.Read(dir)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("read config folder: %w", err)
	}
	defer root.Close()
	tested, err := automation.Tested(root.FS())
	if err != nil {
		return err
	}
	for _, folder := range folders {
		f.Accounts++
		rev, problems := automation.Compile(folder.Files)
		f.Cut = f.Cut || len(problems) == automation.MaxProblems
		if rev != nil {
			problems = automation.InOrder(append(problems, rev.Untested(folder.Files, tested)...))
		}
		for _, p := range problems {
			p.File = filepath.Join(folder.Path, filepath.FromSlash(p.File))
			f.add(p)
		}
	}
	return nil
}

func (f *findings) add(p automation.Problem) {
	if p.Severity == automation.Error {
		f.Errors++
	} else {
		f.Warnings++
	}
	f.Problems = append(f.Problems, p)
}

// summary is the line below all problems.
func (f findings) summary() string {
	s := fmt.Sprintf("%d %s: %d %s, %d %s", f.Accounts, plural(f.Accounts, "account"), f.Errors, plural(f.Errors, "error"),
		f.Warnings, plural(f.Warnings, "warning"))
	if f.Cut {
		s += fmt.Sprintf("; only the first %d of an account are shown", automation.MaxProblems)
	}
	return s
}
