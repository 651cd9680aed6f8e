package store_test

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"aftercall/deliver"
	"aftercall/internal/llm"
	"aftercall/internal/store"
	"aftercall/interview"
	"aftercall/variables"
)

// statements keeps one example of every named query that passes.
type statements struct {
	mu   sync.Mutex
	seen map[string]pgx.TraceQueryStartData
}

func (s *statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	if m := regexp.MustCompile(`^-- name: (\w+) `).FindStringSubmatch(d.SQL); m != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.seen[m[1]] = d
	}
	return ctx
}

// all are those that have passed; some pass by themselves.
func (s *statements) all() map[string]pgx.TraceQueryStartData {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.seen)
}

func (s *statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// growing are the tables that never stop growing.
const growing = `conversations|events|event_conflicts|interviews|decisions|variable_values|deliveries|attempts|tasks|alerts|captured|river_job|spending|audit_log|runs|settlements|marks|bulk_items|alert_reads|pushes|automation_hours|automation_days|token_hours|erasures|erased_conversations|erased_hashes|suppressions|heard_words|beside_calls|awaited_ends|counted|popups`

// TestNoListOrSweepScansATable runs every step of the line, every list and the sweep on a filled database, and asks the
// planner about each statement that passed.
func TestNoListOrSweepScansATable(t *testing.T) {
	t.Parallel()
	passed := &statements{seen: map[string]pgx.TraceQueryStartData{}}
	h := open(t, store.Options{Tracer: passed})
	h.exec(t, filler, h.revision)
	h.wait(t, 6000, 0, time.Now().Add(-time.Hour))
	h.exec(t, "ANALYZE")
	h.walk(t)
	scan := regexp.MustCompile(`Seq Scan on (?:` + growing + `)\b`)
	asked, seen := 0, passed.all()
	for name, d := range seen {
		if strings.HasPrefix(name, "Audit") {
			continue // asked for by a person
		}
		asked++
		if text := h.explain(t, d); scan.MatchString(text) {
			t.Errorf("%s scans a growing table:\n%s", name, text)
		}
	}
	for name := range queries(t) {
		lost := name == "ReleaseClaims" // only after a commit that was never answered; it goes by worker and state
		if _, ok := seen[name]; !ok && !strings.HasPrefix(name, "Audit") && !lost {
			t.Errorf("%s was never run by this test", name)
		}
	}
	t.Logf("%d statements explained", asked)
}

// explain gives the plan of a statement that passed.
func (h *house) explain(t *testing.T, d pgx.TraceQueryStartData) string {
	t.Helper()
	rows, err := h.Pool().Query(t.Context(), "EXPLAIN "+d.SQL, d.Args...)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("%.40s: %v", d.SQL, err)
	}
	return strings.Join(plan, "\n")
}

