package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"aftercall/deliver"
	"aftercall/internal/store/db"
)

// Alert is an in-app message to the team.
type Alert struct {
	ID, AccountID, DeliveryID, ConversationID, Automation string
	Audience                                              string // "all", or "person:" and a key
	Text                                                  string
	CreatedAt                                             time.Time
}

// Poster posts alerts.
type Poster struct {
	store *Store
	push  func(ctx context.Context, tx pgx.Tx, a Alert) error
}

// NewPoster returns a Poster. push is called in the transaction that posts an alert, if anybody asks for alerts on a screen; nil:
// nothing is pushed.
func (s *Store) NewPoster(push func(ctx context.Context, tx pgx.Tx, a Alert) error) *Poster {
	return &Poster{store: s, push: push}
}

// PostAlert writes an alert, and pushes it nowhere.
func (s *Store) PostAlert(ctx context.Context, m deliver.Message) error {
	return s.NewPoster(nil).PostAlert(ctx, m)
}

// PostAlert writes an alert; the same delivery writes it once. Its audience is whom the message is for.
func (p *Poster) PostAlert(ctx context.Context, m deliver.Message) error {
	audience := everybody
	if len(m.To) == 1 && m.To[0].Address != audience {
		audience = "person:" + clean(m.To[0].Address) // a teammate's address here is their key
	}
	a := Alert{AccountID: m.AccountID, Audience: audience}
	err := inTx(ctx, p.store.pool, func(tx pgx.Tx, q *db.Queries) error {
		row, err := q.PostAlert(ctx, db.PostAlertParams{ID: newID(), AccountID: m.AccountID, DeliveryID: m.DeliveryID,
			Audience: audience, Text: clean(m.Text)})
		if err != nil {
			return found(err)
		}
		if a.ID, a.ConversationID = row.ID, row.ConversationID; row.Pushed && p.push != nil {
			return p.push(ctx, tx, a)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("post the alert of delivery %s: %w", m.DeliveryID, err)
	}
	p.store.teller.note(Change{Topic: TopicAlerts, AccountID: m.AccountID, Audience: audience, ID: a.ID})
	return nil
}

// Alerts lists the newest alerts of an account.
func (r *Reader) Alerts(ctx context.Context, accountID string, limit int) (alerts []Alert, err error) {
	if !r.within.Has(accountID) {
		return nil, fmt.Errorf("list alerts: %w", ErrNotFound)
	}
	err = r.read(ctx, func(q *db.Queries) error {
		rows, err := q.ListAlerts(ctx, db.ListAlertsParams{AccountID: accountID, Most: int32(pageSize(limit))})
		for _, row := range rows {
			alerts = append(alerts, alertOf(row))
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list alerts: %w", err)
	}
	return alerts, nil
}

// Keep writes a captured message; the same delivery and attempt writes it once.
func (s *Store) Keep(ctx context.Context, m deliver.Message) error {
	fields := m.Fields
	if fields == nil {
		fields = map[string]string{}
	}
	encoded, err := encode(fields)
	if err != nil {
		return fmt.Errorf("keep the message of delivery %s: %w", m.DeliveryID, err)
	}
	rows, err := s.q.KeepMessage(ctx, db.KeepMessageParams{ID: newID(), AccountID: m.AccountID, DeliveryID: m.DeliveryID,
		Attempt: int32(m.Attempt), Channel: clean(m.Channel), ExternalID: clean(m.ConversationID), Recipients: clean(receivers(m)),
		Subject: clean(m.Subject), Text: clean(m.Text), Html: clean(m.HTML), Fields: encoded, Test: m.Test})
	if err == nil && rows == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("keep the message of delivery %s: %w", m.DeliveryID, err)
	}
	return nil
}

// receivers is everybody the message would have gone to, as one line.
func receivers(m deliver.Message) string {
	var all []string
	for _, a := range m.To {
		all = append(all, a.Address)
	}
	for _, a := range m.CC {
		all = append(all, "cc "+a.Address)
	}
	return strings.Join(all, ", ")
}
