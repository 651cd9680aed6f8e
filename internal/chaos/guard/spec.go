package main

import (
	"encoding/json"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"strings"

	"aftercall/templates"
)

// row is a row of a specification, Handlebars' own or Mustache's.
type row struct {
	ID, Suite, Name, Template string
	Data                      any
	Partials                  map[string]string
	Expected                  *string // nil: an error is expected

	corpus string
}

// readRows reads the rows of all corpora.
func readRows(paths string) (rows []row, err error) {
	if paths == "" {
		return nil, nil
	}
	for _, path := range strings.Split(paths, ",") {
		raw, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read a specification: %w", err)
		}
		var more []row
		if err := json.Unmarshal(raw, &more); err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		for i := range more {
			more[i].corpus = filepath.Base(filepath.Dir(path))
			if more[i].ID == "" {
				more[i].ID = more[i].Suite + ": " + more[i].Name
			}
		}
		rows = append(rows, more...)
	}
	return rows, nil
}

// verdicts are what became of a specification's rows.
type verdicts struct {
	Rows     int
	As       int // rendered as expected, or refused where an error is expected
	Refused  int // by the guard, where the specification renders
	Codes    map[string]int
	Other    []string // rendered otherwise
	Panicked []string
}

// judgeRows prints the verdicts by corpus.
func judgeRows(rows []row) error {
	all := map[string]*verdicts{}
	for _, r := range rows {
		v := all[r.corpus]
		if v == nil {
			v = &verdicts{Codes: map[string]int{}}
			all[r.corpus] = v
		}
		v.Rows++
		v.judge(r)
	}
	return json.NewEncoder(os.Stdout).Encode(all)
}

func (v *verdicts) judge(r row) {
	defer func() {
		if p := recover(); p != nil {
			v.Panicked = append(v.Panicked, r.ID)
		}
	}()
	data, _ := r.Data.(map[string]any)
	text, problems := templates.Parse(r.Template, templates.Plain, namesOf(data))
	switch {
	case text == nil && r.Expected == nil:
		v.As++
		return
	case text == nil:
		v.Refused++
		v.Codes[problems[0].Code]++
		return
	}
	// What is missing is never left blank here, and a message ends where its words end: neither is what a specification of
	// an engine asks. And it is plain text, so nothing is written as an entity.
	const missing = "\uE123"
	got, err := text.Render(data, templates.Options{Missing: missing})
	if err == nil && r.Expected != nil &&
		strings.Trim(strings.ReplaceAll(got.Text, missing, ""), "\n") == strings.Trim(html.UnescapeString(*r.Expected), "\n") {
		v.As++
		return
	}
	v.Other = append(v.Other, fmt.Sprintf("%s: %q gives %q", r.ID, r.Template, got.Text))
}

// namesOf are the names that a row's data have, each with the kind an author would declare.
func namesOf(data map[string]any) templates.Names {
	all := templates.Names{}
	for name, value := range data {
		switch value.(type) {
		case map[string]any, []any:
			all[name] = templates.KindOpen
		case bool:
			all[name] = templates.KindBoolean
		case float64:
			all[name] = templates.KindNumber
		default:
			all[name] = templates.KindText
		}
	}
	return all
}
