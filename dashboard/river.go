package dashboard

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"riverqueue.com/riverui"

	"aftercall/internal/store"
	"aftercall/people"
)

// queuePrefix is where River's own page stands.
const queuePrefix = "/admin/river"

// queuePage is River's page for the queue: jobs with state, attempts and errors. It has no sign-in, no origin check and
// no headers of its own; the guard and the gate around all pages give it those. Nor does it know our audit log: what is asked of
// it beyond looking is written down before it hears of it. It knows no accounts, so it is for those who run the installation.
// Job arguments hold ids only, and stay folded away.
type queuePage struct {
	handler *riverui.Handler
	log     func(context.Context, store.Act) error
	fail    func(http.ResponseWriter, *http.Request, error)

	mu     sync.Mutex
	cancel context.CancelFunc
}

func newQueuePage(client *river.Client[pgx.Tx], log *slog.Logger, act func(context.Context, store.Act) error) (*queuePage, error) {
	h, err := riverui.NewHandler(&riverui.HandlerOpts{
		Endpoints:                riverui.NewEndpoints(client, nil),
		JobListHideArgsByDefault: true,
		Logger:                   log,
		Prefix:                   queuePrefix,
	})
	if err != nil {
		return nil, fmt.Errorf("build queue page: %w", err)
	}
	return &queuePage{handler: h, log: act}, nil
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

// ServeHTTP serves River's page under the policy it needs. What cannot be written down is not done.
func (q *queuePage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		r.Body = http.MaxBytesReader(w, r.Body, formSize)
		act, err := actOnQueue(r)
		if err == nil {
			err = q.log(r.Context(), act)
		}
		if err != nil {
			q.fail(w, r, err)
			return
		}
	}
	w.Header().Set("Content-Security-Policy", queuePolicy)
	q.handler.ServeHTTP(neverStored{w}, r)
}

// mostJobs is how many ids of jobs a line of the audit log names; River's page takes a thousand at a time. longestPath bounds its
// target, in bytes.
const (
	mostJobs    = 50
	longestPath = 200
)

// actOnQueue is what a request asks River to do: the path says what, the body to which jobs, and is there to be read again.
func actOnQueue(r *http.Request) (store.Act, error) {
	path := strings.TrimPrefix(r.URL.Path, queuePrefix)
	act := store.Act{By: people.Of(r.Context()).Actor(), What: store.ActQueueAsked, Target: path[:min(len(path), longestPath)],
		Detail: map[string]string{"method": r.Method}}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return act, refused("What was posted is too long, or did not come whole.")
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	var asked struct {
		IDs []json.Number `json:"ids"` // River reads them with or without quotation marks
	}
	if json.Unmarshal(body, &asked) != nil || len(asked.IDs) == 0 {
		return act, nil // River says what is wrong with it
	}
	var ids []string
	for _, id := range asked.IDs[:min(len(asked.IDs), mostJobs)] {
		if _, err := id.Int64(); err != nil {
			return act, nil
		}
		ids = append(ids, id.String())
	}
	act.Detail["jobs"] = strings.Join(ids, ", ")
	if more := len(asked.IDs) - len(ids); more > 0 {
		act.Detail["jobs"] += fmt.Sprintf(" and %d more", more)
	}
	return act, nil
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
