package signals

import (
	"context"
	"time"
)

// Vitals is what one look at the database says of the whole installation, whichever process looks. Counts end at Counted.
type Vitals struct {
	QueueAge        map[string]time.Duration // by queue: since when the oldest job is due that nobody has taken
	QueueJobs       map[string]int           // by queue: jobs that are due
	Undecided       map[string]int           // conversations by state
	OldestUndecided time.Duration            // since when the oldest of them should be decided
	Ledger          map[string]int           // deliveries that are not final, by state
	OldestDue       time.Duration            // since when the oldest of them should be sent
	OldestErasure   time.Duration            // since when the oldest erasure was asked for that a worker is to do
	Workers         int                      // with a lease
	Accounts        int                      // with an active config
	Troubled        int                      // whose folder could not be activated
}

// Counted is how far rows are counted: who has more has the same problem.
const Counted = 10_000

// vitals are the metrics that are read when somebody looks.
type vitals struct {
	ready, databaseUp, build   *gauge
	queueAge, queueJobs        *gauge
	undecided, oldestUndecided *gauge
	ledger, oldestDue          *gauge
	oldestErasure              *gauge
	workers, accounts          *gauge
}

// watched is where they are read from. What is nil is not looked at.
type watched struct {
	vitals   func(context.Context) (Vitals, error)
	ready    *Readiness
	circuits map[string]func() bool // by model: whether its circuit is open
}

func (s *Signals) defineVitals(w Words) {
	s.ready = s.gauge("aftercall_ready", "1 while this process is ready; /readyz says what is missing.")
	s.databaseUp = s.gauge("aftercall_database_up", "1 while the database answers this process. While it does not, what is read from it is not shown.")
	s.queueAge = s.gauge("aftercall_queue_age_seconds", "Since when the oldest job is due that no worker has taken. Of the installation, like all that follow.", Label{"queue", w.Queues})
	s.queueJobs = s.gauge("aftercall_queue_jobs", "Jobs that are due and that no worker has taken, counted up to 10,000.", Label{"queue", w.Queues})
	s.undecided = s.gauge("aftercall_undecided_conversations", "Conversations not decided yet, counted up to 10,000.", Label{"state", []string{"accepted", "waiting"}})
	s.oldestUndecided = s.gauge("aftercall_undecided_age_seconds", "Since when the oldest conversation should be decided.")
	s.ledger = s.gauge("aftercall_ledger_deliveries", "Deliveries that are not final, counted up to 10,000: planned and retrying ones together, by their time; without what is held of tests and in sandboxes, which waits for nobody.", Label{"state", w.States})
	s.oldestDue = s.gauge("aftercall_due_age_seconds", "Since when the oldest delivery should be sent.")
	s.oldestErasure = s.gauge("aftercall_erasure_age_seconds", "Since when the oldest erasure was asked for that a worker has not done yet.")
	s.workers = s.gauge("aftercall_workers", "Workers with a lease.")
	s.accounts = s.gauge("aftercall_accounts", "Accounts with an active config, and those whose folder could not be activated.", Label{"config", []string{"active", "troubled"}})
	s.build = s.gauge("aftercall_build_info", "1, with this binary's version.", Label{"version", []string{w.Version}})
	s.build.set(1, w.Version)
}

// WatchDatabase has the vitals read from the database.
func (s *Signals) WatchDatabase(read func(context.Context) (Vitals, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watch.vitals = read
}

// WatchReadiness has readiness shown beside the metrics.
func (s *Signals) WatchReadiness(r *Readiness) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watch.ready = r
}

// WatchCircuit has it shown whether a model counts as away.
func (s *Signals) WatchCircuit(model string, open func() bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.watch.circuits == nil {
		s.watch.circuits = map[string]func() bool{}
	}
	s.watch.circuits[model] = open
}

// lookFor is how long the database may take over the vitals.
const lookFor = 3 * time.Second

// look reads what is not counted as it happens, under the lock.
func (s *Signals) look(ctx context.Context) {
	for model, open := range s.watch.circuits {
		s.circuitOpen.set(truth(open()), model)
	}
	if s.watch.ready != nil {
		s.ready.set(truth(len(s.watch.ready.Missing(ctx)) == 0))
	}
	if s.watch.vitals == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	v, err := s.watch.vitals(ctx)
	s.databaseUp.set(truth(err == nil))
	for _, g := range []*gauge{s.queueAge, s.queueJobs, s.undecided, s.oldestUndecided, s.ledger, s.oldestDue, s.oldestErasure, s.workers, s.accounts} {
		g.vec.Reset() // an old figure is worse than none
	}
	if err == nil {
		s.tell(v)
	}
}

func (s *Signals) tell(v Vitals) {
	for queue, age := range v.QueueAge {
		s.queueAge.set(age.Seconds(), queue)
	}
	for _, counts := range []struct {
		of *gauge
		by map[string]int
	}{{s.queueJobs, v.QueueJobs}, {s.undecided, v.Undecided}, {s.ledger, v.Ledger}} {
		for word, n := range counts.by {
			counts.of.set(float64(n), word)
		}
	}
	s.oldestUndecided.set(v.OldestUndecided.Seconds())
	s.oldestDue.set(v.OldestDue.Seconds())
	s.oldestErasure.set(v.OldestErasure.Seconds())
	s.workers.set(float64(v.Workers))
	s.accounts.set(float64(v.Accounts), "active")
	s.accounts.set(float64(v.Troubled), "troubled")
}

func truth(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
