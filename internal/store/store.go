// Package store keeps everything Aftercall knows in Postgres: events and conversations, revisions, interviews and
// decisions, the ledger of deliveries with its attempts, tasks, alerts, captured messages, worker leases and keys.
//
// All SQL lives here, in queries/*.sql by area, turned into Go by sqlc (package db, used only here). The types in this
// package are ours, not the generated ones.
//
// It promises that a write is either committed or an error; that writes of one kind that arrive together share a commit
// (see group.go) and one bad row never fails its neighbours; that nothing recorded as sent or unknown is ever handed out
// again; and that every row belongs to an account. It never calls a provider or a model, and never decides.
package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"aftercall/conversation"
	"aftercall/deliver"
	"aftercall/interview"
	"aftercall/reason"
	"aftercall/recipients"
	"aftercall/tasks"
	"aftercall/triggers"
	"aftercall/variables"
)

// ErrNotFound is returned where a row that was asked for by id does not exist.
var ErrNotFound = errors.New("not found")

// ErrAmbiguous is returned where an id without an account fits rows of several.
var ErrAmbiguous = errors.New("the id exists in several accounts")

// Options of a Store. The zero value of a field means its default.
type Options struct {
	Pool   int // connections for everything but ingest (default 20)
	Ingest int // connections of ingest's own pool (default 4); negative: none, ingest shares the pool
}

// Store is the database.
type Store struct{}

// Open connects and checks that the schema is the one this binary needs.
func Open(ctx context.Context, url string, o Options) (*Store, error) { panic("contract") }

// Pool is the connection pool, for River's driver.
func (s *Store) Pool() *pgxpool.Pool { panic("contract") }

// Close lets running group writes finish and closes the pools.
func (s *Store) Close() { panic("contract") }

// ---- in ----

// Event is one webhook, as it came.
type Event struct {
	AccountID, Source string
	Identity          string // unique within account and source: the event id, else call id and type
	Type              string // the platform's event type
	ContentType       string
	Body              []byte // raw
	ReceivedAt        time.Time
}

// Arrival is an event with what was decoded from it.
type Arrival struct {
	Event        Event
	Conversation *conversation.Conversation // nil for an event that carries none
	RevisionID   string                     // the revision active now; pinned if the conversation is new
	DecideAt     time.Time                  // when a new conversation is to be decided: now, or after the wait for the analysis
	Final        bool                       // nothing more to wait for: decide now even if the conversation was waiting for its analysis
}

// Accepted is what became of an arrival. All of it is committed.
type Accepted struct {
	ConversationID string // ours; empty for an event that carries none
	New            bool   // the conversation is new
	Duplicate      bool   // the same event with the same body was accepted before; nothing changed
	Conflict       bool   // the same event was accepted before with another body; the conflict is recorded, nothing else changed
	Merged         bool   // the event added something to an existing conversation
}

// DecideJob asks for a decision to be enqueued.
type DecideJob struct {
	AccountID, ConversationID string
	Run                       int
	At                        time.Time // zero: now
	Backlog                   int       // undecided conversations of the account, counted up to 10,000 and at most 1 s old
}

// DeliverJob asks for a delivery job to be enqueued: one per conversation and channel.
type DeliverJob struct {
	AccountID, ConversationID, Channel string
	At                                 time.Time // zero: now
}

// Ingest accepts arrivals, grouped into common transactions.
type Ingest struct{}

// NewIngest returns the ingest writer. enqueue inserts the jobs in the arrivals' own transaction.
func (s *Store) NewIngest(enqueue func(ctx context.Context, tx pgx.Tx, jobs []DecideJob) error) *Ingest {
	panic("contract")
}

// Accept stores an arrival: event, conversation and job in one transaction. It returns after the commit.
func (i *Ingest) Accept(ctx context.Context, a Arrival) (Accepted, error) { panic("contract") }

// ---- config ----

// RevisionFiles is a stored revision.
type RevisionFiles struct {
	ID, AccountID, Digest string
	Format                int
	Files                 map[string][]byte
	CreatedAt             time.Time
}

// Active is an account's active revision.
type Active struct {
	AccountID, RevisionID, Digest string
	ActivatedAt                   time.Time
	ActivatedBy                   string
}

// SaveRevision stores a revision unless the account has one with this digest already, and returns its id.
func (s *Store) SaveRevision(ctx context.Context, r RevisionFiles, by string) (id string, err error) {
	panic("contract")
}

