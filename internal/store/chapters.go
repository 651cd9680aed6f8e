package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"aftercall/deliver"
	"aftercall/internal/llm"
	"aftercall/internal/store/db"
	"aftercall/interview"
	"aftercall/reason"
	"aftercall/tasks"
	"aftercall/triggers"
	"aftercall/variables"
)

// A story is bounded, chapter by chapter: a page of it takes the same time however often a platform posts, or a person replays.
const (
	mostEvents     = 50
	mostDecisions  = 1000
	mostValues     = 1000
	mostDeliveries = 500
	mostAttempts   = 2000
	mostTasks      = 500
	mostCalls      = 200
	mostJobs       = 50
	mostRuns       = 100

	eventHead = 8 << 10 // bytes of a body that the story has
	textHead  = 4_000   // characters of a message's text
)

// part is what is told of a conversation: all of it, what one run left, or one delivery.
type part struct {
	conversation string
	run          int32   // 0: all
	delivery     *string // nil: all
}

// cut notes a chapter of which there may be more than was read.
func (s *Story) cut(chapter string, rows, most int) {
	if rows >= most {
		s.Cut = append(s.Cut, chapter)
	}
}

func (s *Story) readConversation(ctx context.Context, q *db.Queries, of part) error {
	r, err := q.StoryConversation(ctx, db.StoryConversationParams{AccountID: s.AccountID, ConversationID: of.conversation})
	if err != nil {
		return found(err)
	}
	s.RevisionID, s.Digest, s.State = r.RevisionID, r.Digest, ConversationState(r.State)
	s.Message, s.GitSHA, s.StoredAt, s.DecideAt = r.Message, r.GitSha, r.StoredAt, r.DecideAt
	s.AcceptedAt, s.DecidedAt, s.Summary, s.Simulated = r.AcceptedAt, zeroOr(r.DecidedAt), r.Summary, r.Simulated
	s.Conversation, err = decodeConversation(r.ID, r.AccountID, r.Source, r.Content)
	return err
}

func (s *Story) readEvents(ctx context.Context, q *db.Queries, of part) error {
	rows, err := q.StoryEvents(ctx, db.StoryEventsParams{AccountID: s.AccountID, ConversationID: &of.conversation, Head: eventHead, Most: mostEvents})
	for _, r := range rows {
		s.Events = append(s.Events, StoryEvent{ID: r.ID, Type: r.Type, Source: r.Source, ContentType: r.ContentType,
			ReceivedAt: r.ReceivedAt, AcceptedAt: r.AcceptedAt, Bytes: int(r.Bytes), Head: r.Head, Cut: len(r.Head) < int(r.Bytes), Conflicts: int(r.Conflicts)})
	}
	s.cut("events", len(rows), mostEvents)
	return err
}

func (s *Story) readDecisions(ctx context.Context, q *db.Queries, of part) error {
	rows, err := q.StoryDecisions(ctx, db.StoryDecisionsParams{AccountID: s.AccountID, ConversationID: of.conversation, Run: of.run, Most: mostDecisions})
	if err != nil {
		return err
	}
	for _, r := range rows {
		d := StoryDecision{Run: int(r.Run), RevisionID: r.RevisionID, DecidedAt: r.DecidedAt, Decision: triggers.Decision{
			Automation: r.Automation, Verdict: triggers.Verdict(r.Verdict), Reason: reason.Code(r.Reason), Detail: r.Detail,
			Review: r.Review}}
		if err := json.Unmarshal(r.Evidence, &d.Evidence); err != nil {
			return fmt.Errorf("decode the evidence of %s: %w", r.Automation, err)
		}
		if r.SettledAs != "" {
			d.Settled = &Settled{As: r.SettledAs, Run: int(r.SettledRun), By: r.SettledBy, At: zeroOr(r.SettledAt)}
		}
		if r.MarkedAt != nil {
			d.Mark = &Marked{Wrong: r.Wrong, Note: r.Note, By: r.MarkedBy, At: *r.MarkedAt}
		}
		s.Decisions = append(s.Decisions, d)
	}
	s.cut("decisions", len(rows), mostDecisions)
	return nil
}

