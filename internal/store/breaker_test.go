package store_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"aftercall/deliver"
	"aftercall/internal/store"
	"aftercall/reason"
	"aftercall/tasks"
	"aftercall/triggers"
)

func operator() store.Actor { return store.Actor{Name: "ann@acme.example", Address: "192.0.2.1"} }

// daily is an author's limit, as a worker passes it.
func daily(perDay int) store.Limit {
	return store.Limit{PerDay: perDay, Day: day(0), DayEnds: time.Now().Add(time.Hour)}
}

func day(ago int) string { return time.Now().UTC().AddDate(0, 0, -ago).Format(time.DateOnly) }

// firing is a plan with a mail and a task, within a limit.
func (h *house) firing(t testing.TB, call string, limit store.Limit) *store.Plan {
	t.Helper()
	p := h.plan(h.accept(t, h.arrival(phoneCall(call))).ConversationID, 1)
	p.Limits, p.Actions["callback"] = map[string]store.Limit{"callback": limit}, 2
	p.Deliveries = append(p.Deliveries, store.Delivery{ID: uuid.NewString(), Automation: "callback", Action: 1, Channel: deliver.Task,
		Recipient: "support", State: store.Sent, Content: store.Content{Subject: "Call back", Text: "Ann"}})
	p.Tasks = []store.Task{{ID: uuid.NewString(), Automation: "callback", Action: 1,
		Task: tasks.Task{Title: "Call back", Description: "Ann", Priority: tasks.High, Assignee: "support", DueAt: ended()}}}
	return p
}

// pass saves a plan and reports whether a breaker let it pass.
func (h *house) pass(t testing.TB, call string, limit store.Limit) bool {
	t.Helper()
	p := h.firing(t, call, limit)
	h.save(t, p)
	return h.story(t, p.ConversationID).Deliveries[0].State == store.Planned
}

// TestAnAuthorsLimitHoldsToTheCall: two processes decide side by side; as many calls pass as the limit says, one breaker
// opens, and what it holds is released once each.
func TestAnAuthorsLimitHoldsToTheCall(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	twin := openAt(t, h.url, store.Options{})
	const calls, limit = 120, 40
	var opened atomic.Int64
	var all sync.WaitGroup
	for n := range calls {
		s, p := []*house{h, twin}[n%2], h.firing(t, fmt.Sprint(n), daily(limit))
		all.Go(func() {
			saved, err := s.planner.Save(t.Context(), p)
			if err != nil || !saved.OK {
				t.Error(saved, err)
			}
			opened.Add(int64(len(saved.Opened)))
		})
	}
	all.Wait()
	mails := h.count(t, "deliveries WHERE channel = 'email' AND state = 'planned'")
	written := h.count(t, "tasks")
	held := h.count(t, "deliveries WHERE state = 'held' AND reason = 'breaker_open'")
	if mails != limit || written != limit || held != 2*(calls-limit) || opened.Load() != 1 {
		t.Errorf("%d mails and %d tasks passed, want %d; %d held, want %d; opened %d times", mails, written, limit, held, 2*(calls-limit), opened.Load())
	}
	if n := h.count(t, "audit_log WHERE act = 'breaker_opened' AND target = 'callback' AND account_id = 'acme'"); n != 1 {
		t.Errorf("%d acts say that it opened", n)
	}
	h.counted(t, "callback", [6]int{calls, calls, 0, 0, 0, calls - limit})
	h.counted(t, "complaint", [6]int{calls, 0, 0, 0, 0, 0})
	h.balanced(t)
}

// counted checks an automation's hour: evaluated, fired, unsure, held, failed, stopped, over all processes.
func (h *house) counted(t testing.TB, automation string, want [6]int) {
	t.Helper()
	var got [6]int
	err := h.Pool().QueryRow(t.Context(), `SELECT sum(evaluated), sum(fired), sum(unsure), sum(held), sum(failed), sum(stopped)
		FROM automation_hours WHERE account_id = 'acme' AND automation = $1`, automation).Scan(&got[0], &got[1], &got[2], &got[3], &got[4], &got[5])
	if err != nil || got != want {
		t.Errorf("%s: evaluated, fired, unsure, held, failed, stopped %v, want %v; %v", automation, got, want, err)
	}
}

