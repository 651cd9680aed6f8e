package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"aftercall/internal/chaos/bed"
)

// copied says how a table's rows of one call are copied for old calls: which rows, and which columns differ. In the
// expressions, i counts the old calls, at is when one was, and call is its id.
type copied struct {
	table, which string
	set          map[string]string
}

// oldRows are the tables in which an old call has rows: one automation that fired, one mail that was sent, a finished job.
// Transcript and mail are whole; the body that was posted and the model's answer, which nobody looks at again, are not.
func oldRows() []copied {
	const (
		delivery = `pg_temp.old_id('delivery', i, at)`
		times    = `at`
	)
	return []copied{
		{"conversations", `t.id = $1`, map[string]string{
			"id": "call", "external_id": `'old-' || i`, "accepted_at": times, "decide_at": times, "decided_at": times,
		}},
		{"events", `t.conversation_id = $1`, map[string]string{
			"id": `pg_temp.old_id('event', i, at)`, "identity": `'old-' || i`, "conversation_id": "call", "accepted_at": times,
			"body": `'{}'`,
		}},
		{"interviews", `t.conversation_id = $1 AND t.chosen`, map[string]string{
			"id": `pg_temp.old_id('interview', i, at)`, "conversation_id": "call", "called_at": times,
			"answer": `'{}'`,
		}},
		{"decisions", `t.conversation_id = $1 AND t.automation = 'auto-1'`, map[string]string{
			"conversation_id": "call", "decided_at": times,
		}},
		{"deliveries", `t.conversation_id = $1 AND t.automation = 'auto-1'`, map[string]string{
			"id": delivery, "conversation_id": "call", "created_at": times, "updated_at": times,
		}},
		{"attempts", `t.delivery_id = (SELECT d.id FROM deliveries AS d WHERE d.conversation_id = $1 AND d.automation = 'auto-1')`,
			map[string]string{"delivery_id": delivery}},
		// What is finished for a day is cleaned away, so these were finished within one.
		{"river_job", `t.args ->> 'conversation_id' = $1::text AND t.kind = 'conversation.decide'`, map[string]string{
			"id": "", "args": `t.args || jsonb_build_object('conversation_id', call)`,
			"finalized_at": `now() - random() * interval '20 hours'`,
		}},
	}
}

// waitingRows are the same for calls that were taken and that nobody has worked on yet.
func waitingRows() []copied {
	return []copied{
		{"conversations", `t.id = $1`, map[string]string{
			"id": "call", "external_id": `'wait-' || i`, "state": `'accepted'`, "version": "1", "accepted_at": "at", "decide_at": "at",
			"decided_at": "NULL", "summary": `''`,
		}},
		{"events", `t.conversation_id = $1`, map[string]string{
			"id": `pg_temp.old_id('event', i, at)`, "identity": `'wait-' || i`, "conversation_id": "call", "accepted_at": "at",
		}},
		{"river_job", `t.args ->> 'conversation_id' = $1::text AND t.kind = 'conversation.decide'`, map[string]string{
			"id": "", "args": `t.args || jsonb_build_object('conversation_id', call)`, "state": `'available'`, "attempt": "0",
			"attempted_at": "NULL", "attempted_by": "NULL", "finalized_at": "NULL", "scheduled_at": "at",
		}},
	}
}

// remember fills in old calls: copies of one that really went through, one every twenty seconds until two days ago.
func (s *stage) remember(ctx context.Context, n int) (err error) {
	if s.model, err = s.modelCall(ctx); err != nil {
		return err
	}
	if err := s.copyCalls(ctx, oldRows(), n, `now() - interval '2 days' - i * interval '20 seconds'`); err != nil {
		return fmt.Errorf("fill in old calls: %w", err)
	}
	return nil
}

