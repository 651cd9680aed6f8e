package store

import (
	"context"
	"fmt"
	"time"

	"aftercall/internal/store/db"
)

// Overview is how it goes now.
type Overview struct {
	Since    time.Time // what the slices cover begins here: an hour ago, or later if there were more calls than are looked at
	Capped   bool      // it is later
	Slices   []Slice   // of OverviewSlice each, the oldest first
	Troubles []Trouble
	Waiting  Waiting
	Review   Review
	Model    []ModelAnswers
	Fired    []AutomationFired
	Config   LastChange // zero if there was none
}

// Slice is what came of the calls accepted in one stretch of time, and the deliveries that got into trouble in it.
type Slice struct {
	Received, Decided, Fired, Sent int
	Failing                        int // failed or unknown
}

// Trouble counts the deliveries of the last hour that failed, are unknown or wait for another try, by where and how.
type Trouble struct {
	State                    DeliveryState
	Channel, Provider, Class string
	Deliveries               int
	Newest                   time.Time
}

// Waiting is what is due and not decided.
type Waiting struct {
	Calls    int // counted up to OverviewMost
	ForModel int // of them wait for the model
	OldestID string
	OldestAt time.Time // when it was accepted
}

// Review is what waits for a person, each counted up to ReviewMost.
type Review struct{ Unsure, Held, Unknown int }

// ModelAnswers counts how a model answered on the newest calls.
type ModelAnswers struct {
	Endpoint, Model string
	Simulated       bool
	Valid           bool
	ErrorKind       string
	Calls           int
	Newest          time.Time
}

// AutomationFired is when an automation fired last, and how often of late: the calls that there were during its last thirty
// and during the thirty before, counted up to OverviewMost; both 0 if the last thirty took longer than the window.
type AutomationFired struct {
	AccountID, Automation string
	Last, Thirtieth       time.Time // zero if it never did
	CallsNow, CallsBefore int
}

// LastChange is the newest activation.
type LastChange struct {
	AccountID, By, Message, Digest string
	At                             time.Time
}

// The bounds of an overview. They, and not the size of the tables, say how long it takes.
const (
	OverviewSlice  = 5 * time.Minute
	OverviewSlices = 12
	OverviewMost   = 2000 // calls
	ReviewMost     = 101
	modelCalls     = 200
	troubleMost    = 500 // deliveries of an account, in each state
)

// OverviewQuery asks for one account, or, for "", all that may be seen.
type OverviewQuery struct {
	AccountID   string
	Now         time.Time
	Automations []AutomationFired // which to look at: account and id
}

// Overview tells how it goes, as it stood at one moment.
func (r *Reader) Overview(ctx context.Context, q OverviewQuery) (o Overview, err error) {
	within := r.within.Narrow(q.AccountID)
	from := q.Now.Truncate(OverviewSlice).Add(-(OverviewSlices - 1) * OverviewSlice)
	o.Since, o.Slices = from, make([]Slice, OverviewSlices)
	err = r.read(ctx, func(d *db.Queries) error {
		for _, part := range []func(context.Context, *db.Queries, Accounts, time.Time) error{
			o.readCalls, o.readTroubles, o.readWaiting, o.readModel, o.readChange,
		} {
			if err := part(ctx, d, within, from); err != nil {
				return err
			}
		}
		return o.readFired(ctx, d, within, from, q.Automations)
	})
	if err != nil {
		return Overview{}, fmt.Errorf("tell how it goes: %w", err)
	}
	return o, nil
}

func (o *Overview) readCalls(ctx context.Context, d *db.Queries, within Accounts, from time.Time) error {
	rows, err := d.OverviewCalls(ctx, db.OverviewCallsParams{Since: FirstID(from), Most: OverviewMost, Every: within.every,
		AccountIds: within.list(), FromAt: from, SliceSeconds: int32(OverviewSlice.Seconds())})
	seen := 0
	for _, r := range rows {
		s := o.slice(r.Slice)
		s.Received, s.Decided = s.Received+int(r.Received), s.Decided+int(r.Decided)
		s.Fired, s.Sent = s.Fired+int(r.Fired), s.Sent+int(r.Sent)
		seen += int(r.Received)
	}
	if seen >= OverviewMost {
		o.Capped, o.Since = true, rows[0].Oldest
	}
	return err
}

