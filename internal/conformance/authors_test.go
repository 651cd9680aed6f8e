package main

import (
	"flag"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite what the authors' page says of the choices")

// TestAuthorsPageListsTheChoices: the authors' page on templates lists what we refuse of Handlebars as the report does, from
// choices/handlebars-spec.txt; -update writes it.
func TestAuthorsPageListsTheChoices(t *testing.T) {
	t.Parallel()
	const path, head = "../../docs/authors/templates.md", "| how | why | rows |\n|---|---|---|\n"
	all, err := choicesOf("handlebars-spec")
	if err != nil || len(all) == 0 {
		t.Fatalf("%d choices, %v", len(all), err)
	}
	var r result
	for _, id := range slices.SortedFunc(maps.Keys(all), func(a, b string) int { return turnOf(t, a) - turnOf(t, b) }) {
		r.chosen = append(r.chosen, chosenRow{row{id: id}, all[id]})
	}
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(page), head)
	table, after, ends := strings.Cut(rest, "\n\n")
	if !ok || !ends {
		t.Fatalf("%s has no table of choices", path)
	}
	want := strings.TrimSuffix(r.choices(), "\n")
	if *update {
		if err := os.WriteFile(path, []byte(before+head+want+"\n\n"+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, table); diff != "" {
		t.Errorf("%s differs from choices/handlebars-spec.txt; -update writes it (-choices +page)\n%s", path, diff)
	}
}

// turnOf gives the place of a row in its corpus, with which its id ends.
func turnOf(t *testing.T, id string) int {
	t.Helper()
	n, err := strconv.Atoi(id[strings.LastIndexByte(id, '-')+1:])
	if err != nil {
		t.Fatalf("row %s has no number: %v", id, err)
	}
	return n
}
