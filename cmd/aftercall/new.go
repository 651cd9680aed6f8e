package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"aftercall/automation"
)

// newAccount is the word that asks for an account instead of a starter.
const newAccount = "account"

// newFiles writes a starter, with its tests and their calls, into an account's folder; or a new account. It never writes
// over a file.
func newFiles(flags *flag.FlagSet) action {
	id := flags.String("id", "", "call the automation this instead of what the starter calls it")
	list := flags.Bool("list", false, "list the starters")
	return func(_ context.Context, c *console, args []string) error {
		switch {
		case *list && len(args) == 0:
			return listStarters(c)
		case *list || len(args) == 0 || len(args) > 3:
			return wrong("name a starter (aftercall new --list) and an account's folder, or: new account NAME [DIR]")
		case args[0] == newAccount && len(args) > 1 && *id == "":
			return writeAccountFile(c, args[1], append(args, args[1])[2])
		case args[0] == newAccount || len(args) > 2:
			return wrong("new account NAME [DIR], or new STARTER [DIR]")
		}
		return writeStarter(c, args[0], append(args, ".")[1], *id)
	}
}

// starterIDs are the starters, in order.
func starterIDs() ([]string, error) {
	entries, err := fs.ReadDir(automation.Starters(), ".")
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, e := range entries {
		if e.IsDir() {
			ids = append(ids, e.Name())
		}
	}
	return ids, nil
}

func listStarters(c *console) error {
	ids, err := starterIDs()
	if err != nil {
		return err
	}
	for _, id := range ids {
		head, err := starterHead(id)
		if err != nil {
			return err
		}
		fmt.Fprintf(c.out, "%-20s %s\n", id, strings.Join(head, " "))
	}
	return nil
}

// starterHead is what the first lines of a starter say of it: what it is for, and what an account needs for it.
func starterHead(id string) (lines []string, err error) {
	text, err := fs.ReadFile(automation.Starters(), path.Join(id, "automation.yaml"))
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		says, comment := strings.CutPrefix(strings.TrimSpace(line), "# ")
		if !comment {
			break
		}
		if !strings.HasPrefix(says, "yaml-language-server:") {
			lines = append(lines, says)
		}
	}
	return lines, nil
}

// writeStarter writes one starter into a folder of its own in an account's.
func writeStarter(c *console, starter, account, id string) error {
	ids, err := starterIDs()
	if err != nil {
		return err
	}
	if !slices.Contains(ids, starter) {
		return fmt.Errorf("there is no starter %q; there are: %s", starter, strings.Join(ids, ", "))
	}
	if id == "" {
		id = starter
	}
	if !isName(id) {
		return wrong("an automation's id is made of small letters, digits, - and _, at most 64: not %q", id)
	}
	files, err := starterFiles(starter, id)
	if err != nil {
		return err
	}
	dir := filepath.Join(account, id)
	if err := writeFiles(dir, files, false); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintln(c.out, filepath.Join(dir, name))
	}
	head, err := starterHead(starter)
	if err != nil {
		return err
	}
	for _, line := range head {
		fmt.Fprintf(c.out, "  %s\n", line)
	}
	if _, err := os.Stat(filepath.Join(account, "account.yaml")); errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(c.err, "%s is no account's folder yet; aftercall new account NAME makes one\n", account)
	}
	fmt.Fprintf(c.out, "Check it: aftercall check %s\n", account)
	if id != starter {
		fmt.Fprintf(c.out, "Record its tests' answers under its new id: aftercall test --record --by-hand %s\n", dir)
	}
	return nil
}

// starterFiles are the files of a starter under another id: its config, its tests and their calls. What is recorded answers
// for the starter's own id only, which is part of the question.
func starterFiles(starter, id string) (map[string][]byte, error) {
	sub, err := fs.Sub(automation.Starters(), starter)
	if err != nil {
		return nil, err
	}
	word := regexp.MustCompile(`\b` + regexp.QuoteMeta(starter) + `\b`)
	files := map[string][]byte{}
	err = fs.WalkDir(sub, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		if id != starter && strings.HasPrefix(name, "recorded/") {
			return nil
		}
		text, err := fs.ReadFile(sub, name)
		if err != nil {
			return err
		}
		if path.Ext(name) == ".yaml" {
			text = word.ReplaceAll(text, []byte(id))
		}
		if automation.IsConfig(name) && path.Ext(name) == ".yaml" {
			text = withModeline(text, 1+strings.Count(name, "/"))
		}
		files[strings.Replace(name, starter+".test.", id+".test.", 1)] = text
		return nil
	})
	return files, err
}

// withModeline puts the line first by which editors find the schema, in place of one that leads elsewhere.
func withModeline(text []byte, depth int) []byte {
	if bytes.HasPrefix(text, []byte("# yaml-language-server:")) {
		_, text, _ = bytes.Cut(text, []byte("\n"))
	}
	return append([]byte(automation.Modeline(depth)+"\n"), text...)
}

// isName reports whether a word can be an id or a key.
func isName(s string) bool { return regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`).MatchString(s) }

// emptyAccount is a new account's file. Everything in it is right, and reaches nobody: the domain is one that cannot exist.
const emptyAccount = `%[1]s
# An account: who it is, who may be written to, and who there is. Automations stand in files beside this one
# (aftercall new --list). Check it all with: aftercall check
account: %[2]s
name: %[2]s
timezone: Europe/London # of times in messages, where a call has none of its own
language: en
from: { email: "calls@%[2]s.example" }

# Nobody outside this list is ever written to.
allow:
  domains: [%[2]s.example]
  contacts: false # true: the customer of a call, at the address of the contact record

people:
  maria: { name: Maria Lopez, email: "maria@%[2]s.example" }

groups:
  support: [maria]

automations: []
`

// writeAccountFile writes a new account's folder.
func writeAccountFile(c *console, name, dir string) error {
	if !isName(name) || strings.Contains(name, "_") {
		return wrong("an account's name is made of small letters, digits and -, at most 64: not %q", name)
	}
	file := fmt.Sprintf(emptyAccount, automation.Modeline(0), name)
	files := map[string][]byte{"account.yaml": []byte(file), automation.SchemaFile: automation.Schema()}
	if err := writeFiles(dir, files, false); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s\nNext: aftercall new --list, and aftercall new STARTER %s\n", filepath.Join(dir, "account.yaml"), dir)
	return nil
}
