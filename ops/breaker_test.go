package ops_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"aftercall/deliver"
	"aftercall/deliver/capture"
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
    limit: { per_day: 12 }
    actions:
      - email: { to: [log@acme.example], subject: "Call", body: "A call." }
      - task: { title: "Look at it", priority: high, due: { after: 4h } }
`

// join starts a second worker, with connections and revisions of its own.
func (d *desk) join() {
	d.Helper()
	db, err := store.Open(d.Context(), d.store.Pool().Config().ConnString(), store.Options{})
	d.must(err)
	d.Cleanup(db.Close)
	log := slog.New(slog.DiscardHandler)
	revisions := worker.NewRevisions(db, log)
	d.must(revisions.Start(d.Context()))
	w, err := worker.New(worker.Config{Store: db, Revisions: revisions, Interviewer: interview.NewInterviewer(d.model, db, interview.Limits{}), Logger: log,
		Channels: map[string]deliver.Channel{deliver.Email: d.mail}, Capture: capture.New(db)})
	d.must(err)
	d.must(w.Start(d.Context()))
	d.Cleanup(func() { d.must(w.Stop(context.Background())) })
}

// sums waits until the ledger's sums are as wanted; it balances at each look.
func (d *desk) sums(done func(store.Tally) bool) {
	d.Helper()
	ctx, cancel := context.WithTimeout(d.Context(), time.Minute)
	defer cancel()
	for {
		tally, wrong, err := d.store.Audit(ctx)
		if err != nil || len(wrong) > 0 {
			d.Fatalf("audit: %+v, %v", wrong, err)
		}
		if done(tally) {
			return
		}
	}
}

// TestWhatABreakerHeldIsReleasedOnce: two workers and an automation that runs away. As many calls pass as its limit says; the
// rest is held, released in bulk, and then every call has had one mail and one task.
func TestWhatABreakerHeldIsReleasedOnce(t *testing.T) {
	t.Parallel()
	d := sit(t)
	d.revision = d.activate("acme", flood)
	d.join()
	const calls, limit = 40, 12
	for range calls {
		d.post("Hello.")
	}
	d.sums(func(s store.Tally) bool {
		return s.Undecided == 0 && s.Deliveries[store.Sent] == 2*limit && s.Deliveries[store.Held] == 2*(calls-limit)
	})
	if n := d.mail.to("log@acme.example"); n != limit {
		t.Errorf("%d mails passed, want %d", n, limit)
	}
	open, err := d.store.Breakers(t.Context(), "acme")
	d.must(err)
	if len(open) != 1 || !open[0].Open || open[0].Stopped != 2*(calls-limit) {
		t.Fatalf("breakers: %+v", open)
	}
	_, err = d.Bulk(t.Context(), d.by(), "acme", store.BulkRequest{Action: store.BulkRelease, Filter: store.BulkFilter{
		Since: open[0].HeldSince.Add(-time.Minute), Until: time.Now().Add(time.Minute), State: store.Held, Automation: "capped", Reason: reason.BreakerOpen}})
	d.must(err)
	d.sums(func(s store.Tally) bool { return s.Deliveries[store.Sent] == 2*calls && s.Tasks == calls })
	if n := d.mail.to("log@acme.example"); n != calls {
		t.Errorf("%d mails went out for %d calls", n, calls)
	}
	d.must(d.store.CloseBreaker(t.Context(), d.by(), "acme", "capped"))
	d.is(d.of(d.call("Hello again."), 1, "capped", 0), store.Sent)
	if n := d.acts(store.ActBreakerClosed); n != 1 {
		t.Errorf("the log says %d times that the breaker was closed", n)
	}
	d.balanced()
}
