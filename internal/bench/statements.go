package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// resetStatements lets pg_stat_statements count anew.
func (s *stage) resetStatements(ctx context.Context) error {
	if !s.bench.statements {
		return nil
	}
	if _, err := s.checker.Pool().Exec(ctx, `SELECT pg_stat_statements_reset()`); err != nil {
		return fmt.Errorf("reset pg_stat_statements: %w", err)
	}
	return nil
}

// printStatements prints what pg_stat_statements has counted, the dearest first.
func (s *stage) printStatements(ctx context.Context, what string, calls int) error {
	if !s.bench.statements {
		return nil
	}
	rows, err := s.checker.Pool().Query(ctx, `
		SELECT calls, total_exec_time, mean_exec_time, rows, shared_blks_hit + shared_blks_read, query
		FROM pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
		ORDER BY total_exec_time DESC LIMIT 30`)
	if err != nil {
		return fmt.Errorf("read pg_stat_statements: %w", err)
	}
	fmt.Printf("\n  statements, %s (times are of the wall, per call of %d)\n  %9s %9s %9s %9s %9s\n", what, calls, "times", "ms/call",
		"ms/time", "rows/time", "blocks")
	var times, lines, blocks int64
	var total, mean float64
	var query string
	_, err = pgx.ForEachRow(rows, []any{&times, &total, &mean, &lines, &blocks, &query}, func() error {
		fmt.Printf("  %9d %9.3f %9.3f %9.1f %9.1f  %.110s\n", times, total/float64(max(calls, 1)), mean, float64(lines)/float64(times),
			float64(blocks)/float64(times), strings.Join(strings.Fields(query), " "))
		return nil
	})
	if err != nil {
		return fmt.Errorf("read pg_stat_statements: %w", err)
	}
	return nil
}
