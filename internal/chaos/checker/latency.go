package checker

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Latencies are the times from the acceptance of a conversation to the final state of its last delivery, in order of
// length, of those conversations whose id begins with prefix and of which nothing is open.
func (c *Checker) Latencies(ctx context.Context, prefix string) ([]time.Duration, error) {
	rows, err := c.db.Query(ctx, `
		SELECT extract(epoch FROM max(d.updated_at) - c.accepted_at)::float8 AS took
		FROM conversations AS c JOIN deliveries AS d ON d.conversation_id = c.id
		WHERE starts_with(c.external_id, $1) AND c.state = 'decided'
		GROUP BY c.id, c.accepted_at
		HAVING bool_and(d.state NOT IN ('planned', 'retrying', 'sending'))
		ORDER BY took`, prefix)
	if err != nil {
		return nil, fmt.Errorf("read how long conversations took: %w", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (time.Duration, error) {
		var s float64
		err := row.Scan(&s)
		return time.Duration(s * float64(time.Second)), err
	})
	if err != nil {
		return nil, fmt.Errorf("read how long conversations took: %w", err)
	}
	return all, nil
}

// Share is the time within which that share (0 to 1) of the times lies.
func Share(times []time.Duration, share float64) time.Duration {
	if len(times) == 0 {
		return 0
	}
	return times[min(int(share*float64(len(times))), len(times)-1)]
}
