package signals

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Check is one thing that a process cannot do without.
type Check struct {
	Name string // "database"
	Says string // one sentence for when it is missing. Strangers read it: no host, no name, no figure
	Look func(context.Context) error
}

// Readiness says whether a process can do its work and, if not, what it is waiting for. It is safe for concurrent use.
type Readiness struct {
	log    *slog.Logger
	checks []Check

	mu       sync.Mutex
	stopping bool
	looked   time.Time // when the last look began
	missing  []Check
}

// NewReadiness returns the readiness of a process that needs what is checked.
func NewReadiness(log *slog.Logger, checks ...Check) *Readiness {
	return &Readiness{log: log, checks: checks}
}

// readyWithin is how long all checks together may take.
const readyWithin = 2 * time.Second

// Missing makes the checks and gives those that fail. What changes is logged, with the cause. However many ask, one look at
// a time is taken, and a look that began after somebody asked is that one's answer, too.
func (r *Readiness) Missing(ctx context.Context) []Check {
	asked := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopping {
		return []Check{{Name: "process", Says: "It is stopping."}}
	}
	if !r.looked.After(asked) {
		r.looked = time.Now()
		r.missing = r.look(ctx)
	}
	return slices.Clone(r.missing)
}

// look makes every check beside the others: one that hangs must not hide another.
func (r *Readiness) look(ctx context.Context) (missing []Check) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readyWithin) // others wait for the answer, too
	defer cancel()
	errs := make([]error, len(r.checks))
	var beside sync.WaitGroup
	for i, c := range r.checks {
		beside.Go(func() { errs[i] = c.Look(ctx) })
	}
	beside.Wait()
	for i, c := range r.checks {
		was := slices.ContainsFunc(r.missing, func(m Check) bool { return m.Name == c.Name })
		switch {
		case errs[i] != nil && !was:
			r.log.Warn("not ready", "check", c.Name, "error", errs[i])
		case errs[i] == nil && was:
			r.log.Info("ready again", "check", c.Name)
		}
		if errs[i] != nil {
			missing = append(missing, c)
		}
	}
	return missing
}

// Stop says that the process is about to end, so that nobody sends it anything more.
func (r *Readiness) Stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopping = true
}

// ServeHTTP answers 200, or 503 and what is missing, as a problem (RFC 9457).
func (r *Readiness) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	missing := r.Missing(req.Context())
	if len(missing) == 0 {
		answer(w, http.StatusOK, "application/json", map[string]string{"status": "ready"})
		return
	}
	var says, names []string
	for _, c := range missing {
		says, names = append(says, c.Says), append(names, c.Name)
	}
	w.Header().Set("Retry-After", "5")
	answer(w, http.StatusServiceUnavailable, "application/problem+json", map[string]any{
		"title": http.StatusText(http.StatusServiceUnavailable), "status": http.StatusServiceUnavailable,
		"detail": strings.Join(says, " "), "missing": names,
	})
}

// Alive answers that the process is there.
func Alive(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, "application/json", map[string]string{"status": "alive"})
}

func answer(w http.ResponseWriter, status int, kind string, said any) {
	body, err := json.Marshal(said)
	if err != nil { // only strings and numbers are ever given
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // whoever asked has gone away
}
