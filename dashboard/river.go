package dashboard

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"riverqueue.com/riverui"
)

// queuePrefix is where River's own page stands.
const queuePrefix = "/admin/river"

// queuePage is River's page for the queue: jobs with state, attempts and errors. It has no sign-in, no origin check and
// no headers of its own; the guard and the gate around all pages give it those. It knows no accounts, so it is for those who
// run the installation. Job arguments hold ids only, and stay folded away.
type queuePage struct {
	handler *riverui.Handler

	mu     sync.Mutex
	cancel context.CancelFunc
}

func newQueuePage(client *river.Client[pgx.Tx], log *slog.Logger) (*queuePage, error) {
	h, err := riverui.NewHandler(&riverui.HandlerOpts{
		Endpoints:                riverui.NewEndpoints(client, nil),
		JobListHideArgsByDefault: true,
		Logger:                   log,
		Prefix:                   queuePrefix,
	})
	if err != nil {
		return nil, fmt.Errorf("build queue page: %w", err)
	}
	return &queuePage{handler: h}, nil
}

func (q *queuePage) start(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	q.mu.Lock()
	q.cancel = cancel
	q.mu.Unlock()
	if err := q.handler.Start(ctx); err != nil {
		cancel()
		return fmt.Errorf("start queue page: %w", err)
	}
	return nil
}

func (q *queuePage) stop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.cancel != nil {
		q.cancel()
	}
}

// ServeHTTP serves River's page under the policy it needs.
func (q *queuePage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Security-Policy", queuePolicy)
	q.handler.ServeHTTP(neverStored{w}, r)
}

// neverStored keeps an answer out of caches. River's page serves itself in place of a file that is not found, and the
// standard file server drops Cache-Control on its way there.
type neverStored struct{ http.ResponseWriter }

// WriteHeader sets the header last.
func (w neverStored) WriteHeader(status int) {
	w.Header().Set("Cache-Control", "no-store")
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap gives http.ResponseController what it needs.
func (w neverStored) Unwrap() http.ResponseWriter { return w.ResponseWriter }
