// Package worker is the line itself: River jobs that decide a conversation, deliver its messages and keep the house.
//
// It owns decide.go (one conversation from gates to plan), matter.go (the steps of it that a rehearsal takes as well),
// plan.go (what the decisions lead to), again.go and replay.go (a call that people want decided once more), deliver.go (claim, call, receipt), verdict.go (the only place that knows River's
// answers), push.go (alerts on screens), maintenance.go (lease, sweep) and retention.go. Each is a short list of named calls into the rooms below.
//
// It promises the order: written down before it is done, decided once, sent at most once per key. Jobs carry ids, never
// transcripts, names or numbers.
package worker

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"aftercall/deliver"
	"aftercall/internal/signals"
	"aftercall/internal/store"
	"aftercall/interview"
)

// DecideArgs asks for a conversation to be decided.
type DecideArgs struct {
	ConversationID string `json:"conversation_id"`
	Run            int    `json:"run"`
}

// Kind names the job.
func (DecideArgs) Kind() string { return "conversation.decide" }

// DeliverArgs asks for the due deliveries of one conversation and channel to be sent.
type DeliverArgs struct {
	ConversationID string `json:"conversation_id"`
	Channel        string `json:"channel"`
}

// Kind names the job.
func (DeliverArgs) Kind() string { return "delivery.send" }

// Config is what a Worker is built from. A zero number means its default.
type Config struct {
	Store       *store.Store
	Revisions   *Revisions
	Interviewer *interview.Interviewer
	Channels    map[string]deliver.Channel // by channel name; a channel that is not here goes to Capture
	Capture     deliver.Channel
	Logger      *slog.Logger
	Version     string
	Now         func() time.Time // the clock; default time.Now
	Door        *Door            // of this process's webhooks, if it takes any: decide jobs stand back for them
	Signals     *signals.Signals // what is measured and followed; nil: nothing

	DecideSlots  int           // conversations in work at once, most of them waiting for the model (default 500)
	DeliverSlots int           // sends at once by e-mail, no more than the channel has connections; other channels have a fifth (default 64)
	Gate         int           // decide jobs that use database and processor at once (default 8)
	Lease        time.Duration // how long a silent worker counts as alive (default Lease)
	TokensPerDay int           // what an account may spend on the model in a day, if it names no lower figure (default: no limit)
	// Bulk works on a bulk job for a while; more reports that there is more to do. nil: this worker takes none.
	Bulk func(ctx context.Context, bulkID string) (more bool, err error)
	// Erase works on an erasure that somebody asked for, beside bulk jobs; more reports that some of it is under way.
	Erase func(ctx context.Context, erasureID string) (more bool, err error)

	AskTimeout time.Duration // how long one interview may take before its model counts as away (default 80 s)
}

// Worker works the queues of one process.
type Worker struct {
	store     *store.Store
	revisions *Revisions
	client    *river.Client[pgx.Tx]
	log       *slog.Logger
	self      store.Worker
	lease     time.Duration
	paused    *paused
	now       func() time.Time
	ends      store.EndLook // the sweep's own

	signals  *signals.Signals
	beaten   atomic.Int64       // when the lease was renewed last, in Unix nanoseconds; 0: it was never taken
	stopping <-chan struct{}    // closed by leave
	leave    context.CancelFunc // tells jobs to begin nothing more
	stop     context.CancelFunc
	keep     sync.WaitGroup
}

// rescueAfter is when River runs a job again that nobody finished. The sweeper is faster; this is the net below it, and
// it must be longer than any job may take.
const rescueAfter = 5 * time.Minute

// softStop is how long running jobs may finish after Stop; an orchestrator's grace should be twice that.
const softStop = 20 * time.Second

// New builds a Worker. It does nothing until Start.
func New(c Config) (*Worker, error) {
	c = c.withDefaults()
	if longest := max(decideTimeout, deliverTimeout, bulkTimeout, pushTimeout, c.AskTimeout); rescueAfter <= longest {
		return nil, fmt.Errorf("jobs may run %s but are rescued after %s: they would run twice", longest, rescueAfter)
	}
	host, _ := os.Hostname() // only shown beside the worker's id
	w := &Worker{
		store: c.Store, revisions: c.Revisions, log: c.Logger, lease: c.Lease, signals: c.Signals, now: c.Now,
		paused: &paused{queues: map[string]bool{}},
		self:   store.Worker{ID: host + "-" + uuid.NewString()[:8], Host: host, Version: c.Version, StartedAt: c.Now()},
	}
	stopping, leave := context.WithCancel(context.Background())
	w.stopping, w.leave = stopping.Done(), leave
	inserter, err := NewInserter(c.Store)
	if err != nil {
		return nil, err
	}
	places := map[string]*gate{}
	for _, ch := range Channels() {
		places[ch] = newGate(c.slots(ch))
	}
	sender := &deliverer{
		store: c.Store, revisions: c.Revisions, channels: c.Channels, capture: c.Capture, places: places,
		paused: w.paused, id: w.self.ID, stopping: w.stopping, enqueue: insertDelivers(inserter), now: c.Now, log: c.Logger,
		signals: c.Signals,
	}
	jobs := river.NewWorkers()
	river.AddWorker(jobs, sender)
	decides := &decider{
		store: c.Store, planner: c.Store.NewPlanner(EnqueueDelivers(inserter)), revisions: c.Revisions,
		interviewer: c.Interviewer, gate: newGate(c.Gate), door: c.Door, sender: sender, askTimeout: c.AskTimeout,
		now: c.Now, log: c.Logger, signals: c.Signals,
		purses: &Purses{Store: c.Store, Revisions: c.Revisions, Logger: c.Logger, TokensPerDay: c.TokensPerDay, Now: c.Now,
			Signals: c.Signals},
		limits: &limits{store: c.Store, revisions: c.Revisions, log: c.Logger, now: c.Now, known: map[string]usual{}},
	}
	river.AddWorker(jobs, decides)
	river.AddWorker(jobs, &replayer{with: decides, enqueue: EnqueueDelivers(inserter)})
	river.AddWorker(jobs, &pusher{with: sender})
	if c.Bulk != nil {
		river.AddWorker(jobs, &bulker{with: sender, some: c.Bulk})
	}
	if c.Erase != nil {
		river.AddWorker(jobs, &eraser{with: sender, some: c.Erase})
	}
	w.client, err = river.NewClient(riverpgxv5.New(c.Store.Pool()), &river.Config{
		ID: w.self.ID, Workers: jobs, Queues: c.queues(), Logger: quiet(c.Logger),
		// The default cooldown of 100 ms alone would bound a queue to a thousand jobs a second.
		FetchCooldown: 5 * time.Millisecond, FetchPollInterval: c.poll(50 * time.Millisecond), FetchOnlyKnownKinds: true,
		RescueStuckJobsAfter: rescueAfter, SoftStopTimeout: softStop,
	})
	if err != nil {
		return nil, fmt.Errorf("create the queue's client: %w", err)
	}
	return w, nil
}

