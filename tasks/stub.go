package tasks

import "time"

// ParsePriority accepts exactly low, medium, high and urgent.
func ParsePriority(s string) (Priority, bool) { panic("contract") }

// For gives the priority for a conversation's values.
func (r PriorityRule) For(values map[string]any) Priority { panic("contract") }

// At gives the due time counted from the end of the conversation; zero if there is none.
func (d Due) At(ended time.Time) time.Time { panic("contract") }