// copyCalls copies the model call n times; at says in SQL when copy i was.
func (s *stage) copyCalls(ctx context.Context, rows []copied, n int, at string) error {
	const chunk = 5000
	var parts [][2]int
	for from := 1; from <= n; from += chunk {
		parts = append(parts, [2]int{from, min(from+chunk-1, n)})
	}
	work := make(chan [2]int, len(parts))
	for _, p := range parts {
		work <- p
	}
	close(work)
	errs := make([]error, 2)
	var writers sync.WaitGroup
	for w := range errs {
		writers.Go(func() {
			for p := range work {
				if errs[w] = s.copySome(ctx, rows, at, p[0], p[1]); errs[w] != nil {
					return
				}
			}
		})
	}
	writers.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return s.tidy(ctx)
}

// modelCall sends one call through and returns its id.
func (s *stage) modelCall(ctx context.Context) (id string, err error) {
	if err := s.start(ctx); err != nil {
		return "", err
	}
	defer s.stop()
	run := s.newRun("old")
	out := newSender(s.Bed, usual).closed(ctx, calls(run, 1, 6), 1)
	_, left, err := s.checker.Settle(ctx, 30*time.Second)
	if err == nil && (out.refused > 0 || !left.Settled()) {
		err = fmt.Errorf("%d refused, %s", out.refused, left)
	}
	if err != nil {
		return "", fmt.Errorf("send a call through to copy it: %w", err)
	}
	for left := 1; left > 0 && bed.Wait(ctx, 50*time.Millisecond); { // its jobs are completed a moment later
		if left, err = s.checker.Count(ctx, `SELECT count(*) FROM river_job WHERE finalized_at IS NULL`); err != nil {
			return "", err
		}
	}
	err = s.checker.Pool().QueryRow(ctx, `SELECT id::text FROM conversations WHERE external_id = $1`, run+"-0").Scan(&id)
	if err != nil {
		return "", fmt.Errorf("find the call to copy: %w", err)
	}
	return id, nil
}

// copySome writes the copies from to until, in one transaction.
func (s *stage) copySome(ctx context.Context, rows []copied, at string, from, until int) error {
	return pgx.BeginFunc(ctx, s.checker.Pool(), func(tx pgx.Tx) error {
		for _, setup := range []string{
			`SET LOCAL session_replication_role = replica`, // the rows are whole: no need to look up each reference
			`SET LOCAL synchronous_commit = off`,
			`CREATE OR REPLACE FUNCTION pg_temp.old_id(kind text, i bigint, at timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
				SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(md5(kind || i), 1, 3) || 'a'
				        || substr(md5(kind || i), 4, 15))::uuid $$`,
		} {
			if _, err := tx.Exec(ctx, setup); err != nil {
				return err
			}
		}
		for _, c := range rows {
			if err := copyRows(ctx, tx, c, at, s.model, from, until); err != nil {
				return fmt.Errorf("%s: %w", c.table, err)
			}
		}
		return nil
	})
}

func copyRows(ctx context.Context, tx pgx.Tx, c copied, at, model string, from, until int) error {
	rows, err := tx.Query(ctx, `SELECT column_name::text FROM information_schema.columns
		WHERE table_schema = 'public' AND table_name = $1 AND is_generated = 'NEVER' ORDER BY ordinal_position`, c.table)
	if err != nil {
		return err
	}
	columns, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, want := range slices.Sorted(maps.Keys(c.set)) {
		if !slices.Contains(columns, want) {
			return fmt.Errorf("has no column %s any more", want)
		}
	}
	var into, what []string
	for _, name := range columns {
		expression, set := c.set[name]
		switch {
		case set && expression == "": // left to its default
			continue
		case !set:
			expression = "t." + name
		}
		into, what = append(into, name), append(what, expression)
	}
	_, err = tx.Exec(ctx, `INSERT INTO `+c.table+` (`+strings.Join(into, ", ")+`)
		SELECT `+strings.Join(what, ", ")+` FROM `+c.table+` AS t
		CROSS JOIN (SELECT i, at, pg_temp.old_id('call', i, at) AS call
		            FROM (SELECT i, `+at+` AS at
		                  FROM generate_series($2::bigint, $3::bigint) AS i) AS n) AS old
		WHERE `+c.which, model, from, until)
	return err
}
