package tasks

import (
	"fmt"
	"time"
)

// Priorities lists them, the most urgent first.
func Priorities() []Priority { return []Priority{Urgent, High, Medium, Low} }

// ParsePriority accepts exactly low, medium, high and urgent.
func ParsePriority(s string) (Priority, bool) {
	switch p := Priority(s); p {
	case Low, Medium, High, Urgent:
		return p, true
	}
	return "", false
}

// For gives the priority for a conversation's values: the fixed one, or the one the value of From maps to, else Else,
// else Medium.
func (r PriorityRule) For(values map[string]any) Priority {
	p := r.Fixed
	if r.From != "" {
		p = r.Else
		if v, ok := values[r.From]; ok {
			if mapped, ok := r.Map[fmt.Sprint(v)]; ok {
				p = mapped
			}
		}
	}
	if p == "" {
		return Medium
	}
	return p
}

// At gives the due time counted from the end of the conversation; zero if there is none.
func (d Due) At(ended time.Time) time.Time {
	if d.After <= 0 {
		return time.Time{}
	}
	return ended.Add(d.After)
}
