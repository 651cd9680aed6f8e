package tasks

import "slices"

// States lists them, in the order of work.
func States() []State { return []State{Open, InProgress, Done, Dismissed} }

// Finished reports whether nothing is left to do.
func (s State) Finished() bool { return s == Done || s == Dismissed }

// Next are the states that a person may move a task to from here. What is finished can be opened again.
func (s State) Next() []State {
	switch s {
	case Open:
		return []State{InProgress, Done, Dismissed}
	case InProgress:
		return []State{Done, Open, Dismissed}
	}
	return []State{Open}
}

// MayMove reports whether a person may move a task from one state to another.
func MayMove(from, to State) bool { return slices.Contains(from.Next(), to) }
