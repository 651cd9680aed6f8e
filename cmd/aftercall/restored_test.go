package main

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"aftercall/deliver"
	"aftercall/deliver/delivertest"
	"aftercall/internal/postgres"
	"aftercall/internal/postgres/pgtest"
	"aftercall/internal/store"
	"aftercall/worker"
)

// TestRestoredBackup: a dump is made in the middle of everything, the original goes on and sends, and the dump is
// restored and started. Nothing is sent a second time, and nothing is lost from sight: what was not final is unknown,
// what was not decided is decided, and a new call is sent as ever.
func TestRestoredBackup(t *testing.T) {
	t.Parallel()
	var up atomic.Bool
	up.Store(true)
	h := newHouseAt(t, writeAccount(t, downConfig), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !up.Load() {
			http.Error(w, `{"error":{"message":"overloaded","type":"server_error"}}`, http.StatusServiceUnavailable)
			return
		}
		completion(w, `{"automations":{"callback":{"evidence":[{"turn":1,"quote":"Please call me back tomorrow."}],"verdict":"yes"}},"summary":"x"}`)
	}), time.Now)
	slow := make(chan struct{})
	answer := sync.OnceFunc(func() { close(slow) })
	t.Cleanup(answer)
	h.mail.Fail(func(_ int, m delivertest.Mail) delivertest.Fault {
		switch m.Args["conversation_id"] {
		case "call-1":
			return delivertest.Fault{Status: http.StatusTooManyRequests}
		case "call-2":
			<-slow
		}
		return delivertest.Fault{}
	})

	sentAlready := h.postCall([]byte(downCallNumber(0)))
	h.final(sentAlready)
	retrying, sending := h.postCall([]byte(downCallNumber(1))), h.postCall([]byte(downCallNumber(2)))
	h.until(retrying, all(2, store.Retrying))
	h.until(sending, all(2, store.Sending))
	up.Store(false)
	h.pause(worker.QueueOf(deliver.Email), "")
	waiting := h.postCall([]byte(downCallNumber(3)))
	h.until(waiting, func(s store.Story) bool { return s.State == store.StateWaiting && all(1, store.Planned)(s) })
	h.pause(worker.QueueDecide, sending)
	accepted := h.postCall([]byte(downCallNumber(4)))
	backup := dump(t, h.url)

	up.Store(true)
	answer()
	h.resume()
	for _, id := range []string{sending, waiting, accepted, h.postCall([]byte(downCallNumber(5)))} {
		if s := h.final(id); sent(s) != 2 {
			t.Errorf("the original sent %d mails for %s, want 2", sent(s), id)
		}
	}

	copied, log := h.restart(restore(t, backup))
	for id, want := range map[string]map[store.DeliveryState]int{
		sentAlready: {store.Sent: 2},
		retrying:    {store.Unknown: 2},
		sending:     {store.Unknown: 2},
		waiting:     {store.Unknown: 2},
		accepted:    {store.Unknown: 2},
		copied.postCall([]byte(downCallNumber(6))): {store.Sent: 2},
	} {
		s := copied.final(id)
		if d := cmp.Diff(want, tally(s)); d != "" {
			t.Errorf("%s after the restore: %s", s.Conversation.ExternalID, d)
		}
		if len(s.Decisions) != 2 {
			t.Errorf("%s has %d decisions after the restore, want 2", s.Conversation.ExternalID, len(s.Decisions))
		}
	}
	copied.balanced()
	if err := copied.app.stop(); err != nil {
		t.Error(err)
	}
	if out := log.String(); strings.Count(out, "restored from a backup") != 1 || !strings.Contains(out, "unknown=5 undecided=2") {
		t.Errorf("the start does not say, once, what it did:\n%s", out)
	}
	times := map[string]int{}
	for _, m := range h.mail.Mails() {
		times[m.Args["conversation_id"]+" "+m.Args["automation_id"]]++
	}
	for key, n := range times {
		if n != 1 {
			t.Errorf("%s was sent %d times", key, n)
		}
	}
	if len(times) < 12 { // calls 0 and 2 to 6, two each; those of call 1 are still being refused
		t.Errorf("%d mails were sent: %v", len(times), times)
	}
}

// all waits for so many deliveries, each in this state.
func all(n int, state store.DeliveryState) func(store.Story) bool {
	return func(s store.Story) bool { return tally(s)[state] == n }
}

func tally(s store.Story) map[store.DeliveryState]int {
	n := map[store.DeliveryState]int{}
	for _, d := range s.Deliveries {
		n[d.State]++
	}
	return n
}

