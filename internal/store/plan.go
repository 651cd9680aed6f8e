package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"aftercall/deliver"
	"aftercall/internal/store/db"
	"aftercall/reason"
	"aftercall/recipients"
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

// clean leaves in a content only what is stored as it is.
func (c *Content) clean() {
	for _, s := range []*string{&c.Subject, &c.Text, &c.HTML, &c.From.Name, &c.From.Address} {
		*s = clean(*s)
	}
	for name, value := range c.Fields {
		c.Fields[name] = clean(value)
	}
	for _, keys := range [][]string{c.ReplyTo, c.To, c.CC} {
		for n, key := range keys {
			keys[n] = clean(key)
		}
	}
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
	Test       bool   // capture only
	EndOf      string // the platform's id of the call whose end it waits for; "" for none
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
	Sender                                Sender
	Trace                                 string           // signals.Carry: for the deliver jobs
	Limits                                map[string]Limit // how often each automation that fired may; what is not here may always

	Counts []Counting // of automations that fire only for several

	// For what a later run leaves out.
	Automations []string                         // that its revision has
	AddressOf   func(key, channel string) string // where a recipient is written to, as known now
}

// Sender is the worker that sends at once what is due of a plan on its channels: the plan claims it, and enqueues no job
// for it. The zero value is nobody.
type Sender struct {
	WorkerID   string
	Channels   map[string]bool
	ExternalID string                   // the platform's id of the conversation
	Contact    recipients.ContactRecord // the conversation's
	To         AddressesOf
}

// Saved is what became of a plan.
type Saved struct {
	OK      bool       // false: the conversation has moved on since it was loaded, and nothing was written
	Claimed []Claimed  // what the plan's worker, and nobody else, may now send once
	Opened  []Breaker  // by this plan: what it led to is held, in part
	Written []Delivery // as they stand in the ledger: a breaker may hold what was planned

	Decisions []triggers.Decision // as they stand: too few may have come for one that was to fire
}

// DeliverJob asks for a delivery job to be enqueued: one per conversation and channel.
type DeliverJob struct {
	AccountID, ConversationID, Channel string
	At                                 time.Time // zero: now
	Priority                           int       // 1 (or 0) goes first
	Trace                              string    // of the plan it belongs to; "" if nobody follows it
}

// Planner saves plans, grouped into common transactions.
type Planner struct {
	pool    *pgxpool.Pool
	lane    int16 // of the hours it counts in
	lost    *lostClaims
	hashes  hashes
	teller  *teller
	group   *group[*planned, Saved]
	enqueue func(ctx context.Context, tx pgx.Tx, jobs []DeliverJob) error
}

// NewPlanner returns the plan writer. enqueue inserts the deliver jobs of what is planned in the plans' transaction.
func (s *Store) NewPlanner(enqueue func(ctx context.Context, tx pgx.Tx, jobs []DeliverJob) error) *Planner {
	p := &Planner{pool: s.pool, lane: s.lane, lost: &s.lost, hashes: s.hashes, teller: s.teller, enqueue: enqueue}
	p.group = newGroup(s, groupOf[*planned, Saved]{
		write: p.write, weigh: (*planned).weight, patience: 10 * time.Second, timeout: 10 * time.Second})
	return p
}

// Save writes the plan, and claims in the same transaction what is to be sent at once. Decisions with verdict Waiting are
// written over by a later plan of the same run; all others are final.
func (p *Planner) Save(ctx context.Context, plan *Plan) (saved Saved, err error) {
	encoded, err := encodePlan(plan)
	if err == nil {
		saved, err = p.group.do(ctx, encoded)
	}
	if err != nil {
		return Saved{}, fmt.Errorf("save the plan of conversation %s: %w", plan.ConversationID, err)
	}
	return saved, nil
}

// planned is a plan with its JSON encoded.
type planned struct {
	*Plan
	evidence, valueEvidence, contents [][]byte

	restored bool // the conversation was not decided in the backup that this data came from
}

// sends reports whether the plan claims a delivery for its worker. What a restored conversation leads to may have been
// sent by the original.
func (p *planned) sends(d Delivery, now time.Time) bool {
	return p.Sender.Channels[d.Channel] && d.State == Planned && !d.DueAt.After(now) && !p.restored
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
	for n := range plan.Deliveries {
		plan.Deliveries[n].Content.clean() // what is sent at once is what is stored
		add(&p.contents, plan.Deliveries[n].Content)
	}
	return p, errors.Join(errs...)
}

