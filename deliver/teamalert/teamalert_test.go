package teamalert_test

import (
	"context"
	"testing"

	"aftercall/deliver"
	"aftercall/deliver/delivertest"
	"aftercall/deliver/teamalert"
)

type poster delivertest.Take

func (p poster) PostAlert(ctx context.Context, m deliver.Message) error { return p(ctx, m) }

// anything takes every alert.
func anything(context.Context, deliver.Message) error { return nil }

func TestConforms(t *testing.T) {
	t.Parallel()
	delivertest.RunRows(t, func(take delivertest.Take) deliver.Channel { return teamalert.New(poster(take)) })
}

func TestReceiptNamesTeamAlert(t *testing.T) {
	t.Parallel()
	got, err := teamalert.New(poster(anything)).Send(t.Context(), delivertest.Message("d-1"))
	if want := (deliver.Receipt{Provider: "team_alert", ProviderID: "d-1"}); err != nil || got != want {
		t.Errorf("Send = %v, %v, want %v", got, err, want)
	}
}

func TestAnAlertWithoutWordsIsRefused(t *testing.T) {
	t.Parallel()
	m := delivertest.Message("d-1")
	m.Text = " \n"
	_, err := teamalert.New(poster(anything)).Send(t.Context(), m)
	if e := deliver.AsError(err); err == nil || e.Verdict != deliver.Refused {
		t.Errorf("Send: %v, want it refused", err)
	}
}
