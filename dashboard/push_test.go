package dashboard_test

import (
	"net/http"
	"strings"
	"testing"

	"aftercall/dashboard"
	"aftercall/deliver"
	"aftercall/deliver/push"
	"aftercall/internal/store"
)

// browsers is how many browsers of somebody's show alerts.
func (w *world) browsers(who string) int {
	w.t.Helper()
	n, err := w.store.PushBrowsers(w.t.Context(), store.Actor{PersonID: w.people[who]})
	w.must(err)
	return n
}

func TestABrowserSubscribes(t *testing.T) {
	t.Parallel()
	key, err := push.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	channel, err := push.New(push.Config{Key: key, Subject: "mailto:ops@acme.example"})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, func(c *dashboard.Config) { c.Channels = map[string]deliver.Channel{deliver.Push: channel} })
	page := w.ask("GET", "/alerts", "viewer").body
	for _, want := range []string{`data-key="` + channel.PublicKey() + `"`, `data-worker="/push-worker.js"`, "Only a script can ask", "without their text"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(page, key) {
		t.Error("the page has the private key")
	}
	if page := w.ask("GET", "/alerts", "operator").body; strings.Contains(page, "without their text") {
		t.Error("an operator is told that they get no text")
	}
	const p256dh, auth = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4", "BTBZMqHH6r4Tts7J_aSIgg"
	for _, endpoint := range []string{"", "http://push.example/1", "https://127.0.0.1/1", "https://localhost/1", "https://metadata:8080/1", "https://169.254.169.254/latest"} {
		got := w.does("/alerts/push", "operator", "endpoint", endpoint, "p256dh", p256dh, "auth", auth)
		if got.status != http.StatusBadRequest || !strings.Contains(got.body, "https address of a push service") || w.browsers("operator") != 0 {
			t.Errorf("%q: %d", endpoint, got.status)
		}
	}
	for range 2 {
		got := w.does("/alerts/push", "operator", "endpoint", "https://push.example/1", "p256dh", p256dh+"=", "auth", auth+"==")
		if got.status != http.StatusSeeOther || w.browsers("operator") != 1 {
			t.Errorf("%d %s", got.status, got.body)
		}
	}
	if page := w.ask("GET", "/alerts", "operator").body; !strings.Contains(page, "1 of yours does") {
		t.Error("the page does not say that a browser shows them")
	}
	if got := w.does("/alerts/push/off", "operator"); got.status != http.StatusSeeOther || w.browsers("operator") != 0 {
		t.Errorf("%d", got.status)
	}
	if got := w.ask("GET", "/push-worker.js", ""); got.status != http.StatusOK || !strings.HasPrefix(got.header.Get("Content-Type"), "text/javascript") || got.header.Get("Cache-Control") != "no-cache" {
		t.Errorf("%d %v", got.status, got.header)
	}
}

// TestWithoutAKeyPushesAreAskedForByAForm: nothing of a browser is kept.
func TestWithoutAKeyPushesAreAskedForByAForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if page := w.ask("GET", "/alerts", "viewer").body; !strings.Contains(page, "Push alerts to me") || strings.Contains(page, "data-key") || strings.Contains(page, "push.") {
		t.Error("the page offers something else")
	}
	if got := w.does("/alerts/push", "viewer", "endpoint", "https://127.0.0.1/"); got.status != http.StatusSeeOther || w.browsers("viewer") != 1 {
		t.Errorf("%d %s", got.status, got.body)
	}
	if page := w.ask("GET", "/alerts", "viewer").body; strings.Contains(page, "Push alerts to me") || !strings.Contains(page, "Push nothing to me any more") {
		t.Error("the page does not offer to end it")
	}
}
