package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"aftercall/deliver"
	"aftercall/internal/store"
	"aftercall/reason"
)

// ttl is shorter than the age of the server these tests run on; grace is longer than any of them takes.
const (
	ttl   = 50 * time.Millisecond
	grace = time.Hour
)

func (h *house) sweep(t *testing.T) store.Swept {
	t.Helper()
	swept, err := h.Sweep(t.Context(), ttl, grace, h.enqueueSwept)
	if err != nil {
		t.Fatal(err)
	}
	return swept
}

func (h *house) beat(t *testing.T, workers ...string) {
	t.Helper()
	for _, id := range workers {
		if err := h.Beat(t.Context(), store.Worker{ID: id, Host: "test", Version: "0", StartedAt: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	h.exec(t, "UPDATE workers SET beat_at = now() + interval '1 minute'") // alive for as long as the test takes
}

// kill makes it so that a worker has not beaten for a day.
func (h *house) kill(t *testing.T, worker string) {
	t.Helper()
	h.exec(t, "UPDATE workers SET beat_at = now() - interval '1 day' WHERE id = $1", worker)
	h.exec(t, "UPDATE deliveries SET claimed_at = now() - interval '1 day' WHERE worker_id = $1", worker)
}

// run makes a worker run every available job of a kind.
func (h *house) run(t *testing.T, kind, worker string) {
	t.Helper()
	h.exec(t, "UPDATE river_job SET state = 'running', attempted_by = array_append(attempted_by, $2) WHERE kind = $1 AND state = 'available'", kind, worker)
}

func TestSweepTakesUpWhatADeadWorkerLeft(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	h.beat(t, "alive", "dead")
	undecided := h.accept(t, h.arrival(phoneCall("c0"))).ConversationID
	h.run(t, "conversation.decide", "dead")
	kept := h.accept(t, h.arrival(phoneCall("c1"))).ConversationID
	h.run(t, "conversation.decide", "alive")
	half, whole := h.decided(t, "c2", 2), h.decided(t, "c3", 2)
	h.run(t, "conversation.decide", "alive")
	h.run(t, "delivery.send", "dead")
	half.Deliveries[0].ID = h.claim(t, half.ConversationID, "dead")[0].ID
	h.exec(t, "UPDATE deliveries SET state = 'planned', attempt = 0 WHERE conversation_id = $1 AND id <> $2", half.ConversationID, half.Deliveries[0].ID)
	sending := h.claim(t, whole.ConversationID, "alive")
	h.kill(t, "dead")

	before := h.count(t, "river_job")
	if d := cmp.Diff(store.Swept{Lapsed: []string{"dead"}, Unknown: 1, Decides: 1, Delivers: 1}, h.sweep(t)); d != "" {
		t.Fatal(d)
	}
	if n := h.count(t, "river_job WHERE state = 'available'"); n != 2 || h.count(t, "river_job") != before+2 {
		t.Errorf("%d fresh jobs", n)
	}
	for sql, want := range map[string]string{"conversation.decide": undecided, "delivery.send": half.ConversationID} {
		if h.count(t, "river_job WHERE state = 'available' AND kind = $1 AND args ->> 'conversation_id' = $2", sql, want) != 1 {
			t.Errorf("no fresh %s for %s (not %s)", sql, want, kept)
		}
	}
	for _, d := range h.story(t, half.ConversationID).Deliveries {
		if doubted := d.ID == half.Deliveries[0].ID; doubted != (d.State == store.Unknown) || (doubted && d.Attempts[0].Class != "worker_lost") {
			t.Errorf("delivery %+v", d)
		}
	}
	for _, c := range sending {
		if holds, err := h.Holds(t.Context(), c.ID, 1, "alive"); err != nil || !holds {
			t.Errorf("a living worker lost its claim: %v", err)
		}
	}
	if d := cmp.Diff(store.Swept{Lapsed: []string{}}, h.sweep(t)); d != "" {
		t.Errorf("a second sweep found more: %s", d)
	}
	h.balanced(t)
}

// A worker frozen past its lease may claim once more when it wakes, and die without ever beating again.
func TestSweepDoubtsClaimsWithoutALease(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	p := h.decided(t, "c1", 1)
	h.claim(t, p.ConversationID, "ghost")
	h.exec(t, "UPDATE deliveries SET claimed_at = now() + interval '1 minute'")
	if swept := h.sweep(t); swept.Unknown != 0 {
		t.Errorf("doubted at once: %+v", swept)
	}
	h.kill(t, "ghost")
	if swept := h.sweep(t); swept.Unknown != 1 {
		t.Errorf("not doubted: %+v", swept)
	}
	h.balanced(t)
}

// A team alert is a row of ours, written once however often it is tried: a dead worker leaves no doubt about it.
func TestSweepTriesATeamAlertAgain(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	p := h.decided(t, "c1", 1)
	h.exec(t, "UPDATE deliveries SET channel = 'team_alert'")
	h.beat(t, "dead", "alive")
	alert := h.claimOn(t, p.ConversationID, deliver.TeamAlert, "dead")[0]
	h.kill(t, "dead")
	h.run(t, "delivery.send", "dead")
	if swept := h.sweep(t); swept.Unknown != 0 {
		t.Errorf("doubted: %+v", swept)
	}
	if err := h.RecordOutcome(t.Context(), outcome(alert, "dead", store.Sent)); !errors.Is(err, store.ErrFenced) {
		t.Errorf("the worker that lost it may still settle it: %v", err)
	}
	again := h.claimOn(t, p.ConversationID, deliver.TeamAlert, "alive")
	if len(again) != 1 || again[0].Attempt != 2 {
		t.Fatalf("claimed again: %+v", again)
	}
	if err := h.PostAlert(t.Context(), deliver.Message{AccountID: "acme", DeliveryID: again[0].ID, Text: "Call back"}); err != nil {
		t.Fatal(err)
	}
	h.record(t, outcome(again[0], "alive", store.Sent))
	h.balanced(t)
}

// What goes out with its plan has no job: its worker is to enqueue one for what must be tried again, and may die before it does.
func TestSweepTakesUpWhatNeverHadAJob(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	p, alert := h.decided(t, "c1", 2), h.decided(t, "c2", 1)
	h.exec(t, "UPDATE deliveries SET channel = 'team_alert' WHERE conversation_id = $1", alert.ConversationID)
	h.beat(t, "dead", "alive")
	mails := h.claim(t, p.ConversationID, "dead")
	h.claimOn(t, alert.ConversationID, deliver.TeamAlert, "dead")
	h.record(t, outcome(mails[0], "dead", store.Retrying))
	h.record(t, outcome(mails[1], "dead", store.Sent))
	h.exec(t, "DELETE FROM river_job")
	if swept := h.sweep(t); swept.Delivers != 0 {
		t.Errorf("taken from a worker that is alive: %+v", swept)
	}
	h.kill(t, "dead")
	if d := cmp.Diff(store.Swept{Lapsed: []string{"dead"}, Delivers: 2}, h.sweep(t)); d != "" {
		t.Error(d)
	}
	if swept := h.sweep(t); swept.Delivers != 0 {
		t.Errorf("enqueued twice: %+v", swept)
	}
	h.balanced(t)
}

// A claim whose commit was answered to nobody, or whose receipt was refused for good, is no worker's business any more.
func TestSweepDoubtsClaimsOfLongAgo(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	p := h.decided(t, "c1", 1)
	h.beat(t, "alive")
	h.claim(t, p.ConversationID, "alive")
	if swept := h.sweep(t); swept.Unknown != 0 {
		t.Errorf("doubted at once: %+v", swept)
	}
	h.exec(t, "UPDATE deliveries SET claimed_at = now() - interval '6 minutes'")
	if swept := h.sweep(t); swept.Unknown != 1 {
		t.Errorf("not doubted: %+v", swept)
	}
}

func TestSweepFindsWhatHasNoJob(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		job  string // done to the jobs, of "alive" and others
		want store.Swept
	}{
		"available":                        {"", store.Swept{}},
		"gone":                             {"DELETE FROM river_job", store.Swept{Decides: 1, Delivers: 1}},
		"completed":                        {"UPDATE river_job SET state = 'completed', finalized_at = now()", store.Swept{Decides: 1, Delivers: 1}},
		"discarded":                        {"UPDATE river_job SET state = 'discarded', finalized_at = now()", store.Swept{Decides: 1, Delivers: 1}},
		"snoozed":                          {"UPDATE river_job SET state = 'scheduled', scheduled_at = now() + interval '1 day'", store.Swept{Delivers: 1}}, // due now, and that job is no help
		"running":                          {"UPDATE river_job SET state = 'running', attempted_by = '{gone,alive}'", store.Swept{}},
		"running since the database began": {"UPDATE river_job SET state = 'running', attempted_by = '{alive}', attempted_at = pg_postmaster_start_time() + interval '1 second'", store.Swept{}},
		"handed out before the database crashed": {"UPDATE river_job SET state = 'running', attempted_by = '{alive}', attempted_at = pg_postmaster_start_time() - interval '1 second'",
			store.Swept{Decides: 1, Delivers: 1}},
		"running, its worker is gone": {"UPDATE river_job SET state = 'running', attempted_by = '{alive,gone}'", store.Swept{Decides: 1, Delivers: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, store.Options{})
			h.beat(t, "alive")
			h.accept(t, h.arrival(phoneCall("c1")))
			h.decided(t, "c2", 2)
			h.exec(t, "UPDATE conversations SET decide_at = now() - interval '2 hours'")
			if test.job != "" {
				h.exec(t, test.job)
			}
			test.want.Lapsed = []string{}
			if d := cmp.Diff(test.want, h.sweep(t)); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(store.Swept{Lapsed: []string{}}, h.sweep(t)); d != "" {
				t.Errorf("a second sweep found more: %s", d)
			}
		})
	}
}

func TestSweepLeavesTheYoungAlone(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	h.accept(t, h.arrival(phoneCall("c1")))
	h.exec(t, "UPDATE conversations SET decide_at = now()")
	h.exec(t, "DELETE FROM river_job")
	if d := cmp.Diff(store.Swept{Lapsed: []string{}}, h.sweep(t)); d != "" {
		t.Error(d)
	}
}

func TestSweepGivesWorkersTimeAfterADatabaseRestart(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	h.beat(t, "w1")
	h.claim(t, h.decided(t, "c1", 1).ConversationID, "w1")
	h.kill(t, "w1")
	h.exec(t, "UPDATE workers SET beat_at = now() - interval '100 years'")
	swept, err := h.Sweep(t.Context(), 50*365*24*time.Hour, grace, h.enqueueSwept) // the server is younger than this lease
	if err != nil || len(swept.Lapsed) != 0 || swept.Unknown != 0 {
		t.Errorf("swept %+v, %v", swept, err)
	}
}

func TestSweepFailsWhatIsTooLate(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	p := h.plan(h.accept(t, h.arrival(phoneCall("c1"))).ConversationID, 2)
	p.Deliveries[1].DeadlineAt = time.Now().Add(-time.Minute)
	h.save(t, p)
	if swept := h.sweep(t); swept.TooLate != 1 {
		t.Errorf("swept %+v", swept)
	}
	if d := h.story(t, p.ConversationID).Deliveries[1]; d.State != store.Failed || d.Reason != reason.TooLate {
		t.Errorf("delivery %+v", d)
	}
	h.balanced(t)
}

func TestSweepRunsAloneAndWholly(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	h.beat(t, "dead")
	p := h.decided(t, "c1", 1)
	h.run(t, "delivery.send", "dead")
	h.claim(t, p.ConversationID, "dead")
	h.accept(t, h.arrival(phoneCall("c2")))
	h.run(t, "conversation.decide", "dead")
	h.kill(t, "dead")
	errQueue := errors.New("queue")
	_, err := h.Sweep(t.Context(), ttl, grace, func(ctx context.Context, _ pgx.Tx, _ store.SweepJobs) error {
		if other := h.sweep(t); other.Lapsed != nil || other.Unknown != 0 {
			t.Errorf("a second sweep ran beside the first: %+v", other)
		}
		return errQueue
	})
	if !errors.Is(err, errQueue) {
		t.Fatalf("sweep: %v", err)
	}
	if d := h.story(t, p.ConversationID).Deliveries[0]; d.State != store.Sending {
		t.Errorf("a sweep that failed left %+v", d)
	}
	if swept := h.sweep(t); swept.Unknown != 1 || swept.Decides != 1 {
		t.Errorf("swept %+v", swept)
	}
}

func TestLeave(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	h.beat(t, "w1")
	if err := h.Leave(t.Context(), "w1"); err != nil {
		t.Fatal(err)
	}
	if n := h.count(t, "workers"); n != 0 {
		t.Errorf("%d workers", n)
	}
	if got, err := h.Claim(t.Context(), h.decided(t, "c1", 1).ConversationID, deliver.SMS, "w1", time.Now(), nil); err != nil || got != nil {
		t.Errorf("claimed %v, %v", got, err)
	}
}

// TestSweepTakesUpAnErasure whose job was given up, or was in the hands of a worker that died. One that is worked on, waits for its turn or is
// done has no other job.
func TestSweepTakesUpAnErasure(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	id, err := h.AskErasure(t.Context(), store.Actor{}, "acme", store.ErasureWish{Customer: "a@example.com"}, 0, func(context.Context, pgx.Tx, string) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	erases := func(when string, want int) {
		t.Helper()
		if s := h.sweep(t); s.Erases != want {
			t.Errorf("%s: %d fresh jobs, want %d", when, s.Erases, want)
		}
	}
	erases("asked for a moment ago", 0)
	h.exec(t, "UPDATE erasures SET began_at = now() - interval '1 day'")
	erases("without a job", 1)
	erases("with a job", 0)
	h.exec(t, "UPDATE river_job SET state = 'discarded', finalized_at = now()")
	erases("given up", 1)
	h.exec(t, "UPDATE river_job SET state = 'retryable' WHERE state = 'available'")
	erases("failed once", 0)
	h.beat(t, "alive", "dead")
	h.exec(t, "UPDATE river_job SET state = 'available' WHERE state = 'retryable'")
	h.run(t, "erase.work", "alive")
	erases("in good hands", 0)
	h.exec(t, "UPDATE river_job SET attempted_by = '{dead}' WHERE state = 'running'")
	h.kill(t, "dead")
	erases("of a worker that died", 1)
	h.exec(t, "DELETE FROM river_job")
	if err := h.FinishErasure(t.Context(), store.Erasure{ID: id, AccountID: "acme"}); err != nil {
		t.Fatal(err)
	}
	erases("done", 0)
}
