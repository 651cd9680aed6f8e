package worker

import (
	"context"
	"fmt"
	"time"

	"aftercall/automation"
	"aftercall/conversation"
	"aftercall/internal/store"
	"aftercall/interview"
	"aftercall/reason"
	"aftercall/triggers"
	"aftercall/variables"
)

// Rehearsal is what would become of a conversation: what the model said, as checked, and everything that would be
// decided, held and sent.
type Rehearsal struct {
	Said interview.Said
	Plan *store.Plan
}

// Rehearse decides a conversation as a worker would, by the same steps, and plans what would go out. It keeps nothing and
// sends nothing; answers are kept by the interviewer's memory, under the conversation's id (or the platform's, if it has
// none of ours) and the revision's id (or its digest, if it is not stored).
//
// The error is that of a model that cannot be asked now, or of the memory. A model that answers badly is no error: it
// makes decisions with their reasons, as it would on the line.
func Rehearse(ctx context.Context, i *interview.Interviewer, c *conversation.Conversation, rev *automation.Revision, now time.Time) (Rehearsal, error) {
	told, by := named(c, rev)
	m := consider(i, told, by, by.Triggers())
	said, decisions, err := m.ask(ctx)
	if err != nil {
		return Rehearsal{}, fmt.Errorf("rehearse conversation %s: %w", told.ID, err)
	}
	r := Rehearsal{Said: said, Plan: m.plan(decisions, said, now)}
	r.Plan.Run = 1
	return r, nil
}

// Preview plans what one automation would send about a conversation if it fired with these values, and took the branches
// that said holds. Nobody is asked, no gate is applied, and the values are not checked.
func Preview(c *conversation.Conversation, rev *automation.Revision, id string, said interview.Said, values []variables.Value, now time.Time) *store.Plan {
	told, by := named(c, rev)
	m := &matter{conv: told, rev: by, loc: c.Location(rev.Location)}
	return m.lay([]triggers.Decision{{Automation: id, Verdict: triggers.Fires, Reason: reason.Fired}}, said, values, now)
}

// named gives a conversation and a revision that were not stored the ids that they are told apart by.
func named(c *conversation.Conversation, rev *automation.Revision) (*conversation.Conversation, *automation.Revision) {
	told, by := *c, *rev
	told.AccountID = rev.AccountID
	if told.ID == "" {
		told.ID = told.ExternalID
	}
	if by.ID == "" {
		by.ID = by.Digest
	}
	return &told, &by
}