// Activate points the account at a revision, in one transaction with its sources; a source id that another account has
// is an error naming it. It is a no-op (changed false) if the revision is active already. Listeners are notified.
func (s *Store) Activate(ctx context.Context, accountID, revisionID, by string, sources []string) (changed bool, err error) {
	panic("contract")
}

// ActiveRevisions lists every account's active revision.
func (s *Store) ActiveRevisions(ctx context.Context) ([]Active, error) { panic("contract") }

// Revision loads a stored revision.
func (s *Store) Revision(ctx context.Context, id string) (RevisionFiles, error) { panic("contract") }

// ListenActivations calls changed after every activation anywhere, until ctx ends. It reconnects by itself; a missed
// notification is made up for by the caller's poll.
func (s *Store) ListenActivations(ctx context.Context, changed func()) { panic("contract") }

// AddKey stores an API key's hash for an account.
func (s *Store) AddKey(ctx context.Context, accountID, name, prefix string, hash []byte) error {
	panic("contract")
}

// KeyAccount finds the account of an API key by its hash; ErrNotFound for an unknown or revoked one.
func (s *Store) KeyAccount(ctx context.Context, hash []byte) (accountID string, err error) {
	panic("contract")
}

// ---- decide ----

// ConversationState is where a conversation stands in the line.
type ConversationState string

// The states of a conversation.
const (
	StateAccepted ConversationState = "accepted" // waits for its decision
	StateWaiting  ConversationState = "waiting"  // partly decided: the rest waits for the model
	StateDecided  ConversationState = "decided"  // every automation has its decision
)

// Pinned is a conversation as the decide job needs it.
type Pinned struct {
	Conversation *conversation.Conversation
	RevisionID   string
	State        ConversationState
	Version      int             // counts plans and merges; a plan made for another version is not saved
	Decided      map[string]bool // automations of this run that have a final decision
	AcceptedAt   time.Time
}

// Load loads a conversation for a run.
func (s *Store) Load(ctx context.Context, conversationID string, run int) (Pinned, error) {
	panic("contract")
}

// DeliveryState is where a delivery stands.
type DeliveryState string

// The states of a delivery; see docs/states.md.
const (
	Planned   DeliveryState = "planned"
	Sending   DeliveryState = "sending"
	Retrying  DeliveryState = "retrying"
	Sent      DeliveryState = "sent"
	Delivered DeliveryState = "delivered"
	Held      DeliveryState = "held"
	Failed    DeliveryState = "failed"
	Skipped   DeliveryState = "skipped"
	Cancelled DeliveryState = "cancelled"
	Unknown   DeliveryState = "unknown"
)

// Content is a rendered message as stored.
type Content struct {
	Subject string            `json:"subject,omitempty"`
	Text    string            `json:"text,omitempty"`
	HTML    string            `json:"html,omitempty"`
	Fields  map[string]string `json:"fields,omitempty"`
	From    deliver.Address   `json:"from"`
	ReplyTo []string          `json:"reply_to,omitempty"` // recipient keys
	To      []string          `json:"to"`                 // recipient keys; one unless together
	CC      []string          `json:"cc,omitempty"`       // recipient keys
}

// Delivery is one line of the ledger as planned.
type Delivery struct {
	ID         string // ours: a UUID
	Automation string
	Action     int
	Channel    string
	Recipient  string // key; "-" where nobody was left; "together" for one message to several
	Customer   bool   // goes to the contact record's address
	State      DeliveryState
	Reason     reason.Code
	Detail     string // one sentence for a person
	DueAt      time.Time
	DeadlineAt time.Time
	Test       bool // capture only
	Content    Content
}

// Task is a planned task; its delivery row is planned as sent beside it.
type Task struct {
	ID         string
	Automation string
	Action     int
	tasks.Task
}

// Plan is everything that one decision run writes, in one transaction.
type Plan struct {
	AccountID, ConversationID, RevisionID string
	Run                                   int
	Version                               int // as loaded
	State                                 ConversationState
	Decisions                             []triggers.Decision
	Actions                               map[string]int // number of actions of each automation that fired, for the audit
	Values                                []variables.Value
	Summary                               string
	Simulated                             bool
	Deliveries                            []Delivery
	Tasks                                 []Task
	// Complete, if set, completes the job in the plan's transaction.
	Complete func(tx pgx.Tx) error
}

// Planner saves plans, grouped into common transactions.
type Planner struct{}

