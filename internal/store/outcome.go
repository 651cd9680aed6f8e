package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"aftercall/internal/store/db"
	"aftercall/reason"
)

// Outcome is what became of one attempt.
type Outcome struct {
	AccountID, DeliveryID string
	Attempt               int
	WorkerID              string
	State                 DeliveryState // Sent, Retrying, Failed, Skipped, Held or Unknown
	Reason                reason.Code
	DueAt                 time.Time // Retrying: when to try again
	Provider, ProviderID  string
	Class                 string // deliver.Error.Class
	Status                int
	Detail                string // scrubbed
	Address               string // where it went, comma-separated if together
	StartedAt, FinishedAt time.Time
}

// RecordOutcome writes an attempt and moves its delivery, grouped with others. It moves sending → any state, and settles
// the doubt of a sweeper that was faster (unknown → any other), if the attempt is the delivery's and the worker its sender. While the database is away it
// waits and tries again, for as long as the store is open and ctx lives: pass a context that the job does not cancel.
// An outcome that is recorded already is recorded; one of an attempt that is not the delivery's any more is ErrFenced.
func (s *Store) RecordOutcome(ctx context.Context, o Outcome) error {
	if err := o.check(); err != nil {
		return fmt.Errorf("record the outcome of delivery %s: %w", o.DeliveryID, err)
	}
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		fenced, err := s.outcomes.do(ctx, o)
		if Away(err) && !errors.Is(err, errClosed) && pause(ctx, s.closing, wait) {
			continue
		}
		if err = errors.Join(err, fenced); err != nil {
			return fmt.Errorf("record the outcome of delivery %s: %w", o.DeliveryID, err)
		}
		return nil
	}
}

func (o Outcome) check() error {
	switch o.State {
	case Sent, Failed, Skipped, Held, Unknown:
		return nil
	case Retrying:
		if o.DueAt.IsZero() {
			return errors.New("a delivery to be tried again needs a time")
		}
		return nil
	}
	return fmt.Errorf("an attempt does not end %s", o.State)
}

// writeOutcomes records attempts in one statement. For what did not move it looks whether it had been recorded before:
// the answer to an earlier try may have been lost.
func (s *Store) writeOutcomes(ctx context.Context, outcomes []Outcome) ([]error, error) {
	moved, err := s.q.RecordOutcomes(ctx, outcomeRows(outcomes))
	if err != nil {
		return nil, err
	}
	settled := make(map[db.RecordOutcomesRow]bool, len(moved))
	for _, m := range moved {
		settled[m] = true
	}
	fenced := make([]error, len(outcomes))
	var asked db.RecordedAttemptsParams
	for n, o := range outcomes {
		if settled[db.RecordOutcomesRow{DeliveryID: o.DeliveryID, Attempt: int32(o.Attempt)}] {
			s.tellOutcome(o)
			continue
		}
		fenced[n] = ErrFenced
		asked.Ids, asked.AccountIds = append(asked.Ids, o.DeliveryID), append(asked.AccountIds, o.AccountID)
		asked.Attempts, asked.WorkerIds = append(asked.Attempts, int32(o.Attempt)), append(asked.WorkerIds, o.WorkerID)
		asked.States = append(asked.States, string(o.State))
	}
	if len(asked.Ids) == 0 {
		return fenced, nil
	}
	recorded, err := s.q.RecordedAttempts(ctx, asked)
	if err != nil {
		return nil, err
	}
	for _, r := range recorded {
		for n, o := range outcomes {
			if o.DeliveryID == r.DeliveryID && o.Attempt == int(r.Attempt) {
				fenced[n] = nil
			}
		}
	}
	return fenced, nil
}

func (s *Store) tellOutcome(o Outcome) {
	s.teller.tell(TopicDeliveries, o.AccountID, o.DeliveryID)
	if o.State == Held {
		s.teller.tell(TopicReview, o.AccountID, o.DeliveryID)
	}
}

// outcomeRows puts outcomes in the order in which everybody locks deliveries, so that two writers wait for each other and
// do not cross.
func outcomeRows(outcomes []Outcome) (p db.RecordOutcomesParams) {
	now := time.Now()
	ordered := slices.SortedFunc(slices.Values(outcomes), func(a, b Outcome) int { return cmp.Compare(a.DeliveryID, b.DeliveryID) })
	for _, o := range ordered {
		p.Ids, p.AccountIds = append(p.Ids, o.DeliveryID), append(p.AccountIds, o.AccountID)
		p.Attempts, p.WorkerIds = append(p.Attempts, int32(o.Attempt)), append(p.WorkerIds, o.WorkerID)
		p.States, p.Reasons = append(p.States, string(o.State)), append(p.Reasons, string(o.Reason))
		p.DueAts, p.Providers = append(p.DueAts, o.DueAt), append(p.Providers, clean(o.Provider))
		p.ProviderIds, p.Classes = append(p.ProviderIds, providerID(o.ProviderID)), append(p.Classes, clean(o.Class))
		p.Statuses, p.Details = append(p.Statuses, int32(o.Status)), append(p.Details, clean(o.Detail))
		p.Addresses = append(p.Addresses, clean(o.Address))
		p.StartedAts = append(p.StartedAts, orNow(o.StartedAt, now))
		p.FinishedAts = append(p.FinishedAts, orNow(o.FinishedAt, now))
	}
	return p
}
