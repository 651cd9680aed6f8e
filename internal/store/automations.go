package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"aftercall/internal/store/db"
	"aftercall/interview"
	"aftercall/reason"
	"aftercall/triggers"
)

// Counts are what an automation did in some time. They are of first runs, exact, and as of the moment of reading.
type Counts struct {
	Evaluated int // decided past the gate
	Fired     int
	Unsure    int
	Held      int // fired, and something of it was held, though not by a breaker
	Failed    int // could not be judged, or fired and could not be written out
	Stopped   int // fired, and held by a breaker
}

// AutomationSum is how an automation stands.
type AutomationSum struct {
	Automation string
	Counts               // since the time that was asked about
	Before     int       // fired in as long as was asked about before that
	Day        int       // fired in the last 24 hours
	LastFired  time.Time // zero if it never fired
	Marked     int       // decisions that people marked since earliest
	Wrong      int       // of them, as wrong
}

// AutomationSums sums what automations of an account did since a time, and how often they fired between earliest and then.
func (r *Reader) AutomationSums(ctx context.Context, accountID string, automations []string, earliest, since time.Time) (sums map[string]AutomationSum, err error) {
	if !r.within.Has(accountID) {
		return nil, fmt.Errorf("sum up automations: %w", ErrNotFound)
	}
	err = r.read(ctx, func(q *db.Queries) error {
		rows, err := q.AutomationSums(ctx, db.AutomationSumsParams{Automations: append([]string{}, automations...), AccountID: accountID,
			Earliest: earliest, Since: since, Day: time.Now().Add(-24 * time.Hour)})
		sums = make(map[string]AutomationSum, len(rows))
		for _, row := range rows {
			sums[row.Automation] = AutomationSum{Automation: row.Automation, Before: int(row.FiredBefore), Day: int(row.FiredDay), LastFired: row.LastFiredAt,
				Marked: int(row.Marked), Wrong: int(row.Wrong),
				Counts: counts(row.Evaluated, row.Fired, row.Unsure, row.Held, row.Failed, row.Stopped)}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("sum up automations: %w", err)
	}
	return sums, nil
}

func counts(evaluated, fired, unsure, held, failed, stopped int64) Counts {
	return Counts{Evaluated: int(evaluated), Fired: int(fired), Unsure: int(unsure), Held: int(held), Failed: int(failed), Stopped: int(stopped)}
}

// CountedHour is what an automation did in one hour.
type CountedHour struct {
	Hour time.Time
	Counts
}

// Activated is one time that a revision became active.
type Activated struct {
	RevisionID, Digest string
	At                 time.Time
	By, Message        string
}

// AutomationRecord is one automation's recent past.
type AutomationRecord struct {
	Hours       []CountedHour // those in which it was evaluated
	Activations []Activated   // the newest first
	Fired       []DecidedCall // the newest first
	Nearly      []DecidedCall // likewise: unsure, or a yes that did not hold
	Wrong       []DecidedCall // likewise: marked as wrong, with the note as the detail
}

// DecidedCall is a decision with the call it is about.
type DecidedCall struct {
	ConversationID               string
	Run                          int
	CustomerName, CustomerNumber string
	Event                        string // its type, if it is of an event
	DecidedAt                    time.Time
	triggers.Decision
}

// Most of each kind in a record.
const (
	mostActivations = 50
	mostDecided     = 10
)

// AutomationRecord reads an automation's record since a time.
func (r *Reader) AutomationRecord(ctx context.Context, accountID, automation string, since time.Time) (rec AutomationRecord, err error) {
	if !r.within.Has(accountID) {
		return rec, fmt.Errorf("read the record of automation %s: %w", automation, ErrNotFound)
	}
	err = r.read(ctx, func(q *db.Queries) error {
		hours, err := q.AutomationHours(ctx, db.AutomationHoursParams{AccountID: accountID, Automation: automation, Since: since})
		if err != nil {
			return err
		}
		for _, h := range hours {
			rec.Hours = append(rec.Hours, CountedHour{h.Hour, counts(h.Evaluated, h.Fired, h.Unsure, h.Held, h.Failed, h.Stopped)})
		}
		activations, err := q.RecentActivations(ctx, db.RecentActivationsParams{AccountID: accountID, Since: since, Most: mostActivations})
		if err != nil {
			return err
		}
		for _, a := range activations {
			rec.Activations = append(rec.Activations, Activated{a.RevisionID, a.Digest, a.ActivatedAt, a.ActivatedBy, a.Message})
		}
		fired, err := q.FiredDecisions(ctx, db.FiredDecisionsParams{AccountID: accountID, Automation: automation, Most: mostDecided})
		if err != nil {
			return err
		}
		near, err := q.NearDecisions(ctx, db.NearDecisionsParams{AccountID: accountID, Automation: automation, Most: mostDecided})
		if err != nil {
			return err
		}
		wrong, err := q.WrongDecisions(ctx, db.WrongDecisionsParams{AccountID: accountID, Automation: automation, Most: mostDecided})
		if err != nil {
			return err
		}
		if rec.Fired, err = decidedCalls(automation, fired); err != nil {
			return err
		}
		if rec.Nearly, err = decidedCalls(automation, alike(near, func(r db.NearDecisionsRow) db.FiredDecisionsRow { return db.FiredDecisionsRow(r) })); err != nil {
			return err
		}
		rec.Wrong, err = decidedCalls(automation, alike(wrong, func(r db.WrongDecisionsRow) db.FiredDecisionsRow { return db.FiredDecisionsRow(r) }))
		return err
	})
	if err != nil {
		return AutomationRecord{}, fmt.Errorf("read the record of automation %s: %w", automation, err)
	}
	return rec, nil
}

// alike gives rows of one query as those of another with the same columns.
func alike[From, To any](rows []From, as func(From) To) (all []To) {
	for _, r := range rows {
		all = append(all, as(r))
	}
	return all
}

func decidedCalls(automation string, rows []db.FiredDecisionsRow) (all []DecidedCall, err error) {
	for _, row := range rows {
		var evidence []interview.Evidence
		if err := json.Unmarshal(row.Evidence, &evidence); err != nil {
			return nil, fmt.Errorf("decode the evidence of conversation %s: %w", row.ConversationID, err)
		}
		all = append(all, DecidedCall{ConversationID: row.ConversationID, Run: int(row.Run), Event: row.Event, CustomerName: row.CustomerName,
			CustomerNumber: row.CustomerNumber, DecidedAt: row.DecidedAt,
			Decision: triggers.Decision{Automation: automation, Verdict: triggers.Verdict(row.Verdict), Reason: reason.Code(row.Reason), Detail: row.Detail, Evidence: evidence}})
	}
	return all, nil
}
