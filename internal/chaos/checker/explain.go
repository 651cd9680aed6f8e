package checker

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Explain lets the server explain, in its log, every statement on the connections that are made to this database from now
// on, or ends that.
func (c *Checker) Explain(ctx context.Context, on bool) error {
	var name string
	if err := c.db.QueryRow(ctx, `SELECT current_database()::text`).Scan(&name); err != nil {
		return fmt.Errorf("let statements be explained: %w", err)
	}
	settings := []string{`RESET ALL`}
	if on {
		settings = []string{
			`SET session_preload_libraries = 'auto_explain'`, `SET auto_explain.log_min_duration = 0`, `SET auto_explain.log_analyze = on`,
			`SET auto_explain.log_buffers = on`, `SET auto_explain.log_triggers = on`,
		}
	}
	for _, set := range settings {
		if _, err := c.db.Exec(ctx, `ALTER DATABASE `+pgx.Identifier{name}.Sanitize()+` `+set); err != nil {
			return fmt.Errorf("let statements be explained: %w", err)
		}
	}
	return nil
}
