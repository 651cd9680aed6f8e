package migrations_test

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"aftercall/internal/postgres/pgtest"
	"aftercall/migrations"
)

// rows fills one table of every step; each statement belongs to the step with its number.
var rows = []string{
	1: `INSERT INTO accounts (id) VALUES ('acme');
		INSERT INTO revisions (id, account_id, digest, format, files) VALUES ('0192f3a4-0000-7000-8000-000000000001', 'acme', 'd', 1, '{}')`,
	2: `INSERT INTO conversations (id, account_id, source, external_id, revision_id, content, decide_at, started_at, ended_at, channel,
			direction, status, agent_id, agent_name, customer_name, customer_email, customer_number, email_key, phone_key, far_phone_key)
		VALUES ('0192f3a4-0000-7000-8000-000000000002', 'acme', 's', 'c', '0192f3a4-0000-7000-8000-000000000001', '{}', now(), now(), now(),
			'', '', '', '', '', '', '', '', '', '', '')`,
	3: `INSERT INTO decisions (conversation_id, run, automation, account_id, revision_id, verdict, reason, evidence, detail, review, actions)
		VALUES ('0192f3a4-0000-7000-8000-000000000002', 1, 'a', 'acme', '0192f3a4-0000-7000-8000-000000000001', 'fires', 'always', '[]', '', false, 1)`,
	4: `INSERT INTO deliveries (id, account_id, conversation_id, run, automation, action, recipient, channel, customer, state, reason, detail, test, content)
		VALUES ('0192f3a4-0000-7000-8000-000000000004', 'acme', '0192f3a4-0000-7000-8000-000000000002', 1, 'a', 0, 'r', 'email', false, 'sent', '', '', false, '{}')`,
	5: `INSERT INTO homes (database_oid, table_oid) VALUES (1, 1)`,
	6: `INSERT INTO spending (account_id, day, spent) VALUES ('acme', '2026-11-20', 1)`,
	7: `UPDATE decisions SET verdict = 'unsure', reason = 'work_failed', review = true, actions = 0`,
	8: `SELECT 1`, // brings nothing that could be kept
	9: `INSERT INTO config_attempts (account_id, folder, host, state, problems, first_problem, digest) VALUES ('acme', '/c', 'h', 'invalid', 1, 'p', 'd');
		UPDATE accounts SET authority = 'cli'`,
	10: `INSERT INTO people (id, email, email_key, name) VALUES ('0192f3a4-0000-7000-8000-000000000010', 'A@acme.example', 'a@acme.example', 'A');
		INSERT INTO roles (person_id, account_id, role) VALUES ('0192f3a4-0000-7000-8000-000000000010', '*', 'admin');
		INSERT INTO audit_log (id, account_id, person, address, act, target, detail)
		VALUES ('0192f3a4-0000-7000-8000-000000000011', 'acme', 'A', '', 'a', 't', '{}')`,
	11: `INSERT INTO erasures (id, account_id, cause, asked_by) VALUES ('0192f3a4-0000-7000-8000-000000000012', 'acme', 'customer', 'a');
		INSERT INTO erased_conversations (id, account_id, erasure_id, accepted_at, counts)
		VALUES ('0192f3a4-0000-7000-8000-000000000013', 'acme', '0192f3a4-0000-7000-8000-000000000012', now(), '{}');
		INSERT INTO erased_hashes (hash, account_id) VALUES ('h', 'acme')`,
	12: `SELECT 1`, // likewise
	13: `INSERT INTO runs (conversation_id, run, account_id, cause, of_run, automation, sandbox, revision_id, state, person, done_at)
		VALUES ('0192f3a4-0000-7000-8000-000000000002', 2, 'acme', 'fix', 1, 'a', false, '0192f3a4-0000-7000-8000-000000000001', 'done', 'A', now());
		UPDATE decisions SET settled_as = 'fixed', settled_run = 2, settled_by = 'A', settled_at = now();
		INSERT INTO variable_values (conversation_id, run, name, account_id, type, status, raw, value, evidence, problem)
		VALUES ('0192f3a4-0000-7000-8000-000000000002', 2, 'dyn_x', 'acme', 'text', 'given', 'x', 'x', '{}', '')
		ON CONFLICT (conversation_id, run, name) DO UPDATE SET status = 'given';
		UPDATE deliveries SET state = 'skipped', reason = 'sent_before'`,
	14: `INSERT INTO mutes (account_id, automation, until, reason, muted_by) VALUES ('acme', 'a', now() + interval '1 hour', 'r', 'A');
		INSERT INTO breakers (account_id, automation, cause, fired, allowed) VALUES ('acme', 'a', 'jump', 2, 1)`,
	15: `INSERT INTO saved_views (id, person, account_id, name, query) VALUES ('0192f3a4-0000-7000-8000-000000000015', '', 'acme', 'n', 'q')`,
	16: `INSERT INTO alerts (id, account_id, delivery_id, conversation_id, automation, audience, text)
		VALUES ('0192f3a4-0000-7000-8000-000000000016', 'acme', '0192f3a4-0000-7000-8000-000000000004', '0192f3a4-0000-7000-8000-000000000002', 'a', 'all', 't')
		ON CONFLICT DO NOTHING;
		INSERT INTO alert_reads (alert_id, person, account_id) VALUES ('0192f3a4-0000-7000-8000-000000000016', 'p', 'acme');
		INSERT INTO alert_marks (person, account_id, read_up_to) VALUES ('p', 'acme', '0192f3a4-0000-7000-8000-000000000016')`,
	17: `INSERT INTO api_keys (id, account_id, name, prefix, hash) VALUES ('0192f3a4-0000-7000-8000-000000000017', 'acme', 'n', 'ac_1', 'seventeen') ON CONFLICT DO NOTHING;
		INSERT INTO idempotent_answers (key_id, token, account_id, request) VALUES ('0192f3a4-0000-7000-8000-000000000017', 't', 'acme', 'r')`,
	18: `INSERT INTO workers (id, host, version, started_at, revisions) VALUES ('w', 'h', 'v', now(), '{"acme": "0192f3a4-0000-7000-8000-000000000001"}')
		ON CONFLICT (id) DO UPDATE SET revisions = excluded.revisions`,
	19: `UPDATE deliveries SET state = 'skipped', reason = 'perhaps_sent_before'`,
	20: `SELECT 1`, // likewise
	21: `SELECT 1`, // likewise
	22: `INSERT INTO suppressions (account_id, channel, address, reason, source) VALUES ('acme', 'sms', 'h', 'opted_out', 'recipient');
		UPDATE deliveries SET reported = 'delivered', reported_at = now(), state = 'skipped', reason = 'text_too_long'`,
	23: `UPDATE erasures SET wish = '{"customer": "a@example.com"}', found = 1, person_id = '0192f3a4-0000-7000-8000-000000000017';
		INSERT INTO api_keys (id, account_id, name, prefix, hash, scopes)
		VALUES ('0192f3a4-0000-7000-8000-000000000021', 'acme', 'n', 'ac_2', 'only erases', '{erase}') ON CONFLICT (id) DO UPDATE SET scopes = '{erase}';
		UPDATE api_keys SET scopes = '{post,erase}' WHERE hash = 'seventeen'`,
	24: `INSERT INTO push_subscriptions (id, endpoint, p256dh, auth) VALUES ('0192f3a4-0000-7000-8000-000000000022', '', '', '');
		INSERT INTO pushes (alert_id, subscription_id, account_id, state)
		SELECT id, '0192f3a4-0000-7000-8000-000000000022', account_id, 'sent' FROM alerts`,
	25: `INSERT INTO popups (account_id, delivery_id, agent, until) VALUES ('acme', '0192f3a4-0000-7000-8000-000000000004', 'a', now());
		INSERT INTO api_keys (id, account_id, name, prefix, hash, scopes)
		VALUES ('0192f3a4-0000-7000-8000-000000000025', 'acme', 'n', 'ac_3', 'twentyfive', '{cti,read}') ON CONFLICT (id) DO UPDATE SET scopes = '{cti,read}'`,
	26: `INSERT INTO beside_calls (conversation_id, account_id, call_id) VALUES ('0192f3a4-0000-7000-8000-000000000002', 'acme', 'c');
		INSERT INTO awaited_ends (delivery_id, conversation_id, account_id, call_id)
		VALUES ('0192f3a4-0000-7000-8000-000000000004', '0192f3a4-0000-7000-8000-000000000002', 'acme', 'c');
		INSERT INTO counted (conversation_id, automation, account_id, key, at, keep_until)
		VALUES ('0192f3a4-0000-7000-8000-000000000002', 'a', 'acme', 'k', now(), now());
		UPDATE decisions SET verdict = 'skipped', reason = 'too_few', review = false`,
	27: `INSERT INTO suppressions (account_id, channel, address, reason, source) VALUES ('acme', 'email', 'lifted', '', 'p')`,
	28: `SELECT 1`, // likewise
	29: `INSERT INTO heard_words (account_id, word, heard_at) VALUES ('acme', 'h', now())`,
	30: `SELECT 1`, // likewise
	31: `SELECT 1`, // likewise
	32: `UPDATE suppressions SET opted_out_at = now()`,
	33: `UPDATE deliveries SET state = 'held', reason = 'suspicious'`,
}

