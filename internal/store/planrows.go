package store

import (
	"context"
	"fmt"

	"aftercall/internal/store/db"
)

// writePlans inserts the rows of many plans, one statement for each table.
// It returns the deliveries that were not planned before.
func writePlans(ctx context.Context, q *db.Queries, plans []*planned, c claim) (written map[string]bool, err error) {
	if err := q.AdvanceConversations(ctx, conversationRows(plans)); err != nil {
		return nil, fmt.Errorf("advance conversations: %w", err)
	}
	if rows := decisionRows(plans); len(rows.ConversationIds) > 0 {
		if err := q.InsertDecisions(ctx, rows); err != nil {
			return nil, fmt.Errorf("insert decisions: %w", err)
		}
	}
	if rows := valueRows(plans); len(rows.ConversationIds) > 0 {
		if err := q.InsertValues(ctx, rows); err != nil {
			return nil, fmt.Errorf("insert variable values: %w", err)
		}
	}
	if rows := deliveryRows(plans, c); len(rows.Ids) > 0 {
		ids, err := q.InsertDeliveries(ctx, rows)
		if err != nil {
			return nil, fmt.Errorf("insert deliveries: %w", err)
		}
		written = make(map[string]bool, len(ids))
		for _, id := range ids {
			written[id] = true
		}
		if err := awaitEnds(ctx, q, plans, written); err != nil {
			return nil, err
		}
	}
	if rows := taskRows(plans); len(rows.Ids) > 0 {
		if err := q.InsertTasks(ctx, rows); err != nil {
			return nil, fmt.Errorf("insert tasks: %w", err)
		}
	}
	return written, nil
}

func conversationRows(plans []*planned) (r db.AdvanceConversationsParams) {
	for _, p := range plans {
		r.Ids, r.AccountIds = append(r.Ids, p.ConversationID), append(r.AccountIds, p.AccountID)
		r.Runs, r.States = append(r.Runs, int32(p.Run)), append(r.States, string(p.State))
		r.Summaries, r.Simulated = append(r.Summaries, clean(p.Summary)), append(r.Simulated, p.Simulated)
	}
	return r
}

func decisionRows(plans []*planned) (r db.InsertDecisionsParams) {
	for _, p := range plans {
		for n, d := range p.Decisions {
			r.ConversationIds, r.Runs = append(r.ConversationIds, p.ConversationID), append(r.Runs, int32(p.Run))
			r.Automations, r.AccountIds = append(r.Automations, d.Automation), append(r.AccountIds, p.AccountID)
			r.RevisionIds, r.Verdicts = append(r.RevisionIds, p.RevisionID), append(r.Verdicts, string(d.Verdict))
			r.Reasons, r.Evidences = append(r.Reasons, string(d.Reason)), append(r.Evidences, p.evidence[n])
			r.Details, r.Reviews = append(r.Details, clean(d.Detail)), append(r.Reviews, d.Review)
			r.Actions = append(r.Actions, int32(p.Actions[d.Automation]))
		}
	}
	return r
}

func valueRows(plans []*planned) (r db.InsertValuesParams) {
	for _, p := range plans {
		for n, v := range p.Values {
			r.ConversationIds, r.Runs = append(r.ConversationIds, p.ConversationID), append(r.Runs, int32(p.Run))
			r.Names, r.AccountIds = append(r.Names, v.Name), append(r.AccountIds, p.AccountID)
			r.Types, r.Statuses = append(r.Types, string(v.Type)), append(r.Statuses, string(v.Status))
			r.Raws, r.Values = append(r.Raws, clean(v.Raw)), append(r.Values, clean(v.Value))
			r.Evidences, r.Problems = append(r.Evidences, p.valueEvidence[n]), append(r.Problems, clean(v.Problem))
		}
	}
	return r
}

func deliveryRows(plans []*planned, c claim) (r db.InsertDeliveriesParams) {
	r.ClaimID = c.id
	for _, p := range plans {
		for n, d := range p.Deliveries {
			due, worker := d.DueAt, ""
			if d.State == Planned || d.State == Retrying {
				due = orNow(due, c.at)
			}
			if p.sends(d, c.at) {
				d.State, worker = Sending, p.Sender.WorkerID
			}
			r.Ids, r.AccountIds = append(r.Ids, d.ID), append(r.AccountIds, p.AccountID)
			r.ConversationIds, r.Runs = append(r.ConversationIds, p.ConversationID), append(r.Runs, int32(p.Run))
			r.Automations, r.Actions = append(r.Automations, d.Automation), append(r.Actions, int32(d.Action))
			r.Recipients, r.Channels = append(r.Recipients, clean(d.Recipient)), append(r.Channels, d.Channel)
			r.Customers, r.States = append(r.Customers, d.Customer), append(r.States, string(d.State))
			r.Reasons, r.Details = append(r.Reasons, string(d.Reason)), append(r.Details, clean(d.Detail))
			r.DueAts, r.DeadlineAts = append(r.DueAts, due), append(r.DeadlineAts, d.DeadlineAt)
			r.Tests, r.Contents = append(r.Tests, d.Test), append(r.Contents, p.contents[n])
			r.WorkerIds = append(r.WorkerIds, worker)
		}
	}
	return r
}

func taskRows(plans []*planned) (r db.InsertTasksParams) {
	for _, p := range plans {
		for _, t := range p.Tasks {
			r.Ids, r.AccountIds = append(r.Ids, t.ID), append(r.AccountIds, p.AccountID)
			r.ConversationIds, r.Runs = append(r.ConversationIds, p.ConversationID), append(r.Runs, int32(p.Run))
			r.Automations, r.Actions = append(r.Automations, t.Automation), append(r.Actions, int32(t.Action))
			r.Titles, r.Descriptions = append(r.Titles, clean(t.Title)), append(r.Descriptions, clean(t.Description))
			r.Priorities, r.Assignees = append(r.Priorities, string(t.Priority)), append(r.Assignees, clean(t.Assignee))
			r.DueAts = append(r.DueAts, t.DueAt)
		}
	}
	return r
}
