package dashboard

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercall/internal/store"
)

// TestStoppedIsOfToday: the notice stands while the stop lasts, which is until midnight in the account's zone or until the
// limit is raised.
func TestStoppedIsOfToday(t *testing.T) {
	t.Parallel()
	of := func(account string) names {
		if account == "gone" {
			return names{}
		}
		return fixtureNames()
	}
	want := []stopView{{Account: "Acme Clinic", Limit: "2,000,000", Spent: "1,985,412", SetBy: "AFTERCALL_TOKENS_PER_DAY", Since: shortly(began, fixtureNames().zone())}}
	if diff := cmp.Diff(want, stopped(fixtureStops(), 2_000_000, began, of)); diff != "" {
		t.Error(diff)
	}
	for name, c := range map[string]struct {
		stops []store.Stop
		limit int
		now   time.Time
		want  int
	}{
		"a minute before midnight": {fixtureStops(), 2_000_000, time.Date(2026, time.November, 20, 23, 59, 0, 0, time.UTC), 1},
		"the next day":             {fixtureStops(), 2_000_000, time.Date(2026, time.November, 21, 0, 0, 0, 0, time.UTC), 0},
		"a limit that was raised":  {fixtureStops(), 3_000_000, began, 0},
		"a limit that was lowered": {fixtureStops(), 1_000_000, began, 1},
		"a limit taken away":       {fixtureStops(), 0, began, 0},
		"an account that is gone":  {[]store.Stop{{AccountID: "gone", Day: "2026-11-20", Limit: 2_000_000}}, 2_000_000, began, 0},
	} {
		if got := stopped(c.stops, c.limit, c.now, of); len(got) != c.want {
			t.Errorf("%s: %+v, want %d", name, got, c.want)
		}
	}
}
