package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// fixture is one file of a vendor's payloads, errors or signatures.
type fixture struct {
	path   string // below fixtures/, with slashes
	body   []byte
	source string // the one to which it is posted, if it is: each file has one of its own, so that no two of them meet
}

// lane is how the files that match a pattern are tried. The first lane that matches a file is its own.
type lane struct {
	files string // a pattern of path.Match
	door  door
	want  string // with which what becomes of each must begin
}

// door is a way into the product. It says what became of a file.
type door struct {
	platform string // the type of the source it needs, if it needs one
	try      func(ctx context.Context, h *hall, f fixture) (outcome string, err error)
}

// fixtures is every file of every vendor.
func fixtures() suite {
	return suite{
		name: "fixtures", try: tryFixtures,
		how: "Every file below `fixtures/` goes in by the door it is meant for: payloads are posted, signed as their platform signs, to a source of their own; what a " +
			"provider answers is played to the channel that would be given it; recorded signatures are judged as a source would. Each has a line in " +
			"`internal/conformance/lanes.go` with what must become of it. A file without a line has failed, whatever it holds.",
	}
}

func tryFixtures(ctx context.Context, h *hall) (o outcome, err error) {
	files, err := readFixtures(h.data.Fixture())
	if err != nil {
		return o, err
	}
	var table strings.Builder
	table.WriteString("| file | what became of it |\n|---|---|\n")
	for _, f := range files {
		r, became := row{id: f.path}, "nobody tries this file: give it a line in lanes.go"
		if l, ok := laneOf(f.path); ok {
			if became, err = l.door.try(ctx, h, f); err != nil {
				return o, fmt.Errorf("try %s: %w", f.path, err)
			}
			r.wrong = !strings.HasPrefix(became, l.want)
		} else {
			r.wrong = true
		}
		if r.wrong {
			r.detail = became
		}
		fmt.Fprintf(&table, "| `%s` | %s |\n", f.path, cell(became))
		fmt.Printf("  %-70s %s\n", f.path, became)
		o.add(r)
	}
	o.table = table.String()
	o.note("%d files, each with its door.", len(files))
	if !h.server.Alive() {
		return o, fmt.Errorf("the server ended")
	}
	return o, h.settle(ctx, time.Minute)
}

func laneOf(file string) (lane, bool) {
	all := lanes()
	i := slices.IndexFunc(all, func(l lane) bool { ok, _ := path.Match(l.files, file); return ok })
	if i < 0 {
		return lane{}, false
	}
	return all[i], true
}

// readFixtures reads every file, in the order of their names.
func readFixtures(root string) (files []fixture, err error) {
	err = filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		below, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		body, err := os.ReadFile(name)
		files = append(files, fixture{path: filepath.ToSlash(below), body: body, source: fmt.Sprintf("fixture-%d", len(files))})
		return err
	})
	return files, err
}

// fixtureSecret is the secret of every source that a fixture is posted to.
const fixtureSecret = "whsec_Zml4dHVyZS1maXh0dXJlLWZpeHR1cmUtZml4dHVyZQ=="

// fixtureSources are the lines of an account's sources: one for each file that is posted.
func fixtureSources(root string) (lines string, err error) {
	files, err := readFixtures(root)
	if err != nil {
		return "", fmt.Errorf("read the fixtures: %w", err)
	}
	for _, f := range files {
		if l, ok := laneOf(f.path); ok && l.door.platform != "" {
			lines += fmt.Sprintf("  - { id: %s, type: %s, secret: \"${ENV:FIXTURES}\" }\n", f.source, l.door.platform)
		}
	}
	return lines, nil
}