// walk makes every query pass once.
func (h *house) walk(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	h.everything(t)
	h.act(t)
	waiting := h.arrival(phoneCall("w1"))
	waiting.DecideAt, waiting.Final = time.Now().Add(time.Hour), false
	h.accept(t, waiting)
	for n, summary := range []string{"", "late"} { // one ends the wait, one merges
		more := phoneCall("w1")
		more.Summary = summary
		a := h.arrival(more)
		a.Event.Identity = fmt.Sprintf("more:%d", n)
		h.accept(t, a)
	}
	conflict := h.arrival(phoneCall("w1"))
	conflict.Event.Body = []byte("other")
	h.accept(t, conflict)
	p := h.plan(h.accept(t, h.arrival(phoneCall("c9"))).ConversationID, 1)
	p.Values = []variables.Value{{Name: "dyn_when", Type: variables.Text, Status: variables.NotStated}}
	h.save(t, p)
	for range 2 { // the second comes too late
		_, err := h.Record(ctx, interview.Call{ConversationID: p.ConversationID, AccountID: "acme", RevisionID: h.revision,
			Part: "all/0", Valid: true, Answer: []byte("{}"), Reply: llm.Reply{TokensIn: 1}})
		must(err)
	}
	_, err := h.Recall(ctx, p.ConversationID, h.revision)
	must(err)
	_, err = h.Load(ctx, p.ConversationID, 1)
	must(err)
	c := h.claim(t, p.ConversationID, "w1")[0]
	_, err = h.Holds(ctx, c.ID, 1, "w1")
	must(err)
	_, _, err = h.NextDue(ctx, p.ConversationID, "email")
	must(err)
	for range 2 {
		h.record(t, outcome(c, "w1", store.Sent))
	}
	h.beat(t, "w1", "w2")
	h.kill(t, "w2")
	h.sweep(t)
	must(h.Leave(ctx, "w1"))
	must(h.StayHome(ctx, func(store.Homecoming) {}))
	_, err = h.Restored(ctx, ttl)
	must(err)
	r := store.Reservation{AccountID: "acme", Day: "2026-11-20", Tokens: 5, Limit: 10}
	_, err = h.Reserve(ctx, r)
	must(err)
	_, err = h.Settle(ctx, r, 10)
	must(err)
	_, err = h.Stops(ctx, "acme")
	must(err)
	_, err = h.Vitals(ctx, []string{"decide"}, ttl)
	must(err)
	_, err = h.Queues(ctx, []string{"decide"})
	must(err)
	_, err = h.Workers(ctx, ttl)
	must(err)
	h.look(t, p.ConversationID)
	searchAll(t, h.Reader)
	keepViews(t, h)
	listDeliveries(t, h.Reader)
	lookOver(t, h.Reader)
	_, err = h.Working(ctx, ttl)
	must(err)
	_, _, err = h.FindConversation(ctx, "acme", uuid.NewString())
	if err == nil {
		t.Error("found what is not there")
	}
	for _, channel := range []string{"", "email"} {
		_, _, err = h.CapturedMessages(ctx, "acme", channel, "", 10)
		must(err)
	}
	rows, _, err := h.CapturedMessages(ctx, "acme", "", "", 1)
	must(err)
	_, err = h.CapturedMessage(ctx, rows[0].ID)
	must(err)
	_, err = h.Alerts(ctx, "acme", 10)
	must(err)
	_, err = h.ActiveRevisions(ctx)
	must(err)
	_, err = h.Revision(ctx, h.revision)
	must(err)
	h.govern(t)
	_, _, err = h.StoredCalls(ctx, "acme", "", 10)
	must(err)
	h.admit(t)
	h.desk(t)
	h.screens(t)
	h.watchOver(t)
	h.silence(t)
	h.happen(t)
	h.forget(t)
	found, err := h.EventsAlone(ctx, "", "alone", "api")
	must(err)
	if len(found) > 0 {
		_, err = h.Event(ctx, found[0].ID, false)
		must(err)
	}
	h.account(t, "acme")
	_, _ = h.FindKey(ctx, []byte("none"))
	must(h.AddKey(ctx, "acme", "n", "p", []byte("h"), store.Actor{}))
	keys, err := h.Keys(ctx)
	must(err)
	askTwice(t, h.Store, keys[0])
	must(h.RevokeKey(ctx, keys[0], store.Actor{}))
	_, err = h.Sources(ctx, "api")
	must(err)
}

// look reads all that the page of a conversation leads to.
func (h *house) look(t *testing.T, conversation string) {
	t.Helper()
	readAll(t, h.Reader, h.story(t, conversation))
	if jobs, err := h.Jobs(t.Context(), "acme", conversation); err != nil || len(jobs) == 0 {
		t.Errorf("%d jobs, %v", len(jobs), err)
	}
}

// readAll reads what stands behind a story.
func readAll(t *testing.T, r *store.Reader, s store.Story) {
	t.Helper()
	id := s.Conversation.ID
	if _, err := r.Message(t.Context(), s.AccountID, id, s.Deliveries[0].ID); err != nil {
		t.Error(err)
	}
	if _, err := r.Delivery(t.Context(), s.AccountID, id, s.Deliveries[0].ID); err != nil {
		t.Error(err)
	}
	if _, err := r.EventBody(t.Context(), s.AccountID, id, s.Events[0].ID); err != nil {
		t.Error(err)
	}
	if len(s.Calls) > 0 {
		if _, _, err := r.Answers(t.Context(), s.AccountID, s.Calls[0]); err != nil {
			t.Error(err)
		}
	}
}