// slice is the slice with a number. A row's clock and its id's may differ by a little, so what is outside belongs to the ends.
func (o *Overview) slice(n int32) *Slice {
	return &o.Slices[max(0, min(int(n), len(o.Slices)-1))]
}

func (o *Overview) readTroubles(ctx context.Context, d *db.Queries, within Accounts, from time.Time) error {
	rows, err := d.OverviewTroubles(ctx, db.OverviewTroublesParams{Most: troubleMost, Every: within.every, AccountIds: within.list(),
		FromAt: from, SliceSeconds: int32(OverviewSlice.Seconds())})
	at := map[Trouble]int{} // position, by everything but the counts
	for _, r := range rows {
		t := Trouble{State: DeliveryState(r.State), Channel: r.Channel, Provider: r.Provider, Class: r.Class}
		if t.State != Retrying {
			o.slice(r.Slice).Failing += int(r.Deliveries)
		}
		n, ok := at[t]
		if !ok {
			n = len(o.Troubles)
			at[t] = n
			o.Troubles = append(o.Troubles, t)
		}
		o.Troubles[n].Deliveries += int(r.Deliveries)
		o.Troubles[n].Newest = latest(o.Troubles[n].Newest, r.Newest)
	}
	return err
}

func (o *Overview) readWaiting(ctx context.Context, d *db.Queries, within Accounts, _ time.Time) error {
	rows, err := d.OverviewWaiting(ctx, db.OverviewWaitingParams{Most: OverviewMost, Every: within.every, AccountIds: within.list()})
	for _, r := range rows {
		o.Waiting = Waiting{Calls: int(r.Waiting), ForModel: int(r.ForModel), OldestID: r.ID, OldestAt: r.AcceptedAt}
	}
	if err != nil {
		return err
	}
	review, err := d.OverviewReview(ctx, db.OverviewReviewParams{Most: ReviewMost, Every: within.every, AccountIds: within.list()})
	o.Review = Review{Unsure: int(review.Unsure), Held: int(review.Held), Unknown: int(review.Unknown)}
	return err
}

func (o *Overview) readModel(ctx context.Context, d *db.Queries, within Accounts, from time.Time) error {
	rows, err := d.OverviewModel(ctx, db.OverviewModelParams{Since: FirstID(from), Most: modelCalls, Every: within.every,
		AccountIds: within.list()})
	for _, r := range rows {
		o.Model = append(o.Model, ModelAnswers{Endpoint: r.Endpoint, Model: r.Model, Simulated: r.Simulated, Valid: r.Valid,
			ErrorKind: r.ErrorKind, Calls: int(r.Calls), Newest: r.Newest})
	}
	return err
}

func (o *Overview) readChange(ctx context.Context, d *db.Queries, within Accounts, _ time.Time) error {
	rows, err := d.LastActivation(ctx, db.LastActivationParams{Every: within.every, AccountIds: within.list()})
	for _, r := range rows {
		o.Config = LastChange{AccountID: r.AccountID, By: r.ActivatedBy, Message: r.Message, Digest: r.Digest, At: r.ActivatedAt}
	}
	return err
}

func (o *Overview) readFired(ctx context.Context, d *db.Queries, within Accounts, from time.Time, asked []AutomationFired) error {
	p := db.OverviewAutomationsParams{Since: FirstID(from), Most: OverviewMost, AccountIds: []string{}, Automations: []string{}}
	for _, a := range asked {
		if within.Has(a.AccountID) {
			p.AccountIds, p.Automations = append(p.AccountIds, a.AccountID), append(p.Automations, a.Automation)
		}
	}
	rows, err := d.OverviewAutomations(ctx, p)
	for _, r := range rows {
		o.Fired = append(o.Fired, AutomationFired{AccountID: r.AccountID, Automation: r.Automation, Last: AcceptedAbout(r.Last),
			Thirtieth: AcceptedAbout(r.Thirtieth), CallsNow: int(r.CallsNow), CallsBefore: int(r.CallsBefore)})
	}
	return err
}

// Working counts the workers whose lease holds.
func (s *Store) Working(ctx context.Context, lease time.Duration) (int, error) {
	ids, err := s.q.LiveWorkers(ctx, lease)
	if err != nil {
		return 0, fmt.Errorf("count the workers: %w", err)
	}
	return len(ids), nil
}
