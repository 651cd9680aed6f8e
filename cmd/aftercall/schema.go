package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"aftercall/automation"
)

// schema prints the schema of the YAML files, or puts it into each account's folder, where the first line of its files
// says it is.
func schema(flags *flag.FlagSet) action {
	write := flags.Bool("write", false, "write "+automation.SchemaFile+" into each account's folder under DIR")
	reference := flags.Bool("reference", false, "print the authors' reference, in Markdown")
	return func(_ context.Context, c *console, args []string) error {
		switch {
		case *reference && *write:
			return wrong("--reference is printed, never written")
		case !*write && len(args) > 0:
			return wrong("a folder is named together with --write")
		case *reference:
			fmt.Fprint(c.out, automation.Reference())
			return nil
		case !*write:
			_, err := c.out.Write(automation.Schema())
			return err
		}
		for _, dir := range orHere(args) {
			if err := writeSchemas(c, dir); err != nil {
				return err
			}
		}
		return nil
	}
}

func writeSchemas(c *console, dir string) error {
	folders, err := automation.Read(dir)
	if err != nil {
		return err
	}
	for _, f := range folders {
		path := filepath.Join(f.Path, filepath.FromSlash(automation.SchemaFile))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("write schema: %w", err)
		}
		if err := os.WriteFile(path, automation.Schema(), 0o644); err != nil {
			return fmt.Errorf("write schema: %w", err)
		}
		fmt.Fprintln(c.out, path)
	}
	return nil
}