// TestClosingABreakerLetsAsManyPassAgain for the author's limit and for a jump.
func TestClosingABreakerLetsAsManyPassAgain(t *testing.T) {
	t.Parallel()
	for cause, limit := range map[store.Cause]store.Limit{store.ByDay: daily(3), store.ByJump: {PerHour: 3}} {
		t.Run(string(cause), func(t *testing.T) {
			t.Parallel()
			h := open(t, store.Options{})
			if err := h.CloseBreaker(t.Context(), operator(), "acme", "callback"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("closed what was not open: %v", err)
			}
			for round := range 2 {
				for n := range 5 {
					if passed := h.pass(t, fmt.Sprint(round, n), limit); passed != (n < 3) {
						t.Errorf("round %d, call %d passed: %t", round, n, passed)
					}
				}
				open, err := h.Breakers(t.Context(), "acme")
				if err != nil || len(open) != 1 || !open[0].Open || open[0].Cause != cause || open[0].Fired != 3 || open[0].Allowed != 3 || open[0].Stopped != 4*(round+1) {
					t.Fatalf("round %d: %+v, %v", round, open, err)
				}
				if err := h.CloseBreaker(t.Context(), operator(), "acme", "callback"); err != nil {
					t.Fatal(err)
				}
			}
			left, err := h.Breakers(t.Context(), "")
			if err != nil || len(left) != 1 || left[0].Open || left[0].Stopped != 8 || time.Since(left[0].HeldSince).Abs() > time.Minute {
				t.Errorf("closed, and what it holds is not told: %+v, %v", left, err)
			}
			h.exec(t, "UPDATE deliveries SET state = 'skipped' WHERE state = 'held'")
			if left, err := h.Breakers(t.Context(), ""); err != nil || len(left) != 0 {
				t.Errorf("closed and empty, and still listed: %+v, %v", left, err)
			}
			h.balanced(t)
		})
	}
}

// TestADailyBreakerClosesWithItsDay by itself.
func TestADailyBreakerClosesWithItsDay(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	yesterday := store.Limit{PerDay: 1, Day: day(1), DayEnds: time.Now().Add(-time.Second)}
	if !h.pass(t, "a", yesterday) || h.pass(t, "b", yesterday) {
		t.Error("want one to pass and one to be held")
	}
	if !h.pass(t, "c", daily(1)) {
		t.Error("the next day is held as well")
	}
	left, err := h.Breakers(t.Context(), "acme")
	if err != nil || len(left) != 1 || left[0].Open || left[0].Stopped != 2 {
		t.Errorf("what is held of yesterday is not shown: %+v, %v", left, err)
	}
}

// TestWhatAPersonAskedForIsNotHeld: a further run is neither counted nor stopped.
func TestWhatAPersonAskedForIsNotHeld(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	h.pass(t, "a", daily(1))
	p := h.firing(t, "b", daily(1))
	p.Run = 2
	h.save(t, p)
	if h.story(t, p.ConversationID).Deliveries[0].State != store.Planned {
		t.Error("a replay was held")
	}
	h.counted(t, "callback", [6]int{1, 1, 0, 0, 0, 0})
}

// TestOneBadPlanCountsNothing: its neighbours are counted once, though the transaction they shared was rolled back.
func TestOneBadPlanCountsNothing(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	const calls = 20
	var all sync.WaitGroup
	for n := range calls {
		p := h.firing(t, fmt.Sprint(n), daily(5))
		if n == calls/2 {
			p.Deliveries[0].State = "nonsense"
		}
		all.Go(func() {
			if _, err := h.planner.Save(t.Context(), p); (err != nil) != (p.Deliveries[0].State == "nonsense") {
				t.Error(err)
			}
		})
	}
	all.Wait()
	h.counted(t, "callback", [6]int{calls - 1, calls - 1, 0, 0, 0, calls - 6})
	if n := h.count(t, "deliveries WHERE channel = 'email' AND state = 'planned'"); n != 5 {
		t.Errorf("%d passed, want 5", n)
	}
	h.balanced(t)
}

