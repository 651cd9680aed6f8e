package capture_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"aftercall/deliver"
	"aftercall/deliver/capture"
	"aftercall/deliver/delivertest"
)

// shelf keeps messages in memory; the store's own keeper has its test on a database.
type shelf struct {
	mu     sync.Mutex
	all    []delivertest.Copy
	broken error
	then   func(context.Context) error // what it does when it has written a row; nil answers
}

func (s *shelf) Keep(ctx context.Context, m deliver.Message) error {
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

func (s *shelf) rows() []delivertest.Copy {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.all)
}

func TestConforms(t *testing.T) {
	t.Parallel()
	gone := errors.New(`insert "pat.canary@example.com": connection refused at 127.0.0.1`)
	delivertest.Run(t, func(_ *testing.T, s delivertest.Situation) delivertest.Rig {
		keeper := &shelf{}
		switch s {
		case delivertest.Accepts:
		case delivertest.Failing, delivertest.Unreachable:
			keeper.broken = gone
		case delivertest.Silent, delivertest.LateAnswer:
			keeper.then = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		case delivertest.Cut:
			keeper.then = func(context.Context) error { return gone }
		default:
			return delivertest.Rig{Impossible: "the message becomes a row of our own database, which takes it or fails"}
		}
		return delivertest.Rig{Channel: capture.New(keeper), Once: true, Received: keeper.rows}
	})
}

func TestReceiptNamesCapture(t *testing.T) {
	t.Parallel()
	got, err := capture.New(&shelf{}).Send(t.Context(), delivertest.Message("d-1"))
	if want := (deliver.Receipt{Provider: "capture", ProviderID: "d-1"}); err != nil || got != want {
		t.Errorf("Send = %v, %v, want %v", got, err, want)
	}
}
