package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"aftercall/deliver"
	"aftercall/internal/store/db"
	"aftercall/reason"
	"aftercall/tasks"
	"aftercall/triggers"
	"aftercall/variables"
)

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
	Priority                              int // of the deliver jobs: the decide job's, so that fairness does not end with it
	// Complete, if set, completes the job in the plan's transaction. It can be called twice: a transaction that failed
	// for another plan's sake is written again.
	Complete func(tx pgx.Tx) error
}

// DeliverJob asks for a delivery job to be enqueued: one per conversation and channel.
type DeliverJob struct {
	AccountID, ConversationID, Channel string
	At                                 time.Time // zero: now
	Priority                           int       // 1 (or 0) goes first
}

// Planner saves plans, grouped into common transactions.
type Planner struct {
	pool    *pgxpool.Pool
	group   *group[*planned, bool]
	enqueue func(ctx context.Context, tx pgx.Tx, jobs []DeliverJob) error
}

// NewPlanner returns the plan writer. enqueue inserts the deliver jobs of what is planned in the plans' transaction.
func (s *Store) NewPlanner(enqueue func(ctx context.Context, tx pgx.Tx, jobs []DeliverJob) error) *Planner {
	p := &Planner{pool: s.pool, enqueue: enqueue}
	p.group = newGroup(s, groupOf[*planned, bool]{
		write: p.write, weigh: (*planned).weight, patience: 10 * time.Second, timeout: 10 * time.Second})
	return p
}

// Save writes the plan. saved is false if the conversation has moved on since it was loaded; then nothing was written.
// Decisions with verdict Waiting are written over by a later plan of the same run; all others are final.
func (p *Planner) Save(ctx context.Context, plan *Plan) (saved bool, err error) {
	encoded, err := encodePlan(plan)
	if err == nil {
		saved, err = p.group.do(ctx, encoded)
	}
	if err != nil {
		return false, fmt.Errorf("save the plan of conversation %s: %w", plan.ConversationID, err)
	}
	return saved, nil
}

// planned is a plan with its JSON encoded.
type planned struct {
	*Plan
	evidence, valueEvidence, contents [][]byte

	restored bool // the conversation was not decided in the backup that this data came from
}

func (p *planned) weight() (bytes int) {
	for _, c := range p.contents {
		bytes += len(c)
	}
	return bytes
}

func encodePlan(plan *Plan) (*planned, error) {
	if plan.State != StateDecided && plan.State != StateWaiting {
		return nil, fmt.Errorf("a plan leaves a conversation decided or waiting, not %q", plan.State)
	}
	p := &planned{Plan: plan}
	var errs []error
	add := func(to *[][]byte, v any) {
		b, err := encode(v)
		*to, errs = append(*to, b), append(errs, err)
	}
	for _, d := range plan.Decisions {
		if d.Evidence == nil {
			add(&p.evidence, []struct{}{})
			continue
		}
		add(&p.evidence, d.Evidence)
	}
	for _, v := range plan.Values {
		add(&p.valueEvidence, v.Evidence)
	}
	for _, d := range plan.Deliveries {
		add(&p.contents, d.Content)
	}
	return p, errors.Join(errs...)
}

// write saves plans in one transaction: the conversations are locked, the plans of those that moved on left out.
func (p *Planner) write(ctx context.Context, plans []*planned) (saved []bool, err error) {
	err = inTx(ctx, p.pool, func(tx pgx.Tx, q *db.Queries) error {
		if saved, err = current(ctx, q, plans); err != nil {
			return err
		}
		var keep []*planned
		for n, plan := range plans {
			if saved[n] {
				keep = append(keep, plan)
			}
		}
		if len(keep) == 0 {
			return nil
		}
		if err := writePlans(ctx, q, keep); err != nil {
			return err
		}
		if err := doubtPlans(ctx, q, keep); err != nil {
			return err
		}
		if jobs := deliverJobs(keep); len(jobs) > 0 {
			if err := p.enqueue(ctx, tx, jobs); err != nil {
				return fmt.Errorf("enqueue deliver jobs: %w", err)
			}
		}
		return complete(tx, keep)
	})
	return saved, err
}

// current locks the conversations and says which plans were made for the version they are at. Of two plans for one
// version the first counts.
func current(ctx context.Context, q *db.Queries, plans []*planned) ([]bool, error) {
	ids := make([]string, len(plans))
	for n, p := range plans {
		ids[n] = p.ConversationID
	}
	rows, err := q.LockConversations(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("lock conversations: %w", err)
	}
	version, restored := make(map[[2]string]int, len(rows)), map[[2]string]bool{}
	for _, r := range rows {
		key := [2]string{r.AccountID, r.ID}
		version[key], restored[key] = int(r.Version), r.Restored
	}
	is := make([]bool, len(plans))
	for n, p := range plans {
		key := [2]string{p.AccountID, p.ConversationID}
		at, ok := version[key]
		if !ok {
			return nil, ErrNotFound
		}
		if is[n] = at == p.Version; is[n] {
			version[key]++
		}
		p.restored = restored[key]
	}
	return is, nil
}

func complete(tx pgx.Tx, plans []*planned) error {
	for _, p := range plans {
		if p.Complete == nil {
			continue
		}
		if err := p.Complete(tx); err != nil {
			return fmt.Errorf("complete the job: %w", err)
		}
	}
	return nil
}

// deliverJobs asks for one job for each conversation and channel with something to send, at the time of the earliest.
func deliverJobs(plans []*planned) (jobs []DeliverJob) {
	now := time.Now()
	for _, p := range plans {
		at := map[string]int{} // position in jobs, by channel
		for _, d := range p.Deliveries {
			if d.State != Planned || p.restored {
				continue
			}
			due := d.DueAt
			if !due.After(now) {
				due = time.Time{}
			}
			n, ok := at[d.Channel]
			if !ok {
				at[d.Channel] = len(jobs)
				jobs = append(jobs, DeliverJob{
					AccountID: p.AccountID, ConversationID: p.ConversationID, Channel: d.Channel, At: due, Priority: p.Priority})
			} else if due.Before(jobs[n].At) {
				jobs[n].At = due
			}
		}
	}
	return jobs
}
