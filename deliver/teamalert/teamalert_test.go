package teamalert_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"aftercall/deliver"
	"aftercall/deliver/delivertest"
	"aftercall/deliver/teamalert"
)

// board takes alerts in memory; the store's own poster has its test on a database.
type board struct {
	mu     sync.Mutex
	all    []delivertest.Copy
	broken error
	then   func(context.Context) error // what it does when it has written a row; nil answers
}

func (s *board) PostAlert(ctx context.Context, m deliver.Message) error {
	if s.broken != nil {
		return s.broken
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	row := delivertest.Copy{Delivery: m.DeliveryID, Key: m.DeliveryID, Text: m.Text}
	if !slices.Contains(s.all, row) {
		s.all = append(s.all, row)
	}
	s.mu.Unlock()
	if s.then != nil {
		return s.then(ctx)
	}
	return nil
}

func (s *board) rows() []delivertest.Copy {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.all)
}

func TestConforms(t *testing.T) {
	t.Parallel()
	gone := errors.New(`insert "pat.canary@example.com": connection refused at 127.0.0.1`)
	delivertest.Run(t, func(_ *testing.T, s delivertest.Situation) delivertest.Rig {
		poster := &board{}
		switch s {
		case delivertest.Accepts:
		case delivertest.Failing, delivertest.Unreachable:
			poster.broken = gone
		case delivertest.Silent, delivertest.LateAnswer:
			poster.then = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		case delivertest.Cut:
			poster.then = func(context.Context) error { return gone }
		default:
			return delivertest.Rig{Impossible: "the message becomes a row of our own database, which takes it or fails"}
		}
		return delivertest.Rig{Channel: teamalert.New(poster), Once: true, Received: poster.rows}
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
