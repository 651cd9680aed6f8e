package dashboard

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"aftercall/deliver"
	"aftercall/internal/signals"
	"aftercall/internal/store"
	"aftercall/people"
	"aftercall/worker"
)

// queuesPath is where the queue is summed up for those who run the installation; River's own page shows each job.
const queuesPath = "/queue"

func (d *Dashboard) queueRoutes(rs *routes) {
	rs.add("GET "+queuesPath, people.Run, d.page(d.queues))
	rs.add("POST "+queuesPath+"/{queue}/pause", people.Run, d.form(d.pauseQueue))
	rs.add("POST "+queuesPath+"/{queue}/resume", people.Run, d.form(d.resumeQueue))
}

// queuesView is the view of queues.html.
type queuesView struct {
	Rows   []queueRow
	Faults []faultRow
	Jobs   string // River's own page
	Asked  string // what was done there, in the audit log
	Log    string // who paused what
}

// queueRow is one queue.
type queueRow struct {
	Name, Says                                  string
	State                                       badge
	Since                                       moment // paused since
	Waiting, Running, PutOff, Retrying, GivenUp string
	Oldest                                      string // how long the oldest that is due has waited; "" if nothing has
	Pause, Resume                               string // where either is posted
	Means                                       string // what pausing it would mean
}

// faultRow is one kind of job that failed.
type faultRow struct {
	Kind, Queue string
	State       badge
	Jobs        string
	Attempts    int
	Last        moment
}

// queues is GET /queue.
func (d *Dashboard) queues(r *http.Request) (answer, error) {
	sums, err := d.store.Queues(r.Context(), worker.Queues())
	if err != nil {
		return answer{}, err
	}
	paused, err := d.pausedQueues(r.Context())
	if err != nil {
		return answer{}, err
	}
	return answer{Template: "queues", Title: "Queue", Section: "queue", View: queuesOf(sums, paused)}, nil
}

// mostQueues is more than there are.
const mostQueues = 1000

// pausedQueues gives since when each queue is paused, and the zero time for one that is not; a queue that no worker has opened
// yet is not among them.
func (d *Dashboard) pausedQueues(ctx context.Context) (map[string]time.Time, error) {
	list, err := d.river.QueueList(ctx, river.NewQueueListParams().First(mostQueues))
	if err != nil {
		return nil, fmt.Errorf("list the queues that are paused: %w", err)
	}
	paused := map[string]time.Time{}
	for _, q := range list.Queues {
		if paused[q.Name] = (time.Time{}); q.PausedAt != nil {
			paused[q.Name] = *q.PausedAt
		}
	}
	return paused, nil
}

func queuesOf(sums []store.QueueSum, paused map[string]time.Time) queuesView {
	v := queuesView{Jobs: queuePrefix + "/", Log: address(logPath, "what", string(store.ActQueuePaused)), Asked: address(logPath, "what", string(store.ActQueueAsked))}
	for _, s := range sums {
		since, opened := paused[s.Queue]
		v.Rows = append(v.Rows, queueRowOf(s, since, opened))
		for _, f := range s.Faults {
			row := faultRow{Kind: f.Kind, Queue: queueName(s.Queue), State: badge{"tried again", "again", "warn"}, Jobs: jobsWord(f.Jobs),
				Attempts: f.Attempts, Last: at(f.LastAt, time.UTC)}
			if f.GivenUp {
				row.State = badge{"given up", "cross", "bad"}
			}
			v.Faults = append(v.Faults, row)
		}
	}
	return v
}

func queueRowOf(s store.QueueSum, since time.Time, opened bool) queueRow {
	path := queuesPath + "/" + url.PathEscape(s.Queue)
	row := queueRow{Name: queueName(s.Queue), Waiting: jobsWord(s.Waiting), Running: jobsWord(s.Running), PutOff: jobsWord(s.PutOff),
		Retrying: jobsWord(s.Retrying), GivenUp: jobsWord(s.GivenUp), State: badge{"open", "check", "good"}, Since: at(since, time.UTC),
		Means: "What is due waits until it goes on; nothing is lost. What runs already ends."}
	if s.Oldest > 0 {
		row.Oldest = span(s.Oldest)
	}
	switch {
	case !opened:
		row.State, row.Says = badge{"not opened yet", "dash", "quiet"}, "No worker has worked it."
	case since.IsZero():
		row.Pause = path + "/pause"
	default:
		row.State, row.Resume = badge{"paused", "pause", "warn"}, path+"/resume"
	}
	if s.Queue == worker.QueueDecide {
		row.Means += " Calls are accepted, and none is decided."
	}
	return row
}

// queueName is a queue as a reader knows it.
func queueName(queue string) string {
	switch queue {
	case worker.QueueDecide:
		return "Decisions"
	case worker.QueueBulk:
		return "Bulk jobs"
	}
	for _, c := range append(worker.Channels(), deliver.Push) {
		if worker.QueueOf(c) == queue {
			return channelWord(c)
		}
	}
	return queue
}

// jobsWord writes a count that ends somewhere.
func jobsWord(n int) string {
	if n >= signals.Counted {
		return worker.Amount(n) + " or more"
	}
	return worker.Amount(n)
}

// pauseQueue is POST /queue/{queue}/pause.
func (d *Dashboard) pauseQueue(r *http.Request) (answer, error) { return d.switchQueue(r, true) }

// resumeQueue is POST /queue/{queue}/resume.
func (d *Dashboard) resumeQueue(r *http.Request) (answer, error) { return d.switchQueue(r, false) }

func (d *Dashboard) switchQueue(r *http.Request, pause bool) (answer, error) {
	queue, back := r.PathValue("queue"), answer{Location: queuesPath}
	if !slices.Contains(worker.Queues(), queue) {
		return answer{}, fmt.Errorf("find queue: %w", store.ErrNotFound)
	}
	paused, err := d.pausedQueues(r.Context())
	if err != nil {
		return answer{}, err
	}
	since, opened := paused[queue]
	switch {
	case !opened:
		return answer{}, notOpened()
	case since.IsZero() != pause:
		return back, nil // it is so already
	}
	err = d.store.SwitchQueue(r.Context(), people.Of(r.Context()).Actor(), queue, pause, func(ctx context.Context, tx pgx.Tx) error {
		if pause {
			return d.river.QueuePauseTx(ctx, tx, queue, nil)
		}
		return d.river.QueueResumeTx(ctx, tx, queue, nil)
	})
	if errors.Is(err, rivertype.ErrNotFound) {
		return answer{}, notOpened()
	}
	return back, err
}

func notOpened() error {
	return &postedError{http.StatusConflict, "No worker has opened this queue yet.", "Start a worker, then pause it."}
}
