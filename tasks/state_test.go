package tasks_test

import (
	"testing"

	"aftercall/tasks"
)

func TestMoves(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		from, to tasks.State
		want     bool
	}{
		{tasks.Open, tasks.InProgress, true}, {tasks.Open, tasks.Done, true}, {tasks.Open, tasks.Dismissed, true}, {tasks.Open, tasks.Open, false},
		{tasks.InProgress, tasks.Open, true}, {tasks.InProgress, tasks.Done, true}, {tasks.Done, tasks.Open, true},
		{tasks.Done, tasks.InProgress, false}, {tasks.Dismissed, tasks.Done, false}, {tasks.Open, "gone", false},
	} {
		if got := tasks.MayMove(tt.from, tt.to); got != tt.want {
			t.Errorf("MayMove(%s, %s) = %v, want %v", tt.from, tt.to, got, tt.want)
		}
	}
	for _, s := range tasks.States() {
		if got := s.Finished(); got != (s == tasks.Done || s == tasks.Dismissed) || len(s.Next()) == 0 {
			t.Errorf("%s: finished %v, next %v", s, got, s.Next())
		}
	}
}
