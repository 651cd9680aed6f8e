package checker

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Undercut finds calls that were made sooner than the Retry-After that an earlier call about the same thing was given.
// given counts the Retry-Afters, heeded those after which there was another call at all.
func Undercut(calls []Entry, about func(Entry) string) (given, heeded int, early Finding) {
	until := map[string]time.Time{}
	for _, e := range calls {
		key := about(e)
		if at, waits := until[key]; waits {
			heeded++
			if e.At.Before(at) {
				early.add(fmt.Sprintf("%s, %s early", key, at.Sub(e.At).Round(time.Millisecond)))
			}
			delete(until, key)
		}
		if e.Wait > 0 {
			given++
			until[key] = e.At.Add(time.Duration(e.Wait) * time.Second)
		}
	}
	return given, heeded, early
}

// Differ finds what is in one list and not in the other.
func Differ(one, other []string) (f Finding) {
	count := map[string]int{}
	for _, s := range one {
		count[s]++
	}
	for _, s := range other {
		count[s]--
	}
	for s, n := range count {
		if n != 0 {
			f.add(s)
		}
	}
	return f
}

// Ungrounded finds deliveries and tasks of automations that ask the model, planned for a conversation before the model
// had given a sound answer about it: what a malformed reply has brought about. needsNone is the automation that asks nothing.
func (c *Checker) Ungrounded(ctx context.Context, h History, needsNone string) (f Finding, err error) {
	sound := map[string]time.Time{}
	for _, e := range h.Models() {
		if _, ok := sound[e.About]; !ok && e.Fault == "" {
			sound[e.About] = e.At
		}
	}
	rows, err := c.db.Query(ctx, `
		SELECT 'ref-' || c.external_id, d.id::text, d.created_at
		FROM (SELECT id, conversation_id, automation, created_at FROM deliveries
		      UNION ALL SELECT id, conversation_id, automation, created_at FROM tasks) AS d
		JOIN conversations AS c ON c.id = d.conversation_id WHERE d.automation <> $1`, needsNone)
	if err != nil {
		return f, fmt.Errorf("read what was planned: %w", err)
	}
	var ref, id string
	var at time.Time
	_, err = pgx.ForEachRow(rows, []any{&ref, &id, &at}, func() error {
		if since, ok := sound[ref]; !ok || at.Before(since) {
			f.add(ref + " " + id)
		}
		return nil
	})
	if err != nil {
		return f, fmt.Errorf("read what was planned: %w", err)
	}
	return f, nil
}