func (s *Story) readValues(ctx context.Context, q *db.Queries, of part) error {
	rows, err := q.StoryValues(ctx, db.StoryValuesParams{AccountID: s.AccountID, ConversationID: of.conversation, Run: of.run, Most: mostValues})
	if err != nil {
		return err
	}
	for _, r := range rows {
		v, err := value(db.ReadValuesRow{Name: r.Name, Type: r.Type, Status: r.Status, Raw: r.Raw, Value: r.Value, Evidence: r.Evidence, Problem: r.Problem})
		if err != nil {
			return err
		}
		s.Values = append(s.Values, StoryValue{int(r.Run), v})
	}
	s.cut("values", len(rows), mostValues)
	return nil
}

func value(r db.ReadValuesRow) (variables.Value, error) {
	v := variables.Value{Name: r.Name, Type: variables.Type(r.Type), Status: variables.Status(r.Status), Raw: r.Raw,
		Value: r.Value, Problem: r.Problem}
	if err := json.Unmarshal(r.Evidence, &v.Evidence); err != nil {
		return v, fmt.Errorf("decode the evidence of %s: %w", r.Name, err)
	}
	return v, nil
}

func (s *Story) readDeliveries(ctx context.Context, q *db.Queries, of part) error {
	attempts, err := s.readAttempts(ctx, q, of)
	if err != nil {
		return err
	}
	rows, err := q.StoryDeliveries(ctx, db.StoryDeliveriesParams{AccountID: s.AccountID, ConversationID: of.conversation, Run: of.run, Delivery: of.delivery, TextHead: textHead,
		Most: mostDeliveries})
	if err != nil {
		return err
	}
	settled, err := s.readSettlements(ctx, q, of)
	if err != nil {
		return err
	}
	for _, r := range rows {
		d := StoryDelivery{Settled: settled[r.ID], Run: int(r.Run), Copy: int(r.Copy), ResendOf: r.ResendOf, HasHTML: r.HasHtml, TextBytes: int(r.TextBytes),
			Attempts: attempts[r.ID], Claims: int(r.Attempt), WorkerID: r.WorkerID, ClaimedAt: zeroOr(r.ClaimedAt), Address: r.Address,
			Provider: r.Provider, ProviderID: r.ProviderID, Reported: deliver.Fact(r.Reported), ReportedAt: zeroOr(r.ReportedAt), CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt, Delivery: Delivery{ID: r.ID,
				Automation: r.Automation, Action: int(r.Action), Channel: r.Channel, Recipient: r.Recipient, Customer: r.Customer,
				State: DeliveryState(r.State), Reason: reason.Code(r.Reason), Detail: r.Detail, DueAt: zeroOr(r.DueAt),
				DeadlineAt: zeroOr(r.DeadlineAt), Test: r.Test}}
		if err := decodeInto(r.Content, &d.Content); err != nil {
			return fmt.Errorf("decode delivery %s: %w", r.ID, err)
		}
		d.Content.Text = r.Text
		s.Deliveries = append(s.Deliveries, d)
	}
	s.cut("deliveries", len(rows), mostDeliveries)
	return nil
}

// readAttempts gives the attempts of each delivery, the first one first.
func (s *Story) readAttempts(ctx context.Context, q *db.Queries, of part) (map[string][]StoryAttempt, error) {
	rows, err := q.StoryAttempts(ctx, db.StoryAttemptsParams{AccountID: s.AccountID, ConversationID: of.conversation, Run: of.run, Delivery: of.delivery, Most: mostAttempts})
	attempts := map[string][]StoryAttempt{}
	for n := len(rows) - 1; n >= 0; n-- {
		t := rows[n]
		attempts[t.DeliveryID] = append(attempts[t.DeliveryID], StoryAttempt{Attempt: int(t.Attempt),
			State: DeliveryState(t.State), Class: t.Class, Detail: t.Detail, Status: int(t.Status), WorkerID: t.WorkerID,
			StartedAt: t.StartedAt, FinishedAt: t.FinishedAt})
	}
	s.cut("attempts", len(rows), mostAttempts)
	return attempts, err
}

// readSettlements gives what people did about each delivery, the first thing first.
func (s *Story) readSettlements(ctx context.Context, q *db.Queries, of part) (map[string][]Settled, error) {
	rows, err := q.StorySettlements(ctx, db.StorySettlementsParams{AccountID: s.AccountID, ConversationID: of.conversation, Run: of.run, Delivery: of.delivery, Most: mostAttempts})
	settled := map[string][]Settled{}
	for n := len(rows) - 1; n >= 0; n-- {
		w := rows[n]
		settled[w.DeliveryID] = append(settled[w.DeliveryID], Settled{As: w.Settled, Run: int(w.Run), By: w.Person, At: w.At})
	}
	return settled, err
}

