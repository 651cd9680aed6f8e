package worker

import (
	"context"
	"fmt"
	"time"

	"aftercall/automation"
	"aftercall/conversation"
	"aftercall/internal/store"
	"aftercall/interview"
	"aftercall/tasks"
	"aftercall/triggers"
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
	m := consider(i, told, by, by.Triggers(), triggers.Facts{}) // a mute is of the line, not of the config
	said, decisions, err := m.ask(ctx)
	if err != nil {
		return Rehearsal{}, fmt.Errorf("rehearse conversation %s: %w", told.ID, err)
	}
	r := Rehearsal{Said: said, Plan: m.plan(decisions, said, now)}
	r.Plan.Run = 1
	return r, nil
}

// Story is the rehearsal as the story that the line would have written, with the addresses that a sender would find now.
func (r Rehearsal) Story(c *conversation.Conversation, rev *automation.Revision) store.Story {
	s := store.Story{
		AccountID: rev.AccountID, Conversation: c, Digest: rev.Digest, State: r.Plan.State, Summary: r.Plan.Summary,
		Simulated: r.Plan.Simulated,
	}
	for _, v := range r.Plan.Values {
		s.Values = append(s.Values, store.StoryValue{Run: r.Plan.Run, Is: v})
	}
	for _, d := range r.Plan.Decisions {
		s.Decisions = append(s.Decisions, store.StoryDecision{Run: r.Plan.Run, Decision: d})
	}
	for i, d := range r.Plan.Deliveries {
		d.ID = fmt.Sprintf("%s-%d-%d", d.Automation, d.Action, i) // the same each time, unlike one of the line's
		told := store.StoryDelivery{Run: r.Plan.Run, Delivery: d, HasHTML: d.Content.HTML != "", TextBytes: len(d.Content.Text)}
		if len(d.Content.To) == 1 {
			if to, refused := rev.Directory.Address(d.Content.To[0], d.Channel, Contact(c)); refused == "" {
				told.Address = to.Address
			}
		}
		s.Deliveries = append(s.Deliveries, told)
	}
	for _, t := range r.Plan.Tasks {
		s.Tasks = append(s.Tasks, store.StoryTask{Run: r.Plan.Run, Task: t, State: tasks.Open})
	}
	return s
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