// tables are the tables filled above, by step.
var tables = []string{1: "revisions", 2: "conversations", 3: "decisions", 4: "deliveries", 5: "homes", 6: "spending", 7: "decisions", 8: "deliveries", 9: "config_attempts", 10: "people",
	11: "erasures", 12: "conversations", 13: "runs", 14: "mutes", 15: "saved_views", 16: "alert_marks", 17: "idempotent_answers", 18: "workers", 19: "deliveries", 20: "deliveries", 21: "alerts", 22: "suppressions", 23: "erasures", 24: "pushes", 25: "popups", 26: "counted", 27: "counted", 28: "conversations", 29: "heard_words", 30: "erasures", 31: "awaited_ends", 32: "heard_words", 33: "deliveries"}

// steps are the numbers there are. One may be left out for a while: two people work on two of them.
func steps() (numbers []int) {
	for n, sql := range rows {
		if sql != "" {
			numbers = append(numbers, n)
		}
	}
	return numbers
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}

// TestEachStepGoesDownAndUpAgain takes every step back on a database with rows in it, and takes it again.
func TestEachStepGoesDownAndUpAgain(t *testing.T) {
	t.Parallel()
	url := pgtest.Empty(t)
	if err := migrations.Up(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	c := connect(t, url)
	all := steps()
	newest := all[len(all)-1]
	for _, step := range all {
		if _, err := c.Exec(t.Context(), rows[step]); err != nil {
			t.Fatal(err)
		}
	}
	for n, step := range slices.Backward(all) {
		if err := migrations.DownOne(t.Context(), url); err != nil {
			t.Fatalf("step %d down: %v", step, err)
		}
		status(t, url, step-1)
		if n > 0 {
			kept(t, c, all[n-1])
		}
		if err := migrations.Ready(t.Context(), c); err == nil || !strings.Contains(err.Error(), "aftercall migrate") {
			t.Errorf("without step %d: %v", step, err)
		}
		if err := migrations.Up(t.Context(), url); err != nil {
			t.Fatalf("step %d up again: %v", step, err)
		}
		status(t, url, newest)
		for _, again := range all[n:] { // fill what came back empty
			if _, err := c.Exec(t.Context(), rows[again]); err != nil {
				t.Fatalf("rows of step %d: %v", again, err)
			}
		}
		for range all[n:] { // down to this step, for the one before
			if err := migrations.DownOne(t.Context(), url); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := migrations.DownOne(t.Context(), url); err == nil {
		t.Error("a step was taken back that is not there")
	}
}

func status(t *testing.T, url string, applied int) {
	t.Helper()
	versions, err := migrations.Status(t.Context(), url)
	if err != nil || len(versions) != len(steps()) {
		t.Fatalf("status %+v, %v", versions, err)
	}
	for _, v := range versions {
		if v.Applied != (v.Number <= int64(applied)) || v.Applied == v.AppliedAt.IsZero() {
			t.Errorf("%+v with %d steps applied", v, applied)
		}
	}
}

func kept(t *testing.T, c *pgx.Conn, step int) {
	t.Helper()
	var n int
	if err := c.QueryRow(t.Context(), "SELECT count(*) FROM "+tables[step]).Scan(&n); err != nil || n != 1 {
		t.Errorf("%s: %d rows, %v", tables[step], n, err)
	}
}

// TestAStepDoesNotQueueUpBehindABackup: whoever wants a table after a step that waits for it would wait as well. So it
// gives up soon, whole, and can be taken later.
func TestAStepDoesNotQueueUpBehindABackup(t *testing.T) {
	t.Parallel()
	url := pgtest.Empty(t)
	if err := migrations.Up(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	const without = 8 // step 9 changes tables that webhooks need
	above := slices.DeleteFunc(steps(), func(step int) bool { return step <= without })
	for range above {
		if err := migrations.DownOne(t.Context(), url); err != nil {
			t.Fatal(err)
		}
	}
	reader, err := connect(t, url).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := reader.Exec(t.Context(), "LOCK TABLE activations IN ACCESS SHARE MODE"); err != nil { // as pg_dump does
		t.Fatal(err)
	}
	started := time.Now()
	if err := migrations.Up(t.Context(), url); !errors.Is(err, migrations.ErrBusy) || time.Since(started) > 20*time.Second {
		t.Errorf("after %s: %v", time.Since(started), err)
	}
	status(t, url, without)
	if err := reader.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := migrations.Up(t.Context(), url); err != nil {
		t.Error(err)
	}
	status(t, url, above[len(above)-1])
}

func TestReady(t *testing.T) {
	t.Parallel()
	url := pgtest.Empty(t)
	c := connect(t, url)
	if err := migrations.Ready(t.Context(), c); err == nil || !strings.Contains(err.Error(), "aftercall migrate") {
		t.Errorf("an empty database: %v", err)
	}
	var all sync.WaitGroup
	for range 3 { // processes that start together
		all.Go(func() {
			if err := migrations.Up(t.Context(), url); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if err := migrations.Ready(t.Context(), c); err != nil {
		t.Error(err)
	}
	if _, err := c.Exec(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, true)"); err != nil {
		t.Fatal(err)
	}
	if err := migrations.Ready(t.Context(), c); err != nil {
		t.Errorf("a newer database: %v", err)
	}
}

// TestThePagesRole migrates as a user who may make no roles, until somebody has.
func TestThePagesRole(t *testing.T) {
	t.Parallel()
	url := pgtest.Empty(t)
	c, ctx, plain := connect(t, url), t.Context(), "plain_"+strings.ToLower(rand.Text())
	exec := func(sql string) {
		t.Helper()
		if _, err := c.Exec(ctx, sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	exec("CREATE ROLE " + plain + " NOLOGIN")
	t.Cleanup(func() {
		for _, sql := range []string{"REASSIGN OWNED BY " + plain + " TO CURRENT_USER", "DROP OWNED BY " + plain, "DROP ROLE " + plain} {
			if _, err := c.Exec(context.Background(), sql); err != nil {
				t.Errorf("%s: %v", sql, err)
			}
		}
	})
	exec("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I OWNER TO " + plain + "', current_database()); END $$")
	as := url + "?role=" + plain
	if strings.Contains(url, "?") {
		as = url + "&role=" + plain
	}
	if err := migrations.Up(ctx, as); err == nil || !strings.Contains(err.Error(), "Have somebody run CREATE ROLE aftercall_pages NOLOGIN;") {
		t.Fatalf("without the role: %v", err)
	}
	if err := migrations.Up(ctx, url); err != nil { // as somebody who may
		t.Fatal(err)
	}
	exec("GRANT aftercall_pages TO " + plain)
	exec("REVOKE SELECT ON conversations FROM aftercall_pages") // as a restore without privileges leaves it
	if err := migrations.Up(ctx, as); err != nil {
		t.Fatal(err)
	}
	var reads, keys bool
	if err := c.QueryRow(ctx, "SELECT has_table_privilege('aftercall_pages', 'conversations', 'SELECT'), has_table_privilege('aftercall_pages', 'api_keys', 'SELECT')").
		Scan(&reads, &keys); err != nil || !reads || keys {
		t.Errorf("the pages read conversations %v, whole keys %v, %v", reads, keys, err)
	}
}
