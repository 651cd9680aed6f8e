// Package signals is how a running process tells an operator how it is: metrics, readiness and traces.
//
// It owns every metric there is, with its name, its labels and the words they may hold (metrics.go), what one look at the
// database says of the whole installation (vitals.go), whether the process is ready and what is missing (ready.go), and
// the spans of a trace that goes from the webhook to the provider (trace.go). A room that knows that something happened
// says so here in one line, by a method that is named for it.
//
// It promises that what is measured names nobody and cannot grow: the value of a label is a word of a closed list, and
// whatever else comes along is counted as "other"; accounts, automations and callers are no labels. Spans and lines of the
// log hold ids and the same words. It never decides anything, it imports nothing of ours, and a nil *Signals measures
// nothing.
package signals

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
)

// Words are the closed lists of other rooms that labels are taken from.
type Words struct {
	Channels []string // of deliveries
	States   []string // of deliveries
	Verdicts []string // of decisions
	Reasons  []string // of decisions
	Holds    []string // reasons of deliveries
	Failures []string // of calls to a model
	Purposes []string // of calls to a model
	Models   []string // that are asked, by their place: the first, the fallback
	Queues   []string
	Routes   []string // operations that programs ask for
	Version  string   // of this binary
}

// Signals is what one process tells of itself. It is safe for concurrent use.
type Signals struct {
	log      *slog.Logger
	registry *prometheus.Registry
	measures
	traces *traces // nil: none are sent

	mu     sync.Mutex // guards what follows
	watch  watched
	looked time.Time // when the last look began
}

// New returns signals that nobody has given anything yet.
func New(words Words, log *slog.Logger) *Signals {
	s := &Signals{log: log, registry: prometheus.NewRegistry()}
	s.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	s.define(words)
	return s
}

// mostScrapes bounds how many scrapes are answered at once; there is no reason for more than a few.
const mostScrapes = 4

// Handler serves the metrics in Prometheus's format.
func (s *Signals) Handler() http.Handler {
	return promhttp.HandlerFor(prometheus.GathererFunc(s.gather), promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn), MaxRequestsInFlight: mostScrapes,
	})
}

// gather looks and collects in one step: nobody is shown figures that are being read anew. However many ask, one look at a
// time is taken, and a look that began after somebody asked is that one's answer, too.
func (s *Signals) gather() ([]*dto.MetricFamily, error) {
	asked := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.looked.After(asked) {
		s.looked = time.Now()
		s.look(context.Background()) // not the asker's: others wait for the answer, too
	}
	return s.registry.Gather()
}
