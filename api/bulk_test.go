package api_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"aftercall/internal/store"
)

// silences mutes an automation and lets it go on; closes a breaker; and looks what the list says each time.
func (h *house) silences() {
	h.Helper()
	at := func(id, act string) string { return "/v1/automations/" + id + "/" + act }
	until := time.Now().Add(2 * time.Hour).UTC().Truncate(time.Second)
	wish := map[string]any{"until": until, "reason": "It asks twice."}
	for name, wrong := range map[string]map[string]any{
		"no end": {"reason": "x"}, "an end that was": {"reason": "x", "until": until.AddDate(0, 0, -1)}, "no reason": {"reason": " ", "until": until},
		"for good": {"reason": "x", "until": until.AddDate(1, 0, 0)}, "too long a reason": {"reason": strings.Repeat("x", 201), "until": until},
	} {
		if a := h.ask("POST", at("callback", "mute"), h.key, wrong); a.status != 400 {
			h.Errorf("a mute with %s: %d %s", name, a.status, a.raw)
		}
	}
	h.ask("POST", at("nothing", "mute"), h.key, wish).want(404)
	h.ask("POST", at("callback", "mute"), h.key, wish, "Idempotency-Key", "hush").want(200)
	h.ask("POST", at("callback", "mute"), h.key, wish, "Idempotency-Key", "hush").want(200)
	list := h.ask("GET", "/v1/mutes", h.key, nil).want(200)
	if list.text("items", "0", "automation") != "callback" || list.text("items", "0", "reason") != "It asks twice." || list.text("items", "0", "until") != until.Format(time.RFC3339) ||
		!strings.HasPrefix(list.text("items", "0", "by"), "API key ac_") {
		h.Errorf("the mutes: %s", list.raw)
	}
	if told := h.automation("callback"); told["mute"] == nil || told["unsure"] != 2.0 {
		h.Errorf("the automation that is muted: %v", told)
	}
	for range 2 { // twice is once
		h.ask("POST", at("callback", "unmute"), h.key, nil).want(200)
	}
	h.ask("POST", at("nothing", "unmute"), h.key, nil).want(404)
	if told, of := h.automation("callback"), h.ask("GET", "/v1/mutes", h.other, nil); told["mute"] != nil || len(of.items()) != 0 {
		h.Errorf("after the mute: %v, and of another account %s", told, of.raw)
	}
	if b, _ := h.automation("capped")["breaker"].(map[string]any); b == nil || b["open"] != true {
		h.Errorf("the breaker: %v", b)
	}
	for range 2 {
		h.ask("POST", at("capped", "close"), h.key, nil).want(200)
	}
	if told := h.automation("capped"); told["breaker"] != nil {
		h.Errorf("after the breaker: %v", told)
	}
	h.ask("POST", at("nothing", "close"), h.key, nil).want(404)
	if n := h.acts(store.ActMuted) + 10*h.acts(store.ActUnmuted) + 100*h.acts(store.ActBreakerClosed); n != 111 {
		h.Errorf("the audit log has %d lines (closed, unmuted, muted)", n)
	}
}

// automation is one of the list.
func (h *house) automation(id string) map[string]any {
	h.Helper()
	for _, item := range h.ask("GET", "/v1/automations", h.key, nil).want(200).items() {
		if one := item.(map[string]any); one["id"] == id {
			return one
		}
	}
	h.Fatalf("there is no automation %s", id)
	return nil
}

// acts counts the lines of the audit log that a key wrote.
func (h *house) acts(what store.Deed) (n int) {
	h.Helper()
	acts, _, err := h.store.Acts(h.Context(), "acme", "", 200)
	h.must(err)
	for _, a := range acts {
		if a.What == what && strings.HasPrefix(a.By.Name, "API key ac_") {
			n++
		}
	}
	return n
}

// lately is a bulk job's request, of everything of these tests.
func lately(action, state string) map[string]any {
	now := time.Now().UTC()
	return map[string]any{"action": action, "filter": map[string]any{"since": now.Add(-time.Hour), "until": now.Add(time.Hour), "state": state}}
}

