package dashboard_test

import (
	"bufio"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"aftercall/dashboard"
	"aftercall/deliver"
	"aftercall/internal/store"
	"aftercall/tasks"
)

// event is one server-sent event.
type event struct{ id, name, data string }

// hear opens a line and gives its events until the server ends it or the test does.
func (h *house) hear(topics string, header ...string) (*http.Response, <-chan event) {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), "GET", h.url+"/live?topics="+topics, nil)
	h.must(err)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	h.must(err)
	h.t.Cleanup(func() { _ = answer.Body.Close() })
	heard := make(chan event)
	go func() {
		defer close(heard)
		var e event
		for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
			switch name, value, _ := strings.Cut(lines.Text(), ": "); {
			case name == "id":
				e.id = value
			case name == "event":
				e.name = value
			case name == "data" || name == "data:":
				e.data = value
			case name == "" && value == "" && e.name != "":
				select {
				case heard <- e:
				case <-h.t.Context().Done():
					return
				}
				e = event{}
			}
		}
	}()
	return answer, heard
}

// of waits for an event of a name.
func of(t *testing.T, heard <-chan event, name string) event {
	t.Helper()
	late := time.After(time.Minute)
	for {
		select {
		case e, open := <-heard:
			if !open {
				t.Fatalf("the line ended before %s was heard", name)
			}
			if e.name == name {
				return e
			}
		case <-late:
			t.Fatalf("%s was never heard", name)
		}
	}
}

func TestOpenPagesHearWhatChanged(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.tell()
	answer, heard := h.hear("tasks,alerts,nonsense")
	if got := answer.Header.Get("Content-Type"); answer.StatusCode != http.StatusOK || got != "text/event-stream" {
		t.Fatalf("%d %s", answer.StatusCode, got)
	}
	of(t, heard, "tasks") // the connection to the database stands
	h.must(h.store.SetTask(t.Context(), store.Actor{Name: "ann"}, "acme", h.task, store.TaskChange{Version: 1, State: tasks.Done}))
	if e := of(t, heard, "tasks"); e.data != h.task || e.id != "" {
		t.Errorf("heard %+v", e)
	}
	h.must(h.store.PostAlert(t.Context(), deliver.Message{AccountID: "acme", DeliveryID: h.delivery, Text: "Dana waits."}))
	posted := of(t, heard, "alerts")
	for posted.id == h.alert { // of before
		posted = of(t, heard, "alerts")
	}
	if posted.id == "" || posted.id != posted.data {
		t.Errorf("heard %+v", posted)
	}
	_, again := h.hear("alerts", "Last-Event-ID", uuid.Nil.String())
	if e := of(t, again, "alerts"); e.id != posted.id {
		t.Errorf("whoever comes back hears %+v, want %s", e, posted.id)
	}
	h.pages.EndStreams()
	h.pages.EndStreams() // twice is once
	for range heard {
	}
}

// TestALineIsForItsReader: somebody hears of their own accounts, has only so many lines, and a page that looks by itself
// keeps nobody signed in.
func TestALineIsForItsReader(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cookie := w.session("viewer")
	_, heard := w.hear("tasks", "Cookie", cookie.Name+"="+cookie.Value)
	of(t, heard, "tasks")
	h := w.house
	h.must(h.store.SetTask(t.Context(), store.Actor{}, "umbra", w.theirs.task, store.TaskChange{Version: 1, State: tasks.Done}))
	h.must(h.store.SetTask(t.Context(), store.Actor{}, "acme", w.task, store.TaskChange{Version: 1, State: tasks.Done}))
	if e := of(t, heard, "tasks"); e.data != w.task {
		t.Errorf("heard %+v", e)
	}
	refused := 0
	for range 15 {
		answer, _ := w.hear("tasks", "Cookie", cookie.Name+"="+cookie.Value)
		if answer.StatusCode == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused == 0 || refused == 15 {
		t.Errorf("%d of 15 further lines were refused", refused)
	}
	if answer, _ := w.hear("tasks", "Sec-Fetch-Dest", "empty"); answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("nobody has a line: %d", answer.StatusCode)
	}
}

func TestWhatBecameActiveIsHeardInDevOnly(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(c *dashboard.Config) { c.Dev = true })
	_, heard := h.hear("")
	for _, want := range []string{"0", "1", "2"} {
		if e := of(t, heard, "active"); e.data != want {
			t.Errorf("heard %+v, want %s", e, want)
		}
		h.pages.Changed()
	}
	if _, body := h.get("GET", "/conversations"); !strings.Contains(body, `data-live="/live"`) {
		t.Error("a page does not listen")
	}
	plain := newHouse(t)
	_, heard = plain.hear("tasks")
	of(t, heard, "tasks")
	plain.pages.Changed()
	plain.pages.EndStreams()
	for e := range heard {
		t.Errorf("outside dev %+v is heard", e)
	}
}
