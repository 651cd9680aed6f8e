package dashboard

import (
	"fmt"
	"net/http"
	"sync"
	"time"
)

// eventsPath is where open pages wait for news, in dev only.
const eventsPath = "/dev/events"

// news tells every open page that something became active, as server-sent events. What it says is how often that happened,
// and nothing more: a page that has heard of another number before asks for the rest as it always does.
type news struct {
	mu    sync.Mutex
	times int
	next  chan struct{} // closed when something happens, and replaced
	ended chan struct{}
	once  sync.Once
}

func newNews() *news { return &news{next: make(chan struct{}), ended: make(chan struct{})} }

// spread tells those who wait now, and those who come.
func (n *news) spread() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.times++
	close(n.next)
	n.next = make(chan struct{})
}

// end lets everybody go, for good.
func (n *news) end() { n.once.Do(func() { close(n.ended) }) }

func (n *news) now() (times int, next <-chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.times, n.next
}

// ServeHTTP sends an event at once, and one for each piece of news, until the page is closed. A browser that lost the line
// comes back by itself.
func (n *news) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	line := http.NewResponseController(w)
	for _, lift := range []func(time.Time) error{line.SetReadDeadline, line.SetWriteDeadline} {
		_ = lift(time.Time{}) // where it stands, the line is cut then, and the browser comes back
	}
	w.Header().Set("Content-Type", "text/event-stream")
	for {
		times, next := n.now()
		if _, err := fmt.Fprintf(w, "retry: 1000\nevent: active\ndata: %d\n\n", times); err != nil || line.Flush() != nil {
			return // nobody listens
		}
		select {
		case <-r.Context().Done():
			return
		case <-n.ended:
			return
		case <-next:
		}
	}
}
