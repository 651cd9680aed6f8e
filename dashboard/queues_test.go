package dashboard_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"aftercall/internal/store"
)

// TestTheQueueIsSummedUpAndPaused by those who run the installation, and by nobody else.
func TestTheQueueIsSummedUpAndPaused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, sql := range []string{
		"INSERT INTO river_queue (name, updated_at) VALUES ('decide', now())",
		`INSERT INTO river_job (args, kind, queue, state, attempt, max_attempts, scheduled_at)
		VALUES ('{}', 'conversation.decide', 'decide', 'available', 0, 25, now() - interval '3 minutes'), ('{}', 'conversation.decide', 'decide', 'retryable', 4, 25, now() + interval '1 hour')`,
	} {
		_, err := w.store.Pool().Exec(t.Context(), sql)
		w.must(err)
	}
	w.shows("runner", "/queue", "Decisions", "3 minutes", "Pause Decisions", "<code>conversation.decide</code>", "tried again", "not opened yet", `href="/admin/river/"`)
	for _, step := range []struct {
		do, shows string
	}{{"pause", "Let Decisions go on"}, {"pause", "Let Decisions go on"}, {"resume", "Pause Decisions"}, {"resume", "Pause Decisions"}} {
		if answer, body := w.by("runner", "/queue/decide/"+step.do); answer.StatusCode != http.StatusSeeOther || answer.Header.Get("Location") != "/queue" {
			t.Errorf("%s: %d %s", step.do, answer.StatusCode, body)
		}
		w.shows("runner", "/queue", step.shows)
	}
	if got := w.done(4); !slices.Equal(got[:2], []store.Deed{store.ActQueueGoesOn, store.ActQueuePaused}) || slices.Contains(got[2:], store.ActQueuePaused) {
		t.Errorf("the log: %v", got)
	}
	for path, want := range map[string]int{"/queue/deliver_sms/pause": http.StatusConflict, "/queue/none/pause": http.StatusNotFound, "/queue/*/pause": http.StatusNotFound} {
		if answer, body := w.by("runner", path); answer.StatusCode != want {
			t.Errorf("%s: %d, want %d: %s", path, answer.StatusCode, want, body)
		}
	}
	for _, who := range []string{"admin", "watcher"} {
		if got := w.ask("GET", "/queue", who); got.status != http.StatusForbidden || strings.Contains(got.body, "Decisions") {
			t.Errorf("%s: %d", who, got.status)
		}
	}
}
