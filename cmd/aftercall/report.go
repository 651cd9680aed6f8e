package main

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"aftercall/automation"
)

// reportAs gives the way a format prints problems; nil for a format there is none of.
func reportAs(format string) func(io.Writer, findings) error {
	switch format {
	case "text":
		return reportText
	case "json":
		return reportJSON
	case "github":
		return reportGitHub
	}
	return nil
}

func reportText(w io.Writer, f findings) error {
	for _, p := range f.Problems {
		if _, err := fmt.Fprintln(w, p.String()); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(w, f.summary())
	return err
}

// problemJSON is a problem as tools read it; docs/authors/check.md says so.
type problemJSON struct {
	File     string `json:"file"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	Length   int    `json:"length"`
	Severity string `json:"severity"`
	Code     string `json:"code"`
	Message  string `json:"message"`
	Help     string `json:"help"`
	Excerpt  string `json:"excerpt"`
}

func reportJSON(w io.Writer, f findings) error {
	all := make([]problemJSON, 0, len(f.Problems))
	for _, p := range f.Problems {
		all = append(all, problemJSON{
			File: filepath.ToSlash(p.File), Line: p.Line, Column: p.Col, Length: p.Length, Severity: severity(p), Code: p.Code,
			Message: p.Message, Help: p.Help, Excerpt: p.Excerpt,
		})
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(map[string]any{"accounts": f.Accounts, "errors": f.Errors, "warnings": f.Warnings, "problems": all})
}

func severity(p automation.Problem) string {
	if p.Severity == automation.Error {
		return "error"
	}
	return "warning"
}

// reportGitHub prints workflow commands, which GitHub shows beside the lines of a change.
func reportGitHub(w io.Writer, f findings) error {
	for _, p := range f.Problems {
		message := p.Message
		if p.Help != "" {
			message += "\nhelp: " + p.Help
		}
		_, err := fmt.Fprintf(w, "::%s file=%s,line=%d,col=%d,endColumn=%d,title=%s::%s\n", severity(p), property(filepath.ToSlash(p.File)),
			p.Line, p.Col, p.Col+p.Length, property(p.Code), commandText(message))
		if err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(w, f.summary())
	return err
}

// commandText escapes the text of a workflow command, property what stands before it, as actions/toolkit does.
func commandText(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

func property(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(s)
}
