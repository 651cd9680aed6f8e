package main

import (
	"context"
	"fmt"
	"time"
)

// part is what one measurement gave.
type part struct {
	ID      string   `json:"id"`
	Title   string   `json:"title"`
	Figures []figure `json:"figures"`
	Notes   []string `json:"notes,omitempty"`
}

// report is one run of the command.
type report struct {
	options
	root  string
	began time.Time
	took  time.Duration
	parts []part
}

// wrong reports whether something was lost or doubled, or an audit did not balance.
func (r *report) wrong() bool {
	for _, p := range r.parts {
		for _, f := range p.Figures {
			if f.Law && !f.met() {
				return true
			}
		}
	}
	return false
}

// end prints the table and writes the files that were asked for.
func (r *report) end(_ context.Context) error {
	for _, p := range r.parts {
		fmt.Printf("\n%s: %s\n", p.ID, p.Title)
		for _, f := range p.Figures {
			if f.Law && f.met() {
				continue
			}
			fmt.Printf("  %-58s %-38s %-6s %-15s %s\n", f.Name, f.measured(), f.spread(), f.goal(), f.verdict())
		}
	}
	return nil
}
