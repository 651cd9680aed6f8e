package main

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// kazooFile is the file into which a Kazoo callflow's notifications are written.
const kazooFile = "kazoo.yaml"

// importFiles writes automation files from what another system exports. It never writes over a file.
func importFiles(*flag.FlagSet) action {
	return func(_ context.Context, c *console, args []string) error {
		switch {
		case len(args) == 2 && args[0] == "natterbox":
			return importNatterbox(c, args[1])
		case (len(args) == 2 || len(args) == 3) && args[0] == "kazoo":
			return importKazoo(c, args[1], append(args, ".")[2])
		}
		return wrong("say what from, the file, and for Kazoo the account's folder: aftercall import kazoo FILE [DIR], or natterbox FILE")
	}
}

// importKazoo writes the notifications of a Kazoo export into an account's folder, and says what got lost.
func importKazoo(c *console, file, dir string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	found, err := readKazoo(text)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	files := found.files()
	for _, w := range found.warnings {
		fmt.Fprintf(c.err, "warning: %s\n", w)
	}
	if len(files) == 0 {
		return fmt.Errorf("%s: no notification is left that would be sent to anybody; nothing was written", file)
	}
	files[kazooFile] = withModeline(files[kazooFile], 0)
	if err := writeFiles(dir, files, false); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintln(c.out, filepath.Join(dir, name))
	}
	fmt.Fprintf(c.out, "%d automations, %d warnings. Check them: aftercall check %s\n", found.written, len(found.warnings), dir)
	return nil
}
