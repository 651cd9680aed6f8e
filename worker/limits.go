package worker

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"aftercall/automation"
	"aftercall/internal/store"
	"aftercall/triggers"
)

// An automation that fires more often within an hour than jumpFloor and jumpTimes its busiest hour of the last seven days
// runs away, and so does one of which no such hour is known (it is new, or was at rest) that fires more often than firstHour:
// docs/adr/0017-breaker.md says how these figures were chosen.
const (
	jumpFloor = 50
	jumpTimes = 5
	firstHour = 1000
)

// limits says how often automations may fire. What is usual is read from the store once an hour for each account.
type limits struct {
	store     *store.Store
	revisions *Revisions
	log       *slog.Logger
	now       func() time.Time

	mu    sync.Mutex
	known map[string]usual // by revision
}

// usual is how often the automations of a revision fire in their busiest hour, as it was known in an hour.
type usual struct {
	hour    time.Time
	busiest map[string]int
}

// of gives the limits of the automations that fire. An author's limit is that of the config which is active now: one that
// was raised helps at once.
func (l *limits) of(ctx context.Context, rev *automation.Revision, decisions []triggers.Decision) map[string]store.Limit {
	fires := firing(rev, decisions)
	if len(fires) == 0 {
		return nil
	}
	now, active := l.now(), rev
	if a, ok := l.revisions.Active(rev.AccountID); ok {
		active = a
	}
	busiest, known := l.usual(ctx, rev, now)
	all := make(map[string]store.Limit, len(fires))
	for _, a := range fires {
		var limit store.Limit
		if declared := active.Automation(a.ID); declared != nil {
			a = declared
		}
		if n, ok := busiest[a.ID]; ok {
			limit.PerHour = jumpFloor + jumpTimes*n
		} else if known && a.PerDay == 0 {
			limit.PerHour = firstHour
		}
		if a.PerDay > 0 {
			local := now.In(active.Location)
			limit.PerDay, limit.Day = a.PerDay, local.Format(time.DateOnly)
			limit.DayEnds = time.Date(local.Year(), local.Month(), local.Day()+1, 0, 0, 0, 0, active.Location)
		}
		all[a.ID] = limit
	}
	return all
}

// usual is how often the revision's automations fire in their busiest hour, without those of which no such hour is known. If
// that cannot be read, which known says, the line goes on without it, and the next call asks again.
func (l *limits) usual(ctx context.Context, rev *automation.Revision, now time.Time) (busiest map[string]int, known bool) {
	hour := now.UTC().Truncate(time.Hour)
	l.mu.Lock()
	last, ok := l.known[rev.ID]
	l.mu.Unlock()
	if ok && last.hour.Equal(hour) {
		return last.busiest, true
	}
	ids := make([]string, len(rev.Automations))
	for i, a := range rev.Automations {
		ids[i] = a.ID
	}
	busiest, err := l.store.Busiest(ctx, rev.AccountID, ids)
	if err != nil {
		l.log.WarnContext(ctx, "a call is planned without knowing how often its automations fire", "account_id", rev.AccountID, "error", err)
		return nil, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.known[rev.ID] = usual{hour: hour, busiest: busiest}
	return busiest, true
}

// tellOpened writes the alert of each breaker that a plan opened. The store gives an opening to one plan only.
func (d *decider) tellOpened(ctx context.Context, opened []store.Breaker) {
	for _, b := range opened {
		d.log.LogAttrs(ctx, slog.LevelError, "a breaker opened: an automation fires too often",
			slog.String("account_id", b.AccountID), slog.String("automation", b.Automation), slog.String("cause", string(b.Cause)),
			slog.Int("fired", b.Fired), slog.Int("allowed", b.Allowed),
			slog.String("meanwhile", "calls are still decided; what this automation would send or write is held"),
			slog.String("what_to_do", "look at what it fired for on its page, release or discard what is held, and close the breaker"))
	}
}
