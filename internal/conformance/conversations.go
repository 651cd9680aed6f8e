package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"aftercall/internal/chaos/bed"
	"aftercall/internal/chaos/corpus"
)

// conversations are real ones, taken through the webhook to their end.
func conversations() suite {
	return suite{
		name: "conversations", try: tryConversations,
		how: "Every conversation is posted to `POST /v1/conversations` of `aftercall serve` with the account of `examples/acme`, whose ten starters apply to " +
			"each of them (its further automations belong to other agents). A row holds if it was answered 200, is decided with a reason for every " +
			"automation, has all its deliveries in a final state none of which is *failed* or *unknown*, and is stored turn by turn as it was posted.",
	}
}

// talk is a conversation of the corpus.
type talk struct {
	ID, Source, Channel, Direction string
	StartedAt                      time.Time `json:"started_at"`
	Seconds                        float64   `json:"duration_seconds"`
	Participants                   struct{ Agent, Customer string }
	Turns                          []struct {
		Role, Text string
		StartMS    int `json:"start_ms"`
	}
}

// call is the talk as a platform would post it. What the corpus does not know (when, how long) is made up: the product
// does not take a call without.
func (t talk) call() bed.Call {
	turns, last := make([]bed.Turn, len(t.Turns)), 0
	for i, one := range t.Turns {
		turns[i] = bed.Turn{Role: one.Role, Text: one.Text, AtMS: one.StartMS}
		last = max(last, one.StartMS)
	}
	began := t.StartedAt
	if began.IsZero() {
		began = time.Date(2026, 11, 20, 9, 12, 0, 0, time.UTC)
	}
	lasted := max(time.Duration(t.Seconds*float64(time.Second)), time.Duration(last)*time.Millisecond, time.Minute)
	channel := map[string]string{"voice": "phone"}[t.Channel]
	if channel == "" {
		channel = t.Channel
	}
	return bed.CallOf(t.ID, turns, map[string]any{
		"agent": map[string]any{"id": "reception", "name": t.Participants.Agent}, "customer": map[string]any{"name": t.Participants.Customer},
		"channel": channel, "direction": t.Direction, "started_at": began.Format(time.RFC3339), "ended_at": began.Add(lasted).Format(time.RFC3339),
		"from_number": "", "to_number": "", "metadata": map[string]any{"source": t.Source},
	})
}

func tryConversations(ctx context.Context, h *hall) (o outcome, err error) {
	files, err := filepath.Glob(h.data.Data("conversations", "*.jsonl"))
	if err != nil {
		return o, fmt.Errorf("find the conversations: %w", err)
	}
	var lines strings.Builder
	lines.WriteString("| source | conversations | turns | fired | unsure | not fired | skipped | held | mails | model calls | tokens | seconds |\n" + strings.Repeat("|---", 12) + "|\n")
	var all figures
	for _, file := range files {
		if filepath.Base(file) == "labels.jsonl" {
			continue
		}
		talks, err := corpus.Read[talk](file)
		if err != nil {
			return o, err
		}
		f, err := h.source(ctx, talks, &o)
		if err != nil {
			return o, fmt.Errorf("%s: %w", filepath.Base(file), err)
		}
		lines.WriteString(f.line(strings.TrimSuffix(filepath.Base(file), ".jsonl")))
		all.add(f)
	}
	lines.WriteString(all.line("**all**"))
	o.table = lines.String()
	o.note("The model is the simulated one of `aftercall demo`: a machine of lexical rules. The table says what the product did with its answers, and nothing " +
		"about how well a model understands these conversations; the corpus's own labels are therefore not compared.")
	o.note("*fired*, *unsure*, *not fired* and *skipped* count decisions (a conversation has one for each automation; *skipped* are those of other agents " +
		"and gates), *held* counts deliveries held for a person, *mails* those that the provider took. Tokens are the simulated model's: bytes divided by four. " +
		"*seconds* are from the first post of a source to its last delivery, one source after another.")
	if err := h.balanced(ctx); err != nil {
		return o, err
	}
	o.note("`aftercall audit` balances after the last of them.")
	return o, nil
}

// figures are what became of a source's conversations.
type figures struct {
	Conversations, Turns, Fired, Unsure, Not, Skipped, Held, Mails, Calls, Tokens int

	took time.Duration
}

func (f *figures) add(g figures) {
	f.Conversations, f.Turns, f.Fired, f.Unsure = f.Conversations+g.Conversations, f.Turns+g.Turns, f.Fired+g.Fired, f.Unsure+g.Unsure
	f.Not, f.Skipped, f.Held, f.Mails = f.Not+g.Not, f.Skipped+g.Skipped, f.Held+g.Held, f.Mails+g.Mails
	f.Calls, f.Tokens, f.took = f.Calls+g.Calls, f.Tokens+g.Tokens, f.took+g.took
}

