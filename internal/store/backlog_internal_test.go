package store

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestTheBacklogGrowsBetweenCounts: thousands posted within a second must not all count as the first.
func TestTheBacklogGrowsBetweenCounts(t *testing.T) {
	t.Parallel()
	now := time.Now()
	b := &backlogs{counts: map[string]backlog{"loud": {count: 98, at: now}, "quiet": {at: now}}}
	var got []int
	for range 2 { // two commits; neither is due for a count, so no database is asked
		jobs := []DecideJob{{AccountID: "loud"}, {AccountID: "quiet"}, {AccountID: "loud"}}
		if err := b.fill(t.Context(), nil, jobs, now); err != nil {
			t.Fatal(err)
		}
		for _, j := range jobs {
			got = append(got, j.Backlog)
		}
	}
	if diff := cmp.Diff([]int{98, 0, 99, 100, 1, 101}, got); diff != "" {
		t.Errorf("backlogs (-want +got):\n%s", diff)
	}
}

// TestDeliverJobsKeepThePriority: who waited behind others to be decided must not overtake them to be sent.
func TestDeliverJobsKeepThePriority(t *testing.T) {
	t.Parallel()
	jobs := deliverJobs([]*planned{
		{Plan: &Plan{Priority: 3, Deliveries: []Delivery{{Channel: "email", State: Planned}, {Channel: "sms", State: Planned}}}},
		{Plan: &Plan{Priority: 1, Deliveries: []Delivery{{Channel: "email", State: Planned}}}},
	}, time.Now())
	var got []int
	for _, j := range jobs {
		got = append(got, j.Priority)
	}
	if diff := cmp.Diff([]int{3, 3, 1}, got); diff != "" {
		t.Errorf("priorities (-want +got):\n%s", diff)
	}
}
