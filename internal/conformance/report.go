package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"aftercall/internal/chaos/bed"
)

// report is one run of the command.
type report struct {
	options
	began     time.Time
	took      time.Duration
	results   []result
	forgotten []string // folders of the data without a suite
}

func (r report) held() bool {
	for _, one := range r.results {
		if !one.good() {
			return false
		}
	}
	return len(r.forgotten) == 0
}

// write renders the report as Markdown.
func (r report) write(ctx context.Context, root string) error {
	name, err := filepath.Abs(r.report)
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	apart, err := filepath.Rel(root, name)
	if err != nil {
		apart = r.report
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# Conformance\n\nWhat `make conformance` found: the product on data that nobody here wrote, each row judged by what its corpus says. Rows are named by "+
		"their ids; the data itself stays where it is.\n\n- Run: %s at commit %s, %s: %s\n- Machine: %s\n\n",
		r.began.UTC().Format("2006-01-02 15:04 UTC"), bed.Commit(ctx, root, apart), r.took.Round(time.Second), ended(r.held()), bed.Machine(ctx))
	b.WriteString("| corpus | rows | held | by choice | failed | took |\n|---|---|---|---|---|---|\n")
	for _, one := range r.results {
		if one.absent != "" {
			fmt.Fprintf(&b, "| %s | %s | | | | |\n", one.name, one.absent)
			continue
		}
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %s | %s |\n", one.name, len(one.rows), one.held, len(one.chosen), one.failures(), one.took.Round(100*time.Millisecond))
	}
	for _, one := range r.results {
		if one.absent == "" {
			b.WriteString(one.section())
		}
	}
	if err := os.WriteFile(r.report, []byte(b.String()), 0o644); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

func ended(held bool) string {
	if held {
		return "everything held"
	}
	return "**not everything held**"
}

func (r *result) failures() string {
	if r.good() {
		return "0"
	}
	return fmt.Sprintf("**%d**", max(1, len(r.failed)))
}

// section is a suite's part of the report.
func (r *result) section() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n## %s\n\n%s\n", r.name, r.how)
	for _, n := range r.notes {
		fmt.Fprintf(&b, "\n%s\n", n)
	}
	if r.table != "" {
		b.WriteString("\n" + r.table)
	}
	if r.err != nil {
		fmt.Fprintf(&b, "\n**The suite broke off:** %s\n", cell(r.err.Error()))
	}
	if len(r.failed) > 0 {
		b.WriteString("\n**Failed:**\n\n")
		for _, f := range r.failed {
			fmt.Fprintf(&b, "- %s\n", cell(f))
		}
	}
	if len(r.chosen) > 0 {
		b.WriteString("\n| how | why | rows |\n|---|---|---|\n" + r.choices())
	}
	return b.String()
}

// choices are the lines of a table: each reason with its rows, in the order in which the rows came.
func (r *result) choices() string {
	var order []choice
	rows := map[choice][]string{}
	for _, c := range r.chosen {
		if rows[c.choice] == nil {
			order = append(order, c.choice)
		}
		rows[c.choice] = append(rows[c.choice], "`"+cell(c.id)+"`")
	}
	var b strings.Builder
	for _, c := range order {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", cell(c.kind), cell(c.reason), strings.Join(rows[c], ", "))
	}
	return b.String()
}

func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ").Replace(s)
}
