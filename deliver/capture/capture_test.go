package capture_test

import (
	"context"
	"testing"

	"aftercall/deliver"
	"aftercall/deliver/capture"
	"aftercall/deliver/delivertest"
)

type keeper delivertest.Take

func (k keeper) Keep(ctx context.Context, m deliver.Message) error { return k(ctx, m) }

func TestConforms(t *testing.T) {
	t.Parallel()
	delivertest.RunRows(t, func(take delivertest.Take) deliver.Channel { return capture.New(keeper(take)) })
}

func TestReceiptNamesCapture(t *testing.T) {
	t.Parallel()
	got, err := capture.New(keeper(func(context.Context, deliver.Message) error { return nil })).Send(t.Context(), delivertest.Message("d-1"))
	if want := (deliver.Receipt{Provider: "capture", ProviderID: "d-1"}); err != nil || got != want {
		t.Errorf("Send = %v, %v, want %v", got, err, want)
	}
}
