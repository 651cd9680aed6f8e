package worker_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"aftercall/automation"
	"aftercall/conversation"
	"aftercall/deliver/capture"
	"aftercall/internal/postgres/pgtest"
	"aftercall/internal/store"
	"aftercall/interview"
	"aftercall/reason"
	"aftercall/worker"
)

const flood = `account: acme
timezone: Europe/London
from: { email: "calls@acme.example" }
allow: { domains: [acme.example] }
automations:
  - id: capped
    when: always
    limit: { per_day: 25 }
    actions:
      - email: { to: [log@acme.example], subject: "Call", body: "A call." }
      - task: { title: "Look at it", priority: high, due: { after: 4h } }
  - id: free
    when: always
    actions: [ { email: { to: [all@acme.example], subject: "Call", body: "A call." } } ]
`

// hall is one database with two workers at it.
type hall struct {
	*testing.T
	store     *store.Store
	revisions []*worker.Revisions
	revision  string
	log       bytes.Buffer
	mu        sync.Mutex
	workers   []*worker.Worker
}

// Write takes the workers' log.
func (h *hall) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.log.Write(p)
}

func newHall(t *testing.T) *hall {
	t.Helper()
	h := &hall{T: t}
	url := pgtest.New(t)
	for range 2 {
		h.join(url)
	}
	return h
}

// join starts a worker with connections and revisions of its own.
func (h *hall) join(url string) {
	h.Helper()
	ctx := h.Context()
	db, err := store.Open(ctx, url, store.Options{})
	must(h, err)
	h.Cleanup(db.Close)
	if h.store == nil {
		h.store = db
		files := automation.Files{"account.yaml": []byte(flood)}
		rev, problems := automation.Compile(files)
		if rev == nil {
			h.Fatal(problems)
		}
		h.revision, err = db.SaveRevision(ctx, store.RevisionFiles{AccountID: "acme", Digest: rev.Digest, Format: automation.Format, Files: files}, "test")
		must(h, err)
		_, err = db.Activate(ctx, store.Activation{AccountID: "acme", RevisionID: h.revision, By: "test"})
		must(h, err)
	}
	log := slog.New(slog.NewTextHandler(h, nil))
	revisions := worker.NewRevisions(db, log)
	must(h, revisions.Start(ctx))
	w, err := worker.New(worker.Config{Store: db, Revisions: revisions, Logger: log,
		Interviewer: interview.NewInterviewer(hanging{}, db, interview.Limits{}), Capture: capture.New(db)})
	must(h, err)
	must(h, w.Start(ctx))
	h.Cleanup(func() { must(h, w.Stop(context.Background())) })
	h.workers, h.revisions = append(h.workers, w), append(h.revisions, revisions)
}

// call posts a finished call and gives its id.
func (h *hall) call(n int) string {
	h.Helper()
	accepted, err := h.store.NewIngest(worker.EnqueueDecides(h.workers[0].Client())).Accept(h.Context(), store.Arrival{
		Event: store.Event{AccountID: "acme", Source: "api", Identity: fmt.Sprint(n), Type: "conversation", Body: []byte("{}")},
		Conversation: &conversation.Conversation{
			ExternalID: fmt.Sprint(n), Channel: conversation.ChannelPhone, Direction: conversation.Inbound, Status: conversation.Completed,
			StartedAt: time.Now().Add(-time.Minute), EndedAt: time.Now(),
			Turns: []conversation.Turn{{Role: conversation.RoleCustomer, Text: "Hello."}},
		},
		RevisionID: h.revision, DecideAt: time.Now(),
	})
	must(h, err)
	return accepted.ConversationID
}

// tally waits until the ledger's sums are as wanted, and for a ledger that balances.
func (h *hall) tally(done func(store.Tally) bool) {
	h.Helper()
	ctx, cancel := context.WithTimeout(h.Context(), time.Minute)
	defer cancel()
	var last store.Tally
	for {
		tally, wrong, err := h.store.Audit(ctx)
		if err != nil || len(wrong) > 0 {
			h.Fatalf("audit: %+v, %v; last %+v", wrong, err, last)
		}
		if last = tally; done(tally) {
			return
		}
	}
}