// forget makes every query of erasing pass: a call at rest with an event about it, one with a message under way, the retention
// of nothing, and a webhook that comes again.
func (h *house) forget(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	h.accept(t, h.alone("c9", "started:c9", `{"from":"+44 7700 900123"}`))
	h.accept(t, h.alone("", "alone", "{}"))
	who, err := store.ParseCustomer("+447700900123")
	if err != nil {
		t.Fatal(err)
	}
	calls, err := h.CallsOf(ctx, "acme", who)
	if err != nil || len(calls) == 0 {
		t.Fatalf("%d calls, %v", len(calls), err)
	}
	if _, err := h.MentionsOf(ctx, "acme", who); err != nil {
		t.Fatal(err)
	}
	if _, err := h.EventsOf(ctx, "acme", who); err != nil {
		t.Fatal(err)
	}
	views, err := h.ViewsOf(ctx, "acme", who)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.EraseViews(ctx, store.Erasure{AccountID: "acme"}, views); err != nil {
		t.Fatal(err)
	}
	id := h.conversation(t, "c9")
	if _, err := h.CallsByID(ctx, "acme", []string{id}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Holdings(ctx, "acme", []string{id}); err != nil {
		t.Fatal(err)
	}
	asked, err := h.AskErasure(ctx, store.Actor{}, "acme", store.ErasureWish{Conversations: []string{id}}, 1, func(context.Context, pgx.Tx, string) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := h.AskedErasure(ctx, asked); err != nil {
		t.Fatal(err)
	}
	if err := h.NoteLooked(ctx, store.Erasure{ID: asked, AccountID: "acme"}, store.Looked{Decided: id}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Within(store.Every()).Erasure(ctx, asked); err != nil {
		t.Fatal(err)
	}
	if _, _, err := h.Within(store.Every()).Erasures(ctx, "", "", 0); err != nil {
		t.Fatal(err)
	}
	c := h.popping(t, "pops-up", time.Now().Add(time.Minute))
	h.post(t, c, "desk")
	h.shown(t, "desk", 0, time.Now())
	if taken, err := h.PopUpTaken(ctx, deliver.Message{AccountID: c.AccountID, DeliveryID: c.ID}); err != nil || !taken {
		t.Fatalf("taken %v, %v", taken, err)
	}
	busy := h.decided(t, "c10", 1)
	h.claim(t, busy.ConversationID, "w3")
	if left := h.eraseNow(t, id, busy.ConversationID); len(left) != 1 {
		t.Fatalf("left are %v", left)
	}
	if got := h.accept(t, h.arrival(phoneCall("c9"))); !got.Erased {
		t.Fatalf("%+v", got)
	}
	if _, err := h.Erased(ctx, "acme", id); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Retain(ctx, "acme", time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
}

// filler is 6,000 finished calls, one in forty an event, each with its event, decisions, deliveries, an attempt, a model call and old jobs.
const filler = `
WITH n AS (SELECT g, ('0192f3a4-0000-7000-8000-' || lpad(to_hex(g), 12, '0'))::uuid AS id FROM generate_series(1, 6000) AS g),
c AS (INSERT INTO conversations (id, account_id, source, external_id, revision_id, content, state, version, decide_at, decided_at,
	started_at, ended_at, channel, direction, status, agent_id, agent_name, customer_name, customer_email, customer_number,
	email_key, phone_key, far_phone_key)
	SELECT id, 'acme', 'phone', CASE g % 40 WHEN 0 THEN 'event:' ELSE 'old-' END || g, $1::uuid, CASE g % 40 WHEN 0 THEN '{"event":{}}' ELSE '{}' END::jsonb, 'decided', 2, now() - interval '1 day', now() - interval '1 day', now(), now(),
		'phone', 'inbound', 'completed', 'a', 'A', '', '', '', 'p' || g || '@example.com', (700000000 + g)::text, '' FROM n),
b AS (INSERT INTO beside_calls (conversation_id, account_id, call_id) SELECT id, 'acme', 'call-' || g FROM n WHERE g % 40 = 0),
ct AS (INSERT INTO counted (conversation_id, automation, account_id, key, at, keep_until)
	SELECT id, 'spike', 'acme', uuid_send(id), now() - interval '1 h', now() + interval '1 day' FROM n),
e AS (INSERT INTO events (id, account_id, source, identity, type, content_type, body, digest, received_at, conversation_id)
	SELECT id, 'acme', 'phone', 'old-' || g, 't', 'application/json', '', '', now(), id FROM n),
x AS (INSERT INTO event_conflicts (event_id, account_id, digest, content_type, body, received_at)
	SELECT id, 'acme', '', '', '', now() FROM n),
d AS (INSERT INTO decisions (conversation_id, run, automation, account_id, revision_id, verdict, reason, evidence, detail, review, actions)
	SELECT id, 1, a, 'acme', $1::uuid, CASE a WHEN 'callback' THEN 'fires' ELSE 'no' END, 'fired', '[]', '', false, 1
	FROM n, unnest('{callback,complaint}'::text[]) AS a),
v AS (INSERT INTO variable_values (conversation_id, run, name, account_id, type, status, raw, value, evidence, problem)
	SELECT id, 1, 'dyn_when', 'acme', 'text', 'stated', '', '', '{}', '' FROM n),
o AS (INSERT INTO deliveries (id, account_id, conversation_id, run, automation, action, recipient, channel, customer, state, reason,
	detail, due_at, deadline_at, test, content, attempt, worker_id, provider)
	SELECT id, 'acme', id, 1, 'callback', 0, 'email:a@acme.example', 'email', false, 'sent', '', '', now(), now(), false, '{}', 1, 'w0', 'capture' FROM n),
a AS (INSERT INTO attempts (delivery_id, attempt, account_id, worker_id, state, class, status, detail, provider, provider_id, started_at, finished_at)
	SELECT id, 1, 'acme', 'w0', 'sent', '', 0, '', 'capture', '', now(), now() FROM n),
i AS (INSERT INTO interviews (id, account_id, conversation_id, revision_id, part, purpose, prompt_hash, schema_hash, valid, chosen, answer,
	error_kind, status, model, endpoint, simulated, tokens_in, tokens_cached, tokens_out, finish_reason, request_id, fingerprint, latency_ms, called_at)
	SELECT id, 'acme', id, $1::uuid, 'all/0', '', '', '', true, true, '{}', '', 0, '', '', false, 0, 0, 0, '', '', '', 0, now() FROM n),
k AS (INSERT INTO captured (id, account_id, delivery_id, attempt, conversation_id, external_id, automation, channel, recipients, subject,
	text, html, fields, test)
	SELECT id, 'acme', id, 1, id, 'old-' || g, 'callback', 'email', '', '', '', '', '{}', false FROM n),
s AS (INSERT INTO tasks (id, account_id, conversation_id, run, automation, action, title, description, priority, assignee, state)
	SELECT id, 'acme', id, 1, 'callback', 1, '', '', 'low', '', CASE g % 2 WHEN 0 THEN 'open' ELSE 'done' END FROM n),
l AS (INSERT INTO alerts (id, account_id, delivery_id, conversation_id, automation, audience, text)
	SELECT id, 'acme', id, id, 'callback', 'all', '' FROM n RETURNING id),
ar AS (INSERT INTO alert_reads (alert_id, person, account_id) SELECT id, p, 'acme' FROM n, unnest('{a,b}'::text[]) AS p),
su AS (INSERT INTO suppressions (account_id, channel, address, reason, source) SELECT 'acme', 'sms', uuid_send(id), 'opted_out', 'recipient' FROM n),
hw AS (INSERT INTO heard_words (account_id, word, heard_at) SELECT 'acme', uuid_send(id), now() FROM n),
w AS (INSERT INTO audit_log (id, account_id, person, address, act, target, detail)
	SELECT id, 'acme', 'A', '', 'revealed', '', '{}' FROM n)
INSERT INTO river_job (args, kind, queue, state, finalized_at, max_attempts, attempted_by)
SELECT jsonb_build_object('conversation_id', id, 'run', 1), 'conversation.decide', 'decide', 'completed', now(), 25, '{w0}' FROM n`
