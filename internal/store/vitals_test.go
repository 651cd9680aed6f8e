package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"aftercall/internal/signals"
	"aftercall/internal/store"
)

// TestVitals: what an operator is shown of an installation at which something of everything waits.
func TestVitals(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	empty := h.vitals(t)
	want := signals.Vitals{
		QueueAge: map[string]time.Duration{"decide": 0, "deliver_email": 0}, QueueJobs: map[string]int{"decide": 0, "deliver_email": 0},
		Undecided: map[string]int{"accepted": 0, "waiting": 0},
		Ledger:    map[string]int{"planned": 0, "sending": 0, "retrying": 0, "held": 0, "unknown": 0}, Accounts: 1,
	}
	if diff := cmp.Diff(want, empty); diff != "" {
		t.Errorf("of an idle installation (-want +got):\n%s", diff)
	}
	h.exec(t, `INSERT INTO river_job (args, kind, queue, state, priority, scheduled_at, max_attempts) VALUES
		('{}', 'k', 'decide', 'available', 1, now() - interval '10 s', 25),
		('{}', 'k', 'decide', 'available', 4, now() - interval '100 s', 25),
		('{}', 'k', 'decide', 'scheduled', 1, now() - interval '70 s', 25),
		('{}', 'k', 'decide', 'scheduled', 1, now() + interval '1 h', 25),
		('{}', 'k', 'decide', 'running', 1, now() - interval '1 h', 25),
		('{}', 'k', 'deliver_email', 'retryable', 2, now() - interval '40 s', 25)`)
	for n, state := range []string{"accepted", "waiting", "decided"} {
		id := h.accept(t, h.arrival(phoneCall(state))).ConversationID
		h.exec(t, `UPDATE conversations SET state = $1, decided_at = CASE $1 WHEN 'decided' THEN now() END,
			decide_at = now() - make_interval(secs => $2) WHERE id = $3`, state, 20*(n+1), id)
	}
	id := h.accept(t, h.arrival(phoneCall("ledger"))).ConversationID
	h.exec(t, `UPDATE conversations SET state = 'decided', decided_at = now() WHERE id = $1`, id)
	for n, state := range []store.DeliveryState{store.Planned, store.Planned, store.Retrying, store.Sending, store.Held, store.Unknown, store.Sent, store.Failed} {
		h.exec(t, `INSERT INTO deliveries (id, account_id, conversation_id, run, automation, action, recipient, channel, customer, state,
				reason, detail, due_at, deadline_at, test, content, attempt, worker_id, claimed_at)
			VALUES (gen_random_uuid(), 'acme', $1, 1, 'a', $2::integer, 'r', 'email', false, $3, '', '',
				now() - make_interval(secs => 30 * $2::integer) + interval '1 min', now() + interval '1 h', false, '{}', 1, 'w', now())`, id, n, string(state))
	}
	h.beat(t, "w1", "w2")
	h.kill(t, "w2")
	h.exec(t, `INSERT INTO erasures (id, account_id, cause, asked_by, wish, began_at, finished_at) VALUES
		(gen_random_uuid(), 'acme', 'customer', '', '{}', now() - interval '50 s', NULL), (gen_random_uuid(), 'acme', 'customer', '', '{}', now(), NULL),
		(gen_random_uuid(), 'acme', 'customer', '', NULL, now() - interval '1 h', now()), (gen_random_uuid(), 'acme', 'retention', '', NULL, now() - interval '1 h', NULL)`)
	h.exec(t, `INSERT INTO config_attempts (account_id, folder, host, state, problems, first_problem, digest) VALUES
		('acme', '/c', 'h', 'applied', 0, '', 'd'), ('other', '/o', 'h', 'invalid', 1, 'p', 'd')`)
	got := h.vitals(t)
	for name, c := range map[string]struct{ got, want time.Duration }{
		"decide": {got.QueueAge["decide"], 100 * time.Second}, "deliver_email": {got.QueueAge["deliver_email"], 40 * time.Second},
		"undecided": {got.OldestUndecided, 40 * time.Second}, "due": {got.OldestDue, 0}, "erasure": {got.OldestErasure, 50 * time.Second},
	} {
		if c.got < c.want || c.got > c.want+30*time.Second {
			t.Errorf("age of %s is %s, want %s", name, c.got, c.want)
		}
	}
	got.QueueAge, got.OldestUndecided, got.OldestDue, got.OldestErasure = nil, 0, 0, 0
	want = signals.Vitals{
		QueueJobs: map[string]int{"decide": 2, "deliver_email": 0}, Undecided: map[string]int{"accepted": 1, "waiting": 1},
		Ledger:  map[string]int{"planned": 2, "sending": 1, "retrying": 1, "held": 1, "unknown": 1},
		Workers: 1, Accounts: 1, Troubled: 1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestWhatATestHoldsWaitsForNobody, on no page and in no metric, and counting past it costs nothing.
func TestWhatATestHoldsWaitsForNobody(t *testing.T) {
	t.Parallel()
	passed := &statements{seen: map[string]pgx.TraceQueryStartData{}}
	h := open(t, store.Options{Tracer: passed})
	h.exec(t, filler, h.revision)
	h.exec(t, "UPDATE deliveries SET state = 'held', test = true WHERE get_byte(uuid_send(id), 15) <> 7")
	h.exec(t, "UPDATE decisions SET verdict = 'unsure', reason = 'unsure', review = true WHERE get_byte(uuid_send(conversation_id), 15) = 7 AND automation = 'complaint'")
	h.exec(t, `INSERT INTO runs (conversation_id, run, account_id, cause, of_run, automation, sandbox, revision_id, state, person, done_at)
		SELECT conversation_id, 2, 'acme', 'replay', 1, '', true, $1, 'done', 'Ann', now() FROM decisions WHERE verdict = 'unsure'`, h.revision)
	h.exec(t, "UPDATE decisions SET run = 2 WHERE verdict = 'unsure'")
	h.exec(t, "VACUUM ANALYZE decisions, deliveries, runs")
	told := func(want int) {
		t.Helper()
		review, held := lookOver(t, h.Reader).Review, h.vitals(t).Ledger["held"]
		if waits, err := h.CountReviews(t.Context()); err != nil || waits != want || held != want || review != (store.Review{Held: want}) {
			t.Errorf("%d wait; the overview says %+v and the metric %d, want %d: %v", waits, review, held, want, err)
		}
	}
	told(0)
	if text := h.explain(t, passed.all()["LedgerVitals"]); !strings.Contains(text, "deliveries_to_review") {
		t.Errorf("held tests are looked through:\n%s", text)
	}
	h.exec(t, "UPDATE deliveries SET state = 'held' WHERE get_byte(uuid_send(id), 15) = 7 AND get_byte(uuid_send(id), 14) < 3")
	told(3)
}

func (h *house) vitals(t testing.TB) signals.Vitals {
	t.Helper()
	v, err := h.Vitals(t.Context(), []string{"decide", "deliver_email"}, ttl)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestAnOldSchemaIsNoticed, and a database that is away is not taken for one.
func TestAnOldSchemaIsNoticed(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	if err := h.SchemaFits(t.Context()); err != nil {
		t.Error(err)
	}
	h.exec(t, `DELETE FROM goose_db_version WHERE version_id = (SELECT max(version_id) FROM goose_db_version)`)
	if err := h.SchemaFits(t.Context()); err == nil {
		t.Error("an older schema fits")
	}
	if err := h.Answers(t.Context()); err != nil {
		t.Error(err)
	}
	h.Close()
	if err := h.SchemaFits(t.Context()); err != nil {
		t.Errorf("nobody can know: %v", err)
	}
	if err := h.Answers(t.Context()); err == nil {
		t.Error("a database that is away answers")
	}
}
