package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"aftercall/conversation"
	"aftercall/deliver"
	"aftercall/internal/store/db"
	"aftercall/interview"
	"aftercall/tasks"
	"aftercall/triggers"
	"aftercall/variables"
)

// Story is everything that happened to one conversation, for `why` and its page. What a later run did stands first.
type Story struct {
	AccountID    string
	Conversation *conversation.Conversation
	RevisionID   string
	Digest       string    // of the revision
	Message      string    // the author's word on it
	GitSHA       string    // the commit it came from, if that is known
	StoredAt     time.Time // the revision
	State        ConversationState
	DecideAt     time.Time // when it is to be decided: at once, or when the wait for the platform's analysis ends
	AcceptedAt   time.Time
	DecidedAt    time.Time // zero if it is not
	Summary      string    // the platform's, else the interview's
	Simulated    bool      // the simulated model answered something
	Events       []StoryEvent
	Decisions    []StoryDecision
	Values       []StoryValue
	Deliveries   []StoryDelivery
	Tasks        []StoryTask
	Calls        []interview.Call // without Answer
	Runs         []Run            // those beside the first decision, the newest first
	Decided      []RunDecided     // what each run came to that has decided something, the newest first
	Beside       []BesideCall     // of an event the call it is about, if that has come in; and the other events of the call, also those that nobody waits for
	Cut          []string         // chapters that are longer than is read
}

// StoryEvent is one accepted webhook of the conversation.
type StoryEvent struct {
	ID, Type, Source       string
	ContentType            string
	ReceivedAt, AcceptedAt time.Time
	Bytes                  int
	Head                   []byte // the beginning of the body
	Cut                    bool   // there is more of it
	Conflicts              int    // the same event with another body, recorded; counted to 100
}

// StoryDecision is one decision of a run.
type StoryDecision struct {
	Run        int
	RevisionID string
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

// BesideCall belongs to the same call: the call itself, or something that happened during it.
type BesideCall struct {
	ID    string // of a conversation, or of the event if it is alone
	What  string // the type of the event, or how the call ended
	At    time.Time
	Alone bool // an event that nobody waits for
}

// RunDecided is what a run came to.
type RunDecided struct {
	Run        int
	RevisionID string
	At         time.Time
	Fired      int // automations
}

// StoryValue is a variable as one run has it.
type StoryValue struct {
	Run int
	Is  variables.Value
}

// StoryDelivery is one line of the ledger with its attempts. Its content is without the HTML, and has the beginning of a long
// text; Message gives it whole.
type StoryDelivery struct {
	Delivery
	Run        int
	Copy       int    // 0 as planned, n the n-th resend
	ResendOf   string // the delivery it was sent again for
	HasHTML    bool
	TextBytes  int // of the whole text
	Attempts   []StoryAttempt
	Claims     int    // how often a worker took it
	WorkerID   string // who did last
	ClaimedAt  time.Time
	Address    string
	Provider   string
	ProviderID string
	Reported   deliver.Fact // by the provider afterwards; "" if nothing was, or nothing that was not known
	ReportedAt time.Time
	CreatedAt  time.Time
	UpdatedAt  time.Time
	Settled    []Settled // by people, in order
}

// TextCut reports whether the story has only the beginning of its text.
func (d StoryDelivery) TextCut() bool { return d.TextBytes > len(d.Content.Text) }

// StoryAttempt is one try.
type StoryAttempt struct {
	Attempt               int
	State                 DeliveryState
	Class, Detail         string
	Status                int
	WorkerID              string
	StartedAt, FinishedAt time.Time
}

// StoryTask is a task with its state.
type StoryTask struct {
	Run int
	Task
	State tasks.State
}

// StoryJob is a job of the queue that is about the conversation.
type StoryJob struct {
	ID                      int64
	Kind, Queue, State      string
	Channel                 string // of a deliver job
	Run                     int    // of a decide job
	Attempt, MaxAttempts    int
	CreatedAt, ScheduledAt  time.Time
	AttemptedAt, FinishedAt time.Time // zero if it was not
	Fault                   string    // how the last attempt failed
}

// FindConversation finds a conversation by our id, the platform's or an event's, in one account, or in any that may be seen if
// accountID is "". Of several with the platform's id in one account (it is unique only per source) it is the newest. By the id of a
// call that has not come in it is the newest event of that call.
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
		for _, external := range []string{clean(id), conversation.EventID + clean(id)} {
			rows, err := q.FindByExternalID(ctx, db.FindByExternalIDParams{ExternalID: external, Every: within.every, AccountIds: within.list()})
			for _, row := range rows {
				places = append(places, place{row.AccountID, row.ID})
			}
			if err != nil || len(places) > 0 {
				return err
			}
		}
		return nil
	})
	if err == nil && len(places) == 0 {
		err = r.read(ctx, func(q *db.Queries) error {
			rows, err := q.FindEventsOf(ctx, db.FindEventsOfParams{CallID: clean(id), Every: within.every, AccountIds: within.list()})
			for _, row := range rows {
				places = append(places, place{row.AccountID, row.ID})
			}
			return err
		})
	}
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
	return r.StoryOfRun(ctx, accountID, conversationID, 0)
}

