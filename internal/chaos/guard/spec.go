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

// judged is what became of a row. Its JSON is read by whoever starts this command with -judge.
type judged struct {
	Corpus, ID string
	// Verdict is "as specified", "refused" (by the guard, where the specification renders), "otherwise" or "panic".
	Verdict string
	Detail  string // why it was refused, or what came out
}

// judgeRows prints what became of each row.
func judgeRows(rows []row) error {
	all := make([]judged, len(rows))
	for i, r := range rows {
		all[i].judge(r)
	}
	return json.NewEncoder(os.Stdout).Encode(all)
}

func (j *judged) judge(r row) {
	j.Corpus, j.ID, j.Verdict = r.corpus, r.ID, "as specified"
	defer func() {
		if p := recover(); p != nil {
			j.Verdict, j.Detail = "panic", fmt.Sprint(p)
		}
	}()
	data, _ := r.Data.(map[string]any)
	text, problems := templates.Parse(r.Template, templates.Plain, namesOf(data))
	if text == nil {
		if r.Expected != nil {
			j.Verdict, j.Detail = "refused", problems[0].Code+" "+problems[0].Message
		}
		return
	}
	// What is missing is never left blank here, and a message ends where its words end: neither is what a specification of
	// an engine asks. And it is plain text, so nothing is written as an entity.
	const missing = "\uE123"
	got, err := text.Render(data, templates.Options{Missing: missing})
	if err != nil || r.Expected == nil ||
		strings.Trim(strings.ReplaceAll(got.Text, missing, ""), "\n") != strings.Trim(html.UnescapeString(*r.Expected), "\n") {
		j.Verdict, j.Detail = "otherwise", fmt.Sprintf("%q gives %q", r.Template, got.Text)
	}
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
