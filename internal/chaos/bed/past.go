package bed

import (
	"context"
	"fmt"
	"regexp"

	"github.com/jackc/pgx/v5"
)

// idOf finds what a config names by an id: its automations, and sources, which do no harm here.
var idOf = regexp.MustCompile(`\bid: *([a-z0-9][a-z0-9_-]*)`)

// RememberHours gives the automations of the config a busy hour two days ago in a database, so that none of them is new: a new one
// is held when it fires a thousand times within an hour, and most runs want more than that.
func (b *Bed) RememberHours(ctx context.Context, database string) error {
	var automations []string
	for _, path := range sortedKeys(b.Config) {
		for _, id := range idOf.FindAllStringSubmatch(b.Config[path], -1) {
			automations = append(automations, id[1])
		}
	}
	db, err := pgx.Connect(ctx, b.Database.Direct(database))
	if err != nil {
		return fmt.Errorf("remember busy hours: %w", err)
	}
	defer func() { _ = db.Close(context.WithoutCancel(ctx)) }()
	_, err = db.Exec(ctx, `INSERT INTO automation_hours (account_id, automation, hour, lane, evaluated, fired, unsure, held, failed)
		SELECT DISTINCT a.id, n.id, date_trunc('hour', now()) - interval '2 days', 32000, 1000000, 1000000, 0, 0, 0
		FROM unnest($1::text[]) AS a (id), unnest($2::text[]) AS n (id)`, accounts(b.Config), automations)
	if err != nil {
		return fmt.Errorf("remember busy hours: %w", err)
	}
	return nil
}