// pause stops a queue and waits until the worker knows; of the decide queue also until nothing is running but the job
// that is sending: what ran at the moment of the backup is taken up by a sweep, but only after its grace.
func (h *house) pause(queue, sending string) {
	h.t.Helper()
	paused, unsubscribe := h.app.worker.Client().Subscribe(river.EventKindQueuePaused)
	defer unsubscribe()
	if err := h.app.worker.Client().QueuePause(h.t.Context(), queue, nil); err != nil {
		h.t.Fatal(err)
	}
	select {
	case <-paused:
	case <-time.After(time.Minute):
		h.t.Fatalf("queue %s does not stop", queue)
	}
	ctx, cancel := context.WithTimeout(h.t.Context(), time.Minute)
	defer cancel()
	running := river.NewJobListParams().First(2).Kinds(worker.DecideArgs{}.Kind()).States(rivertype.JobStateRunning)
	for queue == worker.QueueDecide {
		left, err := h.app.worker.Client().JobList(ctx, running)
		if err != nil {
			h.t.Fatalf("queue %s does not come to rest: %v", queue, err)
		}
		if !slices.ContainsFunc(left.Jobs, func(j *rivertype.JobRow) bool { return !strings.Contains(string(j.EncodedArgs), sending) }) {
			return
		}
	}
}

// resume starts every queue again.
func (h *house) resume() {
	h.t.Helper()
	if err := h.app.worker.Client().QueueResume(h.t.Context(), "*", nil); err != nil {
		h.t.Fatal(err)
	}
}

// dump backs a database up with pg_dump.
func dump(t *testing.T, database string) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "backup")
	tool(t, "pg_dump", "--format=custom", "--file="+file, "--dbname="+database)
	return file
}

// restore brings a backup into a database of its own.
func restore(t *testing.T, file string) (database string) {
	t.Helper()
	database = pgtest.Empty(t)
	tool(t, "pg_restore", "--exit-on-error", "--no-privileges", "--dbname="+database, file)
	return database
}

func tool(t *testing.T, name string, args ...string) {
	t.Helper()
	path, err := postgres.Tool(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// restart starts the same process on another database, and gives its log, to be read once it has stopped.
func (h *house) restart(database string) (*house, *bytes.Buffer) {
	h.t.Helper()
	ctx, log := context.Background(), &bytes.Buffer{}
	a, err := assemble(ctx, assembly{
		settings: settings{
			DatabaseURL: secret(database), Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0",
			OpenAIBaseURL: h.model.URL + "/v1", Model: "scripted", SendGridKey: sendGridKey, SendGridBaseURL: h.mail.URL,
		},
		role: role{web: true, work: true}, getenv: func(string) string { return houseSecret },
		log: slog.New(slog.NewTextHandler(log, nil)), now: h.now, open: true,
	})
	if err != nil {
		h.t.Fatal(err)
	}
	copied := &house{t: h.t, app: a, url: database, key: h.key, mail: h.mail, model: h.model, now: h.now}
	copied.resume() // the backup has the pause in it
	if err := a.start(ctx); err != nil {
		h.t.Fatal(err)
	}
	return copied, log
}

// TestRestoredByHand: the verb prints one line that scripts read, does nothing the second time, and keeps its hands off a
// database that workers are using.
func TestRestoredByHand(t *testing.T) {
	t.Parallel()
	base := map[string]string{"DATABASE_URL": pgtest.New(t)}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"restored"}, 0, "restored: 0 deliveries unknown, 0 conversations undecided, 0 leases dropped\n"},
		{[]string{"restored", "--nothing-lost"}, 0, "moved: nothing is doubted; this is where the data lives now\n"},
		{[]string{"restored", "now"}, 2, "restored takes only --nothing-lost"},
	} {
		if code, out := cli(t, base, c.args...); code != c.code || !strings.Contains(out, c.want) {
			t.Errorf("%v ends with %d: %s", c.args, code, out)
		}
	}
	h := newHouse(t, writeAccount(t, silentConfig), http.NotFoundHandler())
	for _, args := range [][]string{{"restored"}, {"restored", "--nothing-lost"}} {
		if code, out := cli(t, map[string]string{"DATABASE_URL": h.url}, args...); code != 1 ||
			!strings.Contains(out, "workers are running on this database") || !strings.Contains(out, "stop them first") {
			t.Errorf("%v beside a worker ends with %d: %s", args, code, out)
		}
	}
}
