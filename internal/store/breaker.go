package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"aftercall/deliver"
	"aftercall/internal/store/db"
	"aftercall/reason"
	"aftercall/triggers"
)

// Limit is how often an automation may fire before its breaker opens. The zero Limit is none.
type Limit struct {
	PerDay  int       // the author's, exact over all processes; 0: none
	Day     string    // 2026-11-21, in the account's time zone; with PerDay
	DayEnds time.Time // when the breaker closes by itself; with PerDay
	PerHour int       // what is far more than usual; 0: nothing is known about the usual
}

// Cause is why a breaker opened.
type Cause string

// The causes.
const (
	ByJump Cause = "jump" // it fired far more often than usual within an hour
	ByDay  Cause = "day"  // it reached its author's limit for the day
)

// Breaker holds what an automation would do from the moment it fires too often.
type Breaker struct {
	AccountID, Automation string
	Cause                 Cause
	Fired, Allowed        int // in the hour, or the day, when it opened
	OpenedAt              time.Time
	Until                 time.Time // it closes by itself then; zero: a person closes it
	Open                  bool
	Stopped               int       // deliveries it holds, up to MostStopped + 1
	HeldSince             time.Time // the oldest of them; zero if it holds none
}

// MostStopped is how far held deliveries are counted.
const MostStopped = 500

// watcher is the name under which an opening stands in the audit log.
const watcher = "Aftercall"

// pair names an automation of an account.
type pair struct{ account, automation string }

// hour is what a batch of plans adds to an automation's hour, and how it stands against its limits.
type hour struct {
	pair
	evaluated, fired, unsure, held, failed, stopped int64

	limit              Limit
	inHour, spared     int64 // fired in this hour before the batch, and what of it is not counted
	today, sparedToday int64 // likewise
	passed             int64 // fired in this batch, so far
	open               bool
	opens              *Breaker // by this batch
}

// ledgerOfHours are the hours of a batch. Only first runs count: what a person asks for is no sign of an automation that
// runs away, and is not held.
type ledgerOfHours struct {
	all map[pair]*hour
}

func hoursOf(plans []*planned) ledgerOfHours {
	l := ledgerOfHours{all: map[pair]*hour{}}
	for _, p := range plans {
		if p.Run != 1 {
			continue
		}
		for _, d := range p.Decisions {
			l.add(p, d)
		}
	}
	return l
}

// add counts one decision that got past the gate. One that waits is counted when it is final.
func (l ledgerOfHours) add(p *planned, d triggers.Decision) {
	if why, _ := reason.Of(d.Reason); d.Verdict == triggers.Waiting || why.Stage == reason.StageGate {
		return
	}
	of := pair{p.AccountID, d.Automation}
	h := l.all[of]
	if h == nil {
		h = &hour{pair: of}
		l.all[of] = h
	}
	h.evaluated++
	switch d.Verdict {
	case triggers.Fires:
		h.fired++
		h.limit = p.Limits[d.Automation]
		held, failed := p.trouble(d.Automation)
		h.held, h.failed = h.held+one(held), h.failed+one(failed)
	case triggers.Unsure:
		h.unsure++
		h.failed += one(unread(d.Reason))
	}
}

// unread reports whether a decision is open because nobody could read the call, and not because of what was said.
func unread(c reason.Code) bool {
	switch c {
	case reason.ModelRefused, reason.AnswerInvalid, reason.BudgetExceeded, reason.WorkFailed:
		return true
	}
	return false
}

// trouble reports whether something of an automation that fired is held, and whether something could not be written out.
func (p *planned) trouble(automation string) (held, failed bool) {
	for _, d := range p.Deliveries {
		if d.Automation == automation {
			held, failed = held || d.State == Held, failed || d.State == Failed
		}
	}
	return held, failed
}

