package store

import (
	"context"
	"fmt"
	"strings"
	"time"

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

// PostAlert writes an alert; the same delivery writes it once. Its audience is whom the message is for.
func (s *Store) PostAlert(ctx context.Context, m deliver.Message) error {
	audience := "all"
	if len(m.To) == 1 && m.To[0].Address != audience {
		audience = "person:" + clean(m.To[0].Address) // a teammate's address here is their key
	}
	id := newID()
	rows, err := s.q.PostAlert(ctx, db.PostAlertParams{ID: id, AccountID: m.AccountID, DeliveryID: m.DeliveryID,
		Audience: audience, Text: clean(m.Text)})
	if err == nil && rows == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("post the alert of delivery %s: %w", m.DeliveryID, err)
	}
	s.teller.tell(TopicAlerts, m.AccountID, id)
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
			alerts = append(alerts, Alert{ID: row.ID, AccountID: row.AccountID, DeliveryID: row.DeliveryID,
				ConversationID: row.ConversationID, Automation: row.Automation, Audience: row.Audience, Text: row.Text,
				CreatedAt: row.CreatedAt})
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
		Attempt: int32(m.Attempt), ExternalID: clean(m.ConversationID), Recipients: clean(receivers(m)),
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
