package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"aftercall/internal/store/db"
)

// Mute keeps an automation from being evaluated for a while.
type Mute struct {
	AccountID, Automation string
	Until                 time.Time
	Reason                string
	By                    string
	At                    time.Time
}

// Bounds of a mute: what is to be silent for good is switched off in its file.
const (
	LongestMute       = 90 * 24 * time.Hour
	LongestMuteReason = 200 // characters
)

// ErrMute refuses a mute without a reason, or without an end within LongestMute.
var ErrMute = errors.New("a mute needs a reason of at most 200 characters and an end within 90 days")

// Mute mutes an automation until then, instead of whatever mute it has. Every process is told, and hears of it within
// seconds.
func (s *Store) Mute(ctx context.Context, by Actor, accountID, automation string, until time.Time, reason string) error {
	reason = strings.TrimSpace(clean(reason))
	if left := time.Until(until); left <= 0 || left > LongestMute || reason == "" || utf8.RuneCountInString(reason) > LongestMuteReason {
		return fmt.Errorf("mute automation %s: %w", automation, ErrMute)
	}
	act := Act{AccountID: accountID, By: by, What: ActMuted, Target: automation,
		Detail: map[string]string{"until": until.UTC().Format(time.RFC3339), "reason": reason}}
	err := s.change(ctx, act, func(q *db.Queries) error {
		return errors.Join(
			q.SetMute(ctx, db.SetMuteParams{AccountID: accountID, Automation: clean(automation), Until: until, Reason: reason, MutedBy: clean(by.Name)}),
			q.AnnounceActivation(ctx, accountID))
	})
	if err != nil {
		return fmt.Errorf("mute automation %s: %w", automation, err)
	}
	return nil
}

// Unmute lifts a mute; ErrNotFound if there is none.
func (s *Store) Unmute(ctx context.Context, by Actor, accountID, automation string) error {
	err := s.change(ctx, Act{AccountID: accountID, By: by, What: ActUnmuted, Target: automation}, func(q *db.Queries) error {
		n, err := q.DropMute(ctx, db.DropMuteParams{AccountID: accountID, Automation: automation})
		switch {
		case err != nil:
			return err
		case n == 0:
			return ErrNotFound
		}
		return q.AnnounceActivation(ctx, accountID)
	})
	if err != nil {
		return fmt.Errorf("unmute automation %s: %w", automation, err)
	}
	return nil
}

// Mutes lists the mutes that hold: of one account or, for "", of all that may be seen.
func (r *Reader) Mutes(ctx context.Context, accountID string) (mutes []Mute, err error) {
	within := r.within.Narrow(accountID)
	err = r.read(ctx, func(q *db.Queries) error {
		rows, err := q.ListMutes(ctx, db.ListMutesParams{Every: within.every, AccountIds: within.list()})
		for _, row := range rows {
			mutes = append(mutes, Mute{AccountID: row.AccountID, Automation: row.Automation, Until: row.Until, Reason: row.Reason,
				By: row.MutedBy, At: row.MutedAt})
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list mutes: %w", err)
	}
	return mutes, nil
}
