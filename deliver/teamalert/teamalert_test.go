package teamalert_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"aftercall/deliver"
	"aftercall/deliver/delivertest"
	"aftercall/deliver/teamalert"
)

// board takes alerts in memory; the store's own poster has its test on a database.
type board struct {
	mu     sync.Mutex
	ids    []string
	broken error
}

func (s *board) PostAlert(ctx context.Context, m deliver.Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return s.broken
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s.ids = append(s.ids, m.DeliveryID)
	return nil
}

func TestConforms(t *testing.T) {
	t.Parallel()
	delivertest.Run(t, func(_ *testing.T, s delivertest.Situation) (delivertest.Rig, bool) {
		poster := &board{}
		switch s {
		case delivertest.Accepts:
		case delivertest.Failing, delivertest.Unreachable:
			poster.broken = errors.New(`insert "pat.canary@example.com": connection refused at 127.0.0.1`)
		default:
			return delivertest.Rig{}, false
		}
		return delivertest.Rig{Channel: teamalert.New(poster), Received: func() []string { return poster.ids }}, true
	})
}

func TestReceiptNamesTeamAlert(t *testing.T) {
	t.Parallel()
	got, err := teamalert.New(&board{}).Send(t.Context(), delivertest.Message("d-1"))
	if want := (deliver.Receipt{Provider: "team_alert", ProviderID: "d-1"}); err != nil || got != want {
		t.Errorf("Send = %v, %v, want %v", got, err, want)
	}
}

func TestAnAlertWithoutWordsIsRefused(t *testing.T) {
	t.Parallel()
	m := delivertest.Message("d-1")
	m.Text = " \n"
	_, err := teamalert.New(&board{}).Send(t.Context(), m)
	if e := deliver.AsError(err); err == nil || e.Verdict != deliver.Refused {
		t.Errorf("Send: %v, want it refused", err)
	}
}
