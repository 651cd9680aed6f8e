package store_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"aftercall/deliver"
	"aftercall/internal/store"
)

// doubted loses the answer to a claim of so many deliveries, and lets a sweep doubt them.
func (h *house) doubted(t *testing.T, line *line, mails int) *store.Plan {
	t.Helper()
	h.beat(t, "w1")
	p := h.decided(t, "c1", mails)
	line.loseNextCommit()
	if _, err := h.Claim(t.Context(), p.ConversationID, deliver.Email, "w1", time.Now(), nil); !store.Away(err) {
		t.Fatalf("%v, want the database away", err)
	}
	unknown := 0
	for deadline := time.Now().Add(20 * time.Second); unknown == 0 && time.Now().Before(deadline); {
		h.kill(t, "w1") // the lost commit may still be under way
		unknown = h.sweep(t).Unknown
		h.beat(t, "w1")
	}
	if unknown != mails {
		t.Fatalf("%d doubted, want %d", unknown, mails)
	}
	return p
}

// sendAll claims what can be claimed and sends it, and says how often each message went out.
func (h *house) sendAll(t *testing.T, conversationID string) map[string]int {
	t.Helper()
	sent := map[string]int{}
	for _, c := range h.claim(t, conversationID, "w1") {
		h.record(t, outcome(c, "w1", store.Sent))
		sent[c.ID]++
	}
	return sent
}

// TestWhatAPersonSettledIsNotGivenBack: a worker's late word that nothing was sent under its claim does not undo what a person
// has said of the doubt since, nor send a message again that a person has sent again.
func TestWhatAPersonSettledIsNotGivenBack(t *testing.T) {
	t.Parallel()
	h, line := openBehind(t)
	p := h.doubted(t, line, 4)
	settled, failed, resent, open := p.Deliveries[0].ID, p.Deliveries[1].ID, p.Deliveries[2].ID, p.Deliveries[3].ID
	now := time.Now()
	again, err := h.ResendDelivery(t.Context(), somebody(), "acme", resent, now, anHour, h.enqueueDelivers)
	if err := errors.Join(err, h.SettleDelivery(t.Context(), somebody(), "acme", settled, store.Sent),
		h.SettleDelivery(t.Context(), somebody(), "acme", failed, store.Failed)); err != nil {
		t.Fatal(err)
	}
	if back, err := h.GiveBack(t.Context(), h.enqueueDelivers); back != 1 || err != nil {
		t.Fatalf("%d went back, want the one that nobody has settled: %v", back, err)
	}
	h.balanced(t)
	if sent := h.sendAll(t, p.ConversationID); len(sent) != 2 || sent[again] != 1 || sent[open] != 1 {
		t.Errorf("sent %v, want the resend %s and the one given back %s", sent, again, open)
	}
	want := map[string]store.DeliveryState{settled: store.Sent, failed: store.Failed, resent: store.Unknown, again: store.Sent, open: store.Sent}
	for _, d := range h.story(t, p.ConversationID).Deliveries {
		if d.State != want[d.ID] {
			t.Errorf("%s is %s, want %s", d.ID, d.State, want[d.ID])
		}
	}
	if back, err := h.GiveBack(t.Context(), h.enqueueDelivers); back != 0 || err != nil {
		t.Errorf("%d went back later: %v", back, err)
	}
	h.balanced(t)
}

// TestAPersonAndAClaimGivenBackTakeTurns: of each message either the person's word counts or the worker's, never both, and it
// goes out once.
func TestAPersonAndAClaimGivenBackTakeTurns(t *testing.T) {
	t.Parallel()
	h, line := openBehind(t)
	p := h.doubted(t, line, 12)
	now := time.Now()
	var all sync.WaitGroup
	errs := make([]error, len(p.Deliveries))
	for n, d := range p.Deliveries {
		all.Go(func() {
			if n%2 == 0 {
				errs[n] = h.SettleDelivery(t.Context(), somebody(), "acme", d.ID, store.Sent)
			} else {
				_, errs[n] = h.ResendDelivery(t.Context(), somebody(), "acme", d.ID, now, anHour, h.enqueueDelivers)
			}
		})
	}
	back := 0
	all.Go(func() {
		n, err := h.GiveBack(t.Context(), h.enqueueDelivers)
		if back = n; err != nil {
			t.Error(err)
		}
	})
	all.Wait()
	done, resends := 0, 0
	for n, err := range errs {
		var refused *store.Refused
		switch {
		case err == nil:
			done++
			resends += n % 2
		case !errors.As(err, &refused):
			t.Error(err)
		}
	}
	if done+back != len(p.Deliveries) {
		t.Errorf("a person did %d and %d went back, of %d", done, back, len(p.Deliveries))
	}
	h.balanced(t)
	if sent := h.sendAll(t, p.ConversationID); len(sent) != back+resends {
		t.Errorf("%d went out, want the %d given back and %d resends", len(sent), back, resends)
	}
	h.balanced(t)
}
