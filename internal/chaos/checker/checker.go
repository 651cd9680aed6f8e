// Package checker says, after a chaos run, whether the ledger holds. It reads two things, the providers' history and the
// database, and shares nothing with the product but the schema of its tables and the providers' wire format: it has SQL
// and types of its own, so a mistake in the product cannot hide behind the same mistake here.
//
// It owns what lost, doubled, doubted and phantom mean (ledger.go), and when a run has come to rest (Settle).
//
// It promises to name the ids of whatever breaks a rule. It changes nothing but what the server writes into its log (Explain).
package checker

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Checker looks into one database.
type Checker struct{ db *pgxpool.Pool }

// Open connects. The connections bear a name of their own, so that a run that cuts the product's can tell them apart.
func Open(ctx context.Context, url string) (*Checker, error) {
	c, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("open the checker's database: %w", err)
	}
	c.ConnConfig.RuntimeParams["application_name"] = "checker"
	c.MaxConns = 4
	db, err := pgxpool.NewWithConfig(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("open the checker's database: %w", err)
	}
	return &Checker{db}, nil
}

// Close ends the connections.
func (c *Checker) Close() { c.db.Close() }

// Rest is what is not final yet. Doubted are those that a sweep called unknown while their worker lives: it was out of
// touch for longer than its lease, and will say what became of them.
type Rest struct{ Undecided, Open, Sending, Doubted int }

// Settled reports whether nothing is left to do.
func (r Rest) Settled() bool { return r.Undecided+r.Open+r.Sending+r.Doubted == 0 }

func (r Rest) String() string {
	return fmt.Sprintf("%d undecided, %d planned or retrying, %d sending, %d doubted too soon", r.Undecided, r.Open, r.Sending, r.Doubted)
}

// Rest counts what is not final yet.
func (c *Checker) Rest(ctx context.Context) (r Rest, err error) {
	err = c.db.QueryRow(ctx, `
		SELECT (SELECT count(*) FROM conversations WHERE state <> 'decided'),
		       (SELECT count(*) FROM deliveries WHERE state IN ('planned', 'retrying')),
		       (SELECT count(*) FROM deliveries WHERE state = 'sending'),
		       (SELECT count(*) FROM deliveries AS d JOIN workers AS w ON w.id = d.worker_id
		        JOIN attempts AS a ON a.delivery_id = d.id AND a.attempt = d.attempt
		        WHERE d.state = 'unknown' AND a.class = 'worker_lost')`).Scan(&r.Undecided, &r.Open, &r.Sending, &r.Doubted)
	if err != nil {
		return r, fmt.Errorf("count what is open: %w", err)
	}
	return r, nil
}

// Settle waits until every conversation is decided and every delivery final, and says how long that took. What is left
// after most is returned, and is no error: the run's figures judge it.
func (c *Checker) Settle(ctx context.Context, most time.Duration) (took time.Duration, left Rest, err error) {
	began := time.Now()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		if left, err = c.Rest(ctx); err != nil || left.Settled() || time.Since(began) > most {
			return time.Since(began), left, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return time.Since(began), left, ctx.Err()
		}
	}
}

// Count runs a query that gives one number, for questions of a single run.
func (c *Checker) Count(ctx context.Context, query string, args ...any) (n int, err error) {
	if err := c.db.QueryRow(ctx, query, args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("count: %w", err)
	}
	return n, nil
}

// Rows runs a query of one text column.
func (c *Checker) Rows(ctx context.Context, query string, args ...any) ([]string, error) {
	rows, err := c.db.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read rows: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("read rows: %w", err)
	}
	return all, nil
}

// Pool is for whoever must do something to the database: cut connections, write rows of long ago.
func (c *Checker) Pool() *pgxpool.Pool { return c.db }

// Table is a table's rows as text.
type Table struct {
	Name string
	Rows []string
}

// Tables reads every table whose name matches a pattern of LIKE, whole.
func (c *Checker) Tables(ctx context.Context, like string) (all []Table, err error) {
	names, err := c.Rows(ctx, `SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' AND tablename LIKE $1 ORDER BY 1`, like)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		rows, err := c.Rows(ctx, `SELECT t::text FROM `+pgx.Identifier{name}.Sanitize()+` AS t`)
		if err != nil {
			return nil, err
		}
		all = append(all, Table{name, rows})
	}
	return all, nil
}