// NewPlanner returns the plan writer. enqueue inserts the deliver jobs of what is planned in the plans' transaction.
func (s *Store) NewPlanner(enqueue func(ctx context.Context, tx pgx.Tx, jobs []DeliverJob) error) *Planner {
	panic("contract")
}

// Save writes the plan. saved is false if the conversation has moved on since it was loaded; then nothing was written.
// Decisions with verdict Waiting are written over by a later plan of the same run; all others are final.
func (p *Planner) Save(ctx context.Context, plan *Plan) (saved bool, err error) { panic("contract") }

// Recall and Record make the Store an interview.Memory.
func (s *Store) Recall(ctx context.Context, conversationID, revisionID string) (map[string][]byte, error) {
	panic("contract")
}

// Record keeps a model call; of several valid answers to one part the first wins and is returned.
func (s *Store) Record(ctx context.Context, c interview.Call) ([]byte, error) { panic("contract") }

// ---- out ----

// Claimed is a delivery that this worker, and nobody else, may now send once.
type Claimed struct {
	ID, AccountID, ConversationID string
	ExternalID                    string // the platform's id of the conversation
	Automation                    string
	Action                        int
	Channel                       string
	Attempt                       int
	DeadlineAt                    time.Time
	Test                          bool
	Content                       Content
	Contact                       recipients.ContactRecord
	ClaimedAt                     time.Time // on this machine's clock, when the claim returned
}

// Claim moves every delivery of the conversation and channel that is due (planned or retrying, due at or before now) to
// sending, attempt + 1, and returns them. Grouped with the claims of other jobs.
func (s *Store) Claim(ctx context.Context, conversationID, channel, workerID string, now time.Time) ([]Claimed, error) {
	panic("contract")
}

// Holds reports whether the claim still stands: sending, same attempt, same worker.
func (s *Store) Holds(ctx context.Context, deliveryID string, attempt int, workerID string) (bool, error) {
	panic("contract")
}

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

// RecordOutcome writes an attempt and moves its delivery, grouped with others. It moves sending → any state, and
// unknown → sent (a sweeper may have doubted meanwhile), if the attempt is the delivery's. While the database is away it
// waits and tries again, for as long as the store is open and ctx lives: pass a context that the job does not cancel.
func (s *Store) RecordOutcome(ctx context.Context, o Outcome) error { panic("contract") }

// NextDue is when the conversation's next planned or retrying delivery on the channel is due; ok is false if there is none.
func (s *Store) NextDue(ctx context.Context, conversationID, channel string) (at time.Time, ok bool, err error) {
	panic("contract")
}

// Alert is an in-app message to the team.
type Alert struct {
	ID, AccountID, DeliveryID, ConversationID, Automation string
	Audience                                              string // "all", or a person's key
	Text                                                  string
	CreatedAt                                             time.Time
}

// PostAlert writes an alert; the same delivery writes it once.
func (s *Store) PostAlert(ctx context.Context, m deliver.Message) error { panic("contract") }

// Keep writes a captured message; the same delivery and attempt writes it once.
func (s *Store) Keep(ctx context.Context, m deliver.Message) error { panic("contract") }

// ---- maintenance ----

// Worker is a running worker process.
type Worker struct {
	ID, Host, Version string
	StartedAt         time.Time
}

// Beat renews a worker's lease.
func (s *Store) Beat(ctx context.Context, w Worker) error { panic("contract") }

// Leave ends a worker's lease: it stopped in order and holds nothing.
func (s *Store) Leave(ctx context.Context, workerID string) error { panic("contract") }

// Swept is what a sweep found.
type Swept struct {
	Lapsed   []string // workers whose lease had lapsed
	Unknown  int      // deliveries found half-sent
	Decides  int      // decide jobs inserted
	Delivers int      // deliver jobs inserted
	TooLate  int      // deliveries past their deadline
}

// Sweep finds what a dead worker left and what has no live job, in one transaction: deliveries in sending under a lapsed
// lease become unknown; conversations not decided and deliveries due that have no live job (a running job of a lapsed
// worker is not live) get fresh ones. Only one sweep runs at a time; another returns at once. A lease lapses after ttl,
// and not within ttl of the database's own start. Idempotent.
func (s *Store) Sweep(ctx context.Context, ttl, grace time.Duration, enqueue func(ctx context.Context, tx pgx.Tx, decides []DecideJob, delivers []DeliverJob) error) (Swept, error) {
	panic("contract")
}
