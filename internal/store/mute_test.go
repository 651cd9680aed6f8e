package store_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"aftercall/internal/llm"
	"aftercall/internal/store"
	"aftercall/interview"
)

func TestMute(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	heard := make(chan struct{}, 16)
	go h.ListenActivations(t.Context(), func() { heard <- struct{}{} })
	<-heard // it listens
	until := time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)
	for _, bad := range []struct {
		until  time.Time
		reason string
	}{{time.Now().Add(-time.Second), "late"}, {until, " "}, {time.Now().Add(store.LongestMute + time.Hour), "for ever"}, {until, strings.Repeat("é", 201)}} {
		if err := h.Mute(t.Context(), operator(), "acme", "callback", bad.until, bad.reason); !errors.Is(err, store.ErrMute) {
			t.Errorf("%v %.9q: %v", bad.until, bad.reason, err)
		}
	}
	if err := h.Unmute(t.Context(), operator(), "acme", "callback"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("lifted what was not there: %v", err)
	}
	for _, why := range []string{"noise", " a bad question "} {
		if err := h.Mute(t.Context(), operator(), "acme", "callback", until, why); err != nil {
			t.Fatal(err)
		}
		<-heard
	}
	mutes, err := h.Mutes(t.Context(), "")
	if err != nil || len(mutes) != 1 || mutes[0].Reason != "a bad question" || mutes[0].By != operator().Name || !mutes[0].Until.Equal(until) {
		t.Errorf("%+v, %v", mutes, err)
	}
	if foreign, err := h.Within(store.Only("other")).Mutes(t.Context(), ""); err != nil || len(foreign) != 0 {
		t.Errorf("another account's reader sees %+v, %v", foreign, err)
	}
	if err := h.Unmute(t.Context(), operator(), "acme", "callback"); err != nil {
		t.Fatal(err)
	}
	<-heard
	if mutes, err := h.Mutes(t.Context(), "acme"); err != nil || len(mutes) != 0 {
		t.Errorf("%+v, %v", mutes, err)
	}
	if n := h.count(t, "audit_log WHERE act IN ('muted', 'unmuted') AND target = 'callback' AND person = $1", operator().Name); n != 3 {
		t.Errorf("%d acts, want 3", n)
	}
}

// TestTokensAreSharedOut among the automations that a sheet was for, so that the parts add up to what was used.
func TestTokensAreSharedOut(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	id := h.accept(t, h.arrival(phoneCall("a"))).ConversationID
	for n, of := range [][]string{{"callback", "complaint", "vip"}, {"callback"}, nil} {
		_, err := h.Record(t.Context(), interview.Call{AccountID: "acme", ConversationID: id, RevisionID: h.revision, Part: string(rune('a' + n)), Valid: true,
			Answer: []byte("{}"), For: of, Reply: llm.Reply{Model: "m", TokensIn: 1000, TokensCached: 500, TokensOut: 11}})
		if err != nil {
			t.Fatal(err)
		}
	}
	for automation, want := range map[string][3]int{
		"callback": {1334, 668, 16}, "complaint": {333, 166, 3}, "vip": {333, 166, 3}, "": {1000, 500, 11},
	} {
		var got [3]int
		err := h.Pool().QueryRow(t.Context(), `SELECT sum(tokens_in), sum(tokens_cached), sum(tokens_out) FROM token_hours
			WHERE account_id = 'acme' AND model = 'm' AND automation = $1`, automation).Scan(&got[0], &got[1], &got[2])
		if err != nil || got != want {
			t.Errorf("%q: %v, want %v; %v", automation, got, want, err)
		}
	}
}
