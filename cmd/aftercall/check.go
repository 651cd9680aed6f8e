package main

import (
	"context"
	"fmt"

	"aftercall/automation"
)

// check checks a folder offline and prints every problem.
func check(_ context.Context, c *console, args []string) error {
	if len(args) > 1 {
		return wrong("name one folder, or none for this one")
	}
	dir := "."
	if len(args) == 1 {
		dir = args[0]
	}
	folders, err := automation.Read(dir)
	if err != nil {
		return err
	}
	errors, warnings := 0, 0
	for _, f := range folders {
		_, problems := automation.Compile(f.Files)
		for _, p := range problems {
			if p.Severity == automation.Error {
				errors++
			} else {
				warnings++
			}
			p.File = f.Path + "/" + p.File
			fmt.Fprintln(c.out, p.String())
		}
	}
	fmt.Fprintf(c.out, "%d %s: %d %s, %d %s\n", len(folders), plural(len(folders), "account"),
		errors, plural(errors, "error"), warnings, plural(warnings, "warning"))
	if errors > 0 {
		return errQuiet
	}
	return nil
}