func (f figures) line(name string) string {
	return fmt.Sprintf("| %s | %d | %d | %d | %d | %d | %d | %d | %d | %d | %d | %.1f |\n",
		name, f.Conversations, f.Turns, f.Fired, f.Unsure, f.Not, f.Skipped, f.Held, f.Mails, f.Calls, f.Tokens, f.took.Seconds())
}

// source takes the conversations of one source through, and judges each.
func (h *hall) source(ctx context.Context, talks []talk, o *outcome) (f figures, err error) {
	var calls []bed.Call
	var ids []string
	for _, t := range talks {
		calls, ids = append(calls, t.call()), append(ids, t.ID)
	}
	began := time.Now()
	posted, err := h.bed.Post(ctx, calls, bed.Posting{Account: "acme"})
	if err != nil {
		return f, err
	}
	if err := h.settle(ctx, 2*time.Minute); err != nil {
		return f, err
	}
	f.took = time.Since(began)
	ends, err := h.ends(ctx, ids)
	if err != nil {
		return f, err
	}
	for _, t := range talks {
		e := ends[t.ID]
		r := row{id: t.ID}
		if what := e.misses(t); what != "" || !slices.Contains(posted.Acked, t.ID) {
			r.wrong, r.detail = true, fmt.Sprintf("answered %d; %s", posted.Refused[t.ID], what)
		}
		o.add(r)
		f.Conversations++
		f.Turns += len(t.Turns)
		f.add(e.figures)
	}
	return f, nil
}

// end is what the database says of one conversation.
type end struct {
	figures
	ID, State string
	Decisions int
	Open, Bad int // deliveries that are not final; that failed or are in doubt
	Said      []string
}

// misses says what is not as it should be.
func (e end) misses(t talk) string {
	said := make([]string, len(t.Turns))
	for i, one := range t.Turns {
		said[i] = one.Text
	}
	switch {
	case e.State != "decided":
		return "its state is " + e.State
	case e.Decisions < starters || e.Fired+e.Unsure+e.Not+e.Skipped != e.Decisions:
		return fmt.Sprintf("%d decisions", e.Decisions)
	case e.Open > 0 || e.Bad > 0:
		return fmt.Sprintf("%d deliveries open, %d failed or unknown", e.Open, e.Bad)
	case !slices.Equal(e.Said, said):
		return "its turns are not stored as they were posted"
	}
	return ""
}

// starters is how many automations apply to every conversation.
const starters = 10

// ends reads what became of conversations, by the platform's id.
func (h *hall) ends(ctx context.Context, ids []string) (map[string]end, error) {
	rows, err := h.checker.Rows(ctx, `
		SELECT json_build_object(
			'ID', c.external_id, 'State', c.state,
			'Said', (SELECT coalesce(json_agg(t.turn ->> 'text' ORDER BY t.n), '[]') FROM jsonb_array_elements(c.content -> 'turns') WITH ORDINALITY AS t (turn, n)),
			'Decisions', (SELECT count(*) FROM decisions AS d WHERE d.conversation_id = c.id),
			'Fired', (SELECT count(*) FROM decisions AS d WHERE d.conversation_id = c.id AND d.verdict = 'fires'),
			'Unsure', (SELECT count(*) FROM decisions AS d WHERE d.conversation_id = c.id AND d.verdict = 'unsure'),
			'Not', (SELECT count(*) FROM decisions AS d WHERE d.conversation_id = c.id AND d.verdict = 'no'),
			'Skipped', (SELECT count(*) FROM decisions AS d WHERE d.conversation_id = c.id AND d.verdict = 'skipped'),
			'Held', (SELECT count(*) FROM deliveries AS d WHERE d.conversation_id = c.id AND d.state = 'held'),
			'Mails', (SELECT count(*) FROM deliveries AS d WHERE d.conversation_id = c.id AND d.channel = 'email' AND d.state = 'sent'),
			'Open', (SELECT count(*) FROM deliveries AS d WHERE d.conversation_id = c.id AND d.state IN ('planned', 'retrying', 'sending')),
			'Bad', (SELECT count(*) FROM deliveries AS d WHERE d.conversation_id = c.id AND d.state IN ('failed', 'unknown')),
			'Calls', (SELECT count(*) FROM interviews AS i WHERE i.conversation_id = c.id),
			'Tokens', (SELECT coalesce(sum(i.tokens_in + i.tokens_out), 0) FROM interviews AS i WHERE i.conversation_id = c.id)
		)::text FROM conversations AS c WHERE c.account_id = 'acme' AND c.external_id = ANY($1)`, ids)
	if err != nil {
		return nil, err
	}
	all := map[string]end{}
	for _, raw := range rows {
		var e end
		if err := json.Unmarshal([]byte(raw), &e); err != nil {
			return nil, fmt.Errorf("read what became of a conversation: %w", err)
		}
		all[e.ID] = e
	}
	return all, nil
}
