package api_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"aftercall/automation"
	"aftercall/conversation"
	"aftercall/internal/store"
)

// erases takes one call away by its id, and then everything of the customer, and looks that nothing is left.
func (h *house) erases() {
	h.Helper()
	h.call("call-3", h.key)
	one := map[string]any{"conversations": []string{"call-3"}}
	count := h.ask("POST", "/v1/erasures/count", h.key, one).want(200)
	if count.said["conversations"] != 1.0 || count.said["events"] != 1.0 || count.said["decisions"] != 4.0 || count.said["waiting"] == 0.0 {
		h.Errorf("what there is of a call: %s", count.raw)
	}
	made := h.ask("POST", "/v1/erasures", h.key, one, "Idempotency-Key", "gone").want(202)
	if again := h.ask("POST", "/v1/erasures", h.key, one, "Idempotency-Key", "gone"); again.raw != made.raw || again.status != 202 {
		h.Errorf("asked again: %d %s", again.status, again.raw)
	}
	if done := h.gone(made.text("erasure_id")); done.said["found"] != 1.0 || done.said["conversations"] != 1.0 || done.text("cause") != "conversation" {
		h.Errorf("the erasure: %s", done.raw)
	}
	h.ask("GET", "/v1/conversations/call-3", h.key, nil).want(404)
	everything := map[string]any{"customer": "0044 (7700) 900-123"}
	if count := h.ask("POST", "/v1/erasures/count", h.key, everything).want(200); count.said["conversations"] != 2.0 {
		h.Errorf("what there is of the customer: %s", count.raw)
	}
	done := h.gone(h.ask("POST", "/v1/erasures", h.key, everything).want(202).text("erasure_id"))
	if done.said["conversations"] != 2.0 || done.text("cause") != "customer" || !strings.HasPrefix(done.text("by"), "API key ac_") {
		h.Errorf("the erasure of the customer: %s", done.raw)
	}
	if list := h.ask("GET", "/v1/conversations", h.key, nil); len(list.items()) != 0 || len(h.ask("GET", "/v1/erasures", h.key, nil).items()) != 2 {
		h.Errorf("left is %s", list.raw)
	}
	if n := h.acts(store.ActErased); n != 2 {
		h.Errorf("the audit log has %d lines of it", n)
	}
	var kept int
	h.must(h.store.Pool().QueryRow(h.Context(), `SELECT count(*) FROM erasures AS e WHERE e.wish IS NOT NULL`).Scan(&kept))
	if kept != 0 {
		h.Errorf("%d erasures still say what was to be erased", kept)
	}
}

// gone waits until a worker has erased, and reads the erasure.
func (h *house) gone(id string) answer {
	h.Helper()
	ctx, cancel := context.WithTimeout(h.Context(), time.Minute)
	defer cancel()
	for {
		e, err := h.store.Erasure(ctx, id)
		if err != nil {
			h.Fatalf("the erasure does not end: %v", err)
		}
		if !e.Waits {
			return h.ask("GET", "/v1/erasures/"+id, h.key, nil).want(200)
		}
	}
}

// erased is an erasure of nothing in an account.
func (h *house) erased(account string) string {
	h.Helper()
	e, err := h.store.BeginErasure(h.Context(), store.Actor{Name: "test"}, account, store.CauseCustomer)
	h.must(err)
	h.must(h.store.FinishErasure(h.Context(), e))
	return e.ID
}

// TestNobodyIsErasedByMistake: what does not name exactly one customer, or calls that are there, erases nothing.
// TestACallThatHasNotComeInIsErasedWithItsEvents, all of them.
func TestACallThatHasNotComeInIsErasedWithItsEvents(t *testing.T) {
	t.Parallel()
	h := open(t)
	now := time.Now()
	for _, identity := range []string{"e-1", "e-2", "e-3"} {
		_, err := h.posted.Accept(t.Context(), store.Arrival{
			Event: store.Event{AccountID: "acme", Source: automation.SourceAPI, Identity: identity, Type: "call.missed", Body: []byte("{}"), ReceivedAt: now},
			Conversation: &conversation.Conversation{ExternalID: conversation.EventID + identity, Event: &conversation.Event{Type: "call.missed", Call: "goes-on"},
				StartedAt: now, EndedAt: now, Turns: []conversation.Turn{}},
			About: "goes-on", RevisionID: h.active["acme"], DecideAt: now, Final: true,
		})
		h.must(err)
	}
	wish := map[string]any{"conversations": []string{"goes-on"}}
	if count := h.ask("POST", "/v1/erasures/count", h.key, wish).want(200); count.said["conversations"] != 3.0 {
		t.Errorf("what there is of it: %s", count.raw)
	}
	if done := h.gone(h.ask("POST", "/v1/erasures", h.key, wish).want(202).text("erasure_id")); done.said["conversations"] != 3.0 {
		t.Errorf("the erasure: %s", done.raw)
	}
}

func TestNobodyIsErasedByMistake(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.call("call-1", h.key)
	h.call("call-u", h.other)
	many := make([]string, 201)
	for name, tried := range map[string]struct {
		wish map[string]any
		says string
	}{
		"nothing": {map[string]any{}, "Name either"}, "both": {map[string]any{"conversations": []string{"call-1"}, "customer": "+447700900123"}, "Name either"},
		"no country code": {map[string]any{"customer": "07700 900123"}, "no country code"}, "a name": {map[string]any{"customer": "Pat Canary"}, "phone number or an e-mail"},
		"another account's": {map[string]any{"conversations": []string{"call-1", "call-u"}}, "/conversations/1"}, "too many": {map[string]any{"conversations": many}, "200"},
	} {
		for _, path := range []string{"/v1/erasures", "/v1/erasures/count"} {
			if a := h.ask("POST", path, h.key, tried.wish).want(400); !strings.Contains(a.raw, tried.says) || strings.Contains(a.raw, "Canary") {
				t.Errorf("%s: %s", name, a.raw)
			}
		}
	}
	if a := h.ask("POST", "/v1/erasures", h.newKey("acme", store.ScopeRead, store.ScopeOperate), map[string]any{"customer": "+447700900123"}); a.status != http.StatusForbidden {
		t.Errorf("a key that may not: %d", a.status)
	}
	if list := h.ask("GET", "/v1/erasures", h.key, nil); len(list.items()) != 0 {
		t.Errorf("something was erased: %s", list.raw)
	}
	h.ask("GET", "/v1/conversations/call-1", h.key, nil).want(200)
}
