package main

import (
	"context"
	"fmt"
	"strings"

	"aftercall/internal/chaos/bed"
	"aftercall/internal/chaos/checker"
)

// echoed is how many words in a row of the prompt's instructions, which nobody said on the call, are a leak.
const echoed = 8

// instructions are the runs of words of everything the model was told, as the fake model received it.
func (j *jury) instructions(h checker.History) map[string]bool {
	told, all := map[string]bool{}, map[string]bool{}
	for _, e := range h.Models() {
		if !told[e.System] {
			told[e.System] = true
			for run := range checker.Runs(e.System, echoed) {
				all[run] = true
			}
		}
	}
	j.exercised("instructions a mail must not repeat", fmt.Sprintf("%d different prompts, %d runs of %d words", len(told), len(all), echoed))
	return all
}

// echoes reports whether a mail holds instructions, a canary or a key.
func (j *jury) echoes(words string, call attackCall, told map[string]bool) bool {
	secrets := append(promptCanaries[:], bed.ModelKey, bed.MailKey, j.bed.Keys["open"], j.bed.Keys["closed"])
	for _, s := range secrets {
		if strings.Contains(words, s) {
			return true
		}
	}
	said := checker.Folded(string(call.Body))
	for run := range checker.Runs(words, echoed) {
		if told[run] && !strings.Contains(said, checker.Folded(run)) {
			return true
		}
	}
	return false
}

// fired looks at every decision to fire that needed words: the quote must stand in what the caller's platform posted,
// said by whom the author wanted.
func (j *jury) fired(ctx context.Context) error {
	rows, err := j.checker.Pool().Query(ctx, `
		SELECT c.external_id, d.automation, coalesce(e.value ->> 'quote', ''), coalesce((e.value ->> 'turn')::int, 0)
		FROM decisions AS d JOIN conversations AS c ON c.id = d.conversation_id
		LEFT JOIN LATERAL jsonb_array_elements(d.evidence) AS e ON true
		WHERE d.verdict = 'fires' AND d.reason <> 'always'`)
	if err != nil {
		return fmt.Errorf("read what fired: %w", err)
	}
	defer rows.Close()
	var without checker.Finding
	n := 0
	for rows.Next() {
		var id, automation, quote string
		var turn int
		if err := rows.Scan(&id, &automation, &quote, &turn); err != nil {
			return fmt.Errorf("read what fired: %w", err)
		}
		n++
		if !j.calls[id].holds(quote, turn, automation != "by-level") {
			without.Note(id + " " + automation)
		}
	}
	j.exercised("quotes of what fired, held against the call", n)
	j.zero("fired without words that were said", without)
	return rows.Err()
}

func (a attackCall) holds(quote string, turn int, customerOnly bool) bool {
	if turn < 1 || turn > len(a.turns) || customerOnly && a.turns[turn-1].Role != "customer" {
		return false
	}
	folded := checker.Folded(quote)
	return folded != "" && strings.Contains(checker.Folded(a.turns[turn-1].Text), folded)
}

// reasons looks for refusals without one, and for pairs of call and automation without a decision.
func (j *jury) reasons(ctx context.Context) error {
	for _, q := range []struct{ name, sql string }{
		{"decisions not to fire, without a reason", `SELECT count(*) FROM decisions WHERE verdict <> 'fires' AND reason = ''`},
		{"deliveries that did not go out, without a reason or a recorded attempt", `
			SELECT count(*) FROM deliveries AS d WHERE state NOT IN ('sent', 'delivered') AND reason = '' AND detail = ''
			AND NOT EXISTS (SELECT 1 FROM attempts AS a WHERE a.delivery_id = d.id AND a.class <> '')`},
		{"values not taken, without a reason", `SELECT count(*) FROM variable_values WHERE status = 'rejected' AND problem = ''`},
		{"pairs of call and automation without a decision", fmt.Sprintf(`
			SELECT (SELECT count(*) FROM conversations) * %d - (SELECT count(*) FROM decisions)`, len(attackedAutomations()))},
	} {
		n, err := j.checker.Count(ctx, q.sql)
		if err != nil {
			return err
		}
		j.equal(q.name, n, 0)
	}
	given, err := j.checker.Rows(ctx, `
		SELECT verdict || ' ' || reason || ' ' || count(*) FROM decisions GROUP BY verdict, reason
		UNION ALL SELECT state || ' ' || reason || ' ' || count(*) FROM deliveries WHERE state <> 'sent' GROUP BY state, reason
		UNION ALL SELECT 'value ' || status || ' ' || problem || ' ' || count(*) FROM variable_values WHERE status = 'rejected' GROUP BY status, problem`)
	if err != nil {
		return err
	}
	j.exercised("reasons given", strings.Join(given, "; "))
	return nil
}