func (c Config) withDefaults() Config {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Door == nil {
		c.Door = &Door{}
	}
	if c.DecideSlots == 0 {
		c.DecideSlots = 500
	}
	if c.DeliverSlots == 0 {
		c.DeliverSlots = 64
	}
	if c.Gate == 0 {
		c.Gate = 8
	}
	if c.Lease == 0 {
		c.Lease = Lease
	}
	if c.AskTimeout == 0 {
		c.AskTimeout = 80 * time.Second
	}
	return c
}

// queues gives decisions and each channel a queue of its own. The busy two are polled often; River's notification reaches
// the others at once, so their polling need not cost anything when the house is idle.
func (c Config) queues() map[string]river.QueueConfig {
	queues := map[string]river.QueueConfig{QueueDecide: {MaxWorkers: c.DecideSlots}}
	if c.Bulk != nil || c.Erase != nil {
		queues[QueueBulk] = river.QueueConfig{MaxWorkers: bulkSlots, FetchPollInterval: c.poll(500 * time.Millisecond)}
	}
	for _, ch := range append(Channels(), deliver.Push) {
		q := river.QueueConfig{MaxWorkers: c.slots(ch)}
		if ch != deliver.Email {
			q.FetchPollInterval = c.poll(500 * time.Millisecond)
		}
		queues[QueueOf(ch)] = q
	}
	return queues
}

// smallPool is the number of connections below which polling is kept down: on a long line to the database the polls of
// five queues would hold nearly all of them, and the work would wait. River's notifications do without.
const (
	smallPool = 10
	slowPoll  = 2 * time.Second
)

func (c Config) poll(usual time.Duration) time.Duration {
	if c.Store.Pool().Config().MaxConns < smallPool {
		return slowPoll
	}
	return usual
}

// slots is how much a channel's provider is asked to do at once.
func (c Config) slots(channel string) int {
	if channel == deliver.Email {
		return c.DeliverSlots
	}
	return max(c.DeliverSlots/5, 1)
}

// quiet lets River's warnings and errors through; its per-job lines would say again what ours say.
func quiet(log *slog.Logger) *slog.Logger {
	return slog.New(levelHandler{log.Handler(), slog.LevelWarn})
}

type levelHandler struct {
	slog.Handler
	least slog.Level
}

// Enabled reports whether a record of this level is written.
func (h levelHandler) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= h.least && h.Handler.Enabled(ctx, l)
}

// Client is the queue's client, for pages that show it.
func (w *Worker) Client() *river.Client[pgx.Tx] { return w.client }

// Start takes the lease and begins to work.
func (w *Worker) Start(ctx context.Context) error {
	if err := w.store.Beat(ctx, w.myself()); err != nil {
		return fmt.Errorf("take the worker's lease: %w", err)
	}
	w.beaten.Store(time.Now().UnixNano())
	if err := w.paused.read(ctx, w.client); err != nil {
		return err
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	w.stop = stop
	events, ignore := w.client.Subscribe(river.EventKindQueuePaused, river.EventKindQueueResumed)
	w.keep.Go(func() { defer ignore(); w.paused.follow(run, events) })
	w.keep.Go(func() { w.beat(run) })
	w.keep.Go(func() { w.sweep(run) })
	w.keep.Go(func() { w.retain(run) })
	if err := w.client.Start(context.WithoutCancel(ctx)); err != nil {
		stop()
		w.keep.Wait()
		return fmt.Errorf("start the queue: %w", err)
	}
	w.log.Info("working", "worker_id", w.self.ID)
	return nil
}

// Stop lets running jobs finish for a while, cancels the others, and gives the lease back. What a job has claimed and not
// begun to send goes back to the ledger, for a peer; what was cancelled in the middle of a send has its receipt or its
// doubt recorded.
func (w *Worker) Stop(ctx context.Context) error {
	if w.stop == nil {
		return nil // it never started
	}
	w.leave()
	err := w.client.Stop(ctx)
	w.stop()
	w.keep.Wait()
	if err != nil {
		return fmt.Errorf("stop the queue: %w", err)
	}
	if err := w.store.Leave(ctx, w.self.ID); err != nil {
		return fmt.Errorf("give the worker's lease back: %w", err)
	}
	return nil
}