// TestWhatIsCounted: decisions past the gate, once each, when they are final.
func TestWhatIsCounted(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	p := h.plan(h.accept(t, h.arrival(phoneCall("a"))).ConversationID, 2)
	p.State = store.StateWaiting
	p.Deliveries[0].State, p.Deliveries[0].Reason = store.Held, reason.RequiredVariableMissing
	p.Deliveries[1].State, p.Deliveries[1].Reason = store.Failed, reason.RenderFailed
	p.Decisions = append(p.Decisions,
		triggers.Decision{Automation: "night", Verdict: triggers.Skipped, Reason: reason.FilteredTime},
		triggers.Decision{Automation: "vip", Verdict: triggers.Waiting, Reason: reason.ModelUnavailable})
	h.save(t, p)
	h.save(t, &store.Plan{AccountID: "acme", ConversationID: p.ConversationID, RevisionID: h.revision, Run: 1, Version: 2, State: store.StateDecided,
		Decisions: []triggers.Decision{{Automation: "vip", Verdict: triggers.Unsure, Reason: reason.BudgetExceeded, Review: true}}})
	h.counted(t, "callback", [6]int{1, 1, 0, 1, 1, 0})
	h.counted(t, "complaint", [6]int{1, 0, 0, 0, 0, 0})
	h.counted(t, "vip", [6]int{1, 0, 1, 0, 1, 0})
	if n := h.count(t, "automation_hours WHERE automation = 'night'"); n != 0 {
		t.Error("what the gate stopped was counted as evaluated")
	}
}

// TestBusiest is of complete hours within seven days, over all processes, without what a breaker held.
func TestBusiest(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	const add = `INSERT INTO automation_hours (account_id, automation, hour, lane, evaluated, fired, unsure, held, failed, stopped)
		VALUES ('acme', $1, date_trunc('hour', now()) - $2::interval, $3, 100, $4, 0, 0, 0, $5)`
	for _, row := range []struct {
		automation, ago string
		lane, fired     int
		stopped         int
	}{
		{"callback", "30 hours", 1, 10, 0}, {"callback", "30 hours", 2, 5, 0}, {"callback", "3 hours", 1, 900, 890},
		{"callback", "200 hours", 1, 500, 0}, {"callback", "0 hours", 1, 700, 0}, {"young", "5 hours", 1, 9, 0}, {"silent", "48 hours", 1, 0, 0},
	} {
		h.exec(t, add, row.automation, row.ago, row.lane, row.fired, row.stopped)
	}
	got, err := h.Busiest(t.Context(), "acme", []string{"callback", "young", "silent", "unheard"})
	if silent, ok := got["silent"]; err != nil || len(got) != 2 || got["callback"] != 15 || !ok || silent != 0 {
		t.Errorf("%v, %v; want callback 15, silent 0", got, err)
	}
}

// watchOver runs every query about automations once.
func (h *house) watchOver(t *testing.T) {
	t.Helper()
	for n := range 3 {
		h.pass(t, fmt.Sprint("watched", n), daily(1))
	}
	for _, err := range []error{
		h.CloseBreaker(t.Context(), operator(), "acme", "callback"),
		errOf(h.Busiest(t.Context(), "acme", []string{"callback"})),
		errOf(h.Breakers(t.Context(), "acme")),
		h.Mute(t.Context(), operator(), "acme", "callback", time.Now().Add(time.Hour), "noise"),
		errOf(h.Mutes(t.Context(), "")),
		h.Unmute(t.Context(), operator(), "acme", "callback"),
		errOf(h.AutomationSums(t.Context(), "acme", []string{"callback"}, ended(), time.Now())),
		errOf(h.AutomationRecord(t.Context(), "acme", "callback", ended())),
		errOf(h.Usage(t.Context(), "acme", ended(), time.UTC)),
		errOf(h.UsageByAccount(t.Context(), ended())),
		errOf(h.Spent(t.Context(), "acme", day(0))),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func errOf[T any](_ T, err error) error { return err }
