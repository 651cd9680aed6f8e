package dashboard

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"aftercall/deliver"
	"aftercall/internal/store"
)

// mostSteps bounds the rows of a timeline.
const mostSteps = 200

// timelineView is when what happened, from the first webhook on. It is a table; the drawing in it says nothing that does not
// stand beside it.
type timelineView struct {
	Steps []stepView
	Whole string // from the first to the last moment
	More  int    // steps that are not shown
}

// stepView is one row.
type stepView struct {
	Name, Path          string
	State               badge
	At                  moment
	Ahead               bool // At is still to come
	After, Waited, Took string
	Note                string
	Bars                []drawnView
}

// drawnView is a stretch of time as it is drawn, in thousandths of the width.
type drawnView struct {
	Kind     string
	X, Width int
}

// step is one thing that happened, or will.
type step struct {
	name, path, note string
	state            badge
	at               time.Time // when its own work began, or was over at once
	ahead            bool
	waited, took     time.Duration
	drawn            []stretch
}

// first is where a step stands among the others.
func (s step) first() time.Time {
	if len(s.drawn) > 0 && s.drawn[0].from.Before(s.at) {
		return s.drawn[0].from
	}
	return s.at
}

// timeline lays out what happened when.
func (l ledger) timeline(jobs []store.StoryJob) timelineView {
	steps := slices.Concat(l.received(), l.inQueue(jobs), l.asked(), l.planned())
	for _, d := range l.story.Deliveries {
		if d.State != store.Skipped && d.Channel != deliver.Task { // a task is written with the plan
			steps = append(steps, l.delivered(d))
		}
	}
	if len(steps) == 0 {
		return timelineView{}
	}
	slices.SortStableFunc(steps, func(a, b step) int { return a.first().Compare(b.first()) })
	v := timelineView{More: max(0, len(steps)-mostSteps)}
	steps = steps[:len(steps)-v.More]
	var drawn []stretch
	for _, s := range steps {
		drawn = append(drawn, s.drawn...)
	}
	x := newAxis(drawn)
	v.Whole = lasting(x.span())
	for _, s := range steps {
		v.Steps = append(v.Steps, l.stepView(s, steps[0].first(), x))
	}
	return v
}

func (l ledger) stepView(s step, origin time.Time, x axis) stepView {
	v := stepView{Name: s.name, Path: s.path, State: s.state, At: at(s.at, l.zone), Ahead: s.ahead, Note: s.note,
		After: "+" + lasting(s.at.Sub(origin)), Waited: lastingOr(s.waited), Took: lastingOr(s.took)}
	v.At.Local = s.at.In(l.zone).Format("15:04:05")
	if o := origin.In(l.zone); o.Format(time.DateOnly) != s.at.In(l.zone).Format(time.DateOnly) {
		v.At.Local = s.at.In(l.zone).Format("2 Jan, 15:04:05")
	}
	for _, d := range s.drawn {
		const least = 6 // thousandths: what took no time is still to be seen
		from := x.at(d.from)
		width := max(x.at(d.to)-from, least)
		v.Bars = append(v.Bars, drawnView{d.kind, min(from, 1000-width), width})
	}
	return v
}

// received are the webhooks, and the wait for more of them.
func (l ledger) received() (steps []step) {
	for i, e := range l.story.Events {
		s := step{name: "Webhook " + e.Type, path: fmt.Sprintf("#event-%d", i+1), state: badge{"accepted", "check", "good"}, at: e.ReceivedAt,
			took: e.AcceptedAt.Sub(e.ReceivedAt), drawn: []stretch{working(e.ReceivedAt, e.AcceptedAt)}}
		if !l.story.DecidedAt.IsZero() && e.ReceivedAt.After(l.story.DecidedAt) {
			s.note = "after the decision"
		}
		steps = append(steps, s)
	}
	if wait := l.story.DecideAt.Sub(l.story.AcceptedAt); wait > time.Second && !l.story.AcceptedAt.IsZero() {
		steps = append(steps, step{name: "Wait for the platform's analysis", state: badge{"waited", "clock", "quiet"}, at: l.story.AcceptedAt,
			took: wait, drawn: []stretch{waiting(l.story.AcceptedAt, l.story.DecideAt)}})
	}
	return steps
}

