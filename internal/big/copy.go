package main

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// writers copy side by side, chunk calls to a transaction.
const (
	writers = 2
	chunk   = 2000
)

// warehouse is the database that is filled.
type warehouse struct{ *pgxpool.Pool }

func connect(ctx context.Context, url string) (*warehouse, error) {
	c, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errors.New("the database's URL is not one")
	}
	c.MaxConns = writers + 1
	c.ConnConfig.RuntimeParams["application_name"] = "big"
	c.ConnConfig.RuntimeParams["synchronous_commit"] = "off" // what is lost in a crash is written again
	pool, err := pgxpool.NewWithConfig(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("connect to the database: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("connect to the database: %w", err)
	}
	return &warehouse{pool}, nil
}

// empty refuses a database that is somebody's.
func (w *warehouse) empty(ctx context.Context) error {
	var full bool
	if err := w.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM conversations)`).Scan(&full); err != nil {
		return fmt.Errorf("look whether there are calls: %w", err)
	}
	if full {
		return errFull
	}
	return nil
}

// copyAll writes the whole quarter.
func (w *warehouse) copyAll(ctx context.Context, q *quarter) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	work := make(chan int)
	errs := make([]error, writers)
	var all sync.WaitGroup
	for k := range errs {
		all.Go(func() {
			for from := range work {
				if errs[k] = w.copySome(ctx, q, from, min(from+chunk, q.conversations)); errs[k] != nil {
					stop()
					return
				}
			}
		})
	}
	for from := 0; from < q.conversations && ctx.Err() == nil; from += chunk {
		select {
		case work <- from:
		case <-ctx.Done():
		}
		if from%(50*chunk) == 0 {
			fmt.Printf("%3d %%\n", from*100/q.conversations)
		}
	}
	close(work)
	all.Wait()
	return errors.Join(append(errs, context.Cause(ctx))...)
}

// copySome writes the calls from one to another in one transaction. They refer only to each other, so nobody need look each
// reference up; where the role may not switch that off, it takes longer.
func (w *warehouse) copySome(ctx context.Context, q *quarter, from, until int) error {
	b := newBatch()
	for n := from; n < until; n++ {
		if err := q.write(b, n); err != nil {
			return fmt.Errorf("make call %d: %w", n, err)
		}
	}
	return pgx.BeginFunc(ctx, w.Pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT set_config('session_replication_role', 'replica', true)
			WHERE (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)`); err != nil {
			return fmt.Errorf("switch references off: %w", err)
		}
		for _, t := range b.tables {
			if _, err := tx.CopyFrom(ctx, pgx.Identifier{t.name}, t.columns, pgx.CopyFromRows(t.rows)); err != nil {
				return fmt.Errorf("copy into %s: %w", t.name, err)
			}
		}
		return nil
	})
}

// tidy leaves the tables as a database that has lived with them: with statistics, all rows known to be visible, and the jobs
// of the last day, which the queue has not cleaned away.
func (w *warehouse) tidy(ctx context.Context) error {
	for _, statement := range []string{
		`INSERT INTO river_job (args, kind, queue, state, attempt, max_attempts, attempted_at, attempted_by, scheduled_at, created_at, finalized_at)
		 SELECT jsonb_build_object('conversation_id', id, 'run', 1), 'conversation.decide', 'decide', 'completed', 1, 25, accepted_at,
		        '{big-worker}', accepted_at, accepted_at, decided_at
		 FROM conversations WHERE accepted_at > (SELECT max(accepted_at) FROM conversations) - interval '1 day'`,
		`INSERT INTO audit_log (id, account_id, person, address, act, target, detail, at)
		 SELECT id, account_id, 'Ann', '192.0.2.7', 'revealed', id, '{"page": "conversation"}', accepted_at
		 FROM conversations WHERE get_byte(uuid_send(id), 15) < 13`, // people look closely at one call in twenty
		`INSERT INTO automation_hours (account_id, automation, hour, lane, evaluated, fired, unsure, held, failed)
		 SELECT account_id, automation, date_trunc('hour', decided_at), 0, count(*) FILTER (WHERE verdict <> 'skipped'),
		        count(*) FILTER (WHERE verdict = 'fires'), count(*) FILTER (WHERE verdict = 'unsure'), 0, 0
		 FROM decisions GROUP BY 1, 2, 3`,
		`INSERT INTO token_hours (account_id, hour, automation, model, lane, tokens_in, tokens_cached, tokens_out)
		 SELECT account_id, date_trunc('hour', called_at), '', model, 0, sum(tokens_in), sum(tokens_cached), sum(tokens_out)
		 FROM interviews GROUP BY 1, 2, 4`,
		`VACUUM (ANALYZE)`,
	} {
		if _, err := w.Exec(ctx, statement); err != nil {
			return fmt.Errorf("tidy up: %w", err)
		}
	}
	return nil
}

// parsed is an id of ours as COPY takes it.
func parsed(id string) [16]byte { return uuid.MustParse(id) }

// lastNine is a number as it is searched for.
func lastNine(number string) string { return number[len(number)-9:] }
