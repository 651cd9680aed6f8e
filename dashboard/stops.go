package dashboard

import (
	"time"

	"aftercall/internal/store"
	"aftercall/worker"
)

// stopView is one account whose budget for today is used up.
type stopView struct {
	Account, Limit, Spent, SetBy string
	Since                        moment
}

// stopped are the accounts that are stopped now: today in their own zone, and under the limit that holds today. A limit
// raised since lets calls go on.
func stopped(stops []store.Stop, tokensPerDay int, now time.Time, of func(account string) names) (views []stopView) {
	for _, s := range stops {
		n := of(s.AccountID)
		if n.rev == nil {
			continue // it has no config any more, and so no calls
		}
		b := worker.BudgetOf(n.rev, tokensPerDay)
		if b.Tokens <= 0 || b.Tokens > s.Limit || b.Day(now) != s.Day {
			continue
		}
		views = append(views, stopView{
			Account: n.account(s.AccountID), Limit: worker.Amount(b.Tokens), Spent: worker.Amount(s.Spent), SetBy: b.SetBy,
			Since: shortly(s.At, n.zone()),
		})
	}
	return views
}