// inQueue are the queue's jobs, as long as it keeps them. Without its decide job the wait is known up to the first model call.
func (l ledger) inQueue(jobs []store.StoryJob) (steps []step) {
	decides := false
	for _, j := range jobs {
		decides = decides || j.Kind == "conversation.decide"
		s := step{name: "Job: " + jobName(j), path: "#jobs", state: jobBadge(j.State), at: j.AttemptedAt}
		if j.Attempt > 1 {
			s.note = fmt.Sprintf("attempt %d", j.Attempt)
		}
		if j.AttemptedAt.IsZero() {
			s.at, s.ahead, s.drawn = j.ScheduledAt, true, []stretch{waiting(j.CreatedAt, j.ScheduledAt)}
			steps = append(steps, s)
			continue
		}
		s.waited = j.AttemptedAt.Sub(j.ScheduledAt)
		s.drawn = []stretch{waiting(j.ScheduledAt, j.AttemptedAt), working(j.AttemptedAt, j.FinishedAt)}
		if !j.FinishedAt.IsZero() {
			s.took = j.FinishedAt.Sub(j.AttemptedAt)
		}
		steps = append(steps, s)
	}
	if due := latest(l.story.AcceptedAt, l.story.DecideAt); !decides && len(l.story.Calls) > 0 && !due.IsZero() {
		began := l.story.Calls[0].At.Add(-l.story.Calls[0].Reply.Latency)
		steps = append(steps, step{name: "Job: Decide", path: "#jobs", state: badge{"completed", "check", "good"}, at: began, waited: began.Sub(due),
			note: "not kept any more; the wait is up to the first model call", drawn: []stretch{waiting(due, began)}})
	}
	return steps
}

// asked are the model calls.
func (l ledger) asked() (steps []step) {
	for _, c := range l.story.Calls {
		began := c.At.Add(-c.Reply.Latency)
		s := step{name: "Model call", path: "#model", state: callBadge(c), at: began, took: c.Reply.Latency, note: c.Purpose, drawn: []stretch{working(began, c.At)}}
		if !c.Valid {
			s.drawn[0].kind = "bad"
		}
		steps = append(steps, s)
	}
	return steps
}

// planned are the moments at which runs were decided.
func (l ledger) planned() (steps []step) {
	of := map[int]time.Time{}
	for _, d := range l.story.Decisions {
		of[d.Run] = latest(of[d.Run], d.DecidedAt)
	}
	for run, at := range of {
		if at.IsZero() {
			continue
		}
		steps = append(steps, step{name: named("Decided and planned", l.run(run)), path: "#decisions", state: stateBadge(store.StateDecided), at: at,
			drawn: []stretch{working(at, at)}})
	}
	slices.SortFunc(steps, func(a, b step) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.name, b.name)) })
	return steps
}

// delivered is one delivery: its wait until it was due, its claim, and each attempt.
func (l ledger) delivered(d store.StoryDelivery) step {
	v := l.delivery(d)
	created := cmp.Or(d.CreatedAt, l.story.DecidedAt, d.UpdatedAt)
	due := latest(created, d.DueAt)
	s := step{name: v.Heading, path: "#" + v.Anchor, state: v.State, at: created}
	var notes []string
	if later := due.Sub(created); later > time.Second {
		notes = append(notes, "due "+lasting(later)+" after it was planned")
	}
	if n := len(d.Attempts); n > 0 {
		s.at, s.waited = d.Attempts[0].StartedAt, d.Attempts[0].StartedAt.Sub(due)
		s.took = d.Attempts[n-1].FinishedAt.Sub(s.at)
		s.drawn = tries(created, d.Attempts)
		if n > 1 {
			notes = append(notes, fmt.Sprintf("%d attempts", n))
		}
	} else if v.Waits {
		s.at, s.ahead, s.drawn = due, true, []stretch{waiting(created, due)}
	} else {
		s.drawn = []stretch{{v.State.Tone, created, created}}
	}
	if d.Claims > len(d.Attempts) && !d.ClaimedAt.IsZero() {
		notes = append(notes, "claimed "+at(d.ClaimedAt, l.zone).Local+", and nothing is known of that attempt yet")
		s.drawn = append(s.drawn, working(d.ClaimedAt, d.ClaimedAt))
	}
	if d.State == store.Delivered {
		notes = append(notes, "arrived "+at(d.UpdatedAt, l.zone).Local)
		s.drawn = append(s.drawn, stretch{"good", d.UpdatedAt, d.UpdatedAt})
	}
	s.note = strings.Join(notes, "; ")
	return s
}

// tries are a delivery's attempts and the waits between them.
func tries(created time.Time, attempts []store.StoryAttempt) (drawn []stretch) {
	since := created
	for _, a := range attempts {
		drawn = append(drawn, waiting(since, a.StartedAt), stretch{deliveryBadge(a.State).Tone, a.StartedAt, a.FinishedAt})
		since = a.FinishedAt
	}
	return drawn
}
