package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"aftercall/internal/store/db"
)

// PushSubscription is a browser of a person's that shows them alerts. One without an endpoint has what it would show captured.
type PushSubscription struct{ Endpoint, P256dh, Auth string }

// mostPushBrowsers is how many a person has; the oldest give way.
const mostPushBrowsers = 10

// personOf is an Actor's person as a column has them: NULL for a machine that signs in by itself.
func (a Actor) personOf() *string {
	if a.PersonID == "" {
		return nil
	}
	return &a.PersonID
}

// SubscribePush makes a browser show alerts to whoever asks. Another's it was until now it is no more.
func (s *Store) SubscribePush(ctx context.Context, by Actor, p PushSubscription) error {
	err := s.change(ctx, Act{By: by, What: ActPushOn, Target: by.PersonID}, func(q *db.Queries) error {
		if err := q.DropPushEndpoint(ctx, db.DropPushEndpointParams{Endpoint: p.Endpoint, PersonID: by.personOf()}); err != nil {
			return err
		}
		err := q.AddPushSubscription(ctx, db.AddPushSubscriptionParams{ID: newID(), PersonID: by.personOf(), Endpoint: p.Endpoint, P256dh: p.P256dh, Auth: p.Auth})
		if err != nil {
			return err
		}
		return q.DropOldestPushes(ctx, db.DropOldestPushesParams{PersonID: by.personOf(), Most: mostPushBrowsers})
	})
	if err != nil {
		return fmt.Errorf("subscribe a browser to alerts: %w", err)
	}
	return nil
}

// UnsubscribePush ends all that somebody has asked for.
func (s *Store) UnsubscribePush(ctx context.Context, by Actor) error {
	err := s.change(ctx, Act{By: by, What: ActPushOff, Target: by.PersonID}, func(q *db.Queries) error {
		_, err := q.DropPushesOf(ctx, by.personOf())
		return err
	})
	if err != nil {
		return fmt.Errorf("end somebody's pushes: %w", err)
	}
	return nil
}

// PushBrowsers counts somebody's browsers.
func (s *Store) PushBrowsers(ctx context.Context, by Actor) (int, error) {
	n, err := s.q.CountPushSubscriptions(ctx, by.personOf())
	if err != nil {
		return 0, fmt.Errorf("count somebody's browsers: %w", err)
	}
	return int(n), nil
}

// Push is an alert on its way to one browser.
type Push struct {
	SubscriptionID string
	PushSubscription
	Attempt int
	InFull  bool // its person sees numbers and addresses
}

// PushState is what became of a push.
type PushState string

// The states. One that was found half-done is unknown, and is not sent again.
const (
	PushSent     PushState = "sent"
	PushRetrying PushState = "retrying"
	PushFailed   PushState = "failed"
	PushUnknown  PushState = "unknown"
)

// PushOutcome is how one attempt went.
type PushOutcome struct {
	State  PushState
	Class  string
	Status int
	DueAt  time.Time // of one that is tried again
	Gone   bool      // the browser will never take anything any more
}

// DoubtPushes notes that whoever was sending an alert to browsers is gone.
func (s *Store) DoubtPushes(ctx context.Context, a Alert) (int, error) {
	n, err := s.q.DoubtPushes(ctx, db.DoubtPushesParams{AlertID: a.ID, AccountID: a.AccountID})
	if err != nil {
		return 0, fmt.Errorf("doubt pushes of alert %s: %w", a.ID, err)
	}
	return int(n), nil
}

// ClaimPushes takes an alert to some of the browsers it has not been sent to, before anything is sent. email is of the person in
// config that the alert is for. One that was posted before since is old.
func (s *Store) ClaimPushes(ctx context.Context, a Alert, email string, since, now time.Time, most int) (pushes []Push, err error) {
	rows, err := s.q.ClaimPushes(ctx, db.ClaimPushesParams{AlertID: a.ID, AccountID: a.AccountID, EmailKey: emailKey(email),
		PostedSince: since, At: now, Most: int32(most)})
	if err != nil {
		return nil, fmt.Errorf("claim pushes of alert %s: %w", a.ID, err)
	}
	for _, r := range rows {
		pushes = append(pushes, Push{SubscriptionID: r.SubscriptionID, Attempt: int(r.Attempt), InFull: r.InFull,
			PushSubscription: PushSubscription{Endpoint: r.Endpoint, P256dh: r.P256dh, Auth: r.Auth}})
	}
	return pushes, nil
}

// SettlePush keeps what became of one. A browser that is gone is forgotten.
func (s *Store) SettlePush(ctx context.Context, a Alert, p Push, o PushOutcome) error {
	err := inTx(ctx, s.pool, func(_ pgx.Tx, q *db.Queries) error {
		if o.Gone {
			if err := q.DropPushSubscription(ctx, p.SubscriptionID); err != nil {
				return err
			}
		}
		return q.SettlePush(ctx, db.SettlePushParams{AlertID: a.ID, SubscriptionID: p.SubscriptionID, AccountID: a.AccountID, Attempt: int32(p.Attempt),
			State: string(o.State), Class: clean(o.Class), Status: int32(o.Status), DueAt: o.DueAt})
	})
	if err != nil {
		return fmt.Errorf("settle a push of alert %s: %w", a.ID, err)
	}
	return nil
}

// NextPush says when the first push of an alert is due that is to be tried again.
func (s *Store) NextPush(ctx context.Context, a Alert) (at time.Time, ok bool, err error) {
	rows, err := s.q.NextPush(ctx, db.NextPushParams{AlertID: a.ID, AccountID: a.AccountID})
	if err != nil || len(rows) == 0 {
		return time.Time{}, false, err
	}
	return rows[0], true, nil
}

// PersonKey is the key under people: of whom an audience is; "" for everybody.
func (a Alert) PersonKey() string {
	key, _ := strings.CutPrefix(a.Audience, "person:")
	if a.Audience == everybody {
		return ""
	}
	return key
}