func (s *Story) readRuns(ctx context.Context, q *db.Queries, of part) error {
	rows, err := q.StoryRuns(ctx, db.StoryRunsParams{AccountID: s.AccountID, ConversationID: of.conversation, Most: mostRuns})
	for _, r := range rows {
		s.Runs = append(s.Runs, Run{Run: int(r.Run), Cause: RunCause(r.Cause), OfRun: int(r.OfRun), Automation: r.Automation,
			Sandbox: r.Sandbox, RevisionID: r.RevisionID, State: RunState(r.State), Problem: r.Problem, By: r.Person, AskedAt: r.AskedAt,
			DoneAt: zeroOr(r.DoneAt)})
	}
	s.cut("runs", len(rows), mostRuns)
	if err != nil {
		return err
	}
	decided, err := q.StoryDecided(ctx, db.StoryDecidedParams{AccountID: s.AccountID, ConversationID: of.conversation, Most: mostRuns})
	for _, r := range decided {
		s.Decided = append(s.Decided, RunDecided{Run: int(r.Run), RevisionID: r.RevisionID, At: r.DecidedAt, Fired: int(r.Fired)})
	}
	return err
}

func (s *Story) readBeside(ctx context.Context, q *db.Queries, of part) error {
	call := s.Conversation.ExternalID
	if s.Conversation.Event != nil {
		call = s.Conversation.Event.Call
	}
	if call == "" {
		return nil
	}
	beside, err := besideCall(ctx, q, s.AccountID, call, of.conversation)
	s.Beside = beside
	s.cut("events of the call", len(beside), mostEvents)
	return err
}

// besideCall lists what belongs to a call but one of it.
func besideCall(ctx context.Context, q *db.Queries, account, call, but string) (all []BesideCall, err error) {
	rows, err := q.StoryBeside(ctx, db.StoryBesideParams{AccountID: account, CallID: call, ID: but, Most: mostEvents})
	for _, r := range rows {
		all = append(all, BesideCall{ID: r.ID, What: r.What, At: r.At.UTC(), Alone: r.Alone})
	}
	return all, err
}

func (s *Story) readTasks(ctx context.Context, q *db.Queries, of part) error {
	rows, err := q.StoryTasks(ctx, db.StoryTasksParams{AccountID: s.AccountID, ConversationID: of.conversation, Run: of.run, Most: mostTasks})
	for _, r := range rows {
		s.Tasks = append(s.Tasks, StoryTask{Run: int(r.Run), State: tasks.State(r.State), Task: Task{ID: r.ID, Automation: r.Automation,
			Action: int(r.Action), Task: tasks.Task{Title: r.Title, Description: r.Description,
				Priority: tasks.Priority(r.Priority), Assignee: r.Assignee, DueAt: zeroOr(r.DueAt)}}})
	}
	s.cut("tasks", len(rows), mostTasks)
	return err
}

func (s *Story) readCalls(ctx context.Context, q *db.Queries, of part) error {
	rows, err := q.StoryCalls(ctx, db.StoryCallsParams{AccountID: s.AccountID, ConversationID: of.conversation, Most: mostCalls})
	for _, r := range rows {
		s.Calls = append(s.Calls, interview.Call{ID: r.ID, ConversationID: of.conversation, AccountID: s.AccountID, RevisionID: r.RevisionID,
			Part: r.Part, Purpose: r.Purpose, PromptHash: r.PromptHash, SchemaHash: r.SchemaHash, Valid: r.Valid,
			ErrorKind: r.ErrorKind, Status: int(r.Status), At: r.CalledAt, Reply: llm.Reply{Model: r.Model,
				Endpoint: r.Endpoint, Simulated: r.Simulated, TokensIn: int(r.TokensIn), TokensCached: int(r.TokensCached),
				TokensOut: int(r.TokensOut), FinishReason: r.FinishReason, RequestID: r.RequestID, Fingerprint: r.Fingerprint,
				Latency: time.Duration(r.LatencyMs) * time.Millisecond}})
	}
	s.cut("model calls", len(rows), mostCalls)
	return err
}

func decodeInto(raw []byte, v any) error {
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("decode what is stored: %w", err)
	}
	return nil
}
