package dashboard

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"aftercall/internal/store"
	"aftercall/people"
)

// livePath is where open pages wait to hear that something changed. They are told which kind of thing, and ask for it
// again as they always do: what somebody may see is decided there and nowhere else.
const livePath = "/live"

// The times of a line, which the gate ends after a while (streamTime).
const (
	heartbeat = 15 * time.Second
	lineWrite = 10 * time.Second // whoever takes longer to take a few bytes is dropped
)

// live is the lines of open pages, and in dev the news that a config became active.
type live struct {
	store *store.Store
	pages *pages
	mate  func(people.Person) store.Teammate
	fail  func(w http.ResponseWriter, r *http.Request, err error)
	dev   bool

	mu    sync.Mutex
	times int
	next  chan struct{} // closed when a config becomes active, and replaced
	ended chan struct{}
	once  sync.Once
}

func newLive(s *store.Store, ps *pages, dev bool) *live {
	return &live{store: s, pages: ps, dev: dev, next: make(chan struct{}), ended: make(chan struct{})}
}

// spread tells those who wait now, and those who come, that a config became active.
func (l *live) spread() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.times++
	close(l.next)
	l.next = make(chan struct{})
}

// end lets everybody go, for good.
func (l *live) end() { l.once.Do(func() { close(l.ended) }) }

// active is how often a config became active, and what is closed when it does again; outside dev it never does.
func (l *live) active() (times int, next <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.dev {
		return 0, nil
	}
	return l.times, l.next
}

// ServeHTTP is GET /live: an event for each kind of thing that changed, named in ?topics=, in the reader's accounts.
func (l *live) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	who := people.Of(r.Context())
	line, err := l.store.Listen(l.mate(who), who.Accounts(people.Look), topicsOf(r)...)
	switch {
	case errors.Is(err, store.ErrTooManyLines):
		l.pages.refuse(w, r, http.StatusTooManyRequests, "Too many of your pages listen at once.", "This one looks for changes now and then.")
		return
	case err != nil:
		l.fail(w, r, err)
		return
	}
	defer line.Close()
	e := &eventWriter{w: w, line: http.NewResponseController(w)}
	_ = e.line.SetReadDeadline(time.Time{}) // where it stands the line is cut then, and the browser comes back
	w.Header().Set("Content-Type", "text/event-stream")
	e.write("retry: 2000\n\n")
	l.resume(r, e)
	l.serve(r.Context(), line, e)
}

// serve passes on what is heard until the page is closed or the gate ends the line.
func (l *live) serve(ctx context.Context, line *store.Line, e *eventWriter) {
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for e.err == nil {
		times, next := l.active()
		if l.dev {
			e.write(fmt.Sprintf("event: active\ndata: %d\n\n", times))
		}
		for waiting := true; waiting && e.err == nil; {
			select {
			case <-ctx.Done():
				return
			case <-l.ended:
				return
			case <-beat.C:
				e.write(": still here\n\n")
			case <-line.Changed():
				e.changed(line.Take())
			case <-next:
				waiting = false
			}
		}
	}
}

// resume tells a browser that comes back what it missed of alerts, by the last one it heard of.
func (l *live) resume(r *http.Request, e *eventWriter) {
	last := r.Header.Get("Last-Event-ID")
	if last == "" {
		return
	}
	who := people.Of(r.Context())
	missed, err := l.store.Within(who.Accounts(people.Look)).Unread(r.Context(), l.mate(who), "", last, 1)
	if err == nil && len(missed) > 0 { // what cannot be told now is found by the page's next look
		e.changed([]store.Change{{Topic: store.TopicAlerts, ID: missed[0].ID}})
	}
}

// topicsOf are the topics that a page asks for, of those there are.
func topicsOf(r *http.Request) (topics []store.Topic) {
	asked := strings.Split(r.URL.Query().Get("topics"), ",")
	for _, t := range store.Topics() {
		if slices.Contains(asked, string(t)) {
			topics = append(topics, t)
		}
	}
	return topics
}

// eventWriter writes server-sent events. After an error nothing is written any more.
type eventWriter struct {
	w    http.ResponseWriter
	line *http.ResponseController
	err  error
}

func (e *eventWriter) write(s string) {
	if e.err != nil {
		return
	}
	_ = e.line.SetWriteDeadline(time.Now().Add(lineWrite)) // where there is none, the connection's end is noticed later
	if _, e.err = e.w.Write([]byte(s)); e.err == nil {
		e.err = e.line.Flush()
	}
}

// changed passes changes on. Only alerts have an id that a browser shows when it comes back.
func (e *eventWriter) changed(changes []store.Change) {
	for _, c := range changes {
		id := ""
		if c.Topic == store.TopicAlerts && c.ID != "" {
			id = "id: " + c.ID + "\n"
		}
		e.write(fmt.Sprintf("%sevent: %s\ndata: %s\n\n", id, c.Topic, c.ID))
	}
}
