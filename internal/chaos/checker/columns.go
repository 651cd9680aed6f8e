package checker

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Column is a column of a table.
type Column struct{ Table, Name, Type string }

// Columns lists the columns of every table, in the order in which they stand.
func (c *Checker) Columns(ctx context.Context) ([]Column, error) {
	rows, err := c.db.Query(ctx, `
		SELECT c.table_name::text, c.column_name::text, c.data_type::text
		FROM information_schema.columns AS c JOIN information_schema.tables AS t USING (table_schema, table_name)
		WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE'
		ORDER BY c.table_name, c.ordinal_position`)
	if err != nil {
		return nil, fmt.Errorf("list the columns: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Column])
	if err != nil {
		return nil, fmt.Errorf("list the columns: %w", err)
	}
	return all, nil
}

// Holding looks for a pattern (a regular expression, whatever the case) in every column of every table, bytes read as text,
// and says in how many rows of which columns it stands.
func (c *Checker) Holding(ctx context.Context, pattern string) (map[Column]int, error) {
	columns, err := c.Columns(ctx)
	if err != nil {
		return nil, err
	}
	found := map[Column]int{}
	for _, column := range columns {
		name := pgx.Identifier{column.Name}.Sanitize()
		text := name + `::text`
		if column.Type == "bytea" {
			text = `encode(` + name + `, 'escape')`
		}
		n, err := c.Count(ctx, `SELECT count(*) FROM `+pgx.Identifier{column.Table}.Sanitize()+` WHERE `+text+` ~* $1`, pattern)
		if err != nil {
			return nil, fmt.Errorf("search %s of %s: %w", column.Name, column.Table, err)
		}
		if n > 0 {
			found[column] = n
		}
	}
	return found, nil
}
