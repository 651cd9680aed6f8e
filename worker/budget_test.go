package worker_test

import (
	"testing"
	"time"

	"aftercall/automation"
	"aftercall/worker"
)

func TestTheLowerBudgetWins(t *testing.T) {
	t.Parallel()
	const own, all = "budget in account.yaml", "AFTERCALL_TOKENS_PER_DAY"
	for _, c := range []struct {
		own, all, want int
		by             string
	}{{0, 0, 0, all}, {5, 0, 5, own}, {0, 7, 7, all}, {5, 7, 5, own}, {7, 5, 5, all}, {5, 5, 5, own}} {
		b := worker.BudgetOf(&automation.Revision{TokensPerDay: c.own}, c.all)
		if b.Tokens != c.want || b.SetBy != c.by {
			t.Errorf("%d and %d: %d by %s, want %d by %s", c.own, c.all, b.Tokens, b.SetBy, c.want, c.by)
		}
	}
}

func TestTheDayIsTheAccounts(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.November, 21, 23, 30, 0, 0, time.UTC)
	for zone, want := range map[string]string{"UTC": "2026-11-21", "Europe/Berlin": "2026-11-22", "America/New_York": "2026-11-21"} {
		loc, err := time.LoadLocation(zone)
		must(t, err)
		if got := worker.BudgetOf(&automation.Revision{Location: loc}, 1).Day(now); got != want {
			t.Errorf("%s: %s, want %s", zone, got, want)
		}
	}
}

func TestAmount(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{0: "0", 999: "999", 1_000: "1,000", 2_000_000: "2,000,000", 123_456: "123,456"} {
		if got := worker.Amount(n); got != want {
			t.Errorf("%d is written %s, want %s", n, got, want)
		}
	}
}
