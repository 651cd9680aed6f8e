package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"aftercall/internal/chaos/checker"
	"aftercall/internal/postgres/pgtest"
)

// mapped is a column as docs/operations/data-map.md has it.
type mapped struct{ table, column string }

// dataMap reads the map: whose data a column holds, by column.
func dataMap(t *testing.T) map[mapped]string {
	t.Helper()
	raw, err := os.ReadFile("../../docs/operations/data-map.md")
	if err != nil {
		t.Fatal(err)
	}
	heading, row, name := regexp.MustCompile("^### `(\\w+)`"), regexp.MustCompile(`^\| (.+?) \| (\S.*?) \|`), regexp.MustCompile("`(\\w+)`")
	all, table := map[mapped]string{}, ""
	for line := range strings.Lines(string(raw)) {
		line = strings.TrimSpace(line)
		if m := heading.FindStringSubmatch(line); m != nil {
			table = m[1]
		}
		m := row.FindStringSubmatch(line)
		if m == nil || table == "" || !strings.HasPrefix(m[1], "`") {
			continue
		}
		if !slices.Contains([]string{"nobody", "caller", "staff"}, m[2]) {
			t.Errorf("the columns %s of %s are said to be the data of %q; want nobody, caller or staff", m[1], table, m[2])
		}
		for _, column := range name.FindAllStringSubmatch(m[1], -1) {
			if _, twice := all[mapped{table, column[1]}]; twice {
				t.Errorf("%s.%s is on the data map twice", table, column[1])
			}
			all[mapped{table, column[1]}] = m[2]
		}
	}
	return all
}

// TestDataMapIsWhole holds the data map against the schema of a migrated database: whoever adds a column says whose data
// it holds, and how that is erased.
func TestDataMapIsWhole(t *testing.T) {
	t.Parallel()
	c, err := checker.Open(t.Context(), pgtest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	columns, err := c.Columns(t.Context())
	if err != nil || len(columns) < 150 {
		t.Fatalf("%d columns, %v", len(columns), err)
	}
	said := dataMap(t)
	for _, column := range columns {
		at := mapped{column.Table, column.Name}
		if _, ok := said[at]; !ok {
			t.Errorf("%s.%s is not on the data map", column.Table, column.Name)
		}
		delete(said, at)
	}
	for at := range said {
		t.Errorf("%s.%s is on the data map and not in the database", at.table, at.column)
	}
}

// holdsAsMapped fails the test unless a customer's canaries stand in every table that the map calls the caller's, and in no
// column that it does not.
func holdsAsMapped(t *testing.T, c *checker.Checker) {
	t.Helper()
	found, err := c.Holding(t.Context(), canary)
	if err != nil {
		t.Fatal(err)
	}
	said, tables := dataMap(t), map[string]bool{}
	for at, whose := range said {
		if whose == "caller" {
			tables[at.table] = true
		}
	}
	for column := range found {
		delete(tables, column.Table)
		if whose := said[mapped{column.Table, column.Name}]; whose != "caller" {
			t.Errorf("%s.%s holds a caller's data; the data map says %q", column.Table, column.Name, whose)
		}
	}
	for table := range tables {
		t.Errorf("the data map says that %s holds callers' data; a call leaves none there", table)
	}
}