func one(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// sorted gives the hours in one order for everybody, so that two processes wait for each other and never cross.
func (l ledgerOfHours) sorted(which func(*hour) bool) (some []*hour) {
	for _, h := range l.all {
		if which(h) {
			some = append(some, h)
		}
	}
	slices.SortFunc(some, func(a, b *hour) int {
		return slices.Compare([]string{a.account, a.automation}, []string{b.account, b.automation})
	})
	return some
}

// stopRunaways counts what the plans decided, holds what goes beyond a limit or meets an open breaker, and opens the
// breakers of those that went beyond. The plans that are given back, in the order of those given, are what is to be
// written; opened are the breakers by the place of the plan that opened them.
func (p *Planner) stopRunaways(ctx context.Context, q *db.Queries, plans []*planned) (kept []*planned, opened map[int][]Breaker, err error) {
	l := hoursOf(plans)
	if len(l.all) == 0 {
		return plans, nil, nil
	}
	if err := l.count(ctx, q, p.lane); err != nil {
		return nil, nil, fmt.Errorf("count decisions: %w", err)
	}
	if err := l.countToday(ctx, q); err != nil {
		return nil, nil, fmt.Errorf("count what fired today: %w", err)
	}
	kept, opened = l.hold(plans)
	if err := l.settle(ctx, q, p.lane); err != nil {
		return nil, nil, fmt.Errorf("open breakers: %w", err)
	}
	for n, some := range opened { // another process may have opened one a moment ago
		opened[n] = slices.DeleteFunc(some, func(b Breaker) bool { return l.all[pair{b.AccountID, b.Automation}].opens == nil })
	}
	return kept, opened, nil
}

// count adds to the hour and reads how it stood.
func (l ledgerOfHours) count(ctx context.Context, q *db.Queries, lane int16) error {
	r := db.CountDecisionsParams{Lane: lane}
	for _, h := range l.sorted(func(*hour) bool { return true }) {
		r.AccountIds, r.Automations = append(r.AccountIds, h.account), append(r.Automations, h.automation)
		r.Evaluated, r.Fired = append(r.Evaluated, h.evaluated), append(r.Fired, h.fired)
		r.Unsure, r.Held, r.Failed = append(r.Unsure, h.unsure), append(r.Held, h.held), append(r.Failed, h.failed)
	}
	rows, err := q.CountDecisions(ctx, r)
	if err != nil {
		return err
	}
	for _, row := range rows {
		h := l.all[pair{row.AccountID, row.Automation}]
		h.inHour, h.spared, h.open = row.Fired, row.Spared, row.Open
	}
	return nil
}

// countToday does the same for the day, of those that have a limit for it. At midnight a batch may count a call for the day
// of its neighbour.
func (l ledgerOfHours) countToday(ctx context.Context, q *db.Queries) error {
	var r db.CountTodayParams
	for _, h := range l.sorted(func(h *hour) bool { return h.fired > 0 && h.limit.PerDay > 0 }) {
		r.AccountIds, r.Automations = append(r.AccountIds, h.account), append(r.Automations, h.automation)
		r.Days, r.Fired = append(r.Days, h.limit.Day), append(r.Fired, h.fired)
	}
	if len(r.Days) == 0 {
		return nil
	}
	rows, err := q.CountToday(ctx, r)
	if err != nil {
		return err
	}
	for _, row := range rows {
		h := l.all[pair{row.AccountID, row.Automation}]
		h.today, h.sparedToday = row.Fired-h.fired, row.Spared
	}
	return nil
}

// hold goes through the plans in their order and holds what may not pass.
func (l ledgerOfHours) hold(plans []*planned) (kept []*planned, opened map[int][]Breaker) {
	kept, opened = slices.Clone(plans), map[int][]Breaker{}
	for n, p := range plans {
		if p.Run != 1 {
			continue
		}
		for _, d := range p.Decisions {
			if d.Verdict != triggers.Fires {
				continue
			}
			h := l.all[pair{p.AccountID, d.Automation}]
			was := h.opens
			if h.passes() {
				continue
			}
			if h.opens != was {
				opened[n] = append(opened[n], *h.opens)
			}
			h.stopped++
			kept[n] = kept[n].stop(d.Automation)
		}
	}
	return kept, opened
}

// passes counts one more and reports whether it may go on.
func (h *hour) passes() bool {
	h.passed++
	today, inHour := h.today+h.passed-h.sparedToday, h.inHour+h.passed-h.spared
	switch {
	case h.open:
	case h.limit.PerDay > 0 && today > int64(h.limit.PerDay):
		h.trip(ByDay, today-1, h.limit.PerDay, h.limit.DayEnds)
	case h.limit.PerHour > 0 && inHour > int64(h.limit.PerHour):
		h.trip(ByJump, inHour-1, h.limit.PerHour, time.Time{})
	default:
		return true
	}
	return false
}

func (h *hour) trip(cause Cause, fired int64, allowed int, until time.Time) {
	h.open = true
	h.opens = &Breaker{AccountID: h.account, Automation: h.automation, Cause: cause, Fired: int(fired), Allowed: allowed, Until: until, Open: true}
}

// settle writes what was stopped and which breakers opened, with a line each in the audit log.
func (l ledgerOfHours) settle(ctx context.Context, q *db.Queries, lane int16) error {
	stopped := db.CountStoppedParams{Lane: lane}
	for _, h := range l.sorted(func(h *hour) bool { return h.stopped > 0 }) {
		stopped.AccountIds, stopped.Automations = append(stopped.AccountIds, h.account), append(stopped.Automations, h.automation)
		stopped.Stopped = append(stopped.Stopped, h.stopped)
	}
	if len(stopped.Stopped) == 0 {
		return nil
	}
	if err := q.CountStopped(ctx, stopped); err != nil {
		return err
	}
	opening := l.sorted(func(h *hour) bool { return h.opens != nil })
	if len(opening) == 0 {
		return nil
	}
	rows, err := q.OpenBreakers(ctx, breakerRows(opening))
	if err != nil {
		return err
	}
	won := map[pair]bool{}
	for _, row := range rows {
		won[pair{row.AccountID, row.Automation}] = true
	}
	for _, h := range opening {
		if !won[h.pair] {
			h.opens = nil
			continue
		}
		err := logAct(ctx, q, Act{AccountID: h.account, By: Actor{Name: watcher}, What: ActBreakerOpened, Target: h.automation,
			Detail: map[string]string{"cause": string(h.opens.Cause), "fired": strconv.Itoa(h.opens.Fired), "allowed": strconv.Itoa(h.opens.Allowed)}})
		if err != nil {
			return err
		}
	}
	return nil
}

func breakerRows(opening []*hour) (r db.OpenBreakersParams) {
	for _, h := range opening {
		r.AccountIds, r.Automations = append(r.AccountIds, h.account), append(r.Automations, h.automation)
		r.Causes, r.Untils = append(r.Causes, string(h.opens.Cause)), append(r.Untils, h.opens.Until)
		r.Fired, r.Allowed = append(r.Fired, int64(h.opens.Fired)), append(r.Allowed, int64(h.opens.Allowed))
	}
	return r
}

// stop gives the plan with an automation's actions held: what was to be sent, and tasks that were to be written. What is
// held, skipped or failed already stays so. The plan itself is left as it is: if the transaction fails it is saved again.
func (p *planned) stop(automation string) *planned {
	plan, stopped := *p.Plan, *p
	stopped.Plan = &plan
	plan.Deliveries = slices.Clone(p.Deliveries)
	plan.Tasks = slices.DeleteFunc(slices.Clone(p.Tasks), func(t Task) bool { return t.Automation == automation })
	for n := range plan.Deliveries {
		d := &plan.Deliveries[n]
		if d.Automation == automation && (d.State == Planned || d.Channel == deliver.Task && d.State == Sent) {
			d.State, d.Reason = Held, reason.BreakerOpen
		}
	}
	return &stopped
}
