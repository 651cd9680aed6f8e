package store

import (
	"context"
	"fmt"

	"aftercall/internal/store/db"
)

// mostBreakers is how many breakers a page shows; who has more has another problem.
const mostBreakers = 50

// Breakers lists the breakers that are open or have left something held, the last opened first: of one account or, for
// "", of all that may be seen.
func (r *Reader) Breakers(ctx context.Context, accountID string) (all []Breaker, err error) {
	within := r.within.Narrow(accountID)
	err = r.read(ctx, func(q *db.Queries) error {
		rows, err := q.ListBreakers(ctx, db.ListBreakersParams{Every: within.every, AccountIds: within.list(), Most: mostBreakers,
			MostHeld: MostStopped + 1})
		for _, row := range rows {
			all = append(all, Breaker{AccountID: row.AccountID, Automation: row.Automation, Cause: Cause(row.Cause), Fired: int(row.Fired),
				Allowed: int(row.Allowed), OpenedAt: row.OpenedAt, Until: zeroOr(row.Until), Open: row.Open,
				Stopped: int(row.Stopped), HeldSince: row.HeldSince})
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list breakers: %w", err)
	}
	return all, nil
}

// CloseBreaker lets an automation go on: as many as its limit says may pass before it opens again. What is held stays
// held. ErrNotFound if it is not open.
func (s *Store) CloseBreaker(ctx context.Context, by Actor, accountID, automation string) error {
	err := s.change(ctx, Act{AccountID: accountID, By: by, What: ActBreakerClosed, Target: automation}, func(q *db.Queries) error {
		if err := q.SpareToday(ctx, db.SpareTodayParams{AccountID: accountID, Automation: automation}); err != nil {
			return err
		}
		n, err := q.CloseBreaker(ctx, db.CloseBreakerParams{AccountID: accountID, Automation: automation})
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("close the breaker of automation %s: %w", automation, err)
	}
	return nil
}

// Busiest is how often each of these automations fired in its busiest hour of the last seven days, those left out that
// have been known for less than a day.
func (s *Store) Busiest(ctx context.Context, accountID string, automations []string) (map[string]int, error) {
	rows, err := s.q.BusiestHours(ctx, db.BusiestHoursParams{AccountID: accountID, Automations: automations})
	if err != nil {
		return nil, fmt.Errorf("look how often the automations of account %s fire: %w", accountID, err)
	}
	busiest := make(map[string]int, len(rows))
	for _, r := range rows {
		busiest[r.Automation] = int(r.Busiest)
	}
	return busiest, nil
}
