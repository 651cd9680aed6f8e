package tasks_test

import (
	"testing"
	"time"

	"aftercall/tasks"
)

func TestParsePriority(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]bool{"low": true, "medium": true, "high": true, "urgent": true, "High": false, "": false, "critical": false} {
		if _, ok := tasks.ParsePriority(in); ok != want {
			t.Errorf("ParsePriority(%q) = %v, want %v", in, ok, want)
		}
	}
}

func TestFor(t *testing.T) {
	t.Parallel()
	mapped := tasks.PriorityRule{From: "dyn_severity", Map: map[string]tasks.Priority{"critical": tasks.Urgent}, Else: tasks.Low}
	for _, tt := range []struct {
		name   string
		rule   tasks.PriorityRule
		values map[string]any
		want   tasks.Priority
	}{
		{"default", tasks.PriorityRule{}, nil, tasks.Medium},
		{"fixed", tasks.PriorityRule{Fixed: tasks.High}, nil, tasks.High},
		{"mapped", mapped, map[string]any{"dyn_severity": "critical"}, tasks.Urgent},
		{"other value", mapped, map[string]any{"dyn_severity": "low"}, tasks.Low},
		{"not stated", mapped, nil, tasks.Low},
		{"not stated, no else", tasks.PriorityRule{From: "dyn_severity"}, nil, tasks.Medium},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := tt.rule.For(tt.values); got != tt.want {
				t.Errorf("For(%v) = %q, want %q", tt.values, got, tt.want)
			}
		})
	}
}

func TestDue(t *testing.T) {
	t.Parallel()
	ended := time.Date(2026, 11, 20, 15, 4, 0, 0, time.UTC)
	if got, want := (tasks.Due{After: 4 * time.Hour}).At(ended), ended.Add(4*time.Hour); !got.Equal(want) {
		t.Errorf("At = %v, want %v", got, want)
	}
	if got := (tasks.Due{}).At(ended); !got.IsZero() {
		t.Errorf("At without a due time = %v, want zero", got)
	}
}
