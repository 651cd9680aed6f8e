package dashboard

import (
	"net/http"
	"sync"
	"time"
)

// eventsPath is where open pages wait for news, in dev only.
const eventsPath = "/dev/events"

// news tells every open page that something became active, as server-sent events. What it says is that, and nothing more:
// the page asks for the rest as it always does.
type news struct {
	mu    sync.Mutex
	next  chan struct{} // closed when something happens, and replaced
	ended chan struct{}
	once  sync.Once
}

func newNews() *news { return &news{next: make(chan struct{}), ended: make(chan struct{})} }

// spread tells those who wait now.
func (n *news) spread() {
	n.mu.Lock()
	defer n.mu.Unlock()
	close(n.next)
	n.next = make(chan struct{})
}

// end lets everybody go, for good.
func (n *news) end() { n.once.Do(func() { close(n.ended) }) }

func (n *news) wait() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.next
}

// ServeHTTP sends an event for each piece of news until the page is closed. A browser that lost the line comes back by
// itself.
func (n *news) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	line := http.NewResponseController(w)
	for _, lift := range []func(time.Time) error{line.SetReadDeadline, line.SetWriteDeadline} {
		_ = lift(time.Time{}) // where it stands, the line is cut then, and the browser comes back
	}
	w.Header().Set("Content-Type", "text/event-stream")
	next := n.wait()
	if _, err := w.Write([]byte("retry: 1000\n\n")); err != nil || line.Flush() != nil {
		return // nobody listens
	}
	for {
		select {
		case <-r.Context().Done():
			return
		case <-n.ended:
			return
		case <-next:
		}
		next = n.wait()
		if _, err := w.Write([]byte("event: changed\ndata: now\n\n")); err != nil || line.Flush() != nil {
			return
		}
	}
}
