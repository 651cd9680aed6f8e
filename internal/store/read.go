package store

import (
	"context"
	"time"

	"aftercall/conversation"
	"aftercall/interview"
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

// FindConversation finds a conversation by our id or the platform's, in one account, or in any if accountID is "".
func (s *Store) FindConversation(ctx context.Context, accountID, id string) (account, conversationID string, err error) {
	panic("contract")
}

// Story tells everything about one conversation of an account.
func (s *Store) Story(ctx context.Context, accountID, conversationID string) (Story, error) {
	panic("contract")
}

// ConversationRow is one line of the list of conversations.
type ConversationRow struct {
	ID, AccountID, ExternalID     string
	AgentName, Channel, Status    string
	Direction                     string
	CustomerName, CustomerNumber  string
	StartedAt, AcceptedAt         time.Time
	Duration                      time.Duration
	State                         ConversationState
	Fired                         []string // automation ids
	Unsure, Sent, Open, Held, Bad int      // decisions to review; deliveries by outcome (Bad: failed or unknown)
	Simulated                     bool
}

// ConversationQuery asks for a page of the list, newest first.
type ConversationQuery struct {
	AccountID string // "" for every account (ops of the installation)
	Search    string // id, external id, phone number in any format, e-mail, automation id
	Before    string // cursor from the page before; "" for the first page
	Limit     int    // default 50, at most 200
}

// Conversations lists conversations; next is the cursor of the next page, "" if there is none.
func (s *Store) Conversations(ctx context.Context, q ConversationQuery) (rows []ConversationRow, next string, err error) {
	panic("contract")
}

// Captured is a message that was kept instead of sent.
type Captured struct {
	ID, AccountID, ConversationID, ExternalID, Automation, Channel string
	To, Subject, Text, HTML                                        string
	Fields                                                         map[string]string
	Test                                                           bool
	CapturedAt                                                     time.Time
}

// CapturedMessages lists captured messages, newest first, by cursor. channel "" means all.
func (s *Store) CapturedMessages(ctx context.Context, accountID, channel, before string, limit int) (rows []Captured, next string, err error) {
	panic("contract")
}

// CapturedMessage loads one.
func (s *Store) CapturedMessage(ctx context.Context, id string) (Captured, error) { panic("contract") }

// Tally is the ledger's sum, for the audit line and the overview.
type Tally struct {
	Events, Conversations, Undecided, Decisions, Fired, Tasks, Alerts int
	Deliveries                                                        map[DeliveryState]int
	Calls, SimulatedCalls                                             int
}

// Imbalance is one thing the audit found wrong.
type Imbalance struct {
	Rule string   // which rule of the ledger is broken, as one sentence
	IDs  []string // up to 20 offending ids
	More int      // how many more there are
}

// Audit checks the conservation rules of the ledger over all accounts and returns the sums and what does not balance.
func (s *Store) Audit(ctx context.Context) (Tally, []Imbalance, error) { panic("contract") }
