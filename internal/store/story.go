package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"aftercall/conversation"
	"aftercall/internal/llm"
	"aftercall/internal/store/db"
	"aftercall/interview"
	"aftercall/reason"
	"aftercall/tasks"
	"aftercall/triggers"
	"aftercall/variables"
)

// Story is everything that happened to one conversation, for `why` and its page.
type Story struct {
	AccountID    string
	Conversation *conversation.Conversation
	RevisionID   string
	Digest       string // of the revision
	State        ConversationState
	AcceptedAt   time.Time
	DecidedAt    time.Time // zero if it is not
	Summary      string    // the platform's, else the interview's
	Simulated    bool      // the simulated model answered something
	Events       []StoryEvent
	Decisions    []StoryDecision
	Values       []variables.Value
	Deliveries   []StoryDelivery
	Tasks        []StoryTask
	Calls        []interview.Call // without Answer
	Runs         []Run            // those beside the first decision, the newest first
}

// StoryEvent is one accepted webhook of the conversation.
type StoryEvent struct {
	Type, Source string
	ReceivedAt   time.Time
	Bytes        int
	Conflicts    int // the same event with another body, recorded
}

// StoryDecision is one decision of a run.
type StoryDecision struct {
	Run int
	triggers.Decision
	DecidedAt time.Time
	Settled   *Settled // by a person; nil while nobody has
	Mark      *Marked  // what a person says of it; nil if nobody does
}

// Settled says how a person has dealt with something.
type Settled struct {
	As  string // a decision: approved, fixed, dismissed or replayed; a delivery: sent, failed, cancelled, released, superseded or resent
	Run int    // the run that took over; 0: none did
	By  string
	At  time.Time
}

// Marked is what a person says of a decision.
type Marked struct {
	Wrong    bool
	Note, By string
	At       time.Time
}

// StoryDelivery is one line of the ledger with its attempts.
type StoryDelivery struct {
	Delivery
	Run        int
	Attempts   []StoryAttempt
	Address    string
	Provider   string
	ProviderID string
	UpdatedAt  time.Time
	Copy       int       // 0: as planned; n: the n-th resend
	ResendOf   string    // the delivery that it sends again
	Settled    []Settled // by people, in order
}

// StoryAttempt is one try.
type StoryAttempt struct {
	Attempt               int
	State                 DeliveryState
	Class, Detail         string
	Status                int
	StartedAt, FinishedAt time.Time
}

// StoryTask is a task with its state.
type StoryTask struct {
	Task
	State tasks.State
}

// FindConversation finds a conversation by our id or the platform's, in one account, or in any that may be seen if
// accountID is "". Of several with the platform's id in one account (it is unique only per source) it is the newest.
func (r *Reader) FindConversation(ctx context.Context, accountID, id string) (account, conversationID string, err error) {
	type place struct{ account, id string }
	var places []place
	within := r.within.Narrow(accountID)
	err = r.read(ctx, func(q *db.Queries) error {
		if ours, parseErr := uuid.Parse(id); parseErr == nil {
			rows, err := q.FindByID(ctx, db.FindByIDParams{ID: ours.String(), Every: within.every, AccountIds: within.list()})
			for _, row := range rows {
				places = append(places, place{row.AccountID, row.ID})
			}
			if err != nil || len(places) > 0 {
				return err
			}
		}
		rows, err := q.FindByExternalID(ctx, db.FindByExternalIDParams{ExternalID: clean(id), Every: within.every, AccountIds: within.list()})
		for _, row := range rows {
			places = append(places, place{row.AccountID, row.ID})
		}
		return err
	})
	if err == nil && len(places) == 0 {
		err = ErrNotFound
	}
	for _, p := range places {
		if err == nil && p.account != places[0].account {
			err = ErrAmbiguous
		}
	}
	if err != nil {
		return "", "", fmt.Errorf("find the conversation: %w", err)
	}
	return places[0].account, places[0].id, nil
}

