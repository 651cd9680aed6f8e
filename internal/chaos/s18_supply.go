package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// supplied is S18: what is linked is what was pinned, under licences we accept, with no known weakness in what we call.
func supplied() property {
	return property{
		id: "S18", title: "supply chain", try: trySupplied,
		weak: []weakness{{"a-licence-fewer", "licences"}},
	}
}

func trySupplied(ctx context.Context, t *trial) error {
	s := supply{ctx: ctx, root: t.builder.Root}
	if t.weak != "" {
		binary, err := t.builder.Licences(ctx, t.weak)
		if err != nil {
			return err
		}
		s.holds(t, "licences", "all on the list", binary)
		return s.err
	}
	licences := s.holds(t, "licences", "all on the list", "make", "-s", "--no-print-directory", "licences")
	if !t.full {
		return s.err
	}
	s.holds(t, "go mod verify", "all modules verified", "go", "mod", "verify")
	s.holds(t, "bill of materials", "all on the list", "make", "-s", "--no-print-directory", "sbom")
	if s.err != nil {
		return s.err
	}
	components, err := componentsOf(filepath.Join(s.root, "bin", "aftercall.cdx.json"))
	if err != nil {
		return err
	}
	modules, _ := strconv.Atoi(regexp.MustCompile(`\d+`).FindString(licences))
	t.equal("components in the bill: the modules and Go itself", components, modules+1)
	s.vulnerabilities(t)
	return s.err
}

// supply runs commands at the module's root. Its first error that is no exit code stays.
type supply struct {
	ctx  context.Context
	root string
	err  error
}

// run runs a command to its end and gives what it said.
func (s *supply) run(command ...string) (said string, code int) {
	cmd := exec.CommandContext(s.ctx, command[0], command[1:]...)
	cmd.Dir = s.root
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		s.err = errors.Join(s.err, fmt.Errorf("run %s: %w", command[0], err))
	}
	return strings.TrimSpace(string(out)), code
}

// holds runs a command that must end well, with words in its last line.
func (s *supply) holds(t *trial, name, words string, command ...string) (last string) {
	said, code := s.run(command...)
	last = said[strings.LastIndexByte(said, '\n')+1:]
	ok := code == 0 && strings.Contains(last, words)
	if !ok { // what is wrong comes first
		last = firstLine(said)
	}
	t.want(name, last, words, ok)
	return last
}

// vulnerabilities says plainly if nothing was checked: that is no proof, and no failure of ours.
func (s *supply) vulnerabilities(t *trial) {
	said, code := s.run("make", "-s", "--no-print-directory", "vulnerabilities")
	if code == 0 && strings.Contains(said, "NOT CHECKED") {
		t.exercised("known vulnerabilities", "NOT CHECKED: "+firstLine(said))
		return
	}
	last := said[strings.LastIndexByte(said, '\n')+1:]
	t.want("known vulnerabilities in what we call", last, "none", code == 0)
}

func componentsOf(path string) (int, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("read the bill of materials: %w", err)
	}
	var bill struct{ Components []json.RawMessage }
	if err := json.Unmarshal(raw, &bill); err != nil {
		return 0, fmt.Errorf("read the bill of materials: %w", err)
	}
	return len(bill.Components), nil
}
