// Package change says what a change of an account's config would do, before it does it: field by field, and on the calls
// that are stored.
//
// It owns the comparison of two revisions in an author's words (fields.go, compare.go, lines.go), of what the model is asked under
// each (forms.go), and of what each would have made of the last calls (calls.go, effects.go). Both are rehearsed on the
// same calls with the same recorded answers, so that what differs comes from the change and from nothing else. Where an
// answer was never asked for in these words, it says so, and asks a model only if it is given one.
//
// It promises to write nothing and to send nothing. It never decides, and it never guesses an answer.
package change

import (
	"context"
	"fmt"
	"time"

	"aftercall/automation"
	"aftercall/internal/llm"
	"aftercall/internal/store"
	"aftercall/interview"
	"aftercall/worker"
)

// Question asks what a candidate would change. Store and Revisions only read.
type Question struct {
	Store     *store.Store
	Revisions *worker.Revisions
	Candidate *automation.Revision
	Calls     int              // how many stored calls to look at; 0: none
	Model     llm.Model        // asked where no recorded answer fits; nil: nobody is asked
	Limits    interview.Limits // of an interview, as the workers have them
}

// Report is what a change would do.
type Report struct {
	Account string `json:"account"`
	Digest  string `json:"digest"` // of the candidate
	Base    *Base  `json:"base"`   // what it was compared with; null if nothing is active
	Same    bool   `json:"same"`   // the files are those of the active revision
	Items   []Item `json:"items"`
	Forms   []Form `json:"forms"` // where the model is asked something else
	Calls   *Calls `json:"calls"` // null if none were looked at
}

// Base is the active revision.
type Base struct {
	ID     string    `json:"id"`
	Digest string    `json:"digest"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
}

// Of answers q.
func Of(ctx context.Context, q Question) (Report, error) {
	r := Report{Account: q.Candidate.AccountID, Digest: q.Candidate.Digest, Items: []Item{}, Forms: []Form{}}
	before := &automation.Revision{AccountID: r.Account}
	active, err := q.active(ctx)
	if err != nil {
		return r, err
	}
	if active != nil {
		r.Base = &Base{ID: active.RevisionID, Digest: active.Digest, By: active.ActivatedBy, At: active.ActivatedAt}
		r.Same = active.Digest == r.Digest
		if before, err = q.Revisions.ByID(ctx, active.RevisionID); err != nil {
			return r, fmt.Errorf("load the active revision of account %s: %w", r.Account, err)
		}
	}
	if r.Same {
		return r, nil
	}
	r.Items = Compare(before, q.Candidate)
	r.Forms = Forms(before, q.Candidate)
	if q.Calls > 0 && active != nil {
		r.Calls, err = rehearse(ctx, q, before)
	}
	return r, err
}

// active is the account's active revision; nil if it has none.
func (q Question) active(ctx context.Context) (*store.Active, error) {
	all, err := q.Store.ActiveRevisions(ctx)
	if err != nil {
		return nil, err
	}
	for _, a := range all {
		if a.AccountID == q.Candidate.AccountID {
			return &a, nil
		}
	}
	return nil, nil
}
