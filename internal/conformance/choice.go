package main

import (
	"embed"
	"fmt"
	"strings"
)

// choices are the deviations that we chose, one file for each corpus that has any. A line at the margin says how its rows
// deviate and why, with a bar between; the rows' ids follow, one a line and indented:
//
//	refused AC204 | a text stands in one file, and its names are known when it is checked
//	    hb-partials-174
//
//go:embed choices/*.txt
var choices embed.FS

// choice is how a row may deviate, and why.
type choice struct{ kind, reason string }

// choicesOf reads the choices of a corpus, by the rows' ids.
func choicesOf(corpus string) (map[string]choice, error) {
	raw, err := choices.ReadFile("choices/" + corpus + ".txt")
	if err != nil {
		return nil, nil // a corpus without a file has none
	}
	all, err := readChoices(string(raw))
	if err != nil {
		return nil, fmt.Errorf("choices/%s.txt: %w", corpus, err)
	}
	return all, nil
}

func readChoices(text string) (map[string]choice, error) {
	all := map[string]choice{}
	var now choice
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		id, row := strings.CutPrefix(line, "    ")
		switch _, twice := all[id]; {
		case line == "":
		case row && now.reason == "":
			return nil, fmt.Errorf("row %q stands under no reason", id)
		case row && twice:
			return nil, fmt.Errorf("row %q stands there twice", id)
		case row:
			all[id] = now
		default:
			kind, reason, _ := strings.Cut(line, " | ")
			if now = (choice{kind, reason}); kind == "" || reason == "" {
				return nil, fmt.Errorf("want how rows deviate, a bar and the reason: %q", line)
			}
		}
	}
	return all, nil
}
