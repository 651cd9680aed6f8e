// Package tasks is a person's to-do that a conversation leaves behind.
//
// It owns the task's fields, its priorities and the arithmetic of its due time. A task is also an action: it is written
// in the same transaction as the plan, so it exists exactly once per (conversation, run, automation, action).
//
// It never notifies anybody, and a task is never a queue job.
package tasks

import "time"

// Priority is how urgent a task is.
type Priority string

// The priorities. Medium is the default.
const (
	Low    Priority = "low"
	Medium Priority = "medium"
	High   Priority = "high"
	Urgent Priority = "urgent"
)

// State is where a task stands.
type State string

// The states of a task.
const (
	Open       State = "open"
	InProgress State = "in_progress"
	Done       State = "done"
	Dismissed  State = "dismissed"
)

// Task is one follow-up to do, linked to its conversation.
type Task struct {
	Title       string
	Description string
	Priority    Priority
	Assignee    string    // "person:maria", "group:support", or somebody's "email:…"; "" for nobody yet
	DueAt       time.Time // zero for none
}

// PriorityRule is the priority of an action: fixed, or taken from a variable's value.
type PriorityRule struct {
	Fixed Priority            // used when From is ""
	From  string              // a variable's name
	Map   map[string]Priority // by value
	Else  Priority            // for any other value, or none
}

// Due is when a task is due: some time after the conversation ended. The zero Due means no due time.
type Due struct {
	After time.Duration
}