// inBulk counts what a filter finds, does it, and reads what became of each item.
func (h *house) inBulk() {
	h.Helper()
	count := h.ask("POST", "/v1/bulk/count", h.key, lately("settle_failed", "")).want(200)
	if count.said["count"] != 1.0 || !strings.Contains(count.text("says"), "settle_failed: state unknown, deliveries planned from") {
		h.Errorf("one is unknown: %s", count.raw)
	}
	for domain, n := range map[string]float64{"@ACME.example": 1, "elsewhere.example": 0} {
		narrowed := lately("settle_failed", "")
		narrowed["filter"].(map[string]any)["domain"] = domain
		if a := h.ask("POST", "/v1/bulk/count", h.key, narrowed).want(200); a.said["count"] != n || !strings.Contains(a.text("says"), "domain "+a.text("request", "filter", "domain")) {
			h.Errorf("unknown, to %s: %s", domain, a.raw)
		}
	}
	wish := count.said["request"]
	job := h.ask("POST", "/v1/bulk", h.key, wish, "Idempotency-Key", "all").want(202)
	again := h.ask("POST", "/v1/bulk", h.key, wish, "Idempotency-Key", "all").want(202)
	path := "/v1/bulk/" + job.text("bulk_id")
	if again.raw != job.raw || len(h.ask("GET", "/v1/bulk", h.key, nil).items()) != 1 {
		h.Errorf("asked for twice under one Idempotency-Key: %s and %s", job.raw, again.raw)
	}
	ended := h.ended(job.text("bulk_id"))
	if ended.text("state") != "done" || ended.said["done"] != 1.0 || ended.said["counted"] != 1.0 {
		h.Errorf("the job: %s", ended.raw)
	}
	items := h.ask("GET", path+"/items?limit=1", h.key, nil).want(200)
	if len(items.items()) != 1 || items.text("items", "0", "result") != "done" || items.text("next") != "" {
		h.Errorf("its items: %s", items.raw)
	}
	if one := h.ask("GET", "/v1/deliveries/"+items.text("items", "0", "id"), h.key, nil); one.text("delivery", "state") != "failed" {
		h.Errorf("what was settled: %s", one.raw)
	}
	h.ask("POST", "/v1/bulk", h.key, wish).want(409) // it finds nothing any more
	h.ask("POST", path+"/abort", h.key, nil).want(409)
	h.ask("GET", path+"/items?after=x", h.key, nil).want(400)
	running := "/v1/bulk/" + h.neverWorkedOn("acme")
	for range 2 {
		h.ask("POST", running+"/abort", h.key, nil).want(200)
	}
	if one := h.ask("GET", running, h.key, nil).want(200); one.text("state") != "aborted" || !strings.HasPrefix(one.text("ended_by"), "API key") {
		h.Errorf("what was aborted: %s", one.raw)
	}
	if n := h.acts(store.ActBulk) + 10*h.acts(store.ActBulkEnded); n != 11 {
		h.Errorf("the audit log has %d lines (aborted, asked)", n)
	}
}

// neverWorkedOn is a bulk job that no worker hears of.
func (h *house) neverWorkedOn(account string) string {
	h.Helper()
	now := time.Now()
	id, err := h.store.AskBulk(h.Context(), store.Actor{Name: "test"}, account, store.BulkRequest{Action: store.BulkReplaySame, Sandbox: true,
		Filter: store.BulkFilter{Since: now.Add(-time.Hour), Until: now.Add(time.Hour)}}, func(context.Context, pgx.Tx, string) error { return nil })
	h.must(err)
	return id
}

// ended waits until a job does not run any more, and reads it.
func (h *house) ended(id string) answer {
	h.Helper()
	ctx, cancel := context.WithTimeout(h.Context(), time.Minute)
	defer cancel()
	for {
		b, err := h.store.Bulk(ctx, id)
		if err != nil {
			h.Fatalf("the job does not end: %v", err)
		}
		if b.State != store.BulkRunning {
			return h.ask("GET", "/v1/bulk/"+id, h.key, nil).want(200)
		}
	}
}

// TestWhatIsNoBulkJob: each fault is named, and nothing is begun.
func TestWhatIsNoBulkJob(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.call("call-1", h.key)
	turned := lately("cancel", "held")
	turned["filter"].(map[string]any)["until"] = "2020-01-01T00:00:00Z"
	odd := lately("cancel", "held")
	odd["filter"].(map[string]any)["reason"] = "bad_luck"
	nowhere := lately("cancel", "held")
	nowhere["filter"].(map[string]any)["domain"] = "@"
	sandbox := lately("cancel", "held")
	sandbox["sandbox"] = true
	for name, tried := range map[string]struct {
		wish any
		says string
	}{
		"no action": {lately("delete", ""), "/action"}, "no such state": {lately("cancel", "lost"), "/filter/state"}, "turned round": {turned, "/filter/since"},
		"no such reason": {odd, "/filter/reason"}, "no domain": {nowhere, "That is no domain"}, "a sandbox of nothing": {sandbox, "Only a replay"}, "resend of anything": {lately("resend", ""), "Say which state"},
		"no time": {map[string]any{"action": "cancel", "filter": map[string]any{}}, "/filter/since"},
	} {
		for _, path := range []string{"/v1/bulk", "/v1/bulk/count"} {
			if a := h.ask("POST", path, h.key, tried.wish).want(400); !strings.Contains(a.raw, tried.says) {
				t.Errorf("%s: %s", name, a.raw)
			}
		}
	}
	if list := h.ask("GET", "/v1/bulk", h.key, nil); len(list.items()) != 0 {
		t.Errorf("jobs were begun: %s", list.raw)
	}
}