// StoryOfRun tells of decisions, values, deliveries and tasks only what one run left, so that later ones take it no room, and the
// tasks of programs, which belong to none; run 0 is all of them.
func (r *Reader) StoryOfRun(ctx context.Context, accountID, conversationID string, run int) (Story, error) {
	story := Story{AccountID: accountID}
	of := part{conversation: conversationID, run: int32(run)}
	err := r.ofConversation(ctx, accountID, conversationID, func(q *db.Queries) error {
		for _, chapter := range []func(context.Context, *db.Queries, part) error{
			story.readConversation, story.readEvents, story.readDecisions, story.readValues, story.readDeliveries,
			story.readTasks, story.readCalls, story.readRuns, story.readBeside,
		} {
			if err := chapter(ctx, q, of); err != nil {
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

// Delivery is one line of a conversation's ledger, however long that is.
func (r *Reader) Delivery(ctx context.Context, accountID, conversationID, deliveryID string) (StoryDelivery, error) {
	story := Story{AccountID: accountID}
	err := r.ofConversation(ctx, accountID, conversationID, func(q *db.Queries) error {
		if !isID(deliveryID) {
			return ErrNotFound
		}
		err := story.readDeliveries(ctx, q, part{conversation: conversationID, delivery: &deliveryID})
		if err == nil && len(story.Deliveries) == 0 {
			err = ErrNotFound
		}
		return err
	})
	if err != nil {
		return StoryDelivery{}, fmt.Errorf("load delivery %s: %w", deliveryID, err)
	}
	return story.Deliveries[0], nil
}

// ofConversation reads in a conversation that may be seen, if there is one.
func (r *Reader) ofConversation(ctx context.Context, accountID, conversationID string, f func(q *db.Queries) error) error {
	if !isID(conversationID) || !r.within.Has(accountID) {
		return ErrNotFound
	}
	return r.read(ctx, f)
}

// Message is what a delivery of a conversation says, whole.
func (r *Reader) Message(ctx context.Context, accountID, conversationID, deliveryID string) (c Content, err error) {
	err = r.ofConversation(ctx, accountID, conversationID, func(q *db.Queries) error {
		if !isID(deliveryID) {
			return ErrNotFound
		}
		raw, err := q.StoryMessage(ctx, db.StoryMessageParams{ID: deliveryID, ConversationID: conversationID, AccountID: accountID})
		if err != nil {
			return found(err)
		}
		return decodeInto(raw, &c)
	})
	if err != nil {
		return Content{}, fmt.Errorf("load the message of delivery %s: %w", deliveryID, err)
	}
	return c, nil
}

// EventBody is an event of a conversation as it came.
func (r *Reader) EventBody(ctx context.Context, accountID, conversationID, eventID string) (e Event, err error) {
	err = r.ofConversation(ctx, accountID, conversationID, func(q *db.Queries) error {
		if !isID(eventID) {
			return ErrNotFound
		}
		row, err := q.StoryEventBody(ctx, db.StoryEventBodyParams{ID: eventID, ConversationID: &conversationID, AccountID: accountID})
		e = Event{AccountID: accountID, Type: row.Type, ContentType: row.ContentType, Body: row.Body}
		return found(err)
	})
	if err != nil {
		return Event{}, fmt.Errorf("load event %s: %w", eventID, err)
	}
	return e, nil
}

// Answers gives what one model call of a conversation was answered (nil if nothing was kept), and the answers that were used
// under a revision, by part.
func (r *Reader) Answers(ctx context.Context, accountID string, c interview.Call) (answer []byte, used map[string][]byte, err error) {
	err = r.ofConversation(ctx, accountID, c.ConversationID, func(q *db.Queries) error {
		answer, err = q.StoryAnswer(ctx, db.StoryAnswerParams{ID: c.ID, ConversationID: c.ConversationID, AccountID: accountID})
		if err != nil {
			return found(err)
		}
		rows, err := q.ChosenAnswers(ctx, db.ChosenAnswersParams{ConversationID: c.ConversationID, RevisionID: c.RevisionID})
		used = make(map[string][]byte, len(rows))
		for _, row := range rows {
			used[row.Part] = row.Answer
		}
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("load the answer to model call %s: %w", c.ID, err)
	}
	return answer, used, nil
}

// Jobs lists the queue's jobs about a conversation, the newest first. The queue's table knows no accounts and the pages'
// role may not read it, so that this is asked by the process itself, for a conversation whose account is known.
func (s *Store) Jobs(ctx context.Context, accountID, conversationID string) (jobs []StoryJob, err error) {
	err = s.ofConversation(ctx, accountID, conversationID, func(q *db.Queries) error {
		rows, err := q.StoryJobs(ctx, db.StoryJobsParams{AccountID: accountID, ConversationID: conversationID, Most: mostJobs})
		for _, r := range rows {
			jobs = append(jobs, StoryJob{ID: r.ID, Kind: r.Kind, Queue: r.Queue, State: string(r.State), Channel: r.Channel, Run: int(r.Run),
				Attempt: int(r.Attempt), MaxAttempts: int(r.MaxAttempts), CreatedAt: r.CreatedAt, ScheduledAt: r.ScheduledAt,
				AttemptedAt: zeroOr(r.AttemptedAt), FinishedAt: zeroOr(r.FinalizedAt), Fault: r.Fault})
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the jobs of conversation %s: %w", conversationID, err)
	}
	return jobs, nil
}
