package dashboard_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"aftercall/internal/store"
	"aftercall/worker"
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

// TestWhatIsDoneInRiversPageIsWrittenDown before it is done: to whom it is not allowed does nothing, looking is no deed, and what
// cannot be written down does not happen.
func TestWhatIsDoneInRiversPageIsWrittenDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	queue, err := river.NewClient(riverpgxv5.New(w.store.Pool()), &river.Config{})
	w.must(err)
	var ids []string
	for range 2 {
		job, err := queue.Insert(t.Context(), worker.DecideArgs{ConversationID: uuid.NewString(), Run: 1}, &river.InsertOpts{ScheduledAt: time.Now().Add(time.Hour)})
		w.must(err)
		ids = append(ids, fmt.Sprint(job.Job.ID))
	}
	cancel := func(who, body string) int {
		r, err := http.NewRequestWithContext(t.Context(), "POST", w.url+"/admin/river/api/jobs/cancel", strings.NewReader(body))
		w.must(err)
		r.AddCookie(w.session(who))
		answer, err := http.DefaultTransport.RoundTrip(r)
		w.must(err)
		w.must(answer.Body.Close())
		return answer.StatusCode
	}
	state := func(id string) (state string) {
		w.must(w.store.Pool().QueryRow(t.Context(), "SELECT state FROM river_job WHERE id = $1::bigint", id).Scan(&state))
		return state
	}
	if status := cancel("admin", `{"ids":["`+ids[0]+`"]}`); status != http.StatusForbidden || w.ask("GET", "/admin/river/api/jobs", "runner").status != http.StatusOK {
		t.Errorf("an admin of one account: %d", status)
	}
	if got := w.done(1); slices.Contains(got, store.ActQueueAsked) {
		t.Errorf("looking, and what is refused, is in the log: %v", got)
	}
	if status := cancel("runner", `{"ids":["`+ids[0]+`"]}`); status != http.StatusOK || state(ids[0]) != "cancelled" {
		t.Errorf("cancelled: %d, the job is %s", status, state(ids[0]))
	}
	acts, _, err := w.store.FindActs(t.Context(), store.ActQuery{What: store.ActQueueAsked})
	w.must(err)
	if len(acts) != 1 || acts[0].By.Name == "" || acts[0].Target != "/api/jobs/cancel" || acts[0].Detail["method"] != "POST" || acts[0].Detail["jobs"] != ids[0] {
		t.Errorf("the audit log: %+v", acts)
	}
	w.shows("runner", "/settings/log?what=done_in_river", "done in river", "<code>/api/jobs/cancel</code>", "jobs "+ids[0], "method POST")
	w.shows("runner", "/queue", `href="/settings/log?what=done_in_river"`)
	if status := cancel("runner", strings.Repeat(" ", 65<<10)); status != http.StatusBadRequest {
		t.Errorf("more than a thousand ids take: %d", status)
	}
	_, err = w.store.Pool().Exec(t.Context(), "ALTER TABLE audit_log ADD CHECK (act <> 'done_in_river') NOT VALID")
	w.must(err)
	if status := cancel("runner", `{"ids":["`+ids[1]+`"]}`); status < 500 || state(ids[1]) != "scheduled" {
		t.Errorf("without a line in the log: %d, the job is %s", status, state(ids[1]))
	}
}
