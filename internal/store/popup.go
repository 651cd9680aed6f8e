package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"aftercall/deliver"
	"aftercall/internal/store/db"
)

// PopUp is a message on its way to an agent's softphone.
type PopUp struct {
	Seq                                                int64 // of the agent's pop-ups, a later one has a greater one
	DeliveryID, ConversationID, ExternalID, Automation string
	Event, Point                                       string // the type of the event it is of, and where in the call that was; "" if of a finished call
	Text                                               string
	Taken                                              bool // a softphone has it
	Until, CreatedAt                                   time.Time
}

// AgentAudience is how a Teammate's keys name an agent whose softphone listens.
func AgentAudience(agent string) string { return "agent:" + agent }

// PostPopUp puts a message where the softphones of an agent find it, until its delivery's deadline; the same delivery is put there
// once. It gives how long it lasts, and whether a softphone has taken it.
func (s *Store) PostPopUp(ctx context.Context, m deliver.Message, agent string, now time.Time) (until time.Time, taken bool, err error) {
	agent = clean(agent)
	var posted db.PostPopUpRow
	err = inTx(ctx, s.pool, func(_ pgx.Tx, q *db.Queries) error {
		if err := q.LockAgent(ctx, db.LockAgentParams{AccountID: m.AccountID, Agent: agent}); err != nil {
			return err
		}
		posted, err = q.PostPopUp(ctx, db.PostPopUpParams{AccountID: m.AccountID, DeliveryID: m.DeliveryID, Agent: agent, Now: now})
		return found(err)
	})
	if err != nil {
		return time.Time{}, false, fmt.Errorf("post the pop-up of delivery %s: %w", m.DeliveryID, err)
	}
	s.teller.note(Change{Topic: TopicPopUps, AccountID: m.AccountID, Audience: AgentAudience(agent), ID: m.DeliveryID})
	s.teller.tell(TopicDeliveries, m.AccountID, m.DeliveryID) // for pages, which are of no agent
	return posted.Until, posted.Taken, nil
}

// PopUpTaken reports whether a softphone has taken a delivery's pop-up.
func (s *Store) PopUpTaken(ctx context.Context, m deliver.Message) (bool, error) {
	taken, err := s.q.PopUpTaken(ctx, db.PopUpTakenParams{DeliveryID: m.DeliveryID, AccountID: m.AccountID})
	if err != nil {
		return false, fmt.Errorf("look for the pop-up of delivery %s: %w", m.DeliveryID, found(err))
	}
	return taken, nil
}

// mostPopUps is how many of an agent's pop-ups are looked for at once.
const mostPopUps = 100

// PopUps are those of an agent that last at a time, after one of them, the oldest first. They are not taken by that.
func (r *Reader) PopUps(ctx context.Context, accountID, agent string, after int64, now time.Time) (all []PopUp, err error) {
	if !r.within.Has(accountID) {
		return nil, fmt.Errorf("list pop-ups: %w", ErrNotFound)
	}
	err = r.read(ctx, func(q *db.Queries) error {
		rows, err := q.ShownPopUps(ctx, db.ShownPopUpsParams{AccountID: accountID, Agent: clean(agent), After: after, Now: now, Most: mostPopUps})
		for _, row := range rows {
			p := PopUp{Seq: row.Seq, DeliveryID: row.DeliveryID, ConversationID: row.ConversationID, ExternalID: row.ExternalID, Automation: row.Automation, Event: row.Event, Point: row.Point,
				Until: row.Until, CreatedAt: row.CreatedAt, Taken: row.Taken}
			var content Content
			if err := json.Unmarshal(row.Content, &content); err != nil {
				return fmt.Errorf("decode delivery %s: %w", row.DeliveryID, err)
			}
			p.Text = content.Text
			all = append(all, p)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list pop-ups: %w", err)
	}
	return all, nil
}

// softphone is the provider that takes pop-ups.
const softphone = "softphone"

// TakePopUps says that a softphone of an agent has these. It counts as any provider's report: what waited for a softphone, or is in
// doubt, is sent by that, and what is under way is as soon as its worker's receipt is there, whatever that worker saw last.
func (s *Store) TakePopUps(ctx context.Context, accountID, agent string, taken []PopUp, now time.Time) error {
	var ids []string
	for _, p := range taken {
		if !p.Taken {
			ids = append(ids, p.DeliveryID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	var sent []db.TakeReportsRow
	err := inTx(ctx, s.pool, func(_ pgx.Tx, q *db.Queries) error {
		if err := q.LockReported(ctx, ids); err != nil { // before the pop-ups, as whoever erases a call
			return err
		}
		fresh, err := q.TakePopUps(ctx, db.TakePopUpsParams{AccountID: accountID, Agent: clean(agent), DeliveryIds: ids, Now: now})
		if err != nil || len(fresh) == 0 {
			return err
		}
		reports := map[string]deliver.Report{}
		for _, id := range fresh {
			reports[id] = deliver.Report{AccountID: accountID, DeliveryID: id, Provider: softphone, ProviderID: id, Fact: deliver.Taken, At: now}
		}
		sent, err = takeReports(ctx, q, reports)
		return err
	})
	if err != nil {
		return fmt.Errorf("take pop-ups: %w", err)
	}
	for _, d := range sent {
		s.teller.tell(TopicDeliveries, accountID, d.ID)
	}
	return nil
}
