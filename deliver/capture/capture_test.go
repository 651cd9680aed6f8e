package capture_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"aftercall/deliver"
	"aftercall/deliver/capture"
	"aftercall/deliver/delivertest"
)

// shelf keeps messages in memory; the store's own keeper has its test on a database.
type shelf struct {
	mu     sync.Mutex
	ids    []string
	broken error
}

func (s *shelf) Keep(ctx context.Context, m deliver.Message) error {
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
		keeper := &shelf{}
		switch s {
		case delivertest.Accepts:
		case delivertest.Failing, delivertest.Unreachable:
			keeper.broken = errors.New(`insert "pat.canary@example.com": connection refused at 127.0.0.1`)
		default:
			return delivertest.Rig{}, false
		}
		return delivertest.Rig{Channel: capture.New(keeper), Received: func() []string { return keeper.ids }}, true
	})
}

func TestReceiptNamesCapture(t *testing.T) {
	t.Parallel()
	got, err := capture.New(&shelf{}).Send(t.Context(), delivertest.Message("d-1"))
	if want := (deliver.Receipt{Provider: "capture", ProviderID: "d-1"}); err != nil || got != want {
		t.Errorf("Send = %v, %v, want %v", got, err, want)
	}
}