// write saves plans in one transaction: the conversations are locked, the plans of those that moved on left out.
func (p *Planner) write(ctx context.Context, plans []*planned) (saved []Saved, err error) {
	claim := newClaim()
	for _, plan := range plans {
		claim.workers = append(claim.workers, plan.Sender.WorkerID)
	}
	err = p.lost.inTx(ctx, p.pool, claim, func(tx pgx.Tx, q *db.Queries) error {
		is, err := current(ctx, q, plans)
		if err != nil {
			return err
		}
		saved = make([]Saved, len(plans))
		var keep []*planned
		var place []int // of each that is kept among the plans
		for n, plan := range plans {
			if saved[n].OK = is[n]; is[n] {
				keep, place = append(keep, plan), append(place, n)
			}
		}
		if len(keep) == 0 {
			return nil
		}
		if keep, err = p.countUp(ctx, q, keep); err != nil {
			return err
		}
		keep, opened, err := p.stopRunaways(ctx, q, keep)
		if err != nil {
			return err
		}
		written, err := writePlans(ctx, q, keep, claim)
		if err != nil {
			return err
		}
		for n, plan := range keep {
			plans[place[n]] = plan // what is told of it is what was written
			s := &saved[place[n]]
			s.Claimed, s.Opened, s.Written, s.Decisions = plan.claimed(written, claim.at), opened[n], plan.Deliveries, plan.Decisions
		}
		if err := p.leaveOut(ctx, q, plans, saved); err != nil {
			return err
		}
		if err := doubtPlans(ctx, q, keep); err != nil {
			return err
		}
		if jobs := deliverJobs(keep, claim.at); len(jobs) > 0 {
			if err := p.enqueue(ctx, tx, jobs); err != nil {
				return fmt.Errorf("enqueue deliver jobs: %w", err)
			}
		}
		return nil
	})
	if err == nil {
		p.tell(plans, saved)
	}
	return saved, err
}

// leaveOut takes back what the plans have claimed and would go to suppressed addresses only.
func (p *Planner) leaveOut(ctx context.Context, q *db.Queries, plans []*planned, saved []Saved) error {
	claimed, to := make([][]Claimed, len(saved)), make([]AddressesOf, len(saved))
	for n, s := range saved {
		claimed[n], to[n] = s.Claimed, plans[n].Sender.To
	}
	err := p.hashes.leaveOut(ctx, q, claimed, to)
	for n := range saved {
		saved[n].Claimed = claimed[n]
	}
	return err
}

// tell says what the plans changed.
func (p *Planner) tell(plans []*planned, saved []Saved) {
	for n, plan := range plans {
		if !saved[n].OK {
			continue
		}
		p.teller.tell(TopicConversations, plan.AccountID, plan.ConversationID)
		if len(plan.Tasks) > 0 {
			p.teller.tell(TopicTasks, plan.AccountID, plan.Tasks[0].ID)
		}
		if plan.toReview() {
			p.teller.tell(TopicReview, plan.AccountID, plan.ConversationID)
		}
	}
}

// toReview reports whether something in the plan waits for a person.
func (p *planned) toReview() bool {
	return slices.ContainsFunc(p.Decisions, func(d triggers.Decision) bool { return d.Review }) ||
		slices.ContainsFunc(p.Deliveries, func(d Delivery) bool { return d.State == Held })
}

// claimed are the deliveries that the plan's worker may send now: those it claims that were not planned before.
func (p *planned) claimed(written map[string]bool, at time.Time) (claimed []Claimed) {
	for _, d := range p.Deliveries {
		if p.sends(d, at) && written[d.ID] {
			claimed = append(claimed, Claimed{
				ID: d.ID, AccountID: p.AccountID, ConversationID: p.ConversationID, ExternalID: p.Sender.ExternalID,
				Automation: d.Automation, Action: d.Action, Channel: d.Channel, Attempt: 1, DeadlineAt: d.DeadlineAt,
				Test: d.Test, Content: d.Content, Contact: p.Sender.Contact, ClaimedAt: at,
			})
		}
	}
	return claimed
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

// deliverJobs asks for one job for each conversation and channel with something to send that the plan does not claim, at
// the time of the earliest.
func deliverJobs(plans []*planned, now time.Time) (jobs []DeliverJob) {
	for _, p := range plans {
		at := map[string]int{} // position in jobs, by channel
		for _, d := range p.Deliveries {
			if d.State != Planned || d.EndOf != "" || p.restored || p.sends(d, now) {
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
					AccountID: p.AccountID, ConversationID: p.ConversationID, Channel: d.Channel, At: due, Priority: p.Priority,
					Trace: p.Trace})
			} else if due.Before(jobs[n].At) {
				jobs[n].At = due
			}
		}
	}
	return jobs
}