// TestARunawayIsHeld: two workers, an automation with a limit and one without. What passes is the limit to the call, the
// rest waits, and nothing else is touched.
func TestARunawayIsHeld(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	const calls, limit = 80, 25
	for n := range calls {
		h.call(n)
	}
	h.tally(func(s store.Tally) bool {
		return s.Undecided == 0 && s.Deliveries[store.Sent] == calls+2*limit && s.Deliveries[store.Held] == 2*(calls-limit) && s.Tasks == limit
	})
	open, err := h.store.Breakers(t.Context(), "acme")
	if err != nil || len(open) != 1 || open[0].Automation != "capped" || open[0].Cause != store.ByDay || !open[0].Open || open[0].Stopped != 2*(calls-limit) {
		t.Fatalf("breakers: %+v, %v", open, err)
	}
	h.mu.Lock()
	if n := strings.Count(h.log.String(), "a breaker opened"); n != 1 {
		t.Errorf("%d alerts, want one", n)
	}
	h.mu.Unlock()
}

// TestAnAutomationThatNobodyKnowsIsHeldAtAThousandAnHour: one that is new, or was at rest for longer than a week. One whose author
// says how much is enough may do that.
func TestAnAutomationThatNobodyKnowsIsHeldAtAThousandAnHour(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	for _, row := range []struct {
		automation, at string
		fired          int
	}{
		{"free", "now() - interval '200 hours'", 9}, {"free", "now()", 998}, {"free", "now() + interval '1 hour'", 998}, // in case the hour ends meanwhile
		{"capped", "now()", 5000}, {"capped", "now() + interval '1 hour'", 5000},
	} {
		_, err := h.store.Pool().Exec(t.Context(), `INSERT INTO automation_hours (account_id, automation, hour, lane, evaluated, fired, unsure, held, failed)
			VALUES ('acme', $1, date_trunc('hour', `+row.at+`), 32000, $2, $2, 0, 0, 0)`, row.automation, row.fired)
		must(t, err)
	}
	const calls = 6
	for n := range calls {
		h.call(n)
	}
	held := 0
	h.tally(func(s store.Tally) bool {
		held = s.Deliveries[store.Held]
		return s.Undecided == 0 && held+s.Deliveries[store.Sent] == 3*calls
	})
	if held < calls-4 || held > calls-2 { // each of two workers lets two pass where neither knows of the other's yet
		t.Errorf("%d of %d are held", held, calls)
	}
	open, err := h.store.Breakers(t.Context(), "acme")
	if err != nil || len(open) != 1 || open[0].Automation != "free" || open[0].Cause != store.ByJump || open[0].Fired < 1000 || open[0].Allowed != 1000 {
		t.Errorf("breakers: %+v, %v", open, err)
	}
}

// TestAMuteIsHeardByEveryWorker: each of them leaves the automation out of the next call, and says who muted it and why.
func TestAMuteIsHeardByEveryWorker(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	must(t, h.store.Mute(t.Context(), store.Actor{Name: "ann@acme.example"}, "acme", "capped", time.Now().Add(time.Hour), "a bad question"))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // sooner than the poll that makes up for a missed word
	defer cancel()
	for _, r := range h.revisions {
		for r.Muted("acme", time.Now()) == nil {
			_, err := h.store.Mutes(ctx, "acme")
			must(t, err)
		}
		if r.Muted("acme", time.Now().Add(2*time.Hour)) != nil {
			t.Error("a mute that has run out still holds")
		}
	}
	b := &bench{T: t, store: h.store, id: h.call(1)}
	s := b.until(func(s store.Story) bool { return s.State == store.StateDecided })
	for _, d := range s.Decisions {
		if muted := d.Reason == reason.Muted; muted != (d.Automation == "capped") || muted && !strings.Contains(d.Detail, "by ann@acme.example: a bad question") {
			t.Errorf("%s: %s, %q", d.Automation, d.Reason, d.Detail)
		}
	}
}