// Story tells everything about one conversation of an account, as it stood at one moment.
func (r *Reader) Story(ctx context.Context, accountID, conversationID string) (Story, error) {
	story := Story{AccountID: accountID}
	if _, err := uuid.Parse(conversationID); err != nil || !r.within.Has(accountID) {
		return Story{}, fmt.Errorf("tell the story of a conversation: %w", ErrNotFound)
	}
	err := r.read(ctx, func(q *db.Queries) error {
		for _, chapter := range []func(context.Context, *db.Queries, string) error{
			story.readConversation, story.readEvents, story.readDecisions, story.readValues, story.readDeliveries,
			story.readTasks, story.readCalls, story.readRuns,
		} {
			if err := chapter(ctx, q, conversationID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Story{}, fmt.Errorf("tell the story of conversation %s: %w", conversationID, err)
	}
	return story, nil
}

func (s *Story) readConversation(ctx context.Context, q *db.Queries, id string) error {
	r, err := q.StoryConversation(ctx, db.StoryConversationParams{AccountID: s.AccountID, ConversationID: id})
	if err != nil {
		return found(err)
	}
	s.RevisionID, s.Digest, s.State = r.RevisionID, r.Digest, ConversationState(r.State)
	s.AcceptedAt, s.DecidedAt, s.Summary, s.Simulated = r.AcceptedAt, zeroOr(r.DecidedAt), r.Summary, r.Simulated
	s.Conversation, err = decodeConversation(r.ID, r.AccountID, r.Source, r.Content)
	return err
}

func (s *Story) readEvents(ctx context.Context, q *db.Queries, id string) error {
	rows, err := q.StoryEvents(ctx, db.StoryEventsParams{AccountID: s.AccountID, ConversationID: &id})
	for _, r := range rows {
		s.Events = append(s.Events, StoryEvent{Type: r.Type, Source: r.Source, ReceivedAt: r.ReceivedAt, Bytes: int(r.Bytes),
			Conflicts: int(r.Conflicts)})
	}
	return err
}

func (s *Story) readDecisions(ctx context.Context, q *db.Queries, id string) error {
	rows, err := q.StoryDecisions(ctx, db.StoryDecisionsParams{AccountID: s.AccountID, ConversationID: id})
	if err != nil {
		return err
	}
	for _, r := range rows {
		d := StoryDecision{Run: int(r.Run), DecidedAt: r.DecidedAt, Decision: triggers.Decision{
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
	return nil
}

func (s *Story) readValues(ctx context.Context, q *db.Queries, id string) error {
	rows, err := q.StoryValues(ctx, db.StoryValuesParams{AccountID: s.AccountID, ConversationID: id})
	if err != nil {
		return err
	}
	for _, r := range rows {
		v, err := value(r)
		if err != nil {
			return err
		}
		s.Values = append(s.Values, v)
	}
	return nil
}

func value(r db.StoryValuesRow) (variables.Value, error) {
	v := variables.Value{Name: r.Name, Type: variables.Type(r.Type), Status: variables.Status(r.Status), Raw: r.Raw,
		Value: r.Value, Problem: r.Problem}
	if err := json.Unmarshal(r.Evidence, &v.Evidence); err != nil {
		return v, fmt.Errorf("decode the evidence of %s: %w", r.Name, err)
	}
	return v, nil
}

func (s *Story) readDeliveries(ctx context.Context, q *db.Queries, id string) error {
	rows, err := q.StoryDeliveries(ctx, db.StoryDeliveriesParams{AccountID: s.AccountID, ConversationID: id})
	if err != nil {
		return err
	}
	tries, err := q.StoryAttempts(ctx, db.StoryAttemptsParams{AccountID: s.AccountID, ConversationID: id})
	if err != nil {
		return err
	}
	attempts := map[string][]StoryAttempt{}
	for _, t := range tries {
		attempts[t.DeliveryID] = append(attempts[t.DeliveryID], StoryAttempt{Attempt: int(t.Attempt),
			State: DeliveryState(t.State), Class: t.Class, Detail: t.Detail, Status: int(t.Status), StartedAt: t.StartedAt,
			FinishedAt: t.FinishedAt})
	}
	dealt, err := q.StorySettlements(ctx, db.StorySettlementsParams{AccountID: s.AccountID, ConversationID: id})
	if err != nil {
		return err
	}
	settled := map[string][]Settled{}
	for _, w := range dealt {
		settled[w.DeliveryID] = append(settled[w.DeliveryID], Settled{As: w.Settled, Run: int(w.Run), By: w.Person, At: w.At})
	}
	for _, r := range rows {
		d := StoryDelivery{Run: int(r.Run), Attempts: attempts[r.ID], Copy: int(r.Copy), ResendOf: r.ResendOf, Settled: settled[r.ID], Address: r.Address, Provider: r.Provider,
			ProviderID: r.ProviderID, UpdatedAt: r.UpdatedAt, Delivery: Delivery{ID: r.ID, Automation: r.Automation,
				Action: int(r.Action), Channel: r.Channel, Recipient: r.Recipient, Customer: r.Customer,
				State: DeliveryState(r.State), Reason: reason.Code(r.Reason), Detail: r.Detail, DueAt: zeroOr(r.DueAt),
				DeadlineAt: zeroOr(r.DeadlineAt), Test: r.Test}}
		if err := json.Unmarshal(r.Content, &d.Content); err != nil {
			return fmt.Errorf("decode delivery %s: %w", r.ID, err)
		}
		s.Deliveries = append(s.Deliveries, d)
	}
	return nil
}

func (s *Story) readTasks(ctx context.Context, q *db.Queries, id string) error {
	rows, err := q.StoryTasks(ctx, db.StoryTasksParams{AccountID: s.AccountID, ConversationID: id})
	for _, r := range rows {
		s.Tasks = append(s.Tasks, StoryTask{State: tasks.State(r.State), Task: Task{ID: r.ID, Automation: r.Automation,
			Action: int(r.Action), Task: tasks.Task{Title: r.Title, Description: r.Description,
				Priority: tasks.Priority(r.Priority), Assignee: r.Assignee, DueAt: zeroOr(r.DueAt)}}})
	}
	return err
}

func (s *Story) readRuns(ctx context.Context, q *db.Queries, id string) error {
	rows, err := q.ListRuns(ctx, db.ListRunsParams{AccountID: s.AccountID, ConversationID: id})
	for _, r := range rows {
		s.Runs = append(s.Runs, Run{Run: int(r.Run), Cause: RunCause(r.Cause), OfRun: int(r.OfRun), Automation: r.Automation,
			Sandbox: r.Sandbox, RevisionID: r.RevisionID, State: RunState(r.State), Problem: r.Problem, By: r.Person, AskedAt: r.AskedAt,
			DoneAt: r.DoneAt})
	}
	return err
}

func (s *Story) readCalls(ctx context.Context, q *db.Queries, id string) error {
	rows, err := q.StoryCalls(ctx, db.StoryCallsParams{AccountID: s.AccountID, ConversationID: id})
	for _, r := range rows {
		s.Calls = append(s.Calls, interview.Call{ConversationID: id, AccountID: s.AccountID, RevisionID: r.RevisionID,
			Part: r.Part, Purpose: r.Purpose, PromptHash: r.PromptHash, SchemaHash: r.SchemaHash, Valid: r.Valid,
			ErrorKind: r.ErrorKind, Status: int(r.Status), At: r.CalledAt, Reply: llm.Reply{Model: r.Model,
				Endpoint: r.Endpoint, Simulated: r.Simulated, TokensIn: int(r.TokensIn), TokensCached: int(r.TokensCached),
				TokensOut: int(r.TokensOut), FinishReason: r.FinishReason, RequestID: r.RequestID, Fingerprint: r.Fingerprint,
				Latency: time.Duration(r.LatencyMs) * time.Millisecond}})
	}
	return err
}
